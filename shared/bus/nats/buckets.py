"""The stream behind a bucket, on the server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Final

from shared.bus.delivery import StoredMessage
from shared.bus.nats.connection import Connection
from shared.bus.nats.publishing import Publishing
from shared.bus.nats.reading import Reader
from shared.bus.nats.session import STATUS
from shared.bus.nats.stored import from_direct

_READ_TIMEOUT_S: Final = 5.0


class NatsBucketStore:
    """What `shared.bus.buckets.BucketStore` promises."""

    def __init__(self, stream: str, connection: Connection, publishing: Publishing, *, wait_s: float) -> None:
        self._stream = stream
        self._connection = connection
        self._publishing = publishing
        self._wait_s = wait_s

    async def write(self, subject: str, headers: Mapping[str, str], value: bytes) -> int:
        return (await self._publishing.store(subject, headers, value)).sequence

    async def last(self, subject: str) -> StoredMessage | None:
        session = await self._connection.session(wait_s=self._wait_s)
        answer = await session.ask(f"$JS.API.DIRECT.GET.{self._stream}.{subject}", timeout=_READ_TIMEOUT_S)
        return None if (answer.headers or {}).get(STATUS) else from_direct(answer)

    def last_per_subject(self, subject_filter: str, *, follow: bool) -> AsyncIterator[StoredMessage | None]:
        reader = Reader(self._connection, self._stream, (subject_filter,), after=None, last_per_subject=True)
        return reader.messages(follow=follow, patient=follow)
