"""Which RouterOS a virtual router is, and the switches for what is not established about real ones."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Personality:
    """A version, a board, and how to answer where public facts end.

    `board` `CHR` has no sensors; any other name is a RouterBOARD. `packages` are the optional ones installed.
    """

    version: str = "7.16.2"
    channel: str = ""
    board: str = "CHR"
    packages: frozenset[str] = frozenset({"ppp", "hotspot", "dhcp", "user-manager"})
    build: str = ""
    dead_word: str = ""
    """Value of `.dead`: `yes` in the manual and on old routers, `true` in traces of 7.23; empty chooses by
    line."""
    dead_rows_carry: tuple[str, ...] = ()
    """Further properties of a dead row, for listeners that expect a name there."""
    over_sessions: str = "close"
    """What the client over `max-sessions` sees: `close` (accepted, then closed), `fatal` or `trap` at
    login."""
    dynamic_row_text: str = "failure: can not change dynamic item"
    builtin_row_text: str = "failure: can not remove default item"
    pool_in_use_text: str = ""
    """Empty: removing a pool in use is allowed."""
    password_hidden_by_default: bool = False
    """Whether 7.21+ leaves secrets out of a print without `show-sensitive`."""
    duplicate_text: str = ""
    """Text for a taken name where the menu has none of its own; empty chooses by line."""

    @cached_property
    def number(self) -> tuple[int, ...]:
        """The version as numbers, without release-candidate tails."""
        return tuple(int(part) for part in re.findall(r"\d+", re.split(r"[a-z]", self.version)[0]))

    @property
    def release(self) -> str:
        """The version as `/system/resource` prints it, with its channel."""
        return f"{self.version} ({self.channel or ('long-term' if self.line == 6 else 'stable')})"

    @property
    def line(self) -> int:
        """6 or 7."""
        return self.number[0]

    @property
    def says_empty(self) -> bool:
        """From 7.18 a print without rows sends `!empty` before `!done`."""
        return self.number >= (7, 18)

    @property
    def iso_dates(self) -> bool:
        """From 7.10 dates are ISO; before, `jul/14/2023`."""
        return self.number >= (7, 10)

    @property
    def knows_plain_login(self) -> bool:
        return self.number >= (6, 43)

    @property
    def accepts_challenge(self) -> bool:
        """The old login works before 6.45.1; later routers still hand out a challenge."""
        return self.number < (6, 45, 1)

    @property
    def dead(self) -> str:
        return self.dead_word or ("yes" if self.line == 6 else "true")

    @property
    def duplicate(self) -> str:
        default = "failure: item with this name already exists"
        return self.duplicate_text or (default if self.line == 6 else "item with such name already exists")

    @property
    def no_such_item(self) -> str:
        return "no such item (4)" if self.line == 6 else "no such item"

    @property
    def is_chr(self) -> bool:
        return self.board in {"CHR", "x86"}

    @property
    def build_time(self) -> str:
        """In the form of the version: capital month until 7.11, ISO later. The moments are of real
        releases."""
        if self.build:
            return self.build
        if self.line == 6:
            return "Feb/27/2025 15:58:10"
        return "2026-01-08 09:40:00" if self.number >= (7, 12) else "Aug/31/2023 13:55:47"
