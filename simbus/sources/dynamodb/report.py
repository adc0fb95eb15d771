"""What a batch or a transaction tells of its cost: ConsumedCapacity and ItemCollectionMetrics, by table."""

from __future__ import annotations

from typing import Any

from simbus.sources.dynamodb.capacity import Consumed, Kind, check_return
from simbus.sources.dynamodb.store import TableStore
from simbus.sources.dynamodb.values import Stored
from simbus.sources.dynamodb.write import Write, check_metrics


class Report:
    """Counts what several operations take, under the names that the request has for their tables.

    `capacity` is AWS's ReturnConsumedCapacity, `metrics` ReturnItemCollectionMetrics, `transaction` the kind of units
    that a transaction takes. Raises AwsError ValidationException for others than AWS has.
    """

    def __init__(self, capacity: str, metrics: str = "NONE", transaction: Kind | None = None) -> None:
        self._counted = check_return(capacity)
        self._measured = check_metrics(metrics)
        self._capacity = capacity
        self._transaction = transaction
        self._consumed: dict[str, Consumed] = {}
        self._collections: dict[str, dict[Any, dict[str, Any]]] = {}

    def read(self, name: str | None, table: TableStore, units: float, *, admitted: bool = False) -> None:
        """One more item is read. Raises AwsError where its table's capacity does not allow it (`admitted`: it does)."""
        limits = table.throughput
        if limits is not None:
            if not admitted:
                limits.admit("Read")
            consumed = Consumed(table.resource, table.indexes)
            consumed.table = units
            limits.take("Read", consumed)
        if self._counted:
            self._of(name, table).table += units

    def write(self, name: str | None, write: Write, old: Stored | None, new: Stored | None) -> None:
        """One more write is done."""
        if self._counted:
            self._of(name, write.table).add_write(old, new)
        found = write.table.collection(write.key[0]) if self._measured else None
        if found is not None:
            self._collections.setdefault(name or write.table.resource, {})[write.key[0]] = found

    def _of(self, name: str | None, table: TableStore) -> Consumed:
        shown = name or table.resource
        return self._consumed.setdefault(shown, Consumed(shown, table.indexes))

    def shown(self) -> dict[str, Any]:
        """The members of the answer that the caller has asked for."""
        found: dict[str, Any] = {}
        if self._counted:
            consumed = self._consumed.values()
            found["ConsumedCapacity"] = [each.shown(self._capacity, self._transaction) for each in consumed]
        if self._measured:
            found["ItemCollectionMetrics"] = {name: [*each.values()] for name, each in self._collections.items()}
        return found
