"""A bus that only takes what an outbox kept: stores it in order, drops duplicates, fails when told to."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.bus.ports import Published
from shared.contracts.envelope import MSG_ID_HEADER
from shared.errors import RondaError


@dataclass
class StoredPublisherFake:
    """`published` is what a stream would hold; `attempts` counts every call, `failures` are raised first."""

    published: list[tuple[str, Mapping[str, str], bytes]] = field(default_factory=list)
    failures: list[RondaError] = field(default_factory=list)
    refusing: dict[str, RondaError] = field(default_factory=dict)  # by subject, for as long as it is there
    attempts: int = 0
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def publish_stored(self, subject: str, headers: Mapping[str, str], body: bytes) -> Published:
        await asyncio.sleep(0)
        self.attempts += 1
        if self.failures:
            raise self.failures.pop(0)
        if subject in self.refusing:
            raise self.refusing[subject]
        known = headers[MSG_ID_HEADER] in {kept[MSG_ID_HEADER] for _, kept, _ in self.published}
        if not known:
            self.published.append((subject, dict(headers), body))
        async with self.changed:
            self.changed.notify_all()
        return Published("FAKE", len(self.published), known)

    async def wait_for(self, count: int, *, within_s: float = 10.0) -> None:
        """Until `count` messages are stored."""
        async with asyncio.timeout(within_s), self.changed:
            await self.changed.wait_for(lambda: len(self.published) >= count)

    @property
    def subjects(self) -> list[str]:
        return [subject for subject, _, _ in self.published]
