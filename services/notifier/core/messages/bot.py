"""What the bot answers: menu, help, refusals, ping results, the list of what is watched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.notifier.core.commands import ALLOWED, CommandName
from services.notifier.core.incidents import Incident
from services.notifier.core.markup import Document, Line, Piece, bold, document, fill, line, mono, value
from services.notifier.core.reasons import WhyNot
from services.notifier.core.targets import Ambiguous, Target, Unknown
from services.notifier.core.wording import Wording
from shared.contracts.queries import PingReport
from shared.contracts.vocabulary import HostState, Role

MOST_LINES = 80


def menu(role: Role, say: Wording) -> Document:
    """The commands that this role may use, one per line."""
    _ = say.gettext
    usable = [line(mono(usage), " – ", what) for name, usage, what in _commands(say) if role in ALLOWED[name]]
    return document(
        line("🏮 ", bold("Ronda"), " · ", _("the night watch of your network")),
        *usable,
        line(_("Every command also works without the slash.")),
    )


def command_descriptions(say: Wording) -> dict[str, str]:
    """One line per command for the channel's own menu."""
    return {name.value: what for name, _usage, what in _commands(say)}


def _commands(say: Wording) -> Sequence[tuple[CommandName, str, str]]:
    _ = say.gettext
    return (
        (CommandName.MENU, "/menu", _("what I can do")),
        (CommandName.MONITOR, "/monitor", _("all hosts and routers with their state")),
        (CommandName.PING, _("/ping <name or address> [count]"), _("loss and round-trip time")),
        (CommandName.ACK, _("/ack <number>"), _("take an alert on")),
        (CommandName.HELP, "/help", _("this list")),
    )


def stranger(address: str, say: Wording) -> Document:
    """A polite refusal, with what the owner needs to let this chat in."""
    _ = say.gettext
    return document(
        line("🙏 ", _("Sorry, this chat is not registered with Ronda yet.")),
        fill(_("Ask the owner to add the chat id {id}."), id=mono(address)),
    )


def not_allowed(say: Wording) -> Document:
    """The chat's role does not allow the command."""
    _ = say.gettext
    return document(line("🙏 ", _("This chat may not do that. Ask the owner.")))


def not_understood(word: str, suggestion: CommandName | None, say: Wording) -> Document:
    """A typo gets the nearest command, anything else the way to the menu."""
    _ = say.gettext
    sentence = (
        _("I do not know {word}. Did you mean {command}?") if suggestion else _("I do not know {word}. {command}")
    )
    return document(fill(sentence, word=mono(word), command=mono(f"/{suggestion or CommandName.MENU}")))


def ping_usage(say: Wording) -> Document:
    """How to use ping."""
    _ = say.gettext
    return document(
        fill(
            _("Ping what? For example {name} or {address}."),
            name=mono("/ping core-1"),
            address=mono("/ping 8.8.8.8 10"),
        )
    )


def target_unclear(written: str, problem: Ambiguous | Unknown, say: Wording) -> Document:
    """The name fits several hosts, or none."""
    _ = say.gettext
    if isinstance(problem, Ambiguous):
        return document(
            fill(_("{written} could be: {names}"), written=mono(written), names=value(", ".join(problem.names)))
        )
    near = fill(_("Did you mean: {names}?"), names=value(", ".join(problem.near))) if problem.near else None
    return document(fill(_("There is no host or router {written}."), written=mono(written)), near)


def ping_result(target: Target, report: PingReport, say: Wording) -> Document:
    """Sent, received, loss, and the round-trip times; a dead target says timeout."""
    _ = say.gettext
    icon = "🔴" if report.received == 0 else "🟡" if report.received < report.sent else "🟢"
    shown = (value(target.label), " · ") if target.label != report.address else ()
    return document(
        line(f"{icon} ", bold("Ping"), " ", *shown, mono(report.address)),
        fill(
            _("{sent} sent, {received} received, loss {loss} %"),
            sent=str(report.sent),
            received=str(report.received),
            loss=bold(say.number(report.loss_percent, 0)),
        ),
        _round_trip(report, say),
    )


def _round_trip(report: PingReport, say: Wording) -> Line:
    _ = say.gettext
    if report.received == 0:
        return line(bold(_("timeout, loss 100 %")))

    def ms(rtt: float | None) -> Piece:
        return value("?" if rtt is None else say.number(rtt, 1))

    return fill(
        _("RTT min {least} / avg {mean} / max {most} ms"),
        least=ms(report.rtt_min_ms),
        mean=ms(report.rtt_avg_ms),
        most=ms(report.rtt_max_ms),
    )


def failed(reason: str, say: Wording) -> Document:
    """The question could not be answered; the reason is the other side's."""
    _ = say.gettext
    return document(line("⚠️ ", *fill(_("No answer: {reason}"), reason=value(reason))))


@dataclass(frozen=True, slots=True)
class Watched:
    """One line of `/monitor`. `note`: round-trip time or number of sessions, ready to read."""

    name: str
    address: str
    site_name: str
    state: HostState
    note: str = ""


_ICONS = {HostState.UP: "🟢", HostState.DOWN: "🔴", HostState.UNREACHABLE: "🟣", HostState.DEGRADED: "🟡"}
_ORDER = {HostState.DOWN: 0, HostState.UNREACHABLE: 1, HostState.DEGRADED: 2, HostState.UP: 9}


def monitor(watched: Iterable[Watched], say: Wording, *, blind: str | None) -> Document:
    """What is wrong first, then by site and name. `blind`: why the states are not known now."""
    _ = say.gettext
    rows = sorted(watched, key=lambda one: (_ORDER.get(one.state, 5), one.site_name, one.name))
    if not rows:
        return document(line(_("Nothing is watched yet.")))
    up = sum(one.state is HostState.UP for one in rows)
    down = sum(one.state in (HostState.DOWN, HostState.UNREACHABLE) for one in rows)
    more = len(rows) - MOST_LINES
    return document(
        line(f"🟢 {up} · 🔴 {down} · ⚪ {len(rows) - up - down}"),
        line("⚠️ ", *fill(_("The states are not known now: {reason}"), reason=value(blind))) if blind else None,
        *(_watched(one) for one in rows[:MOST_LINES]),
        fill(_("and {count} more"), count=str(more)) if more > 0 else None,
    )


def _watched(one: Watched) -> Line:
    note = (" · ", value(one.note)) if one.note else ()
    icon = _ICONS.get(one.state, "⚪")
    return line(f"{icon} ", bold(one.name), " @ ", value(one.site_name), " · ", mono(one.address), *note)


def sessions_note(count: int, say: Wording) -> str:
    """How many subscribers are on line through a router."""
    _ = say.gettext
    return _("{count} online").format(count=count)


def acknowledged(incident: Incident, say: Wording) -> Document:
    """Whoever took the alert on is told so."""
    _ = say.gettext
    sentence = _("#{number} {name} is taken on by {person}.")
    return document(
        line(
            "👷 ",
            *fill(
                sentence,
                number=str(incident.number),
                name=value(incident.subject.name),
                person=bold(incident.acknowledged_by or "?"),
            ),
        )
    )


def ack_refused(number: int | None, why: WhyNot | None, say: Wording) -> Document:
    """There is nothing to take on: no such number, over already, or no number given."""
    _ = say.gettext
    if number is None:
        return document(fill(_("Which alert? For example {command}."), command=mono("ack 4821")))
    if why is None:
        return document(fill(_("There is no alert #{number}."), number=str(number)))
    return document(fill(_("Alert #{number} is over already."), number=str(number)))


def trial(chat_name: str, say: Wording) -> Document:
    """What `ronda` and the console send to see whether a chat can be reached."""
    _ = say.gettext
    return document(
        line("🏮 ", bold("Ronda"), " · ", _("test message")),
        fill(_("The chat {name} can be reached."), name=value(chat_name)),
    )
