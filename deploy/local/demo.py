"""Feeds the lab's virtual provider into Ronda the way a person would: through the REST API."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx

from deploy.local.first_run import TOKEN
from deploy.local.lab_settings import VERIFY_TOKEN
from deploy.local.stack import Stack
from shared.errors import Rejected

_AT_ONCE = 8
_POLICY = "infra"  # one-second probes, so that a visitor who cuts a link sees it at once
_SERVICES = {"hotspot": "hotspot", "pppoe": "ppp"}
_TOLD_ALERTS = {"noc", "owner"}
_TOLD_SESSIONS = "whatsapp"  # Telegram lets a bot say 20 things a minute in a group: an evening has more log-ins
_NOT_TOLD = {"stranger"}
_TIMEOUT_S = 30.0


async def load(stack: Stack) -> None:
    """Add what the lab has and Ronda has not yet; point WhatsApp's webhooks at the notifier."""
    headers = {"Authorization": f"Bearer {stack.state.secret(TOKEN)}"}
    async with (
        httpx.AsyncClient(base_url=stack.api_url, headers=headers, timeout=_TIMEOUT_S) as api,
        httpx.AsyncClient(base_url=stack.lab["control"], timeout=_TIMEOUT_S) as lab,
    ):
        inventory = (await lab.get("/lab/api/inventory")).raise_for_status().json()
        await Loader(api).load(inventory)
        webhook = f"http://127.0.0.1:{stack.provided.health_ports['notifier']}/webhooks/whatsapp"
        body = {"url": webhook, "verify_token": VERIFY_TOKEN}
        (await lab.post("/lab/api/chat-servers/whatsapp/webhook", json=body)).raise_for_status()
    counts = ", ".join(f"{len(inventory[part])} {part}" for part in ("routers", "hosts", "subscribers", "chats"))
    stack.output.line("supervisor", f"the lab's provider is registered: {counts}")


_MOVED = {"routers": ("host", "port"), "hosts": ("address", "probe", "port")}
"""Where things of the lab are: it takes other ports and addresses at each start. All else is left as it is."""


class Loader:
    """One load. What exists already stays as people made it, but is found where the lab has it now."""

    def __init__(self, api: httpx.AsyncClient) -> None:
        self._api = api
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def load(self, inventory: Mapping[str, Any]) -> None:
        """Sites, then what stands in them; parents before children."""
        sites = await self._ids("sites", [{"name": site["name"]} for site in inventory["sites"]])
        site_of = {site["id"]: sites[site["name"]] for site in inventory["sites"]}
        routers = await self._ids("routers", [_router(router, site_of) for router in inventory["routers"]])
        await self._ids("chats", [_chat(chat) for chat in inventory["chats"] if _is_told(chat)])
        await self._hosts(inventory["hosts"], site_of)
        await self._ids("accounts", [_account(one, routers) for one in inventory["subscribers"]])

    async def _hosts(self, hosts: list[dict[str, Any]], site_of: Mapping[str, str]) -> None:
        ids: dict[str, str] = {}
        waiting = list(hosts)
        while waiting:
            ready = [host for host in waiting if set(host["parents"]) <= ids.keys()]
            if not ready:
                raise Rejected(f"hosts hang on hosts that do not exist: {[host['name'] for host in waiting]}")
            ids |= await self._ids("hosts", [_host(host, site_of, ids) for host in ready])
            waiting = [host for host in waiting if host not in ready]

    async def _ids(self, path: str, bodies: list[dict[str, Any]]) -> dict[str, str]:
        """Have these; answers id by name, of all there are."""
        there = await self._there(path)
        await asyncio.gather(*(self._have(path, body, there.get(body["name"])) for body in bodies))
        return {name: item["id"] for name, item in (await self._there(path)).items()}

    async def _there(self, path: str) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        cursor: str | None = None
        while True:
            page = await self._api.get(f"/api/v1/{path}", params={"cursor": cursor} if cursor else {})
            found |= {item["name"]: item for item in page.raise_for_status().json()["items"]}
            cursor = page.json()["next_cursor"]
            if not cursor:
                return found

    async def _have(self, path: str, body: dict[str, Any], present: Mapping[str, Any] | None) -> None:
        if present is None:
            await self._send("POST", path, body, body["name"])
            return
        moved = {field: body[field] for field in _MOVED.get(path, ()) if body[field] != present[field]}
        if moved and "password" in body:
            moved["password"] = body["password"]  # a router's address is not changed without its password
        if moved:
            await self._send("PATCH", f"{path}/{present['id']}", moved, body["name"])

    async def _send(self, method: str, path: str, body: dict[str, Any], name: str) -> None:
        async with self._turns:
            response = await self._api.request(method, f"/api/v1/{path}", json=body)
        if not response.is_success:
            raise Rejected(f"the api refused the lab's «{name}»: {response.text}")


def _router(router: Mapping[str, Any], site_of: Mapping[str, str]) -> dict[str, Any]:
    return {
        "name": router["name"],
        "site_id": site_of[router["site"]],
        "host": router["host"],
        "port": router["port"],
        "username": router["user"],
        "password": router["password"],
    }


def _host(host: Mapping[str, Any], site_of: Mapping[str, str], ids: Mapping[str, str]) -> dict[str, Any]:
    return {
        "name": host["name"],
        "site_id": site_of[host["site"]],
        "address": host["address"],
        "probe": host["probe"],
        "port": host.get("port"),
        "policy": _POLICY,
        "parents": [[ids[parent]] for parent in host["parents"]],
    }


def _chat(chat: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": chat["title"],
        "channel": chat["channel"],
        "address": chat["id"],
        "role": chat["role"],
        "language": chat["language"],
        "time_zone": chat["time_zone"],
        "receives": _receives(chat),
    }


def _receives(chat: Mapping[str, Any]) -> list[str]:
    if chat["role"] not in _TOLD_ALERTS:
        return []
    return ["alerts", "sessions"] if chat["channel"] == _TOLD_SESSIONS else ["alerts"]


def _is_told(chat: Mapping[str, Any]) -> bool:
    """The lab's old-style gateway is for installations that use one; one WhatsApp number serves this demo."""
    return chat["role"] not in _NOT_TOLD and chat["channel"] in ("telegram", "whatsapp")


def _account(subscriber: Mapping[str, Any], routers: Mapping[str, str]) -> dict[str, Any]:
    return {
        "router_id": routers[subscriber["router"]],
        "service": _SERVICES[subscriber["service"]],
        "name": subscriber["user"],
        "password": subscriber["password"],
        "profile": subscriber["profile"],
        "phone": subscriber["phone"],
        "full_name": subscriber["name"],
        "language": subscriber["language"],
    }
