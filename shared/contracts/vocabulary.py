"""The closed lists of words that messages use."""

from __future__ import annotations

from enum import StrEnum


class HostState(StrEnum):
    """What is known of a host. UNKNOWN is "could not ask", never "not there"."""

    UP = "up"
    SUSPECT = "suspect"
    DOWN = "down"
    UNREACHABLE = "unreachable"
    DEGRADED = "degraded"
    FLAPPING = "flapping"
    UNKNOWN = "unknown"
    MAINTENANCE = "maintenance"


class ProbeKind(StrEnum):
    """How a host is asked whether it lives."""

    ICMP = "icmp"
    TCP = "tcp"
    HTTP = "http"  # a page: status, text, certificate
    DNS = "dns"  # a record, asked of the host as a name server
    ROUTER = "router"  # a ping from a router, for what only that router reaches
    NETWATCH = "netwatch"  # what a router's own netwatch says


class ProbeFailure(StrEnum):
    """Why a probe counts as lost."""

    TIMEOUT = "timeout"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"  # a router on the way, or the host itself, said so
    PROHIBITED = "prohibited"  # a firewall on the way said so
    TTL_EXCEEDED = "ttl_exceeded"  # a loop on the way, most likely
    NAME_NOT_RESOLVED = "name_not_resolved"
    WRONG_STATUS = "wrong_status"
    TEXT_MISSING = "text_missing"
    TOO_MANY_REDIRECTS = "too_many_redirects"
    CERTIFICATE = "certificate"  # expired, for another name, or of nobody we trust
    WRONG_ANSWER = "wrong_answer"
    REPORTED = "reported"  # the router that watches it says that it is down


class LikelyCause(StrEnum):
    """What a person should look at first when a host stops answering."""

    CABLE_CUT = "cable_cut"
    INTERNET_DOWN = "internet_down"
    DEVICE_ERROR = "device_error"
    DEVICE_OFF = "device_off"
    PARENT_DOWN = "parent_down"
    SERVICE_STOPPED = "service_stopped"
    SERVICE_ERROR = "service_error"  # it runs and does not do what it should
    CERTIFICATE = "certificate"  # ended, or changed
    ROUTING_LOOP = "routing_loop"
    FIREWALL = "firewall"


class Grade(StrEnum):
    """Quality of a connection after ITU-T G.1010; the bounds are in the poller's core."""

    EXCELLENT = "excellent"
    GOOD = "good"
    POOR = "poor"
    UNACCEPTABLE = "unacceptable"


class QualityFault(StrEnum):
    """What makes a connection worse than it should be."""

    LOSS = "loss"
    DELAY = "delay"
    JITTER = "jitter"


class WitnessKind(StrEnum):
    """Who else may have seen a host alive while its probes stay unanswered."""

    POLLER = "poller"  # another poller, from where it stands
    SESSION = "session"  # a subscriber's session at that address whose counters grow
    NETWATCH = "netwatch"  # a router's own netwatch
    ROUTER = "router"  # a ping from the router it hangs on


class OutageScope(StrEnum):
    """What the hosts of an outage have in common."""

    HOST = "host"  # a common parent
    SITE = "site"
    NETWORK = "network"


class RouterResource(StrEnum):
    """What of a router is measured against a limit."""

    CPU = "cpu"
    MEMORY = "memory"
    DISK = "disk"
    TEMPERATURE = "temperature"
    VOLTAGE = "voltage"
    POOL = "pool"
    CLOCK = "clock"


class Threat(StrEnum):
    """What looks like somebody doing harm, or a mistake that looks the same."""

    LOGIN_FAILURES = "login_failures"
    UNKNOWN_LOGIN = "unknown_login"
    CONFIGURATION_CHANGED = "configuration_changed"
    ROGUE_DHCP = "rogue_dhcp"
    TRAFFIC_ABNORMAL = "traffic_abnormal"


class DropCause(StrEnum):
    """What many sessions that ended together have in common."""

    ROUTER = "router"
    INTERFACE = "interface"
    VLAN = "vlan"
    POOL = "pool"


class Service(StrEnum):
    """Which table of a router an account or a session belongs to."""

    HOTSPOT = "hotspot"
    PPP = "ppp"


class SessionSource(StrEnum):
    """Who says that a session is open."""

    ROUTER = "router"  # the router that carries it
    USER_MANAGER = "user_manager"  # the accounting of a User Manager whose NAS we do not watch


class Saying(StrEnum):
    """What a router tells by a script of its own."""

    LOGIN = "login"
    LOGOUT = "logout"
    UP = "up"  # its netwatch: a host answers
    DOWN = "down"  # its netwatch: a host does not answer


class AccountStatus(StrEnum):
    """What the account's owner wants of it on the router."""

    ACTIVE = "active"
    DISABLED = "disabled"
    DELETED = "deleted"


class TlsMode(StrEnum):
    """How the session to a router is protected."""

    OFF = "off"
    VERIFY = "verify"  # certificate and name checked against the authorities we trust
    PINNED = "pinned"  # the certificate whose SHA-256 was stored when the router was added
    ANONYMOUS = "anonymous"  # api-ssl without a certificate: encrypted, but anybody may answer


class Channel(StrEnum):
    """Through what a chat is reached."""

    TELEGRAM = "telegram"
    WHATSAPP = "whatsapp"


class Role(StrEnum):
    """What a person or a chat may do."""

    OWNER = "owner"
    NOC = "noc"
    DESK = "desk"
    RESELLER = "reseller"
    VIEWER = "viewer"


class Subscription(StrEnum):
    """What a chat wants to be told."""

    ALERTS = "alerts"
    SESSIONS = "sessions"


class Severity(StrEnum):
    """How soon a person should look."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class Language(StrEnum):
    """The languages that people read."""

    INDONESIAN = "id"
    ENGLISH = "en"
