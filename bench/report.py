"""The figures on the screen, in `docs/benchmarks.md`, and by mission row in `bench/figures.json`.

Figures of earlier runs stay until they are measured again, each with the day and the machine of its own run.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.figures import Figure, amount

DOCUMENT = Path("docs/benchmarks.md")
KEPT = Path("bench/measured.json")
BY_ROW = Path("bench/figures.json")
MISSION = Path("docs/mission.toml")

ROWS: dict[str, dict[str, str]] = {
    "host_cut": {"C1": "Telegram", "C3": "fault to message"},
    "host_cut_whatsapp": {"B8": "down"},
    "login_message": {"B6": "in"},
    "login_message_administrator": {"B5": "in"},
    "account_row": {"B1": "added", "E7": "customer added, without people"},
    "ping_command": {"D3": "besides the ping"},
    "recorder_rate": {"D12": "recorded"},
    "recorder_chart": {"D12": "chart of a day"},
    "idle_memory": {"F": "idle"},
    "idle_cpu": {"F": "idle"},
}
"""By figure: the rows of the mission that it belongs to, each with what it says there."""

_PREFACE = """\
# Benchmarks

Written by `make bench`. Each figure is measured on the whole product as `make demo` starts it: four service processes,
NATS and PostgreSQL over real sockets, with the lab in place of routers, hosts and chat servers.

    make bench                          # all of them
    make bench BENCH="host_cut idle"    # some of them: {names}

A figure holds when it keeps its bar. Clients, lab and product share the machine, and with it its cores.
"""
_CITED = """\

## What others reported

Figures that the systems to be surpassed published for the same tasks. They are citations: their routers, networks and
people could not be brought here, so they say what was usual, not who is faster under equal conditions.

| row | task | published | measured here |
|---|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure with its day, as it is kept."""

    day: str
    machine: str
    text: str
    figure: dict[str, Any]


def screen(figures: Sequence[Figure]) -> str:
    """A table for a terminal."""
    lines = []
    for figure in figures:
        mark = "holds" if figure.holds else "MISSED"
        head = f"{mark:<7}{figure.name:<28}{figure.text:>16}  {figure.bar_text:<20}"
        lines += [f"{head} n={figure.samples}", f"       {figure.what}", f"       {figure.besides}".rstrip()]
    return "\n".join(line for line in lines if line.strip())


def keep(root: Path, figures: Sequence[Figure], day: str) -> None:
    """Add these figures to those kept, and write what is made of them."""
    path = root / KEPT
    kept: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    for figure in figures:
        entry = Measured(day, str(figure.machine), figure.text, asdict(figure))
        kept[figure.name] = asdict(entry) | {"holds": figure.holds}
    _write(path, kept)
    _write(root / BY_ROW, by_row(kept))


def by_row(kept: dict[str, Any]) -> dict[str, str]:
    """The figures' texts per row of the mission."""
    found: dict[str, list[str]] = {}
    for name, rows in ROWS.items():
        for row, what in rows.items():
            if name in kept:
                found.setdefault(row, []).append(f"{what}: {kept[name]['text']}")
    return {row: ", ".join(texts) for row, texts in sorted(found.items())}


def document(root: Path, methods: dict[str, str], order: Sequence[str]) -> str:
    """`docs/benchmarks.md`. `methods`: the method note of each benchmark by its name."""
    kept: dict[str, Any] = json.loads((root / KEPT).read_text())
    entries = sorted(kept.items(), key=lambda item: order.index(item[0]) if item[0] in order else len(order))
    lines = [_PREFACE.format(names=" ".join(methods)), "| what | bar | measured | samples | besides | |"]
    lines.append("|---|---|---|---|---|---|")
    lines += [_row(entry) for _, entry in entries]
    lines += ["", "## When and where", "", "| figure | day | machine |", "|---|---|---|"]
    lines += [f"| {name} | {entry['day']} | {entry['machine']} |" for name, entry in entries]
    lines += ["", "## How", ""]
    lines += [f"**{name}.** {note}\n" for name, note in methods.items()]
    return "\n".join(lines).rstrip() + "\n" + _CITED + _citations(root, by_row(kept))


def _row(entry: dict[str, Any]) -> str:
    figure = entry["figure"]
    bar = ("≥ " if figure.get("at_least") else "≤ ") + amount(figure["bar"], figure["unit"])
    state = "holds" if entry["holds"] else "**missed**"
    return f"| {figure['what']} | {bar} | {entry['text']} | {figure['samples']} | {figure['besides']} | {state} |"


def _citations(root: Path, here: dict[str, str]) -> str:
    rows = tomllib.loads((root / MISSION).read_text())
    return "".join(
        f"| {row} | {content['does']} | {content['published']} | {here.get(row, '')} |\n"
        for row, content in rows.items()
        if "published" in content
    )


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
