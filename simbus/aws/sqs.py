"""Amazon SQS. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from simbus.aws.table import Api, Response
from simbus.errors import AwsError

if TYPE_CHECKING:
    from simbus.resources import Resources
    from simbus.sources.sqs.queue import Queue

api = Api("sqs")


def _queue(account: Resources, url: str) -> Queue:
    """The queue of a URL; its last part names it, as for AWS. Raises AwsError NonExistentQueue."""
    found = account.find("sqs", url.rstrip("/").rpartition("/")[2])
    if found is None:
        raise AwsError("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")
    queue: Queue = found
    return queue


@api.operation
def get_queue_url(account: Resources, *, QueueName: str, QueueOwnerAWSAccountId: str | None = None) -> Response:
    return {"QueueUrl": _queue(account, QueueName).url}


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
    return _queue(account, QueueUrl).send_message(
        MessageBody,
        delay_seconds=DelaySeconds,
        message_attributes=MessageAttributes,
        message_system_attributes=MessageSystemAttributes,
        message_deduplication_id=MessageDeduplicationId,
        message_group_id=MessageGroupId,
    )
