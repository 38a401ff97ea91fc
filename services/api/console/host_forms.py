"""Adding and changing a watched host: each kind of probe has its own fields, the others' are not looked at."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from services.api.console.forms import Filled, as_typed
from services.api.core.field_types import Address, Inherited, Name, Port
from shared.contracts.inventory import DnsCheck, Host, HttpCheck
from shared.contracts.vocabulary import ProbeKind

_CHECKS = ("http.url", "http.statuses", "http.text", "http.max_redirects", "http.certificate_days")
_ANSWERS = ("dns.name", "dns.record", "dns.expected")
_PLAIN = ("site_id", "name", "address", "probe", "port", "via_router", "group_id", "policy", "parents")
FIELDS = frozenset({*_PLAIN, *_CHECKS, *_ANSWERS})
PORTED = (ProbeKind.TCP, ProbeKind.DNS)
LOOKED_BY = (ProbeKind.ROUTER, ProbeKind.NETWATCH)
NEED_ANY, NEED_ALL, NEED_AS_IT_IS = "any", "all", "as-it-is"


class HostFields(BaseModel):
    """A host as typed."""

    site_id: Name
    name: Name
    address: Address
    probe: ProbeKind
    port: Port | None
    http: HttpCheck | None
    dns: DnsCheck | None
    via_router: str | None
    group_id: str | None
    policy: Inherited
    parents: tuple[tuple[str, ...], ...] | None
    enabled: bool

    def wanted(self) -> dict[str, Any]:
        """For the handler; parents that are too entangled for this form are left as they are."""
        fields = {name: getattr(self, name) for name in HostFields.model_fields}
        if self.parents is None:
            del fields["parents"]
        return fields


def typed_host(form: Filled) -> HostFields:
    """What the form says. Raises NotAsTyped."""
    kind = form.one("probe")
    raw = {name: form.one(name) for name in ("site_id", "name", "address", "probe", "policy")}
    return as_typed(
        HostFields,
        {
            **raw,
            "port": form.one("port") or None if kind in PORTED else None,
            "http": _http(form) if kind == ProbeKind.HTTP else None,
            "dns": _dns(form) if kind == ProbeKind.DNS else None,
            "via_router": form.one("via_router") or None if kind in LOOKED_BY else None,
            "group_id": form.one("group_id") or None,
            "parents": _parents(form),
            "enabled": form.one("enabled") == "on",
        },
    )


def blank_host(site_id: str, name: str = "") -> Filled:
    """The form for a new host."""
    usual = {"site_id": site_id, "name": name, "probe": ProbeKind.ICMP, "enabled": "on", "need": NEED_ANY}
    return _with_checks(usual, HttpCheck(url=""), DnsCheck(name=""), ())


def filled_host(host: Host) -> Filled:
    """The form with what a host is now."""
    plain = {name: getattr(host, name) for name in ("site_id", "name", "address", "probe", "port", "via_router")}
    plain |= {"group_id": host.group_id, "policy": host.policy, "need": need_of(host)}
    plain["enabled"] = "on" if host.enabled else ""
    parents = tuple(dict.fromkeys(parent for group in host.parents for parent in group))
    return _with_checks(plain, host.http or HttpCheck(url=""), host.dns or DnsCheck(name=""), parents)


def need_of(host: Host) -> str:
    """Whether one parent is enough, or each is needed; else it is more than this form can say."""
    if len(host.parents) <= 1:
        return NEED_ANY
    return NEED_ALL if all(len(group) == 1 for group in host.parents) else NEED_AS_IT_IS


def _with_checks(plain: dict[str, Any], http: HttpCheck, dns: DnsCheck, parents: tuple[str, ...]) -> Filled:
    plain = {
        **plain,
        "http.url": http.url,
        "http.statuses": ", ".join(map(str, http.statuses)),
        "http.text": http.text,
        "http.max_redirects": http.max_redirects,
        "http.certificate_days": http.certificate_days,
        "http.verify_certificate": "on" if http.verify_certificate else "",
        "dns.name": dns.name,
        "dns.record": dns.record,
        "dns.expected": ", ".join(dns.expected),
    }
    values: dict[str, tuple[str, ...]] = {name: (str(value),) for name, value in plain.items() if value is not None}
    return Filled({**values, "parents": parents})


def _http(form: Filled) -> dict[str, Any]:
    return {
        "url": form.one("http.url"),
        "statuses": form.lines("http.statuses"),
        "text": form.one("http.text"),
        "max_redirects": form.one("http.max_redirects"),
        "certificate_days": form.one("http.certificate_days"),
        "verify_certificate": form.one("http.verify_certificate") == "on",
    }


def _dns(form: Filled) -> dict[str, Any]:
    expected = [part.strip() for part in form.one("dns.expected").split(",") if part.strip()]
    return {"name": form.one("dns.name"), "record": form.one("dns.record").upper(), "expected": expected}


def _parents(form: Filled) -> tuple[tuple[str, ...], ...] | None:
    chosen, need = form.many("parents"), form.one("need")
    if need == NEED_AS_IT_IS:
        return None
    return tuple((parent,) for parent in chosen) if need == NEED_ALL else (chosen,) if chosen else ()
