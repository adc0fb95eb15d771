"""A queue without its messages' traffic: attributes, purge, redrive, and what others want to know of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from simbus.arn import short_name
from simbus.bus import Bus
from simbus.errors import AwsError
from simbus.kernel import SECOND
from simbus.metrics import Datapoint
from simbus.sources.base import Source, operation, twin
from simbus.sources.sqs.intake import Intake
from simbus.sources.sqs.message import Message, State
from simbus.sources.sqs.move import MoveTask
from simbus.sources.sqs.order import Rate
from simbus.sources.sqs.request import sender_id
from simbus.sources.sqs.settings import ATTRIBUTE_NAMES, Settings, check_name, known, shown, with_arns
from simbus.sources.sqs.store import Store, check_dead_letter_queue
from simbus.world import World

PURGE_INTERVAL: Final = 60 * SECOND


class ManagedQueue(Source):
    """What of a queue is not sending, receiving and deleting."""

    service = "sqs"

    def __init__(self, world: World, bus: Bus, name: str, **attributes: Any) -> None:
        settings = Settings(**with_arns(known(attributes), partial(_arn, world)))
        check_name(name, settings.fifo_queue)
        super().__init__(world, bus, name)
        self.store = Store(world, bus, name, self.arn, settings)
        self.url = f"https://sqs.{world.account.region}.amazonaws.com/{world.account.id}/{name}"
        self._sender = sender_id(None, world.account.id)
        self.intake = Intake(world, bus, self.store, self._rng)
        self._rate = Rate()
        self._purged_at: int | None = None
        self._modified = ""
        self._move: MoveTask | None = None
        check_dead_letter_queue(world, self.arn, settings, must_exist=False)

    @property
    def messages(self) -> list[Message]:
        """What stands in the queue now: visible, delayed and in-flight messages, in the order of their arrival."""
        return list(self.store.standing.values())

    @property
    def settings(self) -> Settings:
        """The queue's attributes."""
        return self.store.settings

    def metric(self, name: str) -> list[Datapoint]:
        """The data points of a CloudWatch metric (`NumberOfMessagesSent`) so far: see `simbus.metrics`.

        Raises UsageError for a metric that queues do not have.
        """
        return self._world.metrics.datapoints(name, f"QueueName={self.resource}")

    def listen(self, shown: Callable[[], object], ended: Callable[[Message, State], object] | None = None) -> None:
        """Call `shown()` whenever a message becomes visible, `ended(message, state)` when one has left the queue.

        Both are called in the middle of an operation: put what takes more than a note on the timeline.
        """
        self.store.listen(shown, ended)

    def unlisten(self, shown: Callable[[], object], ended: Callable[[Message, State], object] | None = None) -> None:
        """Take `listen` back."""
        self.store.unlisten(shown, ended)

    def final_rows(self) -> None:
        """Write the rows of the messages that stand in the queue at the end of a run."""
        self.store.final_rows()

    # --- attributes ------------------------------------------------------------------------------------------------

    @operation
    def get_queue_attributes(self, attribute_names: Sequence[str] = ("All",)) -> dict[str, str]:
        """The attributes under AWS's names, all of them texts. Raises AwsError InvalidAttributeName."""
        counts, created = self.store.counts, str(self._world.epoch_ms(0) // 1000)
        found = {
            "QueueArn": self.arn,
            "ApproximateNumberOfMessages": str(counts["visible"]),
            "ApproximateNumberOfMessagesNotVisible": str(counts["in_flight"]),
            "ApproximateNumberOfMessagesDelayed": str(counts["delayed"]),
            "CreatedTimestamp": created,
            "LastModifiedTimestamp": self._modified or created,
            **shown(self.settings),
        }
        if "All" in attribute_names:
            return found
        for name in attribute_names:
            if name not in ATTRIBUTE_NAMES:
                raise AwsError("InvalidAttributeName", f"Unknown Attribute {name}.")
        return {name: found[name] for name in attribute_names if name in found}

    aget_queue_attributes = twin(get_queue_attributes)

    @operation
    def set_queue_attributes(self, /, **attributes: Any) -> None:
        """Change attributes, named as in `Settings`; they hold from now on. Raises AwsError, UsageError.

        Whether a queue is FIFO can't be changed; a dead-letter queue must exist, be of the same type and allow it.
        """
        changed = replace(self.settings, **with_arns(known(attributes), partial(_arn, self._world)))
        if changed.fifo_queue != self.settings.fifo_queue:
            raise AwsError("InvalidAttributeValue", "Invalid value for the parameter FifoQueue.")
        check_dead_letter_queue(self._world, self.arn, changed, must_exist=True)
        self._modified = str(self._world.epoch_ms() // 1000)
        self.store.change(changed)

    aset_queue_attributes = twin(set_queue_attributes)

    # --- purge and redrive -----------------------------------------------------------------------------------------

    @operation
    def purge_queue(self) -> None:
        """Delete every message. Raises AwsError PurgeQueueInProgress (403) within 60 seconds of the last purge."""
        now = self._timeline.now
        if self._purged_at is not None and now < self._purged_at + PURGE_INTERVAL:
            raise AwsError(
                "AWS.SimpleQueueService.PurgeQueueInProgress",
                f"Only one PurgeQueue operation on {self.resource} is allowed every 60 seconds.",
                403,
            )
        self._purged_at = now
        for message in self.messages:
            self.store.tell(message, "deleted", "PurgeQueue")
            self.store.end(message, "deleted")

    apurge_queue = twin(purge_queue)

    @operation
    def start_message_move_task(
        self, destination: str | None = None, max_number_of_messages_per_second: int | None = None
    ) -> MoveTask:
        """Move the messages of this dead-letter queue to `destination` (a queue), or back to where each came from.

        1 to 500 a second (default 500: AWS chooses the rate itself). Each becomes a new message with an id, a time and
        a receive count of its own (SQS developer guide, "dead-letter queue redrive"). Raises AwsError
        InvalidParameterValue, ResourceNotFoundException, UnsupportedOperation where a task is running.
        """
        if self._move is not None and self._move.status == "RUNNING":
            raise AwsError(
                "AWS.SimpleQueueService.UnsupportedOperation", "There is already a task running for this queue."
            )
        self._move = MoveTask(self._world, self.store, destination, max_number_of_messages_per_second, self._sender)
        return self._move

    astart_message_move_task = twin(start_message_move_task)

    def _admit(self, action: str) -> None:
        settings = self.settings
        limited = settings.fifo_queue and settings.fifo_throughput_limit == "perQueue"
        if limited and not self._rate.admits(action, self._timeline.now):
            raise AwsError("RequestThrottled", f"Rate of {action} calls exceeded the limit of {self.name}.")


def _arn(world: World, reference: str) -> str:
    """The ARN of `sqs:name`, or the ARN itself."""
    service, name, _ = short_name(reference)
    return reference if reference.startswith("arn:") else world.arn(service, name)
