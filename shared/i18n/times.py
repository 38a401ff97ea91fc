"""Times, durations and numbers as people of each language write them.

Indonesian writes the time with full stops (21.04.17) and names its three zones WIB, WITA and WIT (Keputusan Presiden
41/1987); those names are used in English too, because that is what everybody there says.
"""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from shared.i18n.translator import Translator

_ZONES: Final = {
    "Asia/Jakarta": "WIB",
    "Asia/Pontianak": "WIB",
    "Asia/Makassar": "WITA",
    "Asia/Ujung_Pandang": "WITA",
    "Asia/Jayapura": "WIT",
}
_CLOCK: Final = {"id": ("HH.mm", "HH.mm.ss"), "en": ("HH:mm", "HH:mm:ss")}
_UNITS_S: Final = (86_400, 3_600, 60, 1)


def format_time(moment: datetime, zone: str | tzinfo, language: str, *, seconds: bool = True) -> str:
    """`20 Nov 2026 21.04.17 WIB` (id), `20 Nov 2026 21:04:17 WIB` (en). `moment` is aware; ValueError if it is not."""
    from babel.dates import format_datetime

    if moment.tzinfo is None:
        raise ValueError("a time without zone cannot be shown")
    local = moment.astimezone(ZoneInfo(zone) if isinstance(zone, str) else zone)
    spoken = Translator.for_language(language).language
    pattern = f"d MMM y {_CLOCK[spoken][seconds]}"
    return f"{format_datetime(local, pattern, locale=spoken)} {zone_name(local)}"


def zone_name(local: datetime) -> str:
    """`WIB`, `WITA`, `WIT`; elsewhere the zone's own abbreviation, or `UTC+05:45` where it has none."""
    known = _ZONES.get(str(local.tzinfo))
    if known is not None:
        return known
    name = local.tzname() or ""
    return name if name.isalpha() else _offset(local)


def format_duration(duration: timedelta | float, language: str, *, parts: int = 2) -> str:
    """The largest units, `parts` at most: `2 menit 17 detik`, `3 hari 4 jam`. Rounded down, as time that has passed is.

    `duration` is a timedelta or seconds; less than a second is `0 detik`.
    """
    left = int(duration.total_seconds() if isinstance(duration, timedelta) else duration)
    texts = Translator.for_language(language)
    counts: list[int] = []
    for unit_s in _UNITS_S:
        count, left = divmod(max(left, 0), unit_s)
        counts.append(count)
    first = next((place for place, count in enumerate(counts) if count), len(counts) - 1)
    shown = [place for place in range(first, min(first + parts, len(counts))) if counts[place] or place == first]
    return " ".join(_in_words(texts, place, counts[place]) for place in shown)


def format_number(value: float, language: str, *, decimals: int = 0) -> str:
    """`12.345,6` (id), `12,345.6` (en)."""
    plain = f"{value:,.{decimals}f}"
    if Translator.for_language(language).language == "id":
        return plain.translate(str.maketrans(",.", ".,"))
    return plain


def _in_words(texts: Translator, place: int, count: int) -> str:
    match place:
        case 0:
            return texts.ngettext("{count} day", "{count} days", count)
        case 1:
            return texts.ngettext("{count} hour", "{count} hours", count)
        case 2:
            return texts.ngettext("{count} minute", "{count} minutes", count)
        case _:
            return texts.ngettext("{count} second", "{count} seconds", count)


def _offset(local: datetime) -> str:
    offset = local.utcoffset() or timedelta()
    sign = "-" if offset < timedelta() else "+"
    minutes = round(abs(offset).total_seconds() / 60)
    return f"UTC{sign}{minutes // 60:02}:{minutes % 60:02}"
