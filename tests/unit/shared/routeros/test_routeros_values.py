"""Versions, durations and dates as routers write them."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.errors import Invalid
from shared.routeros import RouterVersion
from shared.routeros.dates import iso_date, month_name_date, parse_moment, time_of_day
from shared.routeros.durations import format_duration, normal_duration, optional_duration, parse_duration

# Examples may take long on a busy machine; that says nothing about the code.
untimed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize(
    ("text", "shown", "channel"),
    [
        ("6.49.18 (long-term)", "6.49.18", "long-term"),
        ("7.16.2 (stable)", "7.16.2", "stable"),
        ("7.16rc1 (testing)", "7.16rc1", "testing"),
        ("7.20beta3 (development)", "7.20beta3", "development"),
        ("7.1", "7.1", ""),
        ("6.40.9", "6.40.9", ""),
        ("7.19.1_ab321 (lab)", "7.19.1", "lab"),
        ("7.1alpha", "7.1alpha", ""),
    ],
)
def test_versions_are_read(text: str, shown: str, channel: str):
    version = RouterVersion.parse(text)
    assert (str(version), version.channel) == (shown, channel)


def test_versions_are_ordered_as_released():
    order = ["6.9", "6.49.18", "7.1", "7.9.2", "7.10beta5", "7.10rc1", "7.10rc2", "7.10", "7.10.1", "7.20"]
    versions = [RouterVersion.parse(text) for text in order]
    assert sorted(versions, key=str) != versions
    assert sorted(versions) == versions
    assert [version.reaches(7, 10) for version in versions] == [False] * 4 + [True] * 6


@pytest.mark.parametrize("text", ["", "stable", "7", "v7.1"])
def test_no_version_is_invalid(text: str):
    with pytest.raises(Invalid):
        RouterVersion.parse(text)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("3w2d19h6m3s", "3w2d19h6m3s"),
        ("519w4d15h28m25s", "519w4d15h28m25s"),
        ("0s", "0s"),
        ("0", "0s"),
        ("453us", "453us"),
        ("12ms408us", "12ms408us"),
        ("1s30ms", "1s30ms"),
        ("00:05:00", "5m"),
        ("06:42:44", "6h42m44s"),
        ("1:00:00", "1h"),
        ("1d 00:00:00", "1d"),
        ("1d00:05:00", "1d5m"),
        ("30d", "4w2d"),
        ("90m", "1h30m"),
        ("3600", "1h"),
        ("23h59m59s", "23h59m59s"),
        ("00:00:01.5", "1s500ms"),
    ],
)
def test_durations_have_one_normal_form(text: str, normal: str):
    assert normal_duration(text) == normal


@pytest.mark.parametrize("text", ["", " ", "1x", "m5", "1h:00", "-5s", "1:2:3:4", "5 m", "٥s", "none"])
def test_what_is_no_duration(text: str):
    with pytest.raises(Invalid):
        parse_duration(text)


@pytest.mark.parametrize("text", [None, "", "none", "never", "unlimited", "disabled", "auto"])
def test_words_for_no_duration(text: str | None):
    assert optional_duration(text) is None
    assert text is None or normal_duration(text) == text


@untimed
@given(st.timedeltas(min_value=timedelta(), max_value=timedelta(weeks=10_000)))
def test_any_duration_survives_its_normal_form(length: timedelta):
    assert parse_duration(format_duration(length)) == length


def test_a_negative_duration_is_invalid():
    with pytest.raises(Invalid):
        format_duration(timedelta(seconds=-1))


TODAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("jul/14/2023", datetime.fromisoformat("2023-07-14T00:00:00")),
        ("sep/29/2022 07:09:24", datetime.fromisoformat("2022-09-29T07:09:24")),
        ("Feb/27/2025 15:58:10", datetime.fromisoformat("2025-02-27T15:58:10")),
        ("2024-05-17 17:58:11", datetime.fromisoformat("2024-05-17T17:58:11")),
        ("2023-07-14", datetime.fromisoformat("2023-07-14T00:00:00")),
        ("jan/01/1970 00:00:00", datetime.fromisoformat("1970-01-01T00:00:00")),
        ("07:09:24", datetime.fromisoformat("2026-11-20T07:09:24")),
        ("nov/18 07:09:24", datetime.fromisoformat("2026-11-18T07:09:24")),
        ("11-18 07:09:24", datetime.fromisoformat("2026-11-18T07:09:24")),
    ],
)
def test_moments_are_read(text: str, moment: datetime):
    assert parse_moment(text, TODAY) == moment


@pytest.mark.parametrize("text", ["", "never", "13/14/2023", "foo/14/2023", "2023-02-30", "25:00:00", "jul/14/23"])
def test_no_moment_is_invalid(text: str):
    with pytest.raises(Invalid):
        parse_moment(text, TODAY)


@pytest.mark.parametrize("text", ["07:09:24", "nov/18 07:09:24"])
def test_a_shortened_moment_needs_today(text: str):
    with pytest.raises(Invalid):
        parse_moment(text)


@untimed
@given(
    st.datetimes(min_value=datetime.fromisoformat("1970-01-01T00:00:00")).map(
        lambda moment: moment.replace(microsecond=0)
    )
)
def test_both_forms_of_any_moment_are_read_back(moment: datetime):
    assert parse_moment(f"{month_name_date(moment)} {time_of_day(moment)}") == moment
    assert parse_moment(f"{iso_date(moment)} {time_of_day(moment)}") == moment
