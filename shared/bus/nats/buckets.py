"""A key-value bucket: a stream with the last value per key, as ADR-8 of nats-io/nats-architecture-and-design has it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from shared.bus.delivery import StoredMessage
from shared.bus.keys import check_key, check_prefix
from shared.bus.nats.connection import Connection
from shared.bus.nats.publishing import Publishing
from shared.bus.nats.reading import Reader
from shared.bus.nats.session import STATUS
from shared.bus.nats.stored import from_direct
from shared.bus.nats.streams import bucket_stream
from shared.bus.ports import Entry, Gone
from shared.contracts.streams import BucketSpec
from shared.errors import Conflict

_OPERATION: Final = "KV-Operation"
_MARKER: Final = "Nats-Marker-Reason"  # the server's own marker for an entry that ran out
_EXPECTED: Final = "Nats-Expected-Last-Subject-Sequence"
_READ_TIMEOUT_S: Final = 5.0


class NatsBucket:
    """One bucket of the server."""

    def __init__(self, spec: BucketSpec, connection: Connection, publishing: Publishing, *, wait_s: float) -> None:
        self._spec = spec
        self._stream = bucket_stream(spec)
        self._root = f"$KV.{spec.name}."
        self._connection = connection
        self._publishing = publishing
        self._wait_s = wait_s

    async def get(self, key: str) -> Entry | None:
        stored = await self._last(check_key(key))
        return None if stored is None or _is_gone(stored) else Entry(key, stored.body, stored.sequence)

    async def put(self, key: str, value: bytes) -> int:
        return await self._write(key, value, {})

    async def create(self, key: str, value: bytes) -> int:
        try:
            return await self._write(key, value, {_EXPECTED: "0"})
        except Conflict:
            marker = await self._last(key)
            if marker is None or not _is_gone(marker):
                raise Conflict(f"the key {key} is taken") from None
        return await self.update(key, value, revision=marker.sequence)

    async def update(self, key: str, value: bytes, *, revision: int) -> int:
        try:
            return await self._write(key, value, {_EXPECTED: str(revision)})
        except Conflict as other:
            raise Conflict(f"the key {key} is no longer at revision {revision}") from other

    async def delete(self, key: str, *, revision: int | None = None) -> None:
        headers = {_OPERATION: "DEL"}
        if revision is not None:
            headers[_EXPECTED] = str(revision)
        try:
            await self._write(key, b"", headers)
        except Conflict as other:
            raise Conflict(f"the key {key} is no longer at revision {revision}") from other

    async def keys(self, prefix: str = "") -> list[str]:
        present = [
            self._key(stored)
            async for stored in self._reader(prefix).messages(follow=False, patient=False)
            if stored is not None and not _is_gone(stored)
        ]
        return [key for key in present if key.startswith(prefix)]

    async def watch(self, prefix: str = "") -> AsyncIterator[Entry | Gone | None]:
        said_all = False
        async for stored in self._reader(prefix).messages(follow=True):
            if stored is None:
                said_all = True
                yield None
                continue
            key = self._key(stored)
            if not key.startswith(prefix):
                continue
            if not _is_gone(stored):
                yield Entry(key, stored.body, stored.sequence)
            elif said_all:
                yield Gone(key, stored.sequence)

    def _reader(self, prefix: str) -> Reader:
        # The server filters by whole tokens only; the rest of the prefix is compared here.
        whole = check_prefix(prefix).rpartition(".")[0]
        filters = (f"{self._root}{whole}.>" if whole else f"{self._root}>",)
        return Reader(self._connection, self._stream, filters, after=None, last_per_subject=True)

    def _key(self, stored: StoredMessage) -> str:
        return stored.subject.removeprefix(self._root)

    async def _write(self, key: str, value: bytes, headers: dict[str, str]) -> int:
        published = await self._publishing.store(f"{self._root}{check_key(key)}", headers, value)
        return published.sequence

    async def _last(self, key: str) -> StoredMessage | None:
        session = await self._connection.session(wait_s=self._wait_s)
        answer = await session.ask(f"$JS.API.DIRECT.GET.{self._stream}.{self._root}{key}", timeout=_READ_TIMEOUT_S)
        return None if (answer.headers or {}).get(STATUS) else from_direct(answer)


def _is_gone(stored: StoredMessage) -> bool:
    return _OPERATION in stored.headers or _MARKER in stored.headers
