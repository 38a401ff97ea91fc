"""What the router answers when it does not do as asked: its own texts, one constructor per text.

Categories follow the manual: 0 missing item or command, 1 bad argument value, 2 interrupted. Most `failure:`
texts carry none.
"""

from __future__ import annotations


class WireError(Exception):
    """The peer does not speak the protocol; the router drops the connection."""


class Trap(Exception):
    """One command was refused. `more` holds further traps of the same answer."""

    def __init__(self, message: str, category: int | None = None, *more: Trap) -> None:
        super().__init__(message)
        self.message = message
        self.category = category
        self.more = more


def no_such_path(component: str) -> Trap:
    """Two traps: the first part of the path that is not there, then the prefix."""
    return Trap(f"no such command or directory ({component})", 0, Trap("no such command prefix"))


def no_such_command() -> Trap:
    return Trap("no such command", 0)


def unknown_parameter(name: str) -> Trap:
    return Trap(f"unknown parameter {name}")


def invalid_value(name: str) -> Trap:
    return Trap(f"invalid value for argument {name}", 1)


def out_of_range(low: int, high: int) -> Trap:
    return Trap(f"value out of range ({low}..{high})", 1)


def no_match(name: str) -> Trap:
    """An unknown reference. Seen with category 1 for interfaces and without one for profiles."""
    return Trap(f"input does not match any value of {name}", 1 if name == "interface" else None)


def ambiguous(name: str) -> Trap:
    return Trap(f"ambiguous value of {name}, more than one possible value matches input")


def missing_value(name: str) -> Trap:
    return Trap(f"missing value(s) of argument(s) {name}")


def not_permitted() -> Trap:
    return Trap("not enough permissions (9)")


def interrupted() -> Trap:
    return Trap("interrupted", 2)


def action_failed() -> Trap:
    return Trap("action failed (6)")
