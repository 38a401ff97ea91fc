"""Laws that hold for any sequence of facts: nothing vanishes, nobody hears an end without a beginning."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from services.notifier.core import lifecycle
from services.notifier.core.incidents import Incident, Status
from services.notifier.core.plan import Delivery, LedgerEntry, Plan, Told, about_incident, nothing, plan
from services.notifier.core.reasons import Form, Reason, WhyNot
from services.notifier.core.recipients import Recipient
from shared.contracts.ids import ChatId
from shared.contracts.vocabulary import Channel
from tests.fakes.notifier_facts import CHANNELS, KEDIRI, NOON, WARU, recipient, relief, trouble

CHATS = (
    recipient("telegram"),
    recipient("whatsapp", channel=Channel.WHATSAPP),
    recipient("kediri", sites=(KEDIRI,)),
    recipient("waru", sites=(WARU,)),
    recipient("off", bar=WhyNot.CHAT_OFF),
)


@dataclass
class Book:
    """What a store keeps, in its simplest form."""

    incident: Incident | None = None
    told: dict[ChatId, Told] = field(default_factory=dict)
    deliveries: list[Delivery] = field(default_factory=list)
    ledger: list[LedgerEntry] = field(default_factory=list)

    def live(self, step: tuple[str, float], chats: tuple[Recipient, ...]) -> Plan:
        word, second = step
        count = len(self.deliveries) + len(self.ledger)
        after = self._next(word, second, count)
        if isinstance(after, WhyNot):
            return self._keep(nothing("-", after, NOON), after)
        if self.incident is None or after.id != self.incident.id:
            self.told = {}
        self.incident = after
        return self._keep(plan(about_incident(after, NOON), chats, channels=CHANNELS, told=self.told), after)

    def _next(self, word: str, second: float, count: int) -> Incident | WhyNot:
        if word == "down":
            return lifecycle.begin(self.incident, trouble(second, transition=count + 1))
        if word == "up":
            return lifecycle.end(self.incident, relief(second, transition=count + 1))
        if self.incident is None:
            return WhyNot.NOTHING_OPEN
        return lifecycle.acknowledge(self.incident, by="Sari", at=NOON)

    def _keep(self, result: Plan, after: Incident | WhyNot) -> Plan:
        self.deliveries += result.deliveries
        self.ledger += result.ledger
        if isinstance(after, Incident):
            for one in result.deliveries:
                self.told[one.recipient.chat_id] = Told(one.sequence, after.status)
        return result


words = st.sampled_from(["down", "up", "ack"])
histories = st.lists(st.tuples(words, st.floats(0, 30)), max_size=20).map(
    lambda steps: [(word, sum(gap for _, gap in steps[: index + 1])) for index, (word, _) in enumerate(steps)]
)
chat_lists = st.lists(st.sampled_from(CHATS), unique_by=lambda chat: chat.chat_id).map(tuple)


@given(histories, chat_lists)
def test_every_change_ends_as_a_delivery_or_in_the_ledger(
    history: list[tuple[str, float]], chats: tuple[Recipient, ...]
) -> None:
    book = Book()
    for step in history:
        result = book.live(step, chats)
        told = {one.recipient.chat_id for one in result.deliveries}
        not_told = [chat_id for entry in result.ledger for chat_id in entry.chat_ids]
        if any(entry.chat_ids == () for entry in result.ledger):  # of the change itself
            assert not told
            assert len(result.ledger) == 1
        else:
            assert sorted([*told, *not_told]) == sorted(chat.chat_id for chat in chats)


@given(histories, chat_lists)
def test_no_recovery_is_told_to_who_heard_no_alarm(
    history: list[tuple[str, float]], chats: tuple[Recipient, ...]
) -> None:
    book = Book()
    for step in history:
        book.live(step, chats)
    heard: set[tuple[str, str]] = set()
    for one in book.deliveries:
        if one.reason is Reason.FIRST:
            assert (one.thread, one.recipient.chat_id) not in heard
            heard.add((one.thread, one.recipient.chat_id))
        else:
            assert (one.thread, one.recipient.chat_id) in heard


@given(histories)
def test_who_was_told_of_the_trouble_is_told_of_its_end(history: list[tuple[str, float]]) -> None:
    book = Book()
    for step in [*history, ("up", 10_000.0)]:
        book.live(step, CHATS)
    for told in book.told.values():
        assert told.status is Status.RESOLVED


@given(histories, chat_lists)
def test_sequence_has_no_gap_and_no_repetition(history: list[tuple[str, float]], chats: tuple[Recipient, ...]) -> None:
    book = Book()
    for step in history:
        book.live(step, chats)
    numbers: dict[tuple[str, str], list[int]] = {}
    for one in book.deliveries:
        numbers.setdefault((one.thread, one.recipient.chat_id), []).append(one.sequence)
    for sequence in numbers.values():
        assert sequence == list(range(1, len(sequence) + 1))
    assert len({one.id for one in book.deliveries}) == len(book.deliveries)


@given(histories, st.integers(0, 20))
def test_restart_at_any_point_gives_the_same_messages(history: list[tuple[str, float]], cut: int) -> None:
    straight, restarted = Book(), Book()
    for step in history:
        straight.live(step, CHATS)
    for index, step in enumerate(history):
        if index == cut:  # the crash: decided, but nothing of it was committed
            replace_me = Book(restarted.incident, dict(restarted.told), [], [])
            replace_me.deliveries, replace_me.ledger = list(restarted.deliveries), list(restarted.ledger)
            replace_me.live(step, CHATS)
        restarted.live(step, CHATS)
    assert restarted.deliveries == straight.deliveries
    assert restarted.ledger == straight.ledger


@given(histories)
def test_only_pushes_and_replies_ring_and_never_twice_for_one_state(history: list[tuple[str, float]]) -> None:
    book = Book()
    for step in history:
        rings = [one for one in book.live(step, CHATS).deliveries if one.form is not Form.EDIT]
        assert len({one.recipient.chat_id for one in rings}) == len(rings)
