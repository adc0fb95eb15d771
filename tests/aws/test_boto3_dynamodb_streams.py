"""DynamoDB Streams through boto3.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Operations_Amazon_DynamoDB_Streams.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from simbus import Simulation

pytest.importorskip("boto3", reason="needs the extra boto3")


def put(client: Any, *numbers: int) -> None:
    for number in numbers:
        client.put_item(TableName="orders", Item={"id": {"S": str(number)}, "raw": {"B": b"\xff"}})


def shards(streams: Any, arn: str, **parameters: Any) -> list[dict[str, Any]]:
    description: dict[str, Any] = streams.describe_stream(StreamArn=arn, **parameters)["StreamDescription"]
    return list(description["Shards"])


def ids(answer: dict[str, Any]) -> list[str]:
    return [record["dynamodb"]["Keys"]["id"]["S"] for record in answer["Records"]]


def test_a_reader_of_a_stream(sim: Simulation) -> None:
    """From the table to its records: names, shards, iterator; times are whole seconds, binaries bytes."""
    sim.table("orders", hash_key="id", stream_view_type="NEW_AND_OLD_IMAGES")
    client, streams = sim.client("dynamodb"), sim.client("dynamodbstreams")
    sim.run(for_="1500ms")
    put(client, 1, 2)
    arn = client.describe_table(TableName="orders")["Table"]["LatestStreamArn"]
    assert [each["StreamArn"] for each in streams.list_streams(TableName="orders")["Streams"]] == [arn]
    (shard,) = shards(streams, arn)
    start = streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")
    answer = streams.get_records(ShardIterator=start["ShardIterator"], Limit=1)
    (record,) = answer["Records"]
    assert record["eventName"] == "INSERT"
    assert record["dynamodb"]["NewImage"] == {"id": {"S": "1"}, "raw": {"B": b"\xff"}}
    assert record["dynamodb"]["ApproximateCreationDateTime"] == datetime(2026, 1, 1, 0, 0, 1, tzinfo=UTC)
    assert "eventSourceARN" not in record
    answer = streams.get_records(ShardIterator=answer["NextShardIterator"])
    assert ids(answer) == ["2"]
    assert streams.get_records(ShardIterator=answer["NextShardIterator"])["Records"] == []


def test_every_type_of_iterator(sim: Simulation) -> None:
    """TRIM_HORIZON, LATEST, AT_ and AFTER_SEQUENCE_NUMBER, AT_TIMESTAMP (API reference, GetShardIterator)."""
    table = sim.table("orders", hash_key="id", stream_view_type="KEYS_ONLY")
    client, streams = sim.client("dynamodb"), sim.client("dynamodbstreams")
    put(client, 1)
    sim.run(for_="1m")
    put(client, 2, 3)
    assert table.stream is not None
    arn = table.stream.arn
    shard = shards(streams, arn)[0]["ShardId"]

    def read(kind: str, **parameters: Any) -> dict[str, Any]:
        start = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType=kind, **parameters)
        found: dict[str, Any] = streams.get_records(ShardIterator=start["ShardIterator"])
        return found

    every = read("TRIM_HORIZON")
    assert ids(every) == ["1", "2", "3"]
    second = every["Records"][1]["dynamodb"]["SequenceNumber"]
    assert ids(read("LATEST")) == []
    assert ids(read("AT_SEQUENCE_NUMBER", SequenceNumber=second)) == ["2", "3"]
    assert ids(read("AFTER_SEQUENCE_NUMBER", SequenceNumber=second)) == ["3"]
    assert ids(read("AT_TIMESTAMP", Timestamp=datetime(2026, 1, 1, 0, 0, 30, tzinfo=UTC))) == ["2", "3"]


def test_iterators_and_records_age(sim: Simulation) -> None:
    """An iterator expires after 15 minutes, a record after 24 hours (API reference)."""
    table = sim.table("orders", hash_key="id", stream_view_type="KEYS_ONLY")
    client, streams = sim.client("dynamodb"), sim.client("dynamodbstreams")
    put(client, 1)
    assert table.stream is not None
    arn = table.stream.arn
    place = {"StreamArn": arn, "ShardId": shards(streams, arn)[0]["ShardId"]}
    start = streams.get_shard_iterator(**place, ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    number = streams.get_records(ShardIterator=start)["Records"][0]["dynamodb"]["SequenceNumber"]
    sim.run(for_="16m")
    with pytest.raises(streams.exceptions.ExpiredIteratorException):
        streams.get_records(ShardIterator=start)
    sim.run(for_="24h")
    with pytest.raises(streams.exceptions.TrimmedDataAccessException):
        streams.get_shard_iterator(**place, ShardIteratorType="AT_SEQUENCE_NUMBER", SequenceNumber=number)


def test_shards_that_follow_each_other(sim: Simulation) -> None:
    """A shard's child names it; ShardFilter finds the children; pages begin behind a shard (API reference)."""
    table = sim.table("orders", hash_key="id", stream_view_type="KEYS_ONLY", stream_shard_lifetime="1h")
    client, streams = sim.client("dynamodb"), sim.client("dynamodbstreams")
    put(client, 1)
    sim.run(for_="2h")
    put(client, 2)
    assert table.stream is not None
    arn = table.stream.arn
    old, new = shards(streams, arn)
    assert new["ParentShardId"] == old["ShardId"]
    assert shards(streams, arn, ShardFilter={"Type": "CHILD_SHARDS", "ShardId": old["ShardId"]}) == [new]
    first = streams.describe_stream(StreamArn=arn, Limit=1)["StreamDescription"]
    assert first["LastEvaluatedShardId"] == old["ShardId"]
    assert shards(streams, arn, ExclusiveStartShardId=old["ShardId"]) == [new]


def test_what_is_not_there(sim: Simulation) -> None:
    """AWS's words (recorded: reference 7.2)."""
    streams = sim.client("dynamodbstreams")
    arn = "arn:aws:dynamodb:us-east-1:000000000000:table/orders/stream/2026-01-01T00:00:00.000"
    with pytest.raises(streams.exceptions.ResourceNotFoundException) as caught:
        streams.describe_stream(StreamArn=arn)
    assert caught.value.response["Error"]["Message"] == f"Requested resource not found: Stream: {arn} not found"
    assert streams.list_streams()["Streams"] == []
