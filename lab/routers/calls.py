"""One command of a client while it is being answered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from lab.routers import editing, errors, values
from lab.routers.durations import parse_duration
from lab.routers.menu import Item, Menu
from lab.routers.query import Query, compile_query

if TYPE_CHECKING:
    from lab.routers.router import VirtualRouter

Handler = Callable[["Call"], Awaitable[None] | None]


class Answers(Protocol):
    """Where replies go."""

    def send(self, words: list[str]) -> None: ...

    async def flush(self) -> None: ...


@dataclass(frozen=True)
class Account:
    """Who is asking: a row of /user and the policies of its group."""

    name: str
    user_id: str
    group: str
    policies: frozenset[str]


@dataclass(frozen=True)
class Sentence:
    """A request taken apart: command word, attributes, query words in order, tag."""

    command: str
    attributes: Mapping[str, str]
    queries: tuple[str, ...] = ()
    tag: str | None = None


def parse_sentence(words: list[str]) -> Sentence:
    """Take a request apart. A value may contain `=`; `=name` alone is an empty value."""
    attributes: dict[str, str] = {}
    queries: list[str] = []
    tag = None
    for word in words[1:]:
        if word.startswith("="):
            name, _, value = word[1:].partition("=")
            attributes[name] = value
        elif word.startswith("?"):
            queries.append(word[1:])
        elif word.startswith(".tag="):
            tag = word[5:]
    return Sentence(words[0], attributes, tuple(queries), tag)


@dataclass
class Call:
    """A command on its way: what was asked, by whom, and how to answer. Exactly one `done` ends it."""

    router: VirtualRouter
    menu: Menu
    verb: str
    sentence: Sentence
    account: Account
    answers: Answers
    left: dict[str, str] = field(default_factory=dict)
    finished: bool = False

    def __post_init__(self) -> None:
        self.left = dict(self.sentence.attributes)

    # arguments

    def take(self, name: str) -> str | None:
        """An argument, which then counts as understood."""
        return self.left.pop(name, None)

    def flag(self, name: str) -> bool:
        """Whether a switch such as `=once=` was given."""
        given = self.left.pop(name, None)
        return given is not None and given not in {"no", "false"}

    def seconds(self, name: str) -> float | None:
        """A duration argument in seconds. Raises Trap if it is not one."""
        given = self.left.pop(name, None)
        if given is None:
            return None
        parsed = parse_duration(given)
        if parsed is None:
            raise errors.invalid_value(name)
        return parsed

    def whole(self, name: str) -> int | None:
        """A whole number. Raises Trap if it is not one."""
        given = self.left.pop(name, None)
        if given is None:
            return None
        if not (given.isdecimal() and given.isascii()):
            raise errors.invalid_value(name)
        return int(given)

    def refuse_rest(self) -> None:
        """Raises Trap for the first argument nobody understood."""
        for name in self.left:
            raise errors.unknown_parameter(name)

    def picked(self) -> list[Item]:
        """The items named by `.id` or `numbers`: ids or names, with commas between. Raises Trap."""
        given = self.left.pop(".id", None)
        numbers = self.left.pop("numbers", None)
        which = given if given is not None else numbers
        if which is None:
            raise errors.missing_value("numbers")
        return [editing.pick(self.menu, one) for one in which.split(",")]

    def boolean(self, name: str) -> bool:
        """A yes/no argument; absent is no. Raises Trap."""
        given = self.left.pop(name, None)
        kept = values.boolean(given) if given is not None else "false"
        if kept is None:
            raise errors.invalid_value(name)
        return kept == "true"

    def query(self) -> Query:
        """The predicate of the query words."""
        return compile_query(list(self.sentence.queries))

    # replies

    def _start(self, word: str) -> list[str]:
        return [word] if self.sentence.tag is None else [word, f".tag={self.sentence.tag}"]

    def row(self, row: Mapping[str, str]) -> None:
        """One `!re`."""
        words = self._start("!re")
        words += [f"={name}={value}" for name, value in row.items()]
        self.answers.send(words)

    def empty(self) -> None:
        """`!empty`, on versions that have it."""
        if self.router.personality.says_empty:
            self.answers.send(self._start("!empty"))

    def trap(self, trap: errors.Trap) -> None:
        """The refusals of one command."""
        for one in (trap, *trap.more):
            words = self._start("!trap")
            if one.category is not None:
                words.append(f"=category={one.category}")
            self.answers.send([*words, f"=message={one.message}"])

    def done(self, ret: str | None = None) -> None:
        """`!done`, once."""
        if self.finished:
            return
        self.finished = True
        words = self._start("!done")
        if ret is not None:
            words.append(f"=ret={ret}")
        self.answers.send(words)

    async def flush(self) -> None:
        """Let the client catch up."""
        await self.answers.flush()

    async def refresh(
        self, rows: Callable[[], Iterable[Mapping[str, str]]], every_s: float, for_s: float | None, once: bool
    ) -> None:
        """Send rows every `every_s` seconds with `.section` numbers until `for_s` passed, or once."""
        rounds = 1 if once else None if for_s is None else max(1, round(for_s / every_s))
        section = 0
        while rounds is None or section < rounds:
            for row in rows():
                self.row(row if once else {**row, ".section": str(section)})
            await self.flush()
            section += 1
            if rounds is None or section < rounds:
                await self.router.clock.sleep(every_s)
        self.done()


async def forever() -> None:
    """Wait until cancelled."""
    await asyncio.Event().wait()
