"""What chat servers call: WhatsApp's webhooks, on the service's own HTTP port. 200 only when it is remembered."""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from services.notifier.adapters.whatsapp.webhooks import is_signed, read_cloud, read_gateway
from services.notifier.ports import Incoming
from shared.errors import Invalid, RondaError

log = structlog.get_logger("notifier")

BODY_LIMIT = 1_000_000

Accept = Callable[[Sequence[Incoming]], Awaitable[None]]
NotDelivered = Callable[[str, str], Awaitable[None]]
"""Takes the channel's id of a message and its words."""


class WhatsAppRoutes:
    """The routes of one WhatsApp number. A secret that is not set closes its route."""

    def __init__(
        self, accept: Accept, not_delivered: NotDelivered, *, verify_token: str | None, app_secret: str | None
    ) -> None:
        self._accept = accept
        self._not_delivered = not_delivered
        self._verify_token = verify_token
        self._app_secret = app_secret

    def routes(self) -> Sequence[BaseRoute]:
        """To be mounted beside the health routes."""
        return (
            Route("/webhooks/whatsapp", self._verify, methods=["GET"]),
            Route("/webhooks/whatsapp", self._cloud, methods=["POST"]),
            Route("/webhooks/whatsapp-gateway/{token}", self._gateway, methods=["POST"]),
        )

    async def _verify(self, request: Request) -> Response:
        """Meta's handshake: the challenge comes back if the token is ours."""
        given = request.query_params.get("hub.verify_token", "")
        if request.query_params.get("hub.mode") != "subscribe" or not _same(given, self._verify_token):
            return PlainTextResponse("forbidden", 403)
        return PlainTextResponse(request.query_params.get("hub.challenge", ""))

    async def _cloud(self, request: Request) -> Response:
        raw = await _limited_body(request)
        if raw is None:
            return PlainTextResponse("too large", 413)
        signature = request.headers.get("X-Hub-Signature-256", "")
        if self._app_secret is None or not is_signed(raw, signature, self._app_secret):
            log.warning("webhook with a wrong signature refused", channel="whatsapp")
            return PlainTextResponse("forbidden", 403)
        try:
            incoming, failed = read_cloud(raw)
            await self._accept(incoming)
            for one in failed:
                await self._not_delivered(one.message_id, one.words)
        except Invalid as wrong:
            return PlainTextResponse(str(wrong), 400)
        except RondaError as away:
            return PlainTextResponse(str(away), 503)
        return PlainTextResponse("ok")

    async def _gateway(self, request: Request) -> Response:
        if not _same(request.path_params["token"], self._verify_token):
            return JSONResponse({"status": False}, 403)
        raw = await _limited_body(request)
        if raw is None:
            return JSONResponse({"status": False}, 413)
        try:
            incoming = read_gateway(await _fields(request, raw))
            await self._accept([incoming] if incoming else [])
        except Invalid as wrong:
            return JSONResponse({"status": False, "message": str(wrong)}, 400)
        except RondaError as away:
            return JSONResponse({"status": False, "message": str(away)}, 503)
        return JSONResponse({"status": True})


def _same(given: str, wanted: str | None) -> bool:
    return wanted is not None and hmac.compare_digest(given.encode(), wanted.encode())


async def _limited_body(request: Request) -> bytes | None:
    """The body; None if it is larger than any webhook is."""
    declared = request.headers.get("content-length", "0")
    if not declared.isdigit() or int(declared) > BODY_LIMIT:
        return None
    raw = await request.body()
    return raw if len(raw) <= BODY_LIMIT else None


async def _fields(request: Request, raw: bytes) -> Mapping[str, Any]:
    if not request.headers.get("content-type", "").startswith("application/json"):
        return dict(await request.form())
    try:
        body = json.loads(raw)
    except ValueError as wrong:
        raise Invalid("the body is no JSON") from wrong
    if not isinstance(body, dict):
        raise Invalid("the body is no JSON object")
    return body
