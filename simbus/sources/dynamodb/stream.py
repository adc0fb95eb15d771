"""DynamoDB Streams: what changed in a table, in shards that can be read for 24 hours.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from simbus.bus import Bus
from simbus.errors import AwsError, UsageError
from simbus.kernel import HOUR, MILLISECOND, SECOND
from simbus.sources.base import Source, operation, twin
from simbus.sources.dynamodb.change import Change, Images, payload_maker, shown_record, shown_shard
from simbus.sources.dynamodb.iterator import (
    Place,
    check_limit,
    child_filter,
    iterator,
    position_of,
    read_iterator,
    trimmed,
)
from simbus.sources.dynamodb.schema import Key, Schema, key_text, partition
from simbus.sources.dynamodb.shard import READ_LIMIT, RETENTION, Record, Shard
from simbus.world import World

VIEW_TYPES = ("KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES")


class ChangeStream(Source):
    """The stream of one table: `shards` to read from, `listen` to be told of news, `event_payload` for Lambda.

    `view_type` decides which images a record has. Every `shard_lifetime` nanoseconds of virtual time (None: never; AWS:
    about 4 hours) a shard is closed by the next write and a child opened. A record can be read for 24 hours, a shard
    until 24 hours after it was closed; then they are dropped, whether or not anybody read them.
    """

    service = "dynamodb"
    batch_info_key: Final = "DDBStreamBatchInfo"
    poll_interval: Final = 250 * MILLISECOND  # "4 times per second" for each shard (Lambda guide, with-ddb)

    def __init__(
        self,
        world: World,
        bus: Bus,
        table: str,
        schema: Schema,
        view_type: str,
        shard_count: int,
        shard_lifetime: int | None,
    ) -> None:
        if view_type not in VIEW_TYPES:
            raise UsageError(
                f"stream_view_type of table {table} is {view_type!r}; the view types are {', '.join(VIEW_TYPES)}. "
                "Choose one of these."
            )
        if shard_count < 1:
            raise UsageError(f"stream_shard_count of table {table} is {shard_count}; a stream has 1 shard or more.")
        if shard_lifetime is not None and shard_lifetime <= 0:
            raise UsageError(
                f"stream_shard_lifetime of table {table} is {shard_lifetime} ns; it is positive, or None for no "
                "rollover."
            )
        super().__init__(world, bus, table)
        self.label, self.arn = _free_label(world, table)
        self.view_type = view_type
        self.schema = schema
        self._lifetime = shard_lifetime
        rng = world.timeline.rng(f"{self.name}/stream")
        self._number = 10**26 * (1 + rng.getrandbits(4)) + rng.getrandbits(40)
        self._shard_number = rng.getrandbits(30)
        self._listeners: list[Callable[[Shard], None]] = []
        self._payload = payload_maker(world, view_type, self.arn)
        self._every: list[Shard] = []
        self._open: list[Shard] = [self._new_shard(None) for _ in range(shard_count)]
        self._trimming = False
        self._created = world.timeline.now
        world.register(self)  # type: ignore[arg-type]

    # --- read --------------------------------------------------------------------------------------------------------

    @property
    def shards(self) -> list[Shard]:
        """The shards that can be read, open and closed, in the order in which they were opened."""
        return [shard for shard in self._every if not shard.expired]

    def parents(self, shard: Shard) -> list[Shard]:
        """The shard that this one goes on from, as long as it can be read: it is to be read first."""
        return [other for other in self.shards if other.id == shard.parent_shard_id]

    def listen(self, callback: Callable[[Shard], None]) -> None:
        """Call `callback(shard)` for each record that comes into a shard, and when one is opened or closed."""
        self._listeners.append(callback)

    def unlisten(self, callback: Callable[[Shard], None]) -> None:
        """Call it no more."""
        self._listeners.remove(callback)

    def event_payload(self, record: Record, role_arn: str) -> str:
        """The JSON text of one element of Lambda's `Records`; DynamoDB's names no role."""
        return record.payload

    # --- DynamoDB Streams ---------------------------------------------------------------------------------------------

    @operation
    def describe_stream(
        self,
        *,
        limit: int = 100,
        exclusive_start_shard_id: str | None = None,
        shard_filter: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """`{"StreamDescription": ...}` with up to `limit` (1 to 100) shards from behind `exclusive_start_shard_id` on.

        `shard_filter` is AWS's `{"Type": "CHILD_SHARDS", "ShardId": ...}`. Raises AwsError ValidationException.
        """
        check_limit(limit, 100)
        shards = self.shards
        if shard_filter is not None:
            parent = child_filter(shard_filter)
            shards = [shard for shard in shards if shard.parent_shard_id == parent]
        if exclusive_start_shard_id is not None:
            ids = [shard.id for shard in shards]
            shards = shards[ids.index(exclusive_start_shard_id) + 1 :] if exclusive_start_shard_id in ids else []
        description: dict[str, Any] = {
            "StreamArn": self.arn,
            "StreamLabel": self.label,
            "StreamStatus": "ENABLED" if self.enabled else "DISABLED",
            "StreamViewType": self.view_type,
            "CreationRequestDateTime": self._world.datetime(self._created),
            "TableName": self.resource,
            "KeySchema": self.schema.shown(),
            "Shards": [shown_shard(shard) for shard in shards[:limit]],
        }
        if len(shards) > limit:
            description["LastEvaluatedShardId"] = shards[limit - 1].id
        return {"StreamDescription": description}

    adescribe_stream = twin(describe_stream)

    @operation
    def get_shard_iterator(
        self,
        shard_id: str,
        shard_iterator_type: str,
        *,
        sequence_number: str | None = None,
        timestamp: datetime | float | None = None,
    ) -> dict[str, str]:
        """Where to read from: `{"ShardIterator"}`, good for 15 minutes.

        AT_ and AFTER_SEQUENCE_NUMBER take `sequence_number`, AT_TIMESTAMP `timestamp` (a datetime with a zone, or
        seconds since 1970). Raises AwsError ResourceNotFoundException, TrimmedDataAccessException, ValidationException.
        """
        shard = self._find(shard_id)
        position = position_of(self._world, shard, shard_iterator_type, sequence_number, timestamp)
        if shard is None:
            raise AwsError("ResourceNotFoundException", "Requested resource not found: Shard does not exist")
        return {"ShardIterator": iterator(self._world, self.arn, Place(shard.id, position))}

    aget_shard_iterator = twin(get_shard_iterator)

    @operation
    def get_records(self, shard_iterator: str, limit: int = READ_LIMIT) -> dict[str, Any]:
        """Up to `limit` (1 to 1,000) records, 1 MB in all: `{"Records", "NextShardIterator"}`.

        At the end of a closed shard there is no NextShardIterator. Raises AwsError ExpiredIteratorException,
        TrimmedDataAccessException, ResourceNotFoundException, ValidationException.
        """
        place = read_iterator(self._world, self.arn, shard_iterator)
        check_limit(limit, READ_LIMIT)
        shard = self._find(place.shard)
        if shard is None:
            raise AwsError("ResourceNotFoundException", "Invalid ShardId in ShardIterator")
        if place.position < shard.start:
            raise trimmed()
        records = shard.read(place.position, limit)
        answer: dict[str, Any] = {"Records": [shown_record(self._world, record) for record in records]}
        after = place.position + len(records)
        if not shard.drained(after):
            answer["NextShardIterator"] = iterator(self._world, self.arn, Place(shard.id, after))
        return answer

    aget_records = twin(get_records)

    def _find(self, shard_id: str) -> Shard | None:
        return next((shard for shard in self.shards if shard.id == shard_id), None)

    # --- write -------------------------------------------------------------------------------------------------------

    def put(self, change: Change, images: Images, event_id: str, parent: str | None) -> str:
        """Write a change down; returns its payload."""
        now = self._timeline.now
        shard = self._shard_of(change.key, now)
        number = self._next_number()
        payload = self._payload(change, images, event_id, (self._world.epoch_ns + now) // SECOND, number)
        shard.append(Record(number, event_id, now, parent, payload, key_text(change.key)))
        if not self._trimming:
            self._trimming = True
            self._timeline.background(now + RETENTION, self._trim)
        return payload

    @property
    def enabled(self) -> bool:
        """It takes records. A disabled stream can be read for 24 hours more, then it is gone."""
        return bool(self._open)

    def disable(self) -> None:
        """Close every shard."""
        closed, self._open = self._open, []
        for shard in closed:
            shard.close(str(self._number))
        for shard in closed:
            self._tell(shard)
        self._timeline.background(self._timeline.now + RETENTION, self._forget)

    def _forget(self, _: object) -> None:
        self._every = self.shards
        self._world.targets.pop(self.arn, None)

    def tell(self, key: Key) -> None:
        """Tell the listeners that the shard of that key has news."""
        if self._listeners and self._open:
            self._tell(self._open[self._place(key)])

    def _tell(self, shard: Shard) -> None:
        for callback in tuple(self._listeners):
            callback(shard)

    def _place(self, key: Key) -> int:
        return 0 if len(self._open) == 1 else partition(key[0])[0] * len(self._open) >> 8

    def _shard_of(self, key: Key, now: int) -> Shard:
        place = self._place(key)
        shard = self._open[place]
        if self._lifetime is not None and now >= shard.opened_at + self._lifetime:
            return self._roll_over(place, shard)
        return shard

    def _roll_over(self, place: int, old: Shard) -> Shard:
        old.close(str(self._number))
        new = self._open[place] = self._new_shard(old)
        self._tell(old)
        self._tell(new)
        return new

    def _new_shard(self, parent: Shard | None) -> Shard:
        self._shard_number += 1
        shard_id = f"shardId-{self._world.epoch_ms():020}-{self._shard_number:08x}"
        shard = Shard(self._timeline, shard_id, parent, self._next_number())
        self._every.append(shard)
        return shard

    def _next_number(self) -> str:
        self._number += 100
        return str(self._number)

    def _trim(self, _: object) -> None:
        """Drop what has expired, once an hour while there is something that will."""
        left = [shard.trim() for shard in self._every]  # those that go, too: a reader may have hold of them yet
        self._every = self.shards
        self._trimming = any(left)
        if self._trimming:
            self._timeline.background(self._timeline.now + HOUR, self._trim)


def _free_label(world: World, table: str) -> tuple[str, str]:
    """The stream's label, its time of creation, and its ARN; a millisecond later where that one is taken."""
    at = world.timeline.now
    while True:
        label = world.iso(at)[:-1]
        arn = f"{world.arn('dynamodb', table)}/stream/{label}"
        if arn not in world.targets:
            return label, arn
        at += MILLISECOND
