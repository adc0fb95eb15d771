"""Lambda's asynchronous event queue: hand over, retry, back off, give up.

Sources: Developer Guide, "How Lambda handles errors and retries with asynchronous invocation"; recordings test_retries
(attempts at 0, 60 and 180 s, one request id), test_maxeventage (the age is checked before a retry is scheduled),
test_reserved_concurrency (zero reserved concurrency), test_async_invoke_queue_upon_function_update. What comes while
the function is Pending is refused and tried again as what is throttled: AWS documents that it is not run, not when.
"""

from __future__ import annotations

from simbus.bus import Bus
from simbus.errors import AwsError
from simbus.functions.function import LATEST, Function
from simbus.functions.version import NOT_NOW
from simbus.kernel import MINUTE, SECOND
from simbus.model import Invocation, Outcome, Throttled
from simbus.scheduler.destinations import Destinations, EventInvokeConfig, Failure
from simbus.scheduler.recursion import RecursionGuard
from simbus.world import Delivery, World, uuid

FIRST_BACKOFF = SECOND
LONGEST_BACKOFF = 5 * MINUTE
DEFAULT_CONFIG = EventInvokeConfig()


class AsynchronousQueue:
    """The event queue of one function."""

    def __init__(
        self, world: World, bus: Bus, function: Function, destinations: Destinations, recursion: RecursionGuard
    ) -> None:
        self._world = world
        self._timeline = world.timeline
        self._bus = bus
        self._function = function
        self._metrics = function.metrics
        self._destinations = destinations
        self._recursion = recursion
        self._rng = world.timeline.rng(f"{function.name}/requests")
        self.configs: dict[str, EventInvokeConfig] = {}
        self.waiting: dict[Invocation, None] = {}
        self._backoffs: dict[Invocation, int] = {}  # of those that are throttled: how long the next time

    def __repr__(self) -> str:
        return f"<AsynchronousQueue {self._function.resource} waiting={len(self.waiting)}>"

    def submit(self, delivery: Delivery, qualifier: str | None = None, request_id: str | None = None) -> str:
        """Accept an event (202) and try it at once. Returns the request id, the same for every attempt.

        With a `request_id` it is an event that the queue hands out once more.
        """
        event = delivery.event
        invocation = Invocation(
            request_id or uuid(self._rng),
            delivery.payload,
            self._settled,
            self._throttled,
            invocation_type="Event",
            qualifier=qualifier,
            source_arn=delivery.source_arn or None,
            queued_at=self._timeline.now,
            lineage=self._recursion.follow(delivery.lineage, self._function.arn),
            trace_duration=delivery.trace_duration,
            event=None if event is None else event.number,
            subscription=None if event is None else delivery.subscription,
            wrapping=delivery.wrapping,
            state=delivery,
        )
        if request_id is None:
            self._metrics.received()
        if qualifier is not None:
            invocation.version = self._function.primary(qualifier)
        self.waiting[invocation] = None
        self._timeline.after(0, self._attempt, invocation)
        return invocation.request_id

    def _attempt(self, invocation: Invocation) -> None:
        if self._function.concurrency.reserved == 0:
            failure = Failure("ZeroReservedConcurrency", invocation.attempt - 1, 429, "Rate Exceeded.")
            self._give_up(invocation, failure, None)
            return
        age = self._timeline.now - invocation.queued_at
        if age and age >= self._config(invocation).maximum_event_age * SECOND:
            self._give_up(invocation, Failure("EventAgeExceeded", invocation.attempt - 1, 429, "Rate Exceeded."), None)
            return
        if self._recursion.stops(invocation.lineage, self._function):
            failure = Failure("RecursiveInvocation", invocation.attempt - 1, 400, self._recursion.message)
            self._give_up(invocation, failure, None)
            return
        if self._timeline.now != invocation.queued_at:
            self._metrics.async_age(self._timeline.now - invocation.queued_at)
        try:
            self._function.place(invocation)
        except AwsError as error:
            if error.code == NOT_NOW:
                self._back(invocation, "refused", error.code)
            else:  # the alias or version, or the function itself, has been deleted meanwhile
                self._drop(invocation, str(error))

    def _settled(self, invocation: Invocation, outcome: Outcome) -> None:
        if outcome.status == "ok":
            if self.configs:
                self._send_success(invocation, outcome)
            self._let_go(invocation)  # the row of the attempt says that it is settled
            return
        config = self._config(invocation)
        attempt = invocation.attempt
        delay = MINUTE * attempt
        age = self._timeline.now - invocation.queued_at
        if attempt > config.maximum_retry_attempts:
            condition = "RetriesExhausted"
        elif age + delay >= config.maximum_event_age * SECOND:
            condition = "EventAgeExceeded"
        else:
            self._hop(invocation, "retry", f"attempt {attempt} was {outcome.status}; next in {delay // SECOND} s")
            invocation.attempt = attempt + 1
            invocation.init_ns = None
            self._backoffs.pop(invocation, None)
            self._timeline.after(delay, self._attempt, invocation)
            return
        self._give_up(invocation, Failure(condition, attempt, 200, outcome.error_message or ""), outcome)

    def _throttled(self, invocation: Invocation, throttled: Throttled) -> None:
        self._back(invocation, "throttled", throttled.reason)

    def _back(self, invocation: Invocation, kind: str, reason: str) -> None:
        """Back to the queue: 1 s doubling to 5 min, no attempt consumed, until the event is too old."""
        backoff = self._backoffs.get(invocation, FIRST_BACKOFF)
        self._backoffs[invocation] = min(backoff * 2, LONGEST_BACKOFF)
        expires = invocation.queued_at + self._config(invocation).maximum_event_age * SECOND
        delay = min(backoff, expires - self._timeline.now)
        self._hop(invocation, kind, reason)
        self._timeline.after(delay, self._attempt, invocation)

    def _send_success(self, invocation: Invocation, outcome: Outcome) -> None:
        config = self._config(invocation)
        if config.on_success is not None:
            self._destinations.send_success(config.on_success, self._qualified_arn(invocation), invocation, outcome)

    def _give_up(self, invocation: Invocation, failure: Failure, outcome: Outcome | None) -> None:
        """No further attempt: the record goes to the destination, the event to the dead-letter queue, or it is lost."""
        self._hop(invocation, "gave_up", failure.condition)
        arn = self._qualified_arn(invocation)
        kept = False
        on_failure = self._config(invocation).on_failure
        if on_failure is not None:
            kept = self._destinations.send_failure(on_failure, arn, invocation, failure, outcome)
        version = self._function.versions.get(invocation.version, self._function.latest)
        dead_letter = version.config.dead_letter_arn
        if dead_letter is not None:
            kept = self._destinations.send_dead_letter(dead_letter, arn, invocation, failure) or kept
        self._settle(invocation, "dead_letter" if kept else "dropped")

    def _drop(self, invocation: Invocation, why: str) -> None:
        self._hop(invocation, "dropped", why)
        self._settle(invocation, "dropped")

    def _settle(self, invocation: Invocation, outcome: str) -> None:
        self._let_go(invocation)
        self._metrics.count("AsyncEventsDropped")  # also where it goes to a destination
        delivery: Delivery = invocation.state
        self._bus.settle(delivery.event, delivery.subscription, outcome, invocation.request_id)

    def _let_go(self, invocation: Invocation) -> None:
        del self.waiting[invocation]
        if self._backoffs:
            self._backoffs.pop(invocation, None)

    def finish(self) -> None:
        """The run has ended: what still waits here is held, not lost."""
        for invocation in self.waiting:
            delivery: Delivery = invocation.state
            self._bus.settle(delivery.event, delivery.subscription, "held", invocation.request_id)

    def _config(self, invocation: Invocation) -> EventInvokeConfig:
        """The EventInvokeConfig of the qualifier that was invoked; a version does not inherit that of $LATEST."""
        return self.configs.get(invocation.qualifier or LATEST, DEFAULT_CONFIG)

    def _qualified_arn(self, invocation: Invocation) -> str:
        return f"{self._function.arn}:{invocation.qualifier or LATEST}"

    def _hop(self, invocation: Invocation, kind: str, detail: str) -> None:
        event = invocation.state.event
        self._bus.hop(None if event is None else event.id, kind, self._function.name, detail)
