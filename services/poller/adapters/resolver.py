"""Names to numbers by the machine's own resolver, in a thread, with a deadline."""

from __future__ import annotations

import asyncio
import ipaddress
import socket

from shared.errors import NotFound, Unreachable

_DEADLINE_S = 5.0
_NO_SUCH_NAME = frozenset({socket.EAI_NONAME, socket.EAI_NODATA})


class SystemResolver:
    """See `ports.Resolver`."""

    async def resolve(self, name: str) -> str:
        """The first numeric address of a name, IPv4 first. Raises NotFound or Unreachable."""
        try:
            return str(ipaddress.ip_address(name))
        except ValueError:
            pass
        try:
            async with asyncio.timeout(_DEADLINE_S):
                found = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_DGRAM)
        except socket.gaierror as problem:
            if problem.errno in _NO_SUCH_NAME:
                raise NotFound(f"there is no host called {name}") from problem
            raise Unreachable(f"the name {name} cannot be looked up now: {problem.strerror}") from problem
        except UnicodeError as wrong:
            raise NotFound(f"{name} cannot be the name of a host") from wrong
        except TimeoutError as late:
            raise Unreachable(f"the name {name} cannot be looked up now: the name server is silent") from late
        addresses = sorted((entry[0], str(entry[4][0])) for entry in found)
        return addresses[0][1]
