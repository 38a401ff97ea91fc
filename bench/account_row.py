"""A customer is added through REST: how long until the account stands on the router?

The clock is this program's own, for both ends: it starts before the request is sent and stops when another API client
(librouteros, a connection of its own that listens to the router's table) is told of the new row. The lab's routers
answer each sentence 1 ms late; the listener's way back is part of the figure.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Any

import librouteros
from librouteros.exceptions import LibRouterosError

from bench.figures import Figure, of_samples
from bench.stage import Stage
from deploy.local.rehearsal import Rehearsal
from shared.errors import DeadlineExceeded

SAMPLES = 200
BAR_MS = 300.0
TABLES = {"ppp": "/ppp/secret", "hotspot": "/ip/hotspot/user"}
_SERVICE_IN_LAB = {"ppp": "pppoe", "hotspot": "hotspot"}
_LATEST_S = 20.0


class Onlooker:
    """Sees rows appear on a router, through API connections of its own."""

    def __init__(self) -> None:
        self._seen: dict[str, float] = {}
        self._news = threading.Condition()

    def seen_at(self, name: str) -> float:
        """When the row of that name was there, of the monotonic clock. Raises DeadlineExceeded. Blocks."""
        with self._news:
            if not self._news.wait_for(lambda: name in self._seen, _LATEST_S):
                raise DeadlineExceeded(f"no row {name} appeared on a router")
            return self._seen[name]

    @contextlib.contextmanager
    def watching(self, router: dict[str, Any], table: str) -> Iterator[None]:
        """Listen to one table of one router while the context is open."""
        connection = librouteros.connect(
            router["host"], router["user"], router["password"], port=router["port"], timeout=3600
        )
        thread = threading.Thread(target=self._listen, args=(connection, table), daemon=True)
        thread.start()
        try:
            yield
        finally:
            connection.close()
            thread.join(5)

    def _listen(self, connection: Any, table: str) -> None:
        with contextlib.suppress(LibRouterosError, OSError, ValueError):  # closed under us: that is the end
            connection.protocol.writeSentence(f"{table}/listen")
            while True:  # the library's own calls would wait for the end of a command that has none
                _, row = connection.readSentence()
                now = time.monotonic()
                with self._news:
                    self._seen.setdefault(str(row.get("name")), now)
                    self._news.notify_all()


async def measure(stage: Stage) -> list[Figure]:
    """Add accounts one after the other, of both services, on all routers by turns."""
    product = await stage.product("--hosts", "60")
    inventory = (await product.lab.get("/lab/api/inventory")).raise_for_status().json()
    ids = {router["name"]: router["id"] for router in await product.all_of("routers")}
    profiles = {
        service: next(p["name"] for p in inventory["profiles"] if p["service"] == _SERVICE_IN_LAB[service])
        for service in TABLES
    }
    turns = [(router["name"], service) for router in inventory["routers"] for service in TABLES]
    onlooker = Onlooker()
    with contextlib.ExitStack() as watching:
        for router in inventory["routers"]:
            for table in TABLES.values():
                watching.enter_context(onlooker.watching(router, table))
        samples = []
        for number in range(SAMPLES):
            router_name, service = turns[number % len(turns)]
            body = _account(number, ids[router_name], service, profiles[service])
            samples.append(await _one(product, onlooker, body))
    what = "`POST /api/v1/accounts` → row on the router (1 ms per answer)"
    return [of_samples("account_row", what, samples, bar=BAR_MS, unit="ms")]


async def _one(product: Rehearsal, onlooker: Onlooker, body: dict[str, Any]) -> float:
    started = time.monotonic()
    (await product.api.post("/api/v1/accounts", json=body)).raise_for_status()
    return (await asyncio.to_thread(onlooker.seen_at, body["name"]) - started) * 1000


def _account(number: int, router_id: str, service: str, profile: str) -> dict[str, Any]:
    return {
        "router_id": router_id,
        "service": service,
        "name": f"bench-{number:03d}",
        "password": f"secret-{number:03d}",
        "profile": profile,
        "phone": f"62811{number:07d}",
        "full_name": f"Bench {number}",
        "language": "id",
    }
