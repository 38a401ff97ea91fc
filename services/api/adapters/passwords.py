"""People's passwords: argon2id with the library's current parameters (RFC 9106, low memory)."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError


class Argon2Hasher:
    """Hashes and verifies. Both take tens of milliseconds of a core on purpose: call them in a thread."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._nobody = self._hasher.hash("nobody has this password")

    def hash(self, password: str) -> str:
        """A salted hash."""
        return self._hasher.hash(password)

    def verify(self, password_hash: str, password: str) -> bool:
        """Whether the password belongs to the hash. A hash that is none takes as long as a wrong password."""
        try:
            return self._hasher.verify(password_hash, password)
        except InvalidHashError:
            self._burn(password)
            return False
        except VerificationError:
            return False

    def _burn(self, password: str) -> None:
        try:
            self._hasher.verify(self._nobody, password)
        except VerificationError:
            return
