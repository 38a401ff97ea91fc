"""What the network consists of, as the api publishes it into the KV bucket `inventory` for the other services.

The others keep working from their copy while the api or its database is away. Passwords are sealed for the services
that need them (`shared.security.sealing`); nothing here is readable as a secret.
"""

from __future__ import annotations

from collections.abc import Container
from datetime import datetime, timedelta

from pydantic import Field

from shared.contracts.ids import ChatId, GroupId, HostId, MaintenanceId, RouterId, SiteId
from shared.contracts.message import Contract
from shared.contracts.subjects import escape_token
from shared.contracts.vocabulary import (
    Channel,
    Language,
    ProbeKind,
    Role,
    Service,
    Subscription,
    TlsMode,
)


class Site(Contract):
    """A place: a district, a tower, a village."""

    id: SiteId
    name: str
    policy: str = "standard"  # of its hosts, where neither they nor their group have one

    def key(self) -> str:
        """Where the bucket holds this."""
        return f"site.{escape_token(self.id)}"


class HostGroup(Contract):
    """Hosts that are treated alike wherever they stand: all access points, all customers' devices."""

    id: GroupId
    name: str
    policy: str = ""  # empty: the site's

    def key(self) -> str:
        """Where the bucket holds this."""
        return f"group.{escape_token(self.id)}"


class RouterLimits(Contract):
    """Beyond these a router is under stress. None: not watched."""

    cpu_percent: float | None = 90.0
    memory_percent: float | None = 90.0
    disk_percent: float | None = 90.0
    temperature_c: float | None = 70.0
    voltage_min: float | None = None
    voltage_max: float | None = None
    pool_percent: float | None = 90.0
    clock_drift_s: float | None = 60.0


class Router(Contract):
    """A MikroTik router and how to log in to it."""

    id: RouterId
    site_id: SiteId
    name: str
    host: str
    port: int = Field(default=8728, ge=1, le=65535)
    tls: TlsMode = TlsMode.OFF
    tls_fingerprint: str | None = None
    username: str
    sealed_password: str
    enabled: bool = True
    limits: RouterLimits = RouterLimits()
    known_logins: tuple[str, ...] = ()  # addresses and networks from which people log in; empty: learned

    def key(self) -> str:
        """Where the bucket holds this."""
        return f"router.{escape_token(self.id)}"


class HttpCheck(Contract):
    """What a page must be like. The host's address is asked, whatever the name in `url` resolves to elsewhere."""

    url: str
    statuses: tuple[int, ...] = (200,)
    text: str = ""  # must be in the first 64 KiB of the page; empty: whatever
    max_redirects: int = Field(default=5, ge=0, le=20)
    verify_certificate: bool = True
    certificate_days: int = Field(default=14, ge=0)  # fewer days left than this: the host is degraded


class DnsCheck(Contract):
    """What a name server must answer."""

    name: str
    record: str = "A"
    expected: tuple[str, ...] = ()  # all of these must be in the answer; empty: any answer


class Host(Contract):
    """Something that is watched by probes. `parents`: reachable if every group has one member that is."""

    id: HostId
    site_id: SiteId
    name: str
    address: str
    probe: ProbeKind = ProbeKind.ICMP
    port: int | None = Field(default=None, ge=1, le=65535)  # TCP and DNS probes only
    http: HttpCheck | None = None
    dns: DnsCheck | None = None
    via_router: RouterId | None = None  # who pings, or whose netwatch is believed
    group_id: GroupId | None = None
    policy: str = ""  # empty: the group's, else the site's
    parents: tuple[tuple[HostId, ...], ...] = ()
    enabled: bool = True

    def key(self) -> str:
        """Where the bucket holds this."""
        return f"host.{escape_token(self.id)}"


class Maintenance(Contract):
    """Work that was announced: what it names is measured on and not alarmed. Ends exclusive, in UTC.

    Fixed, it lasts from begin to end; flexible (`duration_s`), it begins with the first outage between the two and
    lasts that long.
    """

    id: MaintenanceId
    title: str
    begins_at: datetime
    ends_at: datetime
    duration_s: float | None = Field(default=None, gt=0)
    site_ids: frozenset[SiteId] = frozenset()
    group_ids: frozenset[GroupId] = frozenset()
    host_ids: frozenset[HostId] = frozenset()
    router_ids: frozenset[RouterId] = frozenset()

    def key(self) -> str:
        """Where the bucket holds this."""
        return f"maintenance.{escape_token(self.id)}"


class Chat(Contract):
    """Somebody or some group that is told things and may ask. `address`: Telegram chat id or phone number."""

    id: ChatId
    name: str
    channel: Channel
    address: str
    role: Role = Role.VIEWER
    language: Language = Language.INDONESIAN
    time_zone: str = "Asia/Jakarta"
    receives: frozenset[Subscription] = frozenset()
    site_ids: frozenset[SiteId] = frozenset()  # empty: all sites
    enabled: bool = True

    def key(self) -> str:
        """Where the bucket holds this."""
        return f"chat.{escape_token(self.id)}"


class Subscriber(Contract):
    """How to reach the person behind an account. One entry per account that has a phone number."""

    router_id: RouterId
    service: Service
    name: str  # the account's name on the router
    full_name: str = ""
    phone: str
    language: Language = Language.INDONESIAN
    time_zone: str = "Asia/Jakarta"
    tell_sessions: bool = True

    def key(self) -> str:
        """Where the bucket holds this."""
        return subscriber_key(self.router_id, self.service, self.name)


def subscriber_key(router_id: RouterId, service: Service, name: str) -> str:
    """The key of the person behind an account, findable from a session event alone."""
    return f"subscriber.{escape_token(router_id)}.{service}.{escape_token(name)}"


class ProbePolicy(Contract):
    """How patiently a host is watched. Times are seconds; see `PROBE_POLICIES` for what ships."""

    name: str
    interval_s: float = Field(gt=0)
    max_timeout_s: float = Field(default=1.0, gt=0)
    burst_size: int = Field(ge=1)
    burst_spacing_s: float = Field(gt=0)
    ride_out_s: float = Field(default=0.86, ge=0)  # the burst lasts at least so long: shorter disturbances tell nothing
    second_burst_after_s: float | None = None
    recovery_size: int = Field(default=3, ge=0)
    recovery_spacing_s: float = 0.3
    recovery_answers: int = Field(default=3, ge=1)
    hold_s: float = Field(default=2.0, ge=0)  # how long a message may wait for the parents' results
    blip_s: float = Field(default=10.0, ge=0)
    payload_bytes: int = Field(default=24, ge=24, le=65_000)  # of an echo request, after its 8 bytes of header
    dscp: int = Field(default=0, ge=0, le=63)
    quality_window_s: float = Field(default=600.0, gt=0)
    train_size: int = Field(default=10, ge=0)  # probes in a row for the quality alone; 0: the rounds are enough
    train_spacing_s: float = Field(default=0.1, gt=0)
    train_every_s: float = Field(default=60.0, gt=0)

    def key(self) -> str:
        """Where the bucket holds this."""
        return f"policy.{escape_token(self.name)}"

    @property
    def stale_after(self) -> timedelta:
        """Without a result for this long the host is UNKNOWN."""
        return timedelta(seconds=3 * self.interval_s + 5)


def policy_in_force(host: Host, group: HostGroup | None, site: Site | None, known: Container[str]) -> str:
    """The name of the policy that a host is watched by: its own, else its group's, else its site's, else the standard.

    A name that is not `known` is passed over, so that a policy that is gone leaves nobody unwatched.
    """
    for name in (host.policy, group.policy if group else "", site.policy if site else ""):
        if name in known:
            return name
    return STANDARD_POLICY


STANDARD_POLICY = "standard"
PROBE_POLICIES: dict[str, ProbePolicy] = {
    policy.name: policy
    for policy in (
        ProbePolicy(
            name="infra",
            interval_s=1,
            burst_size=6,
            burst_spacing_s=0.02,
            hold_s=2,
            blip_s=10,
            quality_window_s=100,
            train_size=0,
        ),
        ProbePolicy(name="standard", interval_s=10, burst_size=5, burst_spacing_s=0.4, hold_s=15, blip_s=30),
        ProbePolicy(
            name="edge",
            interval_s=60,
            burst_size=3,
            burst_spacing_s=1.0,
            second_burst_after_s=10,
            recovery_size=1,
            recovery_spacing_s=5,
            recovery_answers=2,
            hold_s=60,
            blip_s=60,
            quality_window_s=1800,
            train_every_s=180,
        ),
    )
}
