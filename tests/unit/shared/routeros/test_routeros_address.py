"""Addresses: what is shown, what is hidden, what is refused."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from shared.errors import Misconfigured
from shared.routeros import API_PORT, RouterAddress, Tls, TlsMode


@pytest.mark.parametrize(
    ("host", "shown"), [("10.0.0.1", "10.0.0.1:8728"), ("fe80::1", "[fe80::1]:8728"), ("r1.isp", "r1.isp:8728")]
)
def test_an_address_shows_host_and_port_only(host: str, shown: str):
    address = RouterAddress(host, "ronda", SecretStr("rahasia"))
    assert address.port == API_PORT
    assert str(address) == shown
    assert "rahasia" not in repr(address)


@pytest.mark.parametrize("fingerprint", [None, "", "ab:cd", "zz" * 32])
def test_a_pin_needs_a_whole_fingerprint(fingerprint: str | None):
    with pytest.raises(Misconfigured):
        Tls(TlsMode.PINNED, fingerprint=fingerprint)


def test_a_pin_is_read_as_people_paste_it():
    assert Tls(TlsMode.PINNED, fingerprint=":".join(["AB"] * 32)).pin == "ab" * 32
