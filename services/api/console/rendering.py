"""Templates, languages and time zones of the pages. Texts go through gettext, everything else is escaped."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from services.api.console import sparkline, wording
from services.api.console.word_tables import LANGUAGES
from services.api.core.rights import Caller
from services.api.handlers.board import mark
from shared.clock import Clock
from shared.contracts.vocabulary import Language
from shared.i18n import Translator, format_number, format_time

FOLDER = Path(__file__).parent
MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that browsers keep for ever under the address that holds its fingerprint."""

    name: str
    body: bytes
    media_type: str
    version: str


@dataclass(frozen=True, slots=True)
class Reader:
    """In which language and time zone a page is read."""

    language: Language
    time_zone: str


class Pages:
    """Renders pages for readers."""

    def __init__(self, *, clock: Clock, language: str, time_zone: str) -> None:
        self._clock = clock
        self._language = Language(language)
        self._time_zone = time_zone
        self.assets = {asset.name: asset for asset in map(_asset, sorted((FOLDER / "static").iterdir()))}
        self._environments = {language: self._environment(language) for language in Language}

    def reader(self, request: Request, caller: Caller | None = None) -> Reader:
        """The person's own settings, else what the browser asks for, else the installation's."""
        language = caller.language if caller else None
        zone = caller.time_zone if caller else None
        return Reader(language or self._accepted(request) or self._language, zone or self._time_zone)

    def words(self, reader: Reader) -> Translator:
        """The texts of the reader's language."""
        return Translator.for_language(reader.language)

    def text(self, template: str, reader: Reader, **context: Any) -> str:
        """A template as text."""
        environment = self._environments[reader.language]
        now = self._clock.now()
        moments = _Moments(ZoneInfo(reader.time_zone), reader.language, now, environment.globals)
        return environment.get_template(template).render(
            reader=reader,
            now=now,
            exact=moments.exact,
            clock=moments.clock,
            ago=moments.ago,
            short=moments.short,
            short_day=moments.short_day,
            span_of=moments.span_of,
            **context,
        )

    def page(
        self, template: str, request: Request, caller: Caller | None = None, *, status: int = 200, **context: Any
    ) -> HTMLResponse:
        """A template as an answer."""
        reader = self.reader(request, caller)
        body = self.text(template, reader, caller=caller, path=request.url.path, **context)
        return HTMLResponse(body, status_code=status, headers={"Content-Language": reader.language})

    def _accepted(self, request: Request) -> Language | None:
        for part in request.headers.get("Accept-Language", "").split(","):
            wish = part.partition(";")[0].strip().lower().partition("-")[0]
            if wish in set(Language):
                return Language(wish)
        return None

    def _environment(self, language: Language) -> Environment:
        translator = Translator.for_language(language)
        environment = Environment(
            loader=FileSystemLoader(FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.globals.update(
            _=translator.gettext,  # plain text, so what is put in is escaped with the rest
            ngettext=translator.ngettext,
            asset=self._asset_address,
            mark=mark,
            wording=wording.Wording(translator),
            languages=LANGUAGES,
        )
        environment.filters["spark_points"] = sparkline.points
        environment.filters["ms"] = lambda value: format_number(value, language, decimals=_decimals(value))
        environment.filters["share"] = lambda value: f"{format_number(value, language, decimals=2)} %"
        environment.filters["percent"] = lambda value: _percent(value, language)
        environment.filters["number"] = lambda value: format_number(value, language)
        return environment

    def _asset_address(self, name: str) -> str:
        return f"/console/static/{name}?v={self.assets[name].version}"


class _Moments:
    """Times as a reader reads them."""

    def __init__(self, zone: ZoneInfo, language: Language, now: datetime, words: dict[str, Any]) -> None:
        self._zone = zone
        self._language = language
        self._now = now
        self._words = words

    def exact(self, moment: datetime) -> str:
        """`20 Nov 2026 21.04.17 WIB`."""
        return format_time(moment, self._zone.key, self._language)

    def clock(self, moment: datetime) -> str:
        """The time of day; with the day before it when it was not today."""
        local = moment.astimezone(self._zone)
        today = self._now.astimezone(self._zone).date()
        return f"{local:%H:%M:%S}" if local.date() == today else f"{local:%d/%m %H:%M}"

    def short(self, moment: datetime, span: str) -> str:
        """A mark under a chart: the time of day for short ones, the day for long ones."""
        local = moment.astimezone(self._zone)
        return f"{local:%d/%m}" if span in {"7d", "30d"} else f"{local:%H:%M}"

    def short_day(self, moment: datetime) -> str:
        """`22:00`; with the day before it when it is not today."""
        local = moment.astimezone(self._zone)
        today = self._now.astimezone(self._zone).date()
        return f"{local:%H:%M}" if local.date() == today else f"{local:%d/%m %H:%M}"

    def span_of(self, begins: datetime, ends: datetime) -> str:
        """`22:00–02:00`, with days where they are not today's or not the same."""
        last = ends.astimezone(self._zone)
        same = begins.astimezone(self._zone).date() == last.date()
        return f"{self.short_day(begins)} – {last:%H:%M}" if same else f"{self.short_day(begins)} – {last:%d/%m %H:%M}"

    def ago(self, moment: datetime) -> str:
        """How long ago, in the unit that matters. The page's script keeps it true."""
        return ago_text(self._now - moment, self._words["wording"])


def _percent(value: float, language: Language) -> str:
    """Cut and not rounded: 99.9996 % is not all of the time."""
    return f"{format_number(int(value * 1000) / 1000, language, decimals=3)} %"


def _decimals(value: float) -> int:
    return 0 if abs(value) >= 100 or value == 0 else 1 if abs(value) >= 10 else 2


def ago_text(passed: timedelta, words: wording.Wording) -> str:
    """`3 min ago`."""
    seconds = max(0, int(passed.total_seconds()))
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return words.ago(unit).format(n=seconds // size)
    return words.ago("s").format(n=seconds)


def _asset(path: Path) -> Asset:
    body = path.read_bytes()
    return Asset(path.name, body, MEDIA_TYPES[path.suffix], hashlib.sha256(body).hexdigest()[:12])
