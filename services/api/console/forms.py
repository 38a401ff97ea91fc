"""What somebody typed into a form, and what is wrong with it: each fault stands at its field, in the reader's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from services.api.console.fault_words import fault_text, trouble_text, typed_wrong
from services.api.core.faults import Fault, Faulty
from shared.errors import RondaError
from shared.i18n import Translator

M = TypeVar("M", bound=BaseModel)


class NotAsTyped(Exception):
    """What was typed cannot be meant; by field."""

    def __init__(self, found: Mapping[str, Mapping[str, Any]]) -> None:
        super().__init__(", ".join(found))
        self.found = found


@dataclass(frozen=True, slots=True)
class Filled:
    """A form as it is shown: values and faults by field, and what belongs to no field."""

    values: Mapping[str, Sequence[str]]
    faults: Mapping[str, str] = field(default_factory=dict)
    trouble: str = ""

    @classmethod
    async def sent(cls, request: Request) -> Filled:
        """As it came from the browser."""
        values: dict[str, list[str]] = {}
        for name, value in (await request.form()).multi_items():
            values.setdefault(name, []).append(str(value))
        return cls(values)

    def one(self, name: str) -> str:
        """A field's value without blanks around it; nothing if it was left empty."""
        found = self.values.get(name, ())
        return found[0].strip() if found else ""

    def many(self, name: str) -> tuple[str, ...]:
        """All values of a field that may have several."""
        return tuple(self.values.get(name, ()))

    def lines(self, name: str) -> list[str]:
        """The words of a field that takes several, between blanks, commas or new lines."""
        return self.one(name).replace(",", " ").split()

    def number(self, name: str) -> str | None:
        """A number as typed, with a comma or a point; None if there is none."""
        return self.one(name).replace(",", ".") or None

    def fault(self, name: str) -> str:
        """What is wrong with a field; nothing if all is well."""
        return self.faults.get(name, "")

    def refused(self, why: RondaError | NotAsTyped, words: Translator, known: frozenset[str]) -> Filled:
        """The same with what was wrong. What is about a field that is not `known` here stands above the form."""
        if isinstance(why, NotAsTyped):
            found = {name: typed_wrong(error, words) for name, error in why.found.items()}
        elif isinstance(why, Faulty):
            found = _by_field(why.faults, words)
        else:
            return replace(self, trouble=trouble_text(why, words))
        shown = {name: text for name, text in found.items() if name in known}
        rest = " ".join(text for name, text in found.items() if name not in known)
        return replace(self, faults=shown, trouble=rest)


def as_typed(model: type[M], raw: Mapping[str, Any]) -> M:
    """What was typed as values. Raises NotAsTyped."""
    try:
        return model.model_validate(dict(raw))
    except ValidationError as wrong:
        found: dict[str, Mapping[str, Any]] = {}
        for error in wrong.errors():
            found.setdefault(".".join(part for part in error["loc"] if isinstance(part, str)), {**error})
        raise NotAsTyped(found) from wrong


def changed_fields(before: BaseModel, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """What of the wanted is different: the audit tells changes, not forms."""
    return {name: value for name, value in wanted.items() if value != getattr(before, name)}


def _by_field(faults: Sequence[Fault], words: Translator) -> dict[str, str]:
    found: dict[str, str] = {}
    for fault in faults:
        found.setdefault(fault.field.removeprefix("limits."), fault_text(fault, words))
    return found
