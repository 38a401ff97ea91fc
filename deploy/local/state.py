"""The one folder that holds everything a local run keeps: databases, secrets, addresses. It may be deleted."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.errors import Conflict

DEFAULT = ".ronda"


@dataclass(frozen=True, slots=True)
class StateFolder:
    """Where things are. Secrets are files of mode 0600 in a folder of mode 0700."""

    path: Path

    @classmethod
    def open(cls, path: Path) -> StateFolder:
        """Make the folder if need be."""
        path.mkdir(mode=0o711, parents=True, exist_ok=True)
        (path / "secrets").mkdir(mode=0o700, exist_ok=True)
        return cls(path.resolve())

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for this process; raises Conflict naming the other one."""
        with (self.path / "lock").open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as busy:
                lock.seek(0)
                owner = lock.read().strip() or "another process"
                raise Conflict(
                    f"Ronda already runs in {self.path.name} ({owner}). Stop it with Ctrl-C where it runs, or choose "
                    "another folder with RONDA_STATE_DIR."
                ) from busy
            lock.truncate(0)
            lock.write(f"process {os.getpid()}")
            lock.flush()
            yield

    def secret(self, name: str, make: str | None = None) -> str:
        """A secret that is made once and then stays: `make`, or 32 random characters."""
        file = self.path / "secrets" / name
        if not file.exists():
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as stream:
                stream.write(make if make is not None else secrets.token_urlsafe(24))
        return file.read_text().strip()

    def keep_variables(self, name: str, variables: Mapping[str, str]) -> None:
        """Leave variables for the command line, readable by their owner only."""
        file = self.path / "secrets" / f"{name}.env"
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
            stream.writelines(f"{key}='{_escaped(value)}'\n" for key, value in sorted(variables.items()))

    def remember(self, name: str, content: dict[str, Any]) -> None:
        """Write a small JSON file atomically (addresses of this run, for `ronda` and for tests)."""
        file = self.path / f"{name}.json"
        draft = file.with_suffix(".new")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(content, indent=2))
        draft.replace(file)

    def recall(self, name: str) -> dict[str, Any]:
        """What `remember` wrote, empty if nothing."""
        file = self.path / f"{name}.json"
        return json.loads(file.read_text()) if file.exists() else {}


def _escaped(value: str) -> str:
    """As it may stand between single quotes in a file of variables."""
    return value.replace("\\", "\\\\").replace("'", "\\'")
