"""A channel in memory: what each address shows, and how it fails when told to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from services.notifier.core.compose import Button
from services.notifier.core.markup import Document, to_plain
from services.notifier.core.recipients import Abilities
from services.notifier.ports import MessageGone, Urgency


@dataclass
class Shown:
    """A message as it looks now. `versions`: every text it had."""

    id: str
    to: str
    versions: list[str]
    reply_to: str | None = None
    buttons: tuple[Button, ...] = ()

    @property
    def text(self) -> str:
        return self.versions[-1]


@dataclass
class MemoryMessenger:
    """`failures` are raised by the next calls, one each; `lost_answers` of them after the message was shown."""

    abilities: Abilities
    shown: list[Shown] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    lost_answers: list[Exception] = field(default_factory=list)
    toasts: list[str] = field(default_factory=list)

    async def send(
        self,
        to: str,
        text: Document,
        *,
        reply_to: str | None = None,
        buttons: Sequence[Button] = (),
        urgency: Urgency = Urgency.DELIVERY,
    ) -> str:
        if self.failures:
            raise self.failures.pop(0)
        made = Shown(str(len(self.shown) + 1), to, [to_plain(text)], reply_to, tuple(buttons))
        self.shown.append(made)
        if self.lost_answers:
            raise self.lost_answers.pop(0)
        return made.id

    async def edit(self, to: str, message_id: str, text: Document, *, buttons: Sequence[Button] = ()) -> None:
        if self.failures:
            raise self.failures.pop(0)
        for one in self.shown:
            if (one.id, one.to) == (message_id, to) and self.abilities.edit:
                one.versions.append(to_plain(text))
                one.buttons = tuple(buttons)
                return
        raise MessageGone("there is no such message")

    async def answer_press(self, token: str, text: str) -> None:
        self.toasts.append(text)

    def at(self, address: str) -> list[Shown]:
        return [one for one in self.shown if one.to == address]
