"""The whole product with the lab, for whoever drives it by machine: benchmarks, load, trials by hand.

Real processes, real NATS, PostgreSQL and lab, on free ports and in a state folder of its own, loaded with the lab's
provider. Nobody in the lab moves unasked, and its chat servers enforce no rate limits, so that what is measured is the
product.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from deploy.local import demo
from deploy.local.first_run import TOKEN, make_owner
from deploy.local.output import Output
from deploy.local.stack import Options, Stack, running
from shared.errors import Rejected

QUIET = ("--no-limits", "--pace", "0")
_TIMEOUT_S = 60.0
_LOOK_EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Handles on a running installation. `api` is logged in as the owner; `lab` is the lab's control."""

    stack: Stack
    api: httpx.AsyncClient
    lab: httpx.AsyncClient

    async def lab_do(self, kind: str, name: str, verb: str, **options: Any) -> None:
        """Cut, restore, log in, …: `POST /lab/api/<kind>/<name>/<verb>`. Raises Rejected with the lab's sentence."""
        response = await self.lab.post(f"/lab/api/{kind}/{name}/{verb}", json=options)
        if not response.is_success:
            raise Rejected(f"the lab refuses {verb} of {name}: {response.text}")

    async def chat_number(self) -> int:
        """Where the journal of all chats stands; messages after it are new."""
        return int((await self.lab.get("/lab/api/chats")).raise_for_status().json()["seq"])

    async def message(self, chat: str, *, after: int, contains: str = "", wait_s: float = 30.0) -> dict[str, Any]:
        """The bot's first new message in a chat. Raises Rejected if none comes in time."""
        deadline = time.monotonic() + wait_s
        while (left_s := deadline - time.monotonic()) > 0:
            asked = {"after": str(after), "wait": str(left_s), "contains": contains, "from": "bot"}
            response = await self.lab.get(f"/lab/api/chats/{chat}/messages", params=asked)
            if response.status_code == httpx.codes.CONFLICT:  # nobody has written to this number yet
                await asyncio.sleep(_LOOK_EVERY_S)
                continue
            found: list[dict[str, Any]] = response.raise_for_status().json()["messages"]
            if found:
                return found[0]
        raise Rejected(f"no message with «{contains}» came to {chat} within {wait_s:.0f} s")

    async def all_of(self, path: str, **params: str) -> list[dict[str, Any]]:
        """Every row of a REST list."""
        rows: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            asked = {**params, "limit": "500", **({"cursor": cursor} if cursor else {})}
            page = (await self.api.get(f"/api/v1/{path}", params=asked)).raise_for_status().json()
            rows += page["items"]
            cursor = page["next_cursor"]
            if not cursor:
                return rows


@asynccontextmanager
async def rehearsal(*lab_arguments: str) -> AsyncIterator[Rehearsal]:
    """Start everything, load the lab's provider, hand it over; end and remove everything afterwards."""
    with _open_folder() as folder, (folder / "output.log").open("w") as log:
        options = Options(
            state=folder / "state",
            lab=True,
            lab_arguments=(*QUIET, *lab_arguments),
            standard_ports=False,
            settings={"RONDA_LOG_LEVEL": os.environ.get("RONDA_LOG_LEVEL", "info")},
        )
        async with running(options, Output(log, colour=False)) as stack:
            await make_owner(stack)
            await demo.load(stack)
            headers = {"Authorization": f"Bearer {stack.state.secret(TOKEN)}"}
            async with (
                httpx.AsyncClient(base_url=stack.api_url, headers=headers, timeout=_TIMEOUT_S) as api,
                httpx.AsyncClient(base_url=stack.lab["control"], timeout=_TIMEOUT_S * 2) as lab,
            ):
                yield Rehearsal(stack, api, lab)


@contextmanager
def _open_folder() -> Iterator[Path]:
    """A folder that any user may enter: root's PostgreSQL runs as an unprivileged one."""
    with tempfile.TemporaryDirectory(prefix="ronda-rehearsal-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
