"""Accounts as the REST API takes and gives them. Passwords go in and never come out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from services.api.core.account import Account, ApplyState
from services.api.routes.schemas.parts import AccountName, Body, Name, Phone, Printable
from shared.contracts.vocabulary import AccountStatus, Language, Service


class AccountNew(Body):
    """An account that shall exist on a router."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "router_id": "01r0ut",
                    "service": "ppp",
                    "name": "budi@paket10",
                    "password": "rahasia",
                    "profile": "paket10",
                    "phone": "085712345678",
                    "full_name": "Budi Santoso",
                }
            ]
        }
    )
    router_id: str
    service: Service
    name: AccountName
    password: SecretStr = Field(min_length=1, max_length=128)
    profile: Name = Field(description="Must exist on the router; the router's own words come back if it does not.")
    status: AccountStatus = AccountStatus.ACTIVE
    comment: Printable | None = None
    phone: Phone | None = Field(default=None, description="0857… or +62857…; kept as 62857….")
    full_name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=120)] = ""
    language: Language = Language.INDONESIAN
    tell_sessions: bool = True


class AccountPatch(Body):
    """What shall be different about an account. A new name is a new account."""

    name: str | None = Field(default=None, description="Only the name that it has; renaming is not supported.")
    password: SecretStr | None = Field(default=None, min_length=1, max_length=128)
    profile: Name | None = None
    status: AccountStatus | None = None
    comment: Printable | None = None
    phone: Phone | None = Field(default=None, description="An empty text removes the number.")
    full_name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=120)] | None = None
    language: Language | None = None
    tell_sessions: bool | None = None


class FailureView(BaseModel):
    """Why the router refused."""

    code: str
    router_words: str
    advice: str


class AccountView(BaseModel):
    """An account: what is wanted (`generation`) and how far the router is (`applied_generation`, `apply_state`)."""

    id: str
    router_id: str
    service: Service
    name: str
    profile: str
    status: AccountStatus
    comment: str | None
    phone: str | None
    full_name: str
    language: Language
    tell_sessions: bool
    generation: int
    applied_generation: int
    apply_state: ApplyState
    failure: FailureView | None
    applied_at: datetime | None
    took_ms: float | None
    created_at: datetime
    changed_at: datetime

    @classmethod
    def of(cls, account: Account) -> Self:
        """From the account, without its password."""
        wanted = {name: getattr(account, name) for name in cls.model_fields if name != "failure"}
        failure = account.failure
        view = (
            FailureView(code=failure.code, router_words=failure.router_words, advice=failure.advice)
            if failure
            else None
        )
        return cls(**wanted, failure=view)
