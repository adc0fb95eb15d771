"""FilterCriteria: what is matched of a record of each kind, and what is no pattern."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from simbus.errors import AwsError
from simbus.scheduler.mappings.filter import Criteria, compile_criteria
from simbus.scheduler.mappings.settings import Kind


def criteria(kind: Kind, *patterns: str) -> Criteria:
    compiled = compile_criteria(kind, patterns)
    assert compiled is not None
    return compiled


def of_queue(body: str) -> dict[str, Any]:
    return {"messageId": "m", "body": body, "eventSource": "aws:sqs"}


def of_stream(data: bytes) -> dict[str, Any]:
    kinesis = {"partitionKey": "p1", "data": b64encode(data).decode(), "sequenceNumber": "1"}
    return {"kinesis": kinesis, "eventSource": "aws:kinesis", "eventID": "shardId-0:1"}


QUEUE = [
    ('{"body": {"a": ["x"]}}', '{"a": "x"}', True),
    ('{"body": {"a": ["x"]}}', '{"a": "y"}', False),
    ('{"body": {"a": ["x"]}}', "plain", False),
    ('{"body": {"a": [{"exists": false}]}}', "plain", False),
    ('{"body": {"a": [{"exists": false}]}}', '{"b": 1}', True),
    ('{"body": ["plain"]}', "plain", True),
    ('{"body": [{"prefix": "pl"}]}', "plain", True),
    ('{"body": ["plain"]}', "other", False),
    ('{"body": ["plain"]}', '{"a": "plain"}', False),
    ('{"body": [{"anything-but": "plain"}]}', '{"a": 1}', False),
    ('{"body": ["42"]}', "42", True),
    ('{"eventSource": ["aws:sqs"]}', "plain", True),
    ('{"eventSource": ["aws:sqs"]}', '{"a": 1}', True),
    ('{"eventSource": ["aws:sqs"], "body": {"a": ["x"]}}', '{"a": "x"}', True),
    ('{"eventSource": ["aws:other"], "body": {"a": ["x"]}}', '{"a": "x"}', False),
    ('{"body": {"a": ["x"]}}', '{"a": "x"', False),
    ('{"$or": [{"body": {"a": ["x"]}}, {"body": {"b": ["x"]}}]}', '{"b": "x"}', True),
]


@pytest.mark.parametrize(("pattern", "body", "accepted"), QUEUE)
def test_the_body_of_a_message(pattern: str, body: str, accepted: bool) -> None:
    """Developer Guide, "Using event filtering with an Amazon SQS event source", table of formats."""
    assert criteria("sqs", pattern).accepts(of_queue(body)) is accepted


KINESIS = [
    ('{"data": {"a": ["x"]}}', b'{"a": "x"}', True),
    ('{"data": {"a": ["x"]}}', b'{"a": "y"}', False),
    ('{"data": {"a": ["x"]}}', b"plain", False),
    ('{"data": {"a": [{"exists": false}]}}', b"\xff\x00", False),
    ('{"partitionKey": ["p1"]}', b"plain", True),
    ('{"partitionKey": ["p2"]}', b"plain", False),
    ('{"partitionKey": ["p1"], "data": {"a": ["x"]}}', b'{"a": "x"}', True),
    ('{"partitionKey": ["p1"], "data": {"a": ["x"]}}', b"plain", False),
    ('{"eventSource": ["aws:kinesis"]}', b"plain", True),
]


@pytest.mark.parametrize(("pattern", "data", "accepted"), KINESIS)
def test_the_data_of_a_kinesis_record(pattern: str, data: bytes, accepted: bool) -> None:
    """The same for Kinesis: data are decoded, the other keys of `kinesis` stand at the root."""
    assert criteria("kinesis", pattern).accepts(of_stream(data)) is accepted


def test_a_kinesis_filter_of_metadata_passes_what_is_no_json() -> None:
    """Filters are OR-ed: a record that no JSON pattern can take may still match one of its metadata."""
    both = criteria("kinesis", '{"data": {"a": ["x"]}}', '{"partitionKey": ["p1"]}')
    assert both.accepts(of_stream(b"plain"))


def test_a_dynamodb_record_is_matched_as_it_is() -> None:
    """Typed attribute values; Developer Guide, "Using event filtering with a DynamoDB event source"."""
    record = {"eventName": "INSERT", "dynamodb": {"NewImage": {"k": {"S": "v"}}, "ApproximateCreationDateTime": 5.0}}
    assert criteria("dynamodb", '{"dynamodb": {"NewImage": {"k": {"S": ["v"]}}}}').accepts(record)
    assert criteria("dynamodb", '{"dynamodb": {"ApproximateCreationDateTime": [{"numeric": [">", 4]}]}}').accepts(
        record
    )
    assert not criteria("dynamodb", '{"eventName": ["REMOVE"]}').accepts(record)
    assert criteria("dynamodb", '{"eventName": ["REMOVE"]}', '{"eventName": ["INSERT"]}').accepts(record)


INVALID: list[tuple[Kind, str]] = [
    *[("sqs", pattern) for pattern in ("", "null", "simple string", '"text"', '{"eventSource": "aws:sqs"}')],
    ("sqs", '{"eventSource": []}'),
    ("sqs", '{"body": {"a": [{"cidr": "10.0.0.0/8"}]}}'),
    ("dynamodb", '[{"eventName": ["INSERT"=123}]'),
    ("dynamodb", '{"dynamodb": ["plain"]}'),
    ("kinesis", '{"data": ["plain"]}'),
]


@pytest.mark.parametrize(("kind", "pattern"), INVALID)
def test_what_is_no_pattern(kind: Kind, pattern: str) -> None:
    """Recorded for SQS and DynamoDB (test_*_invalid_event_filter); streams take no plain-text pattern."""
    with pytest.raises(AwsError) as caught:
        compile_criteria(kind, (pattern,))
    assert str(caught.value) == "InvalidParameterValueException: Invalid filter pattern definition."
    assert caught.value.extra == {"Type": "User"}


def test_no_filters_are_no_criteria() -> None:
    """Everything passes, and nothing is decoded for it."""
    assert compile_criteria("sqs", ()) is None
    assert criteria("sqs", '{"body": {"a": ["x"]}}', '{"eventSource": ["x"]}').keys == {"body", "eventSource"}
