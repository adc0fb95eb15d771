"""DynamoDB Streams: what changed in a table, in shards that can be read for 24 hours.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import msgspec

from simbus.bus import Bus
from simbus.errors import UsageError
from simbus.kernel import HOUR, MILLISECOND, SECOND
from simbus.sources.base import Source
from simbus.sources.dynamodb_schema import Key, Schema, partition
from simbus.sources.dynamodb_shard import RETENTION, Record, Shard
from simbus.sources.dynamodb_values import Stored, attribute_order, clean, utf8_size
from simbus.world import World

VIEW_TYPES = ("KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES")
_json = msgspec.json.Encoder().encode
_BY_SERVICE = ',"userIdentity":{"type":"Service","principalId":"dynamodb.amazonaws.com"}'


class Change(NamedTuple):
    """One item that really changed. `event_name` is INSERT, MODIFY or REMOVE; `expired`: time to live deleted it."""

    event_name: str
    key: Key
    old: Stored | None
    new: Stored | None
    expired: bool = False


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
        self.label = world.iso()[:-1]
        self.arn = f"{world.arn('dynamodb', table)}/stream/{self.label}"
        self.view_type = view_type
        self.schema = schema
        self._lifetime = shard_lifetime
        rng = world.timeline.rng(f"{self.name}/stream")
        self._number = 10**26 * (1 + rng.getrandbits(4)) + rng.getrandbits(40)
        self._shard_number = rng.getrandbits(30)
        self._listeners: list[Callable[[Shard], None]] = []
        self._payload = payload_maker(world, schema, view_type, self.arn)
        self._every: list[Shard] = []
        self._open: list[Shard] = [self._new_shard(None) for _ in range(shard_count)]
        self._trimming = False

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

    # --- write -------------------------------------------------------------------------------------------------------

    def put(self, change: Change, event_id: str, parent: str | None) -> str:
        """Write a change down; returns its payload."""
        now = self._timeline.now
        shard = self._shard_of(change.key, now)
        number = self._next_number()
        payload = self._payload(change, event_id, (self._world.epoch_ns + now) // SECOND, number)
        shard.append(Record(number, event_id, now, parent, payload))
        if not self._trimming:
            self._trimming = True
            self._timeline.background(now + RETENTION, self._trim)
        return payload

    def tell(self, key: Key) -> None:
        """Tell the listeners that the shard of that key has news."""
        if self._listeners:
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
        self._every = self.shards
        left = [shard.trim() for shard in self._every]
        self._trimming = any(left)
        if self._trimming:
            self._timeline.background(self._timeline.now + HOUR, self._trim)


def payload_maker(
    world: World, schema: Schema, view_type: str | None, stream_arn: str | None
) -> Callable[[Change, str, int, str], str]:
    """A function of (change, event id, epoch second, sequence number) that makes the JSON text of a record.

    The order of the keys is that of the recordings (dynamodb_esm.json); SizeBytes is the size of the keys and of the
    images that are there. Without a stream (`view_type` None) the record has both images, but no
    sequence number and no stream.
    """
    names = attribute_order(schema.names)
    names_size = sum(map(utf8_size, names))
    with_new = view_type in (None, "NEW_IMAGE", "NEW_AND_OLD_IMAGES")
    with_old = view_type in (None, "OLD_IMAGE", "NEW_AND_OLD_IMAGES")
    middle = f'","eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"{world.account.region}","dynamodb":{{'
    view = "" if view_type is None else f',"StreamViewType":"{view_type}"'
    end = "}" if stream_arn is None else f',"eventSourceARN":"{stream_arn}"}}'

    def make(change: Change, event_id: str, second: int, number: str) -> str:
        name, _, old, new, expired = change
        written = new or old
        assert written is not None
        keys = {each: written[0][each] for each in names}
        size = names_size
        for value in keys.values():
            text = value.get("S")
            size += utf8_size(text) if text is not None else clean(value)[1]
        images: dict[str, Any] = {"Keys": keys}
        if with_new and new is not None:
            images["NewImage"] = new[0]
            size += new[1]
        if with_old and old is not None:
            images["OldImage"] = old[0]
            size += old[1]
        sequence = f',"SequenceNumber":"{number}"' if number else ""
        return (
            f'{{"eventID":"{event_id}","eventName":"{name}{middle}"ApproximateCreationDateTime":{second}.0,'
            f"{_json(images).decode()[1:-1]}{sequence},"
            f'"SizeBytes":{size}{view}}}'
            f"{_BY_SERVICE if expired else ''}{end}"
        )

    return make
