"""Accounts: what became of a desired state."""

from __future__ import annotations

from typing import Any, ClassVar

from shared.contracts.events.event import EXAMPLE_TIME, Event
from shared.contracts.ids import AccountId, RouterId
from shared.contracts.vocabulary import Service


class AccountEvent(Event):
    """What became of one generation of a desired account."""

    SCOPE: ClassVar[tuple[str, ...]] = ("router_id", "account_id")

    account_id: AccountId
    router_id: RouterId
    service: Service
    name: str
    generation: int


_ACCOUNT = {
    "at": EXAMPLE_TIME,
    "account_id": "01acc0",
    "router_id": "01r0ut",
    "service": "ppp",
    "name": "budi@paket10",
    "generation": 2,
}


class AccountApplied(AccountEvent):
    """The router now has the account as desired. `steps` tells what had to be done; none when all was so already."""

    NAME: ClassVar[str] = "account.applied"
    EXAMPLE: ClassVar[dict[str, Any]] = {
        **_ACCOUNT,
        "steps": ["set profile=paket10", "disconnect session"],
        "took_ms": 84.0,
    }

    steps: tuple[str, ...] = ()
    took_ms: float

    def message_id(self) -> str:
        return f"account:{self.account_id}:{self.generation}:applied"


class AccountFailed(AccountEvent):
    """The router refused this generation. Nothing is tried again until a newer one comes."""

    NAME: ClassVar[str] = "account.failed"
    EXAMPLE: ClassVar[dict[str, Any]] = {
        **_ACCOUNT,
        "code": "rejected",
        "router_words": "input does not match any value of profile",
        "advice": "The router waru-gw has no profile «paket99».",
    }

    code: str
    router_words: str
    advice: str

    def message_id(self) -> str:
        return f"account:{self.account_id}:{self.generation}:failed"
