"""What a page check asks for, and what it thinks of what came: pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urljoin, urlsplit

from shared.contracts.inventory import HttpCheck
from shared.contracts.vocabulary import ProbeFailure
from shared.errors import Invalid

LOOKED_AT = 64 * 1024  # bytes of a page in which its text is searched
REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class PageAddress:
    """An address taken apart; `name` is without brackets, as certificates and connections want it."""

    tls: bool
    name: str
    port: int
    path: str

    @property
    def host_header(self) -> str:
        """As RFC 9110 wants it: the port only where it is not the usual one."""
        name = f"[{self.name}]" if ":" in self.name else self.name
        return name if self.port == _PORTS["https" if self.tls else "http"] else f"{name}:{self.port}"

    @property
    def text(self) -> str:
        """As one writes it."""
        return f"{'https' if self.tls else 'http'}://{self.host_header}{self.path}"


@dataclass(frozen=True, slots=True)
class Page:
    """What a server answered: the begin of the body as far as it was looked at."""

    status: int
    location: str | None = None
    charset: str = "utf-8"
    body: bytes = b""


def page_address(url: str) -> PageAddress:
    """Read an address. Raises Invalid for what is no address of a page."""
    try:
        parts = urlsplit(url)
        port = parts.port
        name = (parts.hostname or "").encode("idna").decode() if not _numeric6(parts.hostname) else parts.hostname
    except (ValueError, UnicodeError) as wrong:
        raise Invalid(f"{url} is not the address of a page") from wrong
    if parts.scheme not in _PORTS or not name:
        raise Invalid(f"{url} is not the address of a page: it begins with http:// or https:// and a name")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    # Only what HTTP allows in a request line; everything else is percent-encoded byte by byte.
    path = "".join(char if "!" <= char <= "~" else "".join(f"%{byte:02X}" for byte in char.encode()) for char in path)
    return PageAddress(parts.scheme == "https", name or "", port or _PORTS[parts.scheme], path)


def next_address(asked: PageAddress, page: Page, check: HttpCheck) -> PageAddress | None:
    """Where a redirect leads; None: this is the page to judge. One whose status is wanted is not followed."""
    if page.status not in REDIRECTS or page.status in check.statuses or not page.location or not check.max_redirects:
        return None
    return page_address(urljoin(asked.text, page.location))


def page_fault(page: Page, check: HttpCheck) -> ProbeFailure | None:
    """What is wrong with a page."""
    if page.status not in check.statuses:
        return ProbeFailure.WRONG_STATUS
    if check.text and check.text not in _text(page):
        return ProbeFailure.TEXT_MISSING
    return None


def certificate_words(ends_at: datetime, now: datetime, days: int) -> str:
    """What a person should know of a certificate that ends within `days`; empty: nothing.

    The date and not the days left, so that the same certificate has the same words every day.
    """
    if (ends_at - now).total_seconds() >= days * 86_400:
        return ""
    return f"the certificate ends on {ends_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


class CertificateRemarks:
    """What was said of the certificates: a warning at once, its end after several good ones in a row.

    Several servers may stand behind one address, and the one whose certificate was renewed answers every other time.
    """

    GOOD_IN_A_ROW = 10

    def __init__(self) -> None:
        self._said: dict[str, str] = {}
        self._good: dict[str, int] = {}

    def seen(self, host_id: str, words: str) -> str | None:
        """What is to be said of this host now (empty: the warning is over); None: nothing new."""
        if words:
            self._good.pop(host_id, None)
            new = self._said.get(host_id) != words
            self._said[host_id] = words
            return words if new else None
        if self._said.get(host_id) == "":
            return None
        good = self._good[host_id] = self._good.get(host_id, 0) + 1
        if self._said.get(host_id) is None or good >= self.GOOD_IN_A_ROW:
            # The first one after a start ends a warning from before it.
            self._said[host_id] = ""
            del self._good[host_id]
            return ""
        return None


def _text(page: Page) -> str:
    try:
        return page.body.decode(page.charset, "replace")
    except LookupError:
        return page.body.decode("utf-8", "replace")


def _numeric6(name: str | None) -> bool:
    return name is not None and ":" in name
