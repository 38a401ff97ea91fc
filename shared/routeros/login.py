"""Both ways to log in.

From 6.43 on the password is sent; an older router ignores it and answers with a challenge, which looks like
success to a client that only sees `!done`. librouteros' own challenge helper takes ASCII passwords only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping

from shared.errors import Unreachable
from shared.routeros.address import RouterAddress
from shared.routeros.reply import Reply

Run = Callable[[str, Mapping[str, str]], Awaitable[Reply]]


async def log_in(address: RouterAddress, run: Run) -> None:
    """Raises NotAllowed with the router's words when it refuses."""
    password = address.password.get_secret_value()
    reply = await run("/login", {"name": address.username, "password": password})
    if reply.ret is not None:
        response = challenge_response(password, reply.ret)
        await run("/login", {"name": address.username, "response": response})


def challenge_response(password: str, challenge: str) -> str:
    """`00` and the MD5 over a zero byte, the password and the 16 bytes of the challenge. Raises Unreachable."""
    try:
        salt = bytes.fromhex(challenge)
    except ValueError as error:
        raise Unreachable("the login was answered with something that is no challenge") from error
    secret = password.encode("utf-8", "surrogateescape")
    digest = hashlib.md5(b"\x00" + secret + salt, usedforsecurity=False)
    return "00" + digest.hexdigest()
