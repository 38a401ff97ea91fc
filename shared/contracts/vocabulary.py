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


class ProbeFailure(StrEnum):
    """Why a probe counts as lost."""

    TIMEOUT = "timeout"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    NAME_NOT_RESOLVED = "name_not_resolved"


class LikelyCause(StrEnum):
    """What a person should look at first when a host stops answering."""

    CABLE_CUT = "cable_cut"
    INTERNET_DOWN = "internet_down"
    DEVICE_ERROR = "device_error"
    DEVICE_OFF = "device_off"
    PARENT_DOWN = "parent_down"
    SERVICE_STOPPED = "service_stopped"


class Service(StrEnum):
    """Which table of a router an account or a session belongs to."""

    HOTSPOT = "hotspot"
    PPP = "ppp"


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
