"""A Lambda function as its users see it: AWS's operations, and what became of its invocations.

Sources: botocore's InvocationRequest and InvocationResponse; recordings test_invocation_type_*, test_invoke_exceptions,
test_reserved_concurrency.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from simbus.bus import Bus
from simbus.errors import AwsError
from simbus.functions.function import Function
from simbus.kernel.sleeping import called
from simbus.metrics import Datapoint
from simbus.model import PLAIN, ChangeEvent, Invocation, InvocationType, Lineage
from simbus.scheduler.asynchronous import AsynchronousQueue
from simbus.scheduler.invoke import InvokeResponse, SynchronousCall
from simbus.scheduler.managed import ManagedFunction
from simbus.scheduler.payload import check_payload, client_context_text, json_text
from simbus.scheduler.recursion import RecursionGuard
from simbus.sources.base import operation, twin
from simbus.world import Delivery, uuid


class LambdaFunction(ManagedFunction):
    """One function. `latest` qualifiers: a version number, an alias, `$LATEST`, or none."""

    def __init__(self, function: Function, queue: AsynchronousQueue, recursion: RecursionGuard, bus: Bus) -> None:
        super().__init__(function, queue, bus)
        self._recursion = recursion
        self._read: Callable[[str], list[Any]] = lambda _: []

    @property
    def invocations(self) -> list[Any]:
        """The rows of `invocations` of this function so far, one an attempt, in the order in which they ended."""
        return self._read(self.resource)

    def metric(self, name: str) -> list[Datapoint]:
        """The data points of a CloudWatch metric (`Throttles`) so far, one a minute: see `simbus.metrics`.

        Raises UsageError for a metric that functions do not have.
        """
        return self._world.metrics.datapoints(name, f"FunctionName={self.resource}")

    @property
    def concurrent_executions(self) -> int:
        """How many invocations run at this moment, on demand and provisioned."""
        return self._function.running

    # --- invoke ----------------------------------------------------------------------------------------------------

    @operation
    def invoke(
        self,
        payload: Any = None,
        *,
        invocation_type: InvocationType = "RequestResponse",
        qualifier: str | None = None,
        client_context: str | None = None,
        log_type: Literal["None", "Tail"] = "None",
        trace_duration: int | None = None,
    ) -> InvokeResponse:
        """Invoke. `payload` is any JSON value, or `bytes` that hold JSON text; left out it is `{}`.

        RequestResponse waits in virtual time until the function has answered (a handler parks, a test plays the
        timeline); Event returns at once; DryRun only checks. `client_context` is base64 of JSON. `trace_duration`
        (nanoseconds) is a recorded duration that takes the place of the modelled one. Raises AwsError:
        ResourceNotFoundException, RequestEntityTooLargeException, InvalidRequestContentException and
        TooManyRequestsException.
        """
        text = self._checked(payload, invocation_type, qualifier)
        if invocation_type == "DryRun":
            return InvokeResponse(204, "", uuid(self._rng))
        if invocation_type == "Event":
            return InvokeResponse(202, "", self._submit(text, qualifier, trace_duration))
        call = self._call(text, qualifier, client_context, log_type, trace_duration)
        return call.wait()

    async def ainvoke(self, payload: Any = None, **options: Any) -> InvokeResponse:
        """The async twin of `invoke`, with its options: the answer is awaited while other tasks go on.

        Inside a handler the whole environment waits, as for any call that is not async.
        """
        if self._timeline.actor is not None or options.get("invocation_type", "RequestResponse") != "RequestResponse":
            return await self._ainvoke(payload, **options)
        answers: list[InvokeResponse | AwsError] = []

        def start(wake: Callable[[], None]) -> None:
            def done(answer: InvokeResponse | AwsError) -> None:
                answers.append(answer)
                wake()

            options.pop("invocation_type", None)
            self.start_invoke(payload, done, **options)

        await called(start)
        if isinstance(answers[0], AwsError):
            raise answers[0]
        return answers[0]

    _ainvoke = twin(invoke)

    def start_invoke(
        self,
        payload: Any,
        done: Callable[[InvokeResponse | AwsError], None],
        *,
        qualifier: str | None = None,
        client_context: str | None = None,
        log_type: Literal["None", "Tail"] = "None",
        trace_duration: int | None = None,
    ) -> None:
        """Invoke synchronously without waiting: `done` is called with the answer, or with the AwsError."""
        if self._world.recorder is not None and self._timeline.actor is None:
            given = {
                "payload": payload,
                "qualifier": qualifier,
                "client_context": client_context,
                "log_type": None if log_type == "None" else log_type,
                "trace_duration": trace_duration,
            }
            self._world.recorder.write(
                self.name, "invoke", {name: value for name, value in given.items() if value is not None}
            )
        try:
            if self._out_until:
                self._check_available()
            text = self._checked(payload, "RequestResponse", qualifier)
            call = self._call(text, qualifier, client_context, log_type, trace_duration)
        except AwsError as error:
            done(error)
            return
        call.start(lambda: done(call.result()))

    def _checked(self, payload: Any, invocation_type: InvocationType, qualifier: str | None) -> str:
        if invocation_type not in ("RequestResponse", "Event", "DryRun"):
            raise AwsError(
                "InvalidParameterValueException",
                f"1 validation error detected: Value '{invocation_type}' at 'invocationType' failed to satisfy "
                "constraint: Member must satisfy enum value set: [Event, RequestResponse, DryRun]",
                Type="User",
            )
        if self._function.deleted or (qualifier is not None and not self._function.has(qualifier)):
            raise self._function.not_found(qualifier)
        self._function.versions[self._function.primary(qualifier)].check_active()
        text = "{}" if payload is None else json_text(payload)
        check_payload(text, invocation_type)
        return text

    def _submit(self, text: str, qualifier: str | None, trace_duration: int | None) -> str:
        parent, lineage = self._cause
        event = self._publish_invoke(text, parent, lineage)
        delivery = Delivery(text, "", "", event=event, subscription=self.name, wrapping=PLAIN)
        delivery.trace_duration = trace_duration
        return self._queue.submit(delivery, qualifier)

    def _publish_invoke(self, text: str, parent: str | None, lineage: Lineage | None) -> ChangeEvent:
        event = ChangeEvent(
            self._uuid(), self._timeline.now, self.name, self.arn, "Invoke", None, parent, text, lineage
        )
        self._bus.publish(event)
        return event

    def _call(
        self,
        text: str,
        qualifier: str | None,
        client_context: str | None,
        log_type: str,
        trace_duration: int | None,
    ) -> SynchronousCall:
        parent, lineage = self._cause
        event = self._publish_invoke(text, parent, lineage)
        lineage = self._recursion.follow(lineage, self.arn)
        if self._recursion.stops(lineage, self._function):
            self._bus.hop(event.id, "recursion", self.name, self._recursion.message)
            self._bus.settle(event, self.name, "error")
            raise AwsError("RecursiveInvocationException", self._recursion.message, Type="User")
        call = SynchronousCall(self._bus, self._function, event)
        call.invocation = Invocation(
            uuid(self._rng),
            text,
            call.settled,
            call.throttled,
            qualifier=qualifier,
            queued_at=self._timeline.now,
            lineage=lineage,
            client_context=client_context_text(client_context),
            trace_duration=trace_duration,
            event=event.number,
            subscription=self.name,
            wrapping=PLAIN,
            state=call,
        )
        if log_type == "Tail":
            call.invocation.log_tail = ""
        return call

    def accept(self, delivery: Delivery, qualifier: str | None = None) -> None:
        """Take a payload of another service over: an asynchronous invocation, 202."""
        if self._function.deleted or (qualifier is not None and not self._function.has(qualifier)):
            raise self._function.not_found(qualifier)
        if self._out_until:
            self._check_available()
        if delivery.event is None:
            delivery.event = self._publish_invoke(delivery.payload, delivery.parent, delivery.lineage)
            delivery.wrapping = PLAIN
        if not delivery.subscription:
            delivery.subscription = self.name
        self._queue.submit(delivery, qualifier)

    def final_rows(self) -> None:
        """The run has ended: write down what is still held."""
        self._queue.finish()
