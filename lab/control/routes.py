"""The control server: pages, `/lab/api/state`, its stream, the inventory, and the deeds."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from lab.chats.desk import DeskError
from lab.chats.serving import Listener
from lab.chats.whatsapp.errors import CloudError
from lab.control.chat_routes import HEARTBEAT_SECONDS, ChatRoutes, event_stream, object_of, send_event, speak_errors
from lab.control.deeds import do
from lab.control.pages import add_pages
from lab.control.running import Lab

SLOWEST_SECONDS = 2.0
"""The page gets a fresh state at least so often while something lives."""
QUICKEST_SECONDS = 0.15


class ControlServer:
    """Pages and JSON of a running lab."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self._changed = asyncio.Event()
        lab.watchers.append(self._tick)
        self._listener = Listener(self._application())

    @property
    def url(self) -> str:
        """The address of the control page."""
        return self._listener.url

    async def start(self) -> str:
        """Listen; the address."""
        return await self._listener.start(self.lab.settings.listen, self.lab.settings.control_port)

    async def stop(self) -> None:
        """Close the port."""
        await self._listener.stop()

    def _tick(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _application(self) -> web.Application:
        application = web.Application(middlewares=[speak_errors])
        add_pages(application)
        ChatRoutes(self.lab.desk).add_to(application)
        application.router.add_get("/lab/api/state", self._state)
        application.router.add_get("/lab/api/state/stream", self._stream)
        application.router.add_get("/lab/api/inventory", self._inventory)
        application.router.add_get("/lab/api/addresses", self._addresses)
        application.router.add_post("/lab/api/{noun}/{name}/{verb}", self._do)
        return application

    async def _state(self, _: web.Request) -> web.StreamResponse:
        return web.json_response(state_of(self.lab))

    async def _inventory(self, _: web.Request) -> web.StreamResponse:
        return web.json_response(self.lab.inventory())

    async def _addresses(self, _: web.Request) -> web.StreamResponse:
        return web.json_response(self.lab.addresses(self.url))

    async def _do(self, request: web.Request) -> web.StreamResponse:
        options = await object_of(request)
        noun, name, verb = (request.match_info[key] for key in ("noun", "name", "verb"))
        try:
            return web.json_response({"done": await do(self.lab, noun, name, verb, options)})
        except CloudError as error:
            raise DeskError(error.details) from error

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        response = await event_stream(request)
        before: dict[str, Any] | None = None
        silent = 0.0
        while True:
            changed = self._changed
            now = state_of(self.lab)
            if now != before:
                await send_event(response, "state", now)
                before, silent = now, 0.0
            elif silent >= HEARTBEAT_SECONDS:
                await response.write(b": still here\n\n")
                silent = 0.0
            try:
                await asyncio.wait_for(changed.wait(), SLOWEST_SECONDS)
                await asyncio.sleep(QUICKEST_SECONDS)
            except TimeoutError:
                silent += SLOWEST_SECONDS


def state_of(lab: Lab) -> dict[str, Any]:
    """Everything that the control page shows."""
    counts: dict[str, int] = {}
    subscribers = []
    for customer in lab.customers.all.values():
        plan, online = customer.plan, customer.online
        counts[plan.router] = counts.get(plan.router, 0) + online
        row = {"user": plan.user, "name": plan.name, "service": plan.service, "router": plan.router}
        row |= {"profile": plan.profile, "phone": plan.phone, "mac": plan.mac}
        subscribers.append({**row, "online": online, "since": customer.since, "refused": customer.refused})
    return {
        "provider": lab.provider.name,
        "seed": lab.provider.seed,
        "sites": [{"id": s.id, "name": s.name} for s in lab.provider.sites],
        "routers": [_router_row(lab, name, counts.get(name, 0)) for name in lab.routers],
        "hosts": [_host_row(lab, plan.name, plan.title, plan.site) for plan in lab.provider.hosts],
        "host_kind": lab.farm.kind,
        "why_tcp": lab.farm.why,
        "subscribers": subscribers,
        "chat_servers": _chat_servers(lab),
    }


def _router_row(lab: Lab, name: str, sessions: int) -> dict[str, Any]:
    plan, router = lab.planned(name), lab.routers[name]
    row = {"name": name, "site": plan.site, "version": plan.version, "board": plan.board}
    fault = lab.router_faults.get(name, "")
    return {**row, "address": f"{lab.settings.listen}:{router.port}", "sessions": sessions, "fault": fault}


def _host_row(lab: Lab, name: str, title: str, site: str) -> dict[str, Any]:
    host = lab.farm.hosts[name]
    address = f"{host.address}:{host.port}" if host.port else host.address
    row = {"name": name, "title": title, "site": site, "address": address, "state": host.state}
    return row | {"loss": host.loss, "delay_ms": host.delay_ms}


def _chat_servers(lab: Lab) -> list[dict[str, Any]]:
    strict = lab.cloud.business.strictness.pair_rate
    return [
        {
            "name": "telegram",
            "title": "Telegram",
            "url": lab.telegram.url,
            "faults": lab.telegram.faults.as_json(),
            "strict": lab.telegram.limits.enabled,
        },
        {
            "name": "whatsapp",
            "title": "WhatsApp Cloud API",
            "url": lab.cloud.url,
            "faults": lab.cloud.faults.as_json(),
            "strict": strict,
        },
        {
            "name": "gateway",
            "title": "WhatsApp gateway",
            "url": lab.gateway.url,
            "faults": lab.gateway.faults.as_json(),
            "strict": None,
        },
    ]
