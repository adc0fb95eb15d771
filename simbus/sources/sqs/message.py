"""SQS messages: what stands in a queue, what a receive hands out, and the checks of body and attributes.

Sources: SQS API reference (SendMessage, ReceiveMessage, MessageAttributeValue) and developer guide, "Calculating
the MD5 message digest for message attributes"; recordings test_dead_letter_queue_message_attributes, test_sqs_esm.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from hashlib import md5, sha256
from typing import Any, Final, Literal

import msgspec

from simbus.errors import AwsError, UsageError

State = Literal["visible", "delayed", "in_flight", "deleted", "expired", "redriven"]
Attributes = Mapping[str, Mapping[str, Any]]

STANDING: Final = ("visible", "delayed", "in_flight")
MAXIMUM_ATTRIBUTES: Final = 10
_INVALID = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # all but those: compiled 10 times as fast
_CONTROLS: Final = bytes(code for code in range(0x20) if code not in b"\t\n\r")
_CHARACTERS: Final = (
    "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | "
    "#x10000 to #x10FFFF"
)
_ATTRIBUTE_NAME = re.compile(r"(?!\.)(?!.*\.\.)[A-Za-z0-9_.-]{1,256}(?<!\.)")
_encode: Final = msgspec.json.Encoder().encode
_HANDLE = re.compile(r"([0-9a-f-]{36})/(\d+)/(.+)")


class Message:
    """One message of one queue. Times are nanoseconds of virtual time; `state` is what its row says.

    `event_id` is the id of the change event that it caused; `lineage` counts how often each function has run in the
    chain of requests that led here; `parent` is the request id of the invocation that sent it. `claim` is for who polls
    the queue: whatever it needs to know of a message that it has received.
    """

    __slots__ = (
        "_attributes_json",
        "_md5_of_body",
        "body",
        "claim",
        "dead_letter_source",
        "deduplication_id",
        "event_id",
        "first_received_at",
        "group_id",
        "lineage",
        "message_attributes",
        "message_id",
        "parent",
        "processed_by",
        "receive_count",
        "received_at",
        "sender_id",
        "sent_at",
        "sequence_number",
        "state",
        "timer",
        "trace_header",
        "zero_ms",
    )

    def __init__(
        self,
        message_id: str,
        body: str,
        sent_at: int,
        zero_ms: int,
        sender_id: str,
        message_attributes: Attributes | None = None,
        group_id: str | None = None,
        deduplication_id: str | None = None,
        trace_header: str | None = None,
        parent: str | None = None,
        lineage: Any = None,
    ) -> None:
        self.message_id = self.event_id = message_id
        self.body = body
        self.sent_at = sent_at
        self.zero_ms = zero_ms  # milliseconds since 1970 at virtual time 0
        self.sender_id = sender_id
        self.message_attributes = message_attributes
        self.group_id = group_id
        self.deduplication_id = deduplication_id
        self.sequence_number: str | None = None
        self.trace_header = trace_header
        self.parent = parent
        self.lineage = lineage
        self.receive_count = 0
        self.received_at = 0
        self.first_received_at: int | None = None
        self.dead_letter_source: str | None = None
        self.processed_by: str | None = None  # the latest request that a mapping settled it with
        self.state: State = "visible"
        self.timer: int | None = None
        self.claim: Any = None
        self._md5_of_body: str | None = None
        self._attributes_json: str | None = None

    def __repr__(self) -> str:
        return f"<Message {self.message_id} {self.state} received {self.receive_count} times>"

    def copy(self) -> Message:
        """The same message for another queue: a dead-letter queue has a row of its own for it."""
        other = Message.__new__(Message)
        for name in Message.__slots__:
            setattr(other, name, getattr(self, name))
        other.timer = other.claim = None
        return other

    def received(self, now: int) -> None:
        """It is handed out once more."""
        self.receive_count += 1
        self.received_at = now
        if self.first_received_at is None:
            self.first_received_at = now
        self._attributes_json = None

    def moved(self, source_arn: str, sent_at: int) -> None:
        """It has come into a dead-letter queue."""
        self.dead_letter_source = source_arn
        self.sent_at = sent_at
        self._attributes_json = None

    @property
    def sent_ms(self) -> int:
        """When it was sent, in milliseconds since 1970."""
        return self.zero_ms + self.sent_at // 1_000_000

    @property
    def attributes(self) -> dict[str, str]:
        """Its system attributes, all of them texts, as ReceiveMessage returns them for `All`."""
        found = {"ApproximateReceiveCount": str(self.receive_count), "SentTimestamp": str(self.sent_ms)}
        if self.sequence_number is not None:
            found["SequenceNumber"] = self.sequence_number
        if self.group_id is not None:
            found["MessageGroupId"] = self.group_id
        found["SenderId"] = self.sender_id
        if self.deduplication_id is not None:
            found["MessageDeduplicationId"] = self.deduplication_id
        if self.first_received_at is not None:
            found["ApproximateFirstReceiveTimestamp"] = str(self.zero_ms + self.first_received_at // 1_000_000)
        if self.dead_letter_source is not None:
            found["DeadLetterQueueSourceArn"] = self.dead_letter_source
        if self.trace_header is not None:
            found["AWSTraceHeader"] = self.trace_header
        return found

    system_attributes = attributes

    @property
    def attributes_json(self) -> str:
        """The same as JSON text, made once for each receive: the function gets it, and the row has it."""
        found = self._attributes_json
        if found is None:
            found = self._attributes_json = _json(self.attributes)
        return found

    @property
    def md5_of_body(self) -> str:
        """The digest of its body, made once: both its sender and its receiver are told."""
        found = self._md5_of_body
        if found is None:
            found = self._md5_of_body = md5_of_text(self.body)
        return found

    def row(self, queue: str, state: State) -> tuple[Any, ...]:
        """Its row in `messages`: queue, id, sent at, receive count, body, attributes, system attributes, state."""
        return (
            queue,
            self.message_id,
            self.sent_ms,
            self.receive_count,
            self.body,
            _json(self.message_attributes) if self.message_attributes else "{}",
            self.attributes_json,
            state,
        )


class ReceivedMessage:
    """What one receive handed out: the message as it was then, and the receipt handle of this receive."""

    __slots__ = ("attributes", "body", "message", "message_attributes", "message_id", "receipt_handle")

    def __init__(self, message: Message, receipt_handle: str) -> None:
        self.message = message
        self.message_id = message.message_id
        self.receipt_handle = receipt_handle
        self.body = message.body
        self.message_attributes = message.message_attributes or {}
        self.attributes = message.attributes

    def __repr__(self) -> str:
        return f"<ReceivedMessage {self.message_id} receive {self.attributes['ApproximateReceiveCount']}>"

    @property
    def receive_count(self) -> int:
        return int(self.attributes["ApproximateReceiveCount"])

    @property
    def md5_of_body(self) -> str:
        return self.message.md5_of_body

    @property
    def md5_of_message_attributes(self) -> str | None:
        """None where the message has no attributes."""
        return md5_of_attributes(self.message_attributes) if self.message_attributes else None


def receipt_handle(message: Message, queue: str) -> str:
    """The opaque name of the latest receive of a message."""
    plain = f"{message.message_id}/{message.receive_count}/{queue}"
    return "AQEB" + b64encode(plain.encode()).decode()


def read_receipt_handle(handle: str, queue: str) -> tuple[str, int]:
    """Message id and number of the receive. Raises AwsError ReceiptHandleIsInvalid for what this queue never gave."""
    try:
        match = _HANDLE.fullmatch(b64decode(handle.removeprefix("AQEB"), validate=True).decode())
    except ValueError:
        match = None
    if match is None or match[3] != queue or not handle.startswith("AQEB"):
        raise AwsError(
            "ReceiptHandleIsInvalid", f'The input receipt handle "{handle}" is not a valid receipt handle.', 404
        )
    return match[1], int(match[2])


def md5_of_text(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()


def md5_of_attributes(attributes: Attributes) -> str:
    """AWS's digest: names in order, each part with its length in 4 bytes, then 1 for text or 2 for binary values."""
    digest = md5(usedforsecurity=False)
    for name in sorted(attributes):
        attribute = attributes[name]
        binary = "BinaryValue" in attribute
        value = attribute["BinaryValue"] if binary else attribute["StringValue"].encode()
        for part in (name.encode(), attribute["DataType"].encode()):
            digest.update(len(part).to_bytes(4, "big") + part)
        digest.update((b"\2" if binary else b"\1") + len(value).to_bytes(4, "big") + value)
    return digest.hexdigest()


def content_deduplication_id(body: str) -> str:
    """The SHA-256 of the body, as content-based deduplication takes it (SQS developer guide)."""
    return sha256(body.encode()).hexdigest()


def size_of(body: str, attributes: Attributes | None) -> int:
    """What counts against MaximumMessageSize: the body, and name, type and value of every attribute, in bytes."""
    size = len(body) if body.isascii() else len(body.encode())
    if not attributes:
        return size
    for name, attribute in attributes.items():
        value = attribute.get("BinaryValue", attribute.get("StringValue", ""))
        size += len(name.encode()) + len(attribute["DataType"].encode())
        size += len(value if isinstance(value, bytes) else value.encode())
    return size


def check_body(body: str) -> None:
    """Raises AwsError MissingParameter (empty) or InvalidMessageContents (characters that XML does not allow).

    What is no text is no request that an SDK would send: UsageError.
    """
    if body is not None and not isinstance(body, str):
        raise UsageError(
            f"send_message: message_body is {type(body).__name__}; SQS takes text. Pass a str, for example "
            "json.dumps(...)."
        )
    if not body:
        raise AwsError("MissingParameter", "The request must contain the parameter MessageBody.")
    if not _is_valid(body):
        raise AwsError("InvalidMessageContents", _CHARACTERS)


def _is_valid(text: str) -> bool:
    # Of ASCII only controls are invalid, and leaving them out takes a quarter of the time that looking for one takes.
    if text.isascii():
        return len(text.encode().translate(None, _CONTROLS)) == len(text)
    return not _INVALID.search(text)


def checked_attributes(attributes: Attributes | None) -> dict[str, dict[str, Any]] | None:
    """The attributes with binary values as bytes (a text there is base64). Raises AwsError InvalidParameterValue."""
    if not attributes:
        return None
    if len(attributes) > MAXIMUM_ATTRIBUTES:
        raise _invalid(
            f"Number of message attributes [{len(attributes)}] exceeds the allowed maximum [{MAXIMUM_ATTRIBUTES}]."
        )
    return {name: _checked_attribute(name, attribute) for name, attribute in attributes.items()}


def _checked_attribute(name: str, attribute: Mapping[str, Any]) -> dict[str, Any]:
    if not _ATTRIBUTE_NAME.fullmatch(name) or name.lower().startswith(("aws.", "amazon.")):
        raise _invalid(f"Message (user) attribute name '{name}' is not valid.")
    data_type = attribute.get("DataType") or ""
    kind = data_type.partition(".")[0]
    if kind not in ("String", "Number", "Binary"):
        raise _invalid(
            f"The type of message (user) attribute '{name}' is invalid. You must use only the following supported "
            "type prefixes: Binary, Number, String."
        )
    key = "BinaryValue" if kind == "Binary" else "StringValue"
    value = attribute.get(key)
    if not value:
        raise _invalid(f"Message (user) attribute '{name}' must contain a non-empty value of type '{kind}'.")
    if kind != "Binary" and _INVALID.search(str(value)):
        raise _invalid(_CHARACTERS)
    if kind == "Binary" and isinstance(value, str):
        value = b64decode(value)
    if kind == "Number" and not _is_number(str(value)):
        raise _invalid(f"Can't cast the value of message (user) attribute '{name}' to a number.")
    return {"DataType": data_type, key: value}


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterValue", message)


def _json(value: Any) -> str:
    return _encode(value).decode()
