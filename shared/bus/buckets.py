"""A key-value bucket: a stream with the last value per key, as ADR-8 of nats-io/nats-architecture-and-design has it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Final, Protocol

from shared.bus.delivery import StoredMessage
from shared.bus.keys import check_key, check_prefix
from shared.bus.ports import Entry, Gone
from shared.contracts.streams import BucketSpec
from shared.errors import Conflict

OPERATION_HEADER: Final = "KV-Operation"
MARKER_HEADER: Final = "Nats-Marker-Reason"  # the server's own marker for an entry that ran out
EXPECTED_HEADER: Final = "Nats-Expected-Last-Subject-Sequence"


class BucketStore(Protocol):
    """The stream behind a bucket."""

    async def write(self, subject: str, headers: Mapping[str, str], value: bytes) -> int:
        """Store and answer the sequence; Conflict if the expected last sequence is not the last."""
        ...

    async def last(self, subject: str) -> StoredMessage | None: ...

    def last_per_subject(self, subject_filter: str, *, follow: bool) -> AsyncIterator[StoredMessage | None]:
        """The last of each subject, None, and if asked what comes after."""
        ...


class StreamBucket:
    """What `ports.Bucket` promises, on a stream."""

    def __init__(self, spec: BucketSpec, store: BucketStore) -> None:
        self._root = f"$KV.{spec.name}."
        self._store = store

    async def get(self, key: str) -> Entry | None:
        stored = await self._store.last(self._subject(key))
        return None if stored is None or _is_gone(stored) else Entry(key, stored.body, stored.sequence)

    async def put(self, key: str, value: bytes) -> int:
        return await self._store.write(self._subject(key), {}, value)

    async def create(self, key: str, value: bytes) -> int:
        try:
            return await self._store.write(self._subject(key), {EXPECTED_HEADER: "0"}, value)
        except Conflict:
            present = await self._store.last(self._subject(key))
        if present is not None and not _is_gone(present):
            raise Conflict(f"the key {key} is taken")
        # Only a marker stands there; if even that is gone by now, the key was never more absent.
        return await self.update(key, value, revision=present.sequence if present else 0)

    async def update(self, key: str, value: bytes, *, revision: int) -> int:
        try:
            return await self._store.write(self._subject(key), {EXPECTED_HEADER: str(revision)}, value)
        except Conflict as other:
            raise Conflict(f"the key {key} is no longer at revision {revision}") from other

    async def delete(self, key: str, *, revision: int | None = None) -> None:
        headers = {OPERATION_HEADER: "DEL"}
        if revision is not None:
            headers[EXPECTED_HEADER] = str(revision)
        try:
            await self._store.write(self._subject(key), headers, b"")
        except Conflict as other:
            raise Conflict(f"the key {key} is no longer at revision {revision}") from other

    async def keys(self, prefix: str = "") -> list[str]:
        present = [
            self._key(stored)
            async for stored in self._store.last_per_subject(self._filter(prefix), follow=False)
            if stored is not None and not _is_gone(stored)
        ]
        return [key for key in present if key.startswith(prefix)]

    async def watch(self, prefix: str = "") -> AsyncIterator[Entry | Gone | None]:
        said_all = False
        async for stored in self._store.last_per_subject(self._filter(prefix), follow=True):
            if stored is None:
                said_all = True
                yield None
            elif self._key(stored).startswith(prefix):
                if not _is_gone(stored):
                    yield Entry(self._key(stored), stored.body, stored.sequence)
                elif said_all:
                    yield Gone(self._key(stored), stored.sequence)

    def _filter(self, prefix: str) -> str:
        # Streams filter by whole tokens only; the rest of the prefix is compared above.
        whole = check_prefix(prefix).rpartition(".")[0]
        return f"{self._root}{whole}.>" if whole else f"{self._root}>"

    def _subject(self, key: str) -> str:
        return f"{self._root}{check_key(key)}"

    def _key(self, stored: StoredMessage) -> str:
        return stored.subject.removeprefix(self._root)


def _is_gone(stored: StoredMessage) -> bool:
    return OPERATION_HEADER in stored.headers or MARKER_HEADER in stored.headers
