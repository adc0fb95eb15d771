"""What no key, path or expression may be, through boto3."""

from __future__ import annotations

from typing import Any

import pytest

from simbus import Simulation

pytest.importorskip("boto3", reason="needs the extra boto3")
from botocore.exceptions import ClientError

ID = {"id": {"S": "1"}}
EMPTY = (
    "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string "
    "value. Key: {}"
)
HASH_SIZE = (
    "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes"
)
RANGE_SIZE = (
    "One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of 1024 "
    "bytes"
)


@pytest.fixture
def client(sim: Simulation) -> Any:
    by_city = {"index_name": "by_city", "hash_key": "city"}
    sim.table("orders", hash_key="id", range_key="sk", global_secondary_indexes=[by_city])
    client = sim.client("dynamodb")
    client.put_item(TableName="orders", Item={**ID, "sk": {"S": "2"}, "seq": {"L": [{"N": "1"}]}})
    return client


def refusal(call: Any, **params: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(TableName="orders", **params)
    error = caught.value.response["Error"]
    assert error["Code"] == "ValidationException"
    message: str = error["Message"]
    return message


@pytest.mark.parametrize(
    ("condition", "hashed", "ranged", "message"),
    [
        ("id = :h", "", None, EMPTY.format("id")),
        ("id = :h AND sk = :r", "1", "", EMPTY.format("sk")),
        ("id = :h AND begins_with(sk, :r)", "1", "", EMPTY.format("sk")),
        ("id = :h AND sk BETWEEN :r AND :h", "1", "", EMPTY.format("sk")),
        ("id = :h", "x" * 2049, None, HASH_SIZE),
        ("id = :h AND sk > :r", "1", "x" * 1025, RANGE_SIZE),
    ],
)
def test_the_keys_of_a_query_are_neither_empty_nor_too_long(
    client: Any, condition: str, hashed: str, ranged: str | None, message: str
) -> None:
    """As those of a GetItem are (github.com/getmoto/moto/issues/7062 for the empty hash key)."""
    values = {":h": {"S": hashed}} | ({} if ranged is None else {":r": {"S": ranged}})
    found = refusal(client.query, KeyConditionExpression=condition, ExpressionAttributeValues=values)
    assert found == message


@pytest.mark.parametrize("operator", ["EQ", "BEGINS_WITH"])
def test_the_legacy_form_of_a_query_is_no_way_around(client: Any, operator: str) -> None:
    """KeyConditions are checked as a KeyConditionExpression is."""

    def told(hashed: str, ranged: str) -> str:
        conditions = {
            "id": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": hashed}]},
            "sk": {"ComparisonOperator": operator, "AttributeValueList": [{"S": ranged}]},
        }
        return refusal(client.query, KeyConditions=conditions)

    assert told("", "1") == EMPTY.format("id")
    assert told("1", "") == EMPTY.format("sk")
    assert told("x" * 2049, "1") == HASH_SIZE


def test_the_keys_of_an_index_are_checked_as_well(client: Any) -> None:
    """An index has no item of an empty key (developer guide, GSI)."""
    query = {"IndexName": "by_city", "KeyConditionExpression": "city = :c"}
    assert refusal(client.query, **query, ExpressionAttributeValues={":c": {"S": ""}}) == EMPTY.format("city")
    longest = {":c": {"S": "x" * 2048}}
    assert client.query(TableName="orders", **query, ExpressionAttributeValues=longest)["Count"] == 0


@pytest.mark.parametrize("index", [4_294_967_295, 99_999_999_999_999])
def test_a_list_has_so_many_positions(client: Any, index: int) -> None:
    """The text was seen on AWS (github.com/scylladb/scylladb/pull/25951); the largest position is remembered only."""
    key = {**ID, "sk": {"S": "2"}}
    what = f"List index is not within the allowable range; index: [{index}]"
    path = f"seq[{index}]"
    assert refusal(client.scan, ProjectionExpression=path) == f"Invalid ProjectionExpression: {what}"
    found = refusal(client.update_item, Key=key, UpdateExpression=f"REMOVE {path}")
    assert found == f"Invalid UpdateExpression: {what}"
    found = refusal(client.scan, FilterExpression=f"attribute_exists({path})")
    assert found == f"Invalid FilterExpression: {what}"
    client.update_item(TableName="orders", Key=key, UpdateExpression="REMOVE seq[4294967294]")
    assert client.scan(TableName="orders")["Items"][0]["seq"] == {"L": [{"N": "1"}]}


def test_a_document_path_has_32_dereferences(client: Any) -> None:
    """Developer guide, Expressions.Attributes: "Document path depth"."""
    assert client.scan(TableName="orders", ProjectionExpression="seq" + "[0]" * 32)["Items"] == [{}]
    what = "The document path has too many nesting elements; nesting levels: 33"
    assert refusal(client.scan, ProjectionExpression="seq" + ".a[0]" * 16 + ".b") == (
        f"Invalid ProjectionExpression: {what}"
    )
    assert refusal(client.scan, FilterExpression="attribute_exists(seq" + "[0]" * 33 + ")") == (
        f"Invalid FilterExpression: {what}"
    )
