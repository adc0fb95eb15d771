"""DynamoDB Streams' own API, and enabling and disabling a stream: what consumers outside Lambda see."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from dynamodb_stubs import Stage, payloads

from simbus.errors import AwsError, UsageError
from simbus.kernel import HOUR, MINUTE, SECOND
from simbus.sources.dynamodb.stream import ChangeStream
from simbus.sources.dynamodb.table import Table

FRED: dict[str, Any] = {"id": {"S": "Fred"}}


def of(table: Table) -> ChangeStream:
    assert table.stream is not None
    return table.stream


def refused(call: Any, *arguments: Any, **options: Any) -> str:
    with pytest.raises(AwsError) as caught:
        call(*arguments, **options)
    return str(caught.value)


def put(table: Table, *numbers: int) -> None:
    for number in numbers:
        table.put_item({**FRED, "n": {"N": str(number)}})


def read(stream: ChangeStream, kind: str = "TRIM_HORIZON", shard: int = 0, **options: Any) -> list[str]:
    """The values of n in the records that an iterator gives."""
    iterator = stream.get_shard_iterator(stream.shards[shard].id, kind, **options)["ShardIterator"]
    return [record["dynamodb"]["NewImage"]["n"]["N"] for record in stream.get_records(iterator)["Records"]]


def test_get_records_in_an_sdk_s_form() -> None:
    """Typed values with binaries in bytes, the time a datetime of whole seconds, no eventSourceARN (7.2)."""
    stage = Stage(datetime(2026, 1, 1, 0, 0, 0, 900_000, UTC))
    table = stage.stream(ttl_attribute="end")
    table.put_item({**FRED, "b": {"M": {"x": {"B": b"\x00\xff"}}}, "end": {"N": "1767225660"}})
    stage.timeline.run(until=HOUR)
    stream = of(table)
    iterator = stream.get_shard_iterator(stream.shards[0].id, "TRIM_HORIZON")["ShardIterator"]
    inserted, removed = stream.get_records(iterator)["Records"]
    payload = payloads(table)[0]
    assert set(inserted) == set(payload) - {"eventSourceARN"}
    assert inserted["dynamodb"]["NewImage"]["b"] == {"M": {"x": {"B": b"\x00\xff"}}}
    assert inserted["dynamodb"]["ApproximateCreationDateTime"] == datetime(2026, 1, 1, tzinfo=UTC)
    assert inserted["dynamodb"]["SequenceNumber"] == payload["dynamodb"]["SequenceNumber"]
    assert removed["userIdentity"] == {"PrincipalId": "dynamodb.amazonaws.com", "Type": "Service"}


def test_iterators() -> None:
    """The five types (API reference, GetShardIterator), and page by page to the end of an open shard."""
    stage = Stage()
    table = stage.stream()
    stream = of(table)
    for second in range(5):
        stage.timeline.run(until=second * SECOND)
        put(table, second)
    numbers = [payload["dynamodb"]["SequenceNumber"] for payload in payloads(table)]
    assert read(stream) == ["0", "1", "2", "3", "4"]
    assert read(stream, "LATEST") == []
    assert read(stream, "AT_SEQUENCE_NUMBER", sequence_number=numbers[2]) == ["2", "3", "4"]
    assert read(stream, "AFTER_SEQUENCE_NUMBER", sequence_number=numbers[2]) == ["3", "4"]
    assert read(stream, "AT_TIMESTAMP", timestamp=datetime(2026, 1, 1, 0, 0, 3, tzinfo=UTC)) == ["3", "4"]
    assert read(stream, "AT_TIMESTAMP", timestamp=1767225600 + 3.5) == ["4"]
    starting = stream.shards[0].starting_sequence_number
    assert read(stream, "AT_SEQUENCE_NUMBER", sequence_number=starting) == ["0", "1", "2", "3", "4"]
    iterator = stream.get_shard_iterator(stream.shards[0].id, "TRIM_HORIZON")["ShardIterator"]
    assert iterator.startswith(f"{stream.arn}|1|")
    sizes = []
    for _ in range(4):
        answer = stream.get_records(iterator, limit=2)
        sizes.append(len(answer["Records"]))
        iterator = answer["NextShardIterator"]
    assert sizes == [2, 2, 1, 0]
    put(table, 9)
    assert len(asyncio.run(stream.aget_records(iterator))["Records"]) == 1


def test_the_end_of_a_closed_shard_has_no_next_iterator() -> None:
    """NextShardIterator is null when the shard has been closed and read (API reference, GetRecords)."""
    stage = Stage()
    table = stage.stream(stream_shard_lifetime=HOUR)
    stream = of(table)
    put(table, 1, 2)
    stage.timeline.run(until=HOUR)
    put(table, 3)
    parent, child = stream.shards
    iterator = stream.get_shard_iterator(parent.id, "TRIM_HORIZON")["ShardIterator"]
    first = stream.get_records(iterator, limit=1)
    assert set(stream.get_records(first["NextShardIterator"])) == {"Records"}
    assert read(stream, shard=1) == ["3"]
    (one, two) = stream.describe_stream()["StreamDescription"]["Shards"]
    assert one["ShardId"] == parent.id
    assert "ParentShardId" not in one
    assert (two["ShardId"], two["ParentShardId"]) == (child.id, parent.id)
    assert set(two["SequenceNumberRange"]) == {"StartingSequenceNumber"}
    numbers = [payload["dynamodb"]["SequenceNumber"] for payload in payloads(table)]
    ends = one["SequenceNumberRange"]
    assert int(ends["StartingSequenceNumber"]) <= int(numbers[0]) < int(numbers[1]) <= int(ends["EndingSequenceNumber"])
    assert int(ends["EndingSequenceNumber"]) < int(two["SequenceNumberRange"]["StartingSequenceNumber"])


def test_describe_stream() -> None:
    """Fields of the API reference; shards page by page, or the children of one (ShardFilter CHILD_SHARDS)."""
    stage = Stage()
    table = stage.stream("KEYS_ONLY", range_key="at", stream_shard_count=3, stream_shard_lifetime=HOUR)
    stream = of(table)
    ids = [shard.id for shard in stream.shards]
    found = stream.describe_stream(limit=2)["StreamDescription"]
    assert [shard["ShardId"] for shard in found.pop("Shards")] == ids[:2]
    assert found == {
        "StreamArn": stream.arn,
        "StreamLabel": "2026-01-01T00:00:00.000",
        "StreamStatus": "ENABLED",
        "StreamViewType": "KEYS_ONLY",
        "CreationRequestDateTime": datetime(2026, 1, 1, tzinfo=UTC),
        "TableName": "items",
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
        "LastEvaluatedShardId": ids[1],
    }
    rest = stream.describe_stream(limit=2, exclusive_start_shard_id=ids[1])["StreamDescription"]
    assert [shard["ShardId"] for shard in rest["Shards"]] == ids[2:]
    assert "LastEvaluatedShardId" not in rest
    stage.timeline.run(until=HOUR)
    table.put_item({"id": {"S": "x"}, "at": {"S": "y"}})
    child = stream.shards[-1]
    children = stream.describe_stream(shard_filter={"Type": "CHILD_SHARDS", "ShardId": str(child.parent_shard_id)})
    assert [shard["ShardId"] for shard in children["StreamDescription"]["Shards"]] == [child.id]


def test_refused_requests() -> None:
    """AWS's words as users report them, for ranges those of botocore's model."""
    table = Stage().stream()
    stream = of(table)
    shard = stream.shards[0].id
    iterator = stream.get_shard_iterator(shard, "TRIM_HORIZON")["ShardIterator"]
    number = stream.shards[0].starting_sequence_number
    invalid = "ValidationException: "
    assert refused(stream.get_shard_iterator, "shardId-00000001446500994480-a69421f6", "LATEST") == (
        "ResourceNotFoundException: Requested resource not found: Shard does not exist"
    )
    assert "failed to satisfy constraint: Member must satisfy enum value set: [TRIM_HORIZON, LATEST" in refused(
        stream.get_shard_iterator, shard, "NEWEST"
    )
    for options, message in (
        (
            {"sequence_number": "1"},
            "Value '1' at 'sequenceNumber' failed to satisfy constraint: Member must have length ",
        ),
        ({"sequence_number": "x" * 21}, "Invalid SequenceNumber for the shard"),
        ({"sequence_number": "1" * 21}, "Invalid SequenceNumber for the shard"),
        ({}, "SequenceNumber must be specified for ShardIteratorType AT_SEQUENCE_NUMBER"),
        ({"sequence_number": number, "timestamp": 0}, "Timestamp must not be specified"),
    ):
        assert message in refused(stream.get_shard_iterator, shard, "AT_SEQUENCE_NUMBER", **options)
    assert "must not be specified" in refused(stream.get_shard_iterator, shard, "LATEST", sequence_number=number)
    assert "Timestamp must be specified" in refused(stream.get_shard_iterator, shard, "AT_TIMESTAMP")
    assert refused(stream.get_records, "nonsense") == invalid + "Invalid ShardIterator"
    assert refused(stream.get_records, iterator[:-4] + "AAAA") == invalid + "Invalid ShardIterator"
    assert "Limit should be less than or equal to 1000" in refused(stream.get_records, iterator, 1001)
    assert "Value '0' at 'limit' failed to satisfy constraint" in refused(stream.get_records, iterator, 0)
    assert "less than or equal to 100" in refused(stream.describe_stream, limit=101)
    assert "[CHILD_SHARDS]" in refused(stream.describe_stream, shard_filter={"Type": "ALL", "ShardId": shard})


def test_an_iterator_is_good_for_15_minutes() -> None:
    """ExpiredIteratorException afterwards (API reference, GetShardIterator)."""
    stage = Stage()
    stream = of(stage.stream())
    iterator = stream.get_shard_iterator(stream.shards[0].id, "LATEST")["ShardIterator"]
    stage.timeline.run(until=15 * MINUTE)
    stream.get_records(iterator)
    stage.timeline.run(until=15 * MINUTE + SECOND)
    assert refused(stream.get_records, iterator) == "ExpiredIteratorException: Shard iterator has expired"


def test_trimmed_data() -> None:
    """A sequence number, or an iterator, that points to an expired record (API reference, GetRecords, Errors)."""
    stage = Stage()
    table = stage.stream(stream_shard_lifetime=None)
    stream = of(table)
    put(table, 1, 2)
    stage.timeline.run(until=MINUTE)
    put(table, 3)
    numbers = [payload["dynamodb"]["SequenceNumber"] for payload in payloads(table)]
    stage.timeline.run(until=24 * HOUR - SECOND)
    iterator = stream.get_shard_iterator(stream.shards[0].id, "TRIM_HORIZON")["ShardIterator"]
    message = "TrimmedDataAccessException: The data you are trying to access has been trimmed"
    for until in (24 * HOUR - SECOND // 2, 24 * HOUR, 24 * HOUR + 1):  # before it is dropped, and after it is
        stage.timeline.run(until=until)
        if until < 24 * HOUR:
            assert len(stream.get_records(iterator)["Records"]) == 3
            continue
        assert refused(stream.get_records, iterator) == message
        for kind, number in (("AT", numbers[1]), ("AFTER", numbers[0])):
            options = {"sequence_number": number}
            assert (
                refused(stream.get_shard_iterator, stream.shards[0].id, f"{kind}_SEQUENCE_NUMBER", **options) == message
            )
        assert read(stream, "AFTER_SEQUENCE_NUMBER", sequence_number=numbers[1]) == ["3"]
        assert read(stream) == ["3"]
    stage.timeline.run(until=24 * HOUR + MINUTE)
    shard = stream.shards[0].id
    assert refused(stream.get_shard_iterator, shard, "AT_SEQUENCE_NUMBER", sequence_number=numbers[2]) == message
    assert read(stream) == []


# --- enable and disable ---------------------------------------------------------------------------------------------


def test_disable_and_enable() -> None:
    """A new stream has a new ARN; the old one is DISABLED and readable for 24 hours (guide, Streams)."""
    stage = Stage()
    table = stage.stream("NEW_IMAGE")
    old = of(table)
    put(table, 1)
    described = table.update_table(stream_specification={"StreamEnabled": False})["TableDescription"]
    assert "StreamSpecification" not in described
    assert described["LatestStreamArn"] == old.arn
    put(table, 2)
    assert table.stream is None
    table.update_table(stream_specification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"})
    put(table, 3)
    new = of(table)
    described = table.describe_table()["Table"]
    assert described["LatestStreamArn"] == new.arn != old.arn
    assert described["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert (read(old), read(new)) == (["1"], ["3"])
    assert old.describe_stream()["StreamDescription"]["StreamStatus"] == "DISABLED"
    assert old.shards[0].closed
    assert [stage.world.find(stream.arn) for stream in (old, new)] == [old, new]
    assert [kind for kind, _ in stage.changes] == ["INSERT", "MODIFY", "MODIFY"]
    stage.timeline.run(until=24 * HOUR)
    assert old.shards == []
    assert [stage.world.find(stream.arn) for stream in (old, new)] == [None, new]


def test_refused_specifications() -> None:
    """What AWS answers (measured there by the authors of aws-controllers-k8s, October 2026)."""
    table = Stage().table()
    prefix = "ValidationException: "
    parameter = prefix + "One or more parameter values were invalid: "
    on, off = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}, {"StreamEnabled": False}
    for specification, message in (
        (off, prefix + "Table has no stream to disable: TableName: items"),
        ({"StreamEnabled": True}, parameter + "If stream is being enabled then UpdateViewType is required"),
        (
            {**off, "StreamViewType": "KEYS_ONLY"},
            parameter + "If stream is being disabled, then UpdateViewType must not be specified",
        ),
    ):
        assert refused(table.update_table, stream_specification=specification) == message
    table.update_table(stream_specification=on)
    already = prefix + "Table already has an enabled stream: TableName: items"
    assert refused(table.update_table, stream_specification=on) == already
    assert refused(table.update_table, stream_specification={**on, "StreamViewType": "NEW_IMAGE"}) == already
    with pytest.raises(UsageError, match="it has StreamEnabled, true or false"):
        table.update_table(stream_specification={"stream_enabled": True})


def test_listeners_hear_of_the_end() -> None:
    """A disabled stream closes its shards and says so."""
    table = Stage().stream(stream_shard_count=2)
    heard: list[tuple[str, bool]] = []
    stream = of(table)
    stream.listen(lambda shard: heard.append((shard.id, shard.closed)))
    table.update_table(stream_specification={"StreamEnabled": False})
    assert heard == [(shard.id, True) for shard in stream.shards]


def test_an_outage_of_the_table_is_one_of_its_stream() -> None:
    """Both are one service: 503 for both."""
    table = Stage().stream()
    table.outage(HOUR)
    assert "ServiceUnavailable" in refused(of(table).describe_stream)


def test_describe_table() -> None:
    """DescribeTable's answer: keys, their types, what is in it."""
    table = Stage().table(hash_key="pk", range_key="at", attribute_types={"at": "N"})
    table.put_item({"pk": {"S": "a"}, "at": {"N": "1"}})
    described = table.describe_table()["Table"]
    assert len(described.pop("TableId")) == 36
    assert described == {
        "AttributeDefinitions": [
            {"AttributeName": "at", "AttributeType": "N"},
            {"AttributeName": "pk", "AttributeType": "S"},
        ],
        "TableName": "items",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
        "TableStatus": "ACTIVE",
        "CreationDateTime": datetime(2026, 1, 1, tzinfo=UTC),
        "TableSizeBytes": 7,
        "ItemCount": 1,
        "TableArn": "arn:aws:dynamodb:us-east-1:111111111111:table/items",
        "ProvisionedThroughput": {"NumberOfDecreasesToday": 0, "ReadCapacityUnits": 0, "WriteCapacityUnits": 0},
        "BillingModeSummary": {
            "BillingMode": "PAY_PER_REQUEST",
            "LastUpdateToPayPerRequestDateTime": datetime(2026, 1, 1, tzinfo=UTC),
        },
        "DeletionProtectionEnabled": False,
        "WarmThroughput": {"ReadUnitsPerSecond": 12000, "WriteUnitsPerSecond": 4000, "Status": "ACTIVE"},
    }
