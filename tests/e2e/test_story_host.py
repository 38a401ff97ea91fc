"""Story 1: a host stops answering and answers again, and everybody who should know reads it on the phone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.conftest import DAVIDS_ZONE, ON_THE_PRODUCT
from tests.support.phone import Bubble
from tests.support.provider import DAVID, HENDRA, NOC_GROUP, SARI, Provider, Row
from tests.support.spoken_times import spoken
from tests.support.waiting import until

pytestmark = ON_THE_PRODUCT

JAKARTA = "Asia/Jakarta"
BLIP = timedelta(seconds=10)  # an outage that is over so soon rings nobody a second time
PROBE = timedelta(seconds=2)  # of a one-second policy: the last answered probe lies at most so far back


@dataclass(frozen=True)
class Reader:
    """How one chat reads the same alert."""

    chat: str
    language: str
    zone: str
    no_reply: str
    causes: str
    lasted: str


INDONESIAN = ("id", JAKARTA, "tidak ada jawaban", "Kemungkinan: kabel putus, perangkat mati", r"(\d+) detik")
ENGLISH = ("en", DAVIDS_ZONE, "no reply", "Likely: cable cut, device switched off", r"(\d+) seconds")
TELEGRAM = (Reader(NOC_GROUP, *INDONESIAN), Reader(SARI, *INDONESIAN), Reader(DAVID, *ENGLISH))


def now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 — the clock on the wall, beside the product's own


def time_of(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.mission("C1", "C2", "B8", "F")
async def test_a_host_that_stops_answering_and_answers_again_is_told_to_everybody(provider: Provider) -> None:
    host = await provider.host("sw-waru-03")
    phones = {reader.chat: provider.phone(reader.chat) for reader in TELEGRAM}
    before, cut_at = await phones[SARI].now(), now()

    await provider.product.lab_do("hosts", host["name"], "cut")
    alarms = {reader.chat: await phones[reader.chat].message("DOWN", host["name"], after=before) for reader in TELEGRAM}
    seen_at = now()
    (down,) = await provider.events("host.down", host_id=host["id"])
    since = time_of(down["body"]["since"])
    assert cut_at - PROBE <= since <= time_of(down["at"]) <= seen_at
    for reader in TELEGRAM:
        says_down(alarms[reader.chat], reader, host, since)
    on_whatsapp = await provider.phone(HENDRA).message("DOWN", host["name"], after=before)
    assert host["address"] in on_whatsapp["text"]
    assert spoken(since, JAKARTA, "id") in on_whatsapp["text"]

    await until(lambda: now() - since > BLIP, within_s=15)
    restored_at = now()
    await provider.product.lab_do("hosts", host["name"], "restore")
    for reader in TELEGRAM:
        alarm = alarms[reader.chat]
        over = await phones[reader.chat].message("UP", host["name"], after=before, reply_to=alarm["id"])
        (up,) = [e for e in await provider.events("host.up", host_id=host["id"]) if time_of(e["at"]) > since]
        up_at = time_of(up["at"])
        assert restored_at <= up_at <= now()
        says_up(over["text"], reader, host, since, up_at)
        changes = await phones[reader.chat].messages(after=before)
        (standing,) = [bubble for bubble in changes if bubble["id"] == alarm["id"]]
        assert standing["revisions"] == [alarm["text"]]
        assert not standing["buttons"]
        says_up(standing["text"], reader, host, since, up_at)
        about = [bubble["id"] for bubble in changes if host["name"] in bubble["text"]]
        assert sorted(about) == sorted([alarm["id"], over["id"]])
    back = await provider.phone(HENDRA).message("UP", host["name"], after=on_whatsapp["seq"])
    assert spoken(up_at, JAKARTA, "id") in back["text"]
    assert (await provider.host(host["name"]))["state"] == "up"


def says_down(alarm: Bubble, reader: Reader, host: Row, since: datetime) -> None:
    text = alarm["text"]
    assert text.splitlines()[0].startswith(f"🔴 DOWN · {host['name']} @ Waru"), text
    assert host["address"] in text
    assert reader.no_reply in text
    assert spoken(since, reader.zone, reader.language) in text
    assert reader.causes in text
    assert not alarm["reply_to"]


def says_up(text: str, reader: Reader, host: Row, since: datetime, up_at: datetime) -> None:
    assert text.splitlines()[0].startswith(f"✅ UP · {host['name']} @ Waru"), text
    assert host["address"] in text
    assert spoken(since, reader.zone, reader.language) in text
    assert spoken(up_at, reader.zone, reader.language) in text
    length = re.search(reader.lasted, text)
    assert length, text
    assert int(length[1]) == int((up_at - since).total_seconds())
