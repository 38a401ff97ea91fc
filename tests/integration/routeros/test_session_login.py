"""Getting in: both logins, refusals, and TLS that says no to a stranger."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import ssl
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from shared.clock import SystemClock
from shared.errors import Misconfigured, NotAllowed, Unreachable
from shared.routeros import CertificateRefused, RouterSession, Tls, TlsMode
from tests.integration.routeros.scripted_peer import Line, peer

DH_GROUP = Path(__file__).parents[2] / "data/routeros/anonymous-dh-1024.pem"
CHALLENGE = "ebddd18303a54111e2dea05a92ab46b4"


async def introduce(line: Line) -> None:
    await line.introduce()
    await line.until_closed()


@pytest.mark.parametrize("password", ["rahasia", "sändi-ñ", "caf\udce9"], ids=["ascii", "utf-8", "raw byte"])
async def test_old_challenge_is_answered(password: str):
    async def script(line: Line) -> None:
        tag, _ = await line.expect("/login")
        line.done(tag, f"=ret={CHALLENGE}")
        tag, attributes = await line.expect("/login")
        raw = password.encode("utf-8", "surrogateescape")
        expected = hashlib.md5(b"\0" + raw + bytes.fromhex(CHALLENGE)).hexdigest()  # noqa: S324
        assert attributes == {"name": "ronda", "response": f"00{expected}"}
        line.done(tag)
        await line.tell_facts("6.42.12 (long-term)")
        await line.until_closed()

    async with peer(script) as router:
        address = router.address(password=SecretStr(password))
        async with await RouterSession.connect(address) as session:
            assert session.facts.version.minor == 42


@pytest.mark.parametrize("words", ["invalid user name or password (6)", "cannot log in"])
async def test_wrong_password_is_not_allowed_in_the_routers_words(words: str):
    async def script(line: Line) -> None:
        tag, _ = await line.expect("/login")
        line.trap(tag, words)
        line.done(tag)
        await line.until_closed()

    async with peer(script) as router:
        with pytest.raises(NotAllowed) as refused:
            await RouterSession.connect(router.address())
    assert refused.value.words == words
    assert "rahasia" not in str(refused.value)


async def test_a_refused_challenge_is_not_allowed():
    async def script(line: Line) -> None:
        tag, _ = await line.expect("/login")
        line.done(tag, f"=ret={CHALLENGE}")
        tag, _ = await line.expect("/login")
        line.trap(tag, "cannot log in")
        line.done(tag)
        await line.until_closed()

    async with peer(script) as router:
        with pytest.raises(NotAllowed, match="cannot log in"):
            await RouterSession.connect(router.address())


async def test_a_challenge_that_is_no_hex_is_unreachable():
    async def script(line: Line) -> None:
        tag, _ = await line.expect("/login")
        line.done(tag, "=ret=nonsense")
        await line.until_closed()

    async with peer(script) as router:
        with pytest.raises(Unreachable):
            await RouterSession.connect(router.address())


async def test_a_peer_that_never_answers_is_unreachable():
    async with peer(Line.until_closed) as router:
        with pytest.raises(Unreachable, match="in time"):
            await RouterSession.connect(router.address(connect_timeout=0.1))


async def test_a_service_that_closes_at_once_is_unreachable():
    async def script(line: Line) -> None:
        return None

    async with peer(script) as router:
        with pytest.raises(Unreachable):
            await RouterSession.connect(router.address())


async def test_a_closed_port_is_unreachable():
    async with peer(introduce) as router:
        address = router.address()
    with pytest.raises(Unreachable):
        await RouterSession.connect(address)


async def test_a_router_that_is_still_starting_is_unreachable():
    async def script(line: Line) -> None:
        await line.introduce("")
        await line.until_closed()

    async with peer(script) as router:
        with pytest.raises(Unreachable, match="starting"):
            await RouterSession.connect(router.address())


async def test_nothing_is_logged_at_login(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    async with peer(introduce) as router, await RouterSession.connect(router.address()):
        pass
    assert "rahasia" not in caplog.text
    assert "rahasia" not in repr(router.address())
    assert not logging.getLogger("librouteros").isEnabledFor(logging.DEBUG)


# ── TLS ─────────────────────────────────────────────────────────────────────────────────────────────────────


class Certificate:
    """A self-signed certificate for a name, as files."""

    def __init__(self, folder: Path, host: str) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        now = SystemClock().now()
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .sign(key, hashes.SHA256())
        )
        self.file = folder / f"{host}.pem"
        self.fingerprint = made.fingerprint(hashes.SHA256()).hex(":")
        self.file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + made.public_bytes(serialization.Encoding.PEM)
        )

    def server(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file)
        return context


async def connects(certificate: Certificate, tls: Tls, host: str = "localhost") -> None:
    async with (
        peer(introduce, certificate.server()) as router,
        await RouterSession.connect(router.address(tls, host=host)) as session,
    ):
        assert session.facts.identity == "Menara-1"


async def test_a_trusted_certificate_for_the_host_is_accepted(tmp_path: Path):
    certificate = Certificate(tmp_path, "localhost")
    await connects(certificate, Tls(TlsMode.VERIFY, ca_file=certificate.file))


async def test_an_unknown_authority_is_refused(tmp_path: Path):
    with pytest.raises(CertificateRefused):
        await connects(Certificate(tmp_path, "localhost"), Tls(TlsMode.VERIFY))


async def test_another_hosts_certificate_is_refused(tmp_path: Path):
    certificate = Certificate(tmp_path, "another.example")
    with pytest.raises(CertificateRefused):
        await connects(certificate, Tls(TlsMode.VERIFY, ca_file=certificate.file))


async def test_the_pinned_certificate_is_accepted_whatever_its_name(tmp_path: Path):
    certificate = Certificate(tmp_path, "another.example")
    await connects(certificate, Tls(TlsMode.PINNED, fingerprint=certificate.fingerprint.upper()))


async def test_another_than_the_pinned_certificate_gets_no_login(tmp_path: Path):
    seen: list[bytes] = []

    async def script(line: Line) -> None:
        seen.append(await line.reader.read(1))

    certificate = Certificate(tmp_path, "localhost")
    async with peer(script, certificate.server()) as router:
        with pytest.raises(CertificateRefused, match=certificate.fingerprint.replace(":", "")):
            await RouterSession.connect(router.address(Tls(TlsMode.PINNED, fingerprint="ab" * 32)))
    assert not any(seen)


async def test_anonymous_tls_works_without_any_certificate():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ADH:@SECLEVEL=0")
    context.load_dh_params(str(DH_GROUP))
    async with (
        peer(introduce, context) as router,
        await RouterSession.connect(router.address(Tls(TlsMode.ANONYMOUS))) as session,
    ):
        assert session.is_open


async def test_tls_to_a_plain_port_is_unreachable():
    async def script(line: Line) -> None:
        await line.reader.read(1)

    async with peer(script) as router:
        with pytest.raises(Unreachable):
            await RouterSession.connect(router.address(Tls(TlsMode.PINNED, fingerprint="ab" * 32)))


async def test_an_unreadable_ca_file_is_the_operators_mistake(tmp_path: Path):
    async with peer(introduce) as router:
        with pytest.raises(Misconfigured, match="missing"):
            await RouterSession.connect(router.address(Tls(TlsMode.VERIFY, ca_file=tmp_path / "missing.pem")))


async def test_many_connects_at_once_leave_nothing_open():
    async with peer(introduce) as router:
        sessions = await asyncio.gather(*(RouterSession.connect(router.address()) for _ in range(5)))
        await asyncio.gather(*(session.close() for session in sessions))
    assert router.connections == 5


@pytest.mark.parametrize("mode", [TlsMode.OFF, TlsMode.PINNED])
async def test_a_connect_cancelled_at_any_moment_is_cancelled(mode: TlsMode, tmp_path: Path):
    certificate = Certificate(tmp_path, "localhost")
    tls = Tls(mode, fingerprint=certificate.fingerprint)
    context = certificate.server() if mode is TlsMode.PINNED else None

    async def script(line: Line) -> None:
        while True:
            command, tag, _ = await line.command()
            if command.startswith("/system"):
                line.row(tag, "=name=Menara-1", "=version=7.16", "=uptime=1s")
            line.done(tag)

    async with peer(script, context) as router:
        for steps in range(40):
            task = asyncio.create_task(RouterSession.connect(router.address(tls)))
            for _ in range(steps):
                await asyncio.sleep(0)
            connected = task.done()
            task.cancel()
            (outcome,) = await asyncio.gather(task, return_exceptions=True)
            if connected:
                await outcome.close()
            else:
                assert isinstance(outcome, asyncio.CancelledError), steps
        names = {task.get_name() for task in asyncio.all_tasks()}
        assert not any(name.startswith("routeros") for name in names)
