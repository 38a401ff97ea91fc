"""Which message is being handled right now, so that what it causes can say so without being told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from shared.contracts.envelope import Envelope

_current: ContextVar[Envelope | None] = ContextVar("ronda_envelope", default=None)


def current_envelope() -> Envelope | None:
    """The envelope of the message that this task handles; None outside of handlers."""
    return _current.get()


@contextmanager
def handling(envelope: Envelope) -> Iterator[None]:
    """Everything published inside continues the story of `envelope`."""
    token = _current.set(envelope)
    try:
        yield
    finally:
        _current.reset(token)
