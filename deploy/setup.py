"""Makes `.venv` and installs a lock into it: the first thing that `make` runs on a bare machine.

Needs nothing but the standard library. What is installed already (by the lock's checksum) is left alone, so every
later call costs milliseconds. The lock's packages are installed by uv; where uv cannot reach the package index but
pip is set up to, pip does it. Written so that even Python 3.6 can read it: whoever has one shall be told, not shown a
syntax error.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
OLDEST = (3, 11)


class SetupFailed(Exception):
    """The sentence says what the person should do."""


def say(text: str) -> None:
    """One line of progress."""
    sys.stdout.write(f"\033[2msetup\033[0m {text}\n" if sys.stdout.isatty() else f"setup {text}\n")
    sys.stdout.flush()


def checksum(lock: Path) -> str:
    """What changes when the lock or the interpreter does."""
    return hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()[:16]


def make_environment() -> None:
    """Create `.venv` with this interpreter, or renew one that belongs to another interpreter."""
    if PYTHON.exists() and subprocess.run([PYTHON, "-c", ""], check=False).returncode == 0:  # noqa: S603
        return
    shutil.rmtree(VENV, ignore_errors=True)
    say(f"virtual environment with Python {sys.version.split()[0]}")
    made = subprocess.run([sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True, check=False)  # noqa: S603
    if made.returncode != 0:
        shutil.rmtree(VENV, ignore_errors=True)
        raise SetupFailed(
            f"Python could not make a virtual environment:\n{made.stdout}{made.stderr}\n"
            "On Debian and Ubuntu: install the package python3-venv, then run make again."
        )


def pip_install(lock: Path) -> "subprocess.CompletedProcess[str]":
    """Install a lock with pip, quietly."""
    # Five retries would keep a person without network waiting for half a minute.
    options = ["--quiet", "--disable-pip-version-check", "--retries", "1", "--require-hashes", "-r", str(lock)]
    command = [str(PYTHON), "-m", "pip", "install", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603


def uv_install(lock: Path) -> "subprocess.CompletedProcess[str]":
    """Install a lock with uv, which itself comes from a lock."""
    uv = VENV / "bin" / "uv"
    if not uv.exists():
        fetched = pip_install(ROOT / "requirements" / "tools.lock")
        if fetched.returncode != 0:
            return fetched
    command = [str(uv), "pip", "install", "--quiet", "--require-hashes", "-r", str(lock)]
    return subprocess.run(  # noqa: S603
        command, capture_output=True, text=True, check=False, env={**os.environ, "VIRTUAL_ENV": str(VENV)}
    )


def install(purpose: str) -> None:
    """Bring `.venv` to what `requirements/<purpose>.lock` says."""
    lock = ROOT / "requirements" / f"{purpose}.lock"
    stamp = VENV / f".installed-{purpose}"
    if PYTHON.exists() and stamp.exists() and stamp.read_text() == checksum(lock):
        return
    make_environment()
    packages = sum("==" in line for line in lock.read_text().splitlines())
    say(f"{packages} packages from requirements/{purpose}.lock (the first time this downloads about 100 MB)")
    started = time.monotonic()
    done = uv_install(lock)
    if done.returncode != 0:
        say("uv could not install them, trying pip")
        done = pip_install(lock)
    if done.returncode != 0:
        raise SetupFailed(
            f"The packages could not be installed:\n{done.stderr.strip()[-2000:]}\n"
            "Check that this machine reaches a Python package index (behind a proxy: HTTPS_PROXY; with a mirror of "
            "your own: UV_DEFAULT_INDEX or pip's configuration), then run make again. Only this folder was touched."
        )
    stamp.write_text(checksum(lock))
    say(f"packages installed in {time.monotonic() - started:.0f} s")


def main() -> int:
    """Parse the purpose, install, and turn a failure into one readable message."""
    parser = argparse.ArgumentParser(description="Make .venv and install a lock into it.")
    parser.add_argument("purpose", choices=["runtime", "local", "dev"], help="which lock of requirements/")
    purpose = parser.parse_args().purpose
    if sys.version_info < OLDEST:
        sys.stderr.write(
            f"Ronda needs Python {OLDEST[0]}.{OLDEST[1]} or newer; `{sys.executable}` is {sys.version.split()[0]}. "
            "Install a newer one and say which: make PYTHON=python3.12 demo\n"
        )
        return 2
    try:
        install(purpose)
    except SetupFailed as failure:
        sys.stderr.write(f"{failure}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
