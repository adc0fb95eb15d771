"""One synchronous invocation: who waits for it, and what Invoke answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from simbus.bus import Bus
from simbus.errors import AwsError, HungUp
from simbus.functions.function import Function
from simbus.model import ChangeEvent, Invocation, Outcome, Throttled

_Waker = Callable[[], None]


class InvokeResponse(NamedTuple):
    """What Invoke answers. `payload` is JSON text ("" for Event and DryRun), `function_error` None or `Unhandled`."""

    status_code: int
    payload: str
    request_id: str
    executed_version: str | None = None
    function_error: str | None = None
    log_result: str | None = None

    def json(self) -> Any:
        """The payload decoded; None where there is none."""
        return msgspec.json.decode(self.payload) if self.payload else None


class SynchronousCall:
    """One RequestResponse invocation and who waits for it."""

    def __init__(self, bus: Bus, function: Function, event: ChangeEvent) -> None:
        self._bus = bus
        self._function = function
        self._event = event
        self._wake: _Waker | None = None
        self._outcome: Outcome | Throttled | AwsError | None = None
        self.invocation: Invocation

    @property
    def done(self) -> bool:
        return self._outcome is not None

    def wait(self) -> InvokeResponse:
        """Begin, and wait: a handler parks, a test plays the timeline. Raises AwsError.

        Raises HungUp where the caller's patience ends first: Lambda does not stop the function.
        """
        timeline = self._function.world.timeline
        actor = timeline.actor
        try:
            if actor is None:
                timeline.after(0, self.place)
                timeline.run_while(lambda: not self.done, lambda: f"the invocation of {self._function.name}")
            else:
                actor.wait(self.start)
        except HungUp:
            self._wake = None
            detail = f"the caller waits no longer for the answer; {self.invocation.request_id} goes on"
            self._bus.hop(self._event.id, "read_timeout", self._function.name, detail)
            raise
        return self.response()

    def start(self, wake: _Waker) -> None:
        """Begin, and call `wake` at the end."""
        self._wake = wake
        self._function.world.timeline.after(0, self.place)

    def place(self, _: object = None) -> None:
        try:
            self._function.place(self.invocation)
        except AwsError as error:  # deleted since it was asked for
            self._settle("error")
            self._finish(error)

    def settled(self, invocation: Invocation, outcome: Outcome) -> None:
        if outcome.status != "ok":
            self._settle("error")
        self._finish(outcome)

    def throttled(self, invocation: Invocation, throttled: Throttled) -> None:
        self._bus.hop(self._event.id, "throttled", self._function.name, throttled.reason)
        self._settle("throttled")
        self._finish(throttled)

    def _settle(self, outcome: str) -> None:
        """Say that it was not ok; that it was, the row of the attempt says."""
        self._bus.settle(self._event, self._function.name, outcome, self.invocation.request_id)

    def _finish(self, outcome: Outcome | Throttled | AwsError) -> None:
        """Tell who waits, once. Who has been told is let go of: else each call would be a ring of references."""
        self._outcome = outcome
        self.invocation.let_go()
        wake, self._wake = self._wake, None
        if wake is not None:
            wake()

    def result(self) -> InvokeResponse | AwsError:
        outcome = self._outcome
        assert outcome is not None
        invocation = self.invocation
        if isinstance(outcome, AwsError):
            return outcome
        if isinstance(outcome, Throttled):
            return AwsError("TooManyRequestsException", "Rate Exceeded.", 429, Reason=outcome.reason, Type="User")
        return InvokeResponse(
            200,
            outcome.payload,
            invocation.request_id,
            invocation.version,
            None if outcome.status == "ok" else "Unhandled",
            invocation.log_tail,
        )

    def response(self) -> InvokeResponse:
        result = self.result()
        if isinstance(result, AwsError):
            raise result
        return result
