"""Which fields belong to which kind of probe, and what to do about one that is missing or has no meaning."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from services.api.core.faults import Fault
from shared.contracts.inventory import DnsCheck, Host, HttpCheck
from shared.contracts.vocabulary import ProbeKind


@dataclass(frozen=True, slots=True)
class Fields:
    """Of one kind of probe: what it needs, and what it may have besides."""

    needed: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()


FIELDS: dict[ProbeKind, Fields] = {
    ProbeKind.ICMP: Fields(),
    ProbeKind.TCP: Fields(needed=("port",)),
    ProbeKind.HTTP: Fields(needed=("http",)),
    ProbeKind.DNS: Fields(needed=("dns",), allowed=("port",)),
    ProbeKind.ROUTER: Fields(needed=("via_router",)),
    ProbeKind.NETWATCH: Fields(needed=("via_router",)),
}
_WHAT = {
    "port": "a port",
    "http": "an «http» with at least the «url» of the page",
    "dns": "a «dns» with at least the «name» to ask for",
    "via_router": "a «via_router»: the id of the router that looks, see GET /api/v1/routers",
}
RECORDS = ("A", "AAAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT")
_CODES = range(100, 600)


def probe_faults(host: Host) -> list[Fault]:
    """Everything about the probe that does not hold together."""
    fields = FIELDS[host.probe]
    kind = host.probe.upper() if len(host.probe) < 5 else host.probe.capitalize()
    faults: list[Fault] = []
    for name, what in _WHAT.items():
        given = getattr(host, name) is not None
        if name in fields.needed and not given:
            faults.append(Fault(name, f"{name}_missing", f"A probe of the kind {kind} needs {what}."))
        elif given and name not in (*fields.needed, *fields.allowed):
            message = f"A probe of the kind {kind} has no «{name}»; send {name} null, or choose another «probe»."
            faults.append(Fault(name, f"{name}_not_used", message))
    if faults:
        return faults
    return [*(_page_faults(host.http) if host.http else ()), *(_record_faults(host.dns) if host.dns else ())]


def _page_faults(http: HttpCheck) -> list[Fault]:
    faults = []
    try:
        address = urlsplit(http.url)
        known = address.scheme in ("http", "https") and bool(address.hostname) and (address.port or 1) > 0
    except ValueError:
        known = False
    if not known or any(character.isspace() for character in http.url):
        message = "This is no address of a page; write it like https://portal.example.net/login."
        faults.append(Fault("http.url", "url_wrong", message))
    if not http.statuses or any(status not in _CODES for status in http.statuses):
        faults.append(Fault("http.statuses", "status_wrong", "Name at least one status between 100 and 599."))
    return faults


def _record_faults(dns: DnsCheck) -> list[Fault]:
    faults = []
    if not dns.name or any(character.isspace() for character in dns.name):
        faults.append(Fault("dns.name", "name_wrong", "Name what to ask for, like www.example.net."))
    if dns.record not in RECORDS:
        message = f"A record «{dns.record}» cannot be asked for; choose one of {', '.join(RECORDS)}."
        faults.append(Fault("dns.record", "record_wrong", message))
    return faults
