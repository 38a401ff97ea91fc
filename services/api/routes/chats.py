"""Chats: who is told, and who may ask."""

from __future__ import annotations

from fastapi import APIRouter, Response

from services.api.deps import InventoryKeeper, OnceDep, PartsDep, Reader, Wish
from services.api.handlers import inventory, live_queries
from services.api.ports import Unit
from services.api.routes.schemas.chats import ChatNew, ChatPatch, ChatView, MessageAcceptedView
from services.api.routes.schemas.parts import PageView, page_view
from shared.contracts.vocabulary import Channel

router = APIRouter(prefix="/chats", tags=["inventory"])


@router.get("")
async def list_chats(
    api: PartsDep, _: Reader, wish: Wish, channel: Channel | None = None, address: str | None = None
) -> PageView[ChatView]:
    """All chats, by name."""
    equal = {key: str(value) for key, value in (("channel", channel), ("address", address)) if value}
    async with api.store.unit() as unit:
        return page_view(await unit.chats.find(wish, **equal), ChatView)


@router.post("", status_code=201, response_model=ChatView)
async def add_chat(api: PartsDep, caller: InventoryKeeper, once: OnceDep, body: ChatNew) -> Response:
    """Add a chat."""

    async def work(unit: Unit) -> ChatView:
        return ChatView.of(await inventory.add_chat(body.model_dump(), by=caller.name, unit=unit, clock=api.clock))

    return await once.run(work, status=201)


@router.get("/{chat_id}")
async def get_chat(api: PartsDep, _: Reader, chat_id: str) -> ChatView:
    """One chat."""
    async with api.store.unit() as unit:
        return ChatView.of(await unit.chats.get(chat_id))


@router.patch("/{chat_id}")
async def change_chat(api: PartsDep, caller: InventoryKeeper, chat_id: str, body: ChatPatch) -> ChatView:
    """Change a chat."""
    async with api.store.unit() as unit:
        return ChatView.of(
            await inventory.change_chat(chat_id, body.wanted(), by=caller.name, unit=unit, clock=api.clock)
        )


@router.delete("/{chat_id}", status_code=204)
async def remove_chat(api: PartsDep, caller: InventoryKeeper, chat_id: str) -> None:
    """Remove a chat."""
    async with api.store.unit() as unit:
        await inventory.remove_chat(chat_id, by=caller.name, unit=unit, clock=api.clock)


@router.post("/{chat_id}/test")
async def try_chat(api: PartsDep, _: InventoryKeeper, chat_id: str) -> MessageAcceptedView:
    """Send a test message now and say whether the chat server took it."""
    async with api.store.unit() as unit:
        chat = (await unit.chats.get(chat_id)).entity
    accepted = await live_queries.send_test_message(chat, bus=api.bus)
    return MessageAcceptedView.model_validate(accepted.model_dump())
