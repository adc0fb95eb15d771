"""One shard of a table's stream: its records in order, for 24 hours.

A position counts the records of a shard from its first one on, 0; it stays what it is when records expire.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Any, Final, Literal

import msgspec

from simbus.kernel import HOUR, Timeline

RETENTION: Final = 24 * HOUR
READ_LIMIT: Final = 1000
READ_SIZE: Final = 1024 * 1024  # GetRecords: 1,000 records or 1 MB a call (API reference, GetRecords)
IteratorType = Literal["TRIM_HORIZON", "LATEST", "AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER", "AT_TIMESTAMP"]


class Record(msgspec.Struct, frozen=True, gc=False):
    """One change. `arrival` is in nanoseconds of virtual time, `parent` the request id of the invocation that wrote.

    `event_id` is Lambda's eventID and the id of the change event, `payload` the JSON text of Lambda's record,
    `partition_key` the item's key as text: the changes of an item stay in order when others are processed beside it.
    `lineage` is always None: loop detection does not follow a chain through DynamoDB (Lambda developer guide,
    "Recursive loop detection").
    """

    sequence_number: str
    event_id: str
    arrival: int
    parent: str | None
    payload: str
    partition_key: str
    lineage: None = None


class Shard:
    """The records of some of a table's keys. A closed shard gets no more of them; its child goes on."""

    retention: Final = RETENTION

    def __init__(self, timeline: Timeline, shard_id: str, parent: Shard | None, starting_number: str) -> None:
        self._timeline = timeline
        self.id = shard_id
        self.parent_shard_id = None if parent is None else parent.id
        self.starting_sequence_number = starting_number
        self.ending_sequence_number: str | None = None
        self.opened_at = timeline.now
        self.closed_at: int | None = None
        self._records: list[Record] = []
        self._dropped = 0  # how many are gone from the list
        self._last_dropped = 0
        self._start = 0

    def __repr__(self) -> str:
        state = "closed" if self.closed else "open"
        return f"<Shard {self.id} {state} records={self.start}..{self.end}>"

    def append(self, record: Record) -> None:
        self._records.append(record)

    @property
    def closed(self) -> bool:
        return self.closed_at is not None

    def close(self, ending_number: str) -> None:
        self.closed_at = self._timeline.now
        self.ending_sequence_number = ending_number

    # --- read --------------------------------------------------------------------------------------------------------

    @property
    def start(self) -> int:
        """The position of the oldest record that is still readable; `end` when there is none."""
        records, first = self._records, self._start - self._dropped
        horizon = self._timeline.now - RETENTION
        if first < len(records) and records[first].arrival <= horizon:
            first = bisect_right(records, horizon, first, key=_arrival)
            self._start = first + self._dropped
        return self._start

    @property
    def end(self) -> int:
        """The position that the next record will have."""
        return self._dropped + len(self._records)

    def read(self, position: int, limit: int = READ_LIMIT, max_bytes: int = READ_SIZE) -> list[Record]:
        """Up to `limit` records from a position on, or from `start` where that is later; the next read begins after.

        Together they have at most `max_bytes` of payload; one that is larger alone comes alone.
        """
        first = max(position, self.start) - self._dropped
        found = self._records[first : first + limit]
        size = 0
        for number, record in enumerate(found):
            size += len(record.payload)
            if size > max_bytes:
                return found[: max(number, 1)]
        return found

    def unread(self, position: int) -> int:
        """How many readable records stand from a position on."""
        return self.end - max(position, self.start)

    def age(self, position: int) -> int:
        """The age in nanoseconds of the oldest readable record from a position on; 0 when there is none."""
        first = max(position, self.start)
        return 0 if first >= self.end else self._timeline.now - self._records[first - self._dropped].arrival

    def drained(self, position: int) -> bool:
        """A reader at this position is through: the shard is closed, and its child may be read."""
        return self.closed_at is not None and self.unread(position) <= 0

    def position(self, iterator_type: IteratorType, at: Any = None) -> int:
        """Where a reader begins. `at` is a sequence number or, for AT_TIMESTAMP, nanoseconds of virtual time."""
        if iterator_type == "TRIM_HORIZON":
            return self.start
        if iterator_type == "LATEST":
            return self.end
        if iterator_type == "AT_TIMESTAMP":
            return max(self.start, bisect_left(self._records, at, key=_arrival) + self._dropped)
        find = bisect_right if iterator_type == "AFTER_SEQUENCE_NUMBER" else bisect_left
        return max(self.start, find(self._records, int(at), key=_number) + self._dropped)

    @property
    def last_expired(self) -> int:
        """The sequence number of the youngest record that has expired; 0 when there is none."""
        gone = self.start - self._dropped
        return int(self._records[gone - 1].sequence_number) if gone else self._last_dropped

    # --- retention ---------------------------------------------------------------------------------------------------

    def trim(self) -> bool:
        """Drop what has expired. Returns whether there is anything left that will."""
        self._last_dropped = self.last_expired
        expired = self.start - self._dropped
        del self._records[:expired]
        self._dropped += expired
        return bool(self._records) or self.closed

    @property
    def expired(self) -> bool:
        """It is closed, and so long that nothing of it can be read any more."""
        return self.closed_at is not None and self.closed_at + RETENTION <= self._timeline.now


def _arrival(record: Record) -> int:
    return record.arrival


def _number(record: Record) -> int:
    return int(record.sequence_number)
