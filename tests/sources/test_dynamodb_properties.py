"""What holds for every table and its stream, whatever is written: found by Hypothesis."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

from dynamodb_stubs import Stage, payloads
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from simbus.errors import AwsError
from simbus.kernel import HOUR, MINUTE
from simbus.sources.dynamodb.stream import ChangeStream

Item = dict[str, Any]
scalars = st.one_of(
    st.integers(-(10**6), 10**6).map(lambda number: {"N": str(number)}),
    st.text(max_size=4).map(lambda text: {"S": text}),
    st.binary(max_size=4).map(lambda content: {"B": content}),
    st.booleans().map(lambda truth: {"BOOL": truth}),
    st.just({"NULL": True}),
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=2).map(lambda each: {"L": each})
        | st.dictionaries(st.text(max_size=2), inner, max_size=2).map(lambda each: {"M": each})
    ),
    max_leaves=4,
)
keys = st.integers(0, 4)
attributes = st.dictionaries(st.sampled_from(["a", "b", "ü"]), values, max_size=3)


def key(number: int) -> Item:
    return {"id": {"S": str(number)}}


class TableIsADictionary(RuleBasedStateMachine):
    """A table is a dictionary of items by key; its stream is what changed in it, in order, for 24 hours."""

    @initialize(shards=st.integers(1, 3), lifetime=st.sampled_from([None, 30 * MINUTE, 4 * HOUR]))
    def start(self, shards: int, lifetime: int | None) -> None:
        self.stage = Stage()
        self.table = self.stage.stream(stream_shard_count=shards, stream_shard_lifetime=lifetime)
        self.model: dict[str, Item] = {}
        self.changes: list[tuple[int, str, str, Item | None, Item | None]] = []

    def change(self, number: int, new: Item | None) -> None:
        """Note what the model expects of a write."""
        name = str(number)
        old = self.model.pop(name, None)
        if new is not None:
            self.model[name] = new
        if old != new:
            kind = "INSERT" if old is None else "REMOVE" if new is None else "MODIFY"
            self.changes.append((self.stage.timeline.now, kind, name, old, new))

    @rule(number=keys, more=attributes)
    def put(self, number: int, more: Item) -> None:
        self.table.put_item({**key(number), **more})
        self.change(number, {**key(number), **more})

    @rule(number=keys)
    def delete(self, number: int) -> None:
        self.table.delete_item(key(number))
        self.change(number, None)

    @rule(number=keys)
    def put_again(self, number: int) -> None:
        if str(number) in self.model:
            self.table.put_item(self.model[str(number)])

    @rule(numbers=st.lists(keys, unique=True, min_size=1), more=attributes, atomic=st.booleans())
    def write_many(self, numbers: list[int], more: Item, atomic: bool) -> None:
        """The first is deleted, the others are put."""
        items = [None] + [{**key(number), **more} for number in numbers[1:]]
        first, *others = zip(numbers, items, strict=True)
        if atomic:
            puts: list[Item] = [{"Put": {"Item": item}} for _, item in others]
            self.table.transact_write_items([{"Delete": {"Key": key(first[0])}}, *puts])
        else:
            puts = [{"PutRequest": {"Item": item}} for _, item in others]
            self.table.batch_write_item([{"DeleteRequest": {"Key": key(first[0])}}, *puts])
        for number, item in (first, *others):
            self.change(number, item)

    @rule(number=keys, more=attributes)
    def transaction_that_is_refused(self, number: int, more: Item) -> None:
        actions: list[Item] = [{"Put": {"Item": {**key(number), **more}}}, {"Put": {"Item": {"id": {"N": "1"}}}}]
        try:
            self.table.transact_write_items(actions)
        except AwsError:
            return
        raise AssertionError("a transaction with an invalid item was done")

    @rule(minutes=st.integers(1, 600))
    def wait(self, minutes: int) -> None:
        self.stage.timeline.run(until=self.stage.timeline.now + minutes * MINUTE)

    @invariant()
    def the_table_is_the_model(self) -> None:
        assert {item["id"]["S"]: item for item in self.table.items} == self.model
        scanned = self.table.scan()
        assert {item["id"]["S"]: item for item in scanned["Items"]} == self.model
        assert [self.table.get_item(key(number)) for number in range(5)] == [
            {"Item": self.model[str(number)]} if str(number) in self.model else {} for number in range(5)
        ]

    @invariant()
    def the_stream_is_what_changed_within_24_hours(self) -> None:
        now = self.stage.timeline.now
        expected = [change[1:] for change in self.changes if change[0] > now - 24 * HOUR]
        found = sorted(read(self.table.stream), key=lambda record: int(record["dynamodb"]["SequenceNumber"]))
        assert [
            (
                each["eventName"],
                each["dynamodb"]["Keys"]["id"]["S"],
                each["dynamodb"].get("OldImage"),
                each["dynamodb"].get("NewImage"),
            )
            for each in found
        ] == expected

    @invariant()
    def sequence_numbers_grow_along_a_shard_and_its_child(self) -> None:
        stream = self.table.stream
        assert stream is not None
        for shard in stream.shards:
            numbers = [int(record.sequence_number) for record in shard.read(0, 10**6, 1 << 40)]
            assert numbers == sorted(set(numbers))
            for parent in stream.parents(shard):
                assert parent.closed
                assert int(str(parent.ending_sequence_number)) < int(shard.starting_sequence_number)
            if numbers:
                assert int(shard.starting_sequence_number) < numbers[0]


def read(stream: ChangeStream | None) -> list[Item]:
    """Every record of a stream through its API, shard by shard, page by page."""
    assert stream is not None
    found: list[Item] = []
    for shard in stream.describe_stream()["StreamDescription"]["Shards"]:
        iterator = stream.get_shard_iterator(shard["ShardId"], "TRIM_HORIZON").get("ShardIterator")
        while iterator is not None:
            answer = stream.get_records(iterator, limit=3)
            found += answer["Records"]
            iterator = answer.get("NextShardIterator") if answer["Records"] else None
    return found


TestTableIsADictionary = TableIsADictionary.TestCase


def size(value: Item) -> int:
    """The size of a value in a payload's JSON, told anew from the developer guide's rules and the recordings."""
    ((kind, content),) = value.items()
    if kind == "S":
        return len(content.encode())
    if kind == "N":
        digits = content.lstrip("-").strip("0")
        return (len(digits) + 1) // 2 + 1 + content.startswith("-")
    if kind == "B":
        return len(b64decode(content))
    if kind == "L":
        return 3 + sum(1 + size(each) for each in content)
    if kind == "M":
        return 3 + sum(1 + len(name.encode()) + size(each) for name, each in content.items())
    return 1


@given(
    st.lists(st.tuples(keys, st.none() | attributes), max_size=8),
    st.sampled_from(["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"]),
)
def test_size_bytes_is_the_size_of_keys_and_images(steps: list[tuple[int, Item | None]], view: str) -> None:
    """SizeBytes counts names and values of the keys and of the images that are there (reference 7.2)."""
    table = Stage().stream(view)
    for number, more in steps:
        if more is None:
            table.delete_item(key(number))
        else:
            table.put_item({**key(number), **more})
    for record in payloads(table):
        change = record["dynamodb"]
        images = [change[name] for name in ("Keys", "NewImage", "OldImage") if name in change]
        assert change["SizeBytes"] == sum(
            len(name.encode()) + size(value) for image in images for name, value in image.items()
        )
