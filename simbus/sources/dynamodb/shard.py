"""One shard of a table's stream: its records in order, for 24 hours."""

from __future__ import annotations

from typing import Final

import msgspec

from simbus.kernel import HOUR, Timeline
from simbus.sources.shard import BaseShard

RETENTION: Final = 24 * HOUR
READ_LIMIT: Final = 1000
READ_SIZE: Final = 1024 * 1024  # GetRecords: 1,000 records or 1 MB a call (API reference, GetRecords)


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

    @property
    def size(self) -> int:
        """What it counts in a read: the bytes of its text, about."""
        return len(self.payload)


class Shard(BaseShard[Record]):
    """The records of some of a table's keys. A closed shard gets no more of them; its child goes on."""

    read_limit = READ_LIMIT
    read_size = READ_SIZE

    def __init__(self, timeline: Timeline, shard_id: str, parent: Shard | None, starting_number: str) -> None:
        super().__init__(timeline, shard_id, RETENTION)
        self.parent_shard_id = None if parent is None else parent.id
        self.starting_sequence_number = starting_number
        self.ending_sequence_number: str | None = None
        self.opened_at = timeline.now
        self._last_dropped = 0

    def append(self, record: Record) -> None:
        self._records.append(record)

    def close(self, ending_number: str) -> None:
        self.closed_at = self._timeline.now
        self.ending_sequence_number = ending_number

    @property
    def last_expired(self) -> int:
        """The sequence number of the youngest record that has expired; 0 when there is none."""
        gone = self.start - self._dropped
        return int(self._records[gone - 1].sequence_number) if gone else self._last_dropped

    def trim(self) -> bool:
        """Drop what has expired. Returns whether there is anything left that will."""
        self._last_dropped = self.last_expired
        self._drop_expired()
        return bool(self._records) or self.closed
