"""TLS for the api-ssl service: anonymous Diffie-Hellman without a certificate, as real routers do, or one
made here."""

from __future__ import annotations

import base64
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
        _load_group(context)
        return context
    if service.get("tls-version") == "only-1.2":
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    _load(context, *self_signed(service["certificate"]))
    return context


def _load_group(context: ssl.SSLContext) -> None:
    """The group of the key exchange: OpenSSL offers no anonymous one before it has a group."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "group.pem")
        path.write_bytes(group_pem())
        context.load_dh_params(str(path))


@functools.lru_cache(maxsize=1)
def group_pem() -> bytes:
    """The 2048-bit group of RFC 7919, appendix A.1, computed from its definition."""
    shift = 1918
    guard = 64
    scaled_e, term, divisor = 0, 1 << (shift + guard), 1
    while term:
        scaled_e += term
        term //= divisor
        divisor += 1
    middle = (scaled_e >> guard) + 560316
    prime = 2**2048 - 2**1984 + middle * 2**64 - 1
    # SEQUENCE { INTEGER prime (a zero in front keeps it positive), INTEGER 2 }
    numbers = b"\x02\x82\x01\x01\x00" + prime.to_bytes(256, "big") + b"\x02\x01\x02"
    der = b"\x30\x82" + len(numbers).to_bytes(2, "big") + numbers
    body = base64.encodebytes(der).decode()
    return f"-----BEGIN DH PARAMETERS-----\n{body}-----END DH PARAMETERS-----\n".encode()


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
