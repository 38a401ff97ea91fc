"""Scripts: the few statements that event scripts of this project need are run; everything else is logged
as not run.

Understood: `:log`, `/log`, `:local`, `:global`, `:set`, `:delay`, `:do {…} on-error={…}` and `/tool fetch`, with
strings, `$name`, `$"name-with-hyphen"` and `.` between parts. The source itself is always kept word for word.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from lab.routers import errors
from lab.routers.durations import parse_duration

if TYPE_CHECKING:
    from lab.routers.calls import Call
    from lab.routers.menu import Item
    from lab.routers.router import VirtualRouter

Fetch = Callable[[Mapping[str, str]], Awaitable["Fetched"]]
FETCH_TIMEOUT_S = 10.0

VARIABLE = re.compile(r'\$(?:"([^"]+)"|([A-Za-z0-9_]+))')
PIECE = re.compile(
    r"""\s*(?:
        "(?P<text>(?:\\.|\$"[A-Za-z0-9_-]+"|[^"\\])*)"
      | \$"(?P<quoted>[^"]+)"
      | \$(?P<name>[A-Za-z0-9_]+)
      | (?P<dot>\.(?=\s|"|\$|\())
      | (?P<open>\()
      | (?P<close>\))
      | (?P<word>[^\s"$()]+)
    )""",
    re.VERBOSE | re.DOTALL,
)
TOKEN = re.compile(r"""#[^\r\n]*|"(?:\\.|\$"[A-Za-z0-9_-]+"|[^"\\])*"|\$"[^"]+"|.""", re.DOTALL)
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "_": " "}


class Fetched:
    """The answer of a web server."""

    def __init__(self, code: int, body: str) -> None:
        self.code = code
        self.body = body


class FetchFailed(Exception):
    """The text of a failed fetch, as the router gives it after `failure: `."""


async def fetch(arguments: Mapping[str, str]) -> Fetched:
    """`/tool fetch`: an HTTP request. Raises FetchFailed."""
    import aiohttp

    headers = {}
    for line in filter(None, arguments.get("http-header-field", "").split(",")):
        name, _, value = line.partition(":")
        headers[name.strip()] = value.strip()
    method = arguments.get("http-method", "get").upper()
    timeout = aiohttp.ClientTimeout(total=FETCH_TIMEOUT_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as client,
            client.request(
                method, arguments["url"], data=arguments.get("http-data"), headers=headers, ssl=False
            ) as answer,
        ):
            body = await answer.text(errors="replace")
            if answer.status >= 400:
                raise FetchFailed(f"Fetch failed with status {answer.status}")
            return Fetched(answer.status, body)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise FetchFailed("connection failed" if isinstance(error, OSError) else "timeout") from error


class Scripts:
    """Runs script sources of one router, one task each."""

    def __init__(self, router: VirtualRouter) -> None:
        self._router = router
        self.fetch: Fetch = fetch
        """Replace to see the requests instead of sending them."""
        self.globals: dict[str, str] = {}
        self._jobs = 0
        self._menu = router.menu("/system/script")
        self._menu.on_add.append(self._added)
        self._menu.views.append(lambda _item: {"invalid": "false"})
        router.on_reboot.append(self._reboot)
        router.command("/system/script", "run", self._run_call)
        router.command("/tool", "fetch", self._fetch_call)

    @staticmethod
    def _added(item: Item) -> None:
        item.values.setdefault("owner", "admin")

    def _reboot(self) -> None:
        self.globals.clear()
        for item in self._menu:
            item.values["run-count"] = "0"

    def start(self, source_or_name: str, variables: Mapping[str, str]) -> None:
        """Run a source, or the /system/script of that name, in the background."""
        self._router.spawn(self.run(self._source(source_or_name), variables))

    def next_job(self) -> str:
        """The id of a job just started."""
        self._jobs += 1
        return f"*{self._jobs:X}"

    def _source(self, source_or_name: str) -> str:
        stored = self._menu.named(source_or_name.strip())
        if stored is None:
            return source_or_name
        self._count(stored.id)
        return stored.get("source")

    def _count(self, row_id: str) -> None:
        item = self._menu.items[row_id]
        runs = int(item.get("run-count", "0")) + 1
        self._menu.change(item, {"run-count": str(runs), "last-started": self._router.stamp()})

    async def run(self, source: str, variables: Mapping[str, str]) -> None:
        """Run a source to its end or to the first failure."""
        try:
            await self._block(source, {**self.globals, **variables})
        except FetchFailed as failure:
            self._router.log("script,error", f"script error: failure: {failure}")

    async def _block(self, source: str, names: dict[str, str]) -> None:
        for statement in statements(source):
            await self._statement(statement, names)

    async def _do(self, statement: str, names: dict[str, str]) -> None:
        """`:do {…} on-error={…}`: an error in the first block runs the second."""
        first, rest = block(statement.removeprefix(":do").strip())
        try:
            await self._block(first, names)
        except FetchFailed:
            second, _ = block(rest.strip().removeprefix("on-error="))
            if not rest.strip().startswith("on-error="):
                raise
            await self._block(second, names)

    async def _statement(self, statement: str, names: dict[str, str]) -> None:
        verb, _, rest = statement.partition(" ")
        if verb in {":local", ":global", ":set"}:
            name, _, value = rest.strip().partition(" ")
            if value or verb == ":set":
                names[name] = evaluate(value, names)
            if verb == ":global":
                self.globals[name] = names.get(name, "")
        elif verb in {":log", "/log"}:
            level, _, message = rest.strip().partition(" ")
            self._router.log(f"script,{level}", evaluate(message.removeprefix("message="), names))
        elif statement.startswith(("/tool fetch ", "/tool/fetch ")):
            await self.fetch(arguments(statement.split("fetch", 1)[1], names))
        elif verb == ":do":
            await self._do(statement, names)
        elif verb == ":delay":
            await self._router.clock.sleep(parse_duration(rest.strip()) or 0.0)
        else:
            self._router.log("script,warning", f"not run here: {statement[:80]}")

    async def _run_call(self, call: Call) -> None:
        number = call.take("number")
        call.take("use-script-permissions")
        if number is not None:
            call.left["numbers"] = number
        items = call.picked()
        call.refuse_rest()
        for item in items:
            self._count(item.id)
            await self.run(item.get("source"), {})
        call.done()

    async def _fetch_call(self, call: Call) -> None:
        spec = self._router.specs["/tool/fetch"].fields
        for name in call.left:
            if name not in spec or (spec[name].readonly and name != "duration"):
                raise errors.unknown_parameter(name)
        if "url" not in call.left:
            raise errors.missing_value("url")
        call.row({"status": "connecting", ".section": "0"})
        try:
            answer = await self.fetch(call.left)
        except FetchFailed as failure:
            call.row({"status": "failed", ".section": "1"})
            raise errors.Trap(f"failure: {failure}") from failure
        size = str(len(answer.body.encode()) // 1024)
        row = {"status": "finished", "downloaded": size, "total": size, "duration": "1s", ".section": "1"}
        if call.left.get("output") == "user":
            row["data"] = answer.body
        call.row(row)
        call.done()


def statements(source: str) -> list[str]:
    """The statements of a source: split at line ends and `;` outside quotes, brackets and braces."""
    found, current, depth = [], "", 0
    joined = source.replace("\\\r\n", "").replace("\\\n", "")
    for piece in TOKEN.findall(joined):
        depth += (piece in "{[(") - (piece in "}])")
        if piece in "\r\n;" and depth <= 0:
            found.append(current.strip())
            current = ""
        else:
            current += piece
    found.append(current.strip())
    return [one for one in found if one and not one.startswith("#")]


def block(text: str) -> tuple[str, str]:
    """What stands in the braces that `text` begins with, and what follows them."""
    depth, inside = 0, ""
    pieces = TOKEN.findall(text)
    for at, piece in enumerate(pieces):
        depth += (piece == "{") - (piece == "}")
        if depth == 0:
            return inside[1:], "".join(pieces[at + 1 :])
        inside += piece
    return inside[1:], ""


def evaluate(expression: str, names: Mapping[str, str]) -> str:
    """The text of an expression: strings with variables in them, `$name`, words, joined by `.`."""
    return _pieces(expression.strip(), 0, names)[0]


def arguments(text: str, names: Mapping[str, str]) -> dict[str, str]:
    """`name=expression` pairs, where an expression ends at the first blank outside strings and
    parentheses."""
    found: dict[str, str] = {}
    at = 0
    while match := re.compile(r"\s*([a-z-]+)=").match(text, at):
        value, at = _value(text, match.end(), names)
        found[match[1]] = value
    return found


def _value(text: str, at: int, names: Mapping[str, str]) -> tuple[str, int]:
    """One argument's value from `at`: pieces without blanks between them."""
    value = ""
    while at < len(text) and not text[at].isspace():
        match = PIECE.match(text, at)
        if match is None:
            break
        if match["open"]:
            inner, at = _pieces(text, match.end(), names)
            value += inner
        else:
            value += _piece(match, names)
            at = match.end()
    return value, at


def _pieces(text: str, at: int, names: Mapping[str, str]) -> tuple[str, int]:
    """Pieces up to the closing parenthesis or the end."""
    value = ""
    while match := PIECE.match(text, at):
        at = match.end()
        if match["close"]:
            break
        if match["open"]:
            inner, at = _pieces(text, at, names)
            value += inner
        else:
            value += _piece(match, names)
    return value, at


def _piece(match: re.Match[str], names: Mapping[str, str]) -> str:
    if match["text"] is not None:
        return _string(match["text"], names)
    if match["dot"]:
        return ""
    if match["word"] is not None:
        return match["word"]
    return names.get(match["quoted"] or match["name"], "")


def _string(raw: str, names: Mapping[str, str]) -> str:
    """The inside of a quoted string: `$name` replaced, then escapes undone."""
    value, at = "", 0
    while at < len(raw):
        if raw[at] == "\\" and at + 1 < len(raw):
            value += ESCAPES.get(raw[at + 1], raw[at + 1])
            at += 2
            continue
        found = VARIABLE.match(raw, at)
        if found:
            value += names.get(found[1] or found[2], "")
            at = found.end()
            continue
        value += raw[at]
        at += 1
    return value
