"""What SNS checks before it takes a message. Texts and codes are AWS's.

Recordings TestSNSSubscriptionSQS::test_publish_batch_exceptions and test_publish_batch_messages_without_topic;
limits from https://docs.aws.amazon.com/sns/latest/api/API_Publish.html.
"""

from __future__ import annotations

import re
import string
from base64 import b64encode
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NamedTuple

import msgspec

from simbus.errors import AwsError, UsageError
from simbus.sources.sns.message import Attributes, in_aws_order

MAX_BYTES: Final = 262_144
MAX_ENTRIES: Final = 10

_TYPE = re.compile(r"(String|Number|Binary)(\..+)?")
_NAME_CHARACTERS: Final = frozenset(string.ascii_letters + string.digits + "-_.")
_FIFO_ID = re.compile(r"[!-~]{1,128}")
_ENTRY_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_ENTRY_KEYS: Final = {
    "Id": "id",
    "Message": "message",
    "Subject": "subject",
    "MessageAttributes": "message_attributes",
    "MessageStructure": "message_structure",
    "MessageGroupId": "message_group_id",
    "MessageDeduplicationId": "message_deduplication_id",
}
_ATTRIBUTE_KEYS: Final = {"data_type": "DataType", "string_value": "StringValue", "binary_value": "BinaryValue"}


class Draft(NamedTuple):
    """A message that may be published, with its attributes as a notification shows them; `size` counts in bytes."""

    message: str
    subject: str | None
    attributes: Attributes
    structure: str | None
    group_id: str | None
    deduplication_id: str | None
    size: int


def no_topic() -> AwsError:
    """SNS's answer where a topic is not there."""
    return AwsError("NotFound", "Topic does not exist", 404)


def invalid(text: str) -> AwsError:
    """SNS's usual answer to a wrong parameter."""
    return AwsError("InvalidParameter", f"Invalid parameter: {text}")


def draft(
    message: str,
    subject: str | None = None,
    message_attributes: Mapping[str, Mapping[str, Any]] | None = None,
    message_structure: str | None = None,
    message_group_id: str | None = None,
    message_deduplication_id: str | None = None,
    *,
    fifo: bool,
    needs_deduplication_id: bool,
) -> Draft:
    """Check one message. Raises AwsError (InvalidParameter, ParameterValueInvalid) as Publish does.

    `needs_deduplication_id` is true for a FIFO topic without content-based deduplication.
    """
    if not isinstance(message, str):
        raise UsageError(
            f"publish: message is {type(message).__name__}; SNS takes text. Pass a str, for example json.dumps(...)."
        )
    if not message:
        raise invalid("Empty message")
    if subject is not None:
        _check_subject(subject)
    attributes = _attributes(message_attributes) if message_attributes else {}
    size = _size(message, attributes)
    if size > MAX_BYTES:
        raise invalid("Message too long")
    if message_structure is not None:
        _check_structure(message, message_structure)
    if fifo or message_group_id is not None or message_deduplication_id is not None:
        _check_fifo(message_group_id, message_deduplication_id, fifo, needs_deduplication_id)
    return Draft(message, subject, attributes, message_structure, message_group_id, message_deduplication_id, size)


def batch(entries: Sequence[Mapping[str, Any]], *, fifo: bool, needs_deduplication_id: bool) -> list[tuple[str, Draft]]:
    """Check a PublishBatch: its entries, each with its Id. Raises AwsError for the request as a whole, as AWS does."""
    if not entries:
        raise AwsError("EmptyBatchRequest", "The batch request doesn't contain any entries.")
    if len(entries) > MAX_ENTRIES:
        raise AwsError("TooManyEntriesInBatchRequest", "The batch request contains more entries than permissible.")
    named = [_entry(entry) for entry in entries]
    ids = [each.pop("id", "") for each in named]
    if len(set(ids)) < len(ids):
        raise AwsError("BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id.")
    if not all(_ENTRY_ID.fullmatch(each) for each in ids):
        text = "The Id of a batch entry in a batch request doesn't abide by the specification."
        raise AwsError("InvalidBatchEntryId", text)
    drafts = [draft(**each, fifo=fifo, needs_deduplication_id=needs_deduplication_id) for each in named]
    if sum(each.size for each in drafts) > MAX_BYTES:
        raise AwsError("BatchRequestTooLong", "The length of all the messages put together is more than the limit.")
    return list(zip(ids, drafts, strict=True))


def _entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry with its keys in snake_case, whichever way they were written."""
    named = {_ENTRY_KEYS.get(key, key): value for key, value in entry.items()}
    unknown = [key for key in named if key not in _ENTRY_KEYS.values()]
    if unknown or "message" not in named:
        what = f"has the unknown key {unknown[0]!r}" if unknown else "has no Message"
        raise UsageError(f"publish_batch: an entry {what}; its keys are {', '.join(_ENTRY_KEYS)}. Correct the entry.")
    return named


def _check_subject(subject: str) -> None:
    if not 0 < len(subject) <= 100 or not all(character >= " " and character != "\x7f" for character in subject):
        raise invalid("Subject")


def _check_structure(message: str, structure: str) -> None:
    if structure != "json":
        raise invalid("MessageStructure")
    try:
        entries = msgspec.json.decode(message)
    except (msgspec.DecodeError, RecursionError) as error:
        raise invalid("Message Structure - JSON message body failed to parse") from error
    if not isinstance(entries, dict) or not isinstance(entries.get("default"), str):
        raise invalid("Message Structure - No default entry in JSON message body")


def _check_fifo(group_id: str | None, deduplication_id: str | None, fifo: bool, needs_deduplication_id: bool) -> None:
    if fifo and group_id is None:
        raise invalid("The MessageGroupId parameter is required for FIFO topics")
    if needs_deduplication_id and deduplication_id is None:
        text = "The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided"
        raise invalid(f"{text} explicitly")
    if not fifo and deduplication_id is not None:
        text = "The request includes MessageDeduplicationId parameter that is not valid for this topic type"
        raise invalid(f"MessageDeduplicationId Reason: {text}")
    for name, value in (("MessageGroupId", group_id), ("MessageDeduplicationId", deduplication_id)):
        if value is not None and not _FIFO_ID.fullmatch(value):
            raise invalid(name)


def _size(message: str, attributes: Attributes) -> int:
    """Bytes that count against the limit: the message, and name, type and value of each attribute."""
    size = len(message) if message.isascii() else len(message.encode("utf-8", "surrogatepass"))
    for name, each in attributes.items():
        value = each["Value"]
        binary = each["Type"].startswith("Binary")
        length = len(value) // 4 * 3 - value.count("=") if binary else len(value.encode("utf-8", "surrogatepass"))
        size += len(name) + len(each["Type"]) + length
    return size


def _attributes(given: Mapping[str, Mapping[str, Any]]) -> Attributes:
    return in_aws_order({name: _attribute(name, each) for name, each in given.items()})


def _attribute(name: str, given: Mapping[str, Any]) -> dict[str, str]:
    """`{"DataType": ..., "StringValue": ...}` as published, into the form that notifications show."""
    _check_name(name)
    parts = {_ATTRIBUTE_KEYS.get(key, key): value for key, value in given.items()}
    kind = parts.get("DataType")
    if kind is None:
        at = f"messageAttributes.{name}.member.dataType"
        text = f"Value null at '{at}' failed to satisfy constraint: Member must not be null"
        raise AwsError("ValidationError", f"1 validation error detected: {text}")
    where = f"The message attribute '{name}'"
    if not _TYPE.fullmatch(str(kind)):
        text = (
            "has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String."
        )
        raise _bad_value(f"{where} {text}")
    field = "Binary" if kind.startswith("Binary") else "String"
    other = "String" if field == "Binary" else "Binary"
    value = parts.get(f"{field}Value")
    if value is None and parts.get(f"{other}Value") is not None:
        raise _bad_value(f"{where} with type '{kind}' must use field '{field}'.")
    if not value:
        raise _bad_value(f"{where} must contain non-empty message attribute value for message attribute type '{kind}'.")
    if field == "Binary":
        value = b64encode(value.encode() if isinstance(value, str) else bytes(value)).decode()
    elif kind.startswith("Number"):
        _check_number(name, value)
    return {"Type": kind, "Value": value}


def _check_name(name: str) -> None:
    if len(name) > 256:
        raise _bad_value("Length of message attribute name must be less than 256 bytes.")
    if name[:1] == "." or name[-1:] == ".":
        side = "starting" if name[:1] == "." else "ending"
        raise _bad_value(f"Invalid message attribute name {side} with character '.' was found.")
    for character in name:
        if character not in _NAME_CHARACTERS:
            raise _bad_value(
                f"Invalid non-alphanumeric character '#x{ord(character):X}' was found in the message attribute name. "
                "Can only include alphanumeric characters, hyphens, underscores, or dots."
            )
    if ".." in name:
        raise _bad_value("Message attribute name can not have successive '.' character.")


def _check_number(name: str, value: Any) -> None:
    try:
        finite = Decimal(value).is_finite()
    except (InvalidOperation, TypeError, ValueError):
        finite = False
    if not finite:
        raise _bad_value(f"Could not cast message attribute '{name}' value to number.")


def _bad_value(text: str) -> AwsError:
    return AwsError("ParameterValueInvalid", text)
