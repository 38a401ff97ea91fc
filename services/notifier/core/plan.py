"""From a change to what each chat is told: a list of small steps, each of which may decide with a reason.

Every chat that was considered leaves with exactly one outcome: deliveries, or a reason why not. A change that nobody
was considered for leaves with a reason of its own. Later steps (inhibition, silence, grouping, quiet hours) are further
functions in the lists at the foot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from services.notifier.core.incidents import Incident, Status, short_hash
from services.notifier.core.reasons import Form, Reason, WhyNot
from services.notifier.core.recipients import Abilities, Recipient
from services.notifier.core.sessions import SessionChange
from shared.contracts.ids import ChatId, DeliveryId, SiteId
from shared.contracts.vocabulary import Channel, Severity, Subscription

Fact = Incident | SessionChange


@dataclass(frozen=True, slots=True)
class Told:
    """What a chat was told of an incident last; None if all of it failed. `sequence` counts what was planned."""

    sequence: int
    status: Status | None


@dataclass(frozen=True, slots=True)
class Change:
    """Something that happened, with the thread of messages that it belongs to."""

    thread: str
    fact: Fact
    at: datetime
    severity: Severity
    topic: Subscription
    site_id: SiteId


@dataclass(frozen=True, slots=True)
class Tell:
    """One message to one chat, planned."""

    form: Form
    reason: Reason


@dataclass(frozen=True, slots=True)
class Candidate:
    """A recipient on the way through the steps. `outcome` None: still undecided."""

    recipient: Recipient
    abilities: Abilities | None  # None: the channel is switched off
    told: Told | None = None
    outcome: tuple[Tell, ...] | WhyNot | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message to be sent: a row of the notification log."""

    id: DeliveryId
    thread: str
    sequence: int
    recipient: Recipient
    form: Form
    reason: Reason
    fact: Fact
    event_at: datetime
    severity: Severity


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """Why a change was not told; `chat_ids` empty: to nobody at all."""

    thread: str
    reason: WhyNot
    chat_ids: tuple[ChatId, ...]
    at: datetime
    words: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that follows from one change."""

    deliveries: tuple[Delivery, ...] = ()
    ledger: tuple[LedgerEntry, ...] = field(default=())

    @property
    def audience(self) -> tuple[str, ...]:
        """The names of the chats that hear of it, each once."""
        return tuple(dict.fromkeys(delivery.recipient.name for delivery in self.deliveries))


Step = Callable[[Candidate, Change], Candidate]


def about_incident(incident: Incident, at: datetime) -> Change:
    """The newest transition of an incident as a change to be told."""
    return Change(incident.id, incident, at, incident.severity, Subscription.ALERTS, incident.subject.site_id)


def about_session(change: SessionChange) -> Change:
    """A login or logout as a change to be told."""
    return Change(change.thread, change, change.at, Severity.INFO, Subscription.SESSIONS, change.site_id)


def subscribed(candidate: Candidate, change: Change) -> Candidate:
    """Only who asked for this topic."""
    if change.topic in candidate.recipient.receives:
        return candidate
    return replace(candidate, outcome=WhyNot.NOT_SUBSCRIBED)


def of_this_site(candidate: Candidate, change: Change) -> Candidate:
    """Only who watches this site; no sites named means all of them. A subscriber's own session is always theirs."""
    sites = candidate.recipient.site_ids
    return candidate if not sites or change.site_id in sites else replace(candidate, outcome=WhyNot.OTHER_SITE)


def able(candidate: Candidate, change: Change) -> Candidate:  # noqa: ARG001 - one signature for all steps
    """Only chats that can be written to."""
    if candidate.recipient.bar is not None:
        return replace(candidate, outcome=candidate.recipient.bar)
    return candidate if candidate.abilities is not None else replace(candidate, outcome=WhyNot.CHANNEL_OFF)


def incident_form(candidate: Candidate, change: Change) -> Candidate:
    """What this chat needs to hear so that what it was told becomes what is true (dedup included)."""
    incident = change.fact
    if not isinstance(incident, Incident) or candidate.abilities is None:
        return candidate
    told = candidate.told.status if candidate.told else None
    if incident.held is not None and told is None:
        return replace(candidate, outcome=incident.held)
    return replace(candidate, outcome=_incident_outcome(incident, told, candidate.abilities))


def _incident_outcome(incident: Incident, told: Status | None, abilities: Abilities) -> tuple[Tell, ...] | WhyNot:
    if told is incident.status:
        return WhyNot.ALREADY_TOLD
    if incident.status is Status.OPEN or incident.notice:
        return (Tell(Form.PUSH, Reason.FIRST),)
    if told is None:
        return WhyNot.NEVER_TOLD
    if incident.status is Status.ACKNOWLEDGED:
        return (Tell(Form.EDIT, Reason.ACKNOWLEDGED),) if abilities.edit else WhyNot.CANNOT_EDIT
    reason = Reason.BLIP if incident.is_blip else Reason.RESOLVED
    if not abilities.edit:  # a chat that cannot be corrected silently must be told aloud, or it would believe DOWN
        return (Tell(Form.REPLY, reason),)
    if incident.is_blip:
        return (Tell(Form.EDIT, reason),)
    return (Tell(Form.EDIT, reason), Tell(Form.REPLY, reason))


def of_one_drop(candidate: Candidate, change: Change) -> Candidate:
    """Of many sessions that end together one message tells, and nobody reads each: neither chats nor subscribers, who
    did not log out and are about to be back."""
    dropped = isinstance(change.fact, SessionChange) and change.fact.part_of_drop
    return replace(candidate, outcome=WhyNot.PART_OF_OUTAGE) if dropped else candidate


def session_form(candidate: Candidate, change: Change) -> Candidate:
    """A login or logout is one message of its own."""
    if not isinstance(change.fact, SessionChange):
        return candidate
    reason = Reason.SESSION_OPENED if change.fact.online else Reason.SESSION_CLOSED
    return replace(candidate, outcome=(Tell(Form.PUSH, reason),))


STEPS: tuple[Step, ...] = (subscribed, of_this_site, able, incident_form, of_one_drop, session_form)


def plan(
    change: Change,
    recipients: Iterable[Recipient],
    *,
    channels: Mapping[Channel, Abilities],
    told: Mapping[ChatId, Told],
    steps: Sequence[Step] = STEPS,
) -> Plan:
    """What every recipient is told of `change`, or why not. Who was told before hears the end in any case."""
    decided = [
        _decide(Candidate(who, channels.get(who.channel), told.get(who.chat_id)), change, steps) for who in recipients
    ]
    if not decided:
        return Plan(ledger=(LedgerEntry(change.thread, WhyNot.NOBODY, (), change.at),))
    deliveries = tuple(delivery for one in decided for delivery in _deliveries(one, change))
    return Plan(deliveries, tuple(_ledger(decided, change)))


def nothing(thread: str, reason: WhyNot, at: datetime, *, words: str = "") -> Plan:
    """The plan of a fact that changed nothing."""
    return Plan(ledger=(LedgerEntry(thread, reason, (), at, words),))


def _decide(candidate: Candidate, change: Change, steps: Sequence[Step]) -> Candidate:
    for step in steps:
        if candidate.told is not None and candidate.told.status is not None and step in _FOR_THE_FIRST_TIME_ONLY:
            continue
        candidate = step(candidate, change)
        if candidate.outcome is not None:
            return candidate
    return replace(candidate, outcome=WhyNot.NOT_SUBSCRIBED)


# Nobody who was told of a problem is left believing in it because a subscription changed meanwhile.
_FOR_THE_FIRST_TIME_ONLY: tuple[Step, ...] = (subscribed, of_this_site)


def _deliveries(candidate: Candidate, change: Change) -> Iterable[Delivery]:
    if not isinstance(candidate.outcome, tuple):
        return
    first = (candidate.told.sequence if candidate.told else 0) + 1
    who = candidate.recipient
    for sequence, tell in enumerate(candidate.outcome, start=first):
        yield Delivery(
            id=DeliveryId(short_hash(change.thread, who.chat_id, str(sequence))),
            thread=change.thread,
            sequence=sequence,
            recipient=who,
            form=tell.form,
            reason=tell.reason,
            fact=change.fact,
            event_at=change.at,
            severity=change.severity,
        )


def _ledger(decided: Sequence[Candidate], change: Change) -> Iterable[LedgerEntry]:
    chats: dict[WhyNot, list[ChatId]] = {}
    for candidate in decided:
        if isinstance(candidate.outcome, WhyNot):
            chats.setdefault(candidate.outcome, []).append(candidate.recipient.chat_id)
    for reason, chat_ids in chats.items():
        yield LedgerEntry(change.thread, reason, tuple(chat_ids), change.at)
