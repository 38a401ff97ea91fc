"""Calls of iproute2's `ip`."""

from __future__ import annotations

import asyncio
import shutil

from lab.hosts.host import HostError


def available() -> bool:
    """Whether `ip` is installed."""
    return shutil.which("ip") is not None


async def ip(*words: str, lines: str = "") -> str:
    """Run `ip`; `lines` go to a batch. What it printed; raises HostError with its words."""
    process = await asyncio.create_subprocess_exec(
        "ip",
        *words,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate(lines.encode())
    if process.returncode:
        said = err.decode(errors="replace").strip().replace("\n", "; ")
        raise HostError(f"ip {' '.join(words)}: {said}")
    return out.decode(errors="replace")
