"""What `/ping core` means: a host by name or unique beginning, a router by name, or an address as it is written."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address

from shared.contracts.ids import HostId, SiteId
from shared.contracts.inventory import Host, Router

_DNS_NAME = re.compile(r"^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$", re.IGNORECASE)
MOST_CHOICES = 5


@dataclass(frozen=True, slots=True)
class Target:
    """Something to ping. `host_id` where it is a watched host."""

    label: str
    address: str
    host_id: HostId | None = None


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Several names begin so."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """No name begins so, and it is no address; `near` are names that look alike."""

    near: tuple[str, ...]


def visible(site_id: SiteId, site_ids: frozenset[SiteId]) -> bool:
    """Whether a chat that is limited to `site_ids` may see something of `site_id`; no limits means all."""
    return not site_ids or site_id in site_ids


def resolve(
    written: str, hosts: Iterable[Host], routers: Iterable[Router], site_ids: frozenset[SiteId] = frozenset()
) -> Target | Ambiguous | Unknown:
    """What `written` names: exact names first, hosts before routers, then a unique beginning, then an address."""
    names: dict[str, Target] = {}
    for router in routers:
        if visible(router.site_id, site_ids):
            names[router.name.casefold()] = Target(router.name, router.host)
    for host in hosts:
        if visible(host.site_id, site_ids):
            names[host.name.casefold()] = Target(host.name, host.address, host.id)
    wanted = written.casefold()
    if wanted in names:
        return names[wanted]
    if is_address(written):
        return _by_address(written, names)
    begins = [target for name, target in sorted(names.items()) if name.startswith(wanted)]
    if len(begins) == 1:
        return begins[0]
    if begins:
        return Ambiguous(tuple(target.label for target in begins[:MOST_CHOICES]))
    if _DNS_NAME.match(written):
        return Target(written, written)
    near = difflib.get_close_matches(wanted, names, n=3)
    return Unknown(tuple(names[name].label for name in near))


def is_address(written: str) -> bool:
    """An IPv4 or IPv6 address."""
    try:
        ip_address(written)
    except ValueError:
        return False
    return True


def _by_address(written: str, names: dict[str, Target]) -> Target:
    known = (target for target in names.values() if target.address == written and target.host_id)
    return next(known, Target(written, written))
