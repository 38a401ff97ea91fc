"""The notifier is killed while it sends and started again: nothing lost, at most one marked repeat per chat."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.local.nats_server import NatsServer
from lab.chats.faults import Fault
from tests.integration.notifier.conftest import GROUP, SARI, TOKEN, Town, host_down, host_up
from tests.support.waiting import until

ROOT = Path(__file__).parents[3]
SARIS, NOCS = f"tg:{SARI.id}", f"tg:{GROUP}"


@asynccontextmanager
async def process(town: Town, nats_url: str, database_url: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The service as it is started everywhere; ended by SIGKILL."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "RONDA_NATS_URL": nats_url,
        "RONDA_DATABASE_URL": database_url,
        "RONDA_TELEGRAM_TOKEN": TOKEN,
        "RONDA_TELEGRAM_API_URL": town.telegram.url,
    }
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.notifier", cwd=ROOT, env=environment, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.wait()


async def test_kill_while_sending_loses_nothing_and_marks_the_repetition(
    town: Town, shared_nats_server: NatsServer, notifier_database_url: str
) -> None:
    url = shared_nats_server.url("notifier")
    fault = Fault("hang", method="sendMessage", chat=str(SARI.id), seconds=30)
    town.telegram.faults.order(fault)
    down = host_down()
    async with process(town, url, notifier_database_url) as first:
        await town.bus.publish(down)
        await until(lambda: town.telegram.faults.hits, 40)  # the request is out, its answer will never come
        await town.heard(NOCS, 1)
        first.kill()
    await town.bus.publish(host_up(down, 137))
    async with process(town, url, notifier_database_url):
        await town.heard(SARIS, 2, within_s=60)
        await until(lambda: town.from_bot(NOCS)[-1].text.startswith("✅"), 60)
        await until(lambda: town.from_bot(SARIS)[0].text.startswith("✅"))
    told, over = town.from_bot(SARIS)
    assert told.revisions[0].splitlines()[0].endswith("(ulangan)")
    assert "(ulangan)" not in over.text
    assert over.reply_to == told.id
    # That message had arrived; whether its record was written before the kill is a race. If not, it comes again, as a
    # message or as an edit, and then it says so.
    nocs = town.from_bot(NOCS)
    marked = sum("(ulangan)" in text for one in nocs for text in (one.text, *one.revisions))
    assert len(nocs) - 2 <= marked <= 1
    assert nocs[-1].text.startswith("✅ UP")
