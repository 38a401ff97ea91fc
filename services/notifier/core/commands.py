"""What people write to the bot: words to a command, whatever the channel; a near miss gets a suggestion.

In a group the bot answers only what is addressed to it: commands with a slash, and `ack`.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from enum import StrEnum

from shared.contracts.vocabulary import Role


class CommandName(StrEnum):
    """What can be asked of the bot."""

    START = "start"
    MENU = "menu"
    HELP = "help"
    PING = "ping"
    MONITOR = "monitor"
    ACK = "ack"


EVERYBODY = frozenset(Role)
OPERATORS = frozenset({Role.OWNER, Role.NOC})

ALLOWED: dict[CommandName, frozenset[Role]] = {
    CommandName.START: EVERYBODY,
    CommandName.MENU: EVERYBODY,
    CommandName.HELP: EVERYBODY,
    CommandName.PING: EVERYBODY,
    CommandName.MONITOR: EVERYBODY,
    CommandName.ACK: OPERATORS,
}

_ALIASES = {
    "bantuan": CommandName.HELP,
    "pantau": CommandName.MONITOR,
    "terima": CommandName.ACK,
    "tangani": CommandName.ACK,
    "acknowledge": CommandName.ACK,
}
WORDS: dict[str, CommandName] = {**{name.value: name for name in CommandName}, **_ALIASES}

_WORD = re.compile(r"^(?P<slash>/?)(?P<word>[^\s@/]{1,32})(?:@(?P<bot>\w+))?(?:\s+(?P<rest>.*))?$", re.DOTALL)
_CLOSE_ENOUGH = 0.6


@dataclass(frozen=True, slots=True)
class Command:
    """Something asked, with its arguments."""

    name: CommandName
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """Words addressed to the bot that are no command; `suggestion` is the nearest one."""

    word: str
    suggestion: CommandName | None


def parse(text: str, *, in_group: bool, bot_name: str | None) -> Command | NotUnderstood | None:
    """What `text` asks for. None: it is not meant for us (chatter of a group, another bot's command)."""
    match = _WORD.match(text.strip())
    if match is None:
        return None if in_group or not text.strip() else NotUnderstood(text.split()[0][:32], None)
    if match["bot"] and bot_name and match["bot"].lower() != bot_name.lower():
        return None
    word, slash = match["word"].lower(), bool(match["slash"])
    arguments = tuple((match["rest"] or "").split())
    name = WORDS.get(word)
    if in_group and not slash and not _is_ack(name, arguments):
        return None
    return Command(name, arguments) if name else NotUnderstood(word, _nearest(word))


def parse_button(payload: str) -> Command | None:
    """What a pressed button asks for: `a:4821` acknowledges number 4821."""
    verb, _, argument = payload.partition(":")
    return Command(CommandName.ACK, (argument,)) if verb == "a" and argument else None


def ack_payload(number: int) -> str:
    """The payload of the button that acknowledges (at most 64 bytes on Telegram)."""
    return f"a:{number}"


def incident_number(arguments: tuple[str, ...]) -> int | None:
    """The number in `ack 4821` or `ack #4821`; None if there is none."""
    written = arguments[0].lstrip("#") if arguments else ""
    return int(written) if written.isascii() and written.isdigit() and len(written) < 10 else None


def _is_ack(name: CommandName | None, arguments: tuple[str, ...]) -> bool:
    return name is CommandName.ACK and incident_number(arguments) is not None


def _nearest(word: str) -> CommandName | None:
    found = difflib.get_close_matches(word, WORDS, n=1, cutoff=_CLOSE_ENOUGH)
    return WORDS[found[0]] if found else None
