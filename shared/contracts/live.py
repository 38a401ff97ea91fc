"""Live questions to one router, answered by whichever poller holds its connection; and the way to a host.

Tables may be huge: an answer holds a part of the rows (`offset`, `limit`) of those that match `search`, and says how
many there are. Times are seconds, sizes bytes, rates bits a second, unless the name says otherwise.
"""

from __future__ import annotations

from typing import Any, ClassVar, Generic

from pydantic import Field, computed_field

from shared.contracts.ids import HostId, RouterId
from shared.contracts.message import Contract
from shared.contracts.queries import Answer, AnswerT, PingReport, Query

_ROUTER = {"router_id": "01r0ut"}
_ROWS = {**_ROUTER, "search": "budi", "offset": 0, "limit": 100}
MOST_ROWS = 500


class RouterQuery(Query[AnswerT], Generic[AnswerT]):
    """A question to one router. Only the poller that holds its connection answers."""

    DEADLINE_S: ClassVar[float] = 15.0

    router_id: RouterId


class RowsQuery(RouterQuery[AnswerT], Generic[AnswerT]):
    """A question for a part of a table. `search`: some letters that are in any column, in any case."""

    search: str = Field(default="", max_length=100)
    offset: int = Field(default=0, ge=0)
    limit: int = Field(default=100, ge=1, le=MOST_ROWS)


class Rows(Answer):
    """A part of a table: the rows after `offset` of the `total` that match."""

    total: int
    offset: int = 0

    truncated: bool = False  # more rows follow


class Lease(Contract):
    """An address that a DHCP server handed out or keeps for somebody."""

    address: str
    mac: str = ""
    host_name: str = ""
    server: str = ""
    status: str = ""
    expires_s: float | None = None
    last_seen_s: float | None = None
    dynamic: bool = False
    blocked: bool = False
    disabled: bool = False
    comment: str = ""


class Leases(Rows):
    """DHCP leases of a router."""

    rows: tuple[Lease, ...] = ()


class ListLeases(RowsQuery[Leases]):
    """Who has an address from this router's DHCP servers?"""

    NAME: ClassVar[str] = "poller.leases"
    ANSWER: ClassVar[type[Answer]] = Leases
    EXAMPLE: ClassVar[dict[str, Any]] = _ROWS


class RouterIp(Contract):
    """An address of the router itself."""

    address: str  # with its prefix length
    network: str = ""
    interface: str = ""
    dynamic: bool = False
    disabled: bool = False
    invalid: bool = False
    comment: str = ""


class RouterIps(Rows):
    """Addresses of a router."""

    rows: tuple[RouterIp, ...] = ()


class ListAddresses(RowsQuery[RouterIps]):
    """Which addresses does this router have?"""

    NAME: ClassVar[str] = "poller.addresses"
    ANSWER: ClassVar[type[Answer]] = RouterIps
    EXAMPLE: ClassVar[dict[str, Any]] = _ROWS


class PoolUse(Contract):
    """An address pool and how much of it is handed out."""

    name: str
    ranges: tuple[str, ...] = ()
    total: int
    used: int
    next_pool: str = ""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def used_percent(self) -> float:
        """Of all its addresses."""
        return round(100.0 * self.used / self.total, 1) if self.total else 0.0


class Pools(Rows):
    """Address pools of a router."""

    rows: tuple[PoolUse, ...] = ()


class ListPools(RowsQuery[Pools]):
    """How full are this router's address pools?"""

    NAME: ClassVar[str] = "poller.pools"
    ANSWER: ClassVar[type[Answer]] = Pools
    EXAMPLE: ClassVar[dict[str, Any]] = _ROWS


class InterfaceState(Contract):
    """An interface of a router."""

    name: str
    kind: str = ""
    running: bool = False
    disabled: bool = False
    dynamic: bool = False
    mac: str = ""
    mtu: int | None = None
    rx_bytes: int | None = None
    tx_bytes: int | None = None
    link_downs: int | None = None
    comment: str = ""


class Interfaces(Rows):
    """Interfaces of a router."""

    rows: tuple[InterfaceState, ...] = ()


class ListInterfaces(RowsQuery[Interfaces]):
    """Which interfaces does this router have, and do they run?"""

    NAME: ClassVar[str] = "poller.interfaces"
    ANSWER: ClassVar[type[Answer]] = Interfaces
    EXAMPLE: ClassVar[dict[str, Any]] = _ROWS


class TrafficNow(Contract):
    """What runs through an interface in this second."""

    name: str
    rx_bps: int = 0
    tx_bps: int = 0
    rx_pps: int = 0
    tx_pps: int = 0
    drops_pps: int = 0
    errors_pps: int = 0


class Traffic(Rows):
    """Traffic of a router's interfaces."""

    rows: tuple[TrafficNow, ...] = ()


class ListTraffic(RowsQuery[Traffic]):
    """What runs through this router's interfaces now? Those of sessions only if they are searched for."""

    NAME: ClassVar[str] = "poller.traffic"
    ANSWER: ClassVar[type[Answer]] = Traffic
    EXAMPLE: ClassVar[dict[str, Any]] = {**_ROUTER, "search": "ether1"}


class NeighborSeen(Contract):
    """A device that announces itself to the router."""

    interface: str
    address: str = ""
    mac: str = ""
    identity: str = ""
    platform: str = ""
    board: str = ""
    version: str = ""
    uptime_s: float | None = None


class Neighbors(Rows):
    """Neighbours of a router."""

    rows: tuple[NeighborSeen, ...] = ()


class ListNeighbors(RowsQuery[Neighbors]):
    """Which devices does this router see?"""

    NAME: ClassVar[str] = "poller.neighbors"
    ANSWER: ClassVar[type[Answer]] = Neighbors
    EXAMPLE: ClassVar[dict[str, Any]] = _ROWS


class DnsSettings(Answer):
    """How a router resolves names."""

    servers: tuple[str, ...] = ()
    dynamic_servers: tuple[str, ...] = ()
    doh_server: str = ""
    allow_remote_requests: bool = False
    cache_size_kib: int | None = None
    cache_used_kib: int | None = None


class AskDns(RouterQuery[DnsSettings]):
    """Whom does this router ask for names?"""

    NAME: ClassVar[str] = "poller.dns"
    ANSWER: ClassVar[type[Answer]] = DnsSettings
    EXAMPLE: ClassVar[dict[str, Any]] = _ROUTER


class Sensor(Contract):
    """One value of a router's own sensors, as it names and writes it."""

    name: str
    value: str
    unit: str = ""


class Resources(Answer):
    """What a router is and how loaded it is."""

    identity: str
    version: str
    board: str = ""
    architecture: str = ""
    uptime_s: float
    cpu_percent: float | None = None
    cpu_count: int | None = None
    memory_total: int | None = None
    memory_free: int | None = None
    disk_total: int | None = None
    disk_free: int | None = None
    sensors: tuple[Sensor, ...] = ()


class AskResources(RouterQuery[Resources]):
    """How is this router?"""

    NAME: ClassVar[str] = "poller.resources"
    ANSWER: ClassVar[type[Answer]] = Resources
    EXAMPLE: ClassVar[dict[str, Any]] = _ROUTER


class PingFromRouter(RouterQuery[PingReport]):
    """Does this address answer when the router asks it?"""

    NAME: ClassVar[str] = "poller.ping_from_router"
    ANSWER: ClassVar[type[Answer]] = PingReport
    DEADLINE_S: ClassVar[float] = 30.0
    EXAMPLE: ClassVar[dict[str, Any]] = {**_ROUTER, "address": "10.20.0.1", "count": 4}

    address: str = Field(min_length=1, max_length=253)
    count: int = Field(default=4, ge=1, le=20)


class Hop(Contract):
    """One step on the way; without an address nobody answered there."""

    number: int
    address: str = ""
    loss_percent: float = 0.0
    rtt_ms: float | None = None


class Route(Answer):
    """The way to an address, as far as it was seen."""

    target: str
    hops: tuple[Hop, ...] = ()
    reached: bool = False


class TraceFromRouter(RouterQuery[Route]):
    """Which way does the router take to this address?"""

    NAME: ClassVar[str] = "poller.trace_from_router"
    ANSWER: ClassVar[type[Answer]] = Route
    DEADLINE_S: ClassVar[float] = 30.0
    EXAMPLE: ClassVar[dict[str, Any]] = {**_ROUTER, "address": "10.20.0.1"}

    address: str = Field(min_length=1, max_length=253)
    max_hops: int = Field(default=15, ge=1, le=30)


class TraceTarget(Query[Route]):
    """Which way does the poller take to a watched host (by id), or to any address or name?"""

    NAME: ClassVar[str] = "poller.trace"
    ANSWER: ClassVar[type[Answer]] = Route
    DEADLINE_S: ClassVar[float] = 30.0
    EXAMPLE: ClassVar[dict[str, Any]] = {"target": "10.20.0.1"}

    target: str = Field(min_length=1, max_length=253)
    host_id: HostId | None = None
    max_hops: int = Field(default=20, ge=1, le=30)


class TraceFromPoller(Query[Route]):
    """Which way does this one poller take? For a host of a site that only it can reach."""

    NAME: ClassVar[str] = "poller.trace_from"
    ANSWER: ClassVar[type[Answer]] = Route
    DEADLINE_S: ClassVar[float] = 30.0
    SCOPE: ClassVar[tuple[str, ...]] = ("poller",)
    EXAMPLE: ClassVar[dict[str, Any]] = {"poller": "poller-lereng.8f3a", "target": "10.20.0.1", "host_id": "01h0st"}

    poller: str
    target: str = Field(min_length=1, max_length=253)
    host_id: HostId | None = None
    max_hops: int = Field(default=20, ge=1, le=30)
