"""What `aws sqs receive-message` printed: the messages of a queue, most likely of a dead-letter queue.

Each goes back where it came from, and its attributes say where that is:
- from a function (RequestID, ErrorCode, ErrorMessage: Lambda developer guide, "Adding a dead-letter queue"): it is
  invoked again; the message does not name it, so it is the one function whose dead_letter_config names a queue, or the
  target;
- from a rule (RULE_ARN, ERROR_CODE: EventBridge user guide, "Using dead-letter queues"): the event goes to its bus;
- from a queue (DeadLetterQueueSourceArn, with `--attribute-names All`): the message is sent there again;
- a record of an invocation, or a notification of SNS, as body: see `destination`, `records.sns`;
- anything else is sent to the one queue that has a dead-letter queue.

A queue as the target gets every message as it is. A function as the target gets what it would have got from where the
message was: the event that it gave up, the rule's event, the topic's event, and of any other message the queue's, as
the queue that gave it up, or the one that the function reads.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from simbus.recording.formats import eventbridge
from simbus.recording.formats.access import field, milliseconds, optional
from simbus.recording.formats.base import Format, Found, Sample
from simbus.recording.formats.destination import convert_record, invoke, is_record
from simbus.recording.formats.documents import Document, reader
from simbus.recording.formats.records import sns, sqs
from simbus.recording.names import Names, NoTarget


def _convert(document: Document, names: Names) -> Iterator[Found]:
    value = document.value
    if isinstance(value, dict) and "Messages" in value:
        for message in field(value, "Messages", kind=list):
            yield from _message(message, document.line, names)
    elif value not in ({}, None):  # what the command prints where there is no message
        yield from _message(value, document.line, names)


def _message(message: Any, line: int, names: Names) -> Iterator[Found]:
    body = field(message, "Body")
    system = optional(message, "Attributes", kind=dict) or {}
    attributes = optional(message, "MessageAttributes", kind=dict) or {}
    content = _json(body)
    target = names.default
    if target is not None and target.startswith("sqs:"):
        yield sqs.send(target, body, system, attributes, line)
    elif "RequestID" in attributes and ("ErrorCode" in attributes or "ErrorMessage" in attributes):
        function = names.only("lambda", "the message does not name the function that gave it up", _has_dead_letters)
        yield invoke(function, content, milliseconds(system.get("SentTimestamp")), line)
    elif "RULE_ARN" in attributes and "ERROR_CODE" in attributes:
        rule = field(attributes, "RULE_ARN", "StringValue")
        yield from eventbridge.put(content, line, names, eventbridge.bus_of_rule(rule))
    elif "DeadLetterQueueSourceArn" in system:
        arn = field(system, "DeadLetterQueueSourceArn")
        queue = names.find_arn(arn)
        if queue.startswith("lambda:"):
            yield _read_by(queue, sqs.event(arn, message, body, system, attributes), system, line)
        else:
            yield sqs.send(queue, body, system, attributes, line)
    elif is_record(content):
        yield from convert_record(content, line, names)
    elif sns.is_envelope(content):
        yield from sns.convert_message(content, line, names, body)
    elif target is not None and target.startswith("lambda:"):
        arn = _queue_of(target, names)
        yield _read_by(target, sqs.event(arn, message, body, system, attributes), system, line)
    else:
        queue = names.only("sqs", "the message does not name the queue that it is for", _redrives)
        yield sqs.send(queue, body, system, attributes, line)


def _read_by(function: str, event: dict[str, Any], system: dict[str, Any], line: int) -> Found:
    return invoke(function, event, milliseconds(system.get("SentTimestamp")), line)


def _queue_of(function: str, names: Names) -> str:
    """The ARN of the one queue that a function reads. Raises NoTarget."""
    table = names.simulation.event_source_mappings
    mappings = table.list_event_source_mappings(function_name=function.partition(":")[2])["EventSourceMappings"]
    found = sorted({each["EventSourceArn"] for each in mappings if ":sqs:" in each["EventSourceArn"]})
    if len(found) != 1:
        raise NoTarget(
            f"the message does not name its queue, and {function} reads {len(found)} queues. "
            "Name the queue that it is sent to: --target sqs:NAME"
        )
    return str(found[0])


def _has_dead_letters(function: Any) -> bool:
    return function.config.dead_letter_arn is not None


def _redrives(queue: Any) -> bool:
    return queue.settings.redrive_policy is not None


def _json(body: str) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body


def _detect(sample: Sample) -> bool:
    value = sample.document
    if not isinstance(value, dict):
        return False
    return isinstance(value.get("Messages"), list) or ("Body" in value and "MessageId" in value)


FORMAT = Format("sqs-messages", "what `aws sqs receive-message` prints", _detect, reader(_convert))
