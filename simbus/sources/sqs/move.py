"""The redrive of a dead-letter queue: StartMessageMoveTask."""

from __future__ import annotations

from typing import Final, Literal

from simbus.errors import AwsError
from simbus.kernel import SECOND
from simbus.sources.sqs.intake import Intake
from simbus.sources.sqs.message import Message
from simbus.sources.sqs.store import Store
from simbus.world import World

MAXIMUM_RATE: Final = 500


class MoveTask:
    """Moves the messages that were visible when it began, one after the other, in virtual time.

    `status` is RUNNING, COMPLETED, CANCELLED or FAILED (`failure_reason` says why).
    """

    def __init__(self, world: World, store: Store, destination: str | None, rate: int | None, sender: str) -> None:
        rate = MAXIMUM_RATE if rate is None else rate
        if type(rate) is not int or not 1 <= rate <= MAXIMUM_RATE:
            raise AwsError(
                "InvalidParameterValue",
                f"Value {rate} for parameter MaxNumberOfMessagesPerSecond is invalid. Reason: Must be between 1 and "
                f"{MAXIMUM_RATE}.",
            )
        self._world = world
        self._store = store
        self._destination = None if destination is None else self._intake(destination)
        self._interval = SECOND // rate
        self._sender = sender
        self._left = [message for message in store.standing.values() if message.state == "visible"]
        self._left.reverse()
        self.status: Literal["RUNNING", "COMPLETED", "CANCELLED", "FAILED"] = "RUNNING"
        self.failure_reason: str | None = None
        self.approximate_number_of_messages_to_move = len(self._left)
        self.approximate_number_of_messages_moved = 0
        world.timeline.after(0, self._step)

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
        try:
            self._move(self._left.pop())
        except AwsError as error:
            self.status, self.failure_reason = "FAILED", str(error)
            return
        self._world.timeline.after(self._interval, self._step)

    def _move(self, message: Message) -> None:
        intake = self._destination or self._intake(message.dead_letter_source)
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

    def _intake(self, reference: str | None) -> Intake:
        target = None if reference is None else self._world.find(reference)
        intake = getattr(target, "intake", None)
        if not isinstance(intake, Intake):
            raise AwsError("ResourceNotFoundException", "The resource that you specified does not exist.", 404)
        return intake
