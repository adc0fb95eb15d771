"""A queue without its messages' traffic: attributes, purge, redrive, and what others want to know of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any, Final

from simbus.arn import short_name
from simbus.bus import Bus
from simbus.errors import AwsError
from simbus.kernel import SECOND
from simbus.metrics import Datapoint
from simbus.sources.base import Source, operation, twin
from simbus.sources.sqs.access import with_permission, without_permission
from simbus.sources.sqs.attempts import Attempts
from simbus.sources.sqs.intake import Intake
from simbus.sources.sqs.message import Message, State
from simbus.sources.sqs.move import MoveTask, read_task_handle
from simbus.sources.sqs.order import Rate
from simbus.sources.sqs.request import check_range, no_queue, sender_id, session_of, with_tags
from simbus.sources.sqs.settings import ATTRIBUTE_NAMES, FIFO_NAMES, Settings, changed, check_name, shown
from simbus.sources.sqs.store import Store, check_dead_letter_queue
from simbus.sources.sqs.texts import unknown
from simbus.world import World

PURGE_INTERVAL: Final = 60 * SECOND
SHOWN_MOVE_TASKS: Final = 10


class ManagedQueue(Source):
    """What of a queue is not sending, receiving and deleting."""

    service = "sqs"

    def __init__(self, world: World, bus: Bus, name: str, **attributes: Any) -> None:
        settings = changed(Settings(), attributes, partial(_arn, world))
        check_name(name, settings.fifo_queue)
        super().__init__(world, bus, name)
        self.store = Store(world, bus, name, self.arn, settings)
        self.url = f"https://sqs.{world.account.region}.amazonaws.com/{world.account.id}/{name}"
        self._user = sender_id(None, world.account.id)
        self.intake = Intake(world, bus, self.store, self._rng)
        self._rate = Rate()
        self.deleted_at: int | None = None
        self._begin()
        check_dead_letter_queue(world, self.arn, settings, must_exist=False)

    def _begin(self) -> None:
        """A new queue: whatever had this name before it."""
        self._purged_at: int | None = None
        self._created_ms = self._modified_ms = self._world.epoch_ms()
        self._tags: dict[str, str] = {}
        self._moves: deque[MoveTask] = deque(maxlen=SHOWN_MOVE_TASKS)
        self.attempts = Attempts()

    def create_again(self, **attributes: Any) -> None:
        """A queue of the same name as the one that was deleted: empty, and read by the mappings of its ARN."""
        settings = changed(Settings(), attributes, partial(_arn, self._world))
        check_name(self.resource, settings.fifo_queue)
        check_dead_letter_queue(self._world, self.arn, settings, must_exist=False)
        self.deleted_at = None
        self._begin()
        self.intake.forget()
        self.store.change(settings)

    @property
    def _sender(self) -> str:
        """Who sends at this moment: the role of the function that acts, or a user."""
        actor = self._timeline.actor
        config: Any = None if actor is None else getattr(actor, "config", None)
        return self._user if config is None else session_of(config.name)

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
        self._check_exists()
        counts = self.store.counts
        found = {
            "QueueArn": self.arn,
            "ApproximateNumberOfMessages": str(counts["visible"]),
            "ApproximateNumberOfMessagesNotVisible": str(counts["in_flight"]),
            "ApproximateNumberOfMessagesDelayed": str(counts["delayed"]),
            "CreatedTimestamp": str(self._created_ms // 1000),
            "LastModifiedTimestamp": str(self._modified_ms // 1000),
            **shown(self.settings),
        }
        if "All" in attribute_names:
            return found
        for name in attribute_names:
            if name not in ATTRIBUTE_NAMES or (name in FIFO_NAMES and not self.settings.fifo_queue):
                raise unknown(name)
        return {name: found[name] for name in attribute_names if name in found}

    aget_queue_attributes = twin(get_queue_attributes)

    @operation
    def set_queue_attributes(self, /, **attributes: Any) -> None:
        """Change attributes, named as in `Settings`; they hold from now on. Raises AwsError, UsageError.

        Whether a queue is FIFO can't be changed; a dead-letter queue must exist, be of the same type and allow it.
        """
        self._check_exists()
        settings = changed(self.settings, attributes, partial(_arn, self._world))
        if settings.fifo_queue != self.settings.fifo_queue:
            raise AwsError("InvalidAttributeValue", "Invalid value for the parameter FifoQueue.")
        check_dead_letter_queue(self._world, self.arn, settings, must_exist=True)
        self._modified_ms = self._world.epoch_ms()
        self.store.change(settings)

    aset_queue_attributes = twin(set_queue_attributes)

    @operation
    def add_permission(self, label: str, aws_account_ids: Sequence[str], actions: Sequence[str]) -> None:
        """Add a statement to the policy, which is shown and not evaluated. Raises AwsError InvalidParameterValue."""
        self._check_exists()
        policy = with_permission(self.settings.policy, self.arn, label, aws_account_ids, actions)
        self.store.change(replace(self.settings, policy=policy))

    aadd_permission = twin(add_permission)

    @operation
    def remove_permission(self, label: str) -> None:
        """Take the statement of that label out of the policy. Raises AwsError InvalidParameterValue."""
        self._check_exists()
        policy = without_permission(self.settings.policy, self.arn, label)
        self.store.change(replace(self.settings, policy=policy))

    aremove_permission = twin(remove_permission)

    @operation
    def tag_queue(self, tags: Mapping[str, str]) -> None:
        """Add tags, 50 in all, or give them other values. Raises AwsError InvalidParameterValue, MissingParameter."""
        self._check_exists()
        self._tags = with_tags(self._tags, tags, self.resource)

    atag_queue = twin(tag_queue)

    @operation
    def untag_queue(self, tag_keys: Sequence[str]) -> None:
        """Take tags away; one that is not there is no error. Raises AwsError MissingParameter."""
        self._check_exists()
        if not tag_keys:
            raise AwsError("MissingParameter", "The request must contain the parameter TagKeys.")
        self._tags = {key: value for key, value in self._tags.items() if key not in tag_keys}

    auntag_queue = twin(untag_queue)

    @operation
    def list_queue_tags(self) -> dict[str, str]:
        """The tags."""
        self._check_exists()
        return dict(self._tags)

    alist_queue_tags = twin(list_queue_tags)

    # --- purge and delete ------------------------------------------------------------------------------------------

    @operation
    def purge_queue(self) -> None:
        """Delete every message. Raises AwsError PurgeQueueInProgress (403) within 60 seconds of the last purge."""
        self._check_exists()
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
    def delete_queue(self) -> None:
        """Delete the queue and its messages at once (AWS: within 60 seconds); every later operation is refused.

        Mappings and subscriptions that name it stay: there is nothing to poll, and nothing can be delivered.
        """
        self._check_exists()
        self.deleted_at = self._timeline.now
        self._world.forget(self.arn)
        for message in self.messages:
            self.store.tell(message, "deleted", "DeleteQueue")
            self.store.end(message, "deleted")

    adelete_queue = twin(delete_queue)

    # --- redrive ---------------------------------------------------------------------------------------------------

    @operation
    def list_dead_letter_source_queues(self) -> list[str]:
        """The URLs of the queues whose dead-letter queue this one is, in the order in which they were made."""
        self._check_exists()
        return [queue.url for queue in self._sources()]

    alist_dead_letter_source_queues = twin(list_dead_letter_source_queues)

    def _sources(self) -> list[ManagedQueue]:
        def sends_here(target: Any) -> bool:
            policy = target.settings.redrive_policy if isinstance(target, ManagedQueue) else None
            return policy is not None and policy["dead_letter_target_arn"] == self.arn

        return self._world.every(sends_here)  # type: ignore[return-value]

    @operation
    def start_message_move_task(
        self, destination: str | None = None, max_number_of_messages_per_second: int | None = None
    ) -> MoveTask:
        """Move the messages of this dead-letter queue to `destination` (a queue), or back to where each came from.

        1 to 500 a second (default 500: AWS chooses the rate itself). Each becomes a new message with an id, a time and
        a receive count of its own (SQS developer guide, "dead-letter queue redrive"). Raises AwsError
        InvalidParameterValue (also where it is no queue's dead-letter queue), ResourceNotFoundException,
        UnsupportedOperation where a task is running.
        """
        self._check_exists()
        if not self._sources():
            raise AwsError("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.")
        if self._moves and self._moves[0].status == "RUNNING":
            raise AwsError(
                "AWS.SimpleQueueService.UnsupportedOperation",
                "There is already a task running. Only one active task is allowed for a source queue arn at a given "
                "time.",
            )
        task = MoveTask(self._world, self.store, destination, max_number_of_messages_per_second, self._sender)
        self._moves.appendleft(task)
        return task

    astart_message_move_task = twin(start_message_move_task)

    @operation
    def list_message_move_tasks(self, max_results: int = 1) -> list[dict[str, Any]]:
        """The latest 1 to 10 tasks of this queue, the last one first. Raises AwsError InvalidParameterValue."""
        self._check_exists()
        check_range("MaxResults", max_results, 1, SHOWN_MOVE_TASKS, "Must be between 1 and 10, if provided.")
        return [task.described() for task in islice(self._moves, max_results)]

    alist_message_move_tasks = twin(list_message_move_tasks)

    @operation
    def cancel_message_move_task(self, task_handle: str) -> int:
        """Stop a running task; returns how many messages it has moved.

        Raises AwsError InvalidParameterValue, ResourceNotFoundException, UnsupportedOperation.
        """
        self._check_exists()
        _, task_id = read_task_handle(task_handle)
        task = next((task for task in self._moves if task.task_id == task_id), None)
        if task is None:
            raise AwsError("ResourceNotFoundException", "Task does not exist.", 404)
        if task.status != "RUNNING":
            raise AwsError("AWS.SimpleQueueService.UnsupportedOperation", "Only active tasks can be cancelled.")
        task.cancel()
        return task.approximate_number_of_messages_moved

    acancel_message_move_task = twin(cancel_message_move_task)

    def _check_exists(self) -> None:
        if self.deleted_at is not None:
            raise no_queue()

    def _admit(self, action: str) -> None:
        if self.deleted_at is not None:
            raise no_queue()
        settings = self.store.settings
        limited = settings.fifo_queue and settings.fifo_throughput_limit == "perQueue"
        if limited and not self._rate.admits(action, self._timeline.now):
            raise AwsError("RequestThrottled", f"Rate of {action} calls exceeded the limit of {self.name}.", 403)


def _arn(world: World, reference: str) -> str:
    """The ARN of `sqs:name`, or the ARN itself."""
    service, name, _ = short_name(reference)
    return reference if reference.startswith("arn:") else world.arn(service, name)
