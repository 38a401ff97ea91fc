"""A host stops answering: how long until a Telegram server has the message, and a WhatsApp server?

The clock is the machine's, for both ends: it starts before the lab is asked to cut the host and stops when the lab's
Telegram server (WhatsApp server, Cloud API) takes the message in. Hosts are cut one after the other at moments that
have no relation to the rounds of the poller (a seeded draw), and are restored as soon as the message is there. WhatsApp
has fewer samples: the notifier keeps its limit of messages to one person.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence

from bench.figures import Figure, of_samples
from bench.stage import Stage
from deploy.local.rehearsal import Rehearsal

SAMPLES = 50
OVER_WHATSAPP = 15
HOSTS = 60
BAR_S = 3.5
_PAUSES_S = (2.5, 4.5)  # each cut costs its chat three messages, and Telegram allows one a second


async def measure(stage: Stage) -> list[Figure]:
    """Cut hosts that nothing hangs on, each once."""
    product = await stage.product("--hosts", str(HOSTS))
    inventory = (await product.lab.get("/lab/api/inventory")).raise_for_status().json()
    telegram = next(f"tg:{c['id']}" for c in inventory["chats"] if c["channel"] == "telegram" and c["role"] == "owner")
    whatsapp = next(f"wa:{c['id']}" for c in inventory["chats"] if c["channel"] == "whatsapp")
    parents = {parent for host in inventory["hosts"] for parent in host["parents"]}
    leaves = [host["name"] for host in inventory["hosts"] if host["name"] not in parents]
    dice = random.Random(1)  # noqa: S311 - moments, repeatable
    first: list[float] = []
    second: list[float] = []
    for number in range(SAMPLES):
        await asyncio.sleep(dice.uniform(*_PAUSES_S))
        chats = [telegram, whatsapp] if number < OVER_WHATSAPP else [telegram]
        took = await _one(product, chats, leaves[number % len(leaves)])
        first.append(took[0])
        second += took[1:]
    what = "host cut (policy with one round a second) → message at the"
    return [
        of_samples("host_cut", f"{what} Telegram server", first, bar=BAR_S, unit="s"),
        of_samples("host_cut_whatsapp", f"{what} WhatsApp server", second, bar=BAR_S, unit="s"),
    ]


async def _one(product: Rehearsal, chats: Sequence[str], host: str) -> list[float]:
    """Seconds until each chat has the message."""
    after = await product.chat_number()
    cut_at = time.time()
    await product.lab_do("hosts", host, "cut")
    told = [await product.message(chat, after=after, contains=host) for chat in chats]
    await product.lab_do("hosts", host, "restore")
    return [float(message["at"]) - cut_at for message in told]
