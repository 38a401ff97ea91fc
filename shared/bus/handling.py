"""One delivery through its handlers: what comes out decides its fate. The rules stand in `ports.Handler`."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from shared.bus.context import Arrival, handling
from shared.bus.delivery import Outcome, StoredMessage
from shared.bus.parsing import parse_body
from shared.bus.ports import Handler
from shared.contracts.envelope import Envelope
from shared.contracts.message import Message
from shared.errors import Invalid, RondaError, Temporary
from shared.telemetry.tracing import span

FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 60.0

log = structlog.get_logger("bus")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What shall become of a delivery, and why."""

    outcome: Outcome
    delay_s: float = 0.0  # of AGAIN
    error: BaseException | None = None


def retry_delay(failures: int) -> float:
    """Seconds until the next try after so many failures: doubling, bounded, up to a tenth of it by chance so that
    what failed together does not come back together."""
    delay: float = min(FIRST_DELAY_S * 2 ** min(failures - 1, 30), LONGEST_DELAY_S)
    return delay * (1 - random.random() / 10)  # noqa: S311 nothing to guess here


class Judge:
    """Runs the handlers of a consumer and decides. It neither acknowledges nor waits."""

    def __init__(self, handlers: Mapping[type[Message], Sequence[Handler]], *, max_tries: int) -> None:
        self._handlers = {
            message_type.type_name(): (message_type, tuple(run)) for message_type, run in handlers.items()
        }
        self._max_tries = max_tries

    async def verdict(self, stored: StoredMessage, envelope: Envelope | None, *, failures: int, bugs: int) -> Verdict:
        """Handle a message that failed `failures` times so far, `bugs` of them by a fault of ours.

        Raises CancelledError only if the caller is cancelled.
        """
        if envelope is None:
            return Verdict(Outcome.DEAD, error=_envelope_fault(stored))
        known = self._handlers.get(envelope.type)
        if known is None:
            return Verdict(Outcome.SKIPPED)
        message_type, handlers = known
        try:
            message = parse_body(message_type, stored.body)
            with (
                span(f"handle {envelope.type}", parent=envelope.traceparent) as own,
                handling(
                    envelope if own is None else replace(envelope, traceparent=str(own)),
                    Arrival(stored.stored_at - envelope.time, failures),
                ),
                structlog.contextvars.bound_contextvars(
                    message_type=envelope.type, correlation_id=envelope.correlation_id
                ),
            ):
                for handler in handlers:
                    await handler(message)
        except Temporary as error:
            delay = error.retry_after if error.retry_after is not None else retry_delay(failures + 1)
            return Verdict(Outcome.AGAIN, delay_s=max(delay, 0.0), error=error)
        except RondaError as error:
            return Verdict(Outcome.DEAD, error=error)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            return self._bug(envelope, error, failures=failures, bugs=bugs)  # it awaited something cancelled
        except Exception as error:  # noqa: BLE001 the edge where our bugs end
            return self._bug(envelope, error, failures=failures, bugs=bugs)
        return Verdict(Outcome.DONE)

    def _bug(self, envelope: Envelope, error: BaseException, *, failures: int, bugs: int) -> Verdict:
        log.error(
            "handler has a bug", message_type=envelope.type, correlation_id=envelope.correlation_id, exc_info=error
        )
        if bugs + 1 >= self._max_tries:
            return Verdict(Outcome.DEAD, error=error)
        return Verdict(Outcome.AGAIN, delay_s=retry_delay(failures + 1), error=error)


def envelope_of(stored: StoredMessage) -> Envelope | None:
    """The envelope of a message; None if it has none that can be read."""
    try:
        return Envelope.from_headers(stored.headers)
    except Invalid:
        return None


def _envelope_fault(stored: StoredMessage) -> RondaError:
    try:
        Envelope.from_headers(stored.headers)
    except Invalid as fault:
        return fault
    return Invalid("the message has no envelope")
