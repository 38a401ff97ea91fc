"""One sample through its handler. Nobody repeats a sample, so whatever goes wrong costs this one alone."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import structlog

from shared.bus.context import handling
from shared.bus.parsing import parse_body
from shared.bus.ports import Handler
from shared.contracts.envelope import Envelope
from shared.contracts.message import Message
from shared.errors import RondaError

log = structlog.get_logger("bus")


class Hearing:
    """The types somebody listens for, and what is done with each message."""

    def __init__(self, types: Sequence[type[Message]], handler: Handler) -> None:
        self._types = {message_type.type_name(): message_type for message_type in types}
        self._handler = handler
        self._trouble = ""

    @property
    def filters(self) -> tuple[str, ...]:
        """The subjects to listen on."""
        return tuple(message_type.filter() for message_type in self._types.values())

    async def hear(self, headers: Mapping[str, str] | None, body: bytes) -> None:
        """Handle one message; raises CancelledError only. What cannot be read or handled is logged and left out."""
        try:
            envelope = Envelope.from_headers(headers)
            message_type = self._types.get(envelope.type)
            if message_type is None:
                return
            message = parse_body(message_type, body)
            with handling(envelope):
                await self._handler(message)
        except RondaError as error:
            self._note(f"{error.code}: {error}")
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            self._note("the handler awaited something cancelled")
        except Exception as bug:  # noqa: BLE001 the edge where our bugs end
            self._note(f"bug: {type(bug).__name__}", bug)
        else:
            self._trouble = ""

    def _note(self, trouble: str, bug: Exception | None = None) -> None:
        """Samples come many times a second: the same trouble is worth one line."""
        if trouble != self._trouble:
            log.warning("sample left out", reason=trouble, exc_info=bug)
        self._trouble = trouble
