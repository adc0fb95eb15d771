"""ARNs and short names."""

from __future__ import annotations

import pytest

from simbus import Account, UsageError
from simbus.arn import arn, short_name

ACCOUNT = Account("123456789012", "eu-west-1")


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ("lambda", "arn:aws:lambda:eu-west-1:123456789012:function:x"),
        ("s3", "arn:aws:s3:::x"),
        ("sqs", "arn:aws:sqs:eu-west-1:123456789012:x"),
        ("sns", "arn:aws:sns:eu-west-1:123456789012:x"),
        ("events", "arn:aws:events:eu-west-1:123456789012:event-bus/x"),
        ("kinesis", "arn:aws:kinesis:eu-west-1:123456789012:stream/x"),
        ("dynamodb", "arn:aws:dynamodb:eu-west-1:123456789012:table/x"),
    ],
)
def test_arns(service: str, expected: str) -> None:
    """The forms of the Service Authorization Reference; the short name is found again in each."""
    assert arn(service, "x", ACCOUNT) == expected
    assert short_name(expected) == (service, "x", None)
    assert short_name(f"{service}:x") == (service, "x", None)


def test_qualifiers() -> None:
    """Only functions have them."""
    assert short_name("lambda:f:live") == ("lambda", "f", "live")
    assert short_name("arn:aws:lambda:us-east-1:1:function:f:3") == ("lambda", "f", "3")


def test_a_table_stream_names_its_table() -> None:
    """arn:...:table/<name>/stream/<label> (DynamoDB developer guide)."""
    stream = "arn:aws:dynamodb:us-east-1:123456789012:table/orders/stream/2026-01-01T00:00:00.000"
    assert short_name(stream)[:2] == ("dynamodb", "orders")


@pytest.mark.parametrize(
    "reference", ["", "failed", "sqs:", "ec2:x", "sqs:a:b", "lambda:a:b:c", "arn:aws:sqs", "arn:aws:lambda:r:a:layer:x"]
)
def test_what_names_no_resource(reference: str) -> None:
    """One clear error."""
    with pytest.raises(UsageError, match="names no resource; write service:name"):
        short_name(reference)
