"""The life of an incident and what each chat is told of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from services.notifier.core import lifecycle
from services.notifier.core.incidents import Incident, Relief, Seen, Status
from services.notifier.core.plan import Plan, Told, about_incident, about_session, plan
from services.notifier.core.reasons import Form, Reason, WhyNot
from services.notifier.core.recipients import Recipient
from services.notifier.core.sessions import SessionChange
from shared.contracts.ids import ChatId
from shared.contracts.vocabulary import Channel, Service, Subscription
from tests.fakes.notifier_facts import CHANNELS, KEDIRI, NOON, WARU, recipient, relief, trouble


def opened(**changes: object) -> Incident:
    begun = lifecycle.begin(None, trouble())
    assert isinstance(begun, Incident)
    return replace(begun, **changes)  # type: ignore[arg-type]


def ended(after_s: float, incident: Incident | None = None) -> Incident:
    over = lifecycle.end(incident or opened(), relief(after_s))
    assert isinstance(over, Incident)
    return over


def planned(incident: Incident, who: Recipient, told: Status | None = None) -> Plan:
    before = {who.chat_id: Told(1, told)} if told else {}
    return plan(about_incident(incident, NOON), [who], channels=CHANNELS, told=before)


def shape(result: Plan) -> list[tuple[Form, Reason, int]]:
    return [(one.form, one.reason, one.sequence) for one in result.deliveries]


def test_same_facts_get_the_same_names() -> None:
    assert lifecycle.begin(None, trouble()) == lifecycle.begin(None, trouble())
    later = lifecycle.begin(None, trouble(60))
    assert isinstance(later, Incident)
    assert later.id != opened().id
    assert later.subject.alert_id == opened().subject.alert_id


@pytest.mark.parametrize(
    ("current", "seen", "why"),
    [
        pytest.param(opened(), None, WhyNot.ALREADY_OPEN, id="still-open"),
        pytest.param(None, Seen(2, NOON + timedelta(minutes=1)), WhyNot.OVERTAKEN, id="older-than-the-end"),
    ],
)
def test_trouble_that_changes_nothing_says_why(current: Incident | None, seen: Seen | None, why: WhyNot) -> None:
    assert lifecycle.begin(current, trouble(), seen) is why


def test_late_relief_does_not_end_a_newer_trouble() -> None:
    assert lifecycle.end(opened(), relief(5, transition=4), Seen(5, NOON + timedelta(seconds=20))) is WhyNot.OVERTAKEN


def test_poller_that_counts_from_the_beginning_again_is_believed() -> None:
    assert isinstance(lifecycle.begin(None, trouble(600, transition=1), Seen(40, NOON)), Incident)


@pytest.mark.parametrize(
    ("fact", "seen", "waits"),
    [
        pytest.param(relief(5, transition=4), Seen(3, NOON), timedelta(0), id="in-order"),
        pytest.param(relief(5, transition=4), Seen(2, NOON), lifecycle.PATIENCE, id="gap"),
        pytest.param(relief(5, transition=4), None, lifecycle.PATIENCE_WITH_THE_UNKNOWN, id="nothing-seen"),
        pytest.param(
            replace(relief(5, transition=4), follows_trouble=False), None, timedelta(0), id="was-not-down-before"
        ),
    ],
)
def test_end_waits_for_its_beginning(fact: Relief, seen: Seen | None, waits: timedelta) -> None:
    assert lifecycle.patience(fact, seen) == waits


def test_resolved_alert_opens_anew_as_another_incident() -> None:
    again = lifecycle.begin(ended(60), trouble(120, transition=3))
    assert isinstance(again, Incident)
    assert again.status is Status.OPEN


@pytest.mark.parametrize(
    ("current", "why"),
    [
        pytest.param(None, WhyNot.NOTHING_OPEN, id="never-opened"),
        pytest.param(ended(5), WhyNot.NOTHING_OPEN, id="over-already"),
    ],
)
def test_relief_without_open_trouble_says_why(current: Incident | None, why: WhyNot) -> None:
    assert lifecycle.end(current, relief(60)) is why


def test_outage_counts_from_the_first_lost_probe() -> None:
    assert ended(137).outage_s == pytest.approx(137)


def test_second_acknowledgement_changes_nothing() -> None:
    first = lifecycle.acknowledge(opened(), by="Sari", at=NOON)
    assert isinstance(first, Incident)
    assert lifecycle.acknowledge(first, by="Budi", at=NOON) is WhyNot.ALREADY_TOLD
    assert lifecycle.acknowledge(ended(60), by="Budi", at=NOON) is WhyNot.NOTHING_OPEN


FIRST = (Form.PUSH, Reason.FIRST, 1)


@pytest.mark.parametrize(
    ("incident", "told", "channel", "expected"),
    [
        pytest.param(opened(), None, Channel.TELEGRAM, [FIRST], id="opened"),
        pytest.param(opened(), None, Channel.WHATSAPP, [FIRST], id="opened-whatsapp"),
        pytest.param(
            ended(137),
            Status.OPEN,
            Channel.TELEGRAM,
            [(Form.EDIT, Reason.RESOLVED, 2), (Form.REPLY, Reason.RESOLVED, 3)],
            id="resolved-edits-and-rings",
        ),
        pytest.param(ended(4), Status.OPEN, Channel.TELEGRAM, [(Form.EDIT, Reason.BLIP, 2)], id="blip-only-edits"),
        pytest.param(
            ended(4), Status.OPEN, Channel.WHATSAPP, [(Form.REPLY, Reason.BLIP, 2)], id="blip-no-edit-channel"
        ),
        pytest.param(
            ended(137), Status.OPEN, Channel.WHATSAPP, [(Form.REPLY, Reason.RESOLVED, 2)], id="resolved-whatsapp"
        ),
    ],
)
def test_chat_is_told_what_it_does_not_know(
    incident: Incident, told: Status | None, channel: Channel, expected: list[tuple[Form, Reason, int]]
) -> None:
    assert shape(planned(incident, recipient(channel=channel), told)) == expected


def test_acknowledged_outage_is_never_a_blip() -> None:
    taken = lifecycle.acknowledge(opened(), by="Sari", at=NOON + timedelta(seconds=2))
    assert isinstance(taken, Incident)
    assert not ended(4, taken).is_blip


@pytest.mark.parametrize(
    ("who", "told", "why"),
    [
        pytest.param(recipient(receives=frozenset()), None, WhyNot.NOT_SUBSCRIBED, id="not-subscribed"),
        pytest.param(recipient(sites=(KEDIRI,)), None, WhyNot.OTHER_SITE, id="other-site"),
        pytest.param(recipient(bar=WhyNot.CHAT_OFF), None, WhyNot.CHAT_OFF, id="switched-off"),
        pytest.param(recipient(bar=WhyNot.CHAT_UNUSABLE), None, WhyNot.CHAT_UNUSABLE, id="blocked"),
    ],
)
def test_chat_that_is_not_told_is_in_the_ledger(who: Recipient, told: Status | None, why: WhyNot) -> None:
    result = planned(opened(), who, told)
    assert result.deliveries == ()
    assert [(entry.reason, entry.chat_ids) for entry in result.ledger] == [(why, (who.chat_id,))]


def test_switched_off_channel_is_in_the_ledger() -> None:
    result = plan(about_incident(opened(), NOON), [recipient()], channels={}, told={})
    assert [entry.reason for entry in result.ledger] == [WhyNot.CHANNEL_OFF]


def test_no_recovery_without_an_alarm_told() -> None:
    result = planned(ended(137), recipient(), told=None)
    assert result.deliveries == ()
    assert [entry.reason for entry in result.ledger] == [WhyNot.NEVER_TOLD]


def test_who_was_told_hears_the_end_even_after_unsubscribing() -> None:
    assert len(planned(ended(137), recipient(receives=frozenset(), sites=(KEDIRI,)), Status.OPEN).deliveries) == 2


def test_nobody_to_tell_is_in_the_ledger() -> None:
    result = plan(about_incident(opened(), NOON), [], channels=CHANNELS, told={})
    assert [(entry.reason, entry.chat_ids) for entry in result.ledger] == [(WhyNot.NOBODY, ())]


def login(*, online: bool = True) -> SessionChange:
    return SessionChange("s1", online, "budi@paket10", Service.HOTSPOT, "waru-gw", WARU, NOON)


def test_session_goes_to_who_asked_for_sessions() -> None:
    alerts_only = recipient("a", receives=frozenset({Subscription.ALERTS}))
    result = plan(about_session(login()), [recipient(), alerts_only], channels=CHANNELS, told={})
    assert [(one.recipient.chat_id, one.reason) for one in result.deliveries] == [("noc", Reason.SESSION_OPENED)]
    assert [(entry.reason, entry.chat_ids) for entry in result.ledger] == [(WhyNot.NOT_SUBSCRIBED, (ChatId("a"),))]


def test_delivery_ids_are_the_same_after_a_restart() -> None:
    assert planned(opened(), recipient()) == planned(opened(), recipient())
