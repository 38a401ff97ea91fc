"""How a router's live answers look: per tab its question, and per column how a value reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from services.api.console.word_tables import RESOURCE_WORDS
from shared.contracts import live
from shared.i18n import N_, Translator, format_duration, format_number


@dataclass(frozen=True, slots=True)
class Speech:
    """The reader's words, numbers and durations."""

    words: Translator
    language: str

    def rate(self, bps: float) -> str:
        """`48.2 Mb/s`."""
        return self._scaled(bps, 1000, ("b/s", "kb/s", "Mb/s", "Gb/s", "Tb/s"))

    def size(self, number: float | None) -> str:
        """`1.9 GiB`; nothing for what is not known."""
        return "" if number is None else self._scaled(number, 1024, ("B", "KiB", "MiB", "GiB", "TiB"))

    def number(self, number: float | None, decimals: int = 0) -> str:
        """A number; nothing for what is not known."""
        return "" if number is None else format_number(number, self.language, decimals=decimals)

    def lasting(self, seconds: float | None) -> str:
        """A duration; nothing for what is not known."""
        return "" if seconds is None else format_duration(seconds, self.language)

    def percent(self, share: float | None, whole: float | None = 100) -> str:
        """A share of a whole; nothing for what is not known."""
        return "" if share is None or not whole else f"{format_number(100 * share / whole, self.language)} %"

    def _scaled(self, number: float, step: int, units: tuple[str, ...]) -> str:
        place = 0
        while number >= step and place < len(units) - 1:
            number, place = number / step, place + 1
        return f"{format_number(number, self.language, decimals=1 if place and number < 100 else 0)} {units[place]}"


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a cell. `look` is a state whose shape and colour go before it."""

    text: str
    kind: str = ""  # n: a number, copy: to be copied, calm: beside the point
    look: str = ""
    share: float | None = None  # of a bar, in percent


Read = Callable[[Any, Speech], Cell]


@dataclass(frozen=True, slots=True)
class Tab:
    """One page of a router. Without columns it is a list of values or a form of its own."""

    title: str
    query: type[live.RouterQuery[Any]] | None = None
    columns: tuple[tuple[str, Read], ...] = ()


def _plain(name: str, kind: str = "") -> Read:
    return lambda row, _: Cell(str(getattr(row, name) or ""), kind)


def _interface_state(row: live.InterfaceState, speech: Speech) -> Cell:
    if row.disabled:
        return Cell(speech.words.gettext("off"), look="unknown")
    return Cell(
        speech.words.gettext("up") if row.running else speech.words.gettext("down"),
        look="up" if row.running else "down",
    )


def _lease_state(row: live.Lease, speech: Speech) -> Cell:
    if row.blocked or row.disabled:
        return Cell(speech.words.gettext("blocked") if row.blocked else speech.words.gettext("off"), look="degraded")
    return Cell(row.status, look="up" if row.status == "bound" else "unknown")


def _pool_use(row: live.PoolUse, speech: Speech) -> Cell:
    look = "down" if row.used_percent >= 100 else "degraded" if row.used_percent >= 90 else ""
    return Cell(speech.percent(row.used_percent), "n", look, row.used_percent)


TABS: Mapping[str, Tab] = {
    "resources": Tab(N_("Condition"), live.AskResources),
    "interfaces": Tab(
        N_("Interfaces"),
        live.ListInterfaces,
        (
            (N_("Interface"), _plain("name", "name")),
            (N_("State"), _interface_state),
            (N_("Type"), _plain("kind", "calm")),
            (N_("MAC"), _plain("mac", "copy")),
            (N_("In"), lambda row, speech: Cell(speech.size(row.rx_bytes), "n")),
            (N_("Out"), lambda row, speech: Cell(speech.size(row.tx_bytes), "n")),
            (N_("Link losses"), lambda row, speech: Cell(speech.number(row.link_downs), "n")),
            (N_("Comment"), _plain("comment", "calm")),
        ),
    ),
    "traffic": Tab(
        N_("Traffic"),
        live.ListTraffic,
        (
            (N_("Interface"), _plain("name", "name")),
            (N_("In"), lambda row, speech: Cell(speech.rate(row.rx_bps), "n")),
            (N_("Out"), lambda row, speech: Cell(speech.rate(row.tx_bps), "n")),
            (N_("Packets in"), lambda row, speech: Cell(speech.number(row.rx_pps), "n")),
            (N_("Packets out"), lambda row, speech: Cell(speech.number(row.tx_pps), "n")),
            (N_("Dropped"), lambda row, speech: Cell(speech.number(row.drops_pps), "n")),
        ),
    ),
    "leases": Tab(
        N_("DHCP leases"),
        live.ListLeases,
        (
            (N_("Address"), _plain("address", "copy")),
            (N_("State"), _lease_state),
            (N_("Device"), _plain("host_name")),
            (N_("MAC"), _plain("mac", "copy")),
            (N_("Server"), _plain("server", "calm")),
            (N_("Ends in"), lambda row, speech: Cell(speech.lasting(row.expires_s), "n")),
            (N_("Comment"), _plain("comment", "calm")),
        ),
    ),
    "pools": Tab(
        N_("Pools"),
        live.ListPools,
        (
            (N_("Pool"), _plain("name", "name")),
            (N_("In use"), _pool_use),
            (N_("Taken"), lambda row, speech: Cell(speech.number(row.used), "n")),
            (N_("Of"), lambda row, speech: Cell(speech.number(row.total), "n")),
            (N_("Addresses"), lambda row, _: Cell(", ".join(row.ranges), "calm")),
        ),
    ),
    "addresses": Tab(
        N_("Addresses"),
        live.ListAddresses,
        (
            (N_("Address"), _plain("address", "copy")),
            (N_("Interface"), _plain("interface")),
            (N_("Network"), _plain("network", "calm")),
            (N_("Comment"), _plain("comment", "calm")),
        ),
    ),
    "neighbors": Tab(
        N_("Neighbours"),
        live.ListNeighbors,
        (
            (N_("Name"), _plain("identity", "name")),
            (N_("Address"), _plain("address", "copy")),
            (N_("MAC"), _plain("mac", "copy")),
            (N_("Interface"), _plain("interface")),
            (N_("Model"), lambda row, _: Cell(row.board or row.platform)),
            (N_("Version"), _plain("version", "calm")),
        ),
    ),
    "dns": Tab(N_("DNS"), live.AskDns),
    "reach": Tab(N_("Ping and route")),
}


def _sensor(name: str, speech: Speech) -> str:
    """What a router calls a sensor, in words where it is one that all have."""
    known = RESOURCE_WORDS.get(name)
    return speech.words.gettext(known) if known else name


def _unit(name: str) -> str:
    return "°C" if name == "C" else name


def condition(answer: live.Resources, speech: Speech) -> list[tuple[str, Cell]]:
    """The values of the first tab."""
    gettext = speech.words.gettext
    memory, disk = _taken(answer.memory_total, answer.memory_free), _taken(answer.disk_total, answer.disk_free)
    return [
        (gettext("Processor"), Cell(speech.percent(answer.cpu_percent), share=answer.cpu_percent)),
        (gettext("Memory"), _of(memory, answer.memory_total, speech)),
        (gettext("Disk"), _of(disk, answer.disk_total, speech)),
        (gettext("Running for"), Cell(speech.lasting(answer.uptime_s))),
        (gettext("Model"), Cell(f"{answer.board} {answer.architecture}".strip())),
        (gettext("RouterOS"), Cell(answer.version)),
        *((_sensor(each.name, speech), Cell(f"{each.value} {_unit(each.unit)}".strip())) for each in answer.sensors),
    ]


def dns_values(answer: live.DnsSettings, speech: Speech) -> list[tuple[str, Cell]]:
    """The values of the DNS tab."""
    gettext = speech.words.gettext
    yes = gettext("yes") if answer.allow_remote_requests else gettext("no")
    return [
        (gettext("Servers"), Cell(", ".join(answer.servers) or "–")),
        (gettext("Servers from its provider"), Cell(", ".join(answer.dynamic_servers) or "–")),
        (gettext("DNS over HTTPS"), Cell(answer.doh_server or "–")),
        (gettext("Answers others"), Cell(yes)),
        (
            gettext("Cache"),
            Cell(
                gettext(
                    "{used} of {size} KiB",
                    used=speech.number(answer.cache_used_kib) or "–",
                    size=speech.number(answer.cache_size_kib) or "–",
                )
            ),
        ),
    ]


def _taken(total: int | None, free: int | None) -> int | None:
    return None if total is None or free is None else total - free


def _of(taken: int | None, total: int | None, speech: Speech) -> Cell:
    if taken is None or not total:
        return Cell("–")
    text = speech.words.gettext("{part} of {whole}", part=speech.size(taken), whole=speech.size(total))
    return Cell(text, share=100 * taken / total)
