"""Which message is being handled right now, so that what it causes can say so without being told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta

from shared.contracts.envelope import Envelope

_current: ContextVar[Envelope | None] = ContextVar("ronda_envelope", default=None)


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a stored message came: how long it was on its way to its stream, by two clocks, and how often it was tried
    in vain."""

    on_the_way: timedelta
    failures: int


_arrival: ContextVar[Arrival | None] = ContextVar("ronda_arrival", default=None)


def current_arrival() -> Arrival | None:
    """Of the message that this task handles; None where it comes from no stream."""
    return _arrival.get()


def current_envelope() -> Envelope | None:
    """The envelope of the message that this task handles; None outside of handlers."""
    return _current.get()


@contextmanager
def handling(envelope: Envelope, arrival: Arrival | None = None) -> Iterator[None]:
    """Everything published inside continues the story of `envelope`."""
    token, arrived = _current.set(envelope), _arrival.set(arrival)
    try:
        yield
    finally:
        _arrival.reset(arrived)
        _current.reset(token)
