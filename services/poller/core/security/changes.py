"""Changes by hand come in bunches: one person at work is one fact that says how many things were touched."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.poller.core.security.words import ConfigurationChange

TOGETHER = timedelta(seconds=30)  # after so long without a further change the bunch is told
LONGEST = timedelta(minutes=5)  # somebody who never pauses is told now and then
MOST_WORDS = 5


@dataclass(frozen=True, slots=True)
class Bunch:
    """What one user changed in one go. `words`: the first different things, as the router named them."""

    user: str
    since: datetime
    last: datetime
    count: int
    words: tuple[str, ...]
    source: str | None = None
    via: str | None = None


class ChangeBook:
    """The changes of one router that wait to be told together."""

    def __init__(self, own_user: str) -> None:
        """`own_user` is who Ronda logs in as: what we write ourselves is no news."""
        self._own_user = own_user
        self._bunches: dict[str, Bunch] = {}

    def changed(self, change: ConfigurationChange, now: datetime) -> None:
        """Somebody changed something."""
        if change.user == self._own_user:
            return
        word = f"{change.what} {change.how}"
        begun = self._bunches.get(change.user)
        if begun is None:
            self._bunches[change.user] = Bunch(change.user, now, now, 1, (word,), change.source, change.via)
            return
        words = begun.words if word in begun.words or len(begun.words) >= MOST_WORDS else (*begun.words, word)
        self._bunches[change.user] = replace(begun, last=now, count=begun.count + 1, words=words)

    def ripe(self, now: datetime) -> list[Bunch]:
        """The bunches that nothing has been added to for a while."""
        done = [b for b in self._bunches.values() if now - b.last >= TOGETHER or now - b.since >= LONGEST]
        for bunch in done:
            del self._bunches[bunch.user]
        return done
