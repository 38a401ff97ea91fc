"""Selamat pagi, siang, sore, malam: by the hour where the reader is."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum


class PartOfDay(StrEnum):
    """The four greetings of Indonesian."""

    MORNING = "morning"
    NOON = "noon"
    AFTERNOON = "afternoon"
    NIGHT = "night"


# the hour from which each holds; before the first of them it is still night
_FROM_HOUR = ((18, PartOfDay.NIGHT), (15, PartOfDay.AFTERNOON), (11, PartOfDay.NOON), (4, PartOfDay.MORNING))


def part_of_day(local: datetime) -> PartOfDay:
    """Which greeting fits a local time: pagi from 4, siang from 11, sore from 15, malam from 18."""
    return next((part for hour, part in _FROM_HOUR if local.hour >= hour), PartOfDay.NIGHT)
