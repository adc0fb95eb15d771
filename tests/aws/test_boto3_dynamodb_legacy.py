"""The parameters that expressions have replaced; no parser is needed for them.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LegacyConditionalParameters.html
"""

from __future__ import annotations

from typing import Any

import pytest

from simbus import Simulation

pytest.importorskip("boto3", reason="needs the extra boto3")
from botocore.exceptions import ClientError

KEY = {"id": {"S": "1"}}
ORDERS = {"TableName": "orders"}


@pytest.fixture
def client(sim: Simulation) -> Any:
    sim.table("orders", hash_key="id")
    client = sim.client("dynamodb")
    client.put_item(**ORDERS, Item={**KEY, "n": {"N": "5"}, "tags": {"SS": ["a", "b"]}, "old": {"S": "x"}})
    return client


@pytest.mark.parametrize(
    ("expected", "holds"),
    [
        ({"n": {"Value": {"N": "5"}}}, True),
        ({"n": {"Exists": False}}, False),
        ({"none": {"Exists": False}}, True),
        ({"n": {"ComparisonOperator": "BETWEEN", "AttributeValueList": [{"N": "1"}, {"N": "4"}]}}, False),
        ({"n": {"ComparisonOperator": "IN", "AttributeValueList": [{"N": "1"}, {"N": "5"}]}}, True),
        ({"tags": {"ComparisonOperator": "CONTAINS", "AttributeValueList": [{"S": "a"}]}}, True),
        ({"tags": {"ComparisonOperator": "NOT_CONTAINS", "AttributeValueList": [{"S": "a"}]}}, False),
        ({"old": {"ComparisonOperator": "BEGINS_WITH", "AttributeValueList": [{"S": "x"}]}}, True),
        ({"old": {"ComparisonOperator": "NULL"}}, False),
        ({"old": {"ComparisonOperator": "NOT_NULL"}, "none": {"ComparisonOperator": "NOT_NULL"}}, False),
    ],
)
def test_expected(client: Any, expected: Any, holds: bool) -> None:
    """Every operator of a condition (developer guide, Expected)."""
    if holds:
        client.delete_item(**ORDERS, Key=KEY, Expected=expected)
    else:
        with pytest.raises(client.exceptions.ConditionalCheckFailedException):
            client.delete_item(**ORDERS, Key=KEY, Expected=expected)


def test_conditional_operator(client: Any) -> None:
    """AND unless OR is said (developer guide, ConditionalOperator)."""
    expected = {"n": {"Value": {"N": "5"}}, "none": {"ComparisonOperator": "NOT_NULL"}}
    with pytest.raises(client.exceptions.ConditionalCheckFailedException):
        client.put_item(**ORDERS, Item=KEY, Expected=expected)
    client.put_item(**ORDERS, Item=KEY, Expected=expected, ConditionalOperator="OR")


def test_attribute_updates(client: Any) -> None:
    """PUT, ADD and DELETE (developer guide, AttributeUpdates); ADD appends to a list."""
    new = client.update_item(
        **ORDERS,
        Key=KEY,
        AttributeUpdates={
            "new": {"Value": {"S": "y"}},
            "n": {"Action": "ADD", "Value": {"N": "2"}},
            "list": {"Action": "ADD", "Value": {"L": [{"S": "z"}]}},
            "tags": {"Action": "DELETE", "Value": {"SS": ["a"]}},
            "old": {"Action": "DELETE"},
        },
        ReturnValues="ALL_NEW",
    )["Attributes"]
    assert new == {
        **KEY, "n": {"N": "7"}, "new": {"S": "y"}, "list": {"L": [{"S": "z"}]}, "tags": {"SS": ["b"]},
    }  # fmt: skip


def test_conditions_of_query_and_scan(sim: Simulation) -> None:
    """KeyConditions, QueryFilter, ScanFilter, AttributesToGet (developer guide)."""
    sim.table("events", hash_key="id", range_key="at", attribute_types={"at": "N"})
    client = sim.client("dynamodb")
    for at in range(4):
        client.put_item(TableName="events", Item={**KEY, "at": {"N": str(at)}, "odd": {"BOOL": at % 2 == 1}})
    conditions = {
        "id": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "1"}]},
        "at": {"ComparisonOperator": "GE", "AttributeValueList": [{"N": "1"}]},
    }
    odd = {"odd": {"ComparisonOperator": "EQ", "AttributeValueList": [{"BOOL": True}]}}
    found = client.query(TableName="events", KeyConditions=conditions, QueryFilter=odd, AttributesToGet=["at"])
    assert found["Items"] == [{"at": {"N": "1"}}, {"at": {"N": "3"}}]
    assert client.scan(TableName="events", ScanFilter=odd)["Count"] == 2
    assert client.get_item(TableName="events", Key={**KEY, "at": {"N": "2"}}, AttributesToGet=["odd"])["Item"] == {
        "odd": {"BOOL": False}
    }


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"Expected": {"n": {"Exists": False}}, "ConditionExpression": "attribute_exists(id)"},
            "Can not use both expression and non-expression parameters in the same request: "
            "Non-expression parameters: {Expected} Expression parameters: {ConditionExpression}",
        ),
        (
            {"Expected": {"n": {"Exists": True}}},
            "One or more parameter values were invalid: Value must be provided when Exists is true for Attribute: n",
        ),
        (
            {"Expected": {"n": {"ComparisonOperator": "BETWEEN", "AttributeValueList": [{"N": "1"}]}}},
            "One or more parameter values were invalid: Invalid number of argument(s) for the BETWEEN "
            "ComparisonOperator",
        ),
        (
            {"ConditionalOperator": "OR"},
            "ConditionalOperator cannot be used without Filter or Expected",
        ),
    ],
)
def test_refusals(client: Any, parameters: Any, message: str) -> None:
    """AWS's words, as dynalite's tests have compared them with DynamoDB."""
    with pytest.raises(ClientError) as caught:
        client.put_item(**ORDERS, Item=KEY, **parameters)
    assert caught.value.response["Error"] == {"Code": "ValidationException", "Message": message}
