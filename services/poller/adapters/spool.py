"""Keep on disk what a poller at a far site has seen and not told, and what it must know to start while it is cut off.

One directory, one poller (it is locked). `name`: the name of the poller's lease, so that after a crash its parts are
its own. `inventory.json`: the last inventory. `journal.jsonl`: one line per fact seen, fact told, or word about
ourselves; written to the operating system at once (a killed process loses nothing) and to the disk each second (what a
power failure may cost). It is written anew at every start and whenever most of it is old.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TextIO

import structlog

from services.poller.adapters.spool_lines import read_told, told_line
from services.poller.core.records import Record
from services.poller.core.shards import Table
from services.poller.core.share_records import TableRecord, read_table
from services.poller.handlers.waiting_facts import Spooled, Told
from shared.errors import Misconfigured

SYNC_S: Final = 1.0
_WORTH_IT: Final = 5_000  # lines; a shorter journal is not written anew while we run

log = structlog.get_logger(__name__)

Line = dict[str, Any]


class SpoolFiles:
    """The directory while it is ours. Make one with `SpoolFiles.opened`; what it held at first is `before`."""

    def __init__(self, directory: Path, fresh_name: str) -> None:
        self._directory = directory
        self._saved: dict[str, Line] = {}  # the last line about the state of each key
        self._facts: dict[int, Line] = {}
        self._table: Line | None = None
        self._away: Line | None = None
        self._number = 0
        self._lines = 0
        self._dirty = False
        self.name = self._read_name(fresh_name)
        self.before = self._load()
        self._file = self._rewritten()
        self._wake, self._closed = threading.Event(), False
        self._syncing = threading.Thread(target=self._sync_on_demand, name="spool", daemon=True)
        self._syncing.start()

    @classmethod
    @contextmanager
    def opened(cls, directory: Path, fresh_name: str) -> Iterator[SpoolFiles]:
        """Hold the directory. Raises Misconfigured if it cannot be written or another poller has it."""
        try:
            directory.mkdir(parents=True, exist_ok=True)
            lock = (directory / "lock").open("w")
        except OSError as wrong:
            raise Misconfigured(f"RONDA_POLLER_SPOOL: {directory} cannot be written: {wrong.strerror}") from wrong
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as taken:
                raise Misconfigured(f"RONDA_POLLER_SPOOL: another poller keeps its spool in {directory}") from taken
            spool = cls(directory, fresh_name)
            try:
                yield spool
            finally:
                spool.close()

    def close(self) -> None:
        """Everything to the disk."""
        self._closed = True
        self._wake.set()
        self._syncing.join()
        self._file.close()

    # ── what the teller says ────────────────────────────────────────────────────────────────────────────────────────

    def saw(self, told: Told) -> Told:
        """See `handlers.waiting_facts.Journal`."""
        self._number += 1
        numbered = replace(told, number=self._number)
        line = told_line(numbered)
        self._note(line)
        self._write(line)
        return numbered

    def told(self, told: Told) -> None:
        """See `handlers.waiting_facts.Journal`."""
        if self._facts.pop(told.number, None) is not None:
            self._write({"told": told.number})

    # ── what we are ─────────────────────────────────────────────────────────────────────────────────────────────────

    def knows(self, key: str, record: Record) -> None:
        """This was remembered by others before us."""
        line = told_line(Told(key, None, record))
        if self._saved.get(key, {}).get("record") != line["record"]:
            self._saved[key] = line
            self._write(line)

    def holds(self, table: Table) -> None:
        """Who holds what, as we last saw it."""
        line: Line = {"table": json.loads(TableRecord.of(table).model_dump_json())}
        if line != self._table:
            self._table = line
            self._write(line)

    def away(self, since: datetime | None) -> None:
        """We are cut off since then; None: not any more."""
        self._away = {"away": since.isoformat() if since else None}
        self._write(self._away)

    def keep_inventory(self, entries: Mapping[str, bytes]) -> None:
        """The inventory as it is now."""
        self._replace("inventory.json", json.dumps({key: value.decode() for key, value in entries.items()}))

    async def sync(self) -> None:
        """Bring the journal to the disk each second until cancelled."""
        while True:
            await asyncio.sleep(SYNC_S)
            if not self._dirty:
                continue
            self._dirty = False
            if self._lines > _WORTH_IT + 4 * (len(self._saved) + len(self._facts)):
                self._file.close()
                self._file = self._rewritten()
            self._wake.set()

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _sync_on_demand(self) -> None:
        """A disk may take its time, and the event loop has none: this is a thread."""
        while not self._closed:
            self._wake.wait()
            self._wake.clear()
            with contextlib.suppress(OSError, ValueError):  # the file was just written anew, and that is on the disk
                os.fsync(self._file.fileno())

    def _read_name(self, fresh: str) -> str:
        path = self._directory / "name"
        if not path.exists():
            self._replace("name", fresh)
        return path.read_text().strip()

    def _load(self) -> Spooled:
        for line in _read_lines(self._directory / "journal.jsonl"):
            self._note(line)
        records = {key: told.record for key, line in self._saved.items() if (told := read_told(line))}
        waiting = [told for line in self._facts.values() if (told := read_told(line))]
        away = self._away and self._away["away"]
        return Spooled(
            records={key: record for key, record in records.items() if record is not None},
            waiting=waiting,
            table=read_table(json.dumps(self._table["table"]).encode()) if self._table else Table(),
            away_since=datetime.fromisoformat(away) if away else None,
            inventory=self._read_inventory(),
        )

    def _read_inventory(self) -> dict[str, bytes]:
        try:
            entries = json.loads((self._directory / "inventory.json").read_text())
        except (OSError, ValueError):
            return {}
        return {key: value.encode() for key, value in entries.items()}

    def _note(self, line: Line) -> None:
        if "told" in line:
            self._facts.pop(line["told"], None)
        elif "table" in line:
            self._table = line
        elif "away" in line:
            self._away = line
        elif "key" in line:
            self._number = max(self._number, line["number"])
            if line["number"]:
                self._facts[line["number"]] = line
            if line["remembers"]:
                self._saved[line["key"]] = {**line, "event": None, "number": 0}
                if line["record"] is None:
                    del self._saved[line["key"]]

    def _write(self, line: Line) -> None:
        self._file.write(json.dumps(line, separators=(",", ":")) + "\n")
        self._file.flush()
        self._lines += 1
        self._dirty = True

    def _rewritten(self) -> TextIO:
        """A journal that says the same in fewer lines, open for more."""
        lines = [*(line for line in (self._table, self._away) if line), *self._saved.values(), *self._facts.values()]
        text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
        self._replace("journal.jsonl", text)
        self._lines = len(lines)
        return (self._directory / "journal.jsonl").open("a")

    def _replace(self, name: str, text: str) -> None:
        """Write a file so that it is always whole."""
        path, beside = self._directory / name, self._directory / f"{name}.new"
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)


def _read_lines(path: Path) -> Iterator[Line]:
    try:
        text = path.read_text()
    except OSError:
        return
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            yield json.loads(line)
        except ValueError:  # the last one, when the machine stopped while it was written
            log.warning("a line of the spool cannot be read and is left out", line=number)
