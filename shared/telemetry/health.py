"""Whether a service is well, over HTTP.

`/healthz`: the process answers and its loops run; otherwise it should be restarted. `/readyz`: each thing it needs, by
name; one that fails is forgiven for a grace time after its last success, so that a restart of the bus does not take
every service out of rotation. `/metrics`: for Prometheus.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Final

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from shared.clock import Clock, SystemClock
from shared.config import ServiceSettings
from shared.errors import Misconfigured, RondaError
from shared.telemetry.metrics import CONTENT_TYPE, Metrics

log = structlog.get_logger(__name__)

CHECK_TIMEOUT_S: Final = 2.0
_STOP_S: Final = 2


@dataclass(frozen=True, slots=True)
class Check:
    """Something the service needs. `probe` raises while it is away, which is forgiven for `grace_s` seconds."""

    probe: Callable[[], Awaitable[None]]
    grace_s: float = 0.0


class HealthServer:
    """The small HTTP server every service has."""

    def __init__(
        self,
        settings: ServiceSettings,
        checks: Mapping[str, Check] | None = None,
        *,
        metrics: Metrics | None = None,
        loops: Callable[[], Mapping[str, bool]] = dict,
        routes: Sequence[BaseRoute] = (),
        clock: Clock | None = None,
    ) -> None:
        """`loops` answers which loops run; `routes` are mounted besides (a webhook, an ingest endpoint)."""
        self._address = (settings.health_host, settings.health_port)
        self._checks = dict(checks or {})
        self._metrics = metrics or Metrics()
        self._loops = loops
        self._clock = clock or SystemClock()
        self._last_success: dict[str, float] = {}
        self.app = Starlette(
            routes=[
                Route("/healthz", self._healthz),
                Route("/readyz", self._readyz),
                Route("/metrics", self._render_metrics),
                *routes,
            ]
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Serve while the context is open; gives the address, `http://127.0.0.1:8080`. Raises Misconfigured."""
        async with serving(self.app, *self._address) as address:
            log.info("health is served", address=address)
            yield address

    async def _healthz(self, _request: Request) -> Response:
        loops = dict(self._loops())
        alive = all(loops.values())
        return JSONResponse({"alive": alive, "loops": loops}, 200 if alive else 503)

    async def _readyz(self, _request: Request) -> Response:
        verdicts = await asyncio.gather(*(self._judge(name, check) for name, check in self._checks.items()))
        checks = dict(zip(self._checks, verdicts, strict=True))
        ready = all(verdict["ready"] for verdict in checks.values())
        return JSONResponse({"ready": ready, "checks": checks}, 200 if ready else 503)

    async def _render_metrics(self, _request: Request) -> Response:
        return Response(self._metrics.render(), media_type=CONTENT_TYPE)

    async def _judge(self, name: str, check: Check) -> dict[str, object]:
        now = self._clock.monotonic()
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_S):
                await check.probe()
        except TimeoutError:
            reason = f"no answer within {CHECK_TIMEOUT_S:g} s"
        except RondaError as error:
            reason = str(error)
        except Exception as error:  # noqa: BLE001 — a check that breaks is a check that fails
            reason = type(error).__name__
        else:
            self._last_success[name] = now
            return {"ready": True}
        last = self._last_success.get(name)
        forgiven = last is not None and now - last <= check.grace_s
        return {"ready": forgiven, "reason": reason}


@asynccontextmanager
async def serving(app: Starlette, host: str, port: int) -> AsyncIterator[str]:
    """Serve an ASGI application while the context is open; port 0 takes a free one. Raises Misconfigured."""
    listening = _listen(host, port)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        http="h11",
        server_header=False,
        timeout_graceful_shutdown=_STOP_S,
    )
    server = _Server(config)
    with listening:
        task = asyncio.create_task(server.serve(sockets=[listening]), name="http")
        try:
            shown = f"[{host}]" if ":" in host else host
            yield f"http://{shown}:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: those are the lifecycle's."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _listen(host: str, port: int) -> socket.socket:
    try:
        listening = socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=128
        )
        # Accepted sockets inherit this. asyncio sets it by itself only where the protocol number is given, which
        # create_server leaves 0; without it each answer waits 40 ms for the client's delayed acknowledgement.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        raise Misconfigured(f"cannot serve HTTP on {host}:{port}: {error.strerror}") from error
    return listening
