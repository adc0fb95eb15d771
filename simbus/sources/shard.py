"""What a shard of any stream is: records in order, each readable for a time, and readers that know their positions.

A position counts the records of a shard from its first one on, 0; it stays what it is when records expire.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Any, Generic, Literal, Protocol, TypeVar

from simbus.kernel import Timeline

IteratorType = Literal["TRIM_HORIZON", "LATEST", "AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER", "AT_TIMESTAMP"]


class ShardRecord(Protocol):
    """What a shard asks of a record: when it came (ns of virtual time), its number, and its bytes in a read."""

    @property
    def arrival(self) -> int: ...
    @property
    def sequence_number(self) -> str: ...
    @property
    def size(self) -> int: ...


R = TypeVar("R", bound=ShardRecord)


class BaseShard(Generic[R]):
    """The records of one shard. `retention` is in nanoseconds; one call reads `read_limit` and `read_size` at most."""

    read_limit = 10_000
    read_size = 10 * 1024 * 1024

    def __init__(self, timeline: Timeline, shard_id: str, retention: int) -> None:
        self._timeline = timeline
        self.id = shard_id
        self.retention = retention
        self.closed_at: int | None = None
        self._records: list[R] = []
        self._dropped = 0  # how many are gone from the list
        self._start = 0

    def __repr__(self) -> str:
        state = "closed" if self.closed else "open"
        return f"<Shard {self.id} {state} records={self.start}..{self.end}>"

    @property
    def closed(self) -> bool:
        """It takes no more records, and is read until they have expired; its children go on."""
        return self.closed_at is not None

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
    def end(self) -> int:
        """The position that the next record will have."""
        return self._dropped + len(self._records)

    @property
    def records(self) -> list[R]:
        """Every readable record, the oldest first."""
        return self._records[self.start - self._dropped :]

    def read(self, position: int, limit: int | None = None, max_bytes: int | None = None) -> list[R]:
        """Up to `limit` records from a position on, or from `start` where that is later; the next read begins after.

        Together they have at most `max_bytes`; one that is larger alone comes alone.
        """
        first = max(position, self.start) - self._dropped
        found = self._records[first : first + (self.read_limit if limit is None else limit)]
        most = self.read_size if max_bytes is None else max_bytes
        size = 0
        for number, record in enumerate(found):
            size += record.size
            if size > most:
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

    # --- retention -------------------------------------------------------------------------------------------------

    def _drop_expired(self) -> None:
        expired = self.start - self._dropped
        if expired:
            del self._records[:expired]
            self._dropped += expired

    @property
    def expired(self) -> bool:
        """It is closed, and so long that nothing of it can be read any more."""
        return self.closed_at is not None and self.closed_at + self.retention <= self._timeline.now


def _arrival(record: ShardRecord) -> int:
    return record.arrival


def _number(record: ShardRecord) -> int:
    return int(record.sequence_number)
