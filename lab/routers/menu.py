"""One menu of a router: its rows by id, kept in order, found by name, watched by listeners."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from lab.routers import errors, rules
from lab.routers.tables import MenuSpec

if TYPE_CHECKING:
    from lab.routers.behaviour.counters import Meter
    from lab.routers.router import VirtualRouter

Row = dict[str, str]
View = Callable[["Item"], Mapping[str, str | None]]
"""What a behaviour lays over a row when it is read: values by name, None to leave a property out."""
Listener = Callable[[Row], None]
Change = Callable[["Item", Row], None]
Rule = Callable[[Mapping[str, str], "Item | None"], None]


class Item:
    """A row as stored: `values` as text (references as ids), `meter` for its traffic, `since` for its age."""

    __slots__ = ("id", "meter", "since", "values")

    def __init__(self, row_id: str, values: Row, since: float, meter: Meter | None = None) -> None:
        self.id = row_id
        self.values = values
        self.since = since
        self.meter = meter

    def __getitem__(self, name: str) -> str:
        return self.values[name]

    def get(self, name: str, default: str = "") -> str:
        """The stored text of a property."""
        return self.values.get(name, default)

    @property
    def disabled(self) -> bool:
        return self.values.get("disabled") == "true"


class Menu:
    """Rows of one path. Behaviours hook in with `views`, `rules`, `on_add`, `on_change` and `on_remove`."""

    def __init__(self, router: VirtualRouter, spec: MenuSpec) -> None:
        self.router = router
        self.spec = spec
        self.items: dict[str, Item] = {}
        self.listeners: list[Listener] = []
        self.views: list[View] = []
        self.rules: list[Rule] = []
        self.on_add: list[Callable[[Item], None]] = []
        self.on_change: list[Change] = []
        self.on_remove: list[Callable[[Item], None]] = []
        self.name_field = rules.NAME_FIELDS.get(spec.path, "name")
        self.unique, self.duplicate_text = self._uniqueness()
        self._names: dict[str, list[str]] = {}
        self._keys: dict[tuple[str, ...], str] = {}
        self._next = 1
        self.ids_from = self
        """The menu whose ids the items share."""
        self._references = _reference_targets(spec)
        if spec.singleton:
            self.items[""] = Item("", self.defaults(), router.clock.now())

    @property
    def path(self) -> str:
        return self.spec.path

    def _uniqueness(self) -> tuple[tuple[str, ...], str]:
        if self.path in rules.UNIQUE:
            return rules.UNIQUE[self.path]
        plain = self.path in rules.NOT_UNIQUE or self.name_field not in self.spec.fields
        return ((), "") if plain else ((self.name_field,), self.router.personality.duplicate)

    def defaults(self) -> Row:
        """What a new item holds before anything is given."""
        hidden = self.path in rules.HIDDEN_DEFAULTS and self.router.personality.line == 7
        return {
            name: field.default
            for name, field in self.spec.fields.items()
            if field.default is not None and not (hidden and field.optional and not field.readonly)
        }

    # reading

    @property
    def single(self) -> Item:
        """The one row of a singleton."""
        return self.items[""]

    def read(self, item: Item) -> Row:
        """A row as print gives it: references by name, live values computed now."""
        row: Row = {".id": item.id} if item.id else {}
        row |= item.values
        for name, targets in self._references.items():
            if row.get(name, "").startswith("*"):
                row[name] = self._target_name(targets, row[name])
        for view in self.views:
            for name, value in view(item).items():
                if value is None:
                    row.pop(name, None)
                else:
                    row[name] = value
        return row

    def rows(self, **equal: str) -> list[Row]:
        """All rows as print gives them, or those whose properties equal `equal` (`_` stands for `-`)."""
        wanted = {name.replace("_", "-"): value for name, value in equal.items()}
        found = (self.read(item) for item in list(self.items.values()))
        return [row for row in found if all(row.get(name) == value for name, value in wanted.items())]

    def row(self, **equal: str) -> Row | None:
        """The first of `rows`."""
        found = self.rows(**equal)
        return found[0] if found else None

    def named(self, name: str) -> Item | None:
        """The first item of this exact name."""
        ids = self._names.get(name)
        return self.items[ids[0]] if ids else None

    def all_named(self, name: str) -> list[Item]:
        return [self.items[row_id] for row_id in self._names.get(name, ())]

    def match(self, text: str, parameter: str) -> Item:
        """The item `text` means: exact name, id, or the beginning of exactly one name. Raises Trap."""
        exact = self.named(text) or (self.items.get(text) if text.startswith("*") else None)
        if exact:
            return exact
        close = [name for name in self._names if name.startswith(text)]
        if not close:
            raise errors.no_match(parameter)
        if len(close) > 1:
            raise errors.ambiguous(parameter)
        return self.items[self._names[close[0]][0]]

    def _target_name(self, targets: Iterable[str], row_id: str) -> str:
        """The name behind an id; a target that is gone shows as the raw id."""
        for path in targets:
            menu = self.router.menus.get(path)
            if menu is not None and (item := menu.items.get(row_id)):
                return item.get(menu.name_field, row_id)
        return row_id

    # writing, without the checks of editing.py

    def put(self, values: Mapping[str, str], row_id: str = "", meter: Meter | None = None, before: str = "") -> Item:
        """Insert a row as it is: what the router itself does, and seeds that are known to be right."""
        chosen = row_id or self._take_id()
        item = Item(chosen, dict(values), self.router.clock.now(), meter)
        self._insert(item, before)
        self._index(item)
        for hook in self.on_add:
            hook(item)
        self.announce(item)
        return item

    def _take_id(self) -> str:
        counter = self.ids_from
        while f"*{counter._next:X}" in counter.items:  # noqa: SLF001 - another menu, the same class
            counter._next += 1  # noqa: SLF001 - a built-in row has this id
        chosen = f"*{counter._next:X}"  # noqa: SLF001
        counter._next += 1  # noqa: SLF001
        return chosen

    def _insert(self, item: Item, before: str) -> None:
        if not before or before not in self.items:
            self.items[item.id] = item
            return
        items = list(self.items.values())
        items.insert([one.id for one in items].index(before), item)
        self.items = {one.id: one for one in items}

    def move(self, moved: list[str], destination: str) -> None:
        """Put items before `destination`, or at the end without one."""
        taken = [self.items.pop(row_id) for row_id in moved]
        rest = list(self.items.values())
        at = next((i for i, item in enumerate(rest) if item.id == destination), len(rest))
        self.items = {item.id: item for item in [*rest[:at], *taken, *rest[at:]]}

    def change(self, item: Item, values: Mapping[str, str | None]) -> None:
        """Write values (None removes one) and tell listeners if anything differs."""
        before = dict(item.values)
        self._unindex(item)
        for name, value in values.items():
            if value is None:
                item.values.pop(name, None)
            else:
                item.values[name] = value
        self._index(item)
        if item.values == before:
            return
        for hook in self.on_change:
            hook(item, before)
        self.announce(item)

    def drop(self, item: Item) -> None:
        """Remove a row and tell listeners."""
        if self.items.pop(item.id, None) is None:
            return
        self._unindex(item)
        for hook in self.on_remove:
            hook(item)
        if self.listeners:
            personality = self.router.personality
            dead = {".id": item.id, ".dead": personality.dead}
            dead |= {n: item.values[n] for n in personality.dead_rows_carry if n in item.values}
            for listener in tuple(self.listeners):
                listener(dead)

    def announce(self, item: Item) -> None:
        """Tell listeners how the row reads now."""
        if self.listeners:
            row = self.read(item)
            for listener in tuple(self.listeners):
                listener(dict(row))

    def key(self, values: Mapping[str, str]) -> tuple[str, ...] | None:
        """What makes a row unique, if the menu cares and the values are there."""
        if not self.unique or self.unique[0] not in values:
            return None
        return tuple(values.get(name, "") for name in self.unique)

    def holder(self, values: Mapping[str, str]) -> Item | None:
        """The item that already has the unique key of `values`."""
        key = self.key(values)
        row_id = self._keys.get(key) if key else None
        return self.items.get(row_id) if row_id is not None else None

    def _index(self, item: Item) -> None:
        if name := item.values.get(self.name_field):
            self._names.setdefault(name, []).append(item.id)
        if key := self.key(item.values):
            self._keys.setdefault(key, item.id)

    def _unindex(self, item: Item) -> None:
        name = item.values.get(self.name_field)
        ids = self._names.get(name, []) if name else []
        if name and item.id in ids:
            ids.remove(item.id)
            if not ids:
                del self._names[name]
        key = self.key(item.values)
        if key and self._keys.get(key) == item.id:
            del self._keys[key]

    # what the rest of the lab calls

    def add(self, values: Mapping[str, str] | None = None, /, **more: str) -> str:
        """Add an item as an administrator would, with every check. Returns its id, raises Trap. `_` stands
        for `-`."""
        from lab.routers import editing

        return editing.add(self, {**(values or {}), **_dashed(more)}).id

    def set(self, which: str, values: Mapping[str, str] | None = None, /, **more: str) -> None:
        """Change the item with this id or name (empty for a singleton) as an administrator would. Raises Trap."""
        from lab.routers import editing

        item = self.single if self.spec.singleton else editing.pick(self, which)
        editing.change(self, item, {**(values or {}), **_dashed(more)})

    def remove(self, which: str) -> None:
        """Remove the item with this id or name as an administrator would. Raises Trap."""
        from lab.routers import editing

        editing.remove(self, editing.pick(self, which))

    def __iter__(self) -> Iterator[Item]:
        return iter(list(self.items.values()))

    def __len__(self) -> int:
        return len(self.items)


def _reference_targets(spec: MenuSpec) -> dict[str, tuple[str, ...]]:
    """The menus that reference fields point to."""
    found = dict(rules.REFERENCES.get(spec.path, {}))
    for name, field in spec.fields.items():
        if field.kind.startswith("interface-name"):
            found[name] = rules.INTERFACES
    return found


def _dashed(values: Mapping[str, str]) -> Row:
    return {name.replace("_", "-"): value for name, value in values.items()}
