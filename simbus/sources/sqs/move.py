"""The redrive of a dead-letter queue: StartMessageMoveTask."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any, Final, Literal

import msgspec

from simbus.errors import AwsError
from simbus.kernel import SECOND
from simbus.sources.sqs.intake import Intake
from simbus.sources.sqs.message import Message
from simbus.sources.sqs.store import Store
from simbus.world import World, uuid

MAXIMUM_RATE: Final = 500
_NO_SOURCE: Final = "CouldNotDetermineMessageSource"
_NO_QUEUE: Final = "AWS.SimpleQueueService.NonExistentQueue"


class MoveTask:
    """Moves the messages that were visible when it began, one after the other, in virtual time.

    `status` is RUNNING, COMPLETED, CANCELLED or FAILED (`failure_reason` says why).
    """

    def __init__(self, world: World, store: Store, destination: str | None, rate: int | None, sender: str) -> None:
        self.max_number_of_messages_per_second = rate
        rate = MAXIMUM_RATE if rate is None else rate
        if type(rate) is not int or not 1 <= rate <= MAXIMUM_RATE:
            raise AwsError(
                "InvalidParameterValue",
                f"Value {rate} for parameter MaxNumberOfMessagesPerSecond is invalid. Reason: Must be between 1 and "
                f"{MAXIMUM_RATE}.",
            )
        self._world = world
        self._store = store
        self._destination = destination
        self.destination_arn: str | None = None
        if destination is not None:
            intake = self._find(destination)
            if intake is None:
                raise no_resource("DestinationArn")
            self.destination_arn = intake.arn
        self.task_id = uuid(world.timeline.rng("sqs/move-task"))
        self.started_ms = world.epoch_ms()
        self._interval = SECOND // rate
        self._sender = sender
        self._left = [message for message in store.standing.values() if message.state == "visible"]
        self._left.reverse()
        self.status: Literal["RUNNING", "COMPLETED", "CANCELLED", "FAILED"] = "RUNNING"
        self.failure_reason: str | None = None
        self.approximate_number_of_messages_to_move = len(self._left)
        self.approximate_number_of_messages_moved = 0
        world.timeline.after(0, self._step)

    @property
    def task_handle(self) -> str:
        """What CancelMessageMoveTask names the task by."""
        named = {"taskId": self.task_id, "sourceArn": self._store.arn}
        return b64encode(msgspec.json.encode(named)).decode()

    def described(self) -> dict[str, Any]:
        """The task as ListMessageMoveTasks shows it; it has a handle as long as it is running."""
        found = {
            "TaskHandle": self.task_handle if self.status == "RUNNING" else None,
            "Status": self.status,
            "SourceArn": self._store.arn,
            "DestinationArn": self.destination_arn,
            "MaxNumberOfMessagesPerSecond": self.max_number_of_messages_per_second,
            "ApproximateNumberOfMessagesMoved": self.approximate_number_of_messages_moved,
            "ApproximateNumberOfMessagesToMove": self.approximate_number_of_messages_to_move,
            "FailureReason": self.failure_reason,
            "StartedTimestamp": self.started_ms,
        }
        return {name: value for name, value in found.items() if value is not None}

    def cancel(self) -> None:
        """CancelMessageMoveTask: what has been moved stays moved."""
        if self.status == "RUNNING":
            self.status = "CANCELLED"

    def _step(self, _: None) -> None:
        while self._left and self._left[-1].state != "visible":
            self._left.pop()
        if self.status != "RUNNING":
            return
        if not self._left:
            self.status = "COMPLETED"
            return
        message = self._left.pop()
        reference = self._destination or message.dead_letter_source
        intake = None if reference is None else self._find(reference)
        if intake is None:
            self.status = "FAILED"
            self.failure_reason = _NO_SOURCE if reference is None else _NO_QUEUE
            return
        try:
            self._move(message, intake)
        except AwsError as error:
            self.status, self.failure_reason = "FAILED", error.code
            return
        self._world.timeline.after(self._interval, self._step)

    def _move(self, message: Message, intake: Intake) -> None:
        moved = intake.put(
            message.body,
            0,
            message.message_attributes,
            message.group_id,
            message.deduplication_id,
            sender=self._sender,
            trace_header=message.trace_header,
            cause=(message.event_id, message.lineage),
            deduplicate=False,  # moved within five minutes, it is no copy
        )
        self._store.tell(message, "moved", f"by StartMessageMoveTask, as message {moved.message_id}")
        self._store.end(message, "redriven")
        self.approximate_number_of_messages_moved += 1

    def _find(self, reference: str) -> Intake | None:
        intake = getattr(self._world.find(reference), "intake", None)
        return intake if isinstance(intake, Intake) else None


def no_resource(parameter: str) -> AwsError:
    """SQS's answer where the queue that a parameter names is not there."""
    text = f"The resource that you specified for the {parameter} parameter doesn't exist."
    return AwsError("ResourceNotFoundException", text, 404)


def read_task_handle(handle: str) -> tuple[str, str]:
    """ARN of the queue and id of the task. Raises AwsError InvalidParameterValue."""
    try:
        named = msgspec.json.decode(b64decode(handle, validate=True))
        return named["sourceArn"], named["taskId"]
    except (ValueError, TypeError, KeyError, msgspec.DecodeError):
        raise AwsError("InvalidParameterValue", f"Value {handle} for parameter TaskHandle is invalid.") from None
