"""Amazon Kinesis Data Streams: a stream of ordered records in shards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from simbus.errors import AwsError
from simbus.kernel import MILLISECOND, SECOND
from simbus.model import ChangeEvent
from simbus.sources.base import operation, twin
from simbus.sources.kinesis.base import ManagedStream
from simbus.sources.kinesis.iterator import Place, iterator, read_iterator
from simbus.sources.kinesis.record import change_data, shown_child, shown_record
from simbus.sources.kinesis.request import (
    blob,
    check_iterator_request,
    check_limit,
    check_ordering,
    check_records,
    hash_key_of,
    name_findings,
    record_findings,
    refuse,
    timestamp_ms,
)
from simbus.sources.kinesis.sequence import check_starting_number, full_name
from simbus.sources.kinesis.shard import READ_LIMIT, Record, Shard
from simbus.sources.shard import IteratorType
from simbus.world import Delivery

_THROTTLED: Final = "ProvisionedThroughputExceededException"


class Stream(ManagedStream):
    """A Kinesis stream. https://docs.aws.amazon.com/streams/latest/dev/key-concepts.html

    `shard_count` is 1 or more (default 1; an ON_DEMAND stream begins with 4 and none may be given),
    `retention_period_hours` 24 to 8,760, `max_record_size_in_ki_b` 1,024 to 10,240 (the data of one record in KiB).
    A shard takes 1 MiB and 1,000 records a second and gives 2 MiB and 5 calls of GetRecords a second, counted in whole
    seconds of virtual time. Raises AwsError ValidationException, InvalidArgumentException as CreateStream does.

    Readers within the process use `shards`, `listen` and each shard's `read`; no limit holds for them.
    `event_payload(record, role_arn)` is the JSON text of one element of Lambda's `Records`.
    """

    # --- put -------------------------------------------------------------------------------------------------------

    @operation
    def put_record(
        self,
        data: Any,
        partition_key: str,
        *,
        explicit_hash_key: str | None = None,
        sequence_number_for_ordering: str | None = None,
    ) -> dict[str, str]:
        """Put a record: `{"ShardId", "SequenceNumber"}`.

        `data` is bytes, text (UTF-8) or anything that JSON can say; `partition_key` has 1 to 256 characters,
        `explicit_hash_key` is a decimal number below 2^128 that decides the shard instead. Sequence numbers grow along
        a shard whether or not `sequence_number_for_ordering` is given.
        Raises AwsError ValidationException, InvalidArgumentException, ProvisionedThroughputExceededException.
        """
        if type(data) is not bytes:
            data = blob(data)
        simple = explicit_hash_key is None and type(partition_key) is str
        if not (simple and 0 < len(partition_key) <= 256 and len(data) <= self._max_data):
            refuse(record_findings(data, partition_key, explicit_hash_key, self._max_data))
        if sequence_number_for_ordering is not None:
            second = (self._world.epoch_ns + self._timeline.now) // SECOND
            check_ordering(sequence_number_for_ordering, self.resource, self._world.account.id, second)
        shard = self._shard_of(partition_key, explicit_hash_key)
        record = self._put(shard, data, partition_key, explicit_hash_key, self._cause[0])
        return {"ShardId": shard.id, "SequenceNumber": record.sequence_number}

    aput_record = twin(put_record)

    @operation
    def put_records(self, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Put up to 500 records, 10 MiB in all: `{"FailedRecordCount", "Records": [...]}`, one answer each.

        A record has `data`, `partition_key` and, if wanted, `explicit_hash_key` (AWS's own names are understood). One
        that its shard has no room for is answered with ErrorCode and ErrorMessage; the others are in.
        Raises AwsError for the request as a whole: ValidationException, InvalidArgumentException.
        """
        entries = check_records(records, self._max_data)
        parent = self._cause[0]
        answers: list[dict[str, str]] = []
        failed = 0
        for data, key, explicit in entries:
            shard = self._shard_of(key, explicit)
            try:
                record = self._put(shard, data, key, explicit, parent)
            except AwsError as error:
                failed += 1
                answers.append({"ErrorCode": error.code, "ErrorMessage": error.message})
            else:
                answers.append({"SequenceNumber": record.sequence_number, "ShardId": shard.id})
        return {"FailedRecordCount": failed, "Records": answers}

    aput_records = twin(put_records)

    def accept(self, delivery: Delivery) -> None:
        """Put in what another service delivers. Raises AwsError as `put_record` does.

        The partition key is the delivery's group id where one is given, else the id of its event, as EventBridge does
        without a PartitionKeyPath (EventBridge API reference, KinesisParameters).
        """
        if self._out_until:
            self._check_available()
        event = delivery.event
        key = delivery.group_id or (self._uuid() if event is None else event.id)
        data = delivery.payload.encode()
        refuse(record_findings(data, key, None, self._max_data))
        self._put(self._shards.of_key(key), data, key, None, delivery.parent)

    def _shard_of(self, partition_key: str, explicit_hash_key: str | None) -> Shard:
        if explicit_hash_key is None:
            return self._shards.of_key(partition_key)
        return self._shards.of_hash(hash_key_of(explicit_hash_key))

    def _put(self, shard: Shard, data: bytes, partition_key: str, explicit: str | None, parent: str | None) -> Record:
        now = self._timeline.now
        size = len(data) + len(partition_key.encode())
        if not shard.writes.write(now, size):
            raise self._throttled(shard)
        record = shard.append(partition_key, data, size, parent)
        event_data = change_data(shard, record, explicit)
        event = ChangeEvent(
            record.event_id, now, self.name, self.arn, "PutRecord", partition_key, parent, event_data, None
        )
        self._bus.publish(event)
        if self._trimming is None:
            self._trim(None)
        if self._demand is not None:
            self._grow(self._demand, size)
        for listener in self._listeners:
            listener(shard)
        return record

    def _throttled(self, shard: Shard) -> AwsError:
        return AwsError(
            _THROTTLED,
            f"Rate exceeded for shard {shard.id} in stream {self.resource} under account {self._world.account.id}.",
        )

    # --- get -------------------------------------------------------------------------------------------------------

    @operation
    def get_shard_iterator(
        self,
        shard_id: str,
        shard_iterator_type: IteratorType,
        *,
        starting_sequence_number: str | None = None,
        timestamp: datetime | float | None = None,
    ) -> dict[str, str]:
        """Where to read from: `{"ShardIterator"}`, good for 5 minutes.

        AT_ and AFTER_SEQUENCE_NUMBER take `starting_sequence_number`, AT_TIMESTAMP `timestamp` (a datetime with a zone,
        or seconds since 1970). Raises AwsError ResourceNotFoundException, InvalidArgumentException,
        ValidationException.
        """
        refuse(name_findings(shard_id, "shardId"))
        check_iterator_request(shard_iterator_type, starting_sequence_number, timestamp)
        shard = self._readable(shard_id)
        at: Any = starting_sequence_number
        if starting_sequence_number is not None:
            where = f"shard {shard.id} in stream {self.resource} under account {self._world.account.id}"
            check_starting_number(starting_sequence_number, shard.number, shard.created, where)
        if timestamp is not None:
            at = timestamp_ms(timestamp, self._world.epoch_ms()) * MILLISECOND - self._world.epoch_ns
        place = Place(shard.id, shard.position(shard_iterator_type, at))
        return {"ShardIterator": iterator(self._world, self.resource, place)}

    aget_shard_iterator = twin(get_shard_iterator)

    @operation
    def get_records(self, shard_iterator: str, limit: int = READ_LIMIT) -> dict[str, Any]:
        """Up to `limit` (1 to 10,000) records, 10 MiB in all: `{"Records", "MillisBehindLatest", ...}`.

        NextShardIterator is left out at the end of a closed shard; ChildShards are there instead.
        Raises AwsError ExpiredIteratorException, InvalidArgumentException, ResourceNotFoundException,
        ValidationException; ProvisionedThroughputExceededException beyond 5 calls or 2 MiB a second.
        """
        check_limit(limit)
        place = read_iterator(self._world, self.resource, shard_iterator)
        shard = self._readable(place.shard)
        if not shard.reads.may_read(self._timeline.now):
            raise self._throttled(shard)
        position = max(place.position, shard.start)
        records = shard.read(position, limit)
        shard.reads.has_read(sum(record.size for record in records))
        after = position + len(records)
        behind = self._timeline.now - records[-1].arrival if records and shard.unread(after) else 0
        answer: dict[str, Any] = {
            "Records": [shown_record(self._world, record) for record in records],
            "MillisBehindLatest": behind // MILLISECOND,
        }
        if shard.drained(after):
            answer["ChildShards"] = [shown_child(child) for child in self.children(shard)]
        else:
            answer["NextShardIterator"] = iterator(self._world, self.resource, Place(shard.id, after))
        return answer

    aget_records = twin(get_records)

    def _readable(self, shard_id: str) -> Shard:
        shard = self._shards.find(shard_id)
        if shard is None:
            name = full_name(shard_id)
            where = f"in stream {self.resource} under account {self._world.account.id}"
            known = f"Shard {name} {where} does not exist"
            raise AwsError(
                "ResourceNotFoundException", f"Could not find shard {shard_id} {where}." if name is None else known
            )
        return shard
