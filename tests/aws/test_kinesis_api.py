"""Kinesis through boto3. Facts: Kinesis API reference, unless said otherwise."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from simbus import Simulation

boto3 = pytest.importorskip("boto3", reason="needs the extra boto3")


@pytest.fixture
def sim() -> Iterator[Simulation]:
    with Simulation(seed=1) as simulation:
        yield simulation


def test_a_handler_puts_what_the_next_function_reads(sim: Simulation) -> None:
    """PutRecords of a handler; the mapping hands base64 data to the other function."""

    def producer(event: Any, context: Any) -> int:
        entries = [{"Data": f"r{n}", "PartitionKey": str(n)} for n in range(3)]
        return int(boto3.client("kinesis").put_records(StreamName="clicks", Records=entries)["FailedRecordCount"])

    def consumer(event: Any, context: Any) -> None:
        read.extend(base64.b64decode(record["kinesis"]["data"]).decode() for record in event["Records"])

    read: list[str] = []
    stream = sim.stream("clicks", shard_count=1)
    sim.event_source_mapping(stream, sim.function("c", handler=consumer), starting_position="TRIM_HORIZON")
    assert sim.function("p", handler=producer).invoke({}).json() == 0
    sim.run()
    assert read == ["r0", "r1", "r2"]


def test_a_stream_is_created_read_and_deleted(sim: Simulation) -> None:
    """CreateStream answers at once; the stream is CREATING, then ACTIVE. The waiters poll in virtual time."""
    kinesis = sim.client("kinesis")
    kinesis.create_stream(StreamName="s", ShardCount=2, Tags={"team": "a"})
    assert kinesis.describe_stream(StreamName="s")["StreamDescription"]["StreamStatus"] == "CREATING"
    with pytest.raises(kinesis.exceptions.ResourceNotFoundException):
        kinesis.put_record(StreamName="s", Data=b"x", PartitionKey="1")
    with pytest.raises(kinesis.exceptions.ResourceInUseException):
        kinesis.create_stream(StreamName="s", ShardCount=2)
    kinesis.get_waiter("stream_exists").wait(StreamName="s")
    described = kinesis.describe_stream(StreamName="s")["StreamDescription"]
    assert described["StreamStatus"] == "ACTIVE"
    assert [shard["ShardId"][-1] for shard in described["Shards"]] == ["0", "1"]
    assert kinesis.list_tags_for_stream(StreamName="s")["Tags"] == [{"Key": "team", "Value": "a"}]

    put = kinesis.put_record(StreamARN=described["StreamARN"], Data="text", PartitionKey="1")
    start = kinesis.get_shard_iterator(StreamName="s", ShardId=put["ShardId"], ShardIteratorType="TRIM_HORIZON")
    [record] = kinesis.get_records(ShardIterator=start["ShardIterator"])["Records"]
    assert (record["Data"], record["SequenceNumber"]) == (b"text", put["SequenceNumber"])
    assert record["ApproximateArrivalTimestamp"].utcoffset().total_seconds() == 0

    kinesis.delete_stream(StreamName="s")
    assert kinesis.describe_stream_summary(StreamName="s")["StreamDescriptionSummary"]["StreamStatus"] == "DELETING"
    kinesis.get_waiter("stream_not_exists").wait(StreamName="s")
    assert kinesis.list_streams()["StreamNames"] == []


def test_shards_split_and_are_listed_in_pages(sim: Simulation) -> None:
    """A split takes half a minute; ListShards pages, and filters by ShardFilter."""
    kinesis = sim.client("kinesis")
    sim.stream("s", shard_count=1)
    kinesis.split_shard(StreamName="s", ShardToSplit="shardId-000000000000", NewStartingHashKey=str(1 << 127))
    with pytest.raises(kinesis.exceptions.ResourceInUseException):
        kinesis.update_shard_count(StreamName="s", TargetShardCount=2, ScalingType="UNIFORM_SCALING")
    sim.run(for_="1m")
    first = kinesis.list_shards(StreamName="s", MaxResults=2)
    second = kinesis.list_shards(NextToken=first["NextToken"])
    assert [shard["ShardId"][-1] for page in (first, second) for shard in page["Shards"]] == ["0", "1", "2"]
    with pytest.raises(kinesis.exceptions.InvalidArgumentException, match="cannot be provided together"):
        kinesis.list_shards(StreamName="s", NextToken=first["NextToken"])
    pages = kinesis.get_paginator("describe_stream").paginate(StreamName="s", PaginationConfig={"PageSize": 1})
    assert len([shard for page in pages for shard in page["StreamDescription"]["Shards"]]) == 3

    def kinds(**shard_filter: Any) -> list[str]:
        found = kinesis.list_shards(StreamName="s", ShardFilter=shard_filter)["Shards"]
        return [shard["ShardId"][-1] for shard in found]

    assert kinds(Type="AT_LATEST") == ["1", "2"]
    assert kinds(Type="AT_TRIM_HORIZON") == ["0"]
    assert kinds(Type="FROM_TRIM_HORIZON") == ["0", "1", "2"]
    assert kinds(Type="AFTER_SHARD_ID", ShardId="shardId-000000000001") == ["2"]
    assert kinds(Type="AT_TIMESTAMP", Timestamp=sim.calendar) == ["1", "2"]


def test_a_shard_that_is_full_refuses_what_botocore_tries_again(sim: Simulation) -> None:
    """PutRecord beyond 1 MiB a second is a throttle that botocore retries with its own back-off, in virtual time."""

    def handler(event: Any, context: Any) -> list[int]:
        kinesis = boto3.client("kinesis")
        answers = [kinesis.put_record(StreamName="s", Data=b"x" * 1_000_000, PartitionKey="1") for _ in range(3)]
        return [answer["ResponseMetadata"]["RetryAttempts"] for answer in answers]

    sim.stream("s", shard_count=1)
    function = sim.function("f", handler=handler, timeout=60)
    attempts = function.invoke({}).json()
    assert attempts[0] == 0
    assert sum(attempts) > 1
    assert sim.now > 2 * 10**9


def test_errors_are_those_of_the_model(sim: Simulation) -> None:
    """A stream that does not exist, an iterator of nobody, neither name nor ARN."""
    kinesis = sim.client("kinesis")
    with pytest.raises(kinesis.exceptions.ResourceNotFoundException) as caught:
        kinesis.describe_stream(StreamName="nope")
    assert caught.value.response["Error"]["Message"] == "Stream nope under account 000000000000 not found."
    with pytest.raises(kinesis.exceptions.InvalidArgumentException):
        kinesis.get_records(ShardIterator="AAAA")
    with pytest.raises(kinesis.exceptions.InvalidArgumentException):
        kinesis.describe_stream()


def test_get_records_checks_the_stream_arn(sim: Simulation) -> None:
    """It must be the ARN of the stream that the iterator is of (API_GetRecords, StreamARN)."""
    kinesis = sim.client("kinesis")
    arns = [sim.stream(name, shard_count=1).arn for name in ("one", "two")]
    shard = kinesis.list_shards(StreamName="one")["Shards"][0]["ShardId"]
    iterator = kinesis.get_shard_iterator(StreamName="one", ShardId=shard, ShardIteratorType="LATEST")["ShardIterator"]
    assert kinesis.get_records(ShardIterator=iterator, StreamARN=arns[0])["Records"] == []
    with pytest.raises(kinesis.exceptions.InvalidArgumentException):
        kinesis.get_records(ShardIterator=iterator, StreamARN=arns[1])
    with pytest.raises(kinesis.exceptions.ResourceNotFoundException):
        kinesis.get_records(ShardIterator=iterator, StreamARN=arns[0].replace("one", "three"))
