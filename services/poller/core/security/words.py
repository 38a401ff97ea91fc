"""What a line of a router's log says of people: who logged in, who failed to, who changed what, whose DHCP server.

Shapes as RouterOS 6.49 and 7 write them. What follows in brackets after a change is the command itself and may hold a
password: it is cut off here and goes no further.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_FAILED = re.compile(r"^login failure for user (?P<user>.*?)(?: from (?P<source>\S+))? via (?P<via>\S+)$")
_LOGGED_IN = re.compile(r"^user (?P<user>.+?) logged in(?: from (?P<source>\S+))? via (?P<via>\S+)$")
# 6.49: `filter rule changed by admin`; 7: `filter rule changed by tcp-msg(winbox):admin@10.0.0.9 (/ip firewall …)`,
# also with the verb first: `changed script settings by …`.
_VERBS = "added|changed|removed|moved|enabled|disabled|renamed"
_CHANGED = re.compile(rf"^(?P<what>.+?) (?P<how>{_VERBS}) by (?P<who>\S+)(?: \(.*)?$", re.DOTALL)
_CHANGED_7 = re.compile(rf"^(?P<how>{_VERBS}) (?P<what>.+?) by (?P<who>\S+)(?: \(.*)?$", re.DOTALL)
_WHO_7 = re.compile(r"^(?P<via>.+):(?P<user>[^:@/]+)@(?P<source>[^/]+)")
_ROGUE = re.compile(
    r"^dhcp alert on (?P<interface>.+?): discovered unknown dhcp server,?"
    r"(?: mac (?P<mac>[0-9A-Fa-f:]{17}))?,?(?: ip (?P<address>\S+))?$"
)


@dataclass(frozen=True, slots=True)
class FailedLogin:
    """Somebody gave a wrong name or password. `source` None: at the router itself."""

    user: str
    source: str | None
    via: str


@dataclass(frozen=True, slots=True)
class Login:
    """Somebody is in."""

    user: str
    source: str | None
    via: str


@dataclass(frozen=True, slots=True)
class ConfigurationChange:
    """Somebody changed something: `filter rule`, `changed`. `source` and `via` only where the version says them."""

    user: str
    what: str
    how: str
    source: str | None = None
    via: str | None = None


@dataclass(frozen=True, slots=True)
class ForeignDhcp:
    """The router's DHCP alert heard a server that it does not know."""

    interface: str
    mac: str | None
    address: str | None


Word = FailedLogin | Login | ConfigurationChange | ForeignDhcp


def read_word(message: str) -> Word | None:
    """What a line says of people; None for all other lines."""
    text = message.strip().removeprefix("->: ")
    if found := _FAILED.match(text):
        return FailedLogin(found["user"], found["source"], found["via"])
    if found := _LOGGED_IN.match(text):
        return Login(found["user"], found["source"], found["via"])
    if found := _ROGUE.match(text):
        return ForeignDhcp(found["interface"], found["mac"], found["address"])
    if found := _CHANGED.match(text) or _CHANGED_7.match(text):
        return _change(found["who"], found["what"], found["how"])
    return None


def _change(who: str, what: str, how: str) -> ConfigurationChange:
    if named := _WHO_7.match(who):
        return ConfigurationChange(named["user"], what, how, named["source"], named["via"])
    return ConfigurationChange(who, what, how)
