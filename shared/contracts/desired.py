"""Desired states: nouns with a generation. The newest one per subject is the whole truth; older ones vanish."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from shared.contracts.ids import AccountId, RouterId
from shared.contracts.message import Message
from shared.contracts.subjects import Kind
from shared.contracts.vocabulary import AccountStatus, Service


class DesiredAccount(Message):
    """How an account shall be on its router: the whole of it, not a change. The password is sealed."""

    KIND: ClassVar[Kind] = Kind.DESIRED
    NAME: ClassVar[str] = "account"
    SCOPE: ClassVar[tuple[str, ...]] = ("router_id", "account_id")
    EXAMPLE: ClassVar[dict[str, Any]] = {
        "account_id": "01acc0",
        "router_id": "01r0ut",
        "generation": 2,
        "service": "ppp",
        "name": "budi@paket10",
        "sealed_password": "k1.nonce.ciphertext",
        "profile": "paket10",
        "status": "active",
    }

    account_id: AccountId
    router_id: RouterId
    generation: int = Field(ge=1)
    service: Service
    name: str
    sealed_password: str
    profile: str
    status: AccountStatus = AccountStatus.ACTIVE
    comment: str | None = None  # None: leave what is there
    disconnect: bool = False  # close the running session after the change, whatever the change was

    def message_id(self) -> str:
        return f"desired:{self.account_id}:{self.generation}"
