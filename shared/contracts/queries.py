"""Queries: live questions with a deadline, answered by one service over request and reply."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import Field

from shared.contracts.ids import ChatId, HostId, IncidentId, RouterId
from shared.contracts.inventory import Router
from shared.contracts.message import Contract, Message
from shared.contracts.subjects import Kind
from shared.contracts.vocabulary import HostState, ProbeKind


class Answer(Contract):
    """What a query is answered with."""


AnswerT = TypeVar("AnswerT", bound=Answer)


class Query(Message, Generic[AnswerT]):
    """A question; `ANSWER` is the type of its answer, `DEADLINE_S` its time limit if nobody says otherwise."""

    KIND: ClassVar[Kind] = Kind.QUERY
    ANSWER: ClassVar[type[Answer]]
    DEADLINE_S: ClassVar[float] = 5.0


class PingReport(Answer):
    """Loss and round-trip times of an on-demand ping."""

    target: str
    address: str
    sent: int
    received: int
    rtt_min_ms: float | None = None
    rtt_avg_ms: float | None = None
    rtt_max_ms: float | None = None

    @property
    def loss_percent(self) -> float:
        """Lost packets of all sent, in percent."""
        return 100.0 * (self.sent - self.received) / self.sent if self.sent else 0.0


class PingTarget(Query[PingReport]):
    """Ping a watched host (by id) or any address or name, from the poller."""

    NAME: ClassVar[str] = "poller.ping"
    ANSWER: ClassVar[type[Answer]] = PingReport
    DEADLINE_S: ClassVar[float] = 10.0
    EXAMPLE: ClassVar[dict[str, Any]] = {"target": "10.20.0.1", "host_id": "01h0st", "count": 4}

    target: str
    host_id: HostId | None = None
    count: int = Field(default=4, ge=1, le=20)


class HostSeen(Answer):
    """A host answered a poller that does not watch it itself."""

    instance: str
    rtt_ms: float


class LookForHost(Query[HostSeen]):
    """Does this address answer you? Every poller is asked; who sees no life stays silent, and so does the asker."""

    NAME: ClassVar[str] = "poller.look"
    ANSWER: ClassVar[type[Answer]] = HostSeen
    DEADLINE_S: ClassVar[float] = 5.0
    EXAMPLE: ClassVar[dict[str, Any]] = {"asker": "poller-1", "address": "10.20.0.1", "probe": "icmp"}

    asker: str  # the instance that asks
    address: str
    probe: ProbeKind = ProbeKind.ICMP
    port: int | None = Field(default=None, ge=1, le=65535)


class WatchedHost(Contract):
    """One line of the poller's own view."""

    host_id: HostId
    state: HostState
    rtt_ms: float | None = None


class WatchReport(Answer):
    """Everything that is watched now: by all pollers together, or by the one that was asked."""

    hosts: tuple[WatchedHost, ...] = ()
    sessions: dict[str, int] = Field(default_factory=dict)  # open sessions by router id
    silent_pollers: tuple[str, ...] = ()  # whose part is missing here: they did not answer in time


class ListWatched(Query[WatchReport]):
    """What do the pollers watch, and how is it? Any of them answers for all."""

    NAME: ClassVar[str] = "poller.watched"
    ANSWER: ClassVar[type[Answer]] = WatchReport
    EXAMPLE: ClassVar[dict[str, Any]] = {}


class ListOwnWatched(Query[WatchReport]):
    """What does this one poller watch, and how is it?"""

    NAME: ClassVar[str] = "poller.own_watched"
    ANSWER: ClassVar[type[Answer]] = WatchReport
    DEADLINE_S: ClassVar[float] = 1.5
    SCOPE: ClassVar[tuple[str, ...]] = ("poller",)
    EXAMPLE: ClassVar[dict[str, Any]] = {"poller": "poller-1.8f3a"}

    poller: str  # the name under which its lease lies


class PingFromPoller(Query[PingReport]):
    """Ping from this one poller: what it asks stands at a site that only it can reach."""

    NAME: ClassVar[str] = "poller.ping_from"
    ANSWER: ClassVar[type[Answer]] = PingReport
    DEADLINE_S: ClassVar[float] = 10.0
    SCOPE: ClassVar[tuple[str, ...]] = ("poller",)
    EXAMPLE: ClassVar[dict[str, Any]] = {
        "poller": "poller-lereng.8f3a",
        "target": "10.20.0.1",
        "host_id": "01h0st",
        "count": 4,
    }

    poller: str
    target: str
    host_id: HostId | None = None
    count: int = Field(default=4, ge=1, le=20)


class RouterFound(Answer):
    """What a router said of itself when it was tried."""

    identity: str
    version: str
    board: str
    uptime_s: int
    policies: tuple[str, ...] = ()  # of the user that logged in
    missing_policies: tuple[str, ...] = ()  # that Ronda needs and this user lacks
    hotspot_users: int | None = None  # None: the router has no hotspot
    ppp_secrets: int | None = None
    took_ms: float


class TestRouter(Query[RouterFound]):
    """Log in to a router that need not be registered yet, and say what was found."""

    NAME: ClassVar[str] = "provisioner.test_router"
    ANSWER: ClassVar[type[Answer]] = RouterFound
    DEADLINE_S: ClassVar[float] = 15.0
    EXAMPLE: ClassVar[dict[str, Any]] = {
        "router": {
            "id": "01r0ut",
            "site_id": "01s1te",
            "name": "waru-gw",
            "host": "203.0.113.7",
            "username": "ronda",
            "sealed_password": "k1.nonce.ciphertext",
        }
    }
    __test__: ClassVar[bool] = False  # not a test case, whatever its name starts with

    router: Router


class ProfileList(Answer):
    """The names of a router's profiles."""

    hotspot: tuple[str, ...] = ()
    ppp: tuple[str, ...] = ()


class ListProfiles(Query[ProfileList]):
    """Which profiles does this router have?"""

    NAME: ClassVar[str] = "provisioner.profiles"
    ANSWER: ClassVar[type[Answer]] = ProfileList
    EXAMPLE: ClassVar[dict[str, Any]] = {"router_id": "01r0ut"}

    router_id: RouterId


class MessageAccepted(Answer):
    """The chat server took the message."""

    provider_message_id: str


class SendTestMessage(Query[MessageAccepted]):
    """Send a test message to a chat, now, and say whether the chat server took it."""

    NAME: ClassVar[str] = "notifier.test_message"
    ANSWER: ClassVar[type[Answer]] = MessageAccepted
    DEADLINE_S: ClassVar[float] = 20.0
    EXAMPLE: ClassVar[dict[str, Any]] = {"chat_id": "01chat"}

    chat_id: ChatId


class AlertTaken(Answer):
    """Who has the alert in hand now: whoever asked, or somebody who was faster."""

    incident_id: IncidentId
    number: int
    by: str
    at: datetime


class AcknowledgeAlert(Query[AlertTaken]):
    """Take an alert on, as the button in a chat does. Refused when it is over or there is none."""

    NAME: ClassVar[str] = "notifier.acknowledge"
    ANSWER: ClassVar[type[Answer]] = AlertTaken
    EXAMPLE: ClassVar[dict[str, Any]] = {"incident_id": "01inc1", "by": "Sari"}

    incident_id: IncidentId
    by: str = Field(min_length=1, max_length=120)
