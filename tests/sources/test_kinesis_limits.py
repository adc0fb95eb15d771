"""What a shard takes and gives in a second, and what AWS says beyond it: developer guide, "Quotas and limits"."""

from __future__ import annotations

import pytest
from worlds import Worldlet

from simbus.errors import AwsError
from simbus.kernel import HOUR, MINUTE, SECOND
from simbus.sources.kinesis.demand import Demand
from simbus.sources.kinesis.stream import Stream

MIB = 1 << 20
THROTTLED = "Rate exceeded for shard shardId-000000000000 in stream clicks under account 111111111111."


def stream_of(shard_count: int | None = 1, **settings) -> tuple[Worldlet, Stream]:
    w = Worldlet()
    return w, w.stream("clicks", shard_count=shard_count, **settings)


def throttled(call, *args, **kwargs) -> None:
    with pytest.raises(AwsError) as caught:
        call(*args, **kwargs)
    assert (caught.value.code, caught.value.message) == ("ProvisionedThroughputExceededException", THROTTLED)
    assert caught.value.status == 400


# --- write ---------------------------------------------------------------------------------------------------------


def test_a_thousand_records_a_second_and_shard():
    """ "Each shard supports writes up to 1,000 records per second"; another shard, and the next second, have their own
    share. The text is AWS's (API reference, PutRecords, example 2)."""
    w, stream = stream_of(2)
    for _ in range(1_000):
        stream.put_record(b"", "k", explicit_hash_key="0")
    throttled(stream.put_record, b"", "k", explicit_hash_key="0")
    stream.put_record(b"", "k", explicit_hash_key=str((1 << 128) - 1))
    w.timeline.now = SECOND - 1
    throttled(stream.put_record, b"", "k", explicit_hash_key="0")
    w.timeline.now = SECOND
    stream.put_record(b"", "k", explicit_hash_key="0")


def test_a_mebibyte_a_second_and_shard_partition_keys_included():
    """ "... up to a maximum total data write rate of 1 MB per second (including partition keys)" (API reference); a
    partition key counts its bytes, not its characters."""
    _, stream = stream_of()
    for _ in range(4):
        stream.put_record(bytes(MIB // 4 - 4), "💣")
    throttled(stream.put_record, b"", "k")


def test_a_record_of_the_largest_size_passes_a_shard():
    """A blob of 1 MiB is allowed although its partition key comes on top: one a second, and nothing beside it."""
    w, stream = stream_of()
    for second in range(3):
        w.timeline.now = second * SECOND
        stream.put_record(bytes(MIB), "💣" * 256)
        throttled(stream.put_record, b"", "k")
    w.timeline.now = 3 * SECOND
    stream.put_record(b"", "k")
    throttled(stream.put_record, bytes(MIB), "k")


def test_large_records_are_paid_off():
    """MaxRecordSizeInKiB up to 10 MiB: a shard bursts "up to 10 MiB while averaging 1 MiB per second" (developer guide,
    "Handle large records"). That a large one needs a second of its own is simbus's choice."""
    w, stream = stream_of(max_record_size_in_ki_b=10_240)
    stream.put_record(bytes(10 * MIB), "k")
    throttled(stream.put_record, bytes(2 * MIB), "k")
    for second in range(9):
        w.timeline.now = second * SECOND
        throttled(stream.put_record, bytes(MIB // 2), "k")
    w.timeline.now = 10 * SECOND
    stream.put_record(bytes(MIB // 2), "k")


def test_put_records_fails_in_part():
    """The request succeeds; a record that its shard has no room for is answered with ErrorCode and ErrorMessage in its
    place, and the others are in (API reference, PutRecords)."""
    _, stream = stream_of(2)
    low, high = "0", str((1 << 128) - 1)
    stream.put_records([{"data": b"", "partition_key": "k", "explicit_hash_key": low}] * 499)
    stream.put_records([{"data": b"", "partition_key": "k", "explicit_hash_key": low}] * 500)
    answer = stream.put_records(
        [{"data": b"", "partition_key": "k", "explicit_hash_key": key} for key in (low, low, high, low)]
    )
    refused = {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": THROTTLED}
    assert answer["FailedRecordCount"] == 2
    assert [entry == refused for entry in answer["Records"]] == [False, True, False, True]
    assert answer["Records"][2]["ShardId"] == "shardId-000000000001"
    assert len(stream.records) == 1_001


# --- read ----------------------------------------------------------------------------------------------------------


def test_five_calls_of_get_records_a_second():
    """ "Each shard can support up to 5 read transactions per second" (quotas)."""
    w, stream = stream_of()
    iterator = stream.get_shard_iterator("shardId-000000000000", "TRIM_HORIZON")["ShardIterator"]
    for _ in range(5):
        stream.get_records(iterator)
    throttled(stream.get_records, iterator)
    w.timeline.now = SECOND
    stream.get_records(iterator)


def test_ten_megabytes_block_the_next_five_seconds():
    """ "If a call to GetRecords returns 10 MB, subsequent calls made within the next 5 seconds throw an exception"
    (quotas): 2 MiB a second are paid off."""
    w, stream = stream_of()
    for second in range(12):
        w.timeline.now = second * SECOND
        stream.put_record(bytes(MIB - 1), "k")
    w.timeline.now = 60 * SECOND
    iterator = stream.get_shard_iterator("shardId-000000000000", "TRIM_HORIZON")["ShardIterator"]
    answer = stream.get_records(iterator)
    assert len(answer["Records"]) == 10
    assert answer["MillisBehindLatest"] == 51_000  # the last one of them came at second 9
    iterator = answer["NextShardIterator"]
    for second in range(60, 65):
        w.timeline.now = second * SECOND
        throttled(stream.get_records, iterator)
    w.timeline.now = 65 * SECOND
    answer = stream.get_records(iterator)
    assert (len(answer["Records"]), answer["MillisBehindLatest"]) == (2, 0)


def test_get_records_gives_ten_thousand_at_most():
    """ "Each call to GetRecords returns up to 10,000 records" (quotas); `limit` asks for fewer."""
    w, stream = stream_of()
    for n in range(10_500):
        w.timeline.now = n // 1_000 * SECOND
        stream.put_record(b"", "k")
    iterator = stream.get_shard_iterator("shardId-000000000000", "TRIM_HORIZON")["ShardIterator"]
    few = stream.get_records(iterator, limit=7)
    assert [record["SequenceNumber"] for record in few["Records"]] == [
        record.sequence_number for record in stream.records[:7]
    ]
    assert len(stream.get_records(iterator)["Records"]) == 10_000
    assert len(stream.get_records(few["NextShardIterator"])["Records"]) == 10_000


# --- on demand -----------------------------------------------------------------------------------------------------


def test_an_on_demand_stream_begins_with_four_shards_and_follows_its_traffic():
    """It "accommodates up to double the peak write throughput" (developer guide, "Choose the right mode"): 3,000
    records a second in a minute ask for 6 shards, no traffic for none to go."""
    w, stream = stream_of(None)
    assert len(stream.shards) == 4
    n = 0

    def second(_: None) -> None:
        nonlocal n
        for _ in range(3_000):
            stream.put_record(b"", str(n))
            n += 1

    for at in range(61):
        w.timeline.at(at * SECOND, second)
    w.timeline.run()
    assert sum(not shard.closed for shard in stream.shards) == 6
    assert stream.status == "ACTIVE"
    w.timeline.at(10 * MINUTE, lambda _: stream.put_record(b"", "k"))
    w.timeline.run()
    assert sum(not shard.closed for shard in stream.shards) == 6


def test_an_on_demand_stream_follows_its_bytes_as_well():
    """Three shards' worth of bytes in a minute ask for 6 shards, however few the records are."""
    demand = Demand()
    assert [demand.note(second * SECOND, 3 * MIB) for second in range(62)] == [0] * 60 + [6, 0]


# --- retention -----------------------------------------------------------------------------------------------------


def test_retention_grows_and_shrinks():
    """Longer: what is still there stays; shorter: what is too old goes at once, also from its memory (developer guide,
    "Change the data retention period")."""
    w, stream = stream_of()
    (shard,) = stream.shards
    for hour in range(0, 24, 4):
        w.timeline.now = hour * HOUR
        stream.put_record(str(hour), "k")
    stream.increase_stream_retention_period(72)
    w.timeline.run(until=60 * HOUR)
    assert (shard.start, shard.unread(0)) == (0, 6)
    stream.decrease_stream_retention_period(48)
    assert [record.data for record in shard.records] == [b"16", b"20"]
    assert len(shard._records) == 2
    assert (shard.start, shard.end) == (4, 6)
    w.timeline.run(until=100 * HOUR)
    assert (shard.start, shard._records) == (6, [])


def test_what_has_expired_does_not_come_back():
    """A longer period "does not make previous, expired data accessible" (API reference,
    IncreaseStreamRetentionPeriod)."""
    w, stream = stream_of()
    stream.put_record("old", "k")
    w.timeline.now = 24 * HOUR
    stream.increase_stream_retention_period(48)
    assert stream.records == []


def test_memory_stays_flat_without_readers():
    """A stream that nobody reads holds no more than its retention period and 1/32 of it."""
    w, stream = stream_of()
    (shard,) = stream.shards
    held = []
    for minute in range(0, 5 * 24 * 60, 3):
        w.timeline.at(minute * MINUTE, lambda _: (stream.put_record(b"", "k"), held.append(len(shard._records))))
    w.timeline.run()
    assert max(held) <= 24 * 20 * 33 // 32 + 1
    assert shard.end == 5 * 24 * 20
