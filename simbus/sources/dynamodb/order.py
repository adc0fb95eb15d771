"""The keys of a table or of an index in the order of queries and scans."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from simbus.sources.dynamodb.schema import Key, Schema, partition

Entry = tuple[Any, Any, Key]  # what orders in a partition: the range key, then the primary key; and the primary key


class Place(NamedTuple):
    """Where an item stands: its key in the order (the index's, in an index), and its primary key."""

    at: Key
    key: Key


class Range(NamedTuple):
    """Which range keys a query wants: an operator of key conditions, and its operands as they are compared."""

    operator: str
    operands: tuple[Any, ...]

    def bounds(self, entries: list[Entry]) -> tuple[int, int]:
        """The first of the entries within, and the one behind the last."""
        low, high = self.operands[0], self.operands[-1]
        start, end = 0, len(entries)
        if self.operator in ("=", ">=", "between", "begins_with"):
            start = bisect_left(entries, low, key=_second)
        elif self.operator == ">":
            start = bisect_right(entries, low, key=_second)
        if self.operator in ("=", "<=", "between"):
            end = bisect_right(entries, high, key=_second)
        elif self.operator == "<":
            end = bisect_left(entries, high, key=_second)
        elif self.operator == "begins_with":
            end = bisect_right(entries, low, key=lambda entry: entry[0][: len(low)])
        return start, max(start, end)

    def has(self, content: Any, kind: str) -> bool:
        """Whether a range key of that content and kind is within."""
        start, end = self.bounds([(Decimal(content) if kind == "N" else content, 0, ("", None))])
        return start < end


def _second(entry: Entry) -> Any:
    return entry[0]


class KeyOrder:
    """Keys in order: partitions by the hash of their hash key, within one by range key, then by primary key.

    It is built by the first query or scan, so that a table which is only written to pays nothing for it.
    """

    def __init__(self, table: Schema, own: Schema, places: Iterable[Place]) -> None:
        self._numeric = own.range_kind == "N"
        self._key_numeric = table.range_kind == "N"
        self._tied = table is not own
        self._partitions: dict[Any, list[Entry]] = {}
        for place in places:
            self._partitions.setdefault(place.at[0], []).append(self._entry(place))
        for entries in self._partitions.values():
            entries.sort()
        self._order = sorted((partition(first), first) for first in self._partitions)

    def add(self, place: Place) -> None:
        first = place.at[0]
        entries = self._partitions.get(first)
        if entries is None:
            entries = self._partitions[first] = []
            insort(self._order, (partition(first), first))
        insort(entries, self._entry(place))

    def remove(self, place: Place) -> None:
        first = place.at[0]
        entries = self._partitions[first]
        del entries[bisect_left(entries, self._entry(place))]
        if not entries:
            del self._partitions[first]
            del self._order[bisect_left(self._order, (partition(first), first))]

    def in_partition(self, first: Any, wanted: Range | None, *, forward: bool, after: Place | None) -> Iterator[Key]:
        """The primary keys of one hash key, from behind `after` on (it need not exist any more)."""
        entries = self._partitions.get(first, [])
        start, end = (0, len(entries)) if wanted is None else wanted.bounds(entries)
        if after is not None and forward:
            start = max(start, bisect_right(entries, self._entry(after)))
        elif after is not None:
            end = min(end, bisect_left(entries, self._entry(after)))
        return (entries[at][2] for at in (range(start, end) if forward else range(end - 1, start - 1, -1)))

    def everywhere(self, after: Place | None, segment: int = 0, segments: int = 1) -> Iterator[Key]:
        """Every primary key of a segment in the order of a scan, from behind `after` on."""
        start = 0
        if after is not None:
            first = after.at[0]
            start = bisect_left(self._order, (partition(first), first))
            if start < len(self._order) and self._order[start][1] == first:
                yield from self.in_partition(first, None, forward=True, after=after)
                start += 1
        for digest, first in self._order[start:]:
            if segments == 1 or segment_of(digest, segments) == segment:
                for entry in self._partitions[first]:
                    yield entry[2]

    def _entry(self, place: Place) -> Entry:
        second, key = place.at[1], place.key
        ordered = 0 if second is None else Decimal(second) if self._numeric else second
        if not self._tied:
            return ordered, 0, key
        tie = key[1]
        return ordered, (key[0], 0 if tie is None else Decimal(tie) if self._key_numeric else tie), key


def segment_of(digest: bytes, segments: int) -> int:
    """The segment of a parallel scan in which a partition lies."""
    return int.from_bytes(digest[:8], "big") * segments >> 64
