"""Story 4: whoever may ask gets loss and round-trip time in the chat; a stranger is refused politely, which is kept."""

from __future__ import annotations

import re

import pytest

from tests.e2e.conftest import ON_THE_PRODUCT
from tests.support.provider import DAVID, HENDRA, NOC_GROUP, SARI, STRANGER, Provider
from tests.support.waiting import until

pytestmark = ON_THE_PRODUCT

SENT = {"id": "4 terkirim, {} diterima, loss", "en": "4 sent, {} received, loss"}
RTT = {
    "id": r"RTT min ([\d,]+) / rata-rata ([\d,]+) / maks ([\d,]+) ms",
    "en": r"RTT min ([\d.]+) / avg ([\d.]+) / max ([\d.]+) ms",
}
TIMEOUT = "timeout, loss 100 %"
ASKING = [(SARI, "id"), (DAVID, "en"), (NOC_GROUP, "id"), (HENDRA, "id")]


@pytest.mark.mission("D3")
@pytest.mark.parametrize(("chat", "language"), ASKING)
async def test_ping_answers_with_loss_and_round_trip_time(provider: Provider, chat: str, language: str) -> None:
    host = await provider.host("core-1")
    phone = provider.phone(chat)
    before = await phone.now()
    await phone.say("/ping core-1", person="612880011" if chat == NOC_GROUP else "")
    answer = (await phone.message("Ping", "core-1", after=before))["text"]
    assert host["address"] in answer
    assert SENT[language].format(4) in answer
    assert answer.splitlines()[1].endswith("loss 0 %")
    times = re.search(RTT[language], answer)
    assert times, answer
    least, mean, most = (float(number.replace(",", ".")) for number in times.groups())
    assert 0 <= least <= mean <= most < 1000


@pytest.mark.mission("D3")
@pytest.mark.parametrize(("chat", "language"), [(DAVID, "en"), (HENDRA, "id")])
async def test_a_dead_host_shows_timeouts_and_all_is_lost(provider: Provider, chat: str, language: str) -> None:
    phone = provider.phone(chat)
    await provider.product.lab_do("hosts", "cam-sedati-04", "cut")
    try:
        before = await phone.now()
        await phone.say("/ping cam-sedati-04")
        answer = (await phone.message("Ping", "cam-sedati-04", after=before))["text"]
    finally:
        await provider.product.lab_do("hosts", "cam-sedati-04", "restore")
    assert SENT[language].format(0) in answer
    assert "loss 100 %" in answer.splitlines()[1]
    assert TIMEOUT in answer
    assert "RTT" not in answer


async def test_a_stranger_on_telegram_is_refused_politely_and_it_is_kept(provider: Provider) -> None:
    phone = provider.phone(STRANGER)
    before = await phone.now()
    await phone.say("/ping core-1")
    refusal = (await phone.message("Maaf", after=before))["text"]
    assert "612880033" in refusal  # what the owner needs to let this chat in
    assert "RTT" not in refusal
    (kept,) = await refusals(provider, "612880033")
    assert (kept["channel"], kept["command"], kept["name"]) == ("telegram", "ping", "Orang asing")


async def test_a_stranger_on_whatsapp_is_refused_politely_and_it_is_kept(provider: Provider) -> None:
    person = await provider.subscriber("gw-sedati", "ppp")
    phone = provider.subscribers_phone(person)
    before = await phone.now()
    await provider.product.lab_do("subscribers", person["user"], "login")  # the first message opens the chat
    await phone.message(person["user"], after=before)
    await phone.say("/ping core-1")
    number = phone.chat.removeprefix("wa:")
    refusal = (await phone.message("Maaf", after=before))["text"]
    assert number in refusal
    (kept,) = await refusals(provider, number)
    assert (kept["channel"], kept["command"]) == ("whatsapp", "ping")
    await provider.product.lab_do("subscribers", person["user"], "logout")


async def refusals(provider: Provider, address: str) -> list[dict[str, str]]:
    async def kept() -> list[dict[str, str]]:
        return [event["body"] for event in await provider.events("chat.refused") if event["body"]["address"] == address]

    return await until(kept)  # type: ignore[arg-type, return-value]
