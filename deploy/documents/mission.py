"""`docs/mission.md`: what Ronda has to do, and which test and figure shows that it does.

A row works when every test that names it passed in the last whole run on this machine.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

RUN = Path(".ronda/mission-run.json")
ROWS = Path("docs/mission.toml")
FIGURES = Path("bench/figures.json")
_PREFACE = (
    "Written by `make docs` from the last whole run of `make test`. A row works when the tests that name it drive it "
    "from its real trigger to its real effect, and pass. “Published” is what the systems to be surpassed reported."
)
PARTS = {
    "A": "Hotspot, vouchers and live chat",
    "B": "WhatsApp for MikroTik users",
    "C": "ICMP monitoring with Telegram",
    "D": "A bot for the network's operators",
    "E": "Accounts with User Manager and PPPoE",
    "F": "The shape",
}


def mission_markdown(root: Path) -> str | None:
    """The document, or None when no whole run has been recorded here."""
    if not (root / RUN).exists():
        return None
    proofs: dict[str, dict[str, str]] = json.loads((root / RUN).read_text())
    rows = tomllib.loads((root / ROWS).read_text())
    figures = json.loads((root / FIGURES).read_text()) if (root / FIGURES).exists() else {}
    working = sum(_works(proofs.get(row, {})) for row in rows)
    lines = [
        "# The mission, row by row",
        "",
        _PREFACE,
        "",
        f"**{working} of {len(rows)} rows work.**",
    ]
    for part, title in PARTS.items():
        lines += ["", f"## {part} · {title}", "", "| row | what the system does | shown by | figure | published | |"]
        lines.append("|---|---|---|---|---|---|")
        lines += [
            _line(row, content, proofs.get(row, {}), figures.get(row, ""))
            for row, content in rows.items()
            if row.startswith(part)
        ]
    return "\n".join(lines) + "\n"


def _works(tests: dict[str, str]) -> bool:
    return bool(tests) and all(outcome == "passed" for outcome in tests.values())


def _line(row: str, content: dict[str, Any], tests: dict[str, str], figure: str) -> str:
    shown = "<br>".join(sorted({_short(test) for test in tests}))
    state = "works" if _works(tests) else "open"
    return f"| {row} | {content['does']} | {shown} | {figure} | {content.get('published', '')} | {state} |"


def _short(test: str) -> str:
    file, _, name = test.partition("::")
    return f"`{Path(file).stem}::{name.split('[')[0]}`"
