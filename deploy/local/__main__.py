"""`python -m deploy.local demo|run`: the whole product on this machine until Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import time
from pathlib import Path

from deploy.local import demo
from deploy.local.first_run import make_owner
from deploy.local.output import Output
from deploy.local.stack import ROOT, Options, Stack, running
from deploy.local.state import DEFAULT
from shared.errors import RondaError


def main() -> int:
    """Run until a signal; exit code 0 after a clean stop, 1 with one sentence if it cannot start."""
    arguments = _parse()
    output = Output()
    state = Path(os.environ.get("RONDA_STATE_DIR", ROOT / DEFAULT)).resolve()
    options = Options(state=state, lab=arguments.mode == "demo")
    try:
        asyncio.run(_run(options, output, check=arguments.check))
    except RondaError as failure:
        sys.stderr.write(f"\n{failure}\n")
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description=__doc__)
    parser.add_argument("mode", choices=["demo", "run"], help="demo: with the lab; run: on your own settings")
    parser.add_argument("--check", action="store_true", help="stop again as soon as everything is up")
    return parser.parse_args()


async def _run(options: Options, output: Output, *, check: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    started = time.monotonic()
    starting = asyncio.create_task(stop.wait())
    output.line("supervisor", f"state in {options.state.name}/ (delete it to begin anew); Ctrl-C ends everything")
    async with running(options, output) as stack:
        password = await make_owner(stack)
        if options.lab:
            await demo.load(stack)
        output.banner(
            [*_welcome(stack, password), f"Up in {time.monotonic() - started:.1f} s. Ctrl-C ends everything."]
        )
        if not check:
            await starting
        starting.cancel()
        output.line("supervisor", "stopping")


def _welcome(stack: Stack, password: str | None) -> list[str]:
    lines = [f"Ronda     {stack.api_url}"]
    if password is not None:
        lines += [
            "",
            f"log in as owner, password {password}",
            "(shown this once; `./ronda owner --reset` makes a new one)",
        ]
    if stack.lab:
        lines += ["", f"the chats {stack.lab['chats']}", f"the lab   {stack.lab['control']}"]
    return lines


if __name__ == "__main__":
    sys.exit(main())
