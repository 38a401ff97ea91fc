"""How far each account has come, in the KV bucket `state`."""

from __future__ import annotations

import json

from services.provisioner.ports import Mark
from shared.bus.ports import Bucket
from shared.contracts.ids import AccountId, RouterId
from shared.contracts.subjects import escape_token
from shared.errors import Conflict, Temporary

_ABSENT = 0  # the revision of a key that nobody wrote


class BucketProgress:
    """Keys `account.<router>.<account>`; what this process has seen is remembered, so a scan costs no questions.

    A remembered mark can only be older than the true one: the work is then done again, which changes nothing, and the
    write fails because the revision moved on.
    """

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._seen: dict[str, tuple[Mark, int]] = {}

    async def of(self, router_id: RouterId, account_id: AccountId) -> Mark:
        key = _key(router_id, account_id)
        if key not in self._seen:
            entry = await self._bucket.get(key)
            self._seen[key] = (_mark(entry.value), entry.revision) if entry else (Mark(), _ABSENT)
        return self._seen[key][0]

    async def write(self, router_id: RouterId, account_id: AccountId, mark: Mark) -> None:
        key = _key(router_id, account_id)
        _, revision = self._seen.pop(key, (Mark(), _ABSENT))  # whatever fails below, the next look is a fresh one
        value = json.dumps({"settled": mark.settled, "close_owed": mark.close_owed}).encode()
        try:
            if revision == _ABSENT:
                written = await self._bucket.create(key, value)
            else:
                written = await self._bucket.update(key, value, revision=revision)
        except Conflict as other:
            raise Temporary(f"another process has worked on this account: {other}") from other
        self._seen[key] = (mark, written)


def _mark(value: bytes) -> Mark:
    stored = json.loads(value)
    return Mark(settled=stored["settled"], close_owed=stored["close_owed"])


def _key(router_id: RouterId, account_id: AccountId) -> str:
    return f"account.{escape_token(router_id)}.{escape_token(account_id)}"
