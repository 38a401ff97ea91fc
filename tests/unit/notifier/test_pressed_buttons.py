"""What a pressed button asks for, ours or a WhatsApp template's own."""

import pytest

from services.notifier.core.commands import Command, CommandName
from services.notifier.handlers.conversation import understood
from services.notifier.ports import Incoming
from shared.contracts.vocabulary import Channel


def pressed(payload: str) -> Incoming:
    return Incoming(
        channel=Channel.WHATSAPP,
        key="k",
        address="6281330009011",
        sender_name="Hendra",
        text="",
        button=payload,
        reply_to="wamid.alert",
    )


@pytest.mark.parametrize(
    ("payload", "asked"),
    [
        ("a:4821", Command(CommandName.ACK, ("4821",))),
        ("Terima", Command(CommandName.ACK)),  # the incident is that of the message which the press answers
        ("Acknowledge", Command(CommandName.ACK)),
    ],
)
def test_button_acknowledges(payload: str, asked: Command):
    assert understood(pressed(payload)) == asked
