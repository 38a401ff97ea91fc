"""RouterOS dates and times of day.

Up to 7.9 a router writes `jul/14/2023 13:55:47`, from 7.10 on `2023-07-14 13:55:47`. v6 shortens in some
places: only the time if it is today, no year if it is this year. All are the router's local wall clock, so
everything here is naive; who knows the router's offset makes it aware. Without NTP a router starts in 1970.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time

from shared.errors import Invalid

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FORM = re.compile(
    r"(?:(?P<name>[a-z]{3})/(?P<nday>\d\d?)(?:/(?P<nyear>\d{4}))?"
    r"|(?:(?P<year>\d{4})-)?(?P<month>\d\d)-(?P<day>\d\d))?"
    r"(?:(?:^|[ T])(?P<h>\d\d?):(?P<m>\d\d):(?P<s>\d\d)(?:\.\d+)?)?",
    re.ASCII,
)


def parse_moment(text: str, today: date | None = None) -> datetime:
    """Read a date with or without time, in either form, on the router's own clock (naive).

    `today` is the router's present date; shortened forms need it and raise Invalid without.
    """
    found = _FORM.fullmatch(text.strip().lower())
    if found is None or not text.strip():
        raise Invalid(f"not a RouterOS date: {text!r}")
    try:
        clock = time(int(found["h"]), int(found["m"]), int(found["s"])) if found["h"] else time()
        return datetime.combine(_date(found, today), clock)
    except ValueError as error:
        raise Invalid(f"not a RouterOS date: {text!r} ({error})") from error


def _date(found: re.Match[str], today: date | None) -> date:
    year = found["nyear"] or found["year"]
    if found["name"]:
        month, day = _MONTHS.index(found["name"]) + 1, int(found["nday"])
    elif found["month"]:
        month, day = int(found["month"]), int(found["day"])
    elif today is not None:
        return today
    else:
        raise ValueError("it has no date, and today's is not known")
    if year is None and today is None:
        raise ValueError("it has no year, and this year is not known")
    return date(int(year) if year else today.year, month, day)  # type: ignore[union-attr]


def month_name_date(day: date) -> str:
    """`jul/14/2023`, as written up to 7.9."""
    return f"{_MONTHS[day.month - 1]}/{day.day:02}/{day.year:04}"


def iso_date(day: date) -> str:
    """`2023-07-14`, as written from 7.10 on."""
    return f"{day.year:04}-{day.month:02}-{day.day:02}"


def time_of_day(moment: datetime) -> str:
    """`13:55:47`."""
    return f"{moment.hour:02}:{moment.minute:02}:{moment.second:02}"
