"""A Lambda function as its users see it: AWS's operations, and what became of its invocations.

Sources: botocore's InvocationRequest and InvocationResponse; recordings test_invocation_type_*, test_invoke_exceptions,
test_reserved_concurrency, TestLambdaVersions, TestLambdaAliases, test_lambda_eventinvokeconfig_exceptions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from simbus.arn import short_name
from simbus.bus import Bus
from simbus.errors import AwsError
from simbus.functions.config import FunctionConfig
from simbus.functions.function import LATEST, Function
from simbus.kernel.sleeping import called
from simbus.metrics import Datapoint
from simbus.model import ChangeEvent, Invocation, InvocationType, Lineage
from simbus.scheduler.asynchronous import AsynchronousQueue
from simbus.scheduler.destinations import EventInvokeConfig
from simbus.scheduler.invoke import InvokeResponse, SynchronousCall
from simbus.scheduler.payload import check_payload, client_context_text, json_text
from simbus.scheduler.provisioned import ProvisionedConfigs
from simbus.scheduler.recursion import RecursionGuard
from simbus.scheduler.routing import check_alias_name, routed
from simbus.scheduler.validation import in_range, invalid
from simbus.sources.base import Source, operation, twin
from simbus.world import Delivery, uuid


class LambdaFunction(Source):
    """One function. `latest` qualifiers: a version number, an alias, `$LATEST`, or none."""

    service = "lambda"

    def __init__(self, function: Function, queue: AsynchronousQueue, recursion: RecursionGuard, bus: Bus) -> None:
        super().__init__(function.world, bus, function.resource)
        self._function = function
        self._queue = queue
        self._recursion = recursion
        self._provisioned = ProvisionedConfigs(function)
        self._read: Callable[[str], list[Any]] = lambda _: []

    @property
    def core(self) -> Function:
        """The function itself, for who places invocations: AWS's operations are those of this class."""
        return self._function

    @property
    def event_queue(self) -> AsynchronousQueue:
        """Its queue of asynchronous events."""
        return self._queue

    @property
    def config(self) -> FunctionConfig:
        """The configuration of $LATEST."""
        return self._function.config

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
        ResourceNotFoundException, RequestTooLargeException, InvalidRequestContentException, TooManyRequestsException.
        """
        text = self._checked(payload, invocation_type, qualifier)
        if invocation_type == "DryRun":
            return InvokeResponse(204, "", uuid(self._rng))
        if invocation_type == "Event":
            return InvokeResponse(202, "", self._submit(text, qualifier, trace_duration))
        call = self._call(text, qualifier, client_context, log_type, trace_duration)
        actor = self._timeline.actor
        if actor is None:
            self._timeline.after(0, call.place)
            self._timeline.run_while(lambda: not call.done, lambda: f"the invocation of {self.name}")
        else:
            actor.wait(call.start)
        return call.response()

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
            )
        if self._function.deleted or (qualifier is not None and not self._function.has(qualifier)):
            raise self._function.not_found(qualifier)
        text = "{}" if payload is None else json_text(payload)
        check_payload(text, invocation_type)
        return text

    def _submit(self, text: str, qualifier: str | None, trace_duration: int | None) -> str:
        parent, lineage = self._cause
        event = self._publish_invoke(text, parent, lineage)
        delivery = Delivery(text, "", "", event=event, subscription=self.name, trace_duration=trace_duration)
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
            raise AwsError("RecursiveInvocationException", self._recursion.message, 400)
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
        if not delivery.subscription:
            delivery.subscription = self.name
        self._queue.submit(delivery, qualifier)

    # --- configuration ---------------------------------------------------------------------------------------------

    @operation
    def publish_version(self, config: FunctionConfig | None = None) -> str:
        """Freeze $LATEST (or `config`) as a version; its number, that of the last one where nothing changed."""
        number = self._function.publish(config)
        self._register(number)
        return number

    @operation
    def update_function(self, config: FunctionConfig) -> None:
        """Replace code and configuration of $LATEST. What runs goes on; queued events run on the new code."""
        self._function.update(config)

    @operation
    def create_alias(
        self, name: str, function_version: str, additional_version_weights: dict[str, float] | None = None
    ) -> None:
        """CreateAlias. Raises AWS's errors for a bad name or routing configuration."""
        check_alias_name(name)
        if name in self._function.aliases:
            raise AwsError("ResourceConflictException", f"Alias already exists: {self.arn}:{name}", 409)
        self._set_alias(name, function_version, additional_version_weights)
        self._register(name)

    @operation
    def update_alias(
        self, name: str, function_version: str, additional_version_weights: dict[str, float] | None = None
    ) -> None:
        """UpdateAlias: move it to another version, or change its routing."""
        if name not in self._function.aliases:
            raise AwsError("ResourceNotFoundException", f"Cannot find alias arn: {self.arn}:{name}", 404)
        self._set_alias(name, function_version, additional_version_weights)
        self._provisioned.alias_moved(name)

    def _set_alias(self, name: str, version: str, weights: dict[str, float] | None) -> None:
        self._function.aliases[name] = routed(self.arn, self._function.versions, version, weights)

    def _register(self, qualifier: str) -> None:
        """A qualified function can be named as a target, and is then invoked with that qualifier."""
        target = _Qualified(self, qualifier)
        if target.arn not in self._world.targets:
            self._world.register(target)

    @operation
    def put_function_concurrency(self, reserved_concurrent_executions: int) -> None:
        """Reserve concurrency: a guarantee and a cap; 0 switches the function off. Raises AWS's errors."""
        if reserved_concurrent_executions < 0:
            raise invalid(
                f"1 validation error detected: Value '{reserved_concurrent_executions}' at "
                "'reservedConcurrentExecutions' failed to satisfy constraint: Member must have value greater than or "
                "equal to 0"
            )
        self._function.reserve(reserved_concurrent_executions)

    @operation
    def delete_function_concurrency(self) -> None:
        """Give the reservation back."""
        self._function.reserve(None)

    @operation
    def put_provisioned_concurrency_config(self, qualifier: str, provisioned_concurrent_executions: int) -> None:
        """Provisioned concurrency of a version or an alias: the environments start their init now."""
        self._provisioned.put(qualifier, provisioned_concurrent_executions)

    @operation
    def get_provisioned_concurrency_config(self, qualifier: str) -> dict[str, Any]:
        """How far it is: AWS's answer, with `Status` IN_PROGRESS, READY or FAILED."""
        return self._provisioned.get(qualifier)

    @operation
    def delete_provisioned_concurrency_config(self, qualifier: str) -> None:
        """Its environments end, busy ones after their invocation."""
        self._provisioned.delete(qualifier)

    def provision(self, qualifier: str, amount: int) -> None:
        """Like `put_provisioned_concurrency_config`, which AWS does not allow on $LATEST; a scenario does."""
        self._function.versions[self._function.primary(qualifier)].provision(amount)

    def preload(self, amount: int) -> None:
        """Let `amount` environments of $LATEST be warm at once, as those that were used before the run began."""
        if self._world.recorder is not None:
            self._world.recorder.write(self.name, "preload", {"amount": amount})
        for _ in range(amount):
            self._function.latest.create().preload()

    @operation
    def put_function_event_invoke_config(
        self,
        *,
        qualifier: str = LATEST,
        maximum_retry_attempts: int | None = None,
        maximum_event_age_in_seconds: int | None = None,
        on_success: str | Source | None = None,
        on_failure: str | Source | None = None,
    ) -> None:
        """PutFunctionEventInvokeConfig of one qualifier; it replaces the one before. Raises AWS's errors.

        What is left out has its default again (2 retries, 21,600 s, no destination), but not all of it can be.
        """
        if (maximum_retry_attempts, maximum_event_age_in_seconds, on_success, on_failure) == (None,) * 4:
            raise invalid("You must specify at least one of error handling or destination setting.")
        if maximum_retry_attempts is None:
            maximum_retry_attempts = 2
        if maximum_event_age_in_seconds is None:
            maximum_event_age_in_seconds = 21_600
        in_range("maximumRetryAttempts", maximum_retry_attempts, 0, 2)
        in_range("maximumEventAgeInSeconds", maximum_event_age_in_seconds, 60, 21_600)
        if qualifier != LATEST and not self._function.has(qualifier):
            raise AwsError("ResourceNotFoundException", "The function doesn't exist.", 404)
        self._queue.configs[qualifier] = EventInvokeConfig(
            maximum_retry_attempts,
            maximum_event_age_in_seconds,
            self._destination(on_success, "OnSuccess"),
            self._destination(on_failure, "OnFailure"),
        )

    def _destination(self, target: str | Source | None, which: str) -> str | None:
        if target is None:
            return None
        reference = target if isinstance(target, str) else target.arn
        service, name, qualifier = short_name(reference)
        arn = self._world.arn(service, name) + (f":{qualifier}" if qualifier else "")
        if service == "lambda" and name == self.resource:
            raise invalid("You can't specify the function as a destination for itself.")
        if service in ("kinesis", "dynamodb") or (service == "s3" and which == "OnSuccess"):
            success, failure = ("null", f"OnFailure(destination={arn})")
            if which == "OnSuccess":
                success, failure = (f"OnSuccess(destination={arn})", "null")
            raise invalid(
                "The provided destination config DestinationConfig("
                f"onSuccess={success}, onFailure={failure}) is invalid."
            )
        if self._world.find(arn) is None:
            raise invalid(f"The destination ARN {arn} is invalid.")
        return arn

    @operation
    def delete_function(self) -> None:
        """Delete it. What runs is finished; what others send from now on is refused."""
        self._function.delete()
        for arn in [a for a in self._world.targets if a == self.arn or a.startswith(f"{self.arn}:")]:
            del self._world.targets[arn]

    def final_rows(self) -> None:
        """The run has ended: write down what is still held."""
        self._queue.finish()


class _Qualified:
    """A function under a qualifier, as a target."""

    def __init__(self, function: LambdaFunction, qualifier: str) -> None:
        self._function = function
        self._qualifier = qualifier
        self.name = function.name
        self.arn = f"{function.arn}:{qualifier}"

    def accept(self, delivery: Delivery) -> None:
        self._function.accept(delivery, self._qualifier)
