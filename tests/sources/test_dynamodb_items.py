"""Items of a table: what is stored, what is refused, and the change event of each write."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from dynamodb_stubs import Handler, Stage

from simbus.errors import AwsError, UsageError
from simbus.kernel import HOUR

ONE_KIND = "must contain exactly one of the supported datatypes"
LIMITS = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html"


def refused(call: Any, *arguments: Any, **options: Any) -> AwsError:
    with pytest.raises(AwsError) as caught:
        call(*arguments, **options)
    return caught.value


def test_get_returns_the_item() -> None:
    """GetItem answers `Item`, or nothing where there is none (API reference, GetItem)."""
    table = Stage().table()
    item = {"id": {"S": "1"}, "b": {"B": b"\x00\x01"}, "m": {"M": {"l": {"L": [{"NULL": True}, {"BOOL": False}]}}}}
    assert table.put_item(item) == {}
    assert table.get_item({"id": {"S": "1"}}) == {"Item": item}
    assert table.get_item({"id": {"S": "2"}}) == {}


def test_answers_share_nothing_with_the_table() -> None:
    """An item is what was sent, whatever its sender does with his own objects afterwards."""
    table = Stage().table()
    item = {"id": {"S": "1"}, "l": {"L": [{"M": {"a": {"SS": ["x"]}}}]}}
    table.put_item(item)
    item["l"]["L"].clear()
    answer = table.get_item({"id": {"S": "1"}})["Item"]
    answer["l"]["L"][0]["M"]["a"]["SS"].append("y")
    assert table.items[0]["l"] == {"L": [{"M": {"a": {"SS": ["x"]}}}]}


def test_return_values_of_put_and_delete() -> None:
    """ALL_OLD answers the item as it was; other values are refused (API reference, PutItem ReturnValues)."""
    table = Stage().table()
    table.put_item({"id": {"S": "1"}, "n": {"N": "1"}})
    old = {"Attributes": {"id": {"S": "1"}, "n": {"N": "1"}}}
    assert table.put_item({"id": {"S": "1"}}, return_values="ALL_OLD") == old
    assert table.delete_item({"id": {"S": "1"}}, return_values="ALL_OLD") == {"Attributes": {"id": {"S": "1"}}}
    assert table.delete_item({"id": {"S": "1"}}, return_values="ALL_OLD") == {}
    assert refused(table.put_item, {"id": {"S": "1"}}, return_values="ALL_NEW").message == (
        "ReturnValues can only be ALL_OLD or NONE"
    )


def test_one_change_event_for_each_change() -> None:
    """INSERT, MODIFY and REMOVE by effect; nothing for what changes nothing (developer guide, Streams)."""
    stage = Stage()
    table = stage.table()
    key = {"id": {"S": "1"}}
    table.put_item({**key, "n": {"N": "1"}, "s": {"SS": ["a", "b"]}})
    table.put_item({**key, "n": {"N": "1.0"}, "s": {"SS": ["b", "a"]}})
    table.put_item({**key, "n": {"N": "2"}})
    table.delete_item(key)
    table.delete_item(key)
    assert stage.changes == [("INSERT", "1"), ("MODIFY", "1"), ("REMOVE", "1")]
    assert stage.data[1]["dynamodb"]["OldImage"]["n"] == {"N": "1"}
    assert "StreamViewType" not in stage.data[1]["dynamodb"]


def test_event_names_the_handler_that_wrote() -> None:
    """The change event's parent is the request id of the invocation; DynamoDB carries no lineage (Lambda guide)."""
    stage = Stage()
    table = stage.stream()
    stage.timeline.actor = Handler()
    table.put_item({"id": {"S": "1"}})
    stage.timeline.actor = None
    table.put_item({"id": {"S": "2"}})
    assert [row[5] for row in stage.rows.events] == ["request-1", None]
    assert table.stream is not None
    (first, _) = table.stream.shards[0].read(0)
    assert (first.parent, first.lineage) == ("request-1", None)


def test_async_twin() -> None:
    """Each operation has an async twin with the same answer."""
    table = Stage().table()
    asyncio.run(table.aput_item({"id": {"S": "1"}}))
    assert asyncio.run(table.aget_item({"id": {"S": "1"}})) == {"Item": {"id": {"S": "1"}}}


def test_outage() -> None:
    """An outage answers 503."""
    stage = Stage()
    table = stage.table()
    table.outage(HOUR)
    assert refused(table.get_item, {"id": {"S": "1"}}).status == 503


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("1.50", "1.5"),
        ("-0", "0"),
        ("+7", "7"),
        ("007", "7"),
        ("1E3", "1000"),
        ("100", "100"),
        ("1.2e-5", "0.000012"),
        (".5", "0.5"),
        ("9" * 38, "9" * 38),
        ("1" + "0" * 60, "1" + "0" * 60),
        ("1E125", "1" + "0" * 125),
    ],
)
def test_numbers_are_stored_without_superfluous_digits(given: str, stored: str) -> None:
    """Leading and trailing zeros are trimmed (developer guide, Data types, Number)."""
    table = Stage().table(attribute_types={"id": "N"})
    table.put_item({"id": {"N": given}})
    assert table.items == [{"id": {"N": stored}}]
    assert table.get_item({"id": {"N": stored}})["Item"] == {"id": {"N": stored}}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"N": "abc"}, "The parameter cannot be converted to a numeric value: abc"),
        ({"N": "NaN"}, "The parameter cannot be converted to a numeric value: NaN"),
        ({"N": "1" * 39}, "Attempting to store more than 38 significant digits in a Number"),
        (
            {"N": "1E126"},
            "Number overflow. Attempting to store a number with magnitude larger than supported range",
        ),
        (
            {"N": "1E-131"},
            "Number underflow. Attempting to store a number with magnitude smaller than supported range",
        ),
        ({}, f"Supplied AttributeValue is empty, {ONE_KIND}"),
        (
            {"S": "a", "N": "1"},
            f"Supplied AttributeValue has more than one datatypes set, {ONE_KIND}",
        ),
        ({"SS": []}, "One or more parameter values were invalid: An string set  may not be empty"),
        ({"NS": []}, "One or more parameter values were invalid: An number set  may not be empty"),
        ({"BS": []}, "One or more parameter values were invalid: Binary sets should not be empty"),
        (
            {"SS": ["a", "a"]},
            "One or more parameter values were invalid: Input collection [a, a] contains duplicates.",
        ),
        (
            {"NS": ["1", "1.0"]},
            "Input collection contains duplicates",
        ),
        (
            {"BS": [b"\xff", b"\xff"]},
            "One or more parameter values were invalid: Input collection [/w==, /w==]of type BS contains duplicates.",
        ),
        (
            {"NULL": False},
            "One or more parameter values were invalid: Null attribute value types must have the value of true",
        ),
    ],
)
def test_refused_values(value: Any, message: str) -> None:
    """AWS's answers to attribute values out of the rules (developer guide, Data types)."""
    stage = Stage()
    table = stage.table()
    error = refused(table.put_item, {"id": {"S": "1"}, "v": value})
    assert (error.code, error.message) == ("ValidationException", message)
    assert not stage.rows.events


@pytest.mark.parametrize("value", [{"N": 1}, {"S": 1}, {"BOOL": "true"}, {"B": "foobar"}, "text", {"SS": "ab"}])
def test_values_of_another_form_are_a_serialization_error(value: Any) -> None:
    """What is not DynamoDB's JSON is a SerializationException (API reference, Common errors)."""
    assert refused(Stage().table().put_item, {"id": {"S": "1"}, "v": value}).code == "SerializationException"


def test_depth() -> None:
    """Up to 32 levels, of which the attribute is the first (LIMITS; recorded by paritysuite/dynamodb-conformance)."""
    value: dict[str, Any] = {"S": "x"}
    for _ in range(31):
        value = {"L": [value]}
    table = Stage().table()
    table.put_item({"id": {"S": "1"}, "v": value})
    error = refused(table.put_item, {"id": {"S": "1"}, "v": {"L": [value]}})
    assert error.message == (
        "Nesting Levels have exceeded supported limits: "
        "Attributes in the item have nested levels beyond supported limit"
    )


@pytest.mark.parametrize(
    ("number", "size"),
    [
        ("0", 1),
        ("1", 2),
        ("12", 2),
        ("123456", 4),
        ("1E125", 2),
        ("3.14159", 5),
        ("-1", 3),
        ("100.5", 4),
        ("0.0012", 2),
    ],
)
def test_the_bytes_of_a_number(number: str, size: int) -> None:
    """Half a byte a digit on either side of the point, a byte, one for the sign (measured there as well: 3.14159)."""
    table = Stage().table()
    table.put_item({"id": {"S": "1"}, "n": {"N": number}})
    assert table.describe_table()["Table"]["TableSizeBytes"] == len("id1n") + size


def test_item_size() -> None:
    """An item has at most 400 KB, names and values (LIMITS)."""
    table = Stage().table()
    room = 400 * 1024 - len("id" + "1" + "v")
    table.put_item({"id": {"S": "1"}, "v": {"S": "x" * room}})
    error = refused(table.put_item, {"id": {"S": "1"}, "v": {"S": "x" * (room + 1)}})
    assert error.message == "Item size has exceeded the maximum allowed size"


PUT_KEY = "One or more parameter values were invalid: "
EMPTY_KEY = (
    "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty "
)


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"id": {"S": "1"}}, PUT_KEY + "Missing the key at in the item"),
        ({"at": {"N": "1"}}, PUT_KEY + "Missing the key id in the item"),
        ({"id": {"N": "1"}, "at": {"N": "1"}}, PUT_KEY + "Type mismatch for key id expected: S actual: N"),
        ({"id": {"S": ""}, "at": {"N": "1"}}, EMPTY_KEY + "string value. Key: id"),
        (
            {"id": {"S": "x" * 2049}, "at": {"N": "1"}},
            PUT_KEY + "Size of hashkey has exceeded the maximum size limit of2048 bytes",
        ),
    ],
)
def test_refused_keys_of_items(item: Any, message: str) -> None:
    """AWS's answers to items without a good key."""
    table = Stage().table(range_key="at", attribute_types={"at": "N"})
    assert refused(table.put_item, item).message == message


def test_empty_texts_are_no_keys_but_fine_otherwise() -> None:
    """Empty strings and binaries are allowed for attributes that are no keys (LIMITS)."""
    table = Stage().table(attribute_types={"id": "B"})
    table.put_item({"id": {"B": b"k"}, "s": {"S": ""}, "b": {"B": b""}})
    assert refused(table.put_item, {"id": {"B": b""}}).message == EMPTY_KEY + "binary value. Key: id"


@pytest.mark.parametrize("key", [{}, {"id": {"N": "1"}}, {"id": {"S": "1"}, "x": {"S": "1"}}, {"x": {"S": "1"}}])
def test_refused_key_parameters(key: Any) -> None:
    """A Key has exactly the key attributes."""
    table = Stage().table()
    for operation in (table.get_item, table.delete_item, table.update_item):
        assert refused(operation, key).message == "The provided key element does not match the schema"


@pytest.mark.parametrize(
    "settings",
    [
        {"name": "ab"},
        {"name": "a/b/c"},
        {"range_key": "id"},
        {"attribute_types": {"id": "BOOL"}},
        {"attribute_types": {"other": "S"}},
        {"stream_view_type": "ALL"},
        {"stream_view_type": "KEYS_ONLY", "stream_shard_count": 0},
        {"stream_view_type": "KEYS_ONLY", "stream_shard_lifetime": 0},
        {"ttl_delay": -1},
    ],
)
def test_refused_settings(settings: dict[str, Any]) -> None:
    """What CreateTable would refuse is a UsageError."""
    with pytest.raises(UsageError):
        Stage().table(**settings)
