"""Dead-letter queues and the tasks that move their messages back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simbus.arn import short_name
from simbus.aws.sqs.base import api, queue_of
from simbus.aws.sqs.queues import paged
from simbus.aws.table import Response
from simbus.errors import UsageError
from simbus.sources.sqs.move import no_resource, read_task_handle

if TYPE_CHECKING:
    from simbus.resources import Resources
    from simbus.sources.sqs.queue import Queue


@api.operation
def list_dead_letter_source_queues(
    account: Resources, *, QueueUrl: str, MaxResults: int | None = None, NextToken: str | None = None
) -> Response:
    return paged("queueUrls", queue_of(account, QueueUrl).list_dead_letter_source_queues(), MaxResults, NextToken)


@api.operation
def start_message_move_task(
    account: Resources,
    *,
    SourceArn: str,
    DestinationArn: str | None = None,
    MaxNumberOfMessagesPerSecond: int | None = None,
) -> Response:
    source = _queue(account, SourceArn, "SourceArn")
    destination = None if DestinationArn is None else _queue(account, DestinationArn, "DestinationArn").arn
    return {"TaskHandle": source.start_message_move_task(destination, MaxNumberOfMessagesPerSecond).task_handle}


@api.operation
def list_message_move_tasks(account: Resources, *, SourceArn: str, MaxResults: int = 1) -> Response:
    return {"Results": _queue(account, SourceArn, "SourceArn").list_message_move_tasks(MaxResults)}


@api.operation
def cancel_message_move_task(account: Resources, *, TaskHandle: str) -> Response:
    source = _queue(account, read_task_handle(TaskHandle)[0], "SourceArn")
    return {"ApproximateNumberOfMessagesMoved": source.cancel_message_move_task(TaskHandle)}


def _queue(account: Resources, arn: str, parameter: str) -> Queue:
    """The queue of an ARN. Raises AwsError ResourceNotFoundException."""
    try:
        service, name, _ = short_name(arn)
    except UsageError:
        service = name = ""
    found: Queue | None = account.find("sqs", name) if service == "sqs" else None
    if found is None or found.arn != arn:
        raise no_resource(parameter)
    return found
