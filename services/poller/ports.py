"""What the poller asks of the world, in its own words."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from shared.contracts.ids import RouterId
from shared.contracts.inventory import Host, ProbePolicy
from shared.contracts.vocabulary import ProbeFailure, ProbeKind, WitnessKind
from shared.routeros import Session

PLAIN = (24, 0)  # payload and class of packets, unless a policy names others


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to ask: a numeric address, and a port where the kind of probe has one.

    Size and class of the packets are for ICMP: `payload_bytes` after the header's 8, `dscp` as in RFC 2474.
    `host` is what is watched there, for kinds that need to know more of it than where it is.
    """

    kind: ProbeKind
    address: str
    port: int | None = None
    payload_bytes: int = 24
    dscp: int = 0
    host: Host | None = None


def target_of(host: Host, address: str, policy: ProbePolicy) -> Target:
    """The host as it is to be asked, at the number that its address has now."""
    return Target(host.probe, address, host.port, policy.payload_bytes, policy.dscp, host)


def plain_destination(target: Target | None) -> bytes:
    """The address as bytes, if it is asked by ICMP with packets as nearly everybody has them; else nothing."""
    if target is None or target.kind is not ProbeKind.ICMP or (target.payload_bytes, target.dscp) != PLAIN:
        return b""
    try:
        return socket.inet_pton(socket.AF_INET6 if ":" in target.address else socket.AF_INET, target.address)
    except OSError:
        return b""  # it names an interface


class Asker(Protocol):
    """Who waits for the result of a probe. Exactly one of the three is called per probe; a late `answer` may follow."""

    def answer(self, number: int, rtt_ms: float) -> None:
        """Probe `number` came back."""
        ...

    def loss(self, number: int, age_s: float, failure: ProbeFailure) -> None:
        """Probe `number`, sent `age_s` seconds ago, counts as lost."""
        ...

    def blind(self, number: int, reason: str) -> None:
        """Probe `number` could not be sent."""
        ...


NOT_SWIFT = -1


class SwiftAsker(Protocol):
    """An asker that is up, and whose answers are written down without a call per probe. `Asker` besides."""

    number: int  # of its last probe
    destination: bytes  # its address: 4 or 16 bytes
    swift: int  # `NOT_SWIFT`: its probes are reported by calls from now on
    fresh: list[float]  # round trips in milliseconds are appended here; `settle` counts and takes them away
    heard_number: int  # of the newest probe that was answered
    heard_at: float  # when, in monotonic seconds
    target: Target | None

    def settle(self) -> None:
        """Called whenever `SETTLE_AFTER` round trips have gathered."""
        ...

    def recall(self, number: int) -> float:
        """This probe of a swift round is an ordinary one from now on: its result will be told by a call.

        Answers how long the result may take, in seconds since it was sent.
        """
        ...

    def answer(self, number: int, rtt_ms: float) -> None:
        """See `Asker`."""
        ...

    def loss(self, number: int, age_s: float, failure: ProbeFailure) -> None:
        """See `Asker`."""
        ...

    def blind(self, number: int, reason: str) -> None:
        """See `Asker`."""
        ...


SETTLE_AFTER = 16


class Probe(Protocol):
    """One way to ask a host whether it lives. Never blocks and never raises: what goes wrong is told to the asker."""

    def ask(self, target: Target, number: int, timeout_s: float, asker: Asker) -> None:
        """Send one probe; its result is reported within `timeout_s` seconds.

        A kind that asks through a router may need the way to that router besides.
        """
        ...


@runtime_checkable
class SwiftProbe(Protocol):
    """A way to ask many at once who gave no reason for doubt."""

    def ask_round(self, askers: list[SwiftAsker]) -> None:
        """Send the next probe of each, whose `number` says already that it was sent. At most a few hundred."""
        ...


class Resolver(Protocol):
    """Names to numbers."""

    async def resolve(self, name: str) -> str:
        """The first numeric address of a name; a number is answered as it is.

        Raises NotFound if the name does not exist and Unreachable if nobody could be asked.
        """
        ...


@dataclass(frozen=True, slots=True)
class Sighting:
    """Somebody saw a host alive. `seen_by` is for people: a router and an account, another poller."""

    witness: WitnessKind
    seen_by: str


class Witness(Protocol):
    """Who may have seen a host alive while its probes stay unanswered."""

    def knows(self, host: Host) -> bool:
        """Whether it makes sense to ask about this host. Never waits."""
        ...

    async def seen(self, host: Host, since: datetime) -> Sighting | None:
        """Life that was seen after `since`; None if there is none or nobody can say.

        May raise any error of ours, which counts as None, and is cancelled when the answer would come too late.
        """
        ...


class RouterDoor(Protocol):
    """The way to a router that is watched: there is one connection per router, and everybody shares it."""

    def session(self, router_id: RouterId) -> Session | None:
        """The session as of now; None: the router cannot be asked (or is not watched here). Do not keep it, do not
        close it: ask again each time. Commands on it may raise Unreachable at any moment."""
        ...
