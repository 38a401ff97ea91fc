"""What WhatsApp's ways have in common: messages cannot be edited, and a press needs no answer."""

from __future__ import annotations

from collections.abc import Sequence

from services.notifier.core.compose import Button
from services.notifier.core.markup import Document
from services.notifier.ports import MessageGone


class TextOnly:
    """The part of `Messenger` that WhatsApp lacks."""

    async def edit(
        self,
        to: str,  # noqa: ARG002 - the port's signature
        message_id: str,  # noqa: ARG002
        text: Document,  # noqa: ARG002
        *,
        buttons: Sequence[Button] = (),  # noqa: ARG002
    ) -> None:
        raise MessageGone("WhatsApp messages cannot be edited")

    async def answer_press(self, token: str, text: str) -> None:  # noqa: ARG002 - the port's signature
        return None
