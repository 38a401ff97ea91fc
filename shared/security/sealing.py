"""Sealing: a secret text as a string that may travel on the bus or lie in a table.

AES-256-GCM with a random 96-bit nonce. A sealed text is `<key id>.<nonce>.<ciphertext and tag>`, base64url without
padding, so it fits in a URL, a header and a JSON string. The purpose and the key id are associated data: a router's
password pasted into an account's row does not open. A random nonce is safe for 2^32 seals per key (NIST SP 800-38D,
8.3), far beyond what passwords need.

A key ring is `RONDA_SEAL_KEYS`: `k2:<base64url>,k1:<base64url>`. The first key seals, any opens. To rotate: put a new
key in front, restart, seal again what `needs_resealing` names, then drop the old key.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Mapping
from typing import Final, final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.errors import Invalid, Misconfigured, NotAllowed
from shared.security.secret import Secret

ROUTER_PASSWORD: Final = "router-password"  # noqa: S105 — a purpose, not a password
ACCOUNT_PASSWORD: Final = "account-password"  # noqa: S105

_KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")


def generate_key(key_id: str = "k1") -> str:
    """A new random key as one entry of `RONDA_SEAL_KEYS`."""
    return f"{key_id}:{_encode(os.urandom(_KEY_BYTES))}"


@final
class KeyRing:
    """The keys a service has. Shows the ids, never the keys."""

    __slots__ = ("_ciphers", "_first")

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        """`keys` by id, the sealing key first. Raises Misconfigured if there is none or one has a wrong length."""
        if not keys:
            raise Misconfigured("the seal keys are empty: give at least one as <id>:<base64url of 32 bytes>")
        for key_id, key in keys.items():
            _check_key(key_id, key)
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._first = next(iter(keys))

    @classmethod
    def parse(cls, text: str) -> KeyRing:
        """Read `<id>:<key>` entries separated by commas or white space. Raises Misconfigured, without the keys."""
        keys: dict[str, bytes] = {}
        for position, entry in enumerate(re.split(r"[,\s]+", text.strip(", \t\r\n")) if text.strip() else [], start=1):
            key_id, colon, encoded = entry.partition(":")
            if not colon:
                raise Misconfigured(f"seal key {position} is not <id>:<base64url of 32 bytes>")
            if key_id in keys:
                raise Misconfigured(f"two seal keys are called {key_id!r}")
            keys[key_id] = _decode_key(position, encoded)
        return cls(keys)

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The ids, the sealing key first."""
        return tuple(self._ciphers)

    def seal(self, plain: str, *, purpose: str) -> str:
        """Encrypt `plain` with the first key, for `purpose` alone."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self._first].encrypt(nonce, plain.encode(), _associated(self._first, purpose))
        return f"{self._first}.{_encode(nonce)}.{_encode(sealed)}"

    def open(self, sealed: str, *, purpose: str) -> Secret:
        """Decrypt. Raises Invalid if this is no sealed text, NotAllowed if no key of ours opens it for this purpose."""
        key_id, nonce, ciphertext = _split(sealed)
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise NotAllowed(f"sealed with key {key_id!r}, which is not among the seal keys here ({self!r})")
        try:
            plain = cipher.decrypt(nonce, ciphertext, _associated(key_id, purpose))
        except InvalidTag as wrong:
            raise NotAllowed(f"does not open as {purpose}: another key, another purpose, or altered") from wrong
        return Secret(plain.decode())

    def needs_resealing(self, sealed: str) -> bool:
        """Whether a key other than the first one sealed this. Raises Invalid if this is no sealed text."""
        return _split(sealed)[0] != self._first

    def __repr__(self) -> str:
        return f"KeyRing({', '.join(self._ciphers)})"


def _check_key(key_id: str, key: bytes) -> None:
    if not _KEY_ID.fullmatch(key_id):
        raise Misconfigured(f"the seal key id {key_id[:32]!r} may hold letters, digits, _ and - only, 32 at most")
    if len(key) != _KEY_BYTES:
        raise Misconfigured(f"seal key {key_id!r} has {len(key)} bytes instead of {_KEY_BYTES}")


def _decode_key(position: int, encoded: str) -> bytes:
    try:
        return _decode(encoded.rstrip("=").replace("+", "-").replace("/", "_"))
    except ValueError as wrong:
        raise Misconfigured(f"seal key {position} is not base64") from wrong


def _associated(key_id: str, purpose: str) -> bytes:
    return f"ronda\0{key_id}\0{purpose}".encode()


def _split(sealed: str) -> tuple[str, bytes, bytes]:
    """The three parts. Only the canonical spelling passes, so one secret has one sealed text per nonce."""
    parts = sealed.split(".")
    try:
        key_id, nonce, ciphertext = parts[0], _decode(parts[1]), _decode(parts[2])
    except (IndexError, ValueError) as wrong:
        raise Invalid("not a sealed text: expected <key id>.<nonce>.<ciphertext>") from wrong
    if len(parts) != 3 or not _KEY_ID.fullmatch(key_id) or len(nonce) != _NONCE_BYTES or len(ciphertext) < _TAG_BYTES:
        raise Invalid("not a sealed text: expected <key id>.<nonce>.<ciphertext>")
    return key_id, nonce, ciphertext


def _encode(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    """Undo `_encode`; ValueError for anything that `_encode` would not have written."""
    try:
        octets = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as wrong:
        raise ValueError("not base64url") from wrong
    if _encode(octets) != text:
        raise ValueError("not canonical base64url")
    return octets
