"""The checks of SQS requests, and the small things that more than one operation needs.

Error texts: recordings test_sqs (LocalStack's snapshots of AWS, 2025), SQS API reference.
"""

from __future__ import annotations

import re
from base64 import b32encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from hashlib import sha256
from typing import Any, Final

from simbus.errors import AwsError, UsageError
from simbus.kernel import SECOND, Timeline
from simbus.sources.sqs.message import Message, check_body, checked_attributes, md5_of_attributes, size_of
from simbus.sources.sqs.settings import Settings
from simbus.sources.sqs.store import Store
from simbus.world import Delivery

MAXIMUM_VISIBILITY: Final = 43_200
MAXIMUM_BATCH_BYTES: Final = 1_048_576
MAXIMUM_TAGS: Final = 50
_ENTRY_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_TRACE_HEADER = "AWSTraceHeader"
_NO_GROUP: Final = "The request must contain the parameter MessageGroupId."
_NO_DEDUPLICATION: Final = (
    "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"
)


def no_queue() -> AwsError:
    """SQS's answer where a queue is not there."""
    return AwsError("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")


def with_tags(tags: Mapping[str, str], more: Mapping[str, str], queue: str) -> dict[str, str]:
    """The tags of a queue and more of them. Raises AwsError (SQS developer guide, quotas: 50 tags)."""
    if not more:
        raise AwsError("MissingParameter", "The request must contain the parameter Tags.")
    found = {**tags, **more}
    if len(found) > MAXIMUM_TAGS:
        raise invalid(f"Too many tags added for queue {queue}.")
    for key, value in more.items():
        if not 1 <= len(key) <= 128:
            raise invalid("Tag keys must be between 1 and 128 characters in length.")
        if len(value) > 256:
            raise invalid("Tag values must be between 0 and 256 characters in length.")
    return found


def invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterValue", message)


def check_range(name: str, value: int, least: int, most: int, rule: str) -> None:
    """Raises AwsError InvalidParameterValue for what is no whole number from `least` to `most`."""
    if type(value) is not int or not least <= value <= most:
        raise invalid(f"Value {value} for parameter {name} is invalid. Reason: {rule}")


def check_visibility(seconds: int) -> None:
    check_range(
        "VisibilityTimeout", seconds, 0, MAXIMUM_VISIBILITY, f"Must be between 0 and {MAXIMUM_VISIBILITY}, if provided."
    )


def check_receive(number: int, wait: int) -> None:
    check_range("MaxNumberOfMessages", number, 1, 10, "Must be between 1 and 10, if provided.")
    check_range("WaitTimeSeconds", wait, 0, 20, "Must be >= 0 and <= 20, if provided.")


def check_message(settings: Settings, body: str, attributes: Any) -> dict[str, dict[str, Any]] | None:
    """The attributes, ready to be kept. Raises AwsError for a body or attributes that SQS refuses."""
    check_body(body)
    checked = checked_attributes(attributes) if attributes else None
    most = settings.maximum_message_size
    if size_of(body, checked) > most:
        raise invalid(f"One or more parameters are invalid. Reason: Message must be shorter than {most} bytes.")
    return checked


def check_delay(settings: Settings, delay_seconds: int | None) -> int:
    """The delay in nanoseconds. On a FIFO queue only the queue itself can have one; 0 falls back to it."""
    if delay_seconds is None or (settings.fifo_queue and delay_seconds == 0):
        return settings.delay_seconds * SECOND
    if settings.fifo_queue:
        raise invalid(
            f"Value {delay_seconds} for parameter DelaySeconds is invalid. Reason: The request include parameter "
            "that is not valid for this queue type."
        )
    check_range("DelaySeconds", delay_seconds, 0, 900, "DelaySeconds must be >= 0 and <= 900.")
    return delay_seconds * SECOND


def check_token(name: str, value: str) -> None:
    """1 to 128 letters, digits and punctuation. Raises AwsError InvalidParameterValue."""
    if not _TOKEN.fullmatch(value):
        raise invalid(
            f"Value {value} for parameter {name} is invalid. Reason: {name} can only include alphanumeric and "
            "punctuation characters. 1 to 128 in length."
        )


_TOKEN = re.compile(r"[A-Za-z0-9!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]{1,128}")


def check_fifo_batch(settings: Settings, entries: Iterable[Mapping[str, Any]]) -> None:
    """A FIFO queue refuses a whole batch for one entry without an id that it needs.

    Recorded: test_send_batch_missing_deduplication_id_for_fifo_queue, ..._missing_message_group_id_for_fifo_queue.
    """
    for entry in entries if settings.fifo_queue else ():
        if not settings.content_based_deduplication and not entry.get("message_deduplication_id"):
            raise invalid(_NO_DEDUPLICATION)
        if not entry.get("message_group_id"):
            raise AwsError("MissingParameter", _NO_GROUP)


def check_ids(settings: Settings, group_id: str | None, deduplication_id: str | None) -> None:
    """Group and deduplication id: required on a FIFO queue; a standard queue takes a group (fair queues, 2025) only."""
    if group_id is None and deduplication_id is None and not settings.fifo_queue:
        return
    for name, value in (("MessageGroupId", group_id), ("MessageDeduplicationId", deduplication_id)):
        if value is not None:
            check_token(name, value)
    if not settings.fifo_queue:
        if deduplication_id is not None:
            raise invalid(
                f"Value {deduplication_id} for parameter MessageDeduplicationId is invalid. Reason: The request "
                "include parameter that is not valid for this queue type."
            )
    elif group_id is None:
        raise AwsError("MissingParameter", _NO_GROUP)
    elif deduplication_id is None and not settings.content_based_deduplication:
        raise invalid(_NO_DEDUPLICATION)


def check_batch(entries: Sequence[Mapping[str, Any]], request: str, allowed: Iterable[str]) -> list[dict[str, Any]]:
    """The entries of a batch with keys in snake_case (AWS's own, `Id`, are understood). Raises AwsError, UsageError."""
    code = "AWS.SimpleQueueService."
    if not entries:
        raise AwsError(f"{code}EmptyBatchRequest", f"There should be at least one {request}Entry in the request.")
    if len(entries) > 10:
        raise AwsError(
            f"{code}TooManyEntriesInBatchRequest",
            f"Maximum number of entries per request are 10. You have sent {len(entries)}.",
        )
    found = [{_snake(key): value for key, value in entry.items()} for entry in entries]
    known = ("id", *allowed)
    seen = set()
    for entry in found:
        unknown = [key for key in entry if key not in known]
        if unknown or "id" not in entry:
            raise UsageError(
                f"an entry of {request} has the keys {', '.join(entry)}; it has an id and any of {', '.join(allowed)}. "
                "Correct the entry."
            )
        name = entry["id"]
        if not _ENTRY_ID.fullmatch(name):
            raise AwsError(
                f"{code}InvalidBatchEntryId",
                "A batch entry id can only contain alphanumeric characters, hyphens and underscores. "
                "It can be at most 80 letters long.",
            )
        if name in seen:
            raise AwsError(f"{code}BatchEntryIdsNotDistinct", f"Id {name} repeated.")
        seen.add(name)
    return found


def check_batch_size(entries: Sequence[Mapping[str, Any]]) -> None:
    size = sum(
        size_of(entry.get("message_body") or "", checked_attributes(entry.get("message_attributes")))
        for entry in entries
    )
    if size > MAXIMUM_BATCH_BYTES:
        raise AwsError(
            "AWS.SimpleQueueService.BatchRequestTooLong",
            f"Batch requests cannot be longer than {MAXIMUM_BATCH_BYTES} bytes. You have sent {size} bytes.",
        )


def each(entries: Iterable[Mapping[str, Any]], call: Callable[..., dict[str, Any] | None]) -> dict[str, Any]:
    """Call for every entry: `{"Successful": [{"Id": ...}], "Failed": [{"Id", "SenderFault", "Code", "Message"}]}`."""
    result: dict[str, Any] = {"Successful": [], "Failed": []}
    for entry in entries:
        given = dict(entry)
        name = given.pop("id")
        try:
            result["Successful"].append({"Id": name, **(call(**given) or {})})
        except AwsError as error:
            fault = error.status < 500
            result["Failed"].append({"Id": name, "SenderFault": fault, "Code": error.code, "Message": error.message})
    return result


def _snake(key: str) -> str:
    return re.sub(r"(?<=[a-z])([A-Z])", r"_\1", key).lower()


def answer(message: Message) -> dict[str, str]:
    """The answer of SendMessage (API reference: the digest of system attributes is made like that of attributes)."""
    found = {"MessageId": message.message_id, "MD5OfMessageBody": message.md5_of_body}
    if message.message_attributes:
        found["MD5OfMessageAttributes"] = md5_of_attributes(message.message_attributes)
    if message.trace_header is not None:
        header = {"DataType": "String", "StringValue": message.trace_header}
        found["MD5OfMessageSystemAttributes"] = md5_of_attributes({_TRACE_HEADER: header})
    if message.sequence_number is not None:
        found["SequenceNumber"] = message.sequence_number
    return found


def trace_header_of(attributes: Mapping[str, Mapping[str, Any]] | None) -> str | None:
    """AWSTraceHeader of MessageSystemAttributes, the only one that SQS takes."""
    if not attributes:
        return None
    header = attributes.get(_TRACE_HEADER, {}).get("StringValue")
    if list(attributes) != [_TRACE_HEADER] or not header:
        raise invalid(f"Message system attributes can only be {_TRACE_HEADER}, a String.")
    return str(header)


def sender_id(delivery: Delivery | None, account: str) -> str:
    """Who sent it: a user's id; for Lambda that of an assumed role, with the function's name."""
    if delivery is None:
        return _principal("AIDA", account)
    if delivery.service == "lambda.amazonaws.com":
        function = delivery.source_arn.split(":function:")[-1].partition(":")[0]
        return session_of(function)
    return _principal("AIDA", delivery.service)


def session_of(function: str) -> str:
    """The sender id of what a function sends, as GetCallerIdentity tells it: its role, and its own name as session."""
    return f"{_principal('AROA', f'{function}-role')}:{function}"


@cache
def _principal(prefix: str, text: str) -> str:
    return prefix + b32encode(sha256(text.encode()).digest()).decode()[:17]


class LongPoll:
    """One receive that waits: until a message becomes visible, or until `deadline`."""

    def __init__(self, timeline: Timeline, store: Store, deadline: int) -> None:
        self._timeline = timeline
        self._store = store
        self._deadline = deadline
        self._timer = 0
        self._woken = self._over = False

    def wait(self, queue: str) -> None:
        """A handler parks; a test outside a run plays the timeline meanwhile. Raises HungUp; the poll goes on."""
        actor = self._timeline.actor
        if actor is not None:
            actor.wait(self.begin)
            return
        self.begin(lambda: None)
        self._timeline.run_while(lambda: not self._over, lambda: f"a receive from {queue}")

    def then(self, wake: Callable[[], None]) -> None:
        """Nobody waits any more: at its end call this instead."""
        self._wake = wake

    def begin(self, wake: Callable[[], None]) -> None:
        """Call `wake` at the end."""
        self._wake = wake
        self._store.listen(self._shown, None)
        self._timer = self._timeline.at(self._deadline, self._end)

    def _shown(self) -> None:
        if not self._woken:
            self._woken = True
            self._timeline.cancel(self._timer)
            self._timeline.after(0, self._end)

    def _end(self, _: None) -> None:
        self._over = True
        self._store.unlisten(self._shown, None)
        self._wake()
