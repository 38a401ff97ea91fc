"""In whose name a fact is told: a part of the watch and the epoch in which it was ours when the fact was seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from services.poller.core.shards import Part


@dataclass(frozen=True, slots=True)
class Claim:
    """A part, and since which change of hands it is ours."""

    part: Part
    epoch: int


class Gate(Protocol):
    """What the teller asks before it says anything."""

    async def open(self) -> None:
        """Wait until we may tell at all."""
        ...

    @property
    def valid(self) -> bool:
        """Whether we may tell now."""
        ...

    def stands(self, claim: Claim) -> bool:
        """Whether the part is still ours."""
        ...


class OpenGate:
    """For a poller that is alone in the world."""

    valid = True

    async def open(self) -> None:
        """At once."""

    def stands(self, claim: Claim) -> bool:  # noqa: ARG002 one signature for all gates
        """Always."""
        return True


class LaterGate:
    """Closed until it is known where it leads."""

    def __init__(self) -> None:
        self._gate: Gate | None = None

    def lead_to(self, gate: Gate) -> None:
        """From now on ask this one."""
        self._gate = gate

    @property
    def valid(self) -> bool:
        """Whether we may tell now."""
        return self._gate is not None and self._gate.valid

    async def open(self) -> None:
        """Wait until we may tell at all. Nothing is told while the poller is being put together."""
        if self._gate is None:
            raise RuntimeError("the gate leads nowhere yet")
        await self._gate.open()

    def stands(self, claim: Claim) -> bool:
        """Whether the part is still ours."""
        return self._gate is not None and self._gate.stands(claim)
