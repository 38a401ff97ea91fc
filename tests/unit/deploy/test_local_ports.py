"""Two runs that start in the same second never promise themselves the same port."""

import socket
import sys

import pytest

from deploy.local.ports import Claims


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_the_standard_port_is_taken_when_it_is_free():
    wanted = _free()

    with Claims() as ports:
        assert ports.choose(wanted) == wanted


def test_a_port_that_somebody_listens_on_is_passed_over():
    with socket.create_server(("127.0.0.1", 0)) as other, Claims() as ports:
        wanted = other.getsockname()[1]

        assert ports.choose(wanted) > wanted


def test_one_run_never_gets_a_port_twice():
    with Claims() as ports:
        chosen = [ports.choose(_free()) for _ in range(3)] + [ports.choose_any() for _ in range(20)]

    assert len(set(chosen)) == len(chosen)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has names of sockets that belong to the machine")
def test_another_run_gets_another_port_before_the_first_listens():
    wanted = _free()

    with Claims() as first, Claims() as second:
        assert first.choose(wanted) == wanted
        assert second.choose(wanted) != wanted
    with Claims() as later:
        assert later.choose(wanted) == wanted
