"""Photos and files that come with a call: what the real server accepts and what it answers."""

from __future__ import annotations

import hashlib
import struct
from typing import Any

from lab.chats.telegram.arguments import Arguments
from lab.chats.telegram.errors import ApiError, bad_request
from lab.chats.telegram.world import World

MAX_PHOTO_BYTES = 10 * 1024 * 1024


def picture_size(content: bytes) -> tuple[int, int]:
    """Width and height of a PNG, JPEG or GIF; raises 400 for anything else."""
    if content[:8] == b"\x89PNG\r\n\x1a\n" and len(content) >= 24:
        width, height = struct.unpack(">II", content[16:24])
        return int(width), int(height)
    if content[:6] in {b"GIF87a", b"GIF89a"}:
        width, height = struct.unpack("<HH", content[6:10])
        return int(width), int(height)
    if content[:2] == b"\xff\xd8":
        return _jpeg_size(content)
    raise bad_request("IMAGE_PROCESS_FAILED")


def _jpeg_size(content: bytes) -> tuple[int, int]:
    at = 2
    while at + 9 < len(content):
        marker, length = content[at + 1], struct.unpack(">H", content[at + 2 : at + 4])[0]
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return int(width), int(height)
        at += 2 + length
    raise bad_request("IMAGE_PROCESS_FAILED")


def store(world: World, kind: str, content: bytes, content_type: str) -> str:
    """Keep a file; its file_id."""
    file_id = f"{kind}-{hashlib.sha256(content).hexdigest()[:32]}"
    world.files[file_id] = (content_type, content)
    return file_id


def photo_from(world: World, arguments: Arguments, name: str = "photo") -> list[dict[str, Any]]:
    """The PhotoSize list of the call's photo: an upload, `attach://`, or a file_id the server knows."""
    upload = arguments.upload(name)
    if upload is not None:
        if not upload.content:
            raise bad_request("file must be non-empty")
        if len(upload.content) > MAX_PHOTO_BYTES:
            raise ApiError(413, "Request Entity Too Large")
        _check_sides(*picture_size(upload.content))
        file_id = store(world, "photo", upload.content, _image_type(upload.content))
    else:
        file_id = _known_file(world, arguments.text(name), name)
    content = world.files[file_id][1]
    width, height = picture_size(content)
    size = {"file_id": file_id, "file_unique_id": file_id[-16:], "width": width, "height": height}
    return [{**size, "file_size": len(content)}]


def document_from(world: World, arguments: Arguments) -> dict[str, Any]:
    """The Document object of the call's file."""
    upload = arguments.upload("document")
    if upload is None:
        file_id = _known_file(world, arguments.text("document"), "document")
        return {"file_id": file_id, "file_unique_id": file_id[-16:], "file_name": "file"}
    if not upload.content:
        raise bad_request("file must be non-empty")
    kind = upload.content_type or "application/octet-stream"
    file_id = store(world, "document", upload.content, kind)
    return {
        "file_id": file_id,
        "file_unique_id": file_id[-16:],
        "file_name": upload.name,
        "mime_type": kind,
        "file_size": len(upload.content),
    }


def _image_type(content: bytes) -> str:
    if content[:4] == b"\x89PNG":
        return "image/png"
    return "image/gif" if content[:3] == b"GIF" else "image/jpeg"


def _check_sides(width: int, height: int) -> None:
    longer, shorter = max(width, height), max(1, min(width, height))
    if width + height > 10_000 or longer / shorter > 20:
        raise bad_request("PHOTO_INVALID_DIMENSIONS")


def _known_file(world: World, value: str, name: str) -> str:
    if not value or value.startswith("attach://"):
        raise bad_request(f"there is no {name} in the request")
    if value.startswith(("http://", "https://")):
        raise bad_request("failed to get HTTP URL content")
    if value not in world.files:
        raise bad_request("wrong remote file identifier specified: Wrong string length")
    return value
