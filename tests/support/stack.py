"""The whole product as `make demo` starts it, for end-to-end tests: real processes, real NATS, PostgreSQL and lab."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from deploy.local import demo
from deploy.local.first_run import TOKEN, make_owner
from deploy.local.output import Output
from deploy.local.stack import Options, Stack, running
from tests.support.output_tail import shown_on_failure
from tests.support.postgres import open_folder

_AT_ONCE = "windows_bad=1,windows_good=1,jitter_ms=900,jitter_over_ms=800,delay_least_ms=900"
"""One window of loss is told, one without it ends that. The delays of a busy machine are no news."""


@dataclass(slots=True)
class RunningProduct:
    """Handles on a running installation. `api` is logged in as the owner; `lab` is the lab's control."""

    stack: Stack
    api: httpx.AsyncClient
    lab: httpx.AsyncClient
    owner_password: str

    async def lab_do(self, kind: str, name: str, verb: str, **options: Any) -> Any:
        """Cut, restore, log in, …: `POST /lab/api/<kind>/<name>/<verb>`."""
        response = await self.lab.post(f"/lab/api/{kind}/{name}/{verb}", json=options)
        assert response.is_success, response.text
        return response.json()


@asynccontextmanager
async def product(
    folder: Path, *lab_arguments: str, loaded: bool = True, state: Path | None = None
) -> AsyncIterator[RunningProduct]:
    """Start everything on free ports; `loaded`: with the lab's provider registered. `folder` gets the output log.

    The state is thrown away afterwards, unless it lies in a folder of the caller's.
    """
    output = folder / "output.log"
    with open_folder() as made, output.open("w") as log, shown_on_failure(output):
        options = Options(
            state=(state or made) / "state",
            lab=True,
            lab_arguments=("--no-limits", "--pace", "0", *lab_arguments),
            standard_ports=False,
            settings={
                "RONDA_POLLER_ROUTER_INTERVAL_S": "1",  # a limit is confirmed by three readings: no story waits 90 s
                "RONDA_POLLER_DEGRADED": _AT_ONCE,
                **{name: value for name, value in os.environ.items() if name == "RONDA_LOG_LEVEL"},
            },
        )
        async with running(options, Output(log, colour=False)) as stack:
            password = await make_owner(stack)
            if loaded:
                await demo.load(stack)
            headers = {"Authorization": f"Bearer {stack.state.secret(TOKEN)}"}
            async with (
                httpx.AsyncClient(base_url=stack.api_url, headers=headers, timeout=30) as api,
                httpx.AsyncClient(base_url=stack.lab["control"], timeout=60) as lab,
            ):
                yield RunningProduct(stack, api, lab, password or "")
