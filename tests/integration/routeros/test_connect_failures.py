"""What a person reads when a router cannot be reached."""

import socket

import pytest
from pydantic import SecretStr

from shared.errors import Unreachable
from shared.routeros import RouterAddress, RouterSession


async def test_a_closed_port_is_told_in_plain_words():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: nobody else can take the port meanwhile
        port = taken.getsockname()[1]
        with pytest.raises(Unreachable) as caught:
            await RouterSession.connect(RouterAddress("127.0.0.1", "ronda", SecretStr("x"), port=port))
    assert str(caught.value) == f"127.0.0.1:{port}: connection refused"
