"""Batches, transactions and scans without expressions, and the properties of the stream."""

from __future__ import annotations

from typing import Any

import pytest
from dynamodb_stubs import Stage, payloads
from hypothesis import given
from hypothesis import strategies as st

from simbus.errors import AwsError, UsageError
from simbus.sources.dynamodb.errors import RefusedWrite


def keyed(number: int, **more: Any) -> dict[str, Any]:
    return {"id": {"S": str(number)}, **more}


def put(number: int, **more: Any) -> dict[str, Any]:
    return {"PutRequest": {"Item": keyed(number, **more)}}


def test_batch_write_of_two_tables() -> None:
    """BatchWriteItem puts and deletes; one record for each item that really changed (7.2 of the reference)."""
    stage = Stage()
    table, other = stage.stream(), stage.table("others")
    table.put_item(keyed(1))
    answer = table.batch_write_item(
        {"items": [put(1), put(2), {"DeleteRequest": {"Key": keyed(3)}}], "others": [put(1)]}
    )
    assert answer == {"UnprocessedItems": {}}
    assert [each["dynamodb"]["Keys"]["id"]["S"] for each in payloads(table)] == ["1", "2"]
    assert len(other) == 1


@pytest.mark.parametrize(
    ("requests", "message"),
    [
        ([put(number) for number in range(26)], "Member must have length less than or equal to 25"),
        ([put(1), {"DeleteRequest": {"Key": keyed(1)}}], "Provided list of item keys contains duplicates"),
        ([], "Member must have length greater than or equal to 1"),
        ([put(1), put(2, v={"N": "x"})], "The parameter cannot be converted to a numeric value: x"),
        ({"missing": [put(1)]}, "Requested resource not found"),
        ([put(1), {"PutRequest": {}}], "Value null at 'requestItems.items.member.2.member.putRequest.item'"),
        ([{"DeleteRequest": {}}], "Value null at 'requestItems.items.member.1.member.deleteRequest.key'"),
        ([put(1), {}], "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the"),
    ],
)
def test_refused_batches_write_nothing(requests: Any, message: str) -> None:
    """At most 25 distinct items, all of them valid (API reference, BatchWriteItem)."""
    table = Stage().table()
    with pytest.raises(AwsError) as caught:
        table.batch_write_item(requests)
    assert message in caught.value.message
    assert len(table) == 0


def test_unknown_parameters_are_refused() -> None:
    """What simbus does not know is never ignored."""
    table = Stage().table()
    with pytest.raises(UsageError, match="Condition was given in a batch or transaction; an entry has Item"):
        table.batch_write_item([{"PutRequest": {"Item": keyed(1), "Condition": "x"}}])
    with pytest.raises(UsageError, match="Surprise was given"):
        table.transact_write_items([{"Put": {"Item": keyed(1), "Surprise": 1}}])


def test_batch_get() -> None:
    """Items that exist, by table; up to 100 keys (API reference, BatchGetItem)."""
    stage = Stage()
    table, other = stage.table(), stage.table("others")
    table.put_item(keyed(1))
    other.put_item(keyed(5))
    answer = table.batch_get_item({"items": {"Keys": [keyed(1), keyed(2)]}, "others": {"Keys": [keyed(5)]}})
    assert answer == {"Responses": {"items": [keyed(1)], "others": [keyed(5)]}, "UnprocessedKeys": {}}
    with pytest.raises(AwsError, match="Member must have length less than or equal to 100"):
        table.batch_get_item([keyed(number) for number in range(101)])


def test_batch_get_stops_at_16_mb() -> None:
    """Keys beyond 16 MB of items are unprocessed (API reference, BatchGetItem)."""
    table = Stage().table()
    for number in range(50):
        table.put_item(keyed(number, v={"S": "x" * 400_000}))
    answer = table.batch_get_item([keyed(number) for number in range(50)])
    assert len(answer["Responses"]["items"]) == 41
    assert answer["UnprocessedKeys"]["items"]["Keys"] == [keyed(number) for number in range(41, 50)]


def test_transact_get() -> None:
    """Responses in the order of the request, empty where there is no item (API reference, TransactGetItems)."""
    table = Stage().table()
    table.put_item(keyed(1))
    answer = table.transact_get_items([{"Get": {"Key": keyed(2)}}, {"Get": {"Key": keyed(1), "TableName": "items"}}])
    assert answer == {"Responses": [{}, {"Item": keyed(1)}]}


def test_malformed_transactional_reads() -> None:
    """Required members (boto3 looks for them itself); a key of another schema cancels, as conformance tests have it."""
    table = Stage().table()
    for request, where in (({}, "get"), ({"Get": {}}, "get.key")):
        with pytest.raises(AwsError, match=rf"Value null at 'transactItems.2.member.{where}'"):
            table.transact_get_items([{"Get": {"Key": keyed(1)}}, request])
    with pytest.raises(RefusedWrite) as caught:
        table.transact_get_items([{"Get": {"Key": keyed(1)}}, {"Get": {"Key": {}}}])
    assert caught.value.message.endswith("[None, ValidationError]")
    assert caught.value.details["CancellationReasons"][1] == {
        "Code": "ValidationError",
        "Message": "The provided key element does not match the schema",
    }


def test_transactions_of_over_4_mb() -> None:
    """The items of a transaction, written or read, have 4 MB at most (API reference); nothing is written otherwise."""
    table = Stage().table()
    items = [keyed(number, v={"S": "x" * 400_000}) for number in range(11)]
    with pytest.raises(AwsError, match="The aggregate size of the items in the transaction exceeds 4 MB"):
        table.transact_write_items([{"Put": {"Item": item}} for item in items])
    assert len(table) == 0
    table.transact_write_items([{"Put": {"Item": item}} for item in items[:10]])
    table.put_item(items[10])
    gets = [{"Get": {"Key": keyed(number), "ProjectionExpression": "id"}} for number in range(11)]
    with pytest.raises(AwsError, match="ValidationException: The aggregate size of the items in the transaction"):
        table.transact_get_items(gets)
    assert len(table.transact_get_items(gets[:10])["Responses"]) == 10


def test_transaction_limits() -> None:
    """1 to 100 actions, one for each item (API reference, TransactWriteItems)."""
    table = Stage().table()
    for actions, message in (
        ([{"Put": {"Item": keyed(number)}} for number in range(101)], "length less than or equal to 100"),
        ([], "length greater than or equal to 1"),
        (
            [{"Put": {"Item": keyed(1)}}, {"Delete": {"Key": keyed(1)}}],
            "Transaction request cannot include multiple operations on one item",
        ),
        ([{}], "TransactItems can only contain one of Check, Put, Update or Delete"),
        ([{"Put": {}}], "Value null at 'transactItems.1.member.put.item'"),
    ):
        with pytest.raises(AwsError) as caught:
            table.transact_write_items(actions)
        assert message in caught.value.message
    table.transact_write_items([{"Put": {"Item": keyed(number)}} for number in range(100)])
    assert len(table) == 100


def test_scan_pages_are_1_mb() -> None:
    """A page ends when 1 MB of items have been seen (developer guide, Scan)."""
    table = Stage().table()
    for number in range(7):
        table.put_item(keyed(number, v={"S": "x" * 400_000}))
    sizes, seen, start = [], set(), None
    while True:
        page = table.scan(exclusive_start_key=start)
        sizes.append(page["Count"])
        seen |= {item["id"]["S"] for item in page["Items"]}
        start = page.get("LastEvaluatedKey")
        if start is None:
            break
    assert (sizes, len(seen)) == ([3, 3, 1], 7)


def test_segments_are_a_partition_of_the_table() -> None:
    """Segments of a parallel scan are disjoint and are the whole table (developer guide, Scan)."""
    table = Stage().table()
    for number in range(50):
        table.put_item(keyed(number))
    found = [item["id"]["S"] for segment in range(3) for item in table.scan(segment=segment, total_segments=3)["Items"]]
    assert sorted(found) == sorted(str(number) for number in range(50))
    for options in ({"segment": 1}, {"total_segments": 2}, {"segment": 2, "total_segments": 2}):
        with pytest.raises(AwsError, match="Segment"):
            table.scan(**options)


# --- properties -----------------------------------------------------------------------------------------------------

contents = st.one_of(
    st.integers(-5, 5).map(lambda number: {"N": str(number)}),
    st.sampled_from(["1", "1.0", "1E0", "-0", "0"]).map(lambda text: {"N": text}),
    st.text(max_size=3).map(lambda text: {"S": text}),
    st.binary(max_size=3).map(lambda content: {"B": content}),
    st.booleans().map(lambda truth: {"BOOL": truth}),
    st.lists(st.sampled_from("abc"), min_size=1, unique=True).map(lambda members: {"SS": members}),
)
values = st.recursive(
    contents,
    lambda inner: st.one_of(
        st.lists(inner, max_size=2).map(lambda each: {"L": each}),
        st.dictionaries(st.sampled_from("xyz"), inner, max_size=2).map(lambda each: {"M": each}),
    ),
    max_leaves=4,
)
keys = st.integers(0, 3)
writes = st.lists(
    st.tuples(keys, st.none() | st.dictionaries(st.sampled_from(["a", "b"]), values, max_size=2)), max_size=12
)


@given(writes, st.integers(1, 3))
def test_stream_images_make_the_table(steps: list[tuple[int, dict[str, Any] | None]], shards: int) -> None:
    """Replaying the new images, shard by shard, gives the table; every record says how it really changed."""
    stage = Stage()
    table = stage.stream(stream_shard_count=shards)
    for number, attributes in steps:
        before = len(stage.rows.events)
        was = {item["id"]["S"]: item for item in table.items}
        if attributes is None:
            table.delete_item(keyed(number))
        else:
            table.put_item(keyed(number, **attributes))
        now = {item["id"]["S"]: item for item in table.items}
        assert (len(stage.rows.events) > before) == (was != now)
    copy: dict[str, Any] = {}
    for record in payloads(table):
        key, images = record["dynamodb"]["Keys"]["id"]["S"], record["dynamodb"]
        assert copy.get(key) == images.get("OldImage")
        copy.pop(key, None)
        if record["eventName"] != "REMOVE":
            copy[key] = images["NewImage"]
    fresh = Stage().table("copies")
    for item in copy.values():
        fresh.put_item(item)
    assert {item["id"]["S"]: item for item in fresh.items} == {item["id"]["S"]: item for item in table.items}


@given(st.lists(st.tuples(keys, st.integers(-9, 9), st.booleans()), max_size=30), st.integers(1, 4))
def test_scan_sees_every_item_once(steps: list[tuple[int, int, bool]], limit: int) -> None:
    """Pages of a scan are the table, whatever was written before and after the first scan."""
    table = Stage().table(range_key="at", attribute_types={"at": "N"})
    for number, (key, at, stays) in enumerate(steps):
        item = {"id": {"S": str(key)}, "at": {"N": str(at)}}
        if stays:
            table.put_item(item)
        else:
            table.delete_item(item)
        if number == 5:
            table.scan()
    seen: list[Any] = []
    start = None
    while True:
        page = table.scan(limit=limit, exclusive_start_key=start)
        seen += page["Items"]
        start = page.get("LastEvaluatedKey")
        if start is None:
            break
    assert len(seen) == len(table)
    assert all(item in table.items for item in seen)
