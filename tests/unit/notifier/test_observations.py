"""Everything that is seen besides up and down: told once, ended once, in words of both languages."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.notifier.core.observations import RELIEFS, TROUBLES
from services.notifier.core.reasons import WhyNot
from shared.contracts import events as e
from shared.contracts.ids import HostId
from shared.contracts.vocabulary import HostState, Threat
from shared.errors import Temporary
from tests.fakes.notifier_watch import DOWN, Watch

NOTICES = {e.PollerReturned, e.RouterRebooted, e.RouterUpgraded}
UNTOLD = {e.NeighborSeen}
PAIRS: list[tuple[type[e.Event], type[e.Event]]] = [
    (e.HostFlapping, e.HostSteady),
    (e.HostDegraded, e.HostRestored),
    (e.HostSilent, e.HostHeard),
    (e.OutageBegan, e.OutageEnded),
    (e.PollerBlind, e.PollerSighted),
    (e.RouterStressed, e.RouterRelieved),
    (e.InterfaceDown, e.InterfaceUp),
    (e.InterfaceDown, e.InterfaceWithdrawn),
    (e.ThreatSuspected, e.ThreatPassed),
    (e.SessionsDropped, e.SessionsReturned),
]
SINCE = {
    e.HostSteady: "flapping_since",
    e.HostRestored: "degraded_since",
    e.HostHeard: "silent_since",
    e.OutageEnded: "since",
    e.PollerSighted: "blind_since",
    e.RouterRelieved: "stressed_since",
    e.ThreatPassed: "suspected_since",
    e.SessionsReturned: "dropped_at",
}


def the_end_of(trouble: e.Event, relief: type[e.Event]) -> e.Event:
    """The relief of just this trouble, ten minutes later."""
    changes: dict[str, object] = {"at": trouble.at + timedelta(minutes=10)}
    if relief in SINCE:
        changes[SINCE[relief]] = getattr(trouble, "since", trouble.at)
    return relief.example().model_copy(update=changes)  # type: ignore[return-value]


def test_every_trouble_has_an_end_or_is_a_notice() -> None:
    assert set(TROUBLES) == {trouble for trouble, _ in PAIRS} | NOTICES | UNTOLD
    assert set(RELIEFS) == {relief for _, relief in PAIRS}


@pytest.mark.parametrize(("trouble_kind", "relief_kind"), PAIRS, ids=lambda kind: kind.NAME)
async def test_a_trouble_is_told_and_its_end_too(trouble_kind: type[e.Event], relief_kind: type[e.Event]) -> None:
    watch = Watch()
    trouble = trouble_kind.example()
    await watch.hear(trouble)
    await watch.hear(trouble)  # delivered twice
    await watch.send()
    assert len(watch.telegram.at("-1")) == 1
    await watch.hear(the_end_of(trouble, relief_kind))
    await watch.send()
    first, last = watch.telegram.at("-1")
    assert "✅" in first.text
    assert "✅" in last.text
    assert "{" not in first.text + last.text


@pytest.mark.parametrize("kind", sorted(NOTICES, key=lambda kind: kind.NAME), ids=lambda kind: kind.NAME)
async def test_a_notice_is_told_once_and_needs_no_end(kind: type[e.Event]) -> None:
    watch = Watch()
    for _ in range(2):
        await watch.hear(kind.example())
    await watch.send()
    assert len(watch.telegram.at("-1")) == 1
    assert [type(one) for one in watch.said()] == [e.AlertOpened, e.AlertResolved]


async def test_a_new_neighbour_is_for_the_record() -> None:
    watch = Watch()
    await watch.hear(e.NeighborSeen.example())
    await watch.send()
    assert watch.telegram.at("-1") == []
    assert {entry.reason for entry in watch.store.kept.ledger} == {WhyNot.FOR_THE_RECORD}


async def test_an_end_that_came_first_waits_for_its_beginning() -> None:
    watch = Watch()
    trouble = e.RouterStressed.example()
    with pytest.raises(Temporary):
        await watch.hear(the_end_of(trouble, e.RouterRelieved))


async def test_a_log_in_from_an_unknown_address_is_over_when_told() -> None:
    watch = Watch()
    await watch.hear(e.ThreatSuspected.example().model_copy(update={"threat": Threat.UNKNOWN_LOGIN}))
    await watch.send()
    assert "203.0.113.99" in watch.telegram.at("-1")[0].text
    assert isinstance(watch.said()[-1], e.AlertResolved)


async def test_a_host_behind_a_fallen_parent_is_in_the_ledger_only() -> None:
    watch = Watch()
    await watch.hear(e.HostUnreachable.example())
    await watch.send()
    assert watch.telegram.at("-1") == []
    assert [entry.reason for entry in watch.store.kept.ledger] == [WhyNot.BEHIND_PARENT]


async def test_an_outage_is_told_once_and_its_leftovers_one_by_one() -> None:
    watch = Watch()
    outage = e.OutageBegan.example()
    await watch.hear(outage)
    downs = [
        DOWN.model_copy(update={"host_id": HostId(f"h{n}"), "host_name": f"ap-{n}", "outage_id": outage.outage_id})
        for n in range(3)
    ]
    for down in downs:
        await watch.hear(down)
    await watch.send()
    assert len(watch.telegram.at("-1")) == 1, "members of an outage have no message of their own"
    back = e.HostUp.example().model_copy(
        update={
            "host_id": HostId("h0"),
            "at": DOWN.at + timedelta(minutes=1),
            "transition": DOWN.transition + 1,
            "previous": HostState.DOWN,
        }
    )
    await watch.hear(back)
    await watch.hear(the_end_of(outage, e.OutageEnded).model_copy(update={"still_down": 2}))
    await watch.send()
    texts = [message.text for message in watch.telegram.at("-1")]
    assert [name for name in ("ap-0", "ap-1", "ap-2") if any(name in text for text in texts)] == ["ap-1", "ap-2"]


async def test_what_was_seen_while_cut_off_is_summed_up() -> None:
    watch = Watch()
    await watch.hear(DOWN.model_copy(update={"backfilled": True}))
    await watch.hear(e.PollerReturned.example())
    await watch.send()
    (summary,) = watch.telegram.at("-1")
    assert "14" in summary.text
    assert WhyNot.BACKFILLED in {entry.reason for entry in watch.store.kept.ledger}


async def test_link_that_nobody_expects_any_more_is_not_said_to_be_back() -> None:
    watch = Watch()
    await watch.hear(e.InterfaceDown.example())
    await watch.send()
    await watch.hear(the_end_of(e.InterfaceDown.example(), e.InterfaceWithdrawn))
    await watch.send()
    last = watch.telegram.at("-1")[-1]
    assert "TIDAK DIPANTAU LAGI" in last.text
    assert "TERSAMBUNG" not in last.text


async def test_what_falls_silent_during_work_is_told_when_the_work_is_over_and_not_before() -> None:
    watch = Watch()
    await watch.hear(DOWN.model_copy(update={"in_maintenance": True}))
    await watch.send()
    assert watch.telegram.at("-1") == []
    assert WhyNot.IN_MAINTENANCE in watch.reasons()
    over = {"transition": DOWN.transition + 1, "previous": HostState.DOWN, "at": DOWN.at + timedelta(hours=1)}
    await watch.hear(DOWN.model_copy(update=over))
    await watch.send()
    assert [message.text[:4] for message in watch.telegram.at("-1")] == ["🔴 DO"]
    back = {"transition": DOWN.transition + 2, "previous": HostState.DOWN, "at": DOWN.at + timedelta(hours=2)}
    await watch.hear(e.HostUp.example().model_copy(update=back))
    await watch.send()
    assert [message.text[:4] for message in watch.telegram.at("-1")] == ["✅ UP", "✅ UP"]


async def test_what_comes_back_during_work_is_never_told() -> None:
    watch = Watch()
    await watch.hear(DOWN.model_copy(update={"in_maintenance": True}))
    back = {"transition": DOWN.transition + 1, "previous": HostState.DOWN, "at": DOWN.at + timedelta(minutes=9)}
    await watch.hear(e.HostUp.example().model_copy(update=back))
    await watch.send()
    assert watch.telegram.at("-1") == []
