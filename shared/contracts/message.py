"""What every message of the bus has in common.

A message class says of itself which kind it is and what it is called on the bus; the class, its description and its
example are what `docs/asyncapi.yaml` and the JSON Schemas are generated from.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict

from shared.contracts.subjects import Kind, every, subject


class Contract(BaseModel):
    """A frozen part of a message. Unknown fields are ignored: a newer sender may add some."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Message(Contract):
    """One message type. Subclasses set `KIND` and `NAME` and override `scope` (and `message_id` where they can)."""

    KIND: ClassVar[Kind]
    NAME: ClassVar[str]  # `<domain>.<what>`, e.g. `host.down`
    SCOPE: ClassVar[tuple[str, ...]] = ()  # names of the tokens after NAME, for documents
    EXAMPLE: ClassVar[dict[str, Any]]

    def scope(self) -> tuple[str, ...]:
        """The tokens after the name, unescaped, ids last: by default the fields that `SCOPE` names."""
        return tuple(str(getattr(self, field)) for field in self.SCOPE)

    def message_id(self) -> str | None:
        """An id that the same fact always gets, so that saying it twice is harmless; None: a fresh one."""
        return None

    @property
    def subject(self) -> str:
        """Where this message is published."""
        return subject(self.KIND, self.NAME, *self.scope())

    @classmethod
    def type_name(cls) -> str:
        """The CloudEvents type, `ronda.v1.evt.host.down`: the subject without its scope."""
        return subject(cls.KIND, cls.NAME)

    @classmethod
    def filter(cls) -> str:
        """The subject filter that matches every message of this type."""
        return every(cls.KIND, cls.NAME) if cls.SCOPE else cls.type_name()

    @classmethod
    def example(cls) -> Self:
        """A valid message as documents and tests show it."""
        return cls.model_validate(cls.EXAMPLE)


def message_types(root: type[Message] = Message) -> Iterator[type[Message]]:
    """Every concrete message type that has been imported, in the order of definition."""
    for child in root.__subclasses__():
        if "NAME" in child.__dict__:
            yield child
        yield from message_types(child)
