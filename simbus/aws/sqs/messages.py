"""Messages: send, receive, delete and hide them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from simbus.aws.sqs.base import api, queue_of
from simbus.aws.table import Response
from simbus.sources.sqs.message import ReceivedMessage, md5_of_attributes
from simbus.sources.sqs.texts import unknown

if TYPE_CHECKING:
    from simbus.resources import Resources

_ALL: Final = "All"
_SYSTEM_ATTRIBUTES: Final = (
    _ALL,
    "SenderId",
    "SentTimestamp",
    "ApproximateReceiveCount",
    "ApproximateFirstReceiveTimestamp",
    "SequenceNumber",
    "MessageDeduplicationId",
    "MessageGroupId",
    "AWSTraceHeader",
    "DeadLetterQueueSourceArn",
)


@api.operation
def send_message(
    account: Resources,
    *,
    QueueUrl: str,
    MessageBody: str,
    DelaySeconds: int | None = None,
    MessageAttributes: Mapping[str, Any] | None = None,
    MessageSystemAttributes: Mapping[str, Any] | None = None,
    MessageDeduplicationId: str | None = None,
    MessageGroupId: str | None = None,
) -> Response:
    return queue_of(account, QueueUrl).send_message(
        MessageBody,
        delay_seconds=DelaySeconds,
        message_attributes=MessageAttributes,
        message_system_attributes=MessageSystemAttributes,
        message_deduplication_id=MessageDeduplicationId,
        message_group_id=MessageGroupId,
    )


@api.operation
def send_message_batch(account: Resources, *, QueueUrl: str, Entries: Sequence[Mapping[str, Any]]) -> Response:
    return _batch(queue_of(account, QueueUrl).send_message_batch, Entries)


@api.operation
def receive_message(
    account: Resources,
    *,
    QueueUrl: str,
    AttributeNames: Sequence[str] = (),
    MessageSystemAttributeNames: Sequence[str] = (),
    MessageAttributeNames: Sequence[str] = (),
    MaxNumberOfMessages: int = 1,
    VisibilityTimeout: int | None = None,
    WaitTimeSeconds: int | None = None,
    ReceiveRequestAttemptId: str | None = None,
) -> Response:
    queue = queue_of(account, QueueUrl)
    system = {*AttributeNames, *MessageSystemAttributeNames}
    for name in (*AttributeNames, *MessageSystemAttributeNames):
        if name not in _SYSTEM_ATTRIBUTES:
            raise unknown(name)
    received = queue.receive_messages(
        MaxNumberOfMessages,
        visibility_timeout=VisibilityTimeout,
        wait_time_seconds=WaitTimeSeconds,
        receive_request_attempt_id=ReceiveRequestAttemptId,
    )
    return {"Messages": [_shown(each, system, MessageAttributeNames) for each in received]} if received else {}


def _shown(message: ReceivedMessage, system: Collection[str], names: Sequence[str]) -> Response:
    """One message, with the attributes that were asked for; its second digest is over these only."""
    found: Response = {
        "MessageId": message.message_id,
        "ReceiptHandle": message.receipt_handle,
        "MD5OfBody": message.md5_of_body,
        "Body": message.body,
    }
    if system:
        every = _ALL in system
        attributes = {name: value for name, value in message.attributes.items() if every or name in system}
        if attributes:
            found["Attributes"] = attributes
    if names and message.message_attributes:
        wanted = {
            name: dict(value)
            for name, value in message.message_attributes.items()
            if any(_matches(pattern, name) for pattern in names)
        }
        if wanted:
            found["MD5OfMessageAttributes"] = md5_of_attributes(wanted)
            found["MessageAttributes"] = wanted
    return found


def _matches(pattern: str, name: str) -> bool:
    """`All` and `.*` are every attribute, `foo.*` those that begin with foo (SQS API reference, ReceiveMessage)."""
    if pattern == _ALL:
        return True
    return name.startswith(pattern[:-2]) if pattern.endswith(".*") else name == pattern


@api.operation
def delete_message(account: Resources, *, QueueUrl: str, ReceiptHandle: str) -> None:
    queue_of(account, QueueUrl).delete_message(ReceiptHandle)


@api.operation
def delete_message_batch(account: Resources, *, QueueUrl: str, Entries: Sequence[Mapping[str, Any]]) -> Response:
    return _batch(queue_of(account, QueueUrl).delete_message_batch, Entries)


@api.operation
def change_message_visibility(account: Resources, *, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int) -> None:
    queue_of(account, QueueUrl).change_message_visibility(ReceiptHandle, VisibilityTimeout)


@api.operation
def change_message_visibility_batch(
    account: Resources, *, QueueUrl: str, Entries: Sequence[Mapping[str, Any]]
) -> Response:
    return _batch(queue_of(account, QueueUrl).change_message_visibility_batch, Entries)


@api.operation
def purge_queue(account: Resources, *, QueueUrl: str) -> None:
    queue_of(account, QueueUrl).purge_queue()


def _batch(call: Callable[[Sequence[Mapping[str, Any]]], Response], entries: Sequence[Mapping[str, Any]]) -> Response:
    """The answer of a batch: AWS's JSON has only the one of its two lists that is not empty."""
    return {name: results for name, results in call(entries).items() if results}
