"""The closed lists of reasons: why something is sent, and why something is not. Never a bare boolean."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why a chat is told something."""

    FIRST = "first"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    BLIP = "blip"
    SESSION_OPENED = "session_opened"
    SESSION_CLOSED = "session_closed"


class WhyNot(StrEnum):
    """Why a change was not told to a chat, or to nobody at all. `/why` reads these."""

    # of the change itself
    ALREADY_OPEN = "already_open"
    NOTHING_OPEN = "nothing_open"
    OVERTAKEN = "overtaken"
    NOBODY = "nobody"
    BEHIND_PARENT = "behind_parent"  # what it hangs on is down; its own alert waits for that
    PART_OF_OUTAGE = "part_of_outage"
    IN_MAINTENANCE = "in_maintenance"
    BACKFILLED = "backfilled"  # it reached us late; the summary of the poller that was cut off says it
    FOR_THE_RECORD = "for_the_record"  # worth keeping, not worth a message
    # of one chat
    NOT_SUBSCRIBED = "not_subscribed"
    OTHER_SITE = "other_site"
    CHAT_OFF = "chat_off"
    CHAT_UNUSABLE = "chat_unusable"
    CHANNEL_OFF = "channel_off"
    BAD_ADDRESS = "bad_address"
    WANTS_NO_SESSIONS = "wants_no_sessions"
    NEVER_TOLD = "never_told"
    ALREADY_TOLD = "already_told"
    CANNOT_EDIT = "cannot_edit"
    # of one delivery
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    REFUSED = "refused"


class Form(StrEnum):
    """How a delivery reaches the chat. Only PUSH and REPLY ring a phone."""

    PUSH = "push"
    EDIT = "edit"
    REPLY = "reply"
