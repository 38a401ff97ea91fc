"""What a person sees while it runs: one line per event, prefixed and coloured by who says it."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from typing import TextIO

_COLOURS = (36, 35, 33, 34, 32, 96, 95, 93, 94, 92)
_WIDTH = 11


@dataclass(slots=True)
class Output:
    """Writes prefixed lines. Colour only where a person reads (`NO_COLOR` and pipes are respected)."""

    stream: TextIO = field(default_factory=lambda: sys.stdout)
    colour: bool = field(default_factory=lambda: sys.stdout.isatty() and "NO_COLOR" not in os.environ)
    _colours: dict[str, int] = field(default_factory=dict)

    def line(self, name: str, text: str) -> None:
        """One line of `name`."""
        if self.colour:
            code = self._colours.setdefault(name, _COLOURS[len(self._colours) % len(_COLOURS)])
            prefix = f"\033[{code}m{name:<{_WIDTH}}\033[0m"
        else:
            prefix = f"{name:<{_WIDTH}}"
        self.stream.write(f"{prefix} {text}\n")
        self.stream.flush()

    def banner(self, lines: list[str]) -> None:
        """A block that stands out: the address to open, the password of the first run."""
        width = max(len(line) for line in lines)
        self.stream.write(
            "\n".join(["", "─" * (width + 4), *(f"  {line}" for line in lines), "─" * (width + 4), "", ""])
        )
        self.stream.flush()
