"""People and tokens as the REST API takes and gives them. A token's secret is shown once."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, Field, SecretStr, StringConstraints

from services.api.core.rights import Caller, Scope
from services.api.ports import Person, Token
from services.api.routes.schemas.parts import Body, Name, TimeZone
from shared.contracts.vocabulary import Language, Role


class PersonNew(Body):
    """Somebody who may log in."""

    login: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64, pattern=r"^\S+$")]
    name: Name
    role: Role
    password: SecretStr = Field(min_length=10, max_length=256)
    language: Language | None = None
    time_zone: TimeZone | None = None


class PersonPatch(Body):
    """What shall be different about a person."""

    name: Name | None = None
    role: Role | None = None
    password: SecretStr | None = Field(default=None, min_length=10, max_length=256)
    language: Language | None = None
    time_zone: TimeZone | None = None
    enabled: bool | None = None


class PersonView(BaseModel):
    """A person."""

    id: str
    login: str
    name: str
    role: Role
    language: Language | None
    time_zone: str | None
    enabled: bool
    created_at: datetime

    @classmethod
    def of(cls, person: Person) -> Self:
        """From their row, without the password."""
        return cls(**{name: getattr(person, name) for name in cls.model_fields})


class TokenNew(Body):
    """A key for a program. It can never do more than the person who made it."""

    name: Name
    scopes: set[Scope] = Field(min_length=1)
    expires_at: datetime | None = None


class TokenView(BaseModel):
    """A key, without its secret."""

    id: str
    person_id: str
    name: str
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime | None

    @classmethod
    def of(cls, token: Token) -> Self:
        """From its row."""
        return cls(
            id=token.id,
            person_id=token.person_id,
            name=token.name,
            scopes=sorted(token.scopes),
            created_at=token.created_at,
            expires_at=token.expires_at,
        )


class TokenMade(TokenView):
    """A new key; `secret` is shown this once."""

    secret: str


class MeView(BaseModel):
    """Who you are and what you may do."""

    person_id: str
    name: str
    role: Role
    scopes: list[Scope]
    language: Language | None
    time_zone: str | None

    @classmethod
    def of(cls, caller: Caller) -> Self:
        """From the caller."""
        return cls(
            person_id=caller.person_id,
            name=caller.name,
            role=caller.role,
            scopes=sorted(caller.scopes),
            language=caller.language,
            time_zone=caller.time_zone,
        )
