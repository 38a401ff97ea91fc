"""TLS for the api-ssl service: anonymous Diffie-Hellman without a certificate, as real routers do, or one
made here."""

from __future__ import annotations

import datetime
import functools
import ipaddress
import ssl
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lab.routers.menu import Item

ANONYMOUS = "ADH:@SECLEVEL=0"
LOCAL = ipaddress.IPv4Address("127.0.0.1")


def server_context(service: Item | None) -> ssl.SSLContext:
    """The server's side of TLS, as the row of `api-ssl` in /ip/service asks."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if service is None or service.get("certificate", "none") == "none":
        # TLS 1.3 has no anonymous key exchange, so 1.2 is the highest the service can offer.
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(ANONYMOUS)
        return context
    if service.get("tls-version") == "only-1.2":
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    _load(context, *self_signed(service["certificate"]))
    return context


def _load(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """Python loads certificates from files only."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "router.pem")
        path.touch(mode=0o600)
        path.write_bytes(certificate + key)
        context.load_cert_chain(path)


@functools.lru_cache(maxsize=16)
def self_signed(name: str) -> tuple[bytes, bytes]:
    """A certificate for `name` and 127.0.0.1, and its key, in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=3650))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name), x509.IPAddress(LOCAL)]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM), private
