"""Arguments of a Bot API call, whatever way they came: address, urlencoded form, JSON or multipart."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from aiohttp import BodyPartReader, web

from lab.chats.telegram.errors import ApiError, bad_request

MAX_TEXT_BYTES = 32_768
MAX_UPLOAD_BYTES = 50 * 1024 * 1024


@dataclass(frozen=True)
class Upload:
    """A file that came with the call."""

    name: str
    content_type: str
    content: bytes


class Arguments:
    """Named values of one call; every value is text as on the wire, files apart."""

    def __init__(self, values: dict[str, str], files: dict[str, Upload] | None = None) -> None:
        self.values = values
        self.files = files or {}

    @classmethod
    def from_object(cls, body: dict[str, Any]) -> Arguments:
        """From a JSON object; null counts as left out."""
        return cls({name: _as_text(value) for name, value in body.items() if value is not None})

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def text(self, name: str, default: str = "") -> str:
        """The value, or the default."""
        return self.values.get(name, default)

    def integer(self, name: str, default: int = 0) -> int:
        """A whole number; what is none counts as the default, as the real server reads it."""
        try:
            return int(self.values.get(name, "").strip())
        except ValueError:
            return default

    def flag(self, name: str) -> bool:
        """True for true, yes and 1."""
        return self.values.get(name, "").strip().lower() in {"true", "yes", "1"}

    def json(self, name: str) -> Any:
        """A value that is JSON in text, or None; raises 400 when it does not parse."""
        raw = self.values.get(name, "")
        if not raw.strip():
            return None
        try:
            return json.loads(raw)
        except ValueError as error:
            raise bad_request(f"can't parse {name.replace('_', ' ')} JSON object") from error

    def upload(self, name: str) -> Upload | None:
        """The file of this argument: the part itself or the one that `attach://` names."""
        value = self.values.get(name, "")
        if value.startswith("attach://"):
            return self.files.get(value.removeprefix("attach://"))
        return self.files.get(name)


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value)


async def read_arguments(request: web.Request) -> Arguments:
    """Read all values of a call; a later source (body) wins over the address."""
    values = dict(request.query)
    kind = request.content_type
    if kind == "application/json" and request.can_read_body:
        return Arguments(values | _from_json(await request.read()).values)
    if kind == "application/x-www-form-urlencoded":
        form = await request.post()
        values |= {name: str(value) for name, value in form.items()}
        return Arguments(values)
    if kind == "multipart/form-data":
        files = await _from_multipart(request, values)
        return Arguments(values, files)
    return Arguments(values)


def _from_json(raw: bytes) -> Arguments:
    if not raw.strip():
        return Arguments({})
    try:
        body = json.loads(raw)
    except ValueError as error:
        raise bad_request("can't parse JSON object") from error
    if not isinstance(body, dict):
        raise bad_request("request must be a JSON object")
    return Arguments.from_object(body)


async def _from_multipart(request: web.Request, values: dict[str, str]) -> dict[str, Upload]:
    files: dict[str, Upload] = {}
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader) or part.name is None:
            continue
        content = bytes(await part.read(decode=True))
        if part.filename is None:
            values[part.name] = content.decode("utf-8", "replace")
            continue
        if len(content) > MAX_UPLOAD_BYTES:
            raise ApiError(413, "Request Entity Too Large")
        files[part.name] = Upload(part.filename, part.headers.get("Content-Type", ""), content)
    return files
