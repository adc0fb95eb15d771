"""Lambda's asynchronous event queue: hand over, retry, back off, give up.

Sources: Developer Guide, "How Lambda handles errors and retries with asynchronous invocation"; recordings test_retries
(attempts at 0, 60 and 180 s, one request id), test_maxeventage (the age is checked before a retry is scheduled),
test_reserved_concurrency (zero reserved concurrency), test_async_invoke_queue_upon_function_update.
"""

from __future__ import annotations

from typing import cast

from simbus.bus import Bus
from simbus.errors import AwsError
from simbus.functions.function import LATEST, Function
from simbus.kernel import MINUTE, SECOND
from simbus.model import ChangeEvent, Invocation, Lineage, Outcome, Throttled
from simbus.scheduler.destinations import Destinations, EventInvokeConfig, Failure
from simbus.scheduler.recursion import RecursionGuard
from simbus.world import World, uuid

FIRST_BACKOFF = SECOND
LONGEST_BACKOFF = 5 * MINUTE
DEFAULT_CONFIG = EventInvokeConfig()


class Queued:
    """What the queue remembers of one event: where it came from, since when it waits, how long it backs off."""

    __slots__ = ("backoff", "event", "first_seen", "subscription")

    def __init__(self, event: ChangeEvent | None, subscription: str, first_seen: int) -> None:
        self.event = event
        self.subscription = subscription
        self.first_seen = first_seen
        self.backoff = FIRST_BACKOFF


class AsynchronousQueue:
    """The event queue of one function."""

    def __init__(
        self, world: World, bus: Bus, function: Function, destinations: Destinations, recursion: RecursionGuard
    ) -> None:
        self._world = world
        self._timeline = world.timeline
        self._bus = bus
        self._function = function
        self._destinations = destinations
        self._recursion = recursion
        self._rng = world.timeline.rng(f"{function.name}/requests")
        self.configs: dict[str, EventInvokeConfig] = {}
        self.waiting: dict[Invocation, None] = {}

    def __repr__(self) -> str:
        return f"<AsynchronousQueue {self._function.resource} waiting={len(self.waiting)}>"

    def submit(
        self,
        payload: str,
        *,
        event: ChangeEvent | None,
        subscription: str = "",
        qualifier: str | None = None,
        source_arn: str | None = None,
        lineage: Lineage | None = None,
        trace_duration: int | None = None,
    ) -> str:
        """Accept an event (202) and try it at once. Returns the request id, the same for every attempt."""
        now = self._timeline.now
        invocation = Invocation(
            uuid(self._rng),
            payload,
            self._settled,
            self._throttled,
            invocation_type="Event",
            qualifier=qualifier,
            source_arn=source_arn,
            queued_at=now,
            lineage=self._recursion.follow(lineage, self._function.arn),
            trace_duration=trace_duration,
            state=Queued(event, subscription, now),
        )
        invocation.version = self._function.primary(qualifier)
        self.waiting[invocation] = None
        self._timeline.after(0, self._attempt, invocation)
        return invocation.request_id

    def _attempt(self, invocation: Invocation) -> None:
        queued = cast(Queued, invocation.state)
        if self._function.concurrency.reserved == 0:
            failure = Failure("ZeroReservedConcurrency", invocation.attempt - 1, 429, "Rate Exceeded.")
            self._give_up(invocation, failure, None)
            return
        if self._timeline.now - queued.first_seen >= self._config(invocation).maximum_event_age * SECOND:
            self._give_up(invocation, Failure("EventAgeExceeded", invocation.attempt - 1, 429, "Rate Exceeded."), None)
            return
        if self._recursion.stops(invocation.lineage, self._function):
            failure = Failure("RecursiveInvocation", invocation.attempt - 1, 400, self._recursion.message)
            self._give_up(invocation, failure, None)
            return
        try:
            self._function.place(invocation)
        except AwsError as error:  # the alias or version, or the function itself, has been deleted meanwhile
            self._drop(invocation, str(error))

    def _settled(self, invocation: Invocation, outcome: Outcome) -> None:
        if outcome.status == "ok":
            self._succeed(invocation, outcome)
            return
        config = self._config(invocation)
        queued = cast(Queued, invocation.state)
        attempt = invocation.attempt
        delay = MINUTE * attempt
        age = self._timeline.now - queued.first_seen
        if attempt > config.maximum_retry_attempts:
            condition = "RetriesExhausted"
        elif age + delay >= config.maximum_event_age * SECOND:
            condition = "EventAgeExceeded"
        else:
            self._hop(invocation, "retry", f"attempt {attempt} was {outcome.status}; next in {delay // SECOND} s")
            invocation.attempt = attempt + 1
            invocation.init_ns = None
            queued.backoff = FIRST_BACKOFF
            self._timeline.after(delay, self._attempt, invocation)
            return
        self._give_up(invocation, Failure(condition, attempt, 200, outcome.error_message or ""), outcome)

    def _throttled(self, invocation: Invocation, throttled: Throttled) -> None:
        """Back to the queue: 1 s doubling to 5 min, no attempt consumed, until the event is too old."""
        queued = cast(Queued, invocation.state)
        expires = queued.first_seen + self._config(invocation).maximum_event_age * SECOND
        delay = min(queued.backoff, expires - self._timeline.now)
        queued.backoff = min(queued.backoff * 2, LONGEST_BACKOFF)
        self._hop(invocation, "throttled", throttled.reason)
        self._timeline.after(delay, self._attempt, invocation)

    def _succeed(self, invocation: Invocation, outcome: Outcome) -> None:
        del self.waiting[invocation]
        config = self._config(invocation)
        if config.on_success is not None:
            self._destinations.send_success(config.on_success, self._qualified_arn(invocation), invocation, outcome)
        queued = cast(Queued, invocation.state)
        self._bus.settle(queued.event, queued.subscription, "ok", invocation.request_id)

    def _give_up(self, invocation: Invocation, failure: Failure, outcome: Outcome | None) -> None:
        """No further attempt: the record goes to the destination, the event to the dead-letter queue, or it is lost."""
        del self.waiting[invocation]
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
        queued = cast(Queued, invocation.state)
        self._bus.settle(queued.event, queued.subscription, "dead_letter" if kept else "dropped", invocation.request_id)

    def _drop(self, invocation: Invocation, why: str) -> None:
        del self.waiting[invocation]
        self._hop(invocation, "dropped", why)
        queued = cast(Queued, invocation.state)
        self._bus.settle(queued.event, queued.subscription, "dropped", invocation.request_id)

    def finish(self) -> None:
        """The run has ended: what still waits here is held, not lost."""
        for invocation in self.waiting:
            queued = cast(Queued, invocation.state)
            self._bus.settle(queued.event, queued.subscription, "held", invocation.request_id)

    def _config(self, invocation: Invocation) -> EventInvokeConfig:
        """The EventInvokeConfig of the qualifier that was invoked; a version does not inherit that of $LATEST."""
        return self.configs.get(invocation.qualifier or LATEST, DEFAULT_CONFIG)

    def _qualified_arn(self, invocation: Invocation) -> str:
        return f"{self._function.arn}:{invocation.qualifier or LATEST}"

    def _hop(self, invocation: Invocation, kind: str, detail: str) -> None:
        event = cast(Queued, invocation.state).event
        self._bus.hop(None if event is None else event.id, kind, self._function.name, detail)
