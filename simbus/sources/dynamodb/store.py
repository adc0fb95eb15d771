"""The items of a table, and what a write to them sets off: a change event, a stream record, an expiry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final, Literal

from simbus.bus import Bus
from simbus.errors import UsageError
from simbus.kernel import HOUR, MILLISECOND, SECOND
from simbus.model import ChangeEvent
from simbus.sources.base import Source
from simbus.sources.dynamodb.change import Change, image_maker, payload_maker
from simbus.sources.dynamodb.errors import no_table
from simbus.sources.dynamodb.index import Index, IndexSettings, indexes
from simbus.sources.dynamodb.order import KeyOrder, Place
from simbus.sources.dynamodb.schema import Key, check_types, key_text, schema
from simbus.sources.dynamodb.stream import ChangeStream
from simbus.sources.dynamodb.throughput import Throughput
from simbus.sources.dynamodb.values import Item, Stored, copy_item
from simbus.world import World

SERVICE: Final = "dynamodb.amazonaws.com"  # what time to live deletes is caused by
SHARD_LIFETIME: Final = 4 * HOUR
FIVE_YEARS: Final = 5 * 365 * 24 * HOUR
GIGABYTE: Final = 1 << 30
TRANSACTION_DURATION: Final = 5 * MILLISECOND
Status = Literal["CREATING", "ACTIVE", "UPDATING", "DELETING"]
FAR: Final = 1 << 60  # ns: longer than any run


class TableStore(Source):
    """A DynamoDB table without its operations.

    `hash_key` and `range_key` name the primary key, `attribute_types` the kinds (S, N or B; default S) of it and of the
    keys of the indexes, which are settings as `IndexSettings` has them.
    `stream_view_type` (KEYS_ONLY, NEW_IMAGE, OLD_IMAGE, NEW_AND_OLD_IMAGES) gives the table a `stream` of
    `stream_shard_count` shards that are followed by others every `stream_shard_lifetime` ns (None: never).
    `ttl_attribute` names a number attribute with an epoch second: `ttl_delay` ns after it (default 0; AWS: "within a
    few days") the item is deleted. `stream` is the one that is enabled, `latest_stream` the last that was.
    `transaction_duration` is how long (ns) a handler's transaction has its items after the call's latency: a second
    round, where a simple write has one. Raises UsageError for settings that CreateTable would refuse.
    """

    service = "dynamodb"

    def __init__(
        self,
        world: World,
        bus: Bus,
        name: str,
        *,
        hash_key: str,
        range_key: str | None = None,
        attribute_types: Mapping[str, str] | None = None,
        local_secondary_indexes: Iterable[Mapping[str, Any] | IndexSettings] = (),
        global_secondary_indexes: Iterable[Mapping[str, Any] | IndexSettings] = (),
        stream_view_type: str | None = None,
        stream_shard_count: int = 1,
        stream_shard_lifetime: int | None = SHARD_LIFETIME,
        ttl_attribute: str | None = None,
        ttl_delay: int = 0,
        transaction_duration: int = TRANSACTION_DURATION,
    ) -> None:
        if not 3 <= len(name) <= 255 or not all(each.isascii() and (each.isalnum() or each in "_.-") for each in name):
            raise UsageError(f"table name {name!r}: DynamoDB allows 3 to 255 letters, digits and _ . - only.")
        if ttl_delay < 0:
            raise UsageError(f"ttl_delay of table {name} is {ttl_delay} ns; it is 0 or more.")
        if transaction_duration < 0:
            raise UsageError(f"transaction_duration of table {name} is {transaction_duration} ns; it is 0 or more.")
        if ttl_delay and ttl_attribute is None:
            raise UsageError(f"table {name} has ttl_delay, but no ttl_attribute. Add the one, or remove the other.")
        super().__init__(world, bus, name)
        world.check_free(self)  # type: ignore[arg-type]
        types = dict(attribute_types or {})
        self.schema = schema(hash_key, range_key, types)
        self.indexes: dict[str, Index] = indexes(self.schema, types, local_secondary_indexes, global_secondary_indexes)
        check_types(types, (self.schema, *(index.schema for index in self.indexes.values())))
        self.ttl_attribute = ttl_attribute
        self.ttl_delay = ttl_delay
        self.stored: dict[Key, Stored] = {}
        self._stream_settings = stream_shard_count, stream_shard_lifetime
        self.stream = None if stream_view_type is None else self._new_stream(stream_view_type)
        self.latest_stream = self.stream
        self._images = image_maker(self.schema)
        self._plain_payload = payload_maker(world, None, None)
        self._order: KeyOrder | None = None
        self._expiries: dict[Key, int] = {}
        self.deleted = False
        self.status: Status = "ACTIVE"
        self._outage_until = 0  # `_out_until` is also set while its status is another one, so that it is looked at
        self.transaction_duration = transaction_duration
        self.throughput: Throughput | None = None  # None: on demand
        self.busy: set[Key] = set()  # the items of transactions that are under way

    def _new_stream(self, view_type: str) -> ChangeStream:
        return ChangeStream(self._world, self._bus, self.resource, self.schema, view_type, *self._stream_settings)

    def __len__(self) -> int:
        return len(self.stored)

    def __bool__(self) -> bool:
        return True

    def check_available(self) -> None:
        """Raise AwsError in an outage or when it is deleted, as each operation of the table does."""
        if self._out_until:
            self._check_available()

    def _check_available(self) -> None:
        if self.deleted or self.status == "CREATING":
            raise no_table()
        super()._check_available()

    @property
    def out_until(self) -> int:
        return self._outage_until

    def outage(self, duration: int) -> None:
        """Answer every operation of the table and of its stream with 503 for `duration` nanoseconds from now."""
        super().outage(duration)
        self._outage_until = max(self._outage_until, self._timeline.now + duration)
        if self.latest_stream is not None:
            self.latest_stream.outage(duration)

    def end(self) -> None:
        """The table is deleted. Who has it in hand still is refused; its stream can be read for 24 hours more."""
        self.deleted = True
        self._out_until = FAR
        self.stored.clear()
        self._expiries.clear()
        self._order = None
        if self.stream is not None:
            self.stream.disable()
            self.stream = None

    @property
    def items(self) -> list[Item]:
        """Copies of all items, in the order in which their keys were first written."""
        return [copy_item(item) for item, _ in self.stored.values()]

    @property
    def order(self) -> KeyOrder:
        """The keys in the order of queries and scans."""
        if self._order is None:
            self._order = KeyOrder(self.schema, self.schema, (Place(key, key) for key in self.stored))
        return self._order

    def collection(self, first: Any) -> dict[str, Any] | None:
        """AWS's ItemCollectionMetrics of a hash key; None in a table without local indexes.

        https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LSI.html#LSI.ItemCollections: the items and
        their entries in local indexes, as a range of whole gigabytes.
        """
        local = [index for index in self.indexes.values() if not index.is_global]
        if not local:
            return None
        found = [self.stored[key] for key in self.order.in_partition(first, None, forward=True, after=None)]
        size = sum(each[1] for each in found)
        size += sum(index.size(each) for index in local for each in found if index.at(each[0]) is not None)
        low = float(size // GIGABYTE)
        key_attribute = {self.schema.hash_key: {self.schema.hash_kind: first}}
        return {"ItemCollectionKey": key_attribute, "SizeEstimateRangeGB": [low, low + 1]}

    def write(self, key: Key, new: Stored | None, *, expired: bool = False) -> None:
        """Store an item (None: delete it) and say so, if that changes anything.

        Writing what is there already, and deleting what is not, makes no record (recording
        TestDynamoDBEventSourceMapping::test_dynamodb_event_filter[insert_same_entry_twice]).
        """
        old = self.stored.get(key)
        if new is None:
            if old is None:
                return
            del self.stored[key]
            change = Change("REMOVE", key, old, None, expired)
        elif old is None:
            self.stored[key] = new
            change = Change("INSERT", key, None, new)
        elif old[0] == new[0]:
            return
        else:
            self.stored[key] = new
            change = Change("MODIFY", key, old, new)
        if self._order is not None and change.event_name != "MODIFY":
            (self._order.remove if new is None else self._order.add)(Place(key, key))
        for index in self.indexes.values():
            index.changed(key, old, new)
        if self.ttl_attribute is not None and new is not None:
            self._plan_expiry(key, new[0])
        self._publish(change)

    def _publish(self, change: Change) -> None:
        """The change event's data has both images, whatever the stream shows, so that a replay can repeat the write."""
        event_id = self._rng.getrandbits(128).to_bytes(16).hex()
        parent = SERVICE if change.expired else self._cause[0]
        stream = self.stream
        images = self._images(change)
        payload = "" if stream is None else stream.put(change, images, event_id, parent)
        if stream is None or stream.view_type != "NEW_AND_OLD_IMAGES":
            payload = self._plain_payload(change, images, event_id, self._world.epoch_ms() // 1000, "")
        event = ChangeEvent(
            event_id,
            self._timeline.now,
            self.name,
            self.arn,
            change.event_name,
            key_text(change.key),
            parent,
            payload,
        )
        self._bus.publish(event)
        if stream is not None:
            stream.tell(change.key)

    # --- time to live ------------------------------------------------------------------------------------------------

    def watch_expiry(self, attribute: str | None) -> None:
        """Let that attribute say when an item expires; None: items stay."""
        self.ttl_attribute = attribute
        self._expiries.clear()
        if attribute is not None:
            for key, (item, _) in self.stored.items():
                self._plan_expiry(key, item)

    def _plan_expiry(self, key: Key, item: Item) -> None:
        """Look at the item again when it expires; an earlier look that is planned already finds this one then."""
        when = self._expires_at(item)
        planned = self._expiries.get(key)
        if when is not None and (planned is None or when < planned):
            self._expiries[key] = when
            self._timeline.background(when, self._look_for_expiry, (key, when))

    def _look_for_expiry(self, look: tuple[Key, int]) -> None:
        key, planned = look
        if self._expiries.get(key) != planned:
            return  # a later write asked for an earlier look, which has been
        del self._expiries[key]
        found = self.stored.get(key)
        if found is None:
            return
        when = self._expires_at(found[0])
        if when is not None and when <= self._timeline.now:
            self.write(key, None, expired=True)
        else:
            self._plan_expiry(key, found[0])

    def _expires_at(self, item: Item) -> int | None:
        """When the item goes, in virtual time. None: never, for it has no such number or one over 5 years old.

        https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-before-you-start.html
        """
        assert self.ttl_attribute is not None
        value = item.get(self.ttl_attribute)
        if value is None or "N" not in value:
            return None
        due = int(Decimal(value["N"])) * SECOND - self._world.epoch_ns
        now = self._timeline.now
        if due > FAR or due < now - FIVE_YEARS:
            return None
        return max(due + self.ttl_delay, now)
