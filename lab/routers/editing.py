"""Adding, changing and removing items with the checks and the words of a real router."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from lab.routers import errors, rules, values
from lab.routers.menu import Item, Menu, Row
from lab.routers.tables import Field

ZERO = frozenset({"0", "0s"})


def add(menu: Menu, given: Mapping[str, str]) -> Item:
    """A new item from what was given. Raises Trap."""
    wanted = dict(given)
    before = wanted.pop("place-before", "") if menu.path in rules.ORDERED else ""
    source = wanted.pop("copy-from", "")
    template = dict(pick(menu, source).values) if source else _template(menu)
    fresh = template | checked(menu, wanted)
    fresh = tidy(menu, fresh)
    require(menu, fresh)
    refuse_duplicate(menu, fresh, None)
    for rule in menu.rules:
        rule(fresh, None)
    return menu.put(fresh, before=pick(menu, before).id if before else "")


def _template(menu: Menu) -> Row:
    """Defaults, with references turned into what is stored; a default that points nowhere stays as it is."""
    fresh = menu.defaults()
    for name in menu.spec.fields.keys() & fresh.keys():
        for path in rules.REFERENCES.get(menu.path, {}).get(name, ()):
            target = menu.router.menus.get(path)
            if target is not None and (item := target.named(fresh[name])):
                fresh[name] = item.id
    return fresh


def change(menu: Menu, item: Item, given: Mapping[str, str]) -> None:
    """Set properties of an item; `!name` takes one away. Raises Trap."""
    if item.get("dynamic") == "true" and menu.path in rules.LOCKED_WHEN_DYNAMIC:
        raise errors.Trap(menu.router.personality.dynamic_row_text)
    cleared = {name[1:]: "" for name in given if name.startswith("!")}
    for name in cleared:
        _writable(menu, name)
    fresh = dict(item.values) | checked(menu, {n: v for n, v in given.items() if not n.startswith("!")})
    for name in cleared:
        _clear(menu, fresh, name)
    fresh = tidy(menu, fresh)
    require(menu, fresh)
    refuse_duplicate(menu, fresh, item)
    for rule in menu.rules:
        rule(fresh, item)
    gone = dict.fromkeys(item.values.keys() - fresh.keys())
    menu.change(item, {**fresh, **gone})


def unset(menu: Menu, item: Item, name: str) -> None:
    """Take one property away. Raises Trap."""
    if name not in menu.spec.fields or menu.spec.fields[name].readonly:
        raise errors.Trap("input does not match any value of value-name")
    change(menu, item, {f"!{name}": ""})


def _clear(menu: Menu, fresh: Row, name: str) -> None:
    field = menu.spec.fields[name]
    default = menu.defaults().get(name)
    if default is None or (field.optional and default == ""):
        fresh.pop(name, None)
    else:
        fresh[name] = _template(menu)[name]


def remove(menu: Menu, item: Item) -> None:
    """Remove an item. Raises Trap for built-in and locked ones."""
    personality = menu.router.personality
    if item.get("default") == "true":
        raise errors.Trap(personality.builtin_row_text)
    if item.get("dynamic") == "true" and menu.path in rules.LOCKED_WHEN_DYNAMIC:
        raise errors.Trap(personality.dynamic_row_text)
    menu.drop(item)


def pick(menu: Menu, which: str) -> Item:
    """The item with this id or exact name. Raises Trap `no such item`."""
    item = menu.items.get(which) if which.startswith("*") else None
    item = item or menu.named(which)
    if item is None:
        raise errors.Trap(menu.router.personality.no_such_item, 0)
    return item


def checked(menu: Menu, given: Mapping[str, str]) -> Row:
    """What was given, in the form in which it is kept. Raises Trap for unknown names and wrong values."""
    return {
        name: values.normalise(_writable(menu, name), text, lambda field, value: resolve(menu, field, value))
        for name, text in given.items()
    }


def _writable(menu: Menu, name: str) -> Field:
    field = menu.spec.fields.get(name)
    if field is None and name == "comment" and "comment" in menu.spec.commands:
        return Field(name, "string")
    if field is None or field.readonly:
        raise errors.unknown_parameter(name)
    kind = rules.KINDS.get((menu.path, name))
    return replace(field, kind=kind) if kind else field


def resolve(menu: Menu, name: str, text: str) -> str:
    """The id of what a reference field points to; free text where nothing is known about the target."""
    targets = rules.REFERENCES.get(menu.path, {}).get(name)
    field = menu.spec.fields.get(name)
    if targets is None and (name == "interface" or (field and "interface-name" in field.kind)):
        targets = rules.INTERFACES
    if targets is None:
        return text
    for path in targets:
        if path in menu.router.menus:
            return menu.router.menus[path].match(text, name).id
    return text


def tidy(menu: Menu, fresh: Row) -> Row:
    """Leave out what a router does not keep: empty comments, limits of zero."""
    zero = rules.HIDDEN_WHEN_ZERO.get(menu.path, frozenset())
    order = [name for name in menu.spec.fields if name in fresh]
    order += [name for name in fresh if name not in menu.spec.fields]
    return {
        name: value
        for name in order
        if (value := fresh[name]) or name != "comment"
        if not (name in zero and value in ZERO)
    }


def require(menu: Menu, fresh: Row) -> None:
    """Raises Trap if a mandatory property is missing (or an item's name is empty)."""
    for name, field in menu.spec.fields.items():
        if not field.required:
            continue
        text = rules.REQUIRED_TEXTS.get((menu.path, name))
        if text and not fresh.get(name):
            raise errors.Trap(text)
        if name not in fresh:
            raise errors.missing_value(name)


def refuse_duplicate(menu: Menu, fresh: Row, item: Item | None) -> None:
    """Raises Trap if another item has the same unique columns."""
    other = menu.holder(fresh)
    if other is not None and other is not item:
        raise errors.Trap(menu.duplicate_text.format(name=fresh.get("name", "")))
