"""All talk with MikroTik routers: one session per router, many commands at once, both RouterOS lines.

    address ─▶ transport (TCP, TLS) ─▶ channel (tags, turns) ─▶ session (verbs) ─▶ link (stays connected)

`RouterSession` is the only door for commands; `RouterLink` keeps one open; `dialects` knows what differs
between versions; `errors` says no in the words of `shared.errors` and of the router.
"""

from __future__ import annotations

from shared.contracts.vocabulary import TlsMode
from shared.routeros.address import API_PORT, API_TLS_PORT, RouterAddress, Tls
from shared.routeros.channel import ChannelLimits
from shared.routeros.dialects import Dialect, HealthReading, Line, UserManagerMenu, dialect_for
from shared.routeros.errors import (
    CertificateRefused,
    FeatureMissing,
    ItemMissing,
    NameTaken,
    RightsMissing,
    ValueRefused,
)
from shared.routeros.facts import RouterFacts
from shared.routeros.link import Backoff, LinkDown, LinkState, LinkUp, RouterLink
from shared.routeros.port import Session
from shared.routeros.query import Query, equals, greater, has, lacks, less, one_of
from shared.routeros.reply import Change, Reply, Row, RowChanged, RowGone, printable
from shared.routeros.session import RouterSession
from shared.routeros.version import RouterVersion

__all__ = [
    "API_PORT",
    "API_TLS_PORT",
    "Backoff",
    "CertificateRefused",
    "Change",
    "ChannelLimits",
    "Dialect",
    "FeatureMissing",
    "HealthReading",
    "ItemMissing",
    "Line",
    "LinkDown",
    "LinkState",
    "LinkUp",
    "NameTaken",
    "Query",
    "Reply",
    "RightsMissing",
    "RouterAddress",
    "RouterFacts",
    "RouterLink",
    "RouterSession",
    "RouterVersion",
    "Row",
    "RowChanged",
    "RowGone",
    "Session",
    "Tls",
    "TlsMode",
    "UserManagerMenu",
    "ValueRefused",
    "dialect_for",
    "equals",
    "greater",
    "has",
    "lacks",
    "less",
    "one_of",
    "printable",
]
