"""The console's own style, script and icon. Their addresses hold a fingerprint, so browsers may keep them for ever."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from services.api.console.deps import PagesDep
from shared.errors import NotFound

router = APIRouter(include_in_schema=False)


@router.get("/")
async def to_console() -> Response:
    """The bare address leads to the board."""
    return RedirectResponse("/console")


@router.get("/console/static/{name}")
async def static_file(pages: PagesDep, name: str, v: str = "") -> Response:
    """One file."""
    asset = pages.assets.get(name)
    if asset is None:
        raise NotFound("There is no such file.")
    keep = "public, max-age=31536000, immutable" if v == asset.version else "no-cache"
    return Response(asset.body, media_type=asset.media_type, headers={"Cache-Control": keep})
