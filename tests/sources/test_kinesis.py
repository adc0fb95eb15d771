"""Kinesis streams, records put and read: reference section 7.3, Kinesis API reference and developer guide."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from hashlib import md5

import pytest
from aws_recorded import equal, fill, load_case
from worlds import Worldlet

from simbus import Simulation
from simbus.errors import AwsError, UsageError
from simbus.kernel import HOUR, MILLISECOND, MINUTE, SECOND
from simbus.model import ChangeEvent
from simbus.sources.kinesis.sequence import Sequence, parts_of
from simbus.sources.kinesis.stream import Stream
from simbus.world import Delivery

HASH_KEYS = 1 << 128
ROLE = "arn:aws:iam::111111111111:role/r"


def stream_of(shard_count: int = 1, **settings) -> tuple[Worldlet, Stream]:
    w = Worldlet()
    return w, w.stream("clicks", shard_count=shard_count, **settings)


def data_of(records) -> list[bytes]:
    return [record.data for record in records]


# --- put -----------------------------------------------------------------------------------------------------------


def test_a_record_goes_to_the_shard_of_its_hash_key():
    """The MD5 of the partition key is a number of 128 bits; the shard is the one whose hash key range holds it
    (Kinesis API reference, PutRecord)."""
    _, stream = stream_of(4)
    ranges = [shard.hash_range for shard in stream.shards]
    assert [(found.start, found.end) for found in ranges] == [
        (n * HASH_KEYS // 4, (n + 1) * HASH_KEYS // 4 - 1) for n in range(4)
    ]
    for n in range(50):
        key = f"user-{n}"
        at = int(md5(key.encode(), usedforsecurity=False).hexdigest(), 16)
        answer = stream.put_record(b"x", key)
        (number,) = [number for number, found in enumerate(ranges) if found.start <= at <= found.end]
        assert answer["ShardId"] == f"shardId-{number:012d}"
    assert {shard.id for shard in stream.shards if shard.end} == {f"shardId-{n:012d}" for n in range(4)}


def test_an_explicit_hash_key_overrides_the_partition_key():
    """ExplicitHashKey: "the hash value used to explicitly determine the shard" (API reference, PutRecord)."""
    _, stream = stream_of(2)
    for hash_key, shard in (("0", 0), (str(HASH_KEYS // 2 - 1), 0), (str(HASH_KEYS // 2), 1), (str(HASH_KEYS - 1), 1)):
        answer = stream.put_record(b"x", "same", explicit_hash_key=hash_key)
        assert answer["ShardId"] == f"shardId-{shard:012d}"


def test_what_a_record_may_hold():
    """Bytes are kept as they are, text is UTF-8, anything else JSON text; a blob may be empty (recorded:
    LocalStack's TestKinesis::test_record_lifecycle_data_integrity, 25-08-2022)."""
    _, stream = stream_of()
    for data in (b"\x00\xff", "üñ 💣", {"page": "/", "n": 1}, [1, None], "", 5):
        stream.put_record(data, "k")
    assert data_of(stream.records) == [b"\x00\xff", "üñ 💣".encode(), b'{"page":"/","n":1}', b"[1,null]", b"", b"5"]
    with pytest.raises(UsageError, match="is object, which is no JSON"):
        stream.put_record(object(), "k")


def test_sequence_numbers_have_the_form_of_aws():
    """56 digits; mhart/kinesalite found what they hold, and the sample in AWS's documents agrees: it came at
    1545084650.987, into shard 6 (Lambda developer guide, "Process Amazon Kinesis Data Streams records")."""
    sample = parts_of("49590338271490256608559692538361571095921575989136588898")
    assert sample is not None
    assert (sample.shard, sample.time) == (6, 1545084650)
    index = 49590338271490256608559692538361571095921575989136588898 >> 80 & (1 << 64) - 1
    assert Sequence(6, sample.created, 0).at(index - 1, sample.time) == (
        "49590338271490256608559692538361571095921575989136588898"
    )
    assert datetime.fromtimestamp(sample.created, UTC).date().isoformat() == "2018-11-21"
    w, stream = stream_of(3)
    w.timeline.at(90 * SECOND, lambda _: stream.put_record(b"x", "k", explicit_hash_key=str(HASH_KEYS - 1)))
    w.timeline.run()
    (record,) = stream.records
    start = int(w.world.start.timestamp())
    assert len(record.sequence_number) == 56
    assert parts_of(record.sequence_number) == (2, start, start + 90)
    assert int(record.sequence_number) > int(stream.shards[2].starting_sequence_number)


def test_put_records_answers_each_record_on_its_own():
    """FailedRecordCount and one answer a record, in the order of the request; the request as a whole succeeds
    (API reference, PutRecords)."""
    _, stream = stream_of(2)
    answer = stream.put_records(
        [
            {"data": b"a", "partition_key": "a", "explicit_hash_key": "0"},
            {"Data": b"b", "PartitionKey": "b", "ExplicitHashKey": str(HASH_KEYS - 1)},
        ]
    )
    first, second = stream.records
    assert answer == {
        "FailedRecordCount": 0,
        "Records": [
            {"SequenceNumber": first.sequence_number, "ShardId": "shardId-000000000000"},
            {"SequenceNumber": second.sequence_number, "ShardId": "shardId-000000000001"},
        ],
    }


def test_a_record_is_a_change_event_with_its_cause():
    """The change event holds all that a repetition of the put needs, and the request id of the handler that put it."""
    w, stream = stream_of()
    w.actor("request-1")
    stream.put_record(b"\x01", "k", explicit_hash_key="7")
    w.timeline.actor = None
    ((event_id, time, source, kind, subject, parent, data),) = w.rows.events
    (record,) = stream.records
    assert (event_id, source, kind, subject, parent) == (
        record.event_id,
        "kinesis:clicks",
        "PutRecord",
        "k",
        "request-1",
    )
    assert time == w.world.epoch_ms()
    assert (record.parent, record.lineage) == ("request-1", None)  # loop detection does not follow Kinesis
    assert json.loads(data) == {
        "shardId": "shardId-000000000000",
        "sequenceNumber": record.sequence_number,
        "partitionKey": "k",
        "explicitHashKey": "7",
        "data": "AQ==",
    }


# --- the record as Lambda sees it ----------------------------------------------------------------------------------


def test_the_payload_byte_for_byte():
    """Reference section 15.3; key order as recorded in TestKinesisSource on 25-11-2025."""
    w, stream = stream_of()
    w.timeline.at(1_987 * MILLISECOND, lambda _: stream.put_record("hello", 'test"0'))
    w.timeline.run()
    (record,) = stream.records
    number = record.sequence_number
    assert stream.event_payload(record, ROLE) == (
        '{"kinesis":{"kinesisSchemaVersion":"1.0","partitionKey":"test\\"0","sequenceNumber":"' + number + '",'
        '"data":"aGVsbG8=","approximateArrivalTimestamp":1767225601.987},"eventSource":"aws:kinesis",'
        '"eventVersion":"1.0","eventID":"shardId-000000000000:' + number + '","eventName":"aws:kinesis:record",'
        '"invokeIdentityArn":"arn:aws:iam::111111111111:role/r","awsRegion":"us-east-1",'
        '"eventSourceARN":"arn:aws:kinesis:us-east-1:111111111111:stream/clicks"}'
    )


def test_every_reader_gets_the_same_payload():
    """A stream may have several readers (developer guide): one that reads later gets what the first one got."""
    _, stream = stream_of()
    stream.listen(lambda shard: None)
    stream.put_record("hello", "user")
    (record,) = stream.records
    assert stream.event_payload(record, ROLE) == stream.event_payload(record, ROLE)
    assert '"data":"aGVsbG8="' in stream.event_payload(record, ROLE)


@pytest.mark.parametrize(
    "name", ["with_async_invocation", "test_disable_kinesis_event_source_mapping", "single_kinesis_event_stream"]
)
def test_payloads_are_those_recorded(name: str):
    """Every record that AWS handed to a function, from the put that the recorded test made (kinesis_esm.json)."""
    case = load_case("kinesis_esm", name)
    w = Worldlet()
    stream = w.stream("stream-1", shard_count=1)
    for step in fill(case["inputs"]):
        for _ in range(step.get("times", 1)):
            for record in step["params"].get("Records") or [step["params"]]:
                stream.put_record(record["Data"], record["PartitionKey"])
    recorded = [record for event in _events(case["recorded"]) for record in event["Records"]]
    produced = [json.loads(stream.event_payload(record, ROLE)) for record in stream.records]
    assert recorded
    equal(recorded, produced[: len(recorded)])


def _events(recorded):
    """The recorded events of a function, wherever they stand in the case; of several functions those of the first."""
    found = next(iter(recorded.values()))
    return [event.get("event", event) for event in (found if isinstance(found, list) else [found])]


# --- read ----------------------------------------------------------------------------------------------------------


def test_five_ways_to_begin():
    """TRIM_HORIZON, LATEST, AT_ and AFTER_SEQUENCE_NUMBER, AT_TIMESTAMP (API reference, GetShardIterator)."""
    w, stream = stream_of()
    for n in range(4):
        w.timeline.at(n * SECOND, lambda _, n=n: stream.put_record(str(n), "k"))
    w.timeline.run()
    (shard,) = stream.shards
    number = shard.records[2].sequence_number
    epoch = w.world.start.timestamp()

    def read(kind: str, **more) -> str:
        iterator = stream.get_shard_iterator(shard.id, kind, **more)["ShardIterator"]
        w.timeline.now += SECOND  # five calls a second are the limit
        return "".join(record["Data"].decode() for record in stream.get_records(iterator)["Records"])

    assert read("TRIM_HORIZON") == "0123"
    assert read("LATEST") == ""
    assert read("AT_SEQUENCE_NUMBER", starting_sequence_number=number) == "23"
    assert read("AFTER_SEQUENCE_NUMBER", starting_sequence_number=number) == "3"
    assert read("AT_SEQUENCE_NUMBER", starting_sequence_number=shard.starting_sequence_number) == "0123"
    assert read("AT_TIMESTAMP", timestamp=epoch + 1) == "123"
    assert read("AT_TIMESTAMP", timestamp=epoch + 1.5) == "23"
    assert read("AT_TIMESTAMP", timestamp=datetime.fromtimestamp(epoch + 2, UTC)) == "23"
    assert read("AT_TIMESTAMP", timestamp=0.0) == "0123"  # older than the oldest: TRIM_HORIZON
    latest = stream.get_shard_iterator(shard.id, "LATEST")["ShardIterator"]
    stream.put_record("new", "k")
    assert data_of(stream.records)[-1] == b"new"
    assert [record["Data"] for record in stream.get_records(latest)["Records"]] == [b"new"]


def test_readers_within_the_process():
    """The interface that an event source mapping reads a stream through: positions, what is unread, how old it is."""
    w, stream = stream_of()
    heard = []
    stream.listen(heard.append)
    (shard,) = stream.shards
    for n in range(5):
        w.timeline.at(n * SECOND, lambda _, n=n: stream.put_record(bytes([n]) * 10, "k"))
    w.timeline.run()
    assert heard == [shard] * 5
    assert (shard.start, shard.end, shard.closed) == (0, 5, False)
    assert data_of(shard.read(3, 100, 1_000)) == [b"\x03" * 10, b"\x04" * 10]
    assert len(shard.read(0, 2, 1_000)) == 2
    assert len(shard.read(0, 100, 33)) == 3  # data and partition key are 11 bytes
    assert len(shard.read(0, 100, 1)) == 1  # one that is larger alone comes alone
    assert (shard.unread(2), shard.unread(5)) == (3, 0)
    assert (shard.age(0), shard.age(3), shard.age(5)) == (4 * SECOND, SECOND, 0)
    assert [shard.position(kind) for kind in ("TRIM_HORIZON", "LATEST")] == [0, 5]
    assert shard.position("AT_TIMESTAMP", 2 * SECOND) == 2
    assert not shard.drained(5)  # an open shard never is
    stream.unlisten(heard.append)
    stream.put_record(b"", "k")
    assert len(heard) == 5


def test_expired_records_are_gone_and_positions_stay():
    """A record is readable for the retention period, 24 hours by default, and its memory is given back though nobody
    reads (developer guide, "Change the data retention period")."""
    w, stream = stream_of()
    (shard,) = stream.shards
    for n in range(100):
        w.timeline.at(n * MINUTE, lambda _, n=n: stream.put_record(str(n), "k"))
    w.timeline.run()
    w.timeline.run(until=24 * HOUR + 10 * MINUTE)
    assert (shard.start, shard.end, shard.unread(0)) == (11, 100, 89)
    assert data_of(shard.read(0, 2)) == [b"11", b"12"]
    assert data_of(shard.read(50, 1)) == [b"50"]
    assert shard.position("AT_TIMESTAMP", 0) == 11
    w.timeline.run(until=30 * HOUR)
    assert (shard.start, shard.end, shard.records) == (100, 100, [])
    assert shard._records == []
    stream.put_record("later", "k")
    assert (shard.start, shard.end, data_of(shard.read(100, 9))) == (100, 101, [b"later"])


def test_the_end_of_a_closed_shard_names_its_children():
    """At the end of a closed shard there is no NextShardIterator, but ChildShards (API reference, GetRecords)."""
    w, stream = stream_of(2)
    stream.put_record("old", "k", explicit_hash_key="0")
    stream.merge_shards("0", "1")
    w.timeline.run()
    iterator = stream.get_shard_iterator("0", "TRIM_HORIZON")["ShardIterator"]
    answer = stream.get_records(iterator)
    assert [record["Data"] for record in answer["Records"]] == [b"old"]
    assert "NextShardIterator" not in answer
    assert answer["ChildShards"] == [
        {
            "ShardId": "shardId-000000000002",
            "ParentShards": ["shardId-000000000000", "shardId-000000000001"],
            "HashKeyRange": {"StartingHashKey": "0", "EndingHashKey": str(HASH_KEYS - 1)},
        }
    ]
    open_shard = stream.get_records(stream.get_shard_iterator("2", "LATEST")["ShardIterator"])
    assert "ChildShards" not in open_shard
    assert "NextShardIterator" in open_shard


# --- split and merge -----------------------------------------------------------------------------------------------


def test_split_closes_the_parent_and_opens_two_children():
    """The stream is UPDATING for a while; then the parent is CLOSED and readable, new records go to the children
    (developer guide, "Split a shard")."""
    w, stream = stream_of()
    heard = []
    stream.put_record("old", "k", explicit_hash_key="5")
    stream.listen(heard.append)
    stream.split_shard("shardId-000000000000", str(1 << 127))
    stream.put_record("still old", "k", explicit_hash_key="5")
    heard.clear()
    assert stream.describe_stream_summary()["StreamDescriptionSummary"]["StreamStatus"] == "UPDATING"
    w.timeline.run()
    parent, low, high = stream.shards
    assert heard == [parent, low, high]
    assert (parent.closed, low.closed, high.closed) == (True, False, False)
    assert stream.parents(low) == stream.parents(high) == [parent]
    assert stream.parents(parent) == []
    assert stream.children(parent) == [low, high]
    assert (low.hash_range.start, low.hash_range.end + 1, high.hash_range.end) == (0, 1 << 127, HASH_KEYS - 1)
    assert high.hash_range.start == 1 << 127
    assert stream.put_record("new", "k", explicit_hash_key="5")["ShardId"] == low.id
    assert data_of(parent.records) == [b"old", b"still old"]
    assert not parent.drained(1)
    assert parent.drained(2)
    assert int(low.starting_sequence_number) > int(parent.records[-1].sequence_number)


def test_merge_closes_both_parents_and_opens_one_child():
    """MergeShards makes one shard of two whose hash key ranges are adjacent (API reference)."""
    w, stream = stream_of(2)
    stream.merge_shards("shardId-000000000000", "shardId-000000000001")
    w.timeline.run()
    low, high, child = stream.shards
    assert (low.closed, high.closed, child.closed) == (True, True, False)
    assert (child.hash_range.start, child.hash_range.end) == (0, HASH_KEYS - 1)
    assert stream.parents(child) == [low, high]
    shown = stream.list_shards()["Shards"][2]
    assert (shown["ParentShardId"], shown["AdjacentParentShardId"]) == (low.id, high.id)


@pytest.mark.parametrize("filled", [True, False])
def test_a_closed_shard_goes_when_its_records_have_expired(filled: bool):
    """CLOSED becomes EXPIRED after the retention period: the shard is no longer listed (developer guide, "After a
    reshard"); its children have no parent to wait for any more, and a reader that stood in it is through."""
    w, stream = stream_of()
    if filled:
        stream.put_record("old", "k")
    stream.split_shard("shardId-000000000000", str(1 << 127))
    w.timeline.run()
    parent = stream.shards[0]
    w.timeline.run(until=24 * HOUR)
    assert parent.drained(0)
    w.timeline.run(until=26 * HOUR)
    assert [shard.number for shard in stream.shards] == [1, 2]
    assert stream.parents(stream.shards[0]) == []
    assert stream.shard(parent.id) is None


# --- doors ---------------------------------------------------------------------------------------------------------


def test_a_stream_in_a_simulation(sim: Simulation):
    """`sim.stream` makes it, `sim["kinesis:clicks"]` finds it, `sim.at` reshards it while it runs."""
    stream = sim.stream("clicks", shard_count=1)
    assert sim["kinesis:clicks"] is stream
    assert stream.arn == "arn:aws:kinesis:us-east-1:000000000000:stream/clicks"
    sim.at("5m", lambda: stream.split_shard("shardId-000000000000", str(1 << 127)))
    sim.run()
    assert [shard.closed for shard in stream.shards] == [True, False, False]
    assert (stream.batch_info_key, stream.poll_interval) == ("KinesisBatchInfo", SECOND)
    with pytest.raises(UsageError, match="kinesis:clicks exists already"):
        sim.stream("clicks", shard_count=1)


def test_a_handler_puts_a_record(sim: Simulation):
    """A handler's put carries its request id, so that the chain of events can be followed."""
    stream = sim.stream("clicks", shard_count=1)

    def handler(event, context):
        return stream.put_record(event, "k")["ShardId"]

    function = sim.function("f", handler=handler)
    answer = function.invoke({"page": "/"})
    assert json.loads(answer.payload) == "shardId-000000000000"
    (record,) = stream.records
    assert (record.parent, record.data) == (function.invocations[0].request_id, b'{"page":"/"}')


def test_a_target_of_eventbridge():
    """Without a PartitionKeyPath EventBridge uses the event's id as partition key (EventBridge API reference,
    KinesisParameters); with one, its value. Throughput limits hold for it as for everybody."""
    _, stream = stream_of()
    event = ChangeEvent("event-1", 0, "events:default", "arn", "PutEvents", None, "request-1", "{}")
    delivery = Delivery('{"a":1}', "events.amazonaws.com", "arn", event=event)
    stream.accept(delivery)
    delivery.group_id = "user-1"
    stream.accept(delivery)
    assert [(r.partition_key, r.data, r.parent) for r in stream.records] == [
        ("event-1", b'{"a":1}', "event-1"),
        ("user-1", b'{"a":1}', "event-1"),
    ]
    for _ in range(998):
        stream.accept(delivery)
    with pytest.raises(AwsError, match="ProvisionedThroughputExceededException"):
        stream.accept(delivery)
    stream.outage(SECOND)
    with pytest.raises(AwsError, match="kinesis:clicks is out of service"):
        stream.accept(delivery)


def test_a_rule_that_sends_events_to_a_stream(sim: Simulation):
    """PartitionKeyPath leads to the partition key, without it the event's id is one; what the shard has no room for is
    delivered later, as EventBridge retries throttles (EventBridge user guide, "How EventBridge retries")."""
    stream = sim.stream("clicks", shard_count=1)
    keyed = {"arn": "kinesis:clicks", "kinesis_parameters": {"partition_key_path": "$.detail.user"}}
    rules = {
        "keyed": {"event_pattern": {"source": ["shop"]}, "targets": [keyed]},
        "plain": {"event_pattern": {"source": ["job"]}, "targets": [stream]},
    }
    bus = sim.event_bus("default", rules=rules)
    (entry,) = bus.put_events([{"source": "job", "detail_type": "t", "detail": {}}])["Entries"]
    for n in range(1500):
        bus.put_events([{"source": "shop", "detail_type": "t", "detail": {"user": f"user-{n}"}}])
    assert len(stream.records) == 1000
    sim.run()
    assert len(stream.records) == 1501
    assert [stream.records[n].partition_key for n in (0, 1)] == [entry["EventId"], "user-0"]
    assert {record.partition_key for record in stream.records[1:]} == {f"user-{n}" for n in range(1500)}
    assert json.loads(stream.records[1].data)["detail"] == {"user": "user-0"}
