"""Who may do what: scopes, and the scopes that a role has."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from shared.contracts.vocabulary import Language, Role


class Scope(StrEnum):
    """What a route asks of its caller."""

    READ = "read"
    ALERTS = "alerts"  # taking an alert on: whoever may press the button in a chat
    ACCOUNTS = "accounts"
    INVENTORY = "inventory"
    ADMIN = "admin"


# A reseller will see only what is theirs; until accounts belong to resellers, that is nothing.
SCOPES_OF_ROLE: dict[Role, frozenset[Scope]] = {
    Role.OWNER: frozenset(Scope),
    Role.NOC: frozenset({Scope.READ, Scope.ALERTS, Scope.ACCOUNTS, Scope.INVENTORY}),
    Role.DESK: frozenset({Scope.READ, Scope.ACCOUNTS}),
    Role.RESELLER: frozenset(),
    Role.VIEWER: frozenset({Scope.READ}),
}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is behind a request. A browser has `session_id` and `csrf`, a program `token_id`."""

    person_id: str
    name: str
    role: Role
    scopes: frozenset[Scope]
    language: Language | None
    time_zone: str | None
    session_id: str | None = None
    csrf: str | None = None
    token_id: str | None = None

    def may(self, scope: Scope) -> bool:
        """Whether the caller has a scope."""
        return scope in self.scopes


def effective_scopes(role: Role, granted: frozenset[Scope] | None) -> frozenset[Scope]:
    """What a token may do: what it was granted, and never more than its person's role has now."""
    of_role = SCOPES_OF_ROLE[role]
    return of_role if granted is None else of_role & granted
