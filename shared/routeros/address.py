"""Where a router is, who we are there, and how far its certificate is trusted."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from shared.contracts.vocabulary import TlsMode
from shared.errors import Misconfigured

API_PORT = 8728
API_TLS_PORT = 8729


@dataclass(frozen=True)
class Tls:
    """How to protect the connection. `ca_file` replaces the system's authorities in mode VERIFY.

    PINNED: the certificate must be exactly the one whose SHA-256 is known; names and dates do not matter.
    """

    mode: TlsMode = TlsMode.OFF
    ca_file: Path | None = None
    fingerprint: str | None = None

    def __post_init__(self) -> None:
        if self.mode is TlsMode.PINNED and not re.fullmatch(r"[0-9a-f]{64}", self.pin):
            raise Misconfigured("a pinned router certificate needs its SHA-256 fingerprint: 64 hex digits")

    @property
    def pin(self) -> str:
        """The fingerprint as 64 lower-case hex digits, without the colons people paste."""
        return (self.fingerprint or "").replace(":", "").replace(" ", "").lower()


@dataclass(frozen=True)
class RouterAddress:
    """Everything needed to open a session. `connect_timeout`: seconds for TCP and TLS, again for login."""

    host: str
    username: str
    password: SecretStr
    port: int = API_PORT
    tls: Tls = field(default_factory=Tls)
    connect_timeout: float = 10.0

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"
