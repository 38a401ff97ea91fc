"""What every memory of the notifier promises; run on the fake and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from services.notifier.core import lifecycle
from services.notifier.core.incidents import Incident, Seen, Status
from services.notifier.core.plan import Delivery, about_incident, plan
from services.notifier.core.reasons import WhyNot
from services.notifier.core.recipients import Recipient
from services.notifier.ports import Claim, Incoming, Store
from shared.contracts.ids import ChatId, IncidentId
from shared.contracts.vocabulary import Channel
from shared.errors import Busy
from tests.fakes.notifier_facts import CHANNELS, CORE_1, NOON, recipient, relief, trouble

NOC = ChatId("noc")


async def opened(store: Store, *who: Recipient) -> tuple[Incident, Sequence[Delivery]]:
    """core-1 is down and everybody is owed a message."""
    async with store.unit() as unit:
        begun = lifecycle.begin(None, trouble())
        assert isinstance(begun, Incident)
        await unit.newest_incident(begun.subject.alert_id)
        incident = await unit.add_incident(begun)
        planned = plan(about_incident(incident, NOON), who or (recipient(),), channels=CHANNELS, told={})
        await unit.keep(planned)
    return incident, planned.deliveries


async def resolved(store: Store, incident: Incident, *who: Recipient) -> Sequence[Delivery]:
    """core-1 is back, and who was told of it is owed the end."""
    async with store.unit() as unit:
        over = lifecycle.end(incident, relief(137))
        assert isinstance(over, Incident)
        await unit.change_incident(over)
        told = await unit.told(incident.id)
        planned = plan(about_incident(over, NOON), who or (recipient(),), channels=CHANNELS, told=told)
        await unit.keep(planned)
    return planned.deliveries


async def claimed(store: Store, delivery: Delivery, *, sender: str = "me", after_s: float = 0) -> Claim:
    claim = await store.claim(
        delivery.recipient.chat_id, delivery.id, sender=sender, now=NOON + timedelta(seconds=after_s)
    )
    assert claim is not None
    return claim


async def sent(store: Store, delivery: Delivery, message_id: str | None = "m1") -> None:
    claim = await claimed(store, delivery)
    await store.sent(claim.delivery.id, message_id=message_id, text_hash="x", now=NOON)


class NotifierStoreCases:
    @pytest.fixture
    def store(self) -> Any:
        raise NotImplementedError

    async def test_event_is_new_once(self, store: Store) -> None:
        async with store.unit() as unit:
            assert await unit.first_time("c", "e1")
        async with store.unit() as unit:
            assert not await unit.first_time("c", "e1")

    async def test_failed_unit_leaves_nothing(self, store: Store) -> None:
        async def fail() -> None:
            async with store.unit() as unit:
                await unit.first_time("c", "e1")
                begun = lifecycle.begin(None, trouble())
                assert isinstance(begun, Incident)
                await unit.newest_incident(begun.subject.alert_id)
                await unit.add_incident(begun)
                raise RuntimeError

        with pytest.raises(RuntimeError):
            await fail()
        async with store.unit() as unit:
            assert await unit.first_time("c", "e1")
            assert await unit.newest_incident(CORE_1.alert_id) == (None, None)

    async def test_incident_comes_back_as_it_was(self, store: Store) -> None:
        incident, _ = await opened(store)
        assert incident.number > 0
        async with store.unit() as unit:
            assert await unit.newest_incident(CORE_1.alert_id) == (incident, None)
            assert await unit.incident_numbered(incident.number) == incident
            assert await unit.incident_numbered(incident.number + 1) is None
            assert await unit.incident(incident.id) == incident
            assert await unit.incident(IncidentId("nowhere")) is None
            await unit.saw(CORE_1.alert_id, Seen(4, NOON))
        async with store.unit() as unit:
            assert await unit.newest_incident(CORE_1.alert_id) == (incident, Seen(4, NOON))
        assert await store.open_incidents() == [incident]

    async def test_resolved_incident_is_not_open(self, store: Store) -> None:
        incident, _ = await opened(store)
        await resolved(store, incident)
        assert await store.open_incidents() == []

    async def test_claims_come_in_the_order_they_are_owed(self, store: Store) -> None:
        incident, (first,) = await opened(store)
        edit, reply = await resolved(store, incident)
        order = []
        for _ in range(3):
            claim = await claimed(store, reply)
            order.append(claim.delivery.id)
            await store.sent(claim.delivery.id, message_id="m", text_hash="x", now=NOON)
        assert order == [first.id, edit.id, reply.id]
        assert await store.claim(NOC, reply.id, sender="me", now=NOON) is None

    async def test_claim_does_not_reach_past_the_due_one(self, store: Store) -> None:
        incident, (first,) = await opened(store)
        await resolved(store, incident)
        await sent(store, first)
        assert await store.claim(NOC, first.id, sender="me", now=NOON) is None

    async def test_delivery_comes_back_as_planned(self, store: Store) -> None:
        _, (first,) = await opened(store)
        assert (await claimed(store, first)).delivery == first

    async def test_unfinished_sending_is_a_repetition(self, store: Store) -> None:
        _, (first,) = await opened(store)
        assert not (await claimed(store, first)).repeated
        assert (await claimed(store, first)).repeated

    async def test_released_sending_is_no_repetition(self, store: Store) -> None:
        _, (first,) = await opened(store)
        await claimed(store, first)
        await store.release(first.id)
        assert not (await claimed(store, first)).repeated

    async def test_other_sender_waits_for_a_fresh_claim_and_takes_an_old_one(self, store: Store) -> None:
        _, (first,) = await opened(store)
        await claimed(store, first)
        with pytest.raises(Busy) as busy:
            await claimed(store, first, sender="you", after_s=5)
        assert busy.value.retry_after == pytest.approx(15)
        assert (await claimed(store, first, sender="you", after_s=21)).repeated

    async def test_later_messages_know_the_first_one(self, store: Store) -> None:
        incident, (first,) = await opened(store)
        await sent(store, first, "m77")
        edit, _ = await resolved(store, incident)
        claim = await claimed(store, edit)
        assert (claim.first_message_id, claim.is_newest_edit, claim.address) == ("m77", True, "-100200")
        assert await store.number_of_message(NOC, "m77") == incident.number
        assert await store.number_of_message(ChatId("other"), "m77") is None

    async def test_failed_first_message_told_nothing(self, store: Store) -> None:
        incident, (first,) = await opened(store)
        async with store.unit() as unit:
            await unit.settle(first, WhyNot.REFUSED, words="no", at=NOON)
            told = (await unit.told(incident.id))[NOC]
        assert (told.sequence, told.status) == (1, None)
        assert await resolved(store, incident) == ()

    async def test_delivery_is_found_by_the_channels_id(self, store: Store) -> None:
        _, (first,) = await opened(store)
        await sent(store, first, "wamid.1")
        async with store.unit() as unit:
            assert await unit.delivery_of_message("wamid.1") == first
            assert await unit.delivery_of_message("wamid.2") is None

    async def test_told_is_the_newest_status(self, store: Store) -> None:
        incident, _ = await opened(store)
        await resolved(store, incident)
        async with store.unit() as unit:
            told = (await unit.told(incident.id))[NOC]
        assert (told.sequence, told.status) == (3, Status.RESOLVED)

    async def test_unusable_chat_is_news_once_per_address(self, store: Store) -> None:
        async with store.unit() as unit:
            assert await unit.mark_unusable(NOC, "-1", reason="blocked", at=NOON)
            assert not await unit.mark_unusable(NOC, "-1", reason="blocked", at=NOON)
            assert await unit.unusable() == frozenset({(NOC, "-1")})
            assert await unit.mark_unusable(NOC, "-2", reason="blocked", at=NOON)
        await store.mark_usable(NOC)
        async with store.unit() as unit:
            assert await unit.unusable() == frozenset()

    async def test_moved_chat_is_found_both_ways(self, store: Store) -> None:
        _, (first,) = await opened(store)
        async with store.unit() as unit:
            await unit.move_chat(Channel.TELEGRAM, "-100200", "-100999")
        assert (await claimed(store, first)).address == "-100999"
        assert await store.current_address(Channel.TELEGRAM, "-100200") == "-100999"
        assert await store.current_address(Channel.WHATSAPP, "-100200") == "-100200"
        assert await store.former_addresses(Channel.TELEGRAM, "-100999") == ["-100200"]

    async def test_what_came_in_is_new_once_and_kept_until_answered(self, store: Store) -> None:
        ping = Incoming(Channel.TELEGRAM, "7", "42", "Sari", text="/ping core-1")
        since = NOON - timedelta(minutes=10)
        assert await store.receive([ping], now=NOON) == [ping]
        assert await store.receive([ping], now=NOON) == []
        assert await store.unanswered(Channel.TELEGRAM, since=since) == [ping]
        assert await store.unanswered(Channel.WHATSAPP, since=since) == []
        await store.answered(Channel.TELEGRAM, "7")
        assert await store.unanswered(Channel.TELEGRAM, since=since) == []
        assert await store.last_heard(Channel.TELEGRAM, "42") == NOON
        assert await store.last_heard(Channel.TELEGRAM, "43") is None

    async def test_too_early_message_waits_its_patience(self, store: Store) -> None:
        assert not await store.has_waited("host:h1:4", timedelta(seconds=2))
        assert await store.has_waited("host:h1:4", timedelta(0))
