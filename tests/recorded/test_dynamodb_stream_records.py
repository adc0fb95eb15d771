"""Every recorded event of dynamodb_esm.json against the records of the table's stream, field for field."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from aws_recorded import equal, fill, load_case, load_cases
from dynamodb_stubs import Stage, payloads, records

from simbus.sources.dynamodb.table import Table


def recorded_events(case: dict[str, Any]) -> list[dict[str, Any]]:
    """Every element of `Records` that a function was handed, each attempt of it."""
    found = []
    for key in ("event_logs", "lambda-log-events", "lambda-multiple-log-events", "dynamodb_events"):
        found += [record for event in case["recorded"].get(key, []) for record in event["Records"]]
    return found


CASES = [case for case in load_cases("dynamodb_esm") if recorded_events(case)]


def played(case: dict[str, Any]) -> Table:
    """The case's table after its inputs. Texts of the attributes of kind B are what the test sent as bytes."""
    create, update = fill(case["setup"]["resource"])[:2]
    attribute = create["params"]["AttributeDefinitions"][0]
    table = Stage().table(
        create["params"]["TableName"],
        hash_key=create["params"]["KeySchema"][0]["AttributeName"],
        attribute_types={attribute["AttributeName"]: attribute["AttributeType"]},
        stream_view_type=update["params"]["StreamSpecification"]["StreamViewType"],
    )
    for step in fill(case["inputs"]):
        assert step["op"] == "dynamodb:PutItem"
        item = {
            name: {"B": value["B"].encode()} if "B" in value else value
            for name, value in step["params"]["Item"].items()
        }
        for _ in range(step.get("times", 1)):
            table.put_item(item)
    return table


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"].partition("::")[2])
def test_recorded_event(case: dict[str, Any]) -> None:
    """The event that AWS handed to the function is the record of the write, with the order of all its keys."""
    table = played(case)
    first = payloads(table)[0]
    table_arn, label = first["eventSourceARN"].split("/stream/")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}", label)
    first["eventSourceARN"] = f"{table_arn}/stream/label"  # a placeholder stands for a name without colons
    for recorded in recorded_events(case):
        equal(recorded, first)
        assert key_order(recorded) == key_order(first)


def test_identical_put_makes_no_record() -> None:
    """The second of two identical PutItems makes no record (test_dynamodb_event_filter[insert_same_entry_twice])."""
    case = load_case("dynamodb_esm", "[insert_same_entry_twice]")
    assert [each["eventName"] for each in payloads(played(case))] == ["INSERT"]


def test_other_put_modifies() -> None:
    """A PutItem of another item with the same key makes a MODIFY record (test_dynamodb_event_filter[prefix_filter])."""
    table = played(load_case("dynamodb_esm", "[prefix_filter]"))
    assert [each["eventName"] for each in payloads(table)] == ["INSERT", "MODIFY"]
    old, new = payloads(table)[1]["dynamodb"]["OldImage"], payloads(table)[0]["dynamodb"]["NewImage"]
    assert old == new


def test_payload_is_compact() -> None:
    """Lambda's event is JSON without spaces between its tokens."""
    table = played(load_case("dynamodb_esm", "::test_dynamodb_event_source_mapping"))
    text = records(table)[0].payload
    assert text == json.dumps(json.loads(text), separators=(",", ":"))


def key_order(value: Any) -> Any:
    """The keys of an object and of what is in it, in their order."""
    return [(key, key_order(each)) for key, each in value.items()] if isinstance(value, dict) else None
