"""Secondary indexes through boto3.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/SecondaryIndexes.html
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbus import Simulation

pytest.importorskip("boto3", reason="needs the extra boto3")
from botocore.exceptions import ClientError

INDEXES: dict[str, Any] = {
    "hash_key": "pk",
    "range_key": "sk",
    "attribute_types": {"sk": "N", "at": "N"},
    "local_secondary_indexes": [
        {"index_name": "by_at", "hash_key": "pk", "range_key": "at", "projection_type": "KEYS_ONLY"}
    ],
    "global_secondary_indexes": [
        {"index_name": "of_city", "hash_key": "city", "range_key": "at"},
        {"index_name": "names", "hash_key": "city", "projection_type": "INCLUDE", "non_key_attributes": ["name"]},
    ],
}


@pytest.fixture
def client(sim: Simulation) -> Any:
    """With a table of six people; one has no city, one no time."""
    sim.table("people", **INDEXES)
    client = sim.client("dynamodb")
    for number, (city, at) in enumerate(
        (("Rome", 5), ("Rome", 3), ("Oslo", 1), (None, 2), ("Rome", None), ("Rome", 4))
    ):
        item = {"pk": {"S": "p"}, "sk": {"N": str(number)}, "name": {"S": f"n{number}"}, "age": {"N": "7"}}
        item |= {} if city is None else {"city": {"S": city}}
        item |= {} if at is None else {"at": {"N": str(at)}}
        client.put_item(TableName="people", Item=item)
    return client


def query(client: Any, index: str, condition: str, values: dict[str, Any], **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = client.query(
        TableName="people",
        IndexName=index,
        KeyConditionExpression=condition,
        ExpressionAttributeValues=values,
        **more,
    )
    return found


ROME = {":c": {"S": "Rome"}}


def test_a_global_index_is_sparse_and_in_its_own_order(client: Any) -> None:
    """An item without an attribute of the index key is not in it; the items come in the order of its range key."""
    found = query(client, "of_city", "city = :c", ROME)
    assert [item["sk"]["N"] for item in found["Items"]] == ["1", "5", "0"]
    assert found["Items"][0]["age"] == {"N": "7"}
    found = query(client, "of_city", "city = :c and #at > :t", {**ROME, ":t": {"N": "3"}}, ScanIndexForward=False,
                  ExpressionAttributeNames={"#at": "at"})  # fmt: skip
    assert [item["at"]["N"] for item in found["Items"]] == ["5", "4"]
    assert client.scan(TableName="people", IndexName="of_city")["Count"] == 4


def test_an_item_moves_in_an_index_when_it_changes(client: Any) -> None:
    """An update of a key attribute deletes the entry and makes another one; without the attribute there is none."""
    key = {"pk": {"S": "p"}, "sk": {"N": "2"}}
    query(client, "of_city", "city = :c", ROME)  # the index is in order from here on
    update = {"TableName": "people", "Key": key}
    client.update_item(**update, UpdateExpression="SET city = :c", ExpressionAttributeValues=ROME)
    assert query(client, "of_city", "city = :c", ROME)["Count"] == 4
    client.update_item(**update, UpdateExpression="REMOVE city")
    client.delete_item(TableName="people", Key={"pk": {"S": "p"}, "sk": {"N": "0"}})
    assert [item["sk"]["N"] for item in query(client, "of_city", "city = :c", ROME)["Items"]] == ["1", "5"]


def test_projections(client: Any) -> None:
    """An index has its keys, the table's, and what is included; a local one fetches the rest, a global one can't."""
    assert query(client, "names", "city = :c", ROME, Limit=1)["Items"] == [
        {"pk": {"S": "p"}, "sk": {"N": "0"}, "city": {"S": "Rome"}, "name": {"S": "n0"}}
    ]
    person = {":p": {"S": "p"}}
    assert query(client, "by_at", "pk = :p", person, Limit=1)["Items"] == [
        {"pk": {"S": "p"}, "sk": {"N": "2"}, "at": {"N": "1"}}
    ]
    assert query(client, "by_at", "pk = :p", person, Limit=1, Select="ALL_ATTRIBUTES")["Items"][0]["age"]
    assert query(client, "by_at", "pk = :p", person, Limit=1, ProjectionExpression="age")["Items"] == [
        {"age": {"N": "7"}}
    ]
    with pytest.raises(ClientError, match="Global secondary index names does not project \\[age\\]"):
        query(client, "names", "city = :c", ROME, ProjectionExpression="age")
    with pytest.raises(ClientError, match="Select type ALL_ATTRIBUTES is not supported for global secondary index"):
        query(client, "names", "city = :c", ROME, Select="ALL_ATTRIBUTES")


def test_pages_go_on_from_the_index_key_and_the_table_key(client: Any) -> None:
    """LastEvaluatedKey has the keys of both (developer guide, GSI), so that equal index keys are told apart."""
    pages = list(
        client.get_paginator("query").paginate(
            TableName="people",
            IndexName="names",
            KeyConditionExpression="city = :c",
            ExpressionAttributeValues=ROME,
            PaginationConfig={"PageSize": 3},
        )
    )
    assert [[item["sk"]["N"] for item in page["Items"]] for page in pages] == [["0", "1", "4"], ["5"]]
    assert pages[0]["LastEvaluatedKey"] == {"city": {"S": "Rome"}, "pk": {"S": "p"}, "sk": {"N": "4"}}
    with pytest.raises(ClientError, match="The provided starting key is invalid"):
        query(client, "names", "city = :c", ROME, ExclusiveStartKey={"city": {"S": "Rome"}})
    with pytest.raises(ClientError, match="The provided starting key is outside query boundaries"):
        key = {**pages[0]["LastEvaluatedKey"], "city": {"S": "Oslo"}}
        query(client, "names", "city = :c", ROME, ExclusiveStartKey=key)


def test_consistent_reads(client: Any) -> None:
    """A local index can be read consistently, a global one can't (recorded by paritysuite/dynamodb-conformance)."""
    assert query(client, "by_at", "pk = :p", {":p": {"S": "p"}}, ConsistentRead=True)["Count"] == 5
    for call, parameters in ((query, ("names", "city = :c", ROME)), (client.scan, ())):
        with pytest.raises(ClientError) as caught:
            if call is query:
                query(client, *parameters, ConsistentRead=True)
            else:
                client.scan(TableName="people", IndexName="names", ConsistentRead=True)
        assert caught.value.response["Error"] == {
            "Code": "ValidationException",
            "Message": "Consistent reads are not supported on global secondary indexes",
        }
    with pytest.raises(ClientError, match="The table does not have the specified index: other"):
        query(client, "other", "city = :c", ROME)


def test_what_an_index_key_can_be(client: Any) -> None:
    """An attribute of an index key has its type, and is not empty (AWS's words)."""
    key = {"pk": {"S": "p"}, "sk": {"N": "9"}}
    for attribute, message in (
        ({"at": {"S": "x"}}, "Type mismatch for Index Key at Expected: N Actual: S IndexName: by_at"),
        (
            {"city": {"S": ""}},
            "A value specified for a secondary index key is not supported. The AttributeValue for a key attribute "
            "cannot contain an empty string value. IndexName: of_city, IndexKey: city",
        ),
    ):
        with pytest.raises(ClientError) as caught:
            client.put_item(TableName="people", Item={**key, **attribute})
        assert message in caught.value.response["Error"]["Message"]
    with pytest.raises(ClientError, match="attempted to update the secondary index key to unsupported type"):
        client.update_item(
            TableName="people",
            Key=key,
            UpdateExpression="SET city = :n",
            ExpressionAttributeValues={":n": {"N": "1"}},
        )


def test_an_index_that_is_added_has_the_items_that_fit(client: Any) -> None:
    """It is filled from the table; an item whose attribute has another type stays out (developer guide)."""
    for sk, age in (("8", {"S": "old"}), ("7", {"N": "8"})):
        client.put_item(TableName="people", Item={"pk": {"S": "q"}, "sk": {"N": sk}, "age": age})
    client.update_table(
        TableName="people",
        AttributeDefinitions=[{"AttributeName": "age", "AttributeType": "N"}],
        GlobalSecondaryIndexUpdates=[{"Create": {
            "IndexName": "of_age",
            "KeySchema": [{"AttributeName": "age", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }}],
    )  # fmt: skip
    client.get_waiter("table_exists").wait(TableName="people")
    assert client.scan(TableName="people", IndexName="of_age")["Count"] == 7
    assert client.describe_table(TableName="people")["Table"]["GlobalSecondaryIndexes"][2]["ItemCount"] == 7


CHANGES = st.lists(
    st.tuples(
        st.integers(0, 4), st.one_of(st.none(), st.sampled_from("ab")), st.one_of(st.none(), st.integers(-3, 12))
    ),
    max_size=25,
)


@given(changes=CHANGES, forward=st.booleans(), limit=st.integers(1, 4), low=st.integers(-3, 12))
def test_an_index_says_what_a_scan_says(changes: Any, forward: bool, limit: int, low: int) -> None:
    """Whatever was written: a query of an index, page by page, is the table's items that fit, in their order."""
    from dynamodb_stubs import Stage

    table = Stage().table(
        hash_key="id",
        attribute_types={"at": "N"},
        global_secondary_indexes=[{"index_name": "of_city", "hash_key": "city", "range_key": "at"}],
    )
    for number, city, at in changes:
        item = {"id": {"S": str(number)}}
        item |= {} if city is None else {"city": {"S": city}}
        item |= {} if at is None else {"at": {"N": str(at)}}
        table.put_item(item)
        table.query("city = :c", index_name="of_city", expression_attribute_values={":c": {"S": "a"}})
    wanted = [
        (int(item["at"]["N"]), item["id"]["S"])
        for item in table.items
        if item.get("city") == {"S": "a"} and "at" in item and int(item["at"]["N"]) >= low
    ]
    found: list[tuple[int, str]] = []
    start = None
    while True:
        page = table.query(
            "city = :c and #at >= :low",
            index_name="of_city",
            expression_attribute_names={"#at": "at"},
            expression_attribute_values={":c": {"S": "a"}, ":low": {"N": str(low)}},
            scan_index_forward=forward,
            limit=limit,
            exclusive_start_key=start,
        )
        found += [(int(item["at"]["N"]), item["id"]["S"]) for item in page["Items"]]
        start = page.get("LastEvaluatedKey")
        if start is None:
            break
    assert found == sorted(wanted, reverse=not forward)
