"""ReturnConsumedCapacity and ReturnItemCollectionMetrics.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/capacity-mode.html
"""

from __future__ import annotations

from typing import Any

import pytest

from simbus import Simulation

pytest.importorskip("boto3", reason="needs the extra boto3")

PEOPLE: dict[str, Any] = {
    "hash_key": "pk",
    "range_key": "sk",
    "local_secondary_indexes": [
        {"index_name": "by_at", "hash_key": "pk", "range_key": "at", "projection_type": "KEYS_ONLY"}
    ],
    "global_secondary_indexes": [{"index_name": "of_city", "hash_key": "city"}],
}


@pytest.fixture
def client(sim: Simulation) -> Any:
    sim.table("people", **PEOPLE)
    return sim.client("dynamodb")


def item(sk: str, **more: str) -> dict[str, Any]:
    return {name: {"S": value} for name, value in {"pk": "p", "sk": sk, **more}.items()}


def write(client: Any, given: dict[str, Any], how: str = "INDEXES") -> dict[str, Any]:
    answer = client.put_item(TableName="people", Item=given, ReturnConsumedCapacity=how)
    found: dict[str, Any] = answer["ConsumedCapacity"]
    return found


def test_a_write_costs_a_unit_per_kilobyte_and_one_per_index_that_changes(client: Any) -> None:
    """An entry that moves costs two; one that stays as it is costs nothing."""
    assert write(client, item("1"), "TOTAL") == {"TableName": "people", "CapacityUnits": 1.0}
    assert write(client, item("1", v="x" * 1500))["CapacityUnits"] == 2.0
    assert write(client, item("1", city="Rome")) == {
        "TableName": "people",
        "CapacityUnits": 3.0,
        "Table": {"CapacityUnits": 2.0},
        "GlobalSecondaryIndexes": {"of_city": {"CapacityUnits": 1.0}},
    }
    assert write(client, item("1", city="Oslo"))["GlobalSecondaryIndexes"] == {"of_city": {"CapacityUnits": 2.0}}
    moved = write(client, item("1", city="Oslo", at="2"))
    assert moved["LocalSecondaryIndexes"] == {"by_at": {"CapacityUnits": 1.0}}
    assert moved["CapacityUnits"] == 3.0
    again = write(client, item("1", city="Oslo", at="2"))
    assert again == {"TableName": "people", "CapacityUnits": 1.0, "Table": {"CapacityUnits": 1.0}}


def test_a_read_costs_half_a_unit_per_four_kilobytes(client: Any) -> None:
    """A consistent one a whole unit, also where there is nothing."""
    client.put_item(TableName="people", Item=item("1", v="x" * 5000))

    def units(sk: str, consistent: bool) -> float:
        answer = client.get_item(
            TableName="people", Key=item(sk), ConsistentRead=consistent, ReturnConsumedCapacity="TOTAL"
        )
        return float(answer["ConsumedCapacity"]["CapacityUnits"])

    assert [units(sk, consistent) for sk in ("1", "2") for consistent in (False, True)] == [1.0, 2.0, 0.5, 1.0]


def test_a_query_is_rounded_up_once(client: Any) -> None:
    """All that is read counts, whatever the filter leaves (developer guide, Query); an index is read in the index."""
    for number in range(4):
        client.put_item(TableName="people", Item=item(str(number), at="1", v="x" * 3000))
    query = {
        "TableName": "people",
        "KeyConditionExpression": "pk = :p",
        "ExpressionAttributeValues": {":p": {"S": "p"}},
        "ReturnConsumedCapacity": "INDEXES",
    }
    consumed = client.query(**query)["ConsumedCapacity"]
    assert consumed == {"TableName": "people", "CapacityUnits": 1.5, "Table": {"CapacityUnits": 1.5}}
    consumed = client.query(**query, IndexName="by_at", ConsistentRead=True)["ConsumedCapacity"]
    assert consumed["LocalSecondaryIndexes"] == {"by_at": {"CapacityUnits": 1.0}}
    assert consumed["Table"] == {"CapacityUnits": 0.0}
    fetched = client.query(**query, IndexName="by_at", Select="ALL_ATTRIBUTES")["ConsumedCapacity"]
    assert fetched["CapacityUnits"] == 0.5 + 4 * 0.5


def test_batches_and_transactions(client: Any) -> None:
    """By table; a transaction costs twice as much and says of what kind its units are."""
    put = {"Put": {"TableName": "people", "Item": item("1", city="Rome")}}
    consumed = client.transact_write_items(TransactItems=[put], ReturnConsumedCapacity="TOTAL")["ConsumedCapacity"]
    assert consumed == [{"TableName": "people", "CapacityUnits": 4.0, "WriteCapacityUnits": 4.0}]
    get = {"Get": {"TableName": "people", "Key": item("1")}}
    consumed = client.transact_get_items(TransactItems=[get], ReturnConsumedCapacity="TOTAL")["ConsumedCapacity"]
    assert consumed == [{"TableName": "people", "CapacityUnits": 2.0, "ReadCapacityUnits": 2.0}]
    answer = client.batch_write_item(
        RequestItems={"people": [{"PutRequest": {"Item": item("2")}}, {"PutRequest": {"Item": item("3")}}]},
        ReturnConsumedCapacity="TOTAL",
    )
    assert answer["ConsumedCapacity"] == [{"TableName": "people", "CapacityUnits": 2.0}]
    answer = client.batch_get_item(
        RequestItems={"people": {"Keys": [item("2"), item("9")], "ConsistentRead": True}},
        ReturnConsumedCapacity="TOTAL",
    )
    assert answer["ConsumedCapacity"] == [{"TableName": "people", "CapacityUnits": 2.0}]


def test_a_replayed_transaction_reads(client: Any) -> None:
    """A request whose token is known returns the read units of its items (API reference, ClientRequestToken)."""
    put = {"Put": {"TableName": "people", "Item": item("1")}}
    answers = [
        client.transact_write_items(TransactItems=[put], ClientRequestToken="t", ReturnConsumedCapacity="TOTAL")
        for _ in range(2)
    ]
    assert answers[1]["ConsumedCapacity"] == [{"TableName": "people", "CapacityUnits": 2.0, "ReadCapacityUnits": 2.0}]


def test_item_collections(client: Any, sim: Simulation) -> None:
    """Only a table with a local index has them (API reference, ItemCollectionMetrics)."""
    answer = client.put_item(TableName="people", Item=item("1"), ReturnItemCollectionMetrics="SIZE")
    assert answer["ItemCollectionMetrics"] == {
        "ItemCollectionKey": {"pk": {"S": "p"}},
        "SizeEstimateRangeGB": [0.0, 1.0],
    }
    answer = client.batch_write_item(
        RequestItems={"people": [{"PutRequest": {"Item": item("2")}}]}, ReturnItemCollectionMetrics="SIZE"
    )
    assert [each["ItemCollectionKey"] for each in answer["ItemCollectionMetrics"]["people"]] == [{"pk": {"S": "p"}}]
    sim.table("plain", hash_key="pk")
    answer = client.put_item(TableName="plain", Item={"pk": {"S": "1"}}, ReturnItemCollectionMetrics="SIZE")
    assert "ItemCollectionMetrics" not in answer
