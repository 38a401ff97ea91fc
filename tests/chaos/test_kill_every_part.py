"""Story 6: every part of the product is killed while stories 1 to 3 go on. Nothing is lost, and nothing is done twice.

One product, one victim after the other, the order and the moments drawn from a seed that is printed; set RONDA_SEED to
repeat a run. A kill is aimed at a random deed of its round, or a random time of up to two seconds after it.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support import reckoning
from tests.support.provider import Provider, Row
from tests.support.stack import product
from tests.support.waiting import until
from tests.support.workload import Workload

VICTIMS = ("poller", "provisioner", "notifier", "api", "nats", "postgres")
HOSTS = ("ap-waru-01", "ap-sedati-01", "ap-gedangan-01", "sw-waru-03", "sw-sedati-03", "sw-gedangan-03")
PROFILES = ("paket-5", "paket-10", "paket-20")
DEEDS_OF_A_ROUND = 10
LONGEST_AFTER_S = 2.0


@pytest.mark.timeout(420)
@pytest.mark.xdist_group("chaos")
@pytest.mark.mission("F")
async def test_nothing_is_lost_or_doubled_whatever_is_killed(tmp_path: Path) -> None:
    seed = int(os.environ.get("RONDA_SEED", random.SystemRandom().randrange(10_000)))
    print(f"seed {seed}")  # noqa: T201 — shown when the test fails
    dice = random.Random(seed)  # noqa: S311 — a game, repeatable by seed
    async with product(tmp_path) as running:
        provider = Provider(running)
        await only_alerts_on_telegram(provider)
        people = await offline_people(provider)
        work = Workload(provider)
        since = datetime.now(UTC)  # noqa: TID251 — the lab's messages carry the wall's time, too
        await work.desk_opens("gw-sedati", "ppp", "tetap@sedati", PROFILES[0])
        for number, (victim, host) in enumerate(zip(dice.sample(VICTIMS, len(VICTIMS)), HOSTS, strict=True)):
            pair = people[2 * number : 2 * number + 2]
            await one_round(work, dice, victim, host, pair, number)
        await reckoning.everything_told(work, since)
        await reckoning.nothing_told_twice(work, since, kills=len(VICTIMS))
        await reckoning.every_account_as_wanted(work)
        await reckoning.every_session_once(work, since)
        await reckoning.every_alert_once(work, since)


async def only_alerts_on_telegram(provider: Provider) -> None:
    """Log-ins are told by WhatsApp: Telegram lets a bot say no more than 20 things a minute in a group."""
    for chat in await provider.all("chats"):
        if chat["channel"] == "telegram" and "sessions" in chat["receives"]:
            path = f"/api/v1/chats/{chat['id']}"
            (await provider.product.api.patch(path, json={"receives": ["alerts"]})).raise_for_status()


async def offline_people(provider: Provider) -> list[Row]:
    """Two for each round, one by hotspot and one by PPPoE, on 6.49 and on 7.x in turn, all of them off line."""
    inventory = (await provider.product.lab.get("/lab/api/inventory")).json()["subscribers"]
    people: list[Row] = []
    for number in range(len(VICTIMS)):
        router = ("gw-waru", "gw-gedangan")[number % 2]
        for service in ("hotspot", "pppoe"):
            free = [s for s in inventory if (s["router"], s["service"]) == (router, service) and s not in people]
            people.append(free[0])
    await asyncio.gather(*(provider.send_home(person) for person in people))
    return people


async def one_round(
    work: Workload, dice: random.Random, victim: str, host: str, people: list[Row], number: int
) -> None:
    """A host fails, two people come and go, four account changes; the victim is killed somewhere among them."""
    target = work.deeds + dice.randint(1, DEEDS_OF_A_ROUND)
    after_s = dice.choice((0.0, dice.uniform(0, 0.05), dice.uniform(0, LONGEST_AFTER_S)))
    async with asyncio.TaskGroup() as round_:
        round_.create_task(work.host_fails(host))
        for person in people:
            round_.create_task(work.subscriber_comes_and_goes(person))
        round_.create_task(desk(work, dice, number))
        round_.create_task(kill(work, victim, target, after_s))


async def desk(work: Workload, dice: random.Random, number: int) -> None:
    """One account that stays gets ever new passwords, another is opened and changed at once."""
    name = f"baru-{number}@waru"
    await work.desk_opens("gw-waru", "ppp", name, dice.choice(PROFILES))
    for turn in range(2):
        await work.desk_changes(name, f"kata-{number}-{turn}", dice.choice(PROFILES))
    await work.desk_changes("tetap@sedati", f"sandi-{number}", dice.choice(PROFILES))


async def kill(work: Workload, victim: str, target: int, after_s: float) -> None:
    """SIGKILL at the deed with this number, and wait until the victim is there again."""
    stack = work.provider.product.stack
    await until(lambda: work.deeds >= target, within_s=90)
    await asyncio.sleep(after_s)  # the random moment itself, nobody waits for anything here
    pid = stack.pids()[victim]
    print(f"{victim} ({pid}) killed at deed {target} + {after_s:.3f} s")  # noqa: T201
    os.kill(pid, signal.SIGKILL)
    await until(lambda: stack.pids().get(victim) not in (None, pid), within_s=60)
