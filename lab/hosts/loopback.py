"""Hosts as TCP services on loopback: what everybody may make, without any right."""

from __future__ import annotations

import asyncio
import contextlib

from lab.hosts.host import Host, HostError


class LoopbackGround:
    """Listeners on 127.x addresses. A cut host refuses, an open one accepts and says a line."""

    def __init__(self) -> None:
        self._servers: dict[str, asyncio.Server] = {}
        self._visits: dict[str, dict[asyncio.StreamWriter, asyncio.Task[None] | None]] = {}

    def address(self, number: int) -> str:
        """Each host has an address of its own in 127.77.0.0/16."""
        return f"127.77.{number // 250}.{number % 250 + 1}"

    async def open(self, host: Host) -> None:
        """Listen; the first time on a free port, later on the same. Raises HostError."""
        visits = self._visits.setdefault(host.name, {})

        async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            visits[writer] = asyncio.current_task()
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                writer.write(f"{host.name}\r\n".encode())
                await writer.drain()
                await reader.read(1)
            writer.close()
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()
            visits.pop(writer, None)

        try:
            server = await asyncio.start_server(greet, host.address, host.port)
        except OSError as error:
            raise HostError(f"{host.address}:{host.port} cannot be opened: {error}") from error
        host.port = int(server.sockets[0].getsockname()[1])
        self._servers[host.name] = server

    async def shut(self, host: Host) -> None:
        """Refuse from now on, and end what is connected."""
        server = self._servers.pop(host.name, None)
        if server is None:
            return
        server.close()
        visits = dict(self._visits.get(host.name, {}))
        for writer in visits:
            writer.transport.abort()
        await asyncio.gather(*(task for task in visits.values() if task), return_exceptions=True)
        await server.wait_closed()

    async def degrade(self, host: Host, loss: float, delay_ms: float) -> bool:  # noqa: ARG002
        """The kernel accepts connections by itself, so they cannot be made slow here."""
        return False

    async def stop(self, hosts: list[Host]) -> None:
        """Close all listeners."""
        for host in hosts:
            await self.shut(host)
