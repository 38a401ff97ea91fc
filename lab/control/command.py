"""`python -m lab`: run the lab, or tell a running one what to do."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import signal
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

NOUNS = {"host": "hosts", "site": "sites", "router": "routers", "subscriber": "subscribers", "chat": "chat-servers"}
EPILOG = """\
while it runs:
  python -m lab ctl cut host core-1            python -m lab ctl cut site waru
  python -m lab ctl reboot router gw-waru      python -m lab ctl login subscriber budi@waru
  python -m lab ctl strain router gw-waru cpu=97   python -m lab ctl unplug router gw-waru port=ether3
  python -m lab ctl fault chat telegram kind=retry_after seconds=30
  python -m lab ctl send chat tg:612880011 "/ping core-1"
"""


def parser() -> argparse.ArgumentParser:
    """The options of both uses."""
    made = argparse.ArgumentParser(
        "lab",
        description="A virtual internet provider.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--listen", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    for name in ("control", "telegram", "whatsapp", "gateway"):
        made.add_argument(f"--{name}-port", type=int, default=0, help="0 takes a free one")
    made.add_argument("--seed", type=int, default=1, help="the same seed draws the same provider")
    made.add_argument("--hosts", type=int, default=20)
    made.add_argument("--subscribers", type=int, default=60)
    made.add_argument("--pace", type=float, default=1.0, help="how lively: 1 a normal day, 0 nobody moves unasked")
    made.add_argument("--host-kind", choices=("auto", "icmp", "tcp"), default="auto")
    made.add_argument("--no-limits", action="store_true", help="chat servers enforce no rate limits")
    made.add_argument(
        "--whatsapp", choices=("cloud", "gateway"), default="cloud", help="which one the variables in lab.json name"
    )
    made.add_argument("--state", type=Path, default=Path(".lab"), help="folder for lab.json (.lab)")
    made.add_argument("--addresses", type=Path, help="the file itself, instead of lab.json in the folder")
    uses = made.add_subparsers(dest="use")
    ctl = uses.add_parser("ctl", help="tell a running lab what to do")
    ctl.add_argument("--state", type=Path, dest="ctl_state", help="folder where its lab.json is")
    ctl.add_argument("--addresses", type=Path, dest="ctl_addresses", help="that file itself")
    ctl.add_argument("verb", help="cut, restore, flap, degrade, reboot, login, send, fault, state …")
    ctl.add_argument("noun", nargs="?", choices=sorted(NOUNS))
    ctl.add_argument("name", nargs="?")
    ctl.add_argument("options", nargs="*", metavar="key=value")
    return made


def main(arguments: list[str] | None = None) -> int:
    """Run; the exit code."""
    given = parser().parse_args(arguments)
    if given.use == "ctl":
        return tell(given)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s", datefmt="%H:%M:%S")
    try:
        asyncio.run(run(given))
    except OSError as error:
        sys.stderr.write(f"The lab cannot start: {error}\n")
        return 1
    return 0


async def run(given: argparse.Namespace) -> None:
    """Start everything, say where it is, wait for SIGINT or SIGTERM, stop everything."""
    from lab.control.routes import ControlServer
    from lab.control.running import Lab, LabSettings

    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    lab = Lab(
        LabSettings(
            given.listen,
            given.control_port,
            given.telegram_port,
            given.whatsapp_port,
            given.gateway_port,
            given.seed,
            given.hosts,
            given.subscribers,
            given.pace,
            given.host_kind,
            not given.no_limits,
            given.addresses or given.state / "lab.json",
            given.whatsapp,
        )
    )
    await lab.start()
    control = ControlServer(lab)
    try:
        url = await control.start()
        written = lab.write_addresses(url)
        sys.stdout.write(_welcome(lab.addresses(url), written, lab.farm.why))
        sys.stdout.flush()
        await stopped.wait()
    finally:
        await control.stop()
        await lab.stop()


def _welcome(where: dict[str, Any], written: Path | None, why_tcp: str) -> str:
    hosts = "answer ICMP in a network namespace" if where["hosts"] == "icmp" else f"are TCP services ({why_tcp})"
    return (
        f"The lab runs. Open {where['control']}\n"
        f"  chats     {where['chats']}\n"
        f"  telegram  {where['telegram']['url']}\n"
        f"  whatsapp  {where['whatsapp']['url']}\n"
        f"  gateway   {where['gateway']['url']}/send-message\n"
        f"  hosts     {hosts}\n"
        f"  all of it {written}\n"
    )


def tell(given: argparse.Namespace) -> int:
    """`ctl`: one request to the running lab; 1 when it refuses or is not there."""
    file: Path = given.ctl_addresses or given.addresses or (given.ctl_state or given.state) / "lab.json"
    try:
        where = json.loads(file.read_text())
    except (OSError, ValueError):
        sys.stderr.write(f"No lab runs here: there is no {file}.\n")
        return 1
    if given.noun is None:
        return _show(f"{where['control']}/lab/api/{given.verb}", None)
    if given.verb == "send":
        body: dict[str, Any] = {"text": " ".join(given.options)}
        return _show(f"{where['control']}/lab/api/chats/{given.name}/messages", body)
    body = dict(option.partition("=")[::2] for option in given.options)
    return _show(f"{where['control']}/lab/api/{NOUNS[given.noun]}/{given.name}/{given.verb}", body)


def _show(url: str, body: dict[str, Any] | None) -> int:
    request = urllib.request.Request(  # noqa: S310 - the address is from our own lab.json
        url, None if body is None else json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            found = json.load(answer)
    except urllib.error.HTTPError as error:
        raw = error.read().decode(errors="replace")
        sys.stderr.write(f"{json.loads(raw)['error'] if raw.startswith('{') else raw}\n")
        return 1
    except urllib.error.URLError as error:
        sys.stderr.write(f"The lab does not answer: {error.reason}\n")
        return 1
    sys.stdout.write(f"{found.get('done') or json.dumps(found, indent=2, ensure_ascii=False)}\n")
    return 0
