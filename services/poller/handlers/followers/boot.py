"""Was the router restarted or upgraded since we saw it last? Asked once per connection."""

from __future__ import annotations

from services.poller.core.boots import Boot, restarted
from services.poller.core.router_records import BootRecord
from services.poller.handlers.followers.post import Post
from shared.contracts.events import Event, RouterRebooted, RouterUpgraded
from shared.errors import RondaError, Unreachable
from shared.routeros import Session, one_of, printable

_KIND = "boot"
# Where a router says that (and why) it was started, on 6.49 and 7.x.
_TOPICS = ("system,info", "system,error,critical", "system,info,critical")


class BootFollower:
    """Compares uptime and version with those of the last time."""

    name = "boot"

    def __init__(self, post: Post) -> None:
        self._post = post
        known = post.notebook.one(_KIND, BootRecord)
        self._last = None if known is None else Boot(known.seen_at, float(known.uptime_s), known.version)

    def runs(self, uptime_s: float) -> None:
        """The router said its uptime again: what comes after a restart knows how long it ran."""
        if self._last is not None:
            self._last = Boot(self._post.clock.now(), uptime_s, self._last.version)

    async def follow(self, session: Session) -> None:
        """Compare, tell, and be done until the next connection."""
        facts = session.facts
        present = Boot(self._post.clock.now(), facts.uptime.total_seconds(), str(facts.version))
        before, self._last = self._last, present
        events: list[Event] = []
        if before is not None and restarted(before, present):
            words = await self._words(session)
            events.append(
                RouterRebooted(
                    **self._post.common(present.seen_at),
                    booted_at=present.booted_at,
                    uptime_before_s=int(before.uptime_s),
                    words=words,
                )
            )
        if before is not None and before.version != present.version:
            versions = {"version": present.version, "version_before": before.version}
            events.append(RouterUpgraded(**self._post.common(present.seen_at), **versions))
        self._tell(events, present)

    def _tell(self, events: list[Event], present: Boot) -> None:
        record = BootRecord(
            order=int(present.seen_at.timestamp()),
            booted_at=present.booted_at,
            seen_at=present.seen_at,
            uptime_s=int(present.uptime_s),
            version=present.version,
        )
        if not events:
            self._post.notebook.tell(_KIND, "", None, record)
        for event in events:
            self._post.notebook.tell(_KIND, "", event, record)

    async def _words(self, session: Session) -> str:
        """The line of the router's log that speaks of the restart; empty if there is none, or the log is closed."""
        try:
            lines = await session.print_rows("/log", ("message",), one_of("topics", *_TOPICS))
        except Unreachable:
            raise
        except RondaError:
            return ""
        said = [printable(line.get("message", "")) for line in lines]
        return next((line for line in reversed(said) if "reboot" in line), "")
