"""The order of steps. What the provisioner listens to, and what it does then."""

from __future__ import annotations

from typing import Any

from services.provisioner.handlers.accounts import take_account
from services.provisioner.handlers.routers import list_profiles, test_router
from services.provisioner.handlers.sessions import disconnect_session
from shared.contracts.actions import DisconnectSession
from shared.contracts.desired import DesiredAccount
from shared.contracts.message import Message
from shared.contracts.queries import ListProfiles, Query, TestRouter

HANDLERS: dict[type[Message], tuple[Any, ...]] = {
    DesiredAccount: (take_account,),
    DisconnectSession: (disconnect_session,),
}
ANSWERS: dict[type[Query[Any]], Any] = {
    TestRouter: test_router,
    ListProfiles: list_profiles,
}
