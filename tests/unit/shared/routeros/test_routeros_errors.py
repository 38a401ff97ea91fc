"""The router's words become our errors."""

from __future__ import annotations

import pytest

from shared.errors import (
    Conflict,
    DeadlineExceeded,
    Invalid,
    NotAllowed,
    NotFound,
    Refused,
    Rejected,
    RondaError,
    Temporary,
)
from shared.routeros.errors import FeatureMissing, Trap, refusal


@pytest.mark.parametrize(
    ("words", "meaning"),
    [
        ("no such command or directory (wifi)", FeatureMissing),
        ("no such command prefix", FeatureMissing),
        ("no such command", FeatureMissing),
        ("unknown parameter shared-users", Invalid),
        ("no such item", NotFound),
        ("no such item (4)", NotFound),
        ("input does not match any value of profile", Invalid),
        ("ambiguous value of interface, more than one possible value matches input", Invalid),
        ("invalid value for argument address", Invalid),
        ("invalid value of mac-address", Invalid),
        ("value out of range (1..255)", Invalid),
        ("failure: user name is required", Invalid),
        ("missing value(s) of argument(s) name", Invalid),
        ("failure: secret with the same name already exists", Conflict),
        ("failure: already have user with this name for this server", Conflict),
        ("failure: item with this name already exists", Conflict),
        ("failure: already have such address", Conflict),
        ("failure: already have such entry", Conflict),
        ("already have interface with name br1", Conflict),
        ("already have device with such name", Conflict),
        ("item with such name already exists", Conflict),
        ("not enough permissions (9)", NotAllowed),
        ("invalid user name or password (6)", NotAllowed),
        ("cannot log in", NotAllowed),
        ("could not authenticate - radius timeout", Temporary),
        ("interrupted", Temporary),
        ("session closed", Temporary),
        ("std failure: timeout (13)", DeadlineExceeded),
        ("action failed (6)", Rejected),
        ("your uptime limit is reached", Rejected),
        ("failure: something new", Rejected),
    ],
)
def test_known_words(words: str, meaning: type[RondaError]):
    error = refusal("/ppp/secret/add", [Trap(words)])
    assert isinstance(error, meaning)
    assert words in str(error)
    assert error.retryable is issubclass(meaning, Temporary)
    if isinstance(error, Refused):
        assert isinstance(error, Rejected)
        assert error.words == words


@pytest.mark.parametrize(("category", "meaning"), [("1", Invalid), ("2", Temporary), ("4", Rejected), (None, Rejected)])
def test_unknown_words_are_told_by_category(category: str | None, meaning: type[RondaError]):
    assert isinstance(refusal("/x/print", [Trap("kata baru", category)]), meaning)


def test_several_traps_are_joined_and_the_most_telling_decides():
    error = refusal("/interface/wifi/print", [Trap("failure: odd"), Trap("no such command prefix")])
    assert isinstance(error, FeatureMissing)
    assert error.words == "failure: odd, no such command prefix"
    assert error.code == "feature_missing"


def test_a_trap_without_words_is_still_a_refusal():
    assert isinstance(refusal("/x/add", [Trap("")]), Rejected)
