"""Hard states of hosts in the bucket `state`, one key per host, written by compare-and-set."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, ValidationError

from services.poller.core.judge import State
from services.poller.ports import Remembered
from shared.bus.ports import Bucket, Entry
from shared.contracts.ids import HostId
from shared.contracts.subjects import escape_token, unescape_token
from shared.contracts.vocabulary import HostState

_PREFIX = "host."


class _Stored(BaseModel):
    """The value as it lies in the bucket; other programs may read it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    state: HostState
    transition: int
    since: datetime | None = None
    down_since: datetime | None = None


class KvHostStates:
    """See `ports.HostStates`."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    async def load(self) -> dict[HostId, Remembered]:
        """All that is stored; entries that cannot be read count as absent."""
        found: dict[HostId, Remembered] = {}
        async for entry in self._bucket.watch(_PREFIX):
            if entry is None:
                break
            if isinstance(entry, Entry):
                found[HostId(unescape_token(entry.key.removeprefix(_PREFIX)))] = _remembered(entry)
        return found

    async def get(self, host_id: HostId) -> Remembered | None:
        """What is stored of one host."""
        entry = await self._bucket.get(_key(host_id))
        return _remembered(entry) if entry else None

    async def save(self, host_id: HostId, state: State, *, revision: int | None) -> int:
        """Store if nobody else did since `revision`; raises Conflict otherwise."""
        stored = _Stored(state=state.hard, transition=state.transition, since=state.since, down_since=state.down_since)
        value = stored.model_dump_json().encode()
        if revision is None:
            return await self._bucket.create(_key(host_id), value)
        return await self._bucket.update(_key(host_id), value, revision=revision)

    async def forget(self, host_id: HostId) -> None:
        """Drop what is stored of a host."""
        await self._bucket.delete(_key(host_id))


def _key(host_id: HostId) -> str:
    return _PREFIX + escape_token(host_id)


def _remembered(entry: Entry) -> Remembered:
    try:
        stored = _Stored.model_validate_json(entry.value)
    except ValidationError:
        return Remembered(State(), entry.revision)
    return Remembered(State(stored.state, stored.transition, stored.since, stored.down_since), entry.revision)
