"""Messages of SQS in an event: sent again, to the queue that they came from.

A message in a dead-letter queue is sent to the queue that gave it up. Source: Lambda developer guide, "Using Lambda
with Amazon SQS"; SQS API reference, ReceiveMessage.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import md5
from typing import Any

from simbus.recording.formats.access import field, milliseconds, optional
from simbus.recording.formats.base import Found, operation
from simbus.recording.names import Names


def convert(record: dict[str, Any], line: int, names: Names) -> Iterator[Found]:
    """One record. Raises ValueError."""
    attributes = optional(record, "attributes", kind=dict) or {}
    arn = optional(attributes, "DeadLetterQueueSourceArn") or field(record, "eventSourceARN")
    given = {
        name: _attribute(value) for name, value in (optional(record, "messageAttributes", kind=dict) or {}).items()
    }
    yield send(names.find_arn(arn), field(record, "body"), attributes, given, line)


def send(queue: str, body: str, system: dict[str, Any], attributes: dict[str, Any], line: int) -> Found:
    """A message sent again. `system` are its system attributes, which say when it was sent."""
    fifo = queue.endswith(".fifo")
    return operation(
        milliseconds(system.get("SentTimestamp")), queue, "send_message", line, message_body=body,
        message_attributes=attributes or None,
        message_group_id=system.get("MessageGroupId") if fifo else None,
        message_deduplication_id=system.get("MessageDeduplicationId") if fifo else None,
    )  # fmt: skip


def event(
    queue_arn: str, message: dict[str, Any], body: str, system: dict[str, Any], attributes: dict[str, Any]
) -> dict[str, Any]:
    """The event that a mapping makes of a message of ReceiveMessage: as much of it as was asked for there."""
    record = {
        "messageId": optional(message, "MessageId") or "replay",
        "receiptHandle": optional(message, "ReceiptHandle") or "replay",
        "body": body,
        "attributes": system,
        "messageAttributes": {name: _of_event(value) for name, value in attributes.items()},
        "md5OfBody": md5(body.encode("utf-8", "replace"), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": queue_arn.split(":")[3],
    }
    return {"Records": [record]}


def _of_event(value: Any) -> dict[str, Any]:
    """A message attribute as an event has it: both lists are always there and empty."""
    kind = field(value, "DataType")
    name, key = ("BinaryValue", "binaryValue") if kind.startswith("Binary") else ("StringValue", "stringValue")
    return {key: field(value, name), "stringListValues": [], "binaryListValues": [], "dataType": kind}


def _attribute(value: Any) -> dict[str, Any]:
    kind = field(value, "dataType")
    binary = kind.startswith("Binary")
    name, key = ("BinaryValue", "binaryValue") if binary else ("StringValue", "stringValue")
    return {"DataType": kind, name: field(value, key)}
