"""Texts, plurals, times and durations in both languages."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from shared.i18n import Translator, format_duration, format_number, format_time, zone_name
from shared.i18n.catalogues import catalogue_faults, faults, placeholders, read_catalogue, texts_in_code, updated

MOMENT = datetime(2026, 11, 20, 14, 4, 17, tzinfo=UTC)


def test_every_catalogue_is_complete_with_the_same_placeholders():
    assert faults() == []


@pytest.mark.parametrize(
    ("zone", "language", "shown"),
    [
        ("Asia/Jakarta", "id", "20 Nov 2026 21.04.17 WIB"),
        ("Asia/Jakarta", "en", "20 Nov 2026 21:04:17 WIB"),
        ("Asia/Makassar", "id", "20 Nov 2026 22.04.17 WITA"),
        ("Asia/Jayapura", "en", "20 Nov 2026 23:04:17 WIT"),
        ("UTC", "en", "20 Nov 2026 14:04:17 UTC"),
        ("Asia/Kathmandu", "en", "20 Nov 2026 19:49:17 UTC+05:45"),
        ("Europe/Berlin", "id", "20 Nov 2026 15.04.17 CET"),
    ],
)
def test_times_are_written_as_people_do(zone: str, language: str, shown: str):
    assert format_time(MOMENT, zone, language) == shown


def test_indonesian_months_and_minutes():
    may = datetime(2026, 5, 1, 0, 0, tzinfo=UTC)
    assert format_time(may, "Asia/Jakarta", "id", seconds=False) == "1 Mei 2026 07.00 WIB"
    assert format_time(may, ZoneInfo("Asia/Jakarta"), "en", seconds=False) == "1 May 2026 07:00 WIB"
    august = may.replace(month=8)
    assert "Agu" in format_time(august, "Asia/Jakarta", "id")


def test_offsets_west_have_their_sign():
    assert zone_name(MOMENT.astimezone(timezone(timedelta(hours=-3, minutes=-30)))) == "UTC-03:30"


def test_a_time_without_zone_is_refused():
    with pytest.raises(ValueError, match="zone"):
        format_time(datetime(2026, 1, 1), "Asia/Jakarta", "id")  # noqa: DTZ001


@pytest.mark.parametrize(
    ("seconds", "indonesian", "english"),
    [
        (137, "2 menit 17 detik", "2 minutes 17 seconds"),
        (0.9, "0 detik", "0 seconds"),
        (-5, "0 detik", "0 seconds"),
        (1, "1 detik", "1 second"),
        (60, "1 menit", "1 minute"),
        (3_600, "1 jam", "1 hour"),
        (3_601, "1 jam", "1 hour"),
        (90_000, "1 hari 1 jam", "1 day 1 hour"),
        (1_036_800, "12 hari", "12 days"),
    ],
)
def test_durations_show_the_two_largest_units(seconds: float, indonesian: str, english: str):
    assert format_duration(seconds, "id") == indonesian
    assert format_duration(timedelta(seconds=seconds), "en") == english


def test_durations_show_as_many_units_as_asked():
    assert format_duration(90_061, "id", parts=4) == "1 hari 1 jam 1 menit 1 detik"


def test_numbers():
    assert format_number(12345.6, "id", decimals=1) == "12.345,6"
    assert format_number(12345.6, "en", decimals=1) == "12,345.6"


@pytest.mark.parametrize(("tag", "language"), [("id", "id"), ("id-ID", "id"), ("EN_us", "en"), ("jv", "en")])
def test_languages_are_found_by_tag(tag: str, language: str):
    assert Translator.for_language(tag).language == language


def test_values_are_put_in_as_they_are():
    texts = Translator.for_language("id")
    assert texts.gettext("{host} without translation", host="{evil.__class__} %s") == (
        "{evil.__class__} %s without translation"
    )
    assert texts.gettext("100 {percent} without values") == "100 {percent} without values"


class TestCatalogueUpkeep:
    CODE = """
t.gettext("{host} is down", host=1)
t.ngettext("one host", "{count} hosts", 3)
t.pgettext("menu", "Open")
TABLE = {1: N_("Later")}
t.gettext(variable)
"""

    @pytest.fixture
    def texts(self, tmp_path: Path):
        (tmp_path / "services").mkdir()
        (tmp_path / "shared").mkdir()
        (tmp_path / "services" / "a.py").write_text(self.CODE)
        (tmp_path / "services" / "page.html").write_text("<p>{{ gettext('From a page') }}</p>")
        return texts_in_code(tmp_path)

    def test_marked_texts_are_found(self, texts):
        assert texts == {
            ("{host} is down", None): "{host} is down",
            ("one host", None): ("one host", "{count} hosts"),
            ("Open", "menu"): "Open",
            ("Later", None): "Later",
            ("From a page", None): "From a page",
        }

    def test_update_keeps_translations_and_drops_what_is_gone(self, texts, tmp_path: Path):
        path = tmp_path / "ronda.po"
        empty = updated("id", texts, read_catalogue("id", path))
        path.write_bytes(
            empty.replace(b'msgid "Later"\nmsgstr ""', b'msgid "Later"\nmsgstr "Nanti"')
            + b'\nmsgid "Gone"\nmsgstr "x"\n'
        )
        again = updated("id", texts, read_catalogue("id", path))
        assert b"Nanti" in again
        assert b"Gone" not in again
        assert again.count(b"msgstr[") == 1, "Indonesian has one form"
        path.write_bytes(again)
        assert updated("id", texts, read_catalogue("id", path)) == again

    def test_faults_are_named(self, texts, tmp_path: Path):
        path = tmp_path / "ronda.po"
        path.write_text(
            'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n'
            '"Plural-Forms: nplurals=1; plural=0;\\n"\n'
            '\nmsgid "{host} is down"\nmsgstr "{tuan} mati"\n'
            '\nmsgid "one host"\nmsgid_plural "{count} hosts"\nmsgstr[0] "{count} tuan rumah"\n'
            '\nmsgctxt "menu"\nmsgid "Open"\nmsgstr ""\n'
            '\n#, fuzzy\nmsgid "Later"\nmsgstr "Nanti"\n'
            '\nmsgid "Old"\nmsgstr "Lama"\n'
        )
        found = sorted(catalogue_faults(read_catalogue("id", path), texts, "id"))
        assert [fault.split(":")[0] for fault in found] == [
            "absent",
            "marked fuzzy",
            "no longer in the code (or not marked with N_)",
            "not translated",
            "other placeholders than the code",
        ]

    def test_placeholders(self):
        assert placeholders("{a} {b:.2f} {{c}}") == {"a", "b"}
        assert placeholders("{a") == {"?"}
