"""The first steps without a browser: `ronda` as a program, against a running api on real PostgreSQL and NATS."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deploy.local.ports import choose_any
from services.api.main import build
from services.api.settings import ApiSettings
from shared.bus.nats import NatsBus
from shared.contracts.queries import Answer, MessageAccepted, Query, RouterFound, SendTestMessage, TestRouter
from shared.contracts.streams import DLQ
from shared.contracts.subjects import Kind, subject
from shared.errors import NotAllowed, Temporary
from shared.lifecycle import running
from tests.support.waiting import until

ROOT = Path(__file__).resolve().parents[3]
PASSWORD = "rahasia-router"
FOUND = RouterFound(identity="waru-gw", version="7.16.2 (stable)", board="RB750Gr3", uptime_s=61, took_ms=12.0)
Answerer = Callable[[Any], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Said:
    """What a command left behind."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class CommandLine:
    """`ronda` on a machine where the api runs."""

    environment: Mapping[str, str]
    bus: NatsBus

    async def __call__(self, *arguments: str, **more: str) -> Said:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "services.api.cli",
            *arguments,
            env={**self.environment, **more},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        return Said(process.returncode or 0, out.decode(), err.decode())


@pytest.fixture
async def ronda_command(
    api_settings: ApiSettings, nats_url: str, database_url: str, tmp_path: Path
) -> AsyncIterator[CommandLine]:
    port = choose_any()
    assert api_settings.seal_keys is not None
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(ROOT),
        "RONDA_STATE_DIR": str(tmp_path / "state"),
        "RONDA_API_URL": f"http://127.0.0.1:{port}",
        "RONDA_DATABASE_URL": database_url,
        "RONDA_NATS_URL": nats_url,
        "RONDA_SEAL_KEYS": api_settings.seal_keys.get_secret_value(),
    }
    async with (
        build(api_settings.model_copy(update={"api_port": port})) as service,
        running(service),
        NatsBus.connect(nats_url, name="test", source="test") as bus,
    ):
        yield CommandLine(environment, bus)


async def test_from_the_owner_to_the_first_test_message(ronda_command: CommandLine, tmp_path: Path):
    made = await ronda_command("owner")
    assert made.code == 0, made.err
    assert "log in as owner, password " in made.out
    token = tmp_path / "state/secrets/cli-token"
    assert token.stat().st_mode & 0o777 == 0o600
    assert token.read_text() not in made.out

    assert "Waru" in (await ronda_command("site", "add", "Waru")).out

    async def router(query: TestRouter) -> RouterFound:
        if query.router.host != "127.0.0.1":
            raise NotAllowed("the router says: invalid user name or password (6)")
        return FOUND

    async def chat(query: SendTestMessage) -> MessageAccepted:
        return MessageAccepted(provider_message_id="4711")

    async with answering(ronda_command.bus, {TestRouter: router, SendTestMessage: chat}):
        options = ("--host", "127.0.0.1", "--user", "ronda", "--site", "Waru")
        added = await ronda_command("router", "add", "waru-gw", *options, RONDA_ROUTER_PASSWORD=PASSWORD)
        assert added.code == 0, added.err
        assert added.out.startswith("added waru-gw (")
        assert FOUND.version in added.out
        assert PASSWORD not in added.out

        refused = await ronda_command("router", "try", "10.0.0.1", "--user", "x", RONDA_ROUTER_PASSWORD=PASSWORD)
        assert refused.code == 1
        assert "invalid user name or password (6)" in refused.err
        assert FOUND.version in (await ronda_command("router", "test", "waru-gw")).out

        chat_options = ("--channel", "telegram", "--address", "-100123", "--role", "noc")
        assert (await ronda_command("chat", "add", "NOC", *chat_options)).code == 0
        assert "4711" in (await ronda_command("chat", "test", "noc")).out


async def test_secret_of_a_router_is_made_shown_once_and_taken_back(ronda_command: CommandLine):
    async def said(*arguments: str, **more: str) -> str:
        done = await ronda_command(*arguments, **more)
        assert done.code == 0, done.err
        return done.out

    async def router(_query: TestRouter) -> RouterFound:
        return FOUND

    await said("owner")
    async with answering(ronda_command.bus, {TestRouter: router}):
        await said("router", "add", "gw", "--host", "127.0.0.1", "--user", "ronda", RONDA_ROUTER_PASSWORD=PASSWORD)
    made = await said("router", "token", "gw")
    secret = next(word for word in made.split() if word.startswith("rr_"))
    assert f"/ingest/routeros/{secret}" in made
    assert "/ppp profile, on-up" in made
    listed = await said("router", "tokens", "gw")
    assert secret not in listed
    number = listed.splitlines()[-1].split()[0]
    assert "/ingest/routeros/TOKEN" in await said("router", "scripts", "gw")
    assert "revoked" in await said("router", "revoke", "gw", number)
    assert (await ronda_command("router", "revoke", "gw", number)).code == 1


async def test_what_is_watched_how_patiently_and_when_not_to_alarm(ronda_command: CommandLine):
    async def said(*arguments: str) -> str:
        done = await ronda_command(*arguments)
        assert done.code == 0, done.err
        return done.out

    await said("owner")
    await said("site", "add", "Waru", "--policy", "infra")
    assert "0.5" in await said("policy", "add", "towers", "--based-on", "infra", "--set", "interval_s=0.5")
    await said("group", "add", "Towers", "--policy", "towers")
    await said("host", "add", "core-1", "--address", "10.0.0.1", "--site", "Waru")
    added = await said(
        *("host", "add", "portal", "--address", "10.0.0.2", "--site", "Waru", "--group", "Towers"),
        *("--url", "https://portal.example.net/", "--parent", "core-1"),
    )
    assert "http" in added
    listed = {line.split()[0]: line.split() for line in (await said("host", "list")).splitlines()}
    assert (listed["core-1"][4], listed["portal"][4]) == ("infra", "towers")

    assert "Antennas" in await said("maintenance", "add", "Antennas", "--hours", "2", "--site", "Waru")
    assert "ended" in await said("maintenance", "end", "Antennas")
    again = await ronda_command("maintenance", "end", "Antennas")
    assert (again.code, again.err) == (1, "there is no work «Antennas» that is not over\n")

    in_use = await ronda_command("policy", "remove", "towers")
    assert in_use.code == 1
    assert "the group Towers" in in_use.err
    nonsense = await ronda_command("policy", "change", "edge", "--set", "train_size=0")
    assert "lengthen «quality_window_s»" in nonsense.err
    assert "is not like interval_s=5" in (await ronda_command("policy", "change", "edge", "--set", "soon")).err


async def test_report_of_a_month(ronda_command: CommandLine):
    await ronda_command("owner")
    await ronda_command("site", "add", "Waru")
    await ronda_command("host", "add", "core-1", "--address", "10.20.0.1", "--site", "Waru")
    for more in ((), ("--site", "Waru")):
        found = await ronda_command("report", "availability", "--month", "2026-10", *more)
        assert found.code == 0, found.err
        head, row, last = found.out.splitlines()
        assert head.split()[:3] == ["site", "host", "available"]
        assert row.split() == ["Waru", "core-1", "-", "0:00:00", "0:00:00", "744:00:00", "0:00:00", "0", "-"]
        assert last.startswith("2026-10, 2026-10-01T00:00:00Z to 2026-11-01T00:00:00Z: - ")
    wrong = await ronda_command("report", "availability", "--month", "October")
    assert wrong.code == 1
    assert "Write the month like 2026-11." in wrong.err


async def test_what_is_wrong_is_said_in_one_sentence_and_by_exit_code(ronda_command: CommandLine):
    nobody = await ronda_command("site", "list")
    assert (nobody.code, nobody.out) == (1, "")
    assert nobody.err.startswith("no token: make the owner with `ronda owner`")

    assert (await ronda_command("site", "list", RONDA_API_TOKEN="ronda_wrong")).code == 1
    assert (await ronda_command("owner")).code == 0
    again = await ronda_command("owner")
    assert again.code == 1
    assert "ronda owner --login owner --reset" in again.err
    reset = await ronda_command("owner", "--reset", "--json")
    assert json.loads(reset.out).keys() == {"login", "password", "token"}

    await ronda_command("site", "add", "Waru")
    unknown = await ronda_command("host", "add", "x", "--address", "10.0.0.1", "--site", "Sidoarjo")
    assert unknown.code == 1
    assert "there is no «Sidoarjo» in sites; there are: Waru" in unknown.err

    faulty = await ronda_command("chat", "add", "x", "--channel", "whatsapp", "--address", "no number")
    assert faulty.code == 1
    assert "address" in faulty.err

    for said in (nobody, again, unknown, faulty):
        assert "Traceback" not in said.err

    missing = await ronda_command("router", "try")
    assert missing.code == 2, "a wrong call is not a refusal"


async def test_dead_letters_are_listed_shown_and_tried_again(ronda_command: CommandLine):
    empty = await ronda_command("dlq", "list")
    assert empty.code == 0, empty.err
    assert empty.out.split() == ["number", "died_at", "consumer", "type", "reason"]

    headers = {
        "ce-type": "ronda.v1.evt.host.down",
        "ronda-dead-reason": "no such host",
        "ronda-dead-consumer": "alerts",
        "ronda-dead-stream": "EVENTS",
        "ronda-dead-subject": "ronda.v1.evt.host.down.waru.x",
    }
    await ronda_command.bus.publish_stored(subject(Kind.DEAD, "EVENTS", "alerts"), headers, b'{"broken": 1}')
    listed = await ronda_command("dlq", "list")
    assert "no such host" in listed.out
    number = listed.out.splitlines()[1].split()[0]
    assert '{"broken": 1}' in (await ronda_command("dlq", "show", number)).out
    assert (await ronda_command("dlq", "replay", number)).code == 0
    gone = await ronda_command("dlq", "show", number)
    assert (gone.code, gone.err.strip()) == (1, f"there is no dead letter {number}")

    async def handled_again() -> list[str]:
        return [letter.subject async for letter in ronda_command.bus.stored(DLQ)]

    assert await until(handled_again) == ["ronda.v1.dlq.EVENTS.api-projection"], "it reached who reads such events"


@asynccontextmanager
async def answering(bus: NatsBus, answers: Mapping[type[Query[Any]], Answerer]) -> AsyncIterator[None]:
    """Stand in for the services that the api asks."""

    async def answers_now(query: type[Query[Any]]) -> bool:
        try:
            await bus.request(query.example())
        except NotAllowed:
            return True
        except Temporary:
            return False
        return True

    tasks = [asyncio.create_task(bus.serve(query, answer, queue="test")) for query, answer in answers.items()]
    try:
        for query in answers:
            await until(lambda query=query: answers_now(query))
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
