"""What stands in a queue, and how each message goes from state to state until its row is final.

A message is delayed, visible or in flight; it ends deleted, expired or redriven, and is then a row. Delayed and
in-flight messages hold a run open by their entry on the timeline; retention is played in the background.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import heapify, heappop, heappush
from typing import Final

from simbus.bus import Bus
from simbus.errors import AwsError, UsageError
from simbus.kernel import SECOND
from simbus.sources.sqs.message import STANDING, Message, State
from simbus.sources.sqs.order import FifoOrder, Order, StandardOrder
from simbus.sources.sqs.settings import Settings, text_of
from simbus.world import World

IN_FLIGHT_LIMIT: Final = 120_000  # SQS quotas: standard queues and, since 11/2024, FIFO queues
_COMPACT_FROM: Final = 1_024

Shown = Callable[[], object]
Ended = Callable[[Message, State], object]


class Store:
    """The messages of one queue: `resource` is its bare name."""

    def __init__(self, world: World, bus: Bus, resource: str, arn: str, settings: Settings) -> None:
        self.settings = settings
        self.standing: dict[str, Message] = {}
        self.counts: dict[State, int] = dict.fromkeys(STANDING, 0)
        self.meter = world.metrics.queue(resource, self.counts, settings.fifo_queue)
        self._world = world
        self._timeline = world.timeline
        self._bus = bus
        self._resource = resource
        self.name = f"sqs:{resource}"
        self.arn = arn
        self._order: Order = FifoOrder() if settings.fifo_queue else StandardOrder()
        self._shown: tuple[Shown, ...] = ()
        self._ended: tuple[Ended, ...] = ()
        self._ages: list[tuple[int, int, Message]] = []  # (sent at, arrival, message); ended ones are dropped lazily
        self._arrivals = 0
        self._cancelled = 0
        self._expiry_at: int | None = None

    def listen(self, shown: Shown | None, ended: Ended | None) -> None:
        if shown is not None:
            self._shown = (*self._shown, shown)
        if ended is not None:
            self._ended = (*self._ended, ended)

    def unlisten(self, shown: Shown | None, ended: Ended | None) -> None:
        self._shown = tuple(each for each in self._shown if each != shown)
        self._ended = tuple(each for each in self._ended if each != ended)

    # --- in --------------------------------------------------------------------------------------------------------

    def put(self, message: Message, delay: int) -> None:
        """Put a message into the queue; it becomes visible after `delay` nanoseconds."""
        self.meter.arrives(message)
        message.state = "delayed" if delay else "visible"
        self._count(message.state)
        self.standing[message.message_id] = message
        self._order.add(message)
        self._arrivals += 1
        heappush(self._ages, (message.sent_at, self._arrivals, message))
        if self._expiry_at is None or self._ages[0][2] is message:
            self._arm_expiry()
        if delay:
            message.timer = self._timeline.after(delay, self._show, message)
        else:
            self._tell_shown()

    def put_dead_letter(self, message: Message, source_arn: str, fifo: bool) -> None:
        """Take over a message that another queue gave up.

        It keeps id, body, attributes and receive count; a standard queue also the time at which it was sent, so that
        its retention goes on (SQS developer guide, "Using dead-letter queues"). Raises UsageError for the wrong type.
        """
        if fifo != self.settings.fifo_queue:
            raise UsageError(
                f"sqs:{self._resource} is the dead-letter queue of {source_arn}, but only one of them is a FIFO queue; "
                "SQS wants both of one type. Use another queue."
            )
        message.moved(source_arn, self._timeline.now if fifo else message.sent_at)
        self.put(message, 0)

    # --- out and back ----------------------------------------------------------------------------------------------

    def take(self, limit: int, visibility: int) -> list[Message]:
        """Receive up to `limit` visible messages and hide them for `visibility` nanoseconds.

        A message that was received max_receive_count times already goes to the dead-letter queue instead.
        """
        got: list[Message] = []
        limit = min(limit, IN_FLIGHT_LIMIT - self.counts["in_flight"])
        if limit <= 0 or not self.counts["visible"]:
            return got
        redrives = self.settings.redrive_policy is not None
        for message in self._order.candidates(limit):
            if redrives and self._exhausted(message):
                self._redrive(message, visibility)
                continue
            self._receive(message, visibility)
            got.append(message)
            if len(got) >= limit:
                break
        for message in got if visibility == 0 else ():
            self._show(message)
        return got

    def _receive(self, message: Message, visibility: int) -> None:
        self.meter.receives(message)
        message.received(self._timeline.now)
        self.counts["visible"] -= 1
        message.state = "in_flight"
        self._count("in_flight")
        if visibility:
            message.timer = self._timeline.after(visibility, self._show, message)

    def hide(self, message: Message, visibility: int) -> None:
        """Hide an in-flight message for `visibility` nanoseconds from now; 0 makes it visible at once."""
        self._cancel(message)
        if visibility:
            message.timer = self._timeline.after(visibility, self._show, message)
        else:
            self._show(message)

    def _show(self, message: Message) -> None:
        message.timer = None
        self.meter.look()
        self._set(message, "visible")
        self._order.show(message)
        self._tell_shown()

    def _tell_shown(self) -> None:
        for shown in self._shown:
            shown()

    # --- the end ---------------------------------------------------------------------------------------------------

    def delete(self, messages: Sequence[Message | None]) -> None:
        """Delete what was received; a message that has gone (None: long ago) counts in the metric once more."""
        self.meter.look()
        self.meter.deleted += len(messages)
        self._end([each for each in dict.fromkeys(messages) if each is not None and each.state in STANDING], "deleted")

    def tell(self, message: Message, kind: str, detail: str) -> None:
        """It is about to leave the queue otherwise than by the mapping that received it: a row of hops says how."""
        self._bus.hop(message.event_id, kind, self.name, detail)

    def end(self, message: Message, state: State) -> None:
        """It leaves the queue as deleted, expired or redriven: its row is final."""
        self._end((message,), state)

    def _end(self, messages: Sequence[Message], state: State) -> None:
        self.meter.leave(messages)
        self._world.rows.messages.extend([message.row(self._resource, state) for message in messages])
        counts, standing, order = self.counts, self.standing, self._order
        for message in messages:
            if message.timer is not None:
                self._cancel(message)
            counts[message.state] -= 1
            message.state = state
            del standing[message.message_id]
            order.end(message)
        if len(self._ages) > 2 * len(self.standing) + 64:
            self._ages = [age for age in self._ages if age[2].state in STANDING]
            heapify(self._ages)
        for ended in self._ended:
            for message in messages:
                ended(message, state)

    def final_rows(self) -> None:
        """Write the rows of the messages that still stand in the queue."""
        rows = self._world.rows.messages
        rows.extend(message.row(self._resource, message.state) for message in self.standing.values())

    def _set(self, message: Message, state: State) -> None:
        self.counts[message.state] -= 1
        message.state = state
        if state in self.counts:
            self._count(state)

    def _count(self, state: State) -> None:
        self.counts[state] = count = self.counts[state] + 1
        if count > self.meter.peaks[state]:
            self.meter.peaks[state] = count

    def _cancel(self, message: Message) -> None:
        if message.timer is None:
            return
        self._timeline.cancel(message.timer)
        message.timer = None
        self._cancelled += 1
        if self._cancelled > max(_COMPACT_FROM, self._timeline.pending // 2):
            self._cancelled = 0
            self._timeline.compact()  # else every message deleted in time would stay until its timeout

    def _exhausted(self, message: Message) -> bool:
        """A dead-letter queue that was deleted takes nothing: its messages stay here and are received again."""
        policy = self.settings.redrive_policy
        if policy is None or message.receive_count < policy.get("max_receive_count", 10):
            return False
        return policy["dead_letter_target_arn"] not in self._world.gone

    def _redrive(self, message: Message, visibility: int) -> None:
        """To the dead-letter queue. Where that is out of service, it stays here, hidden for `visibility` nanoseconds.

        (AWS does not say what it does then; nobody else gets a message that has been received too often.)
        """
        policy = self.settings.redrive_policy or {}
        reference = policy["dead_letter_target_arn"]
        target = self._world.find(reference)
        store = getattr(target, "store", None)
        if target is None or not isinstance(store, Store) or store is self:
            raise UsageError(
                f"{self.name} has the dead-letter queue {reference}; that must be another queue, which exists. "
                "Make that queue, or take redrive_policy out."
            )
        if self._timeline.now < getattr(target, "out_until", 0):
            self._bus.hop(message.event_id, "redrive_failed", target.name, f"{target.name} is out of service")
            self.meter.leave((message,))
            self._set(message, "in_flight")
            message.timer = self._timeline.after(max(visibility, SECOND), self._show, message)
            return
        moved = message.copy()
        self.end(message, "redriven")
        most = policy.get("max_receive_count", 10)
        reason = f"sqs:{self._resource}: received {message.receive_count} times, maxReceiveCount is {most}"
        self._bus.hop(message.event_id, "redrive", target.name, reason)
        store.put_dead_letter(moved, self.arn, self.settings.fifo_queue)

    # --- retention -------------------------------------------------------------------------------------------------

    def _arm_expiry(self) -> None:
        ages = self._ages
        while ages and ages[0][2].state not in STANDING:
            heappop(ages)
        if not ages:
            return
        when = ages[0][0] + self.settings.message_retention_period * SECOND
        if self._expiry_at is None or when < self._expiry_at:
            self._expiry_at = when
            self._timeline.background(when, self._expire, when)

    def _expire(self, when: int) -> None:
        if when != self._expiry_at:
            return
        self._expiry_at = None
        oldest = self._timeline.now - self.settings.message_retention_period * SECOND
        while self._ages and self._ages[0][0] <= oldest:
            message = heappop(self._ages)[2]
            if message.state in STANDING:
                self.tell(message, "expired", f"older than {self.settings.message_retention_period} s")
                self.end(message, "expired")
        self._arm_expiry()

    def change(self, settings: Settings) -> None:
        """Other attributes from now on; retention holds for the messages in the queue as well."""
        self.settings = settings
        self._arm_expiry()


def check_dead_letter_queue(world: World, arn: str, settings: Settings, *, must_exist: bool) -> None:
    """The dead-letter queue of the settings must be a queue of the same type that lets this one (`arn`) use it.

    One that does not exist yet is looked for again when it is needed, unless `must_exist`. Raises AwsError.
    """
    if settings.redrive_policy is None:
        return
    reference = settings.redrive_policy["dead_letter_target_arn"]
    target = world.find(reference)
    store = getattr(target, "store", None)
    if target is None and not must_exist:
        return
    reason = ""
    if not isinstance(store, Store):
        reason = "Dead letter target does not exist."
    elif store.arn == arn:
        reason = "A queue cannot be its own dead letter queue."
    elif store.settings.fifo_queue != settings.fifo_queue:
        reason = "Dead-letter queue must be same type of queue as the source.."  # AWS's own two full stops
    elif not _allows(store.settings, arn):
        reason = "The redrive allow policy of the dead letter queue does not permit this source queue."
    if reason:
        raise AwsError(
            "InvalidParameterValue",
            f"Value {text_of(settings.redrive_policy)} for parameter RedrivePolicy is invalid. Reason: {reason}",
        )


def _allows(settings: Settings, source_arn: str) -> bool:
    policy = settings.redrive_allow_policy
    if policy is None or policy["redrive_permission"] == "allowAll":
        return True
    if policy["redrive_permission"] == "denyAll":
        return False
    return source_arn in policy["source_queue_arns"]
