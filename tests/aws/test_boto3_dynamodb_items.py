"""DynamoDB through boto3: items, batches, transactions, as a handler sees them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from simbus import Simulation

boto3 = pytest.importorskip("boto3", reason="needs the extra boto3")
from boto3.dynamodb.conditions import Attr, Key  # noqa: E402


def run(sim: Simulation, handler: Any) -> Any:
    """What a handler returns."""
    answer = sim.function("f", handler=handler, timeout=60).invoke({})
    assert answer.function_error is None, answer.payload
    return answer.json()


def test_an_item_through_the_resource_api(sim: Simulation) -> None:
    """Numbers come back as Decimal in their shortest form, sets as sets, bytes as Binary (boto3 guide, DynamoDB)."""
    table = sim.table("orders", hash_key="id")
    seen: dict[str, Any] = {}

    def handler(event: Any, context: Any) -> Any:
        orders = boto3.resource("dynamodb").Table("orders")
        item = {"id": "1", "price": Decimal("1.50"), "tags": {"b", "a"}, "raw": b"\x00", "deep": {"list": [1, None]}}
        orders.put_item(Item=item)
        seen.update(orders.get_item(Key={"id": "1"}, ConsistentRead=True)["Item"])
        counted = orders.update_item(
            Key={"id": "1"},
            UpdateExpression="ADD seen :one SET #d.#l[0] = :n",
            ExpressionAttributeNames={"#d": "deep", "#l": "list"},
            ExpressionAttributeValues={":one": 1, ":n": 7},
            ReturnValues="UPDATED_NEW",
        )["Attributes"]
        return str(counted["seen"]), [int(each) for each in counted["deep"]["list"]]

    assert run(sim, handler) == ["1", [7]]
    assert seen["price"] == Decimal("1.5")
    assert seen["tags"] == {"a", "b"}
    assert seen["raw"].value == b"\x00"
    assert seen["deep"] == {"list": [Decimal(1), None]}
    assert len(table) == 1


def test_conditions_of_boto3(sim: Simulation) -> None:
    """The builder's conditions become expressions with placeholders of their own."""
    sim.table("orders", hash_key="id", range_key="at", attribute_types={"id": "S", "at": "N"})
    orders = sim.resource("dynamodb").Table("orders")
    with orders.batch_writer() as batch:
        for at in range(60):
            batch.put_item(Item={"id": "a", "at": at, "even": at % 2 == 0})
    found = orders.query(
        KeyConditionExpression=Key("id").eq("a") & Key("at").between(10, 19),
        FilterExpression=Attr("even").eq(True),
        ScanIndexForward=False,
    )
    assert [int(item["at"]) for item in found["Items"]] == [18, 16, 14, 12, 10]
    assert (found["Count"], found["ScannedCount"]) == (5, 10)
    pages = list(sim.client("dynamodb").get_paginator("query").paginate(
        TableName="orders", KeyConditionExpression="id = :a", ExpressionAttributeValues={":a": {"S": "a"}}, Limit=25
    ))  # fmt: skip
    assert [page["Count"] for page in pages] == [25, 25, 10]


def test_a_failed_condition_shows_the_item(sim: Simulation) -> None:
    """ReturnValuesOnConditionCheckFailure: the item is a member of the error (API reference, PutItem)."""
    sim.table("orders", hash_key="id")
    client = sim.client("dynamodb")
    client.put_item(TableName="orders", Item={"id": {"S": "1"}, "raw": {"B": b"\xff"}})
    with pytest.raises(client.exceptions.ConditionalCheckFailedException) as caught:
        client.put_item(
            TableName="orders",
            Item={"id": {"S": "1"}},
            ConditionExpression="attribute_not_exists(id)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    assert caught.value.response["Item"] == {"id": {"S": "1"}, "raw": {"B": b"\xff"}}
    assert caught.value.response["Error"]["Message"] == "The conditional request failed"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def put(**parameters: Any) -> dict[str, Any]:
    return {"Put": {"TableName": "orders", **parameters}}


def test_a_cancelled_transaction_has_its_reasons(sim: Simulation) -> None:
    """One reason per action, "None" for those that were fine (API reference, TransactWriteItems)."""
    table = sim.table("orders", hash_key="id")
    client = sim.client("dynamodb")
    client.put_item(TableName="orders", Item={"id": {"S": "1"}})
    with pytest.raises(client.exceptions.TransactionCanceledException) as caught:
        client.transact_write_items(
            TransactItems=[
                put(Item={"id": {"S": "2"}}),
                put(Item={"id": {"S": "1"}}, ConditionExpression="attribute_not_exists(id)"),
                put(Item={"id": {"N": "3"}}),
            ]
        )
    assert caught.value.response["Error"]["Message"] == (
        "Transaction cancelled, please refer cancellation reasons for specific reasons "
        "[None, ConditionalCheckFailed, ValidationError]"
    )
    assert caught.value.response["CancellationReasons"] == [
        {"Code": "None"},
        {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"},
        {
            "Code": "ValidationError",
            "Message": "One or more parameter values were invalid: Type mismatch for key id expected: S actual: N",
        },
    ]
    assert len(table) == 1


def test_a_token_makes_a_transaction_idempotent_for_ten_minutes(sim: Simulation) -> None:
    """The same request with the same token changes nothing; another request with it is refused (API reference)."""
    table = sim.table("orders", hash_key="id")
    client = sim.client("dynamodb")

    def add(amount: int) -> None:
        client.transact_write_items(
            ClientRequestToken="token",
            TransactItems=[{"Update": {
                "TableName": "orders", "Key": {"id": {"S": "1"}}, "UpdateExpression": "ADD n :n",
                "ExpressionAttributeValues": {":n": {"N": str(amount)}},
            }}],
        )  # fmt: skip

    add(1)
    sim.run(for_="9m")
    add(1)
    assert table.items == [{"id": {"S": "1"}, "n": {"N": "1"}}]
    with pytest.raises(client.exceptions.IdempotentParameterMismatchException):
        add(2)
    sim.run(for_="2m")
    add(1)
    assert table.items == [{"id": {"S": "1"}, "n": {"N": "2"}}]


def test_batches_of_several_tables(sim: Simulation) -> None:
    """Items are answered under the name of their table (API reference, BatchGetItem)."""
    for name in ("orders", "items"):
        sim.table(name, hash_key="id")
    client = sim.client("dynamodb")
    one = {"PutRequest": {"Item": {"id": {"S": "1"}}}}
    assert client.batch_write_item(RequestItems={"orders": [one], "items": [one]})["UnprocessedItems"] == {}
    keys = {"Keys": [{"id": {"S": "1"}}, {"id": {"S": "2"}}]}
    answer = client.batch_get_item(RequestItems={"orders": keys, "items": keys})
    assert answer["Responses"] == {"orders": [{"id": {"S": "1"}}], "items": [{"id": {"S": "1"}}]}
    resource = sim.resource("dynamodb")
    assert resource.batch_get_item(RequestItems={"orders": {"Keys": [{"id": "1"}]}})["Responses"]["orders"] == [
        {"id": "1"}
    ]
    got = client.transact_get_items(TransactItems=[{"Get": {"TableName": "items", "Key": {"id": {"S": "1"}}}}])
    assert got["Responses"] == [{"Item": {"id": {"S": "1"}}}]


def test_a_table_that_is_not_there(sim: Simulation) -> None:
    """Item operations don't name it, DescribeTable does."""
    client = sim.client("dynamodb")
    missing = client.exceptions.ResourceNotFoundException
    with pytest.raises(missing, match=r"GetItem operation: Requested resource not found$"):
        client.get_item(TableName="none", Key={"id": {"S": "1"}})
    with pytest.raises(missing, match=r"Requested resource not found: Table: none not found$"):
        client.describe_table(TableName="none")
    with pytest.raises(missing, match=r"Requested resource not found$"):
        client.batch_write_item(RequestItems={"none": [{"PutRequest": {"Item": {"id": {"S": "1"}}}}]})


def test_key_conditions(sim: Simulation) -> None:
    """Either side may have the attribute; what AWS says of others (recorded by paritysuite/dynamodb-conformance)."""
    sim.table("orders", hash_key="id", range_key="nr", attribute_types={"nr": "N"})
    client = sim.client("dynamodb")
    for at in range(4):
        client.put_item(TableName="orders", Item={"id": {"S": "a"}, "nr": {"N": str(at)}})

    def query(condition: str, **values: Any) -> Any:
        given = {f":{name}": value for name, value in values.items()}
        return client.query(
            TableName="orders", KeyConditionExpression=condition, ExpressionAttributeValues=given, Select="COUNT"
        )["Count"]

    a, one, two = {"S": "a"}, {"N": "1"}, {"N": "2"}
    assert query(":a = id AND :one <= nr", a=a, one=one) == 3
    assert query("(id = :a) AND (nr BETWEEN :one AND :two)", a=a, one=one, two=two) == 2
    for condition, values, message in (
        (
            "id = :a AND nr > :one AND nr < :two",
            {"one": one, "two": two},
            "Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition per key",
        ),
        (
            "id = :a AND nr > :one AND extra = :two",
            {"one": one, "two": two},
            "The number of query conditions (3) exceeds the number of key attributes defined in the schema (2)",
        ),
        (
            "id = :a AND nr < :yes",
            {"yes": {"BOOL": True}},
            "Invalid KeyConditionExpression: Incorrect operand type for operator or function; "
            "operator or function: <, operand type: BOOL",
        ),
        (
            "id = :a AND nr = :b",
            {"b": {"S": "1"}},
            "One or more parameter values were invalid: Condition parameter type does not match schema type",
        ),
    ):
        with pytest.raises(client.exceptions.ClientError) as caught:
            query(condition, a=a, **values)
        assert caught.value.response["Error"]["Message"] == message


def test_a_write_request_is_one_of_two(sim: Simulation) -> None:
    """Both, or none: AWS's words are those of a value with several types; nothing is written."""
    table = sim.table("orders", hash_key="id")
    client = sim.client("dynamodb")
    key = {"id": {"S": "1"}}
    both = {"PutRequest": {"Item": key}, "DeleteRequest": {"Key": key}}
    for request in (both, {}):
        with pytest.raises(client.exceptions.ClientError) as caught:
            client.batch_write_item(RequestItems={"orders": [{"PutRequest": {"Item": {"id": {"S": "2"}}}}, request]})
        assert caught.value.response["Error"] == {
            "Code": "ValidationException",
            "Message": "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the "
            "supported datatypes",
        }
    assert len(table) == 0


def test_too_much_in_one_request(sim: Simulation) -> None:
    """4 MB a transaction, 16 MB an answer of BatchGetItem, 1 MB a page (developer guide, Constraints)."""
    table = sim.table("orders", hash_key="id", range_key="at", attribute_types={"at": "N"})
    for at in range(42):
        table.put_item({"id": {"S": "1"}, "at": {"N": str(at)}, "v": {"S": "x" * 400_000}})
    client = sim.client("dynamodb")
    keys = [{"id": {"S": "1"}, "at": {"N": str(at)}} for at in range(42)]
    with pytest.raises(client.exceptions.ClientError, match="The aggregate size of the items in the transaction"):
        client.transact_get_items(TransactItems=[{"Get": {"TableName": "orders", "Key": key}} for key in keys])
    answer = client.batch_get_item(RequestItems={"orders": {"Keys": keys}})
    assert len(answer["Responses"]["orders"]) == 41
    assert answer["UnprocessedKeys"] == {"orders": {"Keys": keys[41:]}}
    pages = client.get_paginator("query").paginate(
        TableName="orders", KeyConditionExpression="id = :id", ExpressionAttributeValues={":id": {"S": "1"}}
    )
    assert [page["Count"] for page in pages] == [3] * 14 + [0]
