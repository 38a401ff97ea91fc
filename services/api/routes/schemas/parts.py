"""What several resources have in common: checked words, bodies, pages."""

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeVar
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from services.api.core.cursor import Page
from services.api.core.field_types import Address, Inherited, Name, PolicyName, Port, printable
from services.api.core.phone import normalise_phone

T = TypeVar("T")
__all__ = ["Address", "Inherited", "Name", "PolicyName", "Port"]  # as the schemas know them


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


AccountName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64), AfterValidator(printable)
]
Phone = Annotated[str, AfterValidator(_phone)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
Printable = Annotated[str, AfterValidator(printable)]


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
