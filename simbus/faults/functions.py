"""Faults of functions: attempts that fail, hang, crash or take longer; throttles, cold starts, lost dead letters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from simbus.errors import AwsError
from simbus.faults.hooks import Method, Undo
from simbus.faults.stage import Cause
from simbus.functions.attempt import Answered, Attempt
from simbus.functions.environment import Environment
from simbus.functions.errors import exited, modelled_error
from simbus.functions.function import Function
from simbus.kernel import SECOND
from simbus.kernel.timeline import FOREVER
from simbus.model import Invocation, Outcome
from simbus.scheduler.asynchronous import AsynchronousQueue
from simbus.world import Delivery

EXIT_STATUS = 1
_ENDED = ("timeout", "exit")


class Attempts:
    """What stands between the environments and the handler of one function, by fault."""

    def __init__(self, function: Function) -> None:
        self._function = function
        self._layers: dict[Cause, Any] = {}

    def add(self, cause: Cause) -> Undo:
        """Let a fault act on every attempt that begins from now on."""
        self._layers[cause] = _LAYERS[cause.effect](cause)
        self._function.interpose(self._layers.values())
        return lambda: self._remove(cause)

    def _remove(self, cause: Cause) -> None:
        del self._layers[cause]
        self._function.interpose(self._layers.values())


def _errors(cause: Cause) -> Any:
    def layer(attempt: Attempt) -> Attempt:
        def failing(environment: Environment, invocation: Invocation, answered: Answered) -> None:
            if not cause.hits():
                attempt(environment, invocation, answered)
                return
            _hop(cause, invocation, "failed without the handler")
            answered(modelled_error(invocation.request_id, environment.version.config.runtime, str(cause)))

        return failing

    return layer


class After(NamedTuple):
    """What comes of an attempt whose handler has returned: by how much later (nanoseconds), and what the row says."""

    outcome: Outcome
    slower: int
    detail: str


def _after(cause: Cause, change: Callable[[Invocation, Outcome], After]) -> Any:
    """The handler runs; where the fault hits, `change(invocation, outcome)` says what comes of it."""

    def layer(attempt: Attempt) -> Attempt:
        def changed(environment: Environment, invocation: Invocation, answered: Answered) -> None:
            if cause.effect != "latency" and not cause.hits():
                attempt(environment, invocation, answered)
                return

            def changing(outcome: Outcome, slower: int = 0, /) -> None:
                if outcome.status in _ENDED:
                    answered(outcome, slower)  # its process is gone already
                    return
                after = change(invocation, outcome)
                _hop(cause, invocation, after.detail)
                answered(after.outcome, slower + after.slower)

            attempt(environment, invocation, changing)

        return changed

    return layer


def _timeouts(cause: Cause) -> Any:
    return _after(cause, lambda _, outcome: After(outcome, FOREVER, "hung when the handler had returned"))


def _crashes(cause: Cause) -> Any:
    def crashed(invocation: Invocation, _: Outcome) -> After:
        return After(exited(invocation.request_id, EXIT_STATUS), 0, "exited when the handler had returned")

    return _after(cause, crashed)


def _latency(cause: Cause) -> Any:
    def slower(_: Invocation, outcome: Outcome) -> After:
        more: int = cause.value.sample(cause.rng)
        return After(outcome, more, f"took {more / SECOND:.3f} s longer")

    return _after(cause, slower)


_LAYERS = {"error_rate": _errors, "timeout_rate": _timeouts, "crash_rate": _crashes, "latency": _latency}


def throttles(cause: Cause) -> Undo:
    """Lambda refuses a share of the invocations, as it does where there is no concurrency left."""
    function: Function = cause.target.core

    def layer(place: Method) -> Method:
        def refusing(invocation: Invocation) -> None:
            if not cause.hits():
                place(invocation)
                return
            _hop(cause, invocation, "throttled")
            reserved = "" if function.concurrency.reserved is None else "ReservedFunction"
            function.throttle(invocation, f"{reserved}ConcurrentInvocationLimitExceeded")

        return refusing

    return cause.stage.hooks.add(function, "place", layer)


class ColdStarts:
    """Keeps one function cold as long as one fault says so."""

    def __init__(self, function: Function) -> None:
        self._function = function
        self._causes: set[Cause] = set()

    def add(self, cause: Cause) -> Undo:
        """Reclaim what is idle, and keep nothing until this is undone."""
        self._causes.add(cause)
        reclaimed = self._function.keep_cold(True)
        cause.hop(None, self._function.name, f"{reclaimed} idle environments reclaimed")
        return lambda: self._remove(cause)

    def _remove(self, cause: Cause) -> None:
        self._causes.remove(cause)
        if not self._causes:
            self._function.keep_cold(False)


def lost_dead_letters(cause: Cause) -> Undo:
    """A share of what the function sends to its destinations and dead-letter queue is refused there."""
    resource = cause.target.resource
    destinations = cause.stage.destinations

    def layer(deliver: Method) -> Method:
        def refusing(arn: str, delivery: Delivery, event_id: str | None, failed: str, folder: str = "") -> bool:
            if delivery.source_arn.split(":")[6] != resource or not cause.hits():
                return bool(deliver(arn, delivery, event_id, failed, folder))
            error = AwsError("AccessDenied", f"Access to the resource {arn} is denied ({cause}).", 403)
            destinations.undelivered(arn, delivery, event_id, failed, error)
            return False

        return refusing

    return cause.stage.hooks.add(destinations, "deliver", layer)


def duplicate_events(cause: Cause) -> Undo:
    """The asynchronous queue hands a share of the events out twice, under one request id.

    Developer Guide, "How Lambda handles errors and retries with asynchronous invocation": the queue is eventually
    consistent, a function may get an event more than once. That it bears the same request id is assumed.
    """
    queue: AsynchronousQueue = cause.target.event_queue
    timeline = cause.stage.world.timeline

    def layer(submit: Method) -> Method:
        def twice(delivery: Delivery, qualifier: str | None = None, request_id: str | None = None) -> str:
            made: str = submit(delivery, qualifier, request_id)
            if request_id is None and cause.hits():
                later = cause.delay.sample(cause.rng)
                event_id = None if delivery.event is None else delivery.event.id
                cause.hop(event_id, cause.target.name, f"request {made} comes once more in {later / SECOND:.3f} s")
                timeline.after(later, lambda _: queue.submit(delivery, qualifier, made))
            return made

        return twice

    return cause.stage.hooks.add(queue, "submit", layer)


def _hop(cause: Cause, invocation: Invocation, detail: str) -> None:
    """One row for an attempt, under the event that it came from where that is known."""
    event = getattr(invocation.state, "event", None)
    place = cause.target.name
    cause.hop(None if event is None else event.id, place, f"request {invocation.request_id} {detail}")
