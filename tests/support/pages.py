"""Web servers on this machine that answer as a test wants, with certificates of an authority of their own."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from shared.clock import SystemClock

Answer = Callable[[str], bytes]
"""From the request's head to everything that the server sends back."""


def page(body: str = "<h1>Ronda jaga</h1>", status: int = 200, **headers: str) -> bytes:
    """A complete answer."""
    named = {
        "Content-Type": "text/html; charset=utf-8",
        **{name.replace("_", "-"): text for name, text in headers.items()},
    }
    head = "".join(f"{name}: {text}\r\n" for name, text in named.items())
    encoded = body.encode()
    return f"HTTP/1.1 {status} x\r\n{head}Content-Length: {len(encoded)}\r\n\r\n".encode() + encoded


class Authority:
    """Makes certificates; `file` is what those who trust it read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Otoritas Uji")])
        self.file = folder / "authority.pem"
        certificate = self._sign(self._name, self._key, self._name, self._key, days=3650, names=(), authority=True)
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def context(self, name: str = "portal.test", *, days: float = 90, alone: bool = False) -> ssl.SSLContext:
        """What a server for `name` needs; `days` from now its certificate ends, `alone`: it is signed by itself."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        signer = (subject, key) if alone else (self._name, self._key)
        certificate = self._sign(subject, key, *signer, days=days, names=(name,), authority=False)
        pem = certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file = self._folder / f"{certificate.serial_number}.pem"
        file.write_bytes(pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def trusted(self, verify: bool) -> ssl.SSLContext:
        """As `adapters.http.tls_context`, with this authority instead of the machine's."""
        context = ssl.create_default_context(cafile=str(self.file))
        if not verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    @staticmethod
    def _sign(
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        issuer: x509.Name,
        issuer_key: ec.EllipticCurvePrivateKey,
        *,
        days: float,
        names: tuple[str, ...],
        authority: bool,
    ) -> x509.Certificate:
        now = SystemClock().now()
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=400))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        )
        if names:
            alternatives = [_alternative(name) for name in names]
            builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        return builder.sign(issuer_key, hashes.SHA256())


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@asynccontextmanager
async def web_server(answer: Answer, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """The port of a server that answers so; one that answers nothing (`b""`) keeps the connection open."""
    writers: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            sent = answer(head.decode("latin-1"))
            if sent:
                writer.write(sent)
                await writer.drain()
                writer.close()
            else:
                await reader.read()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await server.wait_closed()
        await asyncio.sleep(0)
