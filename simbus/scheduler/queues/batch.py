"""One batch of messages on its way to a function, and the JSON that the function is given.

Sources: recordings sqs_esm (the keys and their order, also which of them appear when) and
test_message_body_and_attributes_passed_correctly; Lambda quotas (6 MB for a synchronous payload).
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from simbus.model import Lineage
from simbus.scheduler.mappings.port import FunctionPort
from simbus.scheduler.payload import SYNCHRONOUS_LIMIT, records_event
from simbus.sources.sqs.message import STANDING, Message, md5_of_attributes, receipt_handle

LARGEST_BATCH = SYNCHRONOUS_LIMIT
_encode = msgspec.json.Encoder().encode
_FRAME = len('{"Records":[]}')


class Claim:
    """What a batch leaves with its messages: who has received them, and the latest request that they went with.

    `in_hand` as long as that has not been answered.
    """

    __slots__ = ("in_hand", "name", "request_id")

    def __init__(self, name: str, request_id: str | None = None, *, in_hand: bool = True) -> None:
        self.name = name
        self.request_id = request_id
        self.in_hand = in_hand


class QueueBatch:
    """Messages that were received for one invocation of `port`, and the claim that they bear.

    `deadline` (ns) is when the first of its messages becomes visible again. `window` is the token of the timer that
    closes it, `backoff` (ns) how long it waits after the next throttle. Of a FIFO queue `following` is what the same
    receive brought too much for this batch: it `waits` for what becomes of this one, whose `failed` groups are those
    of the messages that were not processed.
    """

    __slots__ = (
        "backoff",
        "claim",
        "deadline",
        "failed",
        "following",
        "messages",
        "payload",
        "port",
        "receives",
        "records",
        "size",
        "waits",
        "window",
    )

    def __init__(self, port: FunctionPort, deadline: int) -> None:
        self.port = port
        self.claim = Claim(port.function.name)
        self.deadline = deadline
        self.messages: list[Message] = []
        self.receives: list[int] = []
        self.records: list[str] = []
        self.payload = ""
        self.size = _FRAME
        self.window: int | None = None
        self.backoff = 0
        self.following: QueueBatch | None = None
        self.failed: set[str | None] = set()
        self.waits = False

    def __repr__(self) -> str:
        return f"<QueueBatch {len(self.messages)} messages {self.size} bytes>"

    @property
    def name(self) -> str:
        """The short name of the function that it goes to."""
        return self.claim.name

    @property
    def request_id(self) -> str | None:
        """That of the latest attempt to invoke."""
        return self.claim.request_id

    def fits(self, size: int) -> bool:
        """Whether a record of so many bytes still goes in."""
        return not self.messages or self.size + size + 1 <= LARGEST_BATCH

    def add(self, message: Message, record: str, size: int) -> None:
        """Take a message up, with the record that the function gets for it and its size in bytes."""
        message.claim = self.claim
        self.messages.append(message)
        self.receives.append(message.receive_count)
        self.records.append(record)
        self.size += size + 1

    def pairs(self) -> Iterable[tuple[Message, int]]:
        """Its messages, and which receive of each it was."""
        return zip(self.messages, self.receives, strict=True)

    def drop(self, unwanted: Callable[[Message, int], bool]) -> list[Message]:
        """Take messages out before the batch is closed: those for which `unwanted(message, receive)` is true."""
        out = [unwanted(*pair) for pair in self.pairs()]
        if not any(out):
            return []
        kept = [n for n, drop in enumerate(out) if not drop]
        dropped = [message for message, drop in zip(self.messages, out, strict=True) if drop]
        self.messages = [self.messages[n] for n in kept]
        self.receives = [self.receives[n] for n in kept]
        self.records = [self.records[n] for n in kept]
        return dropped

    def close(self) -> list[Message]:
        """Make the payload, without messages that have left the queue meanwhile; those are returned."""
        left = any(message.state not in STANDING for message in self.messages)
        gone = self.drop(_has_left) if left else []
        self.payload = records_event(self.records)
        self.records = []
        return gone

    @property
    def lineage(self) -> Lineage | None:
        """The longest of the chains of requests that led to its messages, function by function."""
        found: dict[str, int] | None = None
        for message in self.messages:
            if message.lineage:
                found = {} if found is None else found
                for arn, count in message.lineage.items():
                    found[arn] = max(count, found.get(arn, 0))
        return found


def _has_left(message: Message, _: int) -> bool:
    return message.state not in STANDING


class RecordWriter:
    """Writes messages of one queue as elements of `Records`."""

    def __init__(self, queue: str, arn: str, region: str) -> None:
        self._queue = queue
        self._tail = f',"eventSource":"aws:sqs","eventSourceARN":"{arn}","awsRegion":"{region}"}}'

    def write(self, message: Message, window: bool) -> str:
        """The record. Without message attributes `md5OfMessageAttributes` is absent, with a batching window null."""
        digest = '"md5OfMessageAttributes":null,' if window else ""
        attributes = "{}"
        if message.message_attributes:
            attributes = _json({name: _attribute(value) for name, value in message.message_attributes.items()})
            digest = f'"md5OfMessageAttributes":"{md5_of_attributes(message.message_attributes)}",'
        return (
            f'{{"messageId":"{message.message_id}","receiptHandle":"{receipt_handle(message, self._queue)}",'
            f'"body":{_json(message.body)},"attributes":{message.attributes_json},'
            f'"messageAttributes":{attributes},{digest}"md5OfBody":"{message.md5_of_body}"{self._tail}'
        )

    def matched(self, message: Message, keys: frozenset[str]) -> dict[str, Any]:
        """What filters see of it: no more than the keys that they ask for."""
        if keys == {"body"}:
            return {"body": message.body}
        record: dict[str, Any] = msgspec.json.decode(self.write(message, window=False))
        return record


def _attribute(value: Any) -> dict[str, Any]:
    """A message attribute in the event's own form; both lists are always there and empty."""
    found: dict[str, Any] = {}
    if "BinaryValue" in value:
        found["binaryValue"] = b64encode(value["BinaryValue"]).decode()
    else:
        found["stringValue"] = value["StringValue"]
    return {**found, "stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}


def _json(value: Any) -> str:
    return _encode(value).decode()
