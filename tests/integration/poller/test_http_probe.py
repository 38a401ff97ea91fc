"""Pages on real sockets: what a page must be like, and what its certificate may be."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from services.poller.adapters.http import HttpProbe
from services.poller.ports import target_of
from shared.clock import SystemClock
from shared.contracts.ids import HostId, SiteId
from shared.contracts.inventory import PROBE_POLICIES, Host, HttpCheck
from shared.contracts.vocabulary import ProbeFailure, ProbeKind
from tests.fakes.asker import RecordingAsker
from tests.fakes.network import FakeResolver
from tests.support.pages import Authority, page, web_server


class Desk:
    """A probe, who trusts the test's authority, and what was told."""

    def __init__(self, authority: Authority) -> None:
        self.remarks: list[str] = []
        self.resolver = FakeResolver({"elsewhere.test": "127.0.0.1"})
        self.probe = HttpProbe(
            self.resolver, SystemClock(), lambda _host, words: self.remarks.append(words), tls=authority.trusted
        )

    async def ask(self, url: str, timeout_s: float = 5.0, **check: object) -> RecordingAsker:
        asker = RecordingAsker()
        host = Host(
            id=HostId("01page"),
            site_id=SiteId("waru"),
            name="portal",
            address="127.0.0.1",
            probe=ProbeKind.HTTP,
            http=HttpCheck.model_validate({"url": url, **check}),
        )
        self.probe.ask(target_of(host, "127.0.0.1", PROBE_POLICIES["standard"]), 1, timeout_s, asker)
        await asker.until(1, 10)
        return asker

    async def failure(self, url: str, **options: object) -> ProbeFailure:
        asker = await self.ask(url, **options)
        assert asker.losses, (asker.answers, asker.blinds)
        return asker.losses[0][2]

    async def lives(self, url: str, **options: object) -> bool:
        asker = await self.ask(url, **options)
        assert not asker.losses + asker.blinds, asker.losses + asker.blinds
        return asker.answers[0][1] > 0


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def desk(authority: Authority) -> AsyncIterator[Desk]:
    here = Desk(authority)
    yield here
    await here.probe.close()


async def test_page_is_asked_by_the_name_in_the_url_wherever_that_name_leads(desk):
    asked = []
    async with web_server(lambda head: asked.append(head) or page()) as port:
        assert await desk.lives(f"http://portal.test:{port}/masuk?a=b c#x", text="Ronda")
    assert asked[0].startswith("GET /masuk?a=b%20c HTTP/1.1\r\n")
    assert f"\r\nhost: portal.test:{port}\r\n" in asked[0].lower()


@pytest.mark.parametrize(
    ("answer", "check", "failure"),
    [
        pytest.param(page(status=503), {}, ProbeFailure.WRONG_STATUS, id="status"),
        pytest.param(page("maaf"), {"text": "Ronda"}, ProbeFailure.TEXT_MISSING, id="text"),
        pytest.param(page("x" * 70_000 + "Ronda"), {"text": "Ronda"}, ProbeFailure.TEXT_MISSING, id="text-too-late"),
        pytest.param(b"SSH-2.0-ROSSSH\r\n", {}, ProbeFailure.WRONG_ANSWER, id="no-http"),
        pytest.param(page(status=302, Location="/"), {}, ProbeFailure.TOO_MANY_REDIRECTS, id="circle"),
        pytest.param(
            page(status=302, Location="http://nobody.test/"), {}, ProbeFailure.NAME_NOT_RESOLVED, id="to-nobody"
        ),
        pytest.param(page(status=302, Location="/"), {"max_redirects": 0}, ProbeFailure.WRONG_STATUS, id="no-redirect"),
        pytest.param(b"", {"timeout_s": 0.2}, ProbeFailure.TIMEOUT, id="silence"),
    ],
)
async def test_page_that_is_not_as_it_should_be_is_a_loss(desk, answer, check, failure):
    async with web_server(lambda _: answer) as port:
        assert await desk.failure(f"http://portal.test:{port}/", **check) is failure


@pytest.mark.parametrize(
    ("answer", "check"),
    [
        pytest.param(page(status=401), {"statuses": (200, 401)}, id="wanted-status"),
        pytest.param(page(status=302, Location="/"), {"statuses": (302,)}, id="wanted-redirect"),
        pytest.param(page("x" * 60_000 + "Ronda" + "y" * 60_000), {"text": "Ronda"}, id="text-far-down"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nRon\r\n2\r\nda\r\n0\r\n\r\n",
            {"text": "Ronda"},
            id="chunked",
        ),
        pytest.param(b"HTTP/1.0 200 OK\r\n\r\nRonda", {"text": "Ronda"}, id="until-the-end"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=latin-1\r\n\r\ncaf\xe9",
            {"text": "café"},
            id="charset",
        ),
        pytest.param(b"HTTP/1.1 103 x\r\n\r\n" + page(), {"text": "Ronda"}, id="early-hints"),
    ],
)
async def test_page_that_is_as_it_should_be_is_an_answer(desk, answer, check):
    async with web_server(lambda _: answer) as port:
        assert await desk.lives(f"http://portal.test:{port}/", **check)


async def test_redirects_are_followed_to_other_machines(desk):
    async with web_server(lambda _: page("Ronda")) as there:
        hop = page(status=301, Location=f"http://elsewhere.test:{there}/x")
        async with web_server(lambda _: hop) as here:
            assert await desk.lives(f"http://portal.test:{here}/", text="Ronda", max_redirects=1)


async def test_closed_port_refuses(desk):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert await desk.failure(f"http://portal.test:{port}/") is ProbeFailure.REFUSED


@pytest.mark.parametrize(
    ("certificate", "verify", "lost"),
    [
        pytest.param({}, True, False, id="good"),
        pytest.param({"name": "127.0.0.1"}, True, True, id="other-name"),
        pytest.param({"days": -1}, True, True, id="expired"),
        pytest.param({"alone": True}, True, True, id="self-signed"),
        pytest.param({"days": -1, "alone": True, "name": "x.test"}, False, False, id="nobody-looks"),
    ],
)
async def test_certificate_must_be_of_somebody_we_trust_and_for_the_name_of_the_url(
    desk, authority, certificate, verify, lost
):
    async with web_server(lambda _: page(), authority.context(**certificate)) as port:
        url = f"https://portal.test:{port}/"
        if lost:
            assert await desk.failure(url, verify_certificate=verify) is ProbeFailure.CERTIFICATE
        else:
            assert await desk.lives(url, verify_certificate=verify)


async def test_port_that_speaks_no_tls_is_a_wrong_answer(desk):
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 portal ESMTP\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert await desk.failure(f"https://portal.test:{port}/") is ProbeFailure.WRONG_ANSWER


async def test_certificate_that_ends_soon_is_a_remark_and_no_loss(desk, authority):
    async with web_server(lambda _: page(), authority.context(days=9)) as port:
        for _ in range(3):
            assert await desk.lives(f"https://portal.test:{port}/", certificate_days=14)
    [words] = desk.remarks
    assert words.startswith("the certificate ends on 20")
    async with web_server(lambda _: page(), authority.context(days=90)) as port:
        for _ in range(10):
            assert await desk.lives(f"https://portal.test:{port}/", certificate_days=14)
    assert desk.remarks == [words, ""]


async def test_address_that_is_none_says_what_to_do(desk):
    asker = await desk.ask("ftp://portal.test/")
    assert "http://" in asker.blinds[0][1]
