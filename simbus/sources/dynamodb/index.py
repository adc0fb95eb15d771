"""Secondary indexes: which items are in one, under which key, and what of them.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/SecondaryIndexes.html
A read of a global one sees every write before it; AWS promises that for no read of it ("eventually consistent").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from simbus.errors import AwsError, UsageError
from simbus.sources.base import settings
from simbus.sources.dynamodb.errors import INVALID, SchemaMismatch, invalid
from simbus.sources.dynamodb.order import KeyOrder, Place
from simbus.sources.dynamodb.schema import HASH_KEY_LIMIT, RANGE_KEY_LIMIT, Key, Schema, check_size, schema
from simbus.sources.dynamodb.values import Item, Stored, Value, clean, copy_item, utf8_size

_SECONDARY = (
    "One or more parameter values are not valid. A value specified for a secondary index key is not supported. "
    "The AttributeValue for a key attribute cannot contain an empty {} value. IndexName: {}, IndexKey: {}"
)
_EMPTY_UPDATE = (
    "The update expression attempted to update the secondary index key to a value that is not supported. "
    "The AttributeValue for a key attribute cannot contain an empty {} value."
)
IndexStatus = Literal["CREATING", "UPDATING", "DELETING", "ACTIVE"]


class IndexSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One secondary index: its key (a local index has its table's hash key), and what it has besides the keys.

    A global index of a table of provisioned capacity has a `provisioned_throughput` of its own, in read_capacity_units
    and write_capacity_units.
    """

    index_name: str
    hash_key: str
    range_key: str | None = None
    projection_type: Literal["ALL", "KEYS_ONLY", "INCLUDE"] = "ALL"
    non_key_attributes: tuple[str, ...] = ()
    provisioned_throughput: dict[str, int] | None = None

    def __post_init__(self) -> None:
        if bool(self.non_key_attributes) != (self.projection_type == "INCLUDE"):
            raise ValueError("non_key_attributes are there if and only if projection_type is INCLUDE")


def indexes(
    table: Schema, types: Mapping[str, str], local: Iterable[Any] | None, everywhere: Iterable[Any] | None
) -> dict[str, Index]:
    """The indexes of a table by their names, from settings as `IndexSettings` has them. Raises UsageError."""
    found: dict[str, Index] = {}
    for given, is_global in ((local, False), (everywhere, True)):
        for each in given or ():
            index = Index(table, types, settings(each, IndexSettings), is_global)
            if index.name in found:
                raise UsageError(f"two indexes are named {index.name!r}; the names are unique in a table. Rename one.")
            found[index.name] = index
    return found


class Index:
    """One secondary index of a table. Its order is made by the first read of it."""

    def __init__(self, table: Schema, types: Mapping[str, str], given: IndexSettings, is_global: bool) -> None:
        if not is_global and (given.hash_key != table.hash_key or given.range_key is None or table.range_key is None):
            raise UsageError(
                f"local index {given.index_name!r}: it has the hash key of its table, {table.hash_key!r}, and a range "
                "key of its own; the table has a range key as well. Make it a global one, or correct the keys."
            )
        self.name = given.index_name
        self.is_global = is_global
        self.given = given
        self.status: IndexStatus = "ACTIVE"
        self.backfilling: bool | None = None  # while UpdateTable is making it: whether it has begun to copy items
        self.schema = schema(given.hash_key, given.range_key, types)
        self.key_names = tuple(dict.fromkeys((*self.schema.names, *table.names)))
        self._table = table
        names = {*self.key_names, *given.non_key_attributes}
        self._projected = None if given.projection_type == "ALL" else names
        self._order: KeyOrder | None = None

    def __repr__(self) -> str:
        return f"<Index {self.name} {'global' if self.is_global else 'local'} {'/'.join(self.schema.names)}>"

    # --- what is in it ------------------------------------------------------------------------------------------------

    def at(self, item: Item) -> Key | None:
        """The key of an item in this index; None: it is not in it, for it lacks an attribute of that key."""
        own = self.schema
        first = self._content(item, own.hash_key, own.hash_kind)
        if first is None or own.range_key is None:
            return None if first is None else (first, None)
        second = self._content(item, own.range_key, own.range_kind)
        return None if second is None else (first, second)

    def _content(self, item: Item, name: str, kind: str) -> Any:
        value = item.get(name)
        return None if value is None else (value.get(kind) or None)

    def lacks(self, names: Iterable[str]) -> list[str]:
        """Those of the attributes that are not projected into it."""
        projected = self._projected
        return [] if projected is None else [name for name in dict.fromkeys(names) if name not in projected]

    @property
    def has_all(self) -> bool:
        """Whether every attribute is projected into it."""
        return self._projected is None

    def part(self, item: Item) -> Item:
        """What it has of an item; not a copy."""
        projected = self._projected
        return item if projected is None else {name: value for name, value in item.items() if name in projected}

    def shown(self, item: Item) -> Item:
        """A copy of what it has of an item."""
        return copy_item(self.part(item))

    def size(self, stored: Stored) -> int:
        """The bytes of what it has of an item."""
        if self._projected is None:
            return stored[1]
        return sum(utf8_size(name) + clean(value)[1] for name, value in self.part(stored[0]).items())

    # --- its order ----------------------------------------------------------------------------------------------------

    def order(self, stored: Mapping[Key, Stored]) -> KeyOrder:
        """The keys of the items that are in it."""
        if self._order is None:
            places = ((self.at(item), key) for key, (item, _) in stored.items())
            self._order = KeyOrder(self._table, self.schema, (Place(at, key) for at, key in places if at is not None))
        return self._order

    def changed(self, key: Key, old: Stored | None, new: Stored | None) -> None:
        """An item of the table has changed."""
        if self._order is None:
            return
        before = None if old is None else self.at(old[0])
        after = None if new is None else self.at(new[0])
        if before == after:
            return
        if before is not None:
            self._order.remove(Place(before, key))
        if after is not None:
            self._order.add(Place(after, key))

    # --- what AWS refuses ---------------------------------------------------------------------------------------------

    def check_item(self, item: Item) -> None:
        """Raise AwsError for an item whose attributes can't be the key here, in PutItem's words."""
        for name in self.schema.names:
            value = item.get(name)
            if value is None:
                continue
            kind, content = self._checked(name, value)
            if not content:
                raise invalid(_SECONDARY.format("string" if kind == "S" else "binary", self.name, name))

    def check_update(self, item: Item, changed: Iterable[str]) -> None:
        """Raise AwsError where an update has left such an attribute, in UpdateItem's words."""
        for name in self.schema.names:
            value = item.get(name) if name in changed else None
            if value is None:
                continue
            kind = self.schema.kind(name)
            if kind not in value:
                raise SchemaMismatch(
                    "The update expression attempted to update the secondary index key to unsupported type"
                )
            if not self._checked(name, value)[1]:
                raise invalid(_EMPTY_UPDATE.format("string" if kind == "S" else "binary"))

    def _checked(self, name: str, value: Value) -> tuple[str, Any]:
        kind = self.schema.kind(name)
        content = value.get(kind)
        if content is None:
            raise _mismatch(name, kind, value, self.name)
        check_size(kind, content, HASH_KEY_LIMIT if name == self.schema.hash_key else RANGE_KEY_LIMIT)
        return kind, content


def _mismatch(name: str, kind: str, value: Value, index: str) -> AwsError:
    return SchemaMismatch(
        f"{INVALID}Type mismatch for Index Key {name} Expected: {kind} Actual: {next(iter(value))} IndexName: {index}"
    )
