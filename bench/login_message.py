"""A subscriber logs in on the router: how long until a WhatsApp server has the message?

The clock is the machine's, for both ends: it starts before the lab's router is asked to let the subscriber in and stops
when the lab's WhatsApp server (Cloud API) takes the message in. Hotspot and PPPoE, RouterOS 6.49 and 7, by turns.
The administrator's figure has fewer samples: the notifier keeps WhatsApp's limit of messages to one person.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from bench.figures import Figure, of_samples
from bench.stage import Stage, until
from deploy.local.rehearsal import Rehearsal

SAMPLES = 200
TO_ADMINISTRATOR = 20
BAR_S = 1.0


async def measure(stage: Stage) -> list[Figure]:
    """Everybody leaves, then one after the other comes, is told, and leaves again."""
    product = await stage.product("--hosts", "60")
    inventory = (await product.lab.get("/lab/api/inventory")).raise_for_status().json()
    subscribers: list[dict[str, Any]] = inventory["subscribers"]
    administrator = next(f"wa:{c['id']}" for c in inventory["chats"] if c["channel"] == "whatsapp")
    for subscriber in subscribers:
        await product.lab_do("subscribers", subscriber["user"], "logout")
    await until(lambda: _nobody(product), "all sessions are closed")
    await _silence(product)
    own: list[float] = []
    administrators: list[float] = []
    for number in range(SAMPLES):
        subscriber = subscribers[number % len(subscribers)]
        after = await product.chat_number()
        started = time.time()
        await product.lab_do("subscribers", subscriber["user"], "login")
        own.append((await product.message(_chat_of(subscriber), after=after))["at"] - started)
        if number < TO_ADMINISTRATOR:
            told = await product.message(administrator, after=after, contains=subscriber["user"])
            administrators.append(told["at"] - started)
        await product.lab_do("subscribers", subscriber["user"], "logout")
    what = "log-in on the router → message at the WhatsApp server, to the "
    return [
        of_samples("login_message", f"{what}subscriber", own, bar=BAR_S, unit="s"),
        of_samples("login_message_administrator", f"{what}administrator", administrators, bar=BAR_S, unit="s"),
    ]


def _chat_of(subscriber: dict[str, Any]) -> str:
    """The lab's name for the subscriber's own number: international digits."""
    return f"wa:62{subscriber['phone'].removeprefix('0')}"


async def _nobody(product: Rehearsal) -> bool:
    return not await product.all_of("sessions", open="true")


async def _silence(product: Rehearsal) -> None:
    """Wait until no chat has changed for some seconds: the messages of the log-outs are through."""
    before = -1
    while (now := await product.chat_number()) != before:
        before = now
        await asyncio.sleep(8)
