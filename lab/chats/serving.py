"""One listening port of the lab: start on a free or given port, stop without leaving anything behind."""

from __future__ import annotations

from aiohttp import web


class Listener:
    """An aiohttp application on one address."""

    def __init__(self, application: web.Application) -> None:
        self._application = application
        self._runner: web.AppRunner | None = None
        self.url = ""
        self.port = 0

    async def start(self, host: str, port: int) -> str:
        """Listen and give the address; raises OSError when the port is taken."""
        self._runner = web.AppRunner(self._application, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        self.port = int(self._runner.addresses[0][1])
        self.url = f"http://{host}:{self.port}"
        return self.url

    async def stop(self) -> None:
        """Close the port and all connections."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
