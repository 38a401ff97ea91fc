"""The real tables of handlers on fakes: from an event to what a chat shows, failures included."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.notifier.core.reasons import WhyNot
from services.notifier.handlers.alerts import acknowledge_alert
from services.notifier.handlers.lateness import NEWER_COMES_WITHIN_S
from services.notifier.handlers.sending import note_failure
from services.notifier.ports import ChatGone, ChatMoved
from shared.bus.context import Arrival, handling
from shared.contracts.envelope import Envelope
from shared.contracts.events import (
    AlertAcknowledged,
    AlertOpened,
    AlertResolved,
    ChatUnusable,
    HostDown,
    RouterReachable,
    RouterUnreachable,
    SessionClosed,
    SessionsDropped,
)
from shared.contracts.ids import ChatId, IncidentId
from shared.contracts.inventory import Chat, Subscriber
from shared.contracts.notify import DeliveryDue
from shared.contracts.queries import AcknowledgeAlert, AlertTaken
from shared.contracts.vocabulary import Channel, HostState
from shared.errors import Busy, Conflict, DeadlineExceeded, NotAllowed, NotFound, Rejected, Temporary, Unreachable
from tests.fakes.notifier_watch import DOWN, UP, Watch


@pytest.fixture
def watch() -> Watch:
    return Watch()


async def test_outage_on_a_channel_that_edits_and_on_one_that_does_not(watch: Watch) -> None:
    await watch.hear(DOWN)
    await watch.send()
    watch.clock.advance(136)
    await watch.hear(UP)
    await watch.send()
    first, reply = watch.telegram.at("-1")
    assert [text[:4] for text in first.versions] == ["🔴 DO", "✅ UP"]
    assert (reply.text[:4], reply.reply_to) == ("✅ UP", first.id)
    assert [one.text[:4] for one in watch.whatsapp.shown] == ["🔴 DO", "✅ UP"]
    kinds = [type(one) for one in watch.store.kept.outbox if not isinstance(one, DeliveryDue)]
    assert kinds == [AlertOpened, AlertResolved]


async def test_event_that_comes_twice_is_told_once(watch: Watch) -> None:
    await watch.hear(DOWN)
    await watch.hear(DOWN)
    await watch.send()
    assert len(watch.telegram.shown) == 1


async def test_first_answer_of_a_new_host_is_no_recovery(watch: Watch) -> None:
    await watch.hear(UP.model_copy(update={"previous": HostState.UNKNOWN}))
    assert watch.due() == []
    assert watch.reasons() == [WhyNot.NOTHING_OPEN]


async def test_end_before_its_beginning_waits_and_then_gives_up(watch: Watch) -> None:
    with pytest.raises(Temporary):
        await watch.hear(UP)
    assert watch.store.kept.ledger == []
    watch.clock.advance(3)
    await watch.hear(UP)
    assert watch.reasons() == [WhyNot.NOTHING_OPEN]
    await watch.hear(DOWN)
    assert watch.reasons() == [WhyNot.NOTHING_OPEN, WhyNot.OVERTAKEN]
    assert watch.due() == []


@pytest.mark.parametrize("error", [Unreachable("away"), Busy("slow", retry_after=3), NotAllowed("token")])
async def test_what_was_surely_not_sent_waits_unmarked(watch: Watch, error: Exception) -> None:
    await watch.hear(DOWN)
    due = watch.due()
    watch.telegram.failures = [error]
    with pytest.raises(Temporary):
        await watch.sender.send_due(due[0])
    watch.clock.advance(740)
    await watch.sender.send_due(due[0])
    (told,) = watch.telegram.shown
    assert "(ulangan)" not in told.text
    assert "Terlambat 12 menit" in told.text


async def test_lost_answer_makes_one_marked_repetition(watch: Watch) -> None:
    await watch.hear(DOWN)
    due = watch.due()
    watch.telegram.lost_answers = [DeadlineExceeded("late")]
    with pytest.raises(DeadlineExceeded):
        await watch.sender.send_due(due[0])
    await watch.sender.send_due(due[0])
    await watch.sender.send_due(due[0])
    assert ["(ulangan)" in one.text for one in watch.telegram.shown] == [False, True]


async def test_message_in_another_notifiers_hand_is_left_there(watch: Watch) -> None:
    await watch.hear(DOWN)
    due = watch.due()
    watch.telegram.lost_answers = [DeadlineExceeded("killed meanwhile")]
    with pytest.raises(DeadlineExceeded):
        await watch.sender.send_due(due[0])
    with pytest.raises(Busy):
        await watch.new_sender("two").send_due(due[0])
    assert len(watch.telegram.shown) == 1


async def test_later_due_sends_the_earlier_message_first(watch: Watch) -> None:
    await watch.hear(DOWN)
    await watch.hear(UP)
    due = [one for one in watch.due() if one.chat_id == "noc"]
    await watch.sender.send_due(due[-1])
    assert [one.versions[0][:4] for one in watch.telegram.shown] == ["🔴 DO", "✅ UP"]
    for late in due[:-1]:
        await watch.sender.send_due(late)
    assert len(watch.telegram.shown) == 2


async def test_message_that_cannot_be_edited_any_more_is_sent_anew(watch: Watch) -> None:
    await watch.hear(DOWN)
    await watch.send()
    watch.telegram.shown.clear()  # somebody deleted it
    await watch.hear(UP)
    await watch.send()
    assert [one.text[:4] for one in watch.telegram.shown] == ["✅ UP", "✅ UP"]


async def test_chat_that_is_gone_is_switched_off_with_the_channels_words(watch: Watch) -> None:
    watch.telegram.failures = [ChatGone("refused", words="Forbidden: bot was blocked by the user")]
    await watch.hear(DOWN)
    await watch.send()
    (said,) = [one for one in watch.store.kept.outbox if isinstance(one, ChatUnusable)]
    assert (said.chat_id, said.reason) == ("noc", "Forbidden: bot was blocked by the user")
    await watch.hear(UP)
    await watch.send()
    assert watch.telegram.shown == []  # it heard no alarm, so it hears no end
    await watch.store.mark_usable(ChatId("noc"))
    again = DOWN.model_copy(
        update={"transition": 5, "since": UP.at + timedelta(seconds=9), "at": UP.at + timedelta(seconds=10)}
    )
    await watch.hear(again)
    await watch.send()
    assert len(watch.telegram.shown) == 1


async def test_moved_chat_gets_its_message_at_once(watch: Watch) -> None:
    watch.telegram.failures = [ChatMoved("upgraded", new_address="-1009")]
    await watch.hear(DOWN)
    await watch.send()
    assert [one.to for one in watch.telegram.shown] == ["-1009"]


async def test_refused_text_is_dropped_with_its_reason(watch: Watch) -> None:
    watch.telegram.failures = [Rejected("no", words="Bad Request: odd")]
    await watch.hear(DOWN)
    await watch.send()
    assert WhyNot.REFUSED in watch.reasons()


async def test_message_nobody_needs_any_more_expires_into_the_ledger(watch: Watch) -> None:
    await watch.hear(DOWN)
    watch.clock.advance(25 * 3600)
    await watch.send()
    assert watch.telegram.shown == []
    assert watch.reasons() == [WhyNot.EXPIRED, WhyNot.EXPIRED]


async def test_chat_removed_meanwhile_is_not_written_to(watch: Watch) -> None:
    await watch.hear(DOWN)
    await watch.directory.remove("chat.noc")
    await watch.send()
    assert watch.telegram.shown == []
    assert WhyNot.CHAT_OFF in watch.reasons()


async def test_failure_told_later_is_in_the_ledger(watch: Watch) -> None:
    await watch.hear(DOWN)
    await watch.send()
    await note_failure(watch.whatsapp.shown[0].id, "(131026) undeliverable", store=watch.store, clock=watch.clock)
    assert watch.store.kept.ledger[-1].words == "(131026) undeliverable"


async def acknowledge(watch: Watch, incident_id: str, by: str = "Sari") -> AlertTaken:
    return await acknowledge_alert(
        AcknowledgeAlert(incident_id=IncidentId(incident_id), by=by),
        store=watch.store,
        directory=watch.directory,
        messengers=watch.messengers,
        clock=watch.clock,
    )


async def test_taken_on_elsewhere_is_shown_in_the_chats_and_the_first_stays(watch: Watch) -> None:
    await watch.hear(DOWN)
    await watch.send()
    [incident_id] = watch.store.kept.incidents
    taken = await acknowledge(watch, incident_id)
    again = await acknowledge(watch, incident_id, by="Budi")
    await watch.send()
    assert (taken.number, taken.by, again.by) == (1, "Sari", "Sari")
    assert "Sari" in watch.telegram.at("-1")[0].text
    said = [one for one in watch.store.kept.outbox if isinstance(one, AlertAcknowledged)]
    assert [(one.by, one.sequence) for one in said] == [("Sari", 2)]


async def test_nothing_to_take_on_is_refused(watch: Watch) -> None:
    with pytest.raises(NotFound):
        await acknowledge(watch, "nowhere")
    await watch.hear(DOWN)
    await watch.hear(UP)
    [incident_id] = watch.store.kept.incidents
    with pytest.raises(Conflict):
        await acknowledge(watch, incident_id)


async def test_opening_names_who_is_told(watch: Watch) -> None:
    deaf = Chat(id=ChatId("deaf"), name="deaf", channel=Channel.TELEGRAM, address="-2")
    watch.directory.take(deaf.key(), deaf)
    await watch.hear(DOWN)
    [said] = [one for one in watch.store.kept.outbox if isinstance(one, AlertOpened)]
    assert sorted(said.told) == ["admin", "noc"]


# ── late ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def hear_after(watch: Watch, event: HostDown | RouterUnreachable, seconds: float, failures: int = 0) -> None:
    """As the bus hands over what was so long on its way to its stream."""
    with handling(
        Envelope.around(event, source="test", now=event.at), Arrival(timedelta(seconds=seconds), failures=failures)
    ):
        await watch.hear(event)


async def test_trouble_that_was_long_on_its_way_and_is_over_wakes_nobody(watch: Watch) -> None:
    with pytest.raises(Temporary) as waits:
        await hear_after(watch, DOWN, 90)
    assert waits.value.retry_after is not None
    up = UP.model_copy(update={"backfilled": True})
    with pytest.raises(Temporary):
        await watch.hear(up)
    watch.clock.advance(NEWER_COMES_WITHIN_S)
    await watch.hear(up)
    await hear_after(watch, DOWN, 90, failures=1)
    assert watch.due() == []
    assert watch.reasons()[-1] is WhyNot.OVERTAKEN


async def test_trouble_that_was_long_on_its_way_and_lasts_is_told(watch: Watch) -> None:
    with pytest.raises(Temporary):
        await hear_after(watch, DOWN, 90)
    await hear_after(watch, DOWN, 90, failures=1)
    assert len(watch.due()) == 2


@pytest.mark.parametrize("lasts", [True, False])
async def test_router_that_a_poller_lost_while_it_was_cut_off_is_told_if_that_lasts(watch: Watch, lasts: bool) -> None:
    lost = RouterUnreachable.example().model_copy(update={"backfilled": True})
    with pytest.raises(Temporary):
        await hear_after(watch, lost, 0)
    if not lasts:
        later = {"backfilled": True, "transition": lost.transition + 1, "at": lost.at + timedelta(seconds=9)}
        back = RouterReachable.example().model_copy(update={**later, "unreachable_since": lost.at})
        with pytest.raises(Temporary):
            await watch.hear(back)
        watch.clock.advance(NEWER_COMES_WITHIN_S)
        await watch.hear(back)
    await hear_after(watch, lost, 0, failures=1)
    assert len(watch.due()) == (2 if lasts else 0)


async def test_trouble_that_came_at_once_does_not_wait(watch: Watch) -> None:
    await hear_after(watch, DOWN, 59)
    assert len(watch.due()) == 2


# ── sessions ────────────────────────────────────────────────────────────────────────────────────────────────────────

CLOSED = SessionClosed.example()
BUDI = Subscriber(router_id=CLOSED.router_id, service=CLOSED.service, name=CLOSED.account, phone="0811223344")


def closings(count: int, drop_id: str | None) -> list[SessionClosed]:
    return [
        CLOSED.model_copy(update={"session_id": f"s{number}", "drop_id": drop_id, "inferred": False})
        for number in range(count)
    ]


async def test_of_many_sessions_that_end_together_one_message_tells_and_the_ledger_says_why(watch: Watch) -> None:
    watch.directory.take(BUDI.key(), BUDI)
    drop = SessionsDropped.example()
    for event in [*closings(3, drop.drop_id), drop]:
        await watch.hear(event)
    await watch.send()
    [told], [also] = watch.telegram.shown, watch.whatsapp.shown
    assert drop.cause_name in told.text
    assert (str(drop.lost) in told.text, drop.cause_name in also.text) == (True, True)
    held = [entry for entry in watch.store.kept.ledger if entry.reason is WhyNot.PART_OF_OUTAGE]
    assert [len(entry.chat_ids) for entry in held] == [3, 3, 3]


async def test_session_that_ends_alone_is_told_to_the_chats_and_to_the_subscriber(watch: Watch) -> None:
    watch.directory.take(BUDI.key(), BUDI)
    [closing] = closings(1, None)
    await watch.hear(closing)
    await watch.send()
    assert (len(watch.telegram.shown), len(watch.whatsapp.shown)) == (1, 2)
