"""How far each account has come, in the KV bucket `state`."""

from __future__ import annotations

from shared.bus.ports import Bucket
from shared.contracts.ids import AccountId
from shared.contracts.subjects import escape_token
from shared.errors import Conflict

_TRIES = 5


class BucketProgress:
    """Keys `settled.<account>` (a generation) and `close-owed.<account>` (present or not)."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    async def settled(self, account_id: AccountId) -> int:
        entry = await self._bucket.get(_settled(account_id))
        return int(entry.value) if entry else 0

    async def settle(self, account_id: AccountId, generation: int) -> None:
        key = _settled(account_id)
        for attempt in range(_TRIES):
            entry = await self._bucket.get(key)
            if entry is not None and int(entry.value) >= generation:
                return
            try:
                if entry is None:
                    await self._bucket.create(key, str(generation).encode())
                else:
                    await self._bucket.update(key, str(generation).encode(), revision=entry.revision)
            except Conflict:
                if attempt == _TRIES - 1:
                    raise
            else:
                return

    async def owes_close(self, account_id: AccountId) -> bool:
        return await self._bucket.get(_owed(account_id)) is not None

    async def owe_close(self, account_id: AccountId) -> None:
        await self._bucket.put(_owed(account_id), b"1")

    async def close_done(self, account_id: AccountId) -> None:
        if await self.owes_close(account_id):
            await self._bucket.delete(_owed(account_id))


def _settled(account_id: AccountId) -> str:
    return f"settled.{escape_token(account_id)}"


def _owed(account_id: AccountId) -> str:
    return f"close-owed.{escape_token(account_id)}"
