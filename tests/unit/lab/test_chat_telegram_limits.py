"""How fast a bot may speak, with the clock moved by hand."""

from __future__ import annotations

import pytest

from lab.chats.telegram.errors import ApiError
from lab.chats.telegram.limits import Limits


class Hand:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def refused_for(limits: Limits, chat: str = "1", *, group: bool = False) -> int:
    """Seconds to wait, 0 when the call passes."""
    try:
        limits.spend("bot", chat, group=group)
    except ApiError as error:
        return error.parameters["retry_after"]
    return 0


def test_the_refusal_is_worded_as_the_real_one():
    limits = Limits(monotonic=Hand(), chat_burst=1)
    limits.spend("bot", "1", group=False)
    with pytest.raises(ApiError) as caught:
        limits.spend("bot", "1", group=False)
    assert caught.value.body() == {
        "ok": False,
        "error_code": 429,
        "description": "Too Many Requests: retry after 1",
        "parameters": {"retry_after": 1},
    }


def test_a_burst_passes_and_then_one_a_second():
    hand = Hand()
    limits = Limits(monotonic=hand)
    assert [refused_for(limits) for _ in range(6)] == [0, 0, 0, 0, 0, 1]
    assert refused_for(limits, "2") == 0
    hand.now += 1.0
    assert [refused_for(limits) for _ in range(2)] == [0, 1]


def test_a_group_takes_twenty_in_any_minute():
    hand = Hand()
    limits = Limits(monotonic=hand)
    for _ in range(20):
        assert refused_for(limits, group=True) == 0
        hand.now += 2.0
    assert refused_for(limits, group=True) == 20
    hand.now += 20.0
    assert refused_for(limits, group=True) == 0
    assert refused_for(limits, group=True) == 2


def test_the_bot_as_a_whole_takes_thirty_a_second():
    limits = Limits(monotonic=Hand())
    assert [refused_for(limits, str(chat)) for chat in range(31)] == [0] * 30 + [1]


def test_a_refused_call_costs_nothing():
    hand = Hand()
    limits = Limits(monotonic=hand, chat_burst=1)
    assert refused_for(limits) == 0
    for _ in range(10):
        assert refused_for(limits) == 1
    hand.now += 1.0
    assert refused_for(limits) == 0


@pytest.mark.parametrize("calls", [50])
def test_switched_off_nothing_is_refused(calls: int):
    limits = Limits(enabled=False, monotonic=Hand())
    assert sum(refused_for(limits, group=True) for _ in range(calls)) == 0
