"""A durable consumer: pulls what there is room for and looks for the consumer again whenever it is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress

import structlog
from nats.aio.msg import Msg

from shared.bus.nats.connection import Connection
from shared.bus.nats.pulling import ConsumerLostError, Pull, Signal
from shared.bus.nats.session import Session
from shared.bus.nats.stored import NatsDelivery, from_delivered, place_of
from shared.bus.nats.streams import ensure_consumer
from shared.bus.ports import ConsumerSpec, Handler
from shared.bus.workbench import Bury, Workbench
from shared.clock import Clock
from shared.contracts.message import Message
from shared.errors import RondaError, Unreachable

log = structlog.get_logger("bus")

_WAIT_S = 3600.0
_PAUSE_S = 0.5


class Consumer:
    """One process's part in the work of a durable consumer."""

    def __init__(self, connection: Connection, spec: ConsumerSpec, *, clock: Clock) -> None:
        self._connection = connection
        self._spec = spec
        self._clock = clock
        self._pull: Pull | None = None

    async def run(self, handlers: Mapping[type[Message], Sequence[Handler]], bury: Bury) -> None:
        """Handle messages until cancelled."""
        async with Workbench(self._spec, handlers, bury=bury, clock=self._clock, on_room=self._on_room) as bench:
            while True:
                try:
                    session = await self._connection.session(wait_s=_WAIT_S)
                    await ensure_consumer(session, self._spec)
                    await self._work(session, bench)
                except ConsumerLostError as lost:
                    log.warning("consumer lost", consumer=self._spec.name, reason=str(lost))
                    await asyncio.sleep(_PAUSE_S)
                except Unreachable as away:
                    log.warning("consumer waits", consumer=self._spec.name, reason=str(away))
                    await asyncio.sleep(_PAUSE_S / 10)
                except RondaError as error:
                    if not error.retryable:
                        raise
                    log.warning("consumer waits", consumer=self._spec.name, reason=str(error))
                    await asyncio.sleep(_PAUSE_S)

    async def _work(self, session: Session, bench: Workbench) -> None:
        async with Pull(session, self._spec.stream.name, self._spec.name) as pull:
            self._pull = pull
            try:
                while True:
                    room = bench.room - pull.asked
                    if room > 0 and room * 2 >= self._spec.max_in_flight - pull.asked:
                        await pull.ask(room)
                    item = await pull.next()
                    if not isinstance(item, Signal):
                        bench.put(self._delivery(item))
            except (Unreachable, ConsumerLostError):
                # What has arrived is handled all the same, before what the next session brings: order.
                for message in pull.left():
                    bench.put(self._delivery(message))
                raise
            finally:
                self._pull = None
                await self._give_back(pull.left())

    async def _give_back(self, messages: list[Msg]) -> None:
        for message in messages:
            with suppress(RondaError):
                await self._delivery(message).nak(0)

    def _delivery(self, message: Msg) -> NatsDelivery:
        place = place_of(message)
        return NatsDelivery(
            connection=self._connection,
            reply=message.reply,
            message=from_delivered(message, place),
            delivered=place.delivered,
        )

    def _on_room(self) -> None:
        if self._pull is not None:
            self._pull.wake()
