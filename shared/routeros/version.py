"""RouterOS versions, ordered as MikroTik releases them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import total_ordering

from shared.errors import Invalid

_VERSION = re.compile(
    r"(?P<major>\d+)\.(?P<minor>\d+)(?:\.(?P<patch>\d+))?(?P<stage>alpha|beta|rc)?(?P<build>\d+)?"
    r"[^\s(]*(?:\s*\((?P<channel>[^)]*)\))?",
    re.ASCII,
)
_STAGES = {"alpha": 0, "beta": 1, "rc": 2, "": 3}


@total_ordering
@dataclass(frozen=True)
class RouterVersion:
    """A version such as 6.49.18 or 7.16rc1. `channel` (stable, long-term, testing …) does not order."""

    major: int
    minor: int
    patch: int = 0
    stage: str = ""
    """`alpha`, `beta`, `rc`, or empty for a release, which comes after all of them."""
    build: int = 0
    channel: str = ""

    @classmethod
    def parse(cls, text: str) -> RouterVersion:
        """Read `/system/resource` version: `7.16rc1 (testing)`. Raises Invalid for anything else."""
        found = _VERSION.match(text.strip())
        if found is None:
            raise Invalid(f"not a RouterOS version: {text!r}")
        return cls(
            major=int(found["major"]),
            minor=int(found["minor"]),
            patch=int(found["patch"] or 0),
            stage=found["stage"] or "",
            build=int(found["build"] or 0) if found["stage"] else 0,
            channel=found["channel"] or "",
        )

    @property
    def order(self) -> tuple[int, int, int, int, int]:
        return (self.major, self.minor, self.patch, _STAGES[self.stage], self.build)

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, RouterVersion):
            return NotImplemented
        return self.order < other.order

    def reaches(self, major: int, minor: int) -> bool:
        """Whether this is at least `major.minor`; its betas and release candidates count as it."""
        return (self.major, self.minor) >= (major, minor)

    def __str__(self) -> str:
        patch = f".{self.patch}" if self.patch else ""
        stage = f"{self.stage}{self.build or ''}" if self.stage else ""
        return f"{self.major}.{self.minor}{patch}{stage}"
