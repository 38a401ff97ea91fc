"""What the poller asks of the world, in its own words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.contracts.ids import RouterId
from shared.contracts.inventory import Host, ProbePolicy
from shared.contracts.vocabulary import ProbeFailure, ProbeKind, WitnessKind
from shared.routeros import Session


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


class Probe(Protocol):
    """One way to ask a host whether it lives. Never blocks and never raises: what goes wrong is told to the asker."""

    def ask(self, target: Target, number: int, timeout_s: float, asker: Asker) -> None:
        """Send one probe; its result is reported within `timeout_s` seconds.

        A kind that asks through a router may need the way to that router besides.
        """
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
