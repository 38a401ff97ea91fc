"""What several resources have in common: checked words, bodies, pages."""

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeVar
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from services.api.core.cursor import Page
from services.api.core.phone import normalise_phone

T = TypeVar("T")


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("Control characters cannot be part of a name.")
    return text


def _phone(text: str) -> str:
    if text == "":
        return text
    number = normalise_phone(text)
    if number is None:
        raise ValueError("This is no phone number; write it like 0857… or +62857….")
    return number


def _time_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"There is no time zone «{name}»; write it like Asia/Jakarta.")
    return name


Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120), AfterValidator(_printable)
]
AccountName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64), AfterValidator(_printable)
]
Address = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=253, pattern=r"^[^\s/]+$")]
PolicyName = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
"""Whether there is such a policy is a question for the handler: there are policies of one's own."""
Inherited = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^([a-z0-9][a-z0-9_-]{0,39})?$")]
"""A policy's name, or nothing where that of something wider holds."""
Phone = Annotated[str, AfterValidator(_phone)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
Port = Annotated[int, Field(ge=1, le=65535)]
Printable = Annotated[str, AfterValidator(_printable)]


class Body(BaseModel):
    """What a caller sends: unknown fields are refused, since they are mistakes more often than not."""

    model_config = ConfigDict(extra="forbid")

    def wanted(self, *without: str, nullable: tuple[str, ...] = ()) -> dict[str, Any]:
        """The fields that the caller wrote. `null` means "leave it", except where it is a value (`nullable`)."""
        return {
            name: getattr(self, name)
            for name in self.model_fields_set
            if name not in without and (name in nullable or getattr(self, name) is not None)
        }


class PageView(BaseModel, Generic[T]):
    """Some rows; ask again with `cursor=next_cursor` for the next ones."""

    items: list[T]
    next_cursor: str | None = None


def page_view(page: Page[Any], view: type[T], *args: Any) -> PageView[T]:
    """A page of rows as a page of views."""
    return PageView(items=[view.of(row, *args) for row in page.items], next_cursor=page.next_cursor)  # type: ignore[attr-defined]
