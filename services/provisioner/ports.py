"""What the provisioner's handlers need of the world, in our own words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from shared.contracts.desired import DesiredAccount
from shared.contracts.envelope import Envelope
from shared.contracts.ids import AccountId, RouterId
from shared.contracts.inventory import Router
from shared.contracts.message import Message
from shared.routeros import Session


class Routers(Protocol):
    """The doors to the registered routers: one lasting session each."""

    def session(self, router_id: RouterId, *, patient: bool = False) -> AbstractAsyncContextManager[Session]:
        """The router's session. Raises RouterAway when there is none now; `patient` waits a moment for one."""
        ...

    def name(self, router_id: RouterId) -> str:
        """What people call it; the id where it is not registered."""
        ...

    def returned(self) -> AsyncIterator[RouterId]:
        """The id of every router each time that it can be asked again, the first time included."""
        ...


class TrialSessions(Protocol):
    """Sessions to routers that need not be registered."""

    def open(self, router: Router) -> AbstractAsyncContextManager[Session]:
        """Log in. Raises Unreachable, NotAllowed or Misconfigured with the reason."""
        ...


@dataclass(frozen=True, slots=True)
class Mark:
    """How far an account has come on a router."""

    settled: int = 0
    """The newest generation that was applied or refused for good; 0 for none."""
    close_owed: bool = False
    """A change was begun after which its sessions still have to be closed."""


class Progress(Protocol):
    """The marks of all accounts; they survive restarts."""

    async def of(self, router_id: RouterId, account_id: AccountId) -> Mark:
        """The account's mark; never newer than the true one, older only if another process wrote it."""
        ...

    async def write(self, router_id: RouterId, account_id: AccountId, mark: Mark) -> None:
        """Replace the mark that `of` gave. Raises Temporary if somebody else did so meanwhile."""
        ...


class Publisher(Protocol):
    """Says events."""

    async def publish(self, message: Message) -> object: ...


class Desks(Protocol):
    """Where desired states lie until their router has them."""

    def hand_over(self, desired: DesiredAccount, envelope: Envelope | None, *, backlog: bool = False) -> None:
        """Have a desired state brought about. `backlog`: after what people just asked for."""
        ...


class DesiredStates(Protocol):
    """The desired states as the stream holds them now."""

    def of_router(self, router_id: RouterId) -> AsyncIterator[tuple[DesiredAccount, Envelope]]:
        """The last desired state of each account of a router."""
        ...
