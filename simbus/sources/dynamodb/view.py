"""What a query or scan reads: a table, or one of its indexes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from simbus.errors import AwsError
from simbus.sources.dynamodb.errors import bad_parameter, invalid
from simbus.sources.dynamodb.expressions import Projection
from simbus.sources.dynamodb.index import Index
from simbus.sources.dynamodb.order import KeyOrder, Place
from simbus.sources.dynamodb.schema import Schema
from simbus.sources.dynamodb.store import TableStore
from simbus.sources.dynamodb.values import Item, Stored, clean, copy_item


class View(NamedTuple):
    """A table (`secondary` None) or an index of it. `fetches`: a local index gets what it lacks from its table."""

    table: TableStore
    secondary: Index | None
    fetches: bool = False

    @classmethod
    def of(cls, table: TableStore, index_name: str | None, consistent: bool) -> View:
        """Raises AwsError ValidationException where there is no such index, or one that can't be read like that."""
        if index_name is None:
            return cls(table, None)
        index = table.indexes.get(index_name)
        if index is None or index.status == "DELETING":
            raise invalid(f"The table does not have the specified index: {index_name}")
        if consistent and index.is_global:
            raise invalid("Consistent reads are not supported on global secondary indexes")
        if index.status == "CREATING":  # the text is in public issues
            raise invalid(f"Cannot read from backfilling global secondary index: {index_name}")
        return cls(table, index)

    def widened(self, select: str | None, heads: Sequence[str] | None) -> View:
        """The same, with what `Select` and the projection (the attributes that it begins with) ask for."""
        index = self.secondary
        if index is None or index.has_all:
            return self
        if select == "ALL_ATTRIBUTES":
            if index.is_global:
                raise bad_parameter(
                    f"Select type ALL_ATTRIBUTES is not supported for global secondary index {index.name} because its "
                    "projection type is not ALL"
                )
            return self._replace(fetches=True)
        lacking = index.lacks(heads or ())
        if lacking and index.is_global:
            raise bad_parameter(f"Global secondary index {index.name} does not project [{', '.join(lacking)}]")
        return self._replace(fetches=bool(lacking))

    @property
    def schema(self) -> Schema:
        return self.table.schema if self.secondary is None else self.secondary.schema

    @property
    def order(self) -> KeyOrder:
        return self.table.order if self.secondary is None else self.secondary.order(self.table.stored)

    def part(self, item: Item) -> Item:
        """What is there of an item; not a copy."""
        return item if self.secondary is None or self.fetches else self.secondary.part(item)

    def size(self, stored: Stored) -> int:
        """The bytes that are read of an item."""
        return stored[1] if self.secondary is None else self.secondary.size(stored)

    def shown(self, item: Item, projection: Projection | None) -> Item:
        """A copy for the answer."""
        return copy_item(item) if projection is None else projection.of(item)

    # --- where a page begins ------------------------------------------------------------------------------------------

    def start_key(self, item: Item) -> Item:
        """The LastEvaluatedKey that stands for an item."""
        names = self.schema.names if self.secondary is None else self.secondary.key_names
        return copy_item({name: item[name] for name in names})

    def start(self, given: Mapping[str, Any]) -> Place:
        """The place that an ExclusiveStartKey means. Raises AwsError ValidationException."""
        table, index = self.table.schema, self.secondary
        if index is None:
            try:
                key = table.given_key(given)[0]
            except AwsError as error:
                raise invalid(f"The provided starting key is invalid: {error.message}") from None
            return Place(key, key)
        if set(given) != set(index.key_names):
            raise invalid("The provided starting key is invalid")
        item = {name: clean(value)[0] for name, value in given.items()}
        at = index.at(item)
        if at is None:
            raise invalid("The provided starting key is invalid")
        try:
            return Place(at, table.given_key({name: item[name] for name in table.names})[0])
        except AwsError as error:
            raise invalid(f"The provided starting key is invalid: {error.message}") from None
