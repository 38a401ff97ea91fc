"""HTTP probe: the page is there, says what it should, and its certificate holds.

Every try is a fresh connection to the host's own address with the name of the url, so that a balancer, a kept-alive
connection or the name server can never answer in the host's place. h11 reads the protocol; connecting is ours, because
clients that pool connections and choose addresses themselves have to be talked out of both (see docs/decisions).
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from email.message import Message
from functools import cache

import h11

from services.poller.adapters.tasked import CannotAsk, ProbeLost, TaskedProbe
from services.poller.adapters.tcp import tcp_socket
from services.poller.core.pages import (
    LOOKED_AT,
    CertificateRemarks,
    Page,
    PageAddress,
    certificate_words,
    next_address,
    page_address,
    page_fault,
)
from services.poller.ports import Resolver, Target
from shared.clock import Clock
from shared.contracts.ids import HostId
from shared.contracts.inventory import HttpCheck
from shared.contracts.vocabulary import ProbeFailure
from shared.errors import Invalid, NotFound, RondaError

Remark = Callable[[HostId, str], None]
"""Hears what needs a person soon although the host answers; empty words: no more."""

_CHUNK = 16 * 1024


class HttpProbe(TaskedProbe):
    """Asks for a page the way a browser does that forgets everything."""

    def __init__(
        self, resolver: Resolver, clock: Clock, remark: Remark, *, tls: Callable[[bool], ssl.SSLContext] | None = None
    ) -> None:
        super().__init__()
        self._tls = tls or tls_context
        self._resolver = resolver
        self._clock = clock
        self._remark = remark
        self._remarks = CertificateRemarks()

    async def try_once(self, target: Target, timeout_s: float) -> None:  # noqa: ARG002
        if target.host is None or target.host.http is None:
            raise CannotAsk("this host has no page to ask for: give it a url")
        check = target.host.http
        try:
            address = first = page_address(check.url)
            for _ in range(check.max_redirects + 1):
                page = await self._page(target, first, address, check)
                following = next_address(address, page, check)
                if following is None:
                    break
                address = following
            else:
                raise ProbeLost(ProbeFailure.TOO_MANY_REDIRECTS)
        except Invalid as wrong:
            raise CannotAsk(str(wrong)) from wrong
        if fault := page_fault(page, check):
            raise ProbeLost(fault)

    async def _page(self, target: Target, first: PageAddress, asked: PageAddress, check: HttpCheck) -> Page:
        # The name of the url is the host, whatever it resolves to; a redirect may lead to another machine.
        number = target.address if asked.name == first.name else await self._resolve(asked.name)
        context = self._tls(check.verify_certificate) if asked.tls else None
        async with _connected(number, asked, context) as (reader, writer):
            if context is not None and target.host is not None and asked.name == first.name:
                self._look_at_certificate(target.host.id, writer, check)
            return await _exchange(reader, writer, asked, LOOKED_AT if check.text else 0)

    async def _resolve(self, name: str) -> str:
        try:
            return await self._resolver.resolve(name)
        except NotFound as unknown:
            raise ProbeLost(ProbeFailure.NAME_NOT_RESOLVED) from unknown
        except RondaError as trouble:
            raise CannotAsk(str(trouble)) from trouble

    def _look_at_certificate(self, host_id: HostId, writer: asyncio.StreamWriter, check: HttpCheck) -> None:
        """Only a certificate that was verified is read: of another one nobody wants to know when it ends."""
        if not check.verify_certificate:
            return
        ends = (writer.get_extra_info("peercert") or {}).get("notAfter")
        if ends is None:
            return
        ends_at = datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC)
        words = certificate_words(ends_at, self._clock.now(), check.certificate_days)
        if (new := self._remarks.seen(host_id, words)) is not None:
            self._remark(host_id, new)


@contextlib.asynccontextmanager
async def _connected(
    number: str, asked: PageAddress, context: ssl.SSLContext | None
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    sock = tcp_socket(number)
    try:
        await asyncio.get_running_loop().sock_connect(sock, (number, asked.port))
        reader, writer = await asyncio.open_connection(
            sock=sock, ssl=context, server_hostname=asked.name if context else None, limit=_CHUNK
        )
    except ssl.SSLCertVerificationError as refused:
        sock.close()
        raise ProbeLost(ProbeFailure.CERTIFICATE) from refused
    except ssl.SSLError as refused:  # no TLS there, or none that we speak
        sock.close()
        raise ProbeLost(ProbeFailure.WRONG_ANSWER) from refused
    except BaseException:
        sock.close()
        raise
    try:
        yield reader, writer
    except ssl.SSLError as broken:
        raise ProbeLost(ProbeFailure.WRONG_ANSWER) from broken
    finally:
        writer.transport.abort()


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: PageAddress, most: int) -> Page:
    """Ask, and read the head and at most `most` bytes of the page."""
    connection = h11.Connection(h11.CLIENT)
    headers = [
        ("host", asked.host_header),
        ("user-agent", "Ronda"),
        ("accept", "*/*"),
        ("accept-encoding", "identity"),
        ("connection", "close"),
    ]
    request = h11.Request(method="GET", target=asked.path, headers=headers)
    writer.write((connection.send(request) or b"") + (connection.send(h11.EndOfMessage()) or b""))
    response: h11.Response | None = None
    body = bytearray()
    try:
        async for event in _events(connection, reader):
            if isinstance(event, h11.Response):
                response = event
                if not most:
                    break
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) >= most:
                    break
    except h11.RemoteProtocolError as nonsense:
        if response is None:
            raise ProbeLost(ProbeFailure.WRONG_ANSWER) from nonsense  # a page cut short is judged as it came
    if response is None:
        raise ProbeLost(ProbeFailure.WRONG_ANSWER)
    return _page_of(response, bytes(body[:most]))


async def _events(connection: h11.Connection, reader: asyncio.StreamReader) -> AsyncIterator[h11.Event]:
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(_CHUNK))
        elif isinstance(event, h11.Event):
            yield event
            if isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
                return
        else:
            return


def _page_of(response: h11.Response, body: bytes) -> Page:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in response.headers}
    kind = Message()
    kind["content-type"] = headers.get("content-type", "")
    return Page(response.status_code, headers.get("location"), str(kind.get_content_charset("utf-8")), body)


@cache
def tls_context(verify: bool) -> ssl.SSLContext:
    """How certificates are checked, or not at all: by the machine's authorities, or those of `SSL_CERT_FILE`.

    Making one reads the machine's authorities, some ten milliseconds: once per process."""
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
