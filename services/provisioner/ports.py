"""What the provisioner's handlers need of the world, in our own words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from shared.contracts.desired import DesiredAccount
from shared.contracts.envelope import Envelope
from shared.contracts.ids import AccountId, RouterId
from shared.contracts.inventory import Router
from shared.contracts.message import Message
from shared.routeros import Session


class Routers(Protocol):
    """The doors to the registered routers: one lasting session each."""

    def session(self, router_id: RouterId) -> AbstractAsyncContextManager[Session]:
        """The router's session. Raises RouterAway when it cannot be asked now."""
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


class Progress(Protocol):
    """How far each account has come; survives restarts."""

    async def settled(self, account_id: AccountId) -> int:
        """The newest generation that was applied or refused for good; 0 for none."""
        ...

    async def settle(self, account_id: AccountId, generation: int) -> None:
        """Remember that this generation is done; an older one never overwrites a newer one."""
        ...

    async def owes_close(self, account_id: AccountId) -> bool:
        """Whether a change was begun after which the sessions still have to be closed."""
        ...

    async def owe_close(self, account_id: AccountId) -> None:
        """Remember that before the change is written."""
        ...

    async def close_done(self, account_id: AccountId) -> None:
        """The sessions are closed."""
        ...


class Publisher(Protocol):
    """Says events."""

    async def publish(self, message: Message) -> object: ...


class DesiredStates(Protocol):
    """The desired states as the stream holds them now."""

    def of_router(self, router_id: RouterId) -> AsyncIterator[tuple[DesiredAccount, Envelope]]:
        """The last desired state of each account of a router."""
        ...
