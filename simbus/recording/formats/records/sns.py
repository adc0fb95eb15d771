"""Notifications of SNS, as Lambda or as an HTTP endpoint or a queue gets them: published again.

Source: SNS developer guide, "Amazon SNS message formats"; Lambda developer guide, "Using Lambda with Amazon SNS".
"""

from __future__ import annotations

import json
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


def convert_message(message: dict[str, Any], line: int, names: Names, body: str | None = None) -> Iterator[Found]:
    """One notification. `body` is how it was written, where it was the body of a message. Raises ValueError.

    Where its topic is a queue or a function here (`--target`), that gets what a subscription would have given it: the
    notification as a message, or an event with it.
    """
    arn = field(message, "TopicArn")
    topic = names.find_arn(arn)
    when = time_of(optional(message, "Timestamp"))
    if topic.startswith("sqs:"):
        yield operation(when, topic, "send_message", line, message_body=body or json.dumps(_for_queues(message)))
        return
    if topic.startswith("lambda:"):
        yield operation(when, topic, "invoke", line, payload=_event(message, arn), invocation_type="Event")
        return
    attributes = {
        name: _attribute(name, value)
        for name, value in (optional(message, "MessageAttributes", kind=dict) or {}).items()
    }
    group, deduplication = None, None
    if topic.endswith(".fifo"):  # a notification of a FIFO topic does not name them; SNS needs both
        group, deduplication = "replay", optional(message, "MessageId")
    yield operation(
        when, topic, "publish", line,
        message=field(message, "Message"), subject=optional(message, "Subject"),
        message_attributes=attributes or None, message_group_id=group, message_deduplication_id=deduplication,
    )  # fmt: skip


def _event(message: dict[str, Any], arn: str) -> dict[str, Any]:
    """The event that Lambda makes of a notification: Subject and MessageAttributes are always in it."""
    names = {"SigningCertURL": "SigningCertUrl", "UnsubscribeURL": "UnsubscribeUrl"}
    content = {names.get(name, name): value for name, value in message.items()}
    content = {
        **content,
        "Subject": message.get("Subject"),
        "MessageAttributes": message.get("MessageAttributes") or {},
    }
    subscription = str(content.get("UnsubscribeUrl", "")).partition("SubscriptionArn=")[2] or f"{arn}:replay"
    record = {"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": subscription, "Sns": content}
    return {"Records": [record]}


def _for_queues(message: dict[str, Any]) -> dict[str, Any]:
    """A notification as a queue gets it: Subject and MessageAttributes only where there are any."""
    names = {"SigningCertUrl": "SigningCertURL", "UnsubscribeUrl": "UnsubscribeURL"}
    kept = {name: value for name, value in message.items() if value not in (None, {})}
    return {names.get(name, name): value for name, value in kept.items()}


def _attribute(name: str, value: Any) -> dict[str, Any]:
    kind = field(value, "Type")
    key = "BinaryValue" if kind.startswith("Binary") else "StringValue"
    return {"DataType": kind, key: field(value, "Value")}
