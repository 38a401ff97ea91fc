"""Where routers post what happens on them (`core.ingest` says in which words), and their secrets for it."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from services.api.core.ingest import MOST_BYTES
from services.api.core.router_scripts import scripts_for
from services.api.deps import InventoryKeeper, Parts, PartsDep, Reader
from services.api.handlers import ingest
from services.api.routes.schemas.ingest import IngestTokenMade, IngestTokenView, RouterScriptView
from services.api.routes.schemas.parts import PageView
from shared.errors import Invalid

routers_say = APIRouter(prefix="/ingest", tags=["ingest"])
_BODY = {"content": {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}}
router = APIRouter(prefix="/routers/{router_id}", tags=["ingest"])


@routers_say.post("/routeros/{token}", openapi_extra={"requestBody": _BODY})
async def hear_router(request: Request, api: PartsDep, token: str) -> Response:
    """A log-in, a log-out or a host of netwatch, told by a router's own script as a form or as JSON.

    `event` (login, logout, up, down), then `user`, `address`, `mac`, `service` (hotspot, ppp), `interface`, and at the
    end `cause`, `uptime-secs`, `bytes-in`, `bytes-out`; `host` for up and down. Other names in use are understood too.
    """
    address = request.client.host if request.client else ""
    router_id = await api.gate.router_of(token, address=address, store=api.store, clock=api.clock)
    body = await _small_body(request)
    content_type = request.headers.get("Content-Type", "")
    await ingest.take_saying(router_id, body, content_type, bus=api.bus, clock=api.clock)
    return Response("ok\n", media_type="text/plain")


async def _small_body(request: Request) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise Invalid(f"More than {MOST_BYTES} bytes is more than a router has to say at once.")
    return body


@router.get("/ingest-tokens")
async def list_ingest_tokens(api: PartsDep, _: InventoryKeeper, router_id: str) -> PageView[IngestTokenView]:
    """The secrets by which a router may tell us things, without the secrets themselves."""
    async with api.store.unit() as unit:
        await unit.routers.get(router_id)
        return PageView(items=[IngestTokenView.of(token) for token in await unit.ingest_tokens.of_router(router_id)])


@router.post("/ingest-tokens", status_code=201)
async def make_ingest_token(
    request: Request, api: PartsDep, caller: InventoryKeeper, router_id: str
) -> IngestTokenMade:
    """A new secret, shown this once, with the scripts that use it. Older ones stay valid until they are removed."""
    async with api.store.unit() as unit:
        token, secret = await ingest.make_token(router_id, by=caller.name, unit=unit, clock=api.clock)
    scripts = [RouterScriptView.of(script) for script in scripts_for(_base(request, api), secret)]
    return IngestTokenMade(**IngestTokenView.of(token).model_dump(), secret=secret, scripts=scripts)


@router.delete("/ingest-tokens/{token_id}", status_code=204)
async def remove_ingest_token(api: PartsDep, caller: InventoryKeeper, router_id: str, token_id: str) -> None:
    """The secret opens nothing any more, within ten seconds."""
    async with api.store.unit() as unit:
        await ingest.revoke_token(router_id, token_id, by=caller.name, unit=unit, clock=api.clock)


@router.get("/scripts")
async def list_router_scripts(request: Request, api: PartsDep, _: Reader, router_id: str) -> PageView[RouterScriptView]:
    """The scripts to paste into a router, with `TOKEN` where its secret belongs."""
    async with api.store.unit() as unit:
        await unit.routers.get(router_id)
    return PageView(items=[RouterScriptView.of(script) for script in scripts_for(_base(request, api))])


def _base(request: Request, api: Parts) -> str:
    return api.ingest_url or str(request.base_url)
