"""One shard of a stream: its records in order, and how fast it takes and gives them."""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from simbus.kernel import SECOND, Timeline
from simbus.sources.kinesis.meter import MIB, READ_BYTES, READ_CALLS, WRITE_BYTES, WRITE_RECORDS, Meter
from simbus.sources.kinesis.sequence import Sequence, shard_name
from simbus.sources.shard import BaseShard

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


class Shard(BaseShard[Record]):
    """Number `number` of its stream; `created` is the second since 1970 of its making, `retention` in nanoseconds."""

    read_limit = READ_LIMIT
    read_size = READ_SIZE

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
        super().__init__(timeline, shard_name(number), retention)
        self._epoch_ns = epoch_ns
        self.number = number
        self.hash_range = hash_range
        self.created = created
        self.parent_shard_id = parents[0].id if parents else None
        self.adjacent_parent_shard_id = parents[1].id if len(parents) > 1 else None
        self._sequence = Sequence(number, created, first_index)
        self.starting_sequence_number = self._sequence.starting
        self.ending_sequence_number: str | None = None
        self.writes = Meter(WRITE_BYTES, WRITE_RECORDS)
        self.reads = Meter(READ_BYTES, READ_CALLS)

    # --- write -----------------------------------------------------------------------------------------------------

    def append(self, partition_key: str, data: bytes, size: int, parent: str | None) -> Record:
        """Put a record at the end. Limits are the caller's business."""
        now, records = self._timeline.now, self._records
        number = self._sequence.at(self._dropped + len(records), (self._epoch_ns + now) // SECOND)
        record = Record(number, partition_key, data, now, f"{self.id}:{number}", size, parent)
        records.append(record)
        return record

    def close(self) -> None:
        now = self._timeline.now
        self.closed_at = now
        self.ending_sequence_number = self._sequence.ending((self._epoch_ns + now) // SECOND)

    def trim(self) -> int | None:
        """Drop what has expired. Returns when the oldest thing left arrived, None when nothing is left to expire."""
        self._drop_expired()
        return self._records[0].arrival if self._records else self.closed_at
