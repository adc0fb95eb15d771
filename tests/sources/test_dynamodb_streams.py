"""The stream of a table: view types, sizes, shards, retention, time to live."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from dynamodb_stubs import Stage, payloads, records

from simbus.kernel import HOUR, MINUTE, SECOND
from simbus.sources.dynamodb.shard import Shard

OLD = {"id": {"S": "Fred"}, "n": {"N": "1"}}
NEW = {"id": {"S": "Fred"}, "n": {"N": "22"}}
KEY = {"id": {"S": "Fred"}}


@pytest.mark.parametrize(
    ("view", "images"),
    [
        ("KEYS_ONLY", [set(), set(), set()]),
        ("NEW_IMAGE", [{"NewImage"}, {"NewImage"}, set()]),
        ("OLD_IMAGE", [set(), {"OldImage"}, {"OldImage"}]),
        ("NEW_AND_OLD_IMAGES", [{"NewImage"}, {"NewImage", "OldImage"}, {"OldImage"}]),
    ],
)
def test_images_by_view_type(view: str, images: list[set[str]]) -> None:
    """INSERT has a new image, REMOVE an old one, MODIFY both, as far as the view type goes (guide, Streams)."""
    table = Stage().stream(view)
    table.put_item(OLD)
    table.put_item(NEW)
    table.delete_item(KEY)
    found = payloads(table)
    assert [each["eventName"] for each in found] == ["INSERT", "MODIFY", "REMOVE"]
    assert [{key for key in each["dynamodb"] if key.endswith("Image")} for each in found] == images
    assert all(each["dynamodb"]["Keys"] == KEY and each["dynamodb"]["StreamViewType"] == view for each in found)


def test_size_bytes() -> None:
    """SizeBytes counts keys and present images, names and values (recordings 12, 26 and 46 of test_*_streaming)."""
    sizes = {}
    for view in ("KEYS_ONLY", "NEW_IMAGE", "NEW_AND_OLD_IMAGES"):
        table = Stage().table(hash_key="Username", stream_view_type=view)
        table.put_item({"Username": {"S": "Fred"}})
        table.put_item({"Username": {"S": "Fred"}, "S": {"S": "Fred"}})
        sizes[view] = [each["dynamodb"]["SizeBytes"] for each in payloads(table)]
    assert sizes == {"KEYS_ONLY": [12, 12], "NEW_IMAGE": [24, 29], "NEW_AND_OLD_IMAGES": [24, 41]}


def test_record_identity() -> None:
    """eventID is 32 hex digits, sequence numbers have 21 to 40 digits and grow, times are whole seconds (7.2)."""
    stage = Stage(datetime(2026, 1, 1, 0, 0, 0, 700_000, UTC))
    table = stage.stream()
    for number in range(20):
        table.put_item({"id": {"S": str(number)}})
        stage.timeline.now += SECOND // 2
    found = payloads(table)
    numbers = [each["dynamodb"]["SequenceNumber"] for each in found]
    assert all(21 <= len(number) <= 40 for number in numbers)
    assert [int(number) for number in numbers] == sorted({int(number) for number in numbers})
    assert len({each["eventID"] for each in found}) == 20
    assert all(len(bytes.fromhex(each["eventID"])) == 16 for each in found)
    assert [each["dynamodb"]["ApproximateCreationDateTime"] - 1767225600 for each in found[:4]] == [0, 1, 1, 2]
    assert isinstance(found[0]["dynamodb"]["ApproximateCreationDateTime"], float)


def test_same_seed_same_records() -> None:
    """A run is repeated to the byte by its seed, and only by it."""

    def text(seed: int) -> list[str]:
        table = Stage(seed=seed).stream()
        table.put_item(OLD)
        return [record.payload for record in records(table)]

    assert text(1) == text(1) != text(2)


def test_change_event_has_the_record_and_its_id() -> None:
    """The row of a change event has the stream record as its data and the record's eventID as its id."""
    stage = Stage()
    table = stage.stream()
    table.put_item(OLD)
    (record,), (row,) = records(table), stage.rows.events
    assert (row[0], row[2], row[3], row[4], row[6]) == (
        record.event_id,
        "dynamodb:items",
        "INSERT",
        "Fred",
        record.payload,
    )


def test_stream_arn() -> None:
    """The stream's ARN ends in its label, the time of its making (15.2 of the reference)."""
    table = Stage().stream()
    assert table.stream is not None
    assert table.stream.arn == "arn:aws:dynamodb:us-east-1:111111111111:table/items/stream/2026-01-01T00:00:00.000"
    table.put_item(OLD)
    assert payloads(table)[0]["eventSourceARN"] == table.stream.arn


def test_read_by_position_limit_and_size() -> None:
    """GetRecords gives up to so many records and bytes, and at least one."""
    table = Stage().stream()
    for number in range(5):
        table.put_item({"id": {"S": str(number)}})
    assert table.stream is not None
    (shard,) = table.stream.shards
    one = len(shard.read(0)[0].payload)
    assert [len(shard.read(*given)) for given in ((0,), (3,), (5,), (0, 2), (0, 9, 2 * one), (0, 9, 1))] == [
        *(5, 2, 0, 2, 2, 1)
    ]
    number = shard.read(2)[0].sequence_number
    assert [shard.position(kind, number) for kind in ("TRIM_HORIZON", "LATEST")] == [0, 5]
    assert [shard.position(kind, number) for kind in ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER")] == [2, 3]


def test_listeners_hear_of_each_record_after_its_event() -> None:
    """Who listens finds the record in the shard and its event in the rows."""
    stage = Stage()
    table = stage.stream()
    heard: list[tuple[Shard, int, int]] = []
    assert table.stream is not None
    table.stream.listen(lambda shard: heard.append((shard, shard.end, len(stage.rows.events))))
    table.put_item(OLD)
    table.put_item(OLD)
    table.put_item(NEW)
    (shard,) = table.stream.shards
    assert heard == [(shard, 1, 1), (shard, 2, 2)]


def test_shards_roll_over_to_children() -> None:
    """A shard is closed after about 4 hours and its child goes on (developer guide, Streams, shards)."""
    stage = Stage()
    table = stage.stream(stream_shard_lifetime=4 * HOUR)
    heard: list[tuple[str, bool]] = []
    assert table.stream is not None
    table.stream.listen(lambda shard: heard.append((shard.id, shard.closed)))
    table.put_item(OLD)
    stage.timeline.now = 4 * HOUR
    table.put_item(NEW)
    parent, child = table.stream.shards
    assert (parent.closed, child.closed, child.parent_shard_id) == (True, False, parent.id)
    assert (parent.drained(0), parent.drained(1), child.drained(1)) == (False, True, False)
    assert heard == [(parent.id, False), (parent.id, True), (child.id, False), (child.id, False)]
    first, second = records(table)
    assert int(first.sequence_number) < int(second.sequence_number)


def test_a_shard_that_is_gone_keeps_no_record() -> None:
    """A record is in a stream for 24 hours; afterwards it takes no memory, whoever still has hold of its shard."""
    stage = Stage()
    table = stage.stream(stream_shard_lifetime=4 * HOUR)
    assert table.stream is not None
    table.put_item(OLD)
    stage.timeline.run(until=3 * HOUR + 59 * MINUTE)
    table.put_item(NEW)
    (parent,) = table.stream.shards
    stage.timeline.run(until=4 * HOUR)
    table.delete_item(KEY)
    stage.timeline.run(until=30 * HOUR)
    assert parent not in table.stream.shards
    assert parent._records == []


def test_records_of_a_key_stay_in_one_shard() -> None:
    """The order of one item's changes is kept, however many shards there are (developer guide, Streams)."""
    table = Stage().stream(stream_shard_count=4)
    assert table.stream is not None
    for round_ in range(3):
        for key in range(40):
            table.put_item({"id": {"S": str(key)}, "n": {"N": str(round_)}})
    assert all(shard.end for shard in table.stream.shards)
    ids = [{record.payload.split('"S":"')[1].split('"')[0] for record in each.read(0)} for each in table.stream.shards]
    assert sum(map(len, ids)) == 40


def test_records_go_after_24_hours_and_memory_is_flat() -> None:
    """A record can be read for 24 hours (developer guide, Streams); what is over is not kept, though nobody reads."""
    stage = Stage()
    table = stage.stream(stream_shard_lifetime=HOUR)
    assert table.stream is not None
    for minute in range(72 * 60):
        stage.timeline.run(until=minute * MINUTE)
        table.put_item({"id": {"S": "1"}, "n": {"N": str(minute)}})
    assert len(records(table)) == 24 * 60
    assert len(table.stream.shards) <= 26
    assert sum(len(shard._records) for shard in table.stream._every) <= 25 * 60
    assert records(table)[0].arrival == stage.timeline.now - 24 * HOUR + MINUTE
    assert table.stream.shards[0].start == 60
    stage.timeline.run(until=stage.timeline.now + 25 * HOUR)
    assert [(shard.closed, len(shard._records)) for shard in table.stream._every] == [(False, 0)]
    assert stage.timeline.peek() is None


def test_a_reader_that_was_too_slow_is_through_as_well() -> None:
    """What has expired is not waited for: a closed shard whose rest is gone is drained at any position."""
    stage = Stage()
    table = stage.stream(stream_shard_lifetime=HOUR)
    assert table.stream is not None
    table.put_item(OLD)
    stage.timeline.run(until=23 * HOUR)
    table.put_item(NEW)
    parent, child = table.stream.shards
    assert (parent.unread(0), parent.drained(0), table.stream.parents(child)) == (1, False, [parent])
    stage.timeline.run(until=24 * HOUR)
    assert (parent.read(0), parent.unread(0), parent.drained(0)) == ([], 0, True)
    assert table.stream.parents(child) == [parent]
    stage.timeline.run(until=47 * HOUR)
    assert (table.stream.shards, table.stream.parents(child)) == ([child], [])


def test_who_no_longer_listens_hears_nothing() -> None:
    """`unlisten` takes a listener out, also while it is being told."""
    table = Stage().stream()
    heard: list[str] = []
    assert table.stream is not None
    stream = table.stream

    def once(shard: Shard) -> None:
        heard.append("once")
        stream.unlisten(once)

    def always(shard: Shard) -> None:
        heard.append("always")

    stream.listen(once)
    stream.listen(always)
    table.put_item(OLD)
    table.put_item(NEW)
    assert heard == ["once", "always", "always"]


def test_change_events_have_both_images_whatever_the_stream_shows() -> None:
    """A recording can repeat the write of a table whose stream has the keys only; AWS's view is the record's."""
    stage = Stage()
    table = stage.stream("KEYS_ONLY")
    table.put_item(OLD)
    table.put_item(NEW)
    assert stage.data[1]["dynamodb"]["OldImage"] == OLD
    assert stage.data[1]["dynamodb"]["NewImage"] == NEW
    assert "NewImage" not in payloads(table)[1]["dynamodb"]
    assert [row[0] for row in stage.rows.events] == [record.event_id for record in records(table)]


def test_what_lambda_needs_to_know_of_the_stream() -> None:
    """Lambda polls each shard 4 times a second and reports batches of it as DDBStreamBatchInfo (5.2, 5.5)."""
    table = Stage().stream()
    assert table.stream is not None
    assert (table.stream.name, table.stream.batch_info_key, table.stream.poll_interval) == (
        "dynamodb:items",
        "DDBStreamBatchInfo",
        SECOND // 4,
    )


# --- time to live ---------------------------------------------------------------------------------------------------


def at(seconds: float) -> dict[str, str]:
    return {"N": str(1767225600 + seconds)}


def test_expired_items_are_deleted_by_dynamodb() -> None:
    """The record of a deletion by TTL names the service as its user (guide, time-to-live-ttl-streams)."""
    stage = Stage()
    table = stage.stream(ttl_attribute="ttl", ttl_delay=10 * SECOND)
    table.put_item({"id": {"S": "1"}, "ttl": at(60)})
    table.put_item({"id": {"S": "2"}, "ttl": {"S": "60"}})
    stage.timeline.run(until=70 * SECOND - 1)
    assert len(table) == 2
    stage.timeline.run(until=HOUR)
    assert [item["id"] for item in table.items] == [{"S": "2"}]
    last = payloads(table)[-1]
    assert (last["eventName"], last["dynamodb"]["ApproximateCreationDateTime"]) == ("REMOVE", 1767225670.0)
    assert last["userIdentity"] == {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
    assert "userIdentity" not in payloads(table)[0]


def test_a_later_write_decides_when_an_item_goes() -> None:
    """Only the value that an item has counts: later, earlier, or none at all."""
    stage = Stage()
    table = stage.table(ttl_attribute="ttl")
    for name in ("later", "earlier", "never", "again"):
        table.put_item({"id": {"S": name}, "ttl": at(100)})
    table.put_item({"id": {"S": "later"}, "ttl": at(200)})
    table.put_item({"id": {"S": "earlier"}, "ttl": at(50)})
    table.put_item({"id": {"S": "never"}})
    table.delete_item({"id": {"S": "again"}})
    table.put_item({"id": {"S": "again"}, "ttl": at(150)})
    stage.rows.events.clear()
    stage.timeline.run(until=HOUR)
    seconds = [(row[1] - 1767225600000) / 1000 for row in stage.rows.events]
    assert list(zip([subject for _, subject in stage.changes], seconds, strict=True)) == [
        ("earlier", 50),
        ("again", 150),
        ("later", 200),
    ]
    assert not table._expiries


def test_nobody_waits_for_an_expiry() -> None:
    """TTL deletes in the background: a run does not go on for it."""
    stage = Stage()
    stage.table(ttl_attribute="ttl").put_item({"id": {"S": "1"}, "ttl": at(60)})
    assert stage.timeline.pending == 0


def test_items_over_five_years_old_stay() -> None:
    """TTL ignores times more than five years ago (guide, time-to-live-ttl-before-you-start)."""
    stage = Stage()
    table = stage.table(ttl_attribute="ttl")
    table.put_item({"id": {"S": "1"}, "ttl": at(-timedelta(days=6 * 365).total_seconds())})
    table.put_item({"id": {"S": "2"}, "ttl": at(-60)})
    stage.timeline.run(until=HOUR)
    assert [item["id"]["S"] for item in table.items] == ["1"]


# --- golden ---------------------------------------------------------------------------------------------------------


def test_a_record_byte_for_byte() -> None:
    """Reference section 15.2, and a deletion by TTL with its userIdentity (guide, time-to-live-ttl-streams)."""
    stage = Stage(datetime(2022, 9, 30, 17, 31, 23, tzinfo=UTC))
    table = stage.table("tab", hash_key="id", stream_view_type="NEW_AND_OLD_IMAGES", ttl_attribute="end")
    table.put_item({"id": {"S": "Fred"}})
    table.put_item({"id": {"S": "Fred"}, "name": {"S": "Fred"}})
    table.put_item({"id": {"S": "Fred"}, "end": {"N": "1664559090"}})
    stage.timeline.run(until=MINUTE)
    _, modified, _, removed = records(table)
    start = '{{"eventID":"{0.event_id}","eventName":"{1}","eventVersion":"1.1","eventSource":"aws:dynamodb",'
    start += '"awsRegion":"us-east-1","dynamodb":{{"ApproximateCreationDateTime":{2}.0,"Keys":{{"id":{{"S":"Fred"}}}},'
    end = ',"SequenceNumber":"{0.sequence_number}","SizeBytes":{1},"StreamViewType":"NEW_AND_OLD_IMAGES"}}'
    arn = '"eventSourceARN":"arn:aws:dynamodb:us-east-1:111111111111:table/tab/stream/2022-09-30T17:31:23.000"}'
    assert modified.payload == (
        start.format(modified, "MODIFY", 1664559083)
        + '"NewImage":{"name":{"S":"Fred"},"id":{"S":"Fred"}},"OldImage":{"id":{"S":"Fred"}}'
        + end.format(modified, 26)
        + ","
        + arn
    )
    assert removed.payload == (
        start.format(removed, "REMOVE", 1664559090)
        + '"OldImage":{"end":{"N":"1664559090"},"id":{"S":"Fred"}}'
        + end.format(removed, 21)
        + ',"userIdentity":{"type":"Service","principalId":"dynamodb.amazonaws.com"},'
        + arn
    )
