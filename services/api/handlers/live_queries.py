"""Questions to other services: is this router there, does this chat hear us."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.api.handlers.inventory import ROUTER_PASSWORD
from services.api.ports import Sealer
from shared.bus.ports import Bus
from shared.contracts.ids import RouterId, SiteId, new_id
from shared.contracts.inventory import Chat, Router
from shared.contracts.queries import MessageAccepted, RouterFound, SendTestMessage, TestRouter


def unsaved_router(fields: Mapping[str, Any], password: str, sealer: Sealer) -> Router:
    """A router that is not registered, as the provisioner wants it for a try."""
    sealed = sealer.seal(password, purpose=ROUTER_PASSWORD)
    name = str(fields.get("name") or fields["host"])
    return Router.model_validate(
        {**fields, "id": RouterId(new_id()), "site_id": SiteId("unsaved"), "name": name, "sealed_password": sealed}
    )


async def try_router(router: Router, *, bus: Bus) -> RouterFound:
    """Log in to a router, registered or not. Raises what the router or the way to it answered."""
    return await bus.request(TestRouter(router=router))


async def send_test_message(chat: Chat, *, bus: Bus) -> MessageAccepted:
    """Say hello in a chat, now. Raises what the chat server or the way to it answered."""
    return await bus.request(SendTestMessage(chat_id=chat.id))
