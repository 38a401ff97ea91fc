"""A person's own settings: language and time zone."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import available_timezones

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from services.api.console.deps import AnyVisitor, PagesDep
from services.api.deps import PartsDep
from services.api.handlers import people
from shared.contracts.vocabulary import Language

router = APIRouter(prefix="/console/settings", include_in_schema=False)


@router.get("")
async def show_settings(request: Request, pages: PagesDep, caller: AnyVisitor, saved: bool = False) -> Response:
    """The form."""
    return pages.page("settings.html", request, caller, saved=saved, trouble=None)


@router.post("")
async def save_settings(
    request: Request,
    api: PartsDep,
    pages: PagesDep,
    caller: AnyVisitor,
    language: Annotated[Language, Form()],
    time_zone: Annotated[str, Form(max_length=64)],
) -> Response:
    """Keep them with the person, so that they hold in every browser."""
    if time_zone not in available_timezones():
        words = pages.words(pages.reader(request, caller))
        trouble = words.gettext("There is no time zone “{name}”; write it like Asia/Jakarta.", name=time_zone)
        return pages.page("settings.html", request, caller, status=422, saved=False, trouble=trouble)
    wanted = {"language": language, "time_zone": time_zone}
    async with api.store.unit() as unit:
        await people.change_person(caller.person_id, wanted, by=caller.name, unit=unit, clock=api.clock)
    return RedirectResponse("/console/settings?saved=true", status_code=303)
