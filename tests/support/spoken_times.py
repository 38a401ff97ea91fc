"""Times as people of each language write them, made without the product's code."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

_MONTHS = {
    "id": "Jan Feb Mar Apr Mei Jun Jul Agu Sep Okt Nov Des",
    "en": "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
}
_ZONES = {"Asia/Jakarta": "WIB", "Asia/Makassar": "WITA"}
_GREETINGS = ((18, "malam"), (15, "sore"), (11, "siang"), (4, "pagi"), (0, "malam"))


def spoken(at: datetime, zone: str, language: str) -> str:
    """`20 Nov 2026 21.04.17 WIB` (id), `20 Nov 2026 22:04:17 WITA` (en)."""
    local = at.astimezone(ZoneInfo(zone))
    month = _MONTHS[language].split()[local.month - 1]
    clock = local.strftime("%H.%M.%S" if language == "id" else "%H:%M:%S")
    return f"{local.day} {month} {local.year} {clock} {_ZONES[zone]}"


def greeting(at: datetime, zone: str) -> str:
    """`Selamat pagi` and so on, by the hour where the reader is."""
    hour = at.astimezone(ZoneInfo(zone)).hour
    return "Selamat " + next(words for first, words in _GREETINGS if hour >= first)
