"""What Kinesis refuses, in its words.

Where no other source is named, the texts are those of mhart/kinesalite's tests, which were run against AWS.
"""

from __future__ import annotations

from typing import Any

import pytest
from worlds import Worldlet

from simbus.errors import AwsError, UsageError
from simbus.kernel import MINUTE, SECOND
from simbus.sources.kinesis.stream import Stream

NUMBER = r"0|([1-9]\d{0,38})"
IN = "in stream clicks under account 111111111111"


def stream_of(shard_count: int | None = 3, **settings: Any) -> tuple[Worldlet, Stream]:
    w = Worldlet()
    return w, w.stream("clicks", shard_count=shard_count, **settings)


def refused(code: str, message: str, call: Any, *args: Any, **kwargs: Any) -> None:
    with pytest.raises(AwsError) as caught:
        call(*args, **kwargs)
    assert (caught.value.code, caught.value.message) == (code, message)


def invalid(*findings: str) -> str:
    number = f"{len(findings)} validation error{'' if len(findings) == 1 else 's'} detected: "
    return number + "; ".join(f"Value {finding}" for finding in findings)


def must(value: str, field: str, rule: str) -> str:
    return f"'{value}' at '{field}' failed to satisfy constraint: Member must {rule}"


# --- put -----------------------------------------------------------------------------------------------------------


def test_put_record():
    """ValidationException for partition key, hash key and data, in that order and in one answer."""
    _, stream = stream_of()
    put = stream.put_record
    text = invalid(
        must("", "partitionKey", "have length greater than or equal to 1"),
        must("x", "explicitHashKey", f"satisfy regular expression pattern: {NUMBER}"),
    )
    refused("ValidationException", text, put, b"", "", explicit_hash_key="x")
    long = "a" * 257
    size = (1 << 20) + 1
    text = invalid(
        must(long, "partitionKey", "have length less than or equal to 256"),
        must(
            f"java.nio.HeapByteBuffer[pos=0 lim={size} cap={size}]", "data", "have length less than or equal to 1048576"
        ),
    )
    refused("ValidationException", text, put, bytes(size), long)
    text = invalid("null at 'partitionKey' failed to satisfy constraint: Member must not be null")
    refused("ValidationException", text, put, b"", None)
    assert stream.put_record(b"", "💣" * 256)["ShardId"]  # characters count, not bytes
    assert len(stream.records) == 1


def test_an_explicit_hash_key_ends_below_2_to_the_128():
    """InvalidArgumentException, for PutRecord and for PutRecords as a whole."""
    _, stream = stream_of()
    beyond = str(1 << 128)
    text = (
        "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. "
        "Specified value was 340282366920938463463374607431768211456"
    )
    refused("InvalidArgumentException", text, stream.put_record, b"", "k", explicit_hash_key=beyond)
    records = [{"data": b"", "partition_key": "k"}, {"data": b"", "partition_key": "k", "explicit_hash_key": beyond}]
    refused("InvalidArgumentException", text, stream.put_records, records)
    assert stream.records == []


def test_sequence_number_for_ordering():
    """It must be a sequence number of Kinesis that is not from the future."""
    _, stream = stream_of(1)
    number = stream.put_record(b"", "k")["SequenceNumber"]
    stream.put_record(b"", "k", sequence_number_for_ordering=number)
    for given in ("5", str(int(number) + (1 << 36))):
        text = (
            f"ExclusiveMinimumSequenceNumber {given} used in PutRecord on stream clicks under account 111111111111 "
            "is invalid."
        )
        refused("InvalidArgumentException", text, stream.put_record, b"", "k", sequence_number_for_ordering=given)


def test_put_records():
    """1 to 500 records; what is wrong with a record names its number; AWS tells ten findings. 10 MiB in all
    (API reference; the text is that of the time of 5 MB, as moto quotes it)."""
    _, stream = stream_of()
    put = stream.put_records
    refused(
        "ValidationException",
        invalid(must("[]", "records", "have length greater than or equal to 1")),
        put,
        [],
    )
    entry = "com.amazonaws.kinesis.v20131202.PutRecordsRequestEntry"
    empty = "have length greater than or equal to 1"
    text = invalid(
        must(f"[{', '.join([entry] * 501)}]", "records", "have length less than or equal to 500"),
        *(must("", f"records.{n}.member.partitionKey", empty) for n in range(1, 10)),
    )
    refused("ValidationException", text, put, [{"data": b"", "partition_key": ""}] * 501)
    rule = f"satisfy regular expression pattern: {NUMBER}"
    text = invalid(
        must("", "records.2.member.partitionKey", empty), must("-1", "records.2.member.explicitHashKey", rule)
    )
    bad = {"data": b"", "partition_key": "", "explicit_hash_key": "-1"}
    refused("ValidationException", text, put, [{"data": b"", "partition_key": "k"}, bad])
    most = [{"data": bytes(1 << 20), "partition_key": "k"}] * 10
    refused("InvalidArgumentException", "Records size exceeds 10 MB limit", put, most)
    for wrong in ({"partition_key": "k"}, {"data": b"", "partition_key": "k", "key": "x"}):
        with pytest.raises(UsageError, match="it has data, partition_key and, if wanted, explicit_hash_key"):
            put([wrong])
    assert stream.records == []


# --- iterators -----------------------------------------------------------------------------------------------------


def test_get_shard_iterator():
    """A type and what belongs to it, a shard of this stream, a sequence number of this shard."""
    w, stream = stream_of()
    get = stream.get_shard_iterator
    first = "shardId-000000000000"
    w.timeline.now = 2 * SECOND
    types = "[AFTER_SEQUENCE_NUMBER, LATEST, AT_TIMESTAMP, AT_SEQUENCE_NUMBER, TRIM_HORIZON]"
    text = invalid(must("FIRST", "shardIteratorType", f"satisfy enum value set: {types}"))
    refused("ValidationException", text, get, first, "FIRST")
    refused(
        "ResourceNotFoundException", f"Shard shardId-000000000003 {IN} does not exist", get, "shard-3", "TRIM_HORIZON"
    )
    refused("ResourceNotFoundException", f"Could not find shard first {IN}.", get, "first", "TRIM_HORIZON")
    assert get("shard-0", "TRIM_HORIZON") == get("0", "TRIM_HORIZON") == get(first, "TRIM_HORIZON")
    either = (
        "Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or "
        "(2) TRIM_HORIZON or LATEST and no StartingSequenceNumber. Request specified "
    )
    number = stream.put_record(b"", "k", explicit_hash_key="0")["SequenceNumber"]
    refused(
        "InvalidArgumentException",
        either + "LATEST and also a StartingSequenceNumber.",
        get,
        first,
        "LATEST",
        starting_sequence_number=number,
    )
    refused(
        "InvalidArgumentException",
        either + "AT_SEQUENCE_NUMBER and no StartingSequenceNumber.",
        get,
        first,
        "AT_SEQUENCE_NUMBER",
    )
    text = invalid(must("x", "startingSequenceNumber", r"satisfy regular expression pattern: 0|([1-9]\d{0,128})"))
    refused("ValidationException", text, get, first, "AT_SEQUENCE_NUMBER", starting_sequence_number="x")
    text = f"StartingSequenceNumber 5 used in GetShardIterator on shard {first} {IN} is invalid."
    refused("InvalidArgumentException", text, get, first, "AT_SEQUENCE_NUMBER", starting_sequence_number="5")
    text = (
        f"Invalid StartingSequenceNumber. It encodes {first}, while it was used in a call to a shard with "
        "shardId-000000000001"
    )
    refused("InvalidArgumentException", text, get, "shard-1", "AFTER_SEQUENCE_NUMBER", starting_sequence_number=number)
    other = str(int(number) + (1 << 148))  # of a shard that was made a second later
    text = (
        f"StartingSequenceNumber {other} used in GetShardIterator on shard {first} {IN} is invalid because it did not "
        "come from this stream."
    )
    refused("InvalidArgumentException", text, get, first, "AT_SEQUENCE_NUMBER", starting_sequence_number=other)


def test_at_timestamp():
    """It needs a timestamp that is not in the future."""
    _, stream = stream_of()
    get = stream.get_shard_iterator
    text = (
        "Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. "
        "Current request has no timestamp parameter."
    )
    refused("InvalidArgumentException", text, get, "0", "AT_TIMESTAMP")
    text = (
        "The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. "
        "timestampInMillis: 1767225600001, currentTimestampInMillis: 1767225600000"
    )
    refused("InvalidArgumentException", text, get, "0", "AT_TIMESTAMP", timestamp=1767225600.001)


def test_get_records():
    """An iterator is good for five minutes, for its own stream, and opaque; the limit is 1 to 10,000."""
    w, stream = stream_of(1)
    iterator = stream.get_shard_iterator("0", "TRIM_HORIZON")["ShardIterator"]
    w.timeline.now = 5 * MINUTE
    stream.get_records(iterator)
    w.timeline.now += 2 * SECOND
    text = (
        "Iterator expired. The iterator was created at time Thu Jan 01 00:00:00 UTC 2026 while right now it is "
        "Thu Jan 01 00:05:02 UTC 2026 which is further in the future than the tolerated delay of 300000 milliseconds."
    )
    refused("ExpiredIteratorException", text, stream.get_records, iterator)
    other = w.stream("other", shard_count=1).get_shard_iterator("0", "LATEST")["ShardIterator"]
    for wrong in ("x", "AAAA", iterator[:-4] + "AAA=", other):
        refused("InvalidArgumentException", "Invalid ShardIterator.", stream.get_records, wrong)
    text = invalid(must("", "shardIterator", "have length greater than or equal to 1"))
    refused("ValidationException", text, stream.get_records, "")
    for limit, rule in ((0, "greater than or equal to 1"), (10_001, "less than or equal to 10000")):
        text = invalid(must(str(limit), "limit", f"have value {rule}"))
        refused("ValidationException", text, stream.get_records, iterator, limit)


# --- settings ------------------------------------------------------------------------------------------------------


def test_create():
    """Name, number of shards, mode; the retention's texts are those that moto quotes."""
    w = Worldlet()
    pattern = "satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
    refused("ValidationException", invalid(must("a/b", "streamName", pattern)), w.stream, "a/b")
    text = invalid(must("0", "shardCount", "have value greater than or equal to 1"))
    refused("ValidationException", text, w.stream, "clicks", shard_count=0)
    text = (
        "1 validation error detected: Value null at 'shardCount' failed to satisfy constraint: Member must not be null"
    )
    refused("ValidationException", text, w.stream, "clicks", stream_mode="PROVISIONED")
    text = invalid(must("FAST", "streamModeDetails.streamMode", "satisfy enum value set: [PROVISIONED, ON_DEMAND]"))
    refused("ValidationException", text, w.stream, "clicks", stream_mode="FAST")
    with pytest.raises(UsageError, match="shard_count is 4 for a stream whose stream_mode is ON_DEMAND"):
        w.stream("clicks", stream_mode="ON_DEMAND", shard_count=4)
    text = "Maximum allowed retention period is 8760 hours. Requested retention period (8761 hours) is too long."
    refused("InvalidArgumentException", text, w.stream, "clicks", retention_period_hours=8761)


def test_retention():
    """Increase and decrease go one way each."""
    _, stream = stream_of(retention_period_hours=48)
    text = "Minimum allowed retention period is 24 hours. Requested retention period (23 hours) is too short."
    refused("InvalidArgumentException", text, stream.decrease_stream_retention_period, 23)
    text = (
        "Requested retention period (24 hours) for stream clicks can not be shorter than existing retention period "
        "(48 hours). Use DecreaseRetentionPeriod API."
    )
    refused("InvalidArgumentException", text, stream.increase_stream_retention_period, 24)
    text = (
        "Requested retention period (72 hours) for stream clicks can not be longer than existing retention period "
        "(48 hours). Use IncreaseRetentionPeriod API."
    )
    refused("InvalidArgumentException", text, stream.decrease_stream_retention_period, 72)
    stream.increase_stream_retention_period(48)  # the same is no error


# --- reshard -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shard", "key", "start", "end"),
    [
        (0, "1", "0", "113427455640312821154458202477256070484"),
        (0, "113427455640312821154458202477256070484", "0", "113427455640312821154458202477256070484"),
        (
            2,
            "999999999999999999999999999999999999999",
            "226854911280625642308916404954512140970",
            "340282366920938463463374607431768211455",
        ),
    ],
)
def test_a_split_point_lies_within_the_shard(shard: int, key: str, start: str, end: str):
    """The hash keys are kinesalite's, of a stream of three shards: their ranges are AWS's as well."""
    _, stream = stream_of()
    text = (
        f"NewStartingHashKey {key} used in SplitShard() on shard shardId-{shard:012d} {IN} is not both greater than "
        f"one plus the shard's StartingHashKey {start} and less than the shard's EndingHashKey {end}."
    )
    refused("InvalidArgumentException", text, stream.split_shard, f"shard-{shard}", key)


def test_split_and_merge_name_what_is_wrong():
    """Validation first, then the stream's status, then the shard."""
    w, stream = stream_of()
    pattern = "satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
    least = "have length greater than or equal to 1"
    text = invalid(
        must("", "newStartingHashKey", f"satisfy regular expression pattern: {NUMBER}"),
        must("", "shardToSplit", pattern),
        must("", "shardToSplit", least),
    )
    refused("ValidationException", text, stream.split_shard, "", "")
    text = invalid(must("a/b", "adjacentShardToMerge", pattern))
    refused("ValidationException", text, stream.merge_shards, "0", "a/b")
    refused("ResourceNotFoundException", f"Could not find shard ab {IN}.", stream.split_shard, "ab", "5")
    refused(
        "ResourceNotFoundException", f"Could not find shard shardId-000000000007 {IN}.", stream.merge_shards, "0", "7"
    )
    text = (
        f"Shards shardId-000000000001 and shardId-000000000000 {IN} are not an adjacent pair of shards eligible for "
        "merging"
    )
    refused("InvalidArgumentException", text, stream.merge_shards, "1", "0")
    stream.split_shard("0", "5")
    text = "Stream clicks under account 111111111111 not ACTIVE, instead in state UPDATING"
    refused("ResourceInUseException", text, stream.merge_shards, "1", "2")
    refused("ResourceInUseException", text, stream.update_shard_count, 2)
    w.timeline.run()
    text = (
        f"Shard shardId-000000000000 {IN} has already been merged or split, and thus is not eligible for merging or "
        "splitting."
    )  # quoted by moto
    refused("InvalidArgumentException", text, stream.split_shard, "0", "5")
    refused("InvalidArgumentException", text, stream.merge_shards, "0", "1")


def test_update_shard_count():
    """At most double, at least half, ten times in 24 hours (API reference; texts: pull request 48 of kinesalite)."""
    w, stream = stream_of(4)
    text = (
        "UpdateShardCount cannot scale {} your current open shard count. "
        "Current open shard count: 4, Target shard count: {}"
    )
    refused("LimitExceededException", text.format("up over double", 9), stream.update_shard_count, 9)
    refused("LimitExceededException", text.format("down below half", 1), stream.update_shard_count, 1)
    text = invalid(must("LINEAR", "scalingType", "satisfy enum value set: [UNIFORM_SCALING]"))
    refused("ValidationException", text, stream.update_shard_count, 4, "LINEAR")
    for _ in range(5):
        for target in (3, 4):
            stream.update_shard_count(target)
            w.timeline.run()
    with pytest.raises(AwsError, match="LimitExceededException: UpdateShardCount was called 10 times"):
        stream.update_shard_count(3)
    w.timeline.now = 24 * 60 * MINUTE - 1
    with pytest.raises(AwsError, match="LimitExceededException"):
        stream.update_shard_count(3)
    w.timeline.now += 1
    stream.update_shard_count(3)


def test_an_on_demand_stream_counts_its_shards_itself():
    """SplitShard, MergeShards and UpdateShardCount are "only supported for the data streams with the provisioned
    capacity mode" (API reference; AWS's text is not known)."""
    _, stream = stream_of(None)
    text = "Stream clicks under account 111111111111 is in on-demand mode, which counts its shards itself."
    refused("ValidationException", text, stream.split_shard, "0", "5")
    refused("ValidationException", text, stream.merge_shards, "0", "1")
    refused("ValidationException", text, stream.update_shard_count, 2)


# --- list ----------------------------------------------------------------------------------------------------------


def test_list_shards():
    """Pages by NextToken, which says where it begins on its own (API reference, ListShards)."""
    _, stream = stream_of(5)
    first = stream.list_shards(max_results=2)
    second = stream.list_shards(max_results=2, next_token=first["NextToken"])
    third = stream.list_shards(next_token=second["NextToken"])
    found = [shard["ShardId"] for page in (first, second, third) for shard in page["Shards"]]
    assert found == [f"shardId-{n:012d}" for n in range(5)]
    assert "NextToken" not in third
    both = {"next_token": first["NextToken"], "exclusive_start_shard_id": found[0]}
    refused(
        "InvalidArgumentException",
        "NextToken and ExclusiveStartShardId cannot be provided together.",
        stream.list_shards,
        **both,
    )
    refused("InvalidArgumentException", "NextToken is invalid.", stream.list_shards, next_token="?")
    text = invalid(must("10001", "maxResults", "have value less than or equal to 10000"))
    refused("ValidationException", text, stream.list_shards, max_results=10_001)


def test_out_of_service():
    """An outage answers every operation with 503."""
    _, stream = stream_of()
    stream.outage(SECOND)
    refused("ServiceUnavailable", "kinesis:clicks is out of service.", stream.put_record, b"", "k")
