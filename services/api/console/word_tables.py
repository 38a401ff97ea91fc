"""The words of states, causes, events and keys, marked for translation."""

from __future__ import annotations

from services.api.core.search import FoundKind
from services.api.core.standings import RouterState
from shared.contracts.vocabulary import (
    AccountStatus,
    Grade,
    HostState,
    LikelyCause,
    ProbeFailure,
    ProbeKind,
    RouterResource,
    Threat,
)
from shared.i18n import N_

LANGUAGES = {"id": "Bahasa Indonesia", "en": "English"}


SHAPES: dict[str, str] = {
    HostState.UP: "●",
    HostState.SUSPECT: "◐",
    HostState.DEGRADED: "◐",
    HostState.FLAPPING: "◐",
    HostState.DOWN: "■",
    HostState.UNREACHABLE: "▨",
    HostState.UNKNOWN: "○",
    HostState.MAINTENANCE: "▨",
}
STATE_WORDS: dict[str, str] = {
    HostState.UP: N_("up"),
    HostState.SUSPECT: N_("suspect"),
    HostState.DOWN: N_("down"),
    HostState.UNREACHABLE: N_("unreachable"),
    HostState.DEGRADED: N_("degraded"),
    HostState.FLAPPING: N_("flapping"),
    HostState.UNKNOWN: N_("unknown"),
    HostState.MAINTENANCE: N_("maintenance"),
}
ROUTER_WORDS = {
    RouterState.REACHABLE: N_("reachable"),
    RouterState.UNREACHABLE: N_("unreachable"),
    RouterState.UNKNOWN: N_("unknown"),
}
ROUTER_AS_HOST = {
    RouterState.REACHABLE: HostState.UP,
    RouterState.UNREACHABLE: HostState.DOWN,
    RouterState.UNKNOWN: HostState.UNKNOWN,
}
CAUSE_WORDS = {
    LikelyCause.CABLE_CUT: N_("cable cut"),
    LikelyCause.INTERNET_DOWN: N_("internet down"),
    LikelyCause.DEVICE_ERROR: N_("device error"),
    LikelyCause.DEVICE_OFF: N_("device off"),
    LikelyCause.PARENT_DOWN: N_("the device before it is down"),
    LikelyCause.SERVICE_STOPPED: N_("service stopped"),
    LikelyCause.SERVICE_ERROR: N_("service out of order"),
    LikelyCause.CERTIFICATE: N_("certificate ended or changed"),
    LikelyCause.ROUTING_LOOP: N_("a loop in the routing"),
    LikelyCause.FIREWALL: N_("a firewall on the way"),
}
PROBE_WORDS = {
    ProbeKind.ICMP: N_("ping"),
    ProbeKind.TCP: N_("TCP port"),
    ProbeKind.HTTP: N_("web page"),
    ProbeKind.DNS: N_("name server"),
    ProbeKind.ROUTER: N_("ping from a router"),
    ProbeKind.NETWATCH: N_("netwatch of a router"),
}
GRADE_WORDS = {
    Grade.EXCELLENT: N_("excellent"),
    Grade.GOOD: N_("good"),
    Grade.POOR: N_("poor"),
    Grade.UNACCEPTABLE: N_("unacceptable"),
}
REASON_WORDS: dict[str, str] = {
    ProbeFailure.TIMEOUT: N_("no answer"),
    ProbeFailure.REFUSED: N_("connection refused"),
    ProbeFailure.UNREACHABLE: N_("no way to it"),
    ProbeFailure.PROHIBITED: N_("a firewall refuses"),
    ProbeFailure.TTL_EXCEEDED: N_("packets run in a circle"),
    ProbeFailure.NAME_NOT_RESOLVED: N_("name not resolved"),
    ProbeFailure.WRONG_STATUS: N_("page answers with an error"),
    ProbeFailure.TEXT_MISSING: N_("page lacks its text"),
    ProbeFailure.TOO_MANY_REDIRECTS: N_("page redirects in a circle"),
    ProbeFailure.CERTIFICATE: N_("certificate not valid"),
    ProbeFailure.WRONG_ANSWER: N_("wrong answer"),
    ProbeFailure.REPORTED: N_("netwatch says down"),
}
RESOURCE_WORDS: dict[str, str] = {
    RouterResource.CPU: "CPU",
    RouterResource.MEMORY: N_("memory"),
    RouterResource.DISK: N_("disk"),
    RouterResource.TEMPERATURE: N_("temperature"),
    RouterResource.VOLTAGE: N_("voltage"),
    RouterResource.POOL: N_("address pool"),
    RouterResource.CLOCK: N_("clock"),
}
THREAT_WORDS: dict[str, str] = {
    Threat.LOGIN_FAILURES: N_("many wrong passwords"),
    Threat.UNKNOWN_LOGIN: N_("log-in from an unknown place"),
    Threat.CONFIGURATION_CHANGED: N_("configuration changed"),
    Threat.ROGUE_DHCP: N_("foreign DHCP server"),
    Threat.TRAFFIC_ABNORMAL: N_("unusual traffic"),
}
STATUS_WORDS = {
    AccountStatus.ACTIVE: N_("active"),
    AccountStatus.DISABLED: N_("isolated"),
    AccountStatus.DELETED: N_("deleted"),
}
AGO = {"s": N_("{n} s ago"), "min": N_("{n} min ago"), "h": N_("{n} h ago"), "d": N_("{n} d ago")}
FOR = {"s": N_("{n} s"), "min": N_("{n} min"), "h": N_("{n} h"), "d": N_("{n} d")}
# type → state that colours the line, what happened
EVENT_WORDS: dict[str, tuple[str, str]] = {
    "host.down": (HostState.DOWN, N_("down")),
    "host.up": (HostState.UP, N_("up")),
    "host.unknown": (HostState.UNKNOWN, N_("unknown")),
    "host.unreachable": (HostState.UNREACHABLE, N_("unreachable")),
    "host.flapping": (HostState.FLAPPING, N_("flapping")),
    "host.steady": (HostState.UP, N_("steady again")),
    "host.degraded": (HostState.DEGRADED, N_("degraded")),
    "host.restored": (HostState.UP, N_("good again")),
    "host.silent": (HostState.DEGRADED, N_("answers no probes, but lives")),
    "host.heard": (HostState.UP, N_("answers probes again")),
    "outage.began": (HostState.DOWN, N_("outage of many hosts")),
    "outage.ended": (HostState.UP, N_("outage over")),
    "poller.blind": (HostState.UNKNOWN, N_("poller blind")),
    "poller.sighted": (HostState.UP, N_("poller sees again")),
    "poller.returned": ("done", N_("poller back")),
    "router.rebooted": (HostState.DEGRADED, N_("rebooted")),
    "router.upgraded": ("done", N_("new version")),
    "router.stressed": (HostState.DEGRADED, N_("beyond its limit")),
    "router.relieved": (HostState.UP, N_("normal again")),
    "router.interface_down": (HostState.DOWN, N_("link down")),
    "router.interface_up": (HostState.UP, N_("link up")),
    "router.neighbor_seen": ("done", N_("new neighbour")),
    "lease.bound": ("on", N_("address given")),
    "lease.released": ("off", N_("address free")),
    "security.suspected": ("alert", N_("security")),
    "security.passed": ("done", N_("security: over")),
    "session.changed": ("on", N_("address or device changed")),
    "session.mass_dropped": (HostState.DOWN, N_("many sessions dropped")),
    "session.mass_returned": (HostState.UP, N_("sessions back")),
    "router.reachable": (HostState.UP, N_("reachable")),
    "router.unreachable": (HostState.DOWN, N_("unreachable")),
    "session.opened": ("on", N_("online")),
    "session.closed": ("off", N_("offline")),
    "account.applied": ("done", N_("applied")),
    "account.failed": (HostState.DEGRADED, N_("refused by the router")),
    "alert.opened": ("alert", N_("alert")),
    "alert.acknowledged": ("done", N_("taken on")),
    "alert.resolved": ("done", N_("resolved")),
    "chat.refused": ("off", N_("stranger refused")),
    "chat.unusable": (HostState.DEGRADED, N_("chat cannot be reached")),
}
FOUND_HEADINGS = {
    FoundKind.ACCOUNT: N_("Customers"),
    FoundKind.SESSION: N_("Sessions"),
    FoundKind.HOST: N_("Hosts"),
    FoundKind.ROUTER: N_("Routers"),
}
FOUND_LOOKS: dict[str, str] = {"active": HostState.UP, "disabled": HostState.DEGRADED, "open": "on", "closed": "off"}
KEYS = (
    ("/", N_("search")),
    ("g b", N_("to the board")),
    ("g n", N_("to the network")),
    ("g c", N_("to the customers")),
    ("g s", N_("to the settings")),
    ("j k", N_("next, previous problem or row")),
    ("a", N_("acknowledge the chosen problem")),
    ("p", N_("ping the chosen host or router")),
    ("c", N_("copy the chosen one's address")),
    ("w", N_("wall mode")),
    ("?", N_("this list")),
)
EVENT_SHAPES = {"on": "↗", "off": "↘", "done": "✓", "alert": "!"}
