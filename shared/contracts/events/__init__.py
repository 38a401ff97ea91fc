"""Events: facts in the past tense, one module per noun. The class has the same words as the subject.

An event whose id is made from its subject and a counter can be said twice without anybody noticing: the stream drops
the second (within its window) and every consumer remembers the id.
"""

from shared.contracts.events.accounts import AccountApplied, AccountEvent, AccountFailed
from shared.contracts.events.alerts import AlertAcknowledged, AlertEvent, AlertOpened, AlertResolved
from shared.contracts.events.chats import ChatMoved, ChatRefused, ChatUnusable
from shared.contracts.events.event import Event
from shared.contracts.events.hosts import (
    HostDegraded,
    HostDown,
    HostFlapping,
    HostHeard,
    HostObservation,
    HostQuality,
    HostRestored,
    HostSilent,
    HostSteady,
    HostTransition,
    HostUnknown,
    HostUnreachable,
    HostUp,
)
from shared.contracts.events.inventory import InventoryChanged
from shared.contracts.events.outages import OutageBegan, OutageEnded, OutageEvent
from shared.contracts.events.pollers import PollerBlind, PollerEvent, PollerReturned, PollerSighted
from shared.contracts.events.routers import (
    InterfaceDown,
    InterfaceEvent,
    InterfaceUp,
    InterfaceWithdrawn,
    LeaseBound,
    LeaseEvent,
    LeaseReleased,
    NeighborSeen,
    RouterEvent,
    RouterObservation,
    RouterReachable,
    RouterRebooted,
    RouterRelieved,
    RouterSaid,
    RouterStressed,
    RouterUnreachable,
    RouterUpgraded,
)
from shared.contracts.events.security import ThreatEvent, ThreatPassed, ThreatSuspected
from shared.contracts.events.sessions import (
    MassDropEvent,
    SessionChanged,
    SessionClosed,
    SessionEvent,
    SessionOpened,
    SessionsDropped,
    SessionsReturned,
)

__all__ = [
    "AccountApplied",
    "AccountEvent",
    "AccountFailed",
    "AlertAcknowledged",
    "AlertEvent",
    "AlertOpened",
    "AlertResolved",
    "ChatMoved",
    "ChatRefused",
    "ChatUnusable",
    "Event",
    "HostDegraded",
    "HostDown",
    "HostFlapping",
    "HostHeard",
    "HostObservation",
    "HostQuality",
    "HostRestored",
    "HostSilent",
    "HostSteady",
    "HostTransition",
    "HostUnknown",
    "HostUnreachable",
    "HostUp",
    "InterfaceDown",
    "InterfaceEvent",
    "InterfaceUp",
    "InterfaceWithdrawn",
    "InventoryChanged",
    "LeaseBound",
    "LeaseEvent",
    "LeaseReleased",
    "MassDropEvent",
    "NeighborSeen",
    "OutageBegan",
    "OutageEnded",
    "OutageEvent",
    "PollerBlind",
    "PollerEvent",
    "PollerReturned",
    "PollerSighted",
    "RouterEvent",
    "RouterObservation",
    "RouterReachable",
    "RouterRebooted",
    "RouterRelieved",
    "RouterSaid",
    "RouterStressed",
    "RouterUnreachable",
    "RouterUpgraded",
    "SessionChanged",
    "SessionClosed",
    "SessionEvent",
    "SessionOpened",
    "SessionsDropped",
    "SessionsReturned",
    "ThreatEvent",
    "ThreatPassed",
    "ThreatSuspected",
]
