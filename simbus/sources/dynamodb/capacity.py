"""What operations cost: read and write units, and AWS's ConsumedCapacity.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/capacity-mode.html: a read of up to 4 KB is one unit,
half of one where it need not be consistent, two in a transaction; a write of up to 1 KB is one, two in a transaction.
An index costs writes of its own: one where an entry comes, goes or changes, two where it moves.
What a table may take at most is in throughput.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from simbus.sources.dynamodb.errors import constraint
from simbus.sources.dynamodb.index import Index
from simbus.sources.dynamodb.values import Stored

READ_UNIT: Final = 4096
WRITE_UNIT: Final = 1024
Kind = Literal["ReadCapacityUnits", "WriteCapacityUnits"]


def check_return(how: str) -> bool:
    """Whether ReturnConsumedCapacity asks for any. Raises AwsError ValidationException."""
    if how == "NONE":
        return False
    if how not in ("TOTAL", "INDEXES"):
        raise constraint(how, "returnConsumedCapacity", "Member must satisfy enum value set: [INDEXES, TOTAL, NONE]")
    return True


def read_units(size: int, *, consistent: bool = False, transaction: bool = False) -> float:
    """The units of a read of that many bytes; what is not there costs as much as what is small."""
    units = max(1, -(-size // READ_UNIT))
    return units * (2.0 if transaction else 1.0 if consistent else 0.5)


def write_units(old: Stored | None, new: Stored | None) -> float:
    """The units of a write: those of the larger of the two items."""
    return _write(max((stored[1] for stored in (old, new) if stored is not None), default=0))


def index_units(index: Index, old: Stored | None, new: Stored | None) -> float:
    """The units that a write of the table takes in one of its indexes."""
    before = None if old is None else index.at(old[0])
    after = None if new is None else index.at(new[0])
    units = 0.0
    moved = before != after
    if old is not None and before is not None and moved:
        units += _write(index.size(old))
    if new is not None and after is not None and moved:
        units += _write(index.size(new))
    if old is not None and new is not None and before is not None and not moved:
        changed = index.part(old[0]) != index.part(new[0])
        units += _write(max(index.size(old), index.size(new))) if changed else 0.0
    return units


def _write(size: int) -> float:
    return float(max(1, -(-size // WRITE_UNIT)))


class Consumed:
    """What one operation has taken from one table and its indexes."""

    def __init__(self, name: str, indexes: Mapping[str, Index]) -> None:
        self._name = name
        self._indexes = indexes
        self.table = 0.0
        self.of_index: dict[str, float] = {}

    def add_write(self, old: Stored | None, new: Stored | None) -> None:
        self.table += write_units(old, new)
        for name, index in self._indexes.items():
            units = index_units(index, old, new)
            if units:
                self.of_index[name] = self.of_index.get(name, 0.0) + units

    def shown(self, how: str, transaction: Kind | None = None) -> dict[str, Any]:
        """AWS's ConsumedCapacity. A transaction costs twice as much, and says of which kind it is."""
        times = 2.0 if transaction == "WriteCapacityUnits" else 1.0

        def units(number: float) -> dict[str, float]:
            found = {"CapacityUnits": number * times}
            return found if transaction is None else {**found, transaction: number * times}

        found: dict[str, Any] = {"TableName": self._name, **units(self.table + sum(self.of_index.values()))}
        if how == "INDEXES":
            found["Table"] = units(self.table)
            for member, is_global in (("LocalSecondaryIndexes", False), ("GlobalSecondaryIndexes", True)):
                part = {
                    name: units(each)
                    for name, each in self.of_index.items()
                    if self._indexes[name].is_global is is_global
                }
                if part:
                    found[member] = part
        return found
