"""What the first run does once: the owner, and a token for the command line and the runner."""

from __future__ import annotations

import asyncio
import json
import os
import sys

from deploy.local.stack import ROOT, Stack
from shared.errors import Misconfigured

OWNER = "owner"
TOKEN = "cli-token"  # noqa: S105 - a file's name
"""The secret's name in the state folder; the command line looks for it there."""


async def make_owner(stack: Stack) -> str | None:
    """Make the owner and a token if nobody is there yet; answers the password, which is shown once and not kept."""
    if (stack.state.path / "secrets" / TOKEN).exists():
        return None
    command = [sys.executable, "-m", "services.api.cli", "owner", "--login", OWNER, "--json"]
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, "RONDA_STATE_DIR": str(stack.state.path), "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complaint = await process.communicate()
    if process.returncode != 0:
        raise Misconfigured(f"the owner could not be made: {complaint.decode().strip()}")
    made = json.loads(said)
    stack.state.secret(TOKEN, made["token"])
    return str(made["password"])
