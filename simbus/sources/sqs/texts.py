"""A queue's attributes as the API carries them: AWS's names, every value a text, policies as JSON.

Source: SQS API reference, CreateQueue and SetQueueAttributes. A FIFO attribute on a standard queue is unknown, even
`FifoQueue: false` (github.com/aws/aws-sdk-ruby/issues/1350).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, Final

import msgspec

from simbus.arn import short_name
from simbus.errors import AwsError, UsageError
from simbus.sources.sqs.settings import FIFO_NAMES, Settings, aws_name

_INTEGER = re.compile(r"\d{1,9}")
_BOOLEANS: Final = {"true": True, "false": False}


def from_texts(attributes: Mapping[str, str], fifo: bool) -> dict[str, Any]:
    """The settings that these texts stand for. Raises AwsError InvalidAttributeName, InvalidAttributeValue.

    `fifo`: whether it is a FIFO queue that they are for. An empty text takes a policy or a key away.
    """
    found = {}
    for name, text in attributes.items():
        reader = _READERS.get(name)
        if reader is None or (name in FIFO_NAMES and not fifo):
            raise unknown(name)
        field, read = reader
        found[field] = read(name, text)
    return found


def unknown(name: str) -> AwsError:
    """SQS's answer to an attribute that a queue does not have."""
    return AwsError("InvalidAttributeName", f"Unknown Attribute {name}.")


def field_of(name: str) -> str:
    """`delay_seconds` of `DelaySeconds`."""
    return _READERS[name][0]


def _wrong(name: str) -> AwsError:
    return AwsError("InvalidAttributeValue", f"Invalid value for the parameter {name}.")


def _integer(name: str, text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise _wrong(name)
    return int(text)


def _boolean(name: str, text: str) -> bool:
    if text.lower() not in _BOOLEANS:
        raise _wrong(name)
    return _BOOLEANS[text.lower()]


def _text(_: str, text: str) -> str | None:
    return text or None


def _word(_: str, text: str) -> str:
    return text


def _document(name: str, text: str) -> str | None:
    """A policy: JSON that is kept as it is."""
    if not text:
        return None
    document = _json(text)
    statements = document.get("Statement", []) if isinstance(document, dict) else None
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list) or not all(isinstance(statement, dict) for statement in statements):
        raise _wrong(name)
    return text


def _redrive(_: str, text: str) -> dict[str, Any] | None:
    if not text:
        return None
    given = _json(text)
    if not isinstance(given, dict):
        raise _bad_redrive(text, "Redrive policy is not a valid JSON map.")
    for key in ("maxReceiveCount", "deadLetterTargetArn"):
        if key not in given:
            raise _bad_redrive(text, f"Redrive policy does not contain mandatory attribute: {key}.")
    if len(given) > 2:
        raise _bad_redrive(text, "Only following attributes are supported: [deadLetterTargetArn, maxReceiveCount].")
    if not _is_queue(given["deadLetterTargetArn"]):
        raise _bad_redrive(text, "Invalid value for deadLetterTargetArn.")
    count = given["maxReceiveCount"]
    if not _INTEGER.fullmatch(str(count)):
        rule = f"Invalid value for maxReceiveCount: {count}, valid values are from 1 to 1000 both inclusive."
        raise _bad_redrive(text, rule)
    return {"dead_letter_target_arn": given["deadLetterTargetArn"], "max_receive_count": int(count)}


def _bad_redrive(text: str, rule: str) -> AwsError:
    return AwsError("InvalidParameterValue", f"Value {text} for parameter RedrivePolicy is invalid. Reason: {rule}")


def _redrive_allow(name: str, text: str) -> dict[str, Any] | None:
    if not text:
        return None
    given = _json(text)
    if not isinstance(given, dict) or set(given) - {"redrivePermission", "sourceQueueArns"}:
        raise _wrong(name)
    found = {"redrive_permission": given.get("redrivePermission")}
    arns = given.get("sourceQueueArns")
    if arns is not None:
        if not isinstance(arns, list) or len(arns) > 10 or not all(map(_is_queue, arns)):
            raise _wrong(name)
        found["source_queue_arns"] = arns
    return found


def _is_queue(arn: Any) -> bool:
    try:
        return isinstance(arn, str) and arn.startswith("arn:") and short_name(arn)[0] == "sqs"
    except UsageError:
        return False


def _json(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None


_SPECIAL: Final[dict[str, Callable[[str, str], Any]]] = {
    "fifo_queue": _boolean,
    "content_based_deduplication": _boolean,
    "deduplication_scope": _word,
    "fifo_throughput_limit": _word,
    "redrive_policy": _redrive,
    "redrive_allow_policy": _redrive_allow,
    "policy": _document,
    "kms_master_key_id": _text,
    "sqs_managed_sse_enabled": _boolean,
}
_READERS: Final = {aws_name(field.name): (field.name, _SPECIAL.get(field.name, _integer)) for field in fields(Settings)}
