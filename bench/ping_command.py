"""`/ping core-1` in a Telegram chat: how long until the reply, besides the ping itself?

The clock is the lab's Telegram server's, for both ends: when the person's message is there and when the bot's is. What
the ping itself takes is subtracted: its pauses between probes and one round trip. Late timers count as ours.
"""

from __future__ import annotations

import asyncio
import random
import re

from bench.figures import Figure, of_samples
from bench.stage import Stage
from deploy.local.rehearsal import Rehearsal
from services.notifier.handlers.commands import DEFAULT_COUNT
from services.poller.handlers.pinging import SPACING_S

SAMPLES = 50
BAR_MS = 300.0
_ROUND_TRIP_MS = re.compile(r"(\d+(?:[.,]\d+)?)\s*ms")


async def measure(stage: Stage) -> list[Figure]:
    """Ask again and again, at moments that have no relation to anything."""
    product = await stage.product("--hosts", "60")
    inventory = (await product.lab.get("/lab/api/inventory")).raise_for_status().json()
    chat = next(
        f"tg:{c['id']}"
        for c in inventory["chats"]
        if c["channel"] == "telegram" and c["role"] == "noc" and c["kind"] == "private"
    )
    names = [host["name"] for host in inventory["hosts"]]
    dice = random.Random(1)  # noqa: S311 - moments, repeatable
    samples = []
    for number in range(SAMPLES):
        await asyncio.sleep(dice.uniform(0.1, 0.6))
        samples.append(await _one(product, chat, names[number % len(names)]))
    what = "`/ping` command → reply sent, besides the ping itself"
    return [of_samples("ping_command", what, samples, bar=BAR_MS, unit="ms")]


async def _one(product: Rehearsal, chat: str, host: str) -> float:
    asked = (await product.lab.post(f"/lab/api/chats/{chat}/messages", json={"text": f"/ping {host}"})).json()
    after = asked["seq"] - 1
    found = (await product.lab.get(f"/lab/api/chats/{chat}/messages", params={"after": after})).json()["messages"]
    question = next(bubble for bubble in found if bubble["id"] == asked["id"])
    reply = await product.message(chat, after=asked["seq"], contains=host)
    round_trips = [float(found.replace(",", ".")) for found in _ROUND_TRIP_MS.findall(reply["text"])]
    itself_ms = (DEFAULT_COUNT - 1) * SPACING_S * 1000 + min(round_trips, default=0.0)
    return float(reply["at"] - question["at"]) * 1000 - itself_ms
