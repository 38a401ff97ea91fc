"""The listening sockets of one router: plain and TLS."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections import Counter
from typing import TYPE_CHECKING

from lab.routers.connection import Connection

if TYPE_CHECKING:
    from lab.routers.router import VirtualRouter


class ApiServer:
    """Opens and closes the API's ports. After the first `open` the port numbers stay the same."""

    def __init__(self, router: VirtualRouter) -> None:
        self._router = router
        self._servers: list[asyncio.Server] = []
        self._connections: dict[Connection, asyncio.Task[None]] = {}
        self._host = "127.0.0.1"
        self.port = 0
        self.tls_port: int | None = None
        self.tls: ssl.SSLContext | None = None
        self.logins = 0
        """How often somebody logged in; each is a line in the log."""
        self.heard: Counter[str] = Counter()
        """Sentences by their command word."""

    @property
    def listening(self) -> bool:
        return bool(self._servers)

    @property
    def connections(self) -> int:
        """How many clients are connected now."""
        return len(self._connections)

    def bind(self, host: str, port: int, tls_port: int | None, tls: ssl.SSLContext | None) -> None:
        """Where `open` will listen; port 0 takes a free one."""
        self._host, self.port, self.tls_port, self.tls = host, port, tls_port, tls

    async def open(self) -> None:
        """Listen. Raises OSError if a port is taken."""
        plain = await self._listen(self.port, None)
        self.port = plain.sockets[0].getsockname()[1]
        self._servers.append(plain)
        if self.tls_port is not None and self.tls is not None:
            secure = await self._listen(self.tls_port, self.tls)
            self.tls_port = secure.sockets[0].getsockname()[1]
            self._servers.append(secure)

    async def _listen(self, port: int, tls: ssl.SSLContext | None) -> asyncio.Server:
        return await asyncio.start_server(self._accept, self._host, port, ssl=tls, limit=1 << 20, backlog=256)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(self._router, reader, writer)
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a connection is served by a task")
        self._connections[connection] = task
        try:
            await connection.serve()
        except asyncio.CancelledError:
            connection.abort()
        finally:
            self._connections.pop(connection, None)

    def drop_connections(self, *, reset: bool) -> None:
        """End all connections, with a TCP reset or in order."""
        for connection, task in list(self._connections.items()):
            if reset:
                connection.abort()
            task.cancel()

    async def close(self, *, reset: bool = False) -> None:
        """Stop listening and end all connections."""
        servers, self._servers = self._servers, []
        for server in servers:
            server.close()
        tasks = list(self._connections.values())
        self.drop_connections(reset=reset)
        if tasks:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait(tasks, timeout=5)
        for server in servers:
            await server.wait_closed()
