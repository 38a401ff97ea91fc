"""`python -m deploy.documents` writes every generated document; `--check` only says which are out of date."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from deploy.documents.catalogue import documents

ROOT = Path(__file__).resolve().parent.parent.parent


def main() -> int:
    """Write or compare; exit code 1 when `--check` finds a stale document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a document is out of date")
    check = parser.parse_args().check
    stale = []
    # A machine that lacks a browser or Node skips tests: only a run that had to run all of them says what works.
    for path, text in documents(ROOT, with_mission=not check or "RONDA_REQUIRE" in os.environ).items():
        file = ROOT / path
        if file.exists() and file.read_text() == text:
            continue
        stale.append(path)
        if not check:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
    for path in stale:
        sys.stdout.write(f"{'out of date' if check else 'written'}: {path}\n")
    if stale and check:
        sys.stdout.write("Run `make docs` and commit what it writes.\n")
    return 1 if stale and check else 0


if __name__ == "__main__":
    sys.exit(main())
