"""The desired states of one router, read from the stream DESIRED without consuming them."""

from __future__ import annotations

from collections.abc import AsyncIterator

from shared.bus.ports import Bus
from shared.contracts.desired import DesiredAccount
from shared.contracts.envelope import Envelope
from shared.contracts.ids import RouterId
from shared.contracts.streams import DESIRED
from shared.contracts.subjects import Kind, escape_token, every


class StreamedStates:
    """The last message per account."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def of_router(self, router_id: RouterId) -> AsyncIterator[tuple[DesiredAccount, Envelope]]:
        subjects = every(Kind.DESIRED, DesiredAccount.NAME, escape_token(router_id))
        async for received in self._bus.read(DESIRED, subjects, last_per_subject=True, follow=False):
            if received is not None and isinstance(received.message, DesiredAccount):
                yield received.message, received.envelope
