"""The sessions of one router as they are told: a closing waits a moment for its reason and for others like it.

Whatever learns of sessions (tables, the log, scripts of the router) reports here; what is told leaves in the order in
which it happened to each session.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zlib import crc32

from services.poller.core.accounting_rows import SLOTS
from services.poller.core.log_words import Ending, Endings, read_line
from services.poller.core.mass_drop import Carrier, Dropped, Loss, MassDropWatch, Returned
from services.poller.core.placing import Places
from services.poller.core.records import drop_key, session_key
from services.poller.core.session_facts import Closed, Opened, Said, Session, SessionFact
from services.poller.core.session_rows import slot_at
from services.poller.core.sessions import SessionBook
from services.poller.handlers.log_lines import LogLine
from services.poller.handlers.session_events import drop_told, session_told
from services.poller.handlers.telling import Teller
from shared.clock import Clock
from shared.contracts.events import RouterSaid
from shared.contracts.inventory import Router
from shared.contracts.vocabulary import Saying, Service, SessionSource

# A row's end, the log's line and a script's call of one logout leave the router together.
REASON_PATIENCE = timedelta(milliseconds=150)


@dataclass(slots=True)
class _Closing:
    """An ending that is not told yet."""

    service: Service
    fact: Closed
    loss: Loss


class SessionDesk:
    """What is told of one router's sessions. Plain calls on the event loop's thread; `finish` at the end."""

    def __init__(
        self, router: Router, known: Mapping[Service, Iterable[Session]], *, teller: Teller, clock: Clock
    ) -> None:
        self.router = router
        self.places = Places(router.name)
        self.live: set[Service] = set()  # whose tables are followed now: what their books say is not of a blind time
        self.books = {
            service: SessionBook(session for session in known.get(service, ()) if not session.slot.startswith(SLOTS))
            for service in Service
        }
        self._teller = teller
        self._clock = clock
        self._endings = Endings()
        self._drops = MassDropWatch(self._carried)
        self._closing: dict[str, _Closing] = {}  # by key, oldest first
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return sum(len(book) for book in self.books.values())

    def tell(self, service: Service, facts: Iterable[SessionFact]) -> None:
        """Tell what became of sessions."""
        for fact in facts:
            key = session_key(self.router.id, service, fact.session.slot)
            if key in self._closing:
                self._release(key)
            if isinstance(fact, Closed) and not fact.inferred:
                self._hold(key, service, fact)
                continue
            self._teller.tell(*session_told(self.router, service, fact))
            if isinstance(fact, Opened):
                self._tell_drops(self._drops.opened(fact.session.account, fact.at))

    def tell_accounted(self, service: Service, fact: SessionFact) -> None:
        """Tell what a User Manager accounted for a router that nobody watches."""
        self._teller.tell(*session_told(self.router, service, fact, source=SessionSource.USER_MANAGER))

    def heard(self, ending: Ending) -> None:
        """Something speaks of a session's end: its closing takes it, be it before or after."""
        self._endings.heard(ending, self._clock.now())

    def read(self, line: LogLine) -> None:
        """A line of the router's log."""
        if (ending := read_line(line.message)) is not None:
            self._endings.heard(ending, line.at)

    def said(self, saying: RouterSaid) -> None:
        """A script of the router speaks of a session; what the tables show already is not told again."""
        service = saying.service or Service.HOTSPOT
        said, now = _said(saying), self._clock.now()
        if saying.saying is Saying.LOGIN:
            slot = (slot_at(said.address) if service is Service.HOTSPOT else None) or _own_slot(said)
            facts = self.books[service].said_opened(said, now, slot=slot, live=service in self.live)
        else:
            facts = self.books[service].said_closed(said, now, live=service in self.live)
            if not facts:
                self._endings.heard(Ending(service, said), now)
        self.tell(service, facts)

    def finish(self) -> None:
        """Tell what waits, now: nobody will come back to it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for key in list(self._closing):
            self._release(key)

    # ── closings ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _hold(self, key: str, service: Service, fact: Closed) -> None:
        carriers = self.places.carriers(service, fact.session)
        loss = Loss(f"{key}-{fact.session.number}", fact.session.account, carriers, fact.at)
        self._drops.lost(loss)
        self._closing[key] = _Closing(service, fact, loss)
        self._wake()

    def _release(self, key: str) -> None:
        closing = self._closing.pop(key)
        fact = closing.fact
        said = self._endings.take(closing.service, fact.session, self._clock.now(), fact.said)
        told = session_told(
            self.router, closing.service, replace(fact, said=said), drop_id=self._drops.drop_of(closing.loss)
        )
        self._teller.tell(*told)

    def _wake(self) -> None:
        """Come back when the next closing has waited long enough or the count of a drop is whole."""
        if self._timer is not None:
            return
        now = self._clock.now()
        moments = [] if (drop_at := self._drops.next_at()) is None else [drop_at]
        if self._closing:
            oldest = next(iter(self._closing.values()))
            moments.append(max(oldest.fact.at + REASON_PATIENCE, now + REASON_PATIENCE / 3))
        if moments:
            wait_s = max(0.001, (min(moments) - now).total_seconds())
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._look)

    def _look(self) -> None:
        self._timer = None
        now = self._clock.now()
        self._tell_due(now)
        self._tell_drops(self._drops.due(now))
        self._wake()

    def _tell_due(self, now: datetime) -> None:
        for key, closing in list(self._closing.items()):
            if now - closing.fact.at < REASON_PATIENCE:
                return  # the others came later
            if not self._drops.undecided(closing.loss, now):
                self._release(key)

    # ── many at once ────────────────────────────────────────────────────────────────────────────────────────────────

    def _carried(self) -> Counter[Carrier]:
        return Counter(
            carrier
            for service, book in self.books.items()
            for session in book.sessions()
            for carrier in self.places.carriers(service, session)
        )

    def _tell_drops(self, facts: Iterable[Dropped | Returned]) -> None:
        for fact in facts:
            self._teller.announce(drop_key(self.router.id, fact.drop_id), drop_told(self.router, fact))


def _said(saying: RouterSaid) -> Said:
    duration_s = saying.duration_s
    return Said(
        saying.account or "",
        saying.address,
        saying.mac,
        saying.interface if saying.service is Service.PPP else None,
        saying.reason,
        None if duration_s is None else timedelta(seconds=duration_s),
        saying.bytes_in,
        saying.bytes_out,
    )


def _own_slot(said: Said) -> str:
    """A name for the place of a session that no table has shown yet; no row of a table is called so."""
    return f"said-{(said.line or '').lstrip('*') or format(crc32(f'{said.account} {said.mac}'.encode()), 'x')}"
