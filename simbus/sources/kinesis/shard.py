"""One shard of a stream: its records in order, what of them is readable, and how fast it takes and gives them.

A position counts the records of a shard from its first one on, 0; it stays what it is when records expire.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Any, Final, Literal, NamedTuple

import msgspec

from simbus.kernel import SECOND, Timeline
from simbus.sources.kinesis.meter import MIB, READ_BYTES, READ_CALLS, WRITE_BYTES, WRITE_RECORDS, Meter
from simbus.sources.kinesis.sequence import Sequence, shard_name

IteratorType = Literal["TRIM_HORIZON", "LATEST", "AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER", "AT_TIMESTAMP"]
HASH_KEYS: Final = 1 << 128
READ_LIMIT: Final = 10_000
READ_SIZE: Final = 10 * MIB  # GetRecords: 10,000 records or 10 MB a call (developer guide, "Quotas and limits")


class Record(msgspec.Struct, frozen=True, gc=False):
    """One record of a shard. `arrival` is in nanoseconds of virtual time, `parent` the request id that caused it.

    `size` counts the bytes of data and partition key, as the limits of a shard do.
    `event_id` is Lambda's eventID, `shardId-...:<sequence number>`, and the id of its change event. `lineage` is always
    None: loop detection does not follow a chain through Kinesis (Lambda developer guide, "Recursive loop detection").
    """

    sequence_number: str
    partition_key: str
    data: bytes
    arrival: int
    event_id: str
    size: int
    parent: str | None
    lineage: None = None


class HashRange(NamedTuple):
    """The hash keys of a shard, both ends included."""

    start: int
    end: int


class Shard:
    """Number `number` of its stream; `created` is the second since 1970 of its making, `retention` in nanoseconds."""

    def __init__(
        self,
        timeline: Timeline,
        epoch_ns: int,
        number: int,
        hash_range: HashRange,
        created: int,
        first_index: int,
        retention: int,
        *parents: Shard,
    ) -> None:
        self._timeline = timeline
        self._epoch_ns = epoch_ns
        self.number = number
        self.id = shard_name(number)
        self.hash_range = hash_range
        self.created = created
        self.retention = retention
        self.parent_shard_id = parents[0].id if parents else None
        self.adjacent_parent_shard_id = parents[1].id if len(parents) > 1 else None
        self._sequence = Sequence(number, created, first_index)
        self.starting_sequence_number = self._sequence.starting
        self.ending_sequence_number: str | None = None
        self.closed_at: int | None = None
        self.writes = Meter(WRITE_BYTES, WRITE_RECORDS)
        self.reads = Meter(READ_BYTES, READ_CALLS)
        self._records: list[Record] = []
        self._dropped = 0  # how many are gone from the list
        self._start = 0

    def __repr__(self) -> str:
        state = "closed" if self.closed else "open"
        return f"<Shard {self.id} {state} records={self.start}..{self.end}>"

    # --- write -----------------------------------------------------------------------------------------------------

    def append(self, partition_key: str, data: bytes, size: int, parent: str | None) -> Record:
        """Put a record at the end. Limits are the caller's business."""
        now, records = self._timeline.now, self._records
        number = self._sequence.at(self._dropped + len(records), (self._epoch_ns + now) // SECOND)
        record = Record(number, partition_key, data, now, f"{self.id}:{number}", size, parent)
        records.append(record)
        return record

    @property
    def closed(self) -> bool:
        """It was split or merged: it takes no more records, and is read until they have expired."""
        return self.closed_at is not None

    def close(self) -> None:
        now = self._timeline.now
        self.closed_at = now
        self.ending_sequence_number = self._sequence.ending((self._epoch_ns + now) // SECOND)

    # --- read ------------------------------------------------------------------------------------------------------

    @property
    def start(self) -> int:
        """The position of the oldest record that is still readable; `end` when there is none."""
        records, first = self._records, self._start - self._dropped
        horizon = self._timeline.now - self.retention
        if first < len(records) and records[first].arrival <= horizon:
            first = bisect_right(records, horizon, first, key=_arrival)
            self._start = first + self._dropped
        return self._start

    @property
    def records(self) -> list[Record]:
        """Every readable record, the oldest first."""
        return self._records[self.start - self._dropped :]

    @property
    def end(self) -> int:
        """The position that the next record will have."""
        return self._dropped + len(self._records)

    def read(self, position: int, limit: int = READ_LIMIT, max_bytes: int = READ_SIZE) -> list[Record]:
        """Up to `limit` records from a position on, or from `start` where that is later; the next read begins after.

        Together they have at most `max_bytes` of data and partition keys; one that is larger alone comes alone.
        """
        first = max(position, self.start) - self._dropped
        found = self._records[first : first + limit]
        size = 0
        for number, record in enumerate(found):
            size += record.size
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
        """A reader at this position is through: the shard is closed and nothing of it is left to read."""
        return self.closed_at is not None and max(position, self.start) >= self.end

    # --- positions -------------------------------------------------------------------------------------------------

    def position(self, iterator_type: IteratorType, at: Any = None) -> int:
        """Where a reader begins. `at` is a sequence number or, for AT_TIMESTAMP, nanoseconds of virtual time."""
        if iterator_type == "TRIM_HORIZON":
            return self.start
        if iterator_type == "LATEST":
            return self.end
        if iterator_type == "AT_TIMESTAMP":
            return max(self.start, bisect_left(self._records, at, key=_arrival) + self._dropped)
        after = iterator_type == "AFTER_SEQUENCE_NUMBER"
        find = bisect_right if after else bisect_left
        return max(self.start, find(self._records, int(at), key=_number) + self._dropped)

    # --- retention -------------------------------------------------------------------------------------------------

    def trim(self) -> int | None:
        """Drop what has expired. Returns when the oldest thing left arrived, None when nothing is left to expire."""
        expired = self.start - self._dropped
        if expired:
            del self._records[:expired]
            self._dropped += expired
        return self._records[0].arrival if self._records else self.closed_at

    @property
    def expired(self) -> bool:
        """It is closed, and so long that nothing of it can be read any more."""
        return self.closed_at is not None and self.closed_at + self.retention <= self._timeline.now


def _arrival(record: Record) -> int:
    return record.arrival


def _number(record: Record) -> int:
    return int(record.sequence_number)
