"""The HTTP side of the Cloud API stand-in: `/v{N}/{phone number id}/messages`, media, the phone, subscriptions."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import BodyPartReader, web

from lab.chats.faults import Fault, Faults, hold_or_cut
from lab.chats.serving import Listener
from lab.chats.whatsapp.business import Business
from lab.chats.whatsapp.errors import CloudError, TokenError, invalid, missing
from lab.chats.whatsapp.payloads import read_content

_VERSION = re.compile(r"^v\d{1,2}\.\d$")
MEDIA_TYPES = {"image/jpeg": 5, "image/png": 5, "application/pdf": 100, "text/plain": 100}
"""Accepted media with their limits in MB."""
MAX_OPAQUE = 512

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class CloudServer:
    """A Graph API of one's own for one business number."""

    def __init__(self, business: Business) -> None:
        self.business = business
        self.faults = Faults()
        self.calls: list[dict[str, Any]] = []
        """The last message payloads, for tests."""
        self._listener = Listener(self._application())

    @property
    def url(self) -> str:
        """What stands instead of https://graph.facebook.com."""
        return self._listener.url

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listen; the address."""
        return await self._listener.start(host, port)

    async def stop(self) -> None:
        """Stop receipts and close the port."""
        await self.business.close()
        await self._listener.stop()

    def set_away(self, away: bool) -> None:
        """Cut the sender off from WhatsApp, or let it back; webhooks are tried again later."""
        self.faults.clear("away")
        if away:
            self.faults.order(Fault("away", times=0))
        self.business.webhooks.away = away

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=110 * 1024 * 1024, middlewares=[self._checked])
        add = application.router.add_route
        add("POST", "/{version}/{id}/messages", self._messages)
        add("POST", "/{version}/{id}/media", self._upload)
        add("POST", "/{version}/{id}/subscribed_apps", self._subscribe)
        add("GET", "/{version}/{id}/message_templates", self._templates)
        add("GET", "/{version}/{id}", self._object)
        add("DELETE", "/{version}/{id}", self._delete)
        add("GET", "/media-content/{id}", self._content)
        return application

    @web.middleware
    async def _checked(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            fault = self.faults.take(request.path.rsplit("/", 1)[-1], "")
            if fault is not None:
                return await _faulty(fault, request)
            self._admit(request)
            return await handler(request)
        except CloudError as error:
            return web.json_response(error.body(), status=error.status)

    def _admit(self, request: web.Request) -> None:
        version = request.match_info.get("version")
        if version is not None and not _VERSION.match(version):
            raise CloudError(2500, f"Unknown path components: /{version}")
        given = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        if not given:
            raise TokenError(
                190,
                "An access token is required to request this resource.",
                status=401,
            )
        if not secrets.compare_digest(given.encode(), self.business.token.encode()):
            raise TokenError(190, "Invalid OAuth access token - Cannot parse access token", status=401)

    def _check_phone(self, request: web.Request) -> None:
        given = request.match_info["id"]
        if given != self.business.phone_id:
            details = (
                f"Unsupported post request. Object with ID '{given}' does not exist, cannot be loaded due to "
                "missing permissions, or does not support this operation."
            )
            raise CloudError(100, details, subcode=33)

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        self._check_phone(request)
        body = await _json_object(request)
        if body.get("messaging_product") != "whatsapp":
            raise CloudError(100, "The parameter messaging_product is required.")
        self.calls.append(body)
        del self.calls[:-500]
        if body.get("status") == "read":
            if not self.business.mark_read(str(body.get("message_id", ""))):
                raise invalid("Message id is not valid")
            return web.json_response({"success": True})
        return web.json_response(self._send(body))

    def _send(self, body: dict[str, Any]) -> dict[str, Any]:
        recipient = body.get("to")
        if not recipient:
            raise missing("to")
        if body.get("recipient_type", "individual") != "individual":
            raise invalid("recipient_type must be individual.")
        opaque = str(body.get("biz_opaque_callback_data") or "")
        if len(opaque) > MAX_OPAQUE:
            raise CloudError(100, f"biz_opaque_callback_data must be at most {MAX_OPAQUE} characters long.")
        content = read_content(body, self.business.templates, self.business.media)
        context = body.get("context") or {}
        wamid, wa_id = self.business.send(str(recipient), content, str(context.get("message_id") or ""), opaque)
        return {
            "messaging_product": "whatsapp",
            "contacts": [{"input": str(recipient), "wa_id": wa_id}],
            "messages": [{"id": wamid, "message_status": "accepted"}],
        }

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        self._check_phone(request)
        if request.content_type != "multipart/form-data":
            raise CloudError(100, "The parameter file is required.")
        fields: dict[str, str] = {}
        file: tuple[str, bytes] | None = None
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader) or part.name is None:
                continue
            content = bytes(await part.read(decode=True))
            if part.name == "file":
                file = (part.headers.get("Content-Type", ""), content)
            else:
                fields[part.name] = content.decode("utf-8", "replace")
        if fields.get("messaging_product") != "whatsapp":
            raise CloudError(100, "The parameter messaging_product is required.")
        if file is None:
            raise CloudError(100, "The parameter file is required.")
        return web.json_response({"id": self._keep(fields.get("type") or file[0], file[1])})

    def _keep(self, kind: str, content: bytes) -> str:
        limit = MEDIA_TYPES.get(kind)
        if limit is None:
            raise CloudError(100, f"Param file must be a file with one of the accepted types - got {kind!r}")
        if not content or len(content) > limit * 1024 * 1024:
            raise CloudError(131053, f"File size is not between 1 byte and {limit} MB.")
        media_id = str(secrets.randbelow(9 * 10**14) + 10**14)
        self.business.media[media_id] = (kind, content)
        return media_id

    async def _subscribe(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["id"] != self.business.waba_id:
            raise CloudError(100, "No such WhatsApp Business Account.", subcode=33)
        body = await _json_object(request)
        url = str(body.get("override_callback_uri") or "")
        if url:
            await self.business.webhooks.subscribe(url, str(body.get("verify_token") or ""))
        return web.json_response({"success": True})

    async def _templates(self, _: web.Request) -> web.StreamResponse:
        rows = [
            {"name": t.name, "language": t.language, "status": t.status, "category": t.category}
            for t in self.business.templates.values()
        ]
        return web.json_response({"data": rows})

    async def _object(self, request: web.Request) -> web.StreamResponse:
        wanted = request.match_info["id"]
        if wanted == self.business.phone_id:
            phone = {"verified_name": self.business.name, "display_phone_number": self.business.number}
            return web.json_response(phone | {"id": wanted, "quality_rating": "GREEN"})
        kind, content = self._media(wanted)
        return web.json_response(
            {
                "messaging_product": "whatsapp",
                "url": f"{self.url}/media-content/{wanted}",
                "mime_type": kind,
                "sha256": hashlib.sha256(content).hexdigest(),
                "file_size": len(content),
                "id": wanted,
            }
        )

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        self._media(request.match_info["id"])
        self.business.media.pop(request.match_info["id"])
        return web.json_response({"success": True})

    async def _content(self, request: web.Request) -> web.StreamResponse:
        kind, content = self._media(request.match_info["id"])
        return web.Response(body=content, content_type=kind)

    def _media(self, media_id: str) -> tuple[str, bytes]:
        found = self.business.media.get(media_id)
        if found is None:
            raise CloudError(100, f"Object with ID '{media_id}' does not exist.", subcode=33)
        return found


async def _json_object(request: web.Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.read() or b"{}")
    except ValueError as error:
        raise CloudError(100, "Request body is not valid JSON.") from error
    if not isinstance(body, dict):
        raise CloudError(100, "Request body must be a JSON object.")
    return body


async def _faulty(fault: Fault, request: web.Request) -> web.StreamResponse:
    if fault.kind == "unauthorized":
        raise TokenError(190, "Error validating access token: Session has expired.", status=401)
    if fault.kind == "code":
        raise CloudError(fault.code, "Ordered by the lab.")
    if fault.kind == "retry_after":
        raise CloudError(130429, "Message failed to send because there were too many messages.")
    if fault.kind == "server_error":
        raise CloudError(131000, "Message failed to send due to an unknown error.")
    answer = await hold_or_cut(fault, request)
    if answer is None:
        raise CloudError(131000, "Message failed to send due to an unknown error.")
    return answer
