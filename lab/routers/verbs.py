"""What every menu can do: print and listen, get, add, set, remove, enable, comment, move."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from lab.routers import editing, errors, rules
from lab.routers.calls import Call, Handler
from lab.routers.menu import Item, Menu, Row

ROWS_PER_BREATH = 500
"""After so many rows a long print lets other connections run."""


async def print_rows(call: Call) -> None:
    """All forms of print: once, counted, repeated, followed."""
    proplist = _proplist(call)
    _check_print_arguments(call)
    follow_only = call.flag("follow-only")
    if call.flag("follow") or follow_only:
        await _follow(call, proplist, first=not follow_only)
        return
    every_s = call.seconds("interval")
    counting = call.flag("count-only")
    delay_s = call.router.faults.slow_paths.get(call.menu.path, 0.0)
    if delay_s:
        await call.router.clock.sleep(delay_s)
    if counting:
        matches = call.query()
        call.done(ret=str(sum(1 for item in call.menu if matches(call.menu.read(item)))))
        return
    sent = await _print_once(call, proplist)
    while every_s is not None:
        await call.flush()
        await call.router.clock.sleep(every_s)
        sent = await _print_once(call, proplist)
    if not sent:
        call.empty()
    call.done()


async def listen(call: Call) -> None:
    """`listen` is a print that follows only changes."""
    if call.menu.spec.singleton:
        raise errors.unknown_parameter("follow-only")
    proplist = _proplist(call)
    call.refuse_rest()
    await _follow(call, proplist, first=False)


def _check_print_arguments(call: Call) -> None:
    for name in call.left:
        if name not in call.menu.spec.print_arguments:
            raise errors.unknown_parameter(name)


def _proplist(call: Call) -> tuple[str, ...] | None:
    given = call.take(".proplist")
    if given is None and call.menu.spec.kind != "singleton":
        given = call.take("proplist")
    return tuple(given.split(",")) if given else None


async def _print_once(call: Call, proplist: tuple[str, ...] | None) -> int:
    matches = call.query() if call.sentence.queries else None
    active_only = "active" in call.left
    secret = hidden_fields(call)
    sent = 0
    for number, item in enumerate(call.menu, 1):
        if number % ROWS_PER_BREATH == 0:
            await call.flush()
            await asyncio.sleep(0)
        row = call.menu.read(item)
        if (matches and not matches(row)) or (active_only and "active-address" not in row):
            continue
        call.row(shape(row, proplist, secret))
        sent += 1
    return sent


def hidden_fields(call: Call) -> frozenset[str]:
    """Properties this account does not get to see."""
    shown = call.left.get("show-sensitive")
    personality = call.router.personality
    hides = personality.password_hidden_by_default and personality.number >= (7, 21)
    if "sensitive" not in call.account.policies or shown == "no" or (hides and shown is None):
        return rules.SECRETS
    return frozenset()


def shape(row: Row, proplist: tuple[str, ...] | None, secret: frozenset[str]) -> Mapping[str, str]:
    """The properties asked for, in their order, without what is hidden; unknown names are silently absent."""
    if proplist is not None:
        row = {name: row[name] for name in proplist if name in row}
    if secret:
        row = {name: value for name, value in row.items() if name not in secret}
    return row


async def _follow(call: Call, proplist: tuple[str, ...] | None, *, first: bool) -> None:
    changes: asyncio.Queue[Row] = asyncio.Queue()
    matches = call.query()
    secret = hidden_fields(call)
    call.menu.listeners.append(changes.put_nowait)
    try:
        if first:
            await _print_once(call, proplist)
        while True:
            row = await changes.get()
            if ".dead" in row:
                call.row(row)
            elif matches(row):
                call.row(shape(row, proplist, secret))
            await call.flush()
    finally:
        call.menu.listeners.remove(changes.put_nowait)


def get(call: Call) -> None:
    """One property of one item in `=ret=`, or the whole item as a list of `name=value;`."""
    name = call.take("value-name")
    item = call.menu.single if call.menu.spec.singleton else call.picked()[0]
    call.refuse_rest()
    row = shape(call.menu.read(item), None, hidden_fields(call))
    if name is None:
        call.done(ret=";".join(f"{key}={value}" for key, value in row.items()))
    elif name not in call.menu.spec.fields and name not in row:
        raise errors.no_match("value-name")
    else:
        call.done(ret=row.get(name, ""))


def find(call: Call) -> None:
    """The ids of the items, in `=ret=`."""
    matches = call.query()
    call.refuse_rest()
    call.done(ret=";".join(item.id for item in call.menu if matches(call.menu.read(item))))


def add(call: Call) -> None:
    if call.menu.path in rules.WITH_POLICY:
        _lend_rights(call)
    item = editing.add(call.menu, call.left)
    if call.menu.path in rules.WITH_POLICY:
        item.values["owner"] = call.account.name
    call.done(ret=item.id)


def _lend_rights(call: Call) -> None:
    """A script or schedule may not do more than who makes it; without a list it may do what its maker may."""
    given = call.left.get("policy")
    default = call.menu.defaults().get("policy", "").split(",")
    if given is None:
        call.left["policy"] = ",".join(one for one in default if one in call.account.policies)
    elif any(one not in call.account.policies for one in given.split(",") if one):
        raise errors.not_permitted()


def set_values(call: Call) -> None:
    items = [call.menu.single] if call.menu.spec.singleton else call.picked()
    if len(items) > 1 and call.menu.name_field in call.left and call.menu.unique:
        raise errors.Trap(call.menu.duplicate_text.format(name=call.left[call.menu.name_field]))
    for item in items:
        if not _locks_itself_out(call, item):
            editing.change(call.menu, item, call.left)
    call.done()


def _locks_itself_out(call: Call, item: Item) -> bool:
    """A user cannot disable itself: the command is accepted and nothing happens."""
    own = call.menu.path == "/user" and item.id == call.account.user_id
    return own and call.left.get("disabled") in {"yes", "true"}


def remove(call: Call) -> None:
    items = call.picked()
    call.refuse_rest()
    for item in items:
        editing.remove(call.menu, item)
    call.done()


def enable(call: Call) -> None:
    _switch(call, "no")


def disable(call: Call) -> None:
    _switch(call, "yes")


def _switch(call: Call, disabled: str) -> None:
    items = call.picked()
    call.refuse_rest()
    call.left["disabled"] = disabled
    for item in items:
        if not _locks_itself_out(call, item):
            editing.change(call.menu, item, {"disabled": disabled})
    call.done()


def comment(call: Call) -> None:
    items = call.picked()
    text = call.take("comment") or ""
    call.refuse_rest()
    for item in items:
        editing.change(call.menu, item, {"comment": text})
    call.done()


def unset(call: Call) -> None:
    items = call.picked()
    name = call.take("value-name")
    call.refuse_rest()
    if name is None:
        raise errors.missing_value("value-name")
    for item in items:
        editing.unset(call.menu, item, name)
    call.done()


def move(call: Call) -> None:
    items = call.picked()
    destination = call.take("destination")
    call.refuse_rest()
    before = editing.pick(call.menu, destination).id if destination else ""
    call.menu.move([item.id for item in items], before)
    call.done()


def reset(call: Call) -> None:
    """Back to defaults, where a default is known."""
    items = [call.menu.single] if call.menu.spec.singleton else call.picked()
    name = call.take("value-name")
    call.refuse_rest()
    defaults = call.menu.defaults()
    fresh = {name: defaults[name]} if name in defaults else defaults
    writable = {n: v for n, v in fresh.items() if not call.menu.spec.fields[n].readonly}
    for item in items:
        editing.change(call.menu, item, writable)
    call.done()


GENERIC: dict[str, Handler] = {
    "print": print_rows,
    "getall": print_rows,
    "listen": listen,
    "get": get,
    "find": find,
    "add": add,
    "set": set_values,
    "remove": remove,
    "enable": enable,
    "disable": disable,
    "comment": comment,
    "unset": unset,
    "move": move,
    "reset": reset,
}


def generic(menu: Menu, verb: str) -> Handler | None:
    """The common handler of a verb, if the menu of this version has the verb."""
    if menu.spec.kind == "command":
        return None
    if verb in {"getall", "listen"}:
        return GENERIC[verb]
    if verb == "add" and menu.spec.kind == "list-readonly":
        return None
    return GENERIC.get(verb) if verb in menu.spec.commands else None
