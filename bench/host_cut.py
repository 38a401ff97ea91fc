"""A host stops answering: how long until a Telegram server has the message?

The clock is the machine's, for both ends: it starts before the lab is asked to cut the host and stops when the lab's
Telegram server takes the message in. Hosts are cut one after the other at moments that have no relation to the rounds
of the poller (a seeded draw), and are restored as soon as the message is there.
"""

from __future__ import annotations

import asyncio
import random
import time

from bench.figures import Figure, of_samples
from bench.stage import Stage
from deploy.local.rehearsal import Rehearsal

SAMPLES = 50
HOSTS = 60
BAR_S = 3.5
_LONGEST_PAUSE_S = 2.0


async def measure(stage: Stage) -> list[Figure]:
    """Cut hosts that nothing hangs on, each once."""
    product = await stage.product("--hosts", str(HOSTS))
    inventory = (await product.lab.get("/lab/api/inventory")).raise_for_status().json()
    chat = next(f"tg:{c['id']}" for c in inventory["chats"] if c["channel"] == "telegram" and c["role"] == "owner")
    parents = {parent for host in inventory["hosts"] for parent in host["parents"]}
    leaves = [host["name"] for host in inventory["hosts"] if host["name"] not in parents]
    dice = random.Random(1)  # noqa: S311 - moments, repeatable
    samples = []
    for number in range(SAMPLES):
        await asyncio.sleep(dice.uniform(0.5, _LONGEST_PAUSE_S))
        samples.append(await _one(product, chat, leaves[number % len(leaves)]))
    what = "host cut (policy with one round a second) → message at the Telegram server"
    return [of_samples("host_cut", what, samples, bar=BAR_S, unit="s", rows=("C1", "C3", "D11"))]


async def _one(product: Rehearsal, chat: str, host: str) -> float:
    after = await product.chat_number()
    cut_at = time.time()
    await product.lab_do("hosts", host, "cut")
    message = await product.message(chat, after=after, contains=host)
    await product.lab_do("hosts", host, "restore")
    return float(message["at"]) - cut_at
