"""What the network consists of, as the api publishes it into the KV bucket `inventory` for the other services.

The others keep working from their copy while the api or its database is away. Passwords are sealed for the services
that need them (`shared.security.sealing`); nothing here is readable as a secret.
"""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from shared.contracts.ids import ChatId, HostId, RouterId, SiteId
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
    policy: str = "standard"  # of its hosts, where they have none of their own

    def key(self) -> str:
        """Where the bucket holds this."""
        return f"site.{escape_token(self.id)}"


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

    def key(self) -> str:
        """Where the bucket holds this."""
        return f"router.{escape_token(self.id)}"


class Host(Contract):
    """Something that is watched by probes. `parents`: reachable if every group has one member that is."""

    id: HostId
    site_id: SiteId
    name: str
    address: str
    probe: ProbeKind = ProbeKind.ICMP
    port: int | None = Field(default=None, ge=1, le=65535)  # TCP probes only
    policy: str = "standard"
    parents: tuple[tuple[HostId, ...], ...] = ()
    enabled: bool = True

    def key(self) -> str:
        """Where the bucket holds this."""
        return f"host.{escape_token(self.id)}"


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
    second_burst_after_s: float | None = None
    recovery_size: int = Field(default=3, ge=0)
    recovery_spacing_s: float = 0.3
    recovery_answers: int = Field(default=3, ge=1)
    hold_s: float = Field(default=2.0, ge=0)  # how long a message may wait for the parents' results
    blip_s: float = Field(default=10.0, ge=0)

    def key(self) -> str:
        """Where the bucket holds this."""
        return f"policy.{escape_token(self.name)}"

    @property
    def stale_after(self) -> timedelta:
        """Without a result for this long the host is UNKNOWN."""
        return timedelta(seconds=3 * self.interval_s + 5)


PROBE_POLICIES: dict[str, ProbePolicy] = {
    policy.name: policy
    for policy in (
        ProbePolicy(name="infra", interval_s=1, burst_size=4, burst_spacing_s=0.15, hold_s=2, blip_s=10),
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
        ),
    )
}
