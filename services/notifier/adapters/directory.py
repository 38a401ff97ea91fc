"""The inventory as the bucket last had it, kept in memory: deciding who is told needs no round trip."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from typing import TypeVar

import structlog
from pydantic import ValidationError

from services.notifier.core.numbers import international
from shared.contracts.ids import ChatId, RouterId, SiteId
from shared.contracts.inventory import (
    PROBE_POLICIES,
    Chat,
    Host,
    ProbePolicy,
    Router,
    Site,
    Subscriber,
    subscriber_key,
)
from shared.contracts.message import Contract
from shared.contracts.vocabulary import Channel, Service

log = structlog.get_logger("notifier")

_KINDS: dict[str, type[Contract]] = {
    "site": Site,
    "router": Router,
    "host": Host,
    "chat": Chat,
    "subscriber": Subscriber,
    "policy": ProbePolicy,
}

K = TypeVar("K", bound=Contract)


class InventoryDirectory:
    """What `services.notifier.ports.Directory` promises."""

    def __init__(self) -> None:
        self._entries: dict[str, Contract] = {}
        self._of_kind: dict[str, dict[str, Contract]] = {kind: {} for kind in _KINDS}
        self.loaded = asyncio.Event()

    def keys(self) -> Collection[str]:
        """The keys of the copy."""
        return self._entries.keys()

    async def put(self, key: str, value: bytes) -> None:
        """Take an entry as the bucket has it; one that cannot be read leaves the former in place."""
        kind = _KINDS.get(key.partition(".")[0])
        if kind is None:
            return
        try:
            self.take(key, kind.model_validate_json(value))
        except ValidationError as wrong:
            log.warning("inventory entry not understood", key=key, faults=wrong.error_count())

    async def remove(self, key: str) -> None:
        """Forget an entry."""
        self._entries.pop(key, None)
        self._of_kind.get(key.partition(".")[0], {}).pop(key, None)

    async def caught_up(self) -> None:
        """The copy is whole."""
        self.loaded.set()

    def take(self, key: str, entry: Contract) -> None:
        """Hold an entry."""
        self._entries[key] = entry
        self._of_kind[key.partition(".")[0]][key] = entry

    def chats(self) -> Sequence[Chat]:
        return self._all(Chat, "chat")

    def chat(self, chat_id: ChatId) -> Chat | None:
        return next((chat for chat in self.chats() if chat.id == chat_id), None)

    def chat_at(self, channel: Channel, address: str) -> Chat | None:
        wanted = _comparable(channel, address)
        return next(
            (
                chat
                for chat in self.chats()
                if chat.channel is channel and _comparable(chat.channel, chat.address) == wanted
            ),
            None,
        )

    def subscriber(self, router_id: RouterId, service: Service, name: str) -> Subscriber | None:
        found = self._entries.get(subscriber_key(router_id, service, name))
        return found if isinstance(found, Subscriber) else None

    def hosts(self) -> Sequence[Host]:
        return self._all(Host, "host")

    def routers(self) -> Sequence[Router]:
        return self._all(Router, "router")

    def router(self, router_id: RouterId) -> Router | None:
        return next((router for router in self.routers() if router.id == router_id), None)

    def site_name(self, site_id: SiteId) -> str:
        return next((site.name for site in self._all(Site, "site") if site.id == site_id), "")

    def policy(self, name: str) -> ProbePolicy:
        own = (policy for policy in self._all(ProbePolicy, "policy") if policy.name == name)
        return next(own, PROBE_POLICIES.get(name, PROBE_POLICIES["standard"]))

    def _all(self, kind: type[K], prefix: str) -> list[K]:
        return [entry for entry in self._of_kind[prefix].values() if isinstance(entry, kind)]


def _comparable(channel: Channel, address: str) -> str:
    return (international(address) or address) if channel is Channel.WHATSAPP else address
