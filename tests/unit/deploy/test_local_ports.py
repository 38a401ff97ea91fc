"""Two runs that start in the same second never promise themselves the same port."""

import socket
import sys

import pytest

from deploy.local import ports
from deploy.local.ports import Claims, choose_any


def test_the_standard_port_is_taken_when_it_ischoose_any():
    wanted = choose_any()

    with Claims() as claims:
        assert claims.choose(wanted) == wanted


def test_a_port_that_somebody_listens_on_is_passed_over():
    with socket.create_server(("127.0.0.1", 0)) as other, Claims() as claims:
        wanted = other.getsockname()[1]

        assert not ports.is_free(wanted)
        assert claims.choose(wanted) > wanted


def test_one_run_never_gets_a_port_twice():
    with Claims() as claims:
        chosen = [claims.choose(choose_any()) for _ in range(3)] + [claims.choose_any() for _ in range(20)]

    assert len(set(chosen)) == len(chosen)


def test_at_the_end_of_the_range_any_port_will_do(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ports, "is_free", lambda port, host="": False)

    with Claims() as claims:
        assert 0 < claims.choose(ports.HIGHEST) <= ports.HIGHEST


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has names of sockets that belong to the machine")
def test_another_run_gets_another_port_before_the_first_listens():
    wanted = choose_any()

    with Claims() as first, Claims() as second:
        assert first.choose(wanted) == wanted
        assert second.choose(wanted) != wanted
    with Claims() as later:
        assert later.choose(wanted) == wanted
