"""Facts and receivers as a small provider would have them, for the notifier's tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from services.notifier.core.incidents import AlertKind, Relief, Subject, Trouble
from services.notifier.core.recipients import Abilities, Recipient
from shared.contracts.ids import ChatId, SiteId
from shared.contracts.vocabulary import Channel, Language, Role, Severity, Subscription

NOON = datetime(2026, 11, 20, 14, 4, 17, tzinfo=UTC)
WARU, KEDIRI = SiteId("waru"), SiteId("kediri")
CORE_1 = Subject(AlertKind.HOST_DOWN, "h1", "core-1", "10.20.0.1", WARU, "Waru")

EDITABLE = Abilities(edit=True, reply=True, buttons=True)
PLAIN = Abilities(edit=False, reply=False, buttons=False)
CHANNELS = {Channel.TELEGRAM: EDITABLE, Channel.WHATSAPP: PLAIN}


def recipient(
    chat_id: str = "noc", *, channel: Channel = Channel.TELEGRAM, sites: tuple[SiteId, ...] = (), **more: object
) -> Recipient:
    """A chat that receives alerts and sessions of all sites unless told otherwise."""
    fields: dict[str, object] = {
        "chat_id": ChatId(chat_id),
        "name": chat_id,
        "channel": channel,
        "address": "-100200" if channel is Channel.TELEGRAM else "6285712345678",
        "language": Language.INDONESIAN,
        "time_zone": "Asia/Jakarta",
        "role": Role.NOC,
        "receives": frozenset(Subscription),
        "site_ids": frozenset(sites),
    }
    return Recipient(**{**fields, **more})  # type: ignore[arg-type]


def trouble(second: float = 0, *, transition: int = 1, blip_s: float = 10, subject: Subject = CORE_1) -> Trouble:
    """core-1 stops answering `second` seconds after noon, and is certain of it 1.4 s later."""
    since = NOON + timedelta(seconds=second)
    return Trouble(subject, Severity.CRITICAL, since, since + timedelta(seconds=1.4), transition, blip_s)


def relief(second: float, *, transition: int = 2, subject: Subject = CORE_1) -> Relief:
    """core-1 answers again."""
    return Relief(subject, NOON + timedelta(seconds=second), transition)
