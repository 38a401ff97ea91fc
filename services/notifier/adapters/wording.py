"""The catalogues' words, times and numbers for one reader."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog

from shared.contracts.vocabulary import Language
from shared.i18n import Translator, format_duration, format_number, format_time

log = structlog.get_logger("notifier")

FALLBACK_ZONE = "Asia/Jakarta"


class CatalogueWording:
    """What `services.notifier.core.wording.Wording` promises. A zone that nobody knows reads as Jakarta's."""

    def __init__(self, language: Language, time_zone: str) -> None:
        self._language = language.value
        self._translator = Translator.for_language(language)
        self._zone = _zone(time_zone)

    def gettext(self, msgid: str) -> str:
        return self._translator.gettext(msgid)

    def local(self, moment: datetime) -> datetime:
        return moment.astimezone(self._zone)

    def moment(self, moment: datetime) -> str:
        return format_time(moment, self._zone, self._language)

    def duration(self, seconds: float) -> str:
        return format_duration(round(seconds), self._language)

    def number(self, value: float, digits: int) -> str:
        return format_number(value, self._language, decimals=digits)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        log.warning("unknown time zone", zone=name, instead=FALLBACK_ZONE)
        return ZoneInfo(FALLBACK_ZONE)
