"""What an event says besides its name: the value and its limit, the link, the loss, how long it lasted."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from services.api.console.word_tables import FOR, RESOURCE_WORDS, THREAT_WORDS
from shared.i18n import Translator, format_number

Body = Mapping[str, object]
_Say = Callable[[Body], list[str]]


def first(body: Body, *names: str) -> str:
    """The first of these that the event has."""
    return next((str(body[name]) for name in names if body.get(name)), "")


class EventDetails:
    """In one language."""

    def __init__(self, translator: Translator) -> None:
        self._t = translator
        self._exactly: Mapping[str, _Say] = {
            "session.mass_dropped": self._dropped,
            "session.mass_returned": self._other,
            "host.degraded": self._degraded,
            "host.flapping": self._flapping,
            "account.failed": self._failed,
            "account.applied": self._applied,
            "alert.acknowledged": self._taken,
            "router.interface_down": self._place,
            "router.interface_up": self._place,
            "router.interface_withdrawn": self._place,
            "router.stressed": self._reading,
            "router.relieved": self._reading,
        }
        self._by_domain: Mapping[str, _Say] = {
            "session": self._session,
            "host": self._host,
            "lease": self._place,
            "security": self._threat,
        }

    def of(self, kind: str, body: Body) -> list[str]:
        """What is known, in order."""
        say = self._exactly.get(kind) or self._by_domain.get(kind.partition(".")[0], self._other)
        return [part for part in say(body) if part]

    def _session(self, body: Body) -> list[str]:
        return [first(body, "router_name")]

    def _dropped(self, body: Body) -> list[str]:
        share = self._t.gettext("{lost} of {of}", lost=body.get("lost"), of=body.get("of"))
        return [share, first(body, "cause_name")]

    def _host(self, body: Body) -> list[str]:
        return [first(body, "site_name"), self._outage(body)]

    def _degraded(self, body: Body) -> list[str]:
        """`loss 12 % · 91 ms · jitter 8 ms`."""
        quality = body.get("quality")
        if not isinstance(quality, Mapping):
            return [first(body, "words")]
        jitter = self._number(quality.get("jitter_ms"), "ms")
        return [
            f"{self._t.gettext('loss')} {self._number(quality.get('loss_percent'), '%')}",
            self._number(quality.get("delay_ms"), "ms"),
            f"{self._t.gettext('jitter')} {jitter}" if jitter else "",
            first(body, "words"),
        ]

    def _flapping(self, body: Body) -> list[str]:
        return [self._t.ngettext("{count} change", "{count} changes", int(str(body.get("changes", 0))))]

    def _failed(self, body: Body) -> list[str]:
        return [first(body, "router_words")]

    def _applied(self, body: Body) -> list[str]:
        return [f"{float(str(body['took_ms'])):.0f} ms"]

    def _taken(self, body: Body) -> list[str]:
        return [first(body, "by")]

    def _place(self, body: Body) -> list[str]:
        return [first(body, "interface", "address"), first(body, "comment", "host_name")]

    def _reading(self, body: Body) -> list[str]:
        """`CPU 97 % (limit 90 %)`."""
        resource, unit = first(body, "resource"), first(body, "unit")
        name = " ".join(filter(None, (self._t.gettext(RESOURCE_WORDS.get(resource, resource)), first(body, "part"))))
        numbers = {key: self._number(body.get(key), unit) for key in ("value", "limit")}
        if not all(numbers.values()):
            return [name]
        return [self._t.gettext("{name} {value} (limit {limit})", name=name, **numbers)]

    def _threat(self, body: Body) -> list[str]:
        threat = first(body, "threat")
        return [self._t.gettext(THREAT_WORDS.get(threat, threat)), first(body, "source")]

    def _other(self, body: Body) -> list[str]:
        return [first(body, "reason", "version", "cause_name", "instance")]

    def _number(self, value: object, unit: str) -> str:
        if not isinstance(value, int | float):
            return ""
        return f"{format_number(value, self._t.language, decimals=0 if value == int(value) else 1)} {unit}".strip()

    def _outage(self, body: Body) -> str:
        seconds = body.get("outage_s")
        if not isinstance(seconds, int | float):
            return ""
        unit, size = next(((u, s) for u, s in (("d", 86400), ("h", 3600), ("min", 60)) if seconds >= s), ("s", 1))
        return self._t.gettext("after {time}", time=self._t.gettext(FOR[unit]).format(n=int(seconds // size)))
