"""Notifications of SNS, as Lambda or as an HTTP endpoint or a queue gets them: published again.

Source: SNS developer guide, "Amazon SNS message formats"; Lambda developer guide, "Using Lambda with Amazon SNS".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simbus.recording.formats.access import field, optional
from simbus.recording.formats.base import Found, operation, time_of
from simbus.recording.names import Names


def is_envelope(value: Any) -> bool:
    """Whether it is a notification as SNS posts it."""
    return isinstance(value, dict) and value.get("Type") == "Notification" and "TopicArn" in value


def convert(record: dict[str, Any], line: int, names: Names) -> Iterator[Found]:
    """One record. Raises ValueError."""
    return convert_message(field(record, "Sns", kind=dict), line, names)


def convert_message(message: dict[str, Any], line: int, names: Names) -> Iterator[Found]:
    """One notification. Raises ValueError."""
    topic = names.find_arn(field(message, "TopicArn"))
    attributes = {
        name: _attribute(name, value)
        for name, value in (optional(message, "MessageAttributes", kind=dict) or {}).items()
    }
    group, deduplication = None, None
    if topic.endswith(".fifo"):  # a notification of a FIFO topic does not name them; SNS needs both
        group, deduplication = "replay", optional(message, "MessageId")
    yield operation(
        time_of(optional(message, "Timestamp")), topic, "publish", line,
        message=field(message, "Message"), subject=optional(message, "Subject"),
        message_attributes=attributes or None, message_group_id=group, message_deduplication_id=deduplication,
    )  # fmt: skip


def _attribute(name: str, value: Any) -> dict[str, Any]:
    kind = field(value, "Type")
    key = "BinaryValue" if kind.startswith("Binary") else "StringValue"
    return {"DataType": kind, key: field(value, "Value")}
