"""Opens the TCP or TLS connection to a router, and refuses one that is not the router we know."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import os
import socket
import ssl

from librouteros import async_create_transport
from librouteros.connections import AsyncSocketTransport

from shared.contracts.vocabulary import TlsMode
from shared.errors import Misconfigured, Unreachable
from shared.routeros.address import RouterAddress, Tls
from shared.routeros.errors import CertificateRefused

# At DEBUG librouteros prints every word it sends, passwords included.
logging.getLogger("librouteros").setLevel(logging.WARNING)

# A router that lost power sends no FIN. Seconds of silence, seconds between tries, tries.
_KEEPALIVE = (("TCP_KEEPIDLE", 20), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3))


async def open_transport(address: RouterAddress) -> AsyncSocketTransport:
    """Connect. Raises Unreachable, CertificateRefused, or Misconfigured for an unreadable CA file."""
    context = None
    if address.tls.mode is not TlsMode.OFF:
        # Reading the authorities from disk takes milliseconds: not in the event loop.
        context = await asyncio.to_thread(_context, address.tls)
    try:
        # Its own timeout is `wait_for`, which on 3.11 can swallow a cancellation.
        async with asyncio.timeout(address.connect_timeout):
            transport = await async_create_transport(
                address.host, port=address.port, saddr=None, timeout=None, ssl_wrapper=context
            )
    except ssl.SSLCertVerificationError as error:
        raise CertificateRefused(f"{address}: {error.verify_message}") from error
    except TimeoutError as error:
        raise Unreachable(f"{address} did not answer within {address.connect_timeout:g} s") from error
    except OSError as error:
        raise Unreachable(f"{address}: {_reason(error)}") from error
    _keep_alive(transport)
    _check_pin(transport, address)
    return transport


def _reason(error: OSError) -> str:
    """What went wrong in the system's words; asyncio puts a sentence with the address in their place."""
    if error.errno is not None and error.errno > 0:
        return os.strerror(error.errno).lower()
    return error.strerror or str(error) or type(error).__name__


def _context(tls: Tls) -> ssl.SSLContext:
    if tls.mode is TlsMode.VERIFY:
        try:
            return ssl.create_default_context(cafile=tls.ca_file)
        except OSError as error:
            raise Misconfigured(f"cannot read the CA file {tls.ca_file}: {error.strerror or error}") from error
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if tls.mode is TlsMode.ANONYMOUS:
        # `api-ssl` without a certificate offers anonymous Diffie-Hellman only; TLS 1.3 has none, and
        # OpenSSL 3 allows it at security level 0 only.
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("ADH:@SECLEVEL=0")
    return context


def _check_pin(transport: AsyncSocketTransport, address: RouterAddress) -> None:
    if address.tls.mode is not TlsMode.PINNED:
        return
    tls: ssl.SSLObject = transport.writer.get_extra_info("ssl_object")
    seen = hashlib.sha256(tls.getpeercert(binary_form=True) or b"").hexdigest()
    if not hmac.compare_digest(seen, address.tls.pin):
        transport.writer.transport.abort()
        raise CertificateRefused(f"{address}: its certificate has the fingerprint {seen}, not the pinned one")


def _keep_alive(transport: AsyncSocketTransport) -> None:
    raw = transport.writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE:
        if hasattr(socket, name):
            raw.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
