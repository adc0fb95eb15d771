"""PutFunctionEventInvokeConfig and others: how asynchronous events are retried, and where their records go.

Sources: recordings test_lambda_eventinvokeconfig_exceptions, test_assess_lambda_destination_invocation,
test_reserved_concurrency (what the answer shows).
"""

from __future__ import annotations

from typing import Any, Final

from simbus.arn import short_name
from simbus.errors import AwsError
from simbus.functions.function import Function
from simbus.scheduler.asynchronous import AsynchronousQueue
from simbus.scheduler.destinations import EventInvokeConfig
from simbus.scheduler.validation import in_range, invalid

DEFAULTS: Final = EventInvokeConfig()


class EventInvokeConfigs:
    """The configurations of one function, by qualifier; what was given of each, and when."""

    def __init__(self, function: Function, queue: AsynchronousQueue) -> None:
        self._function = function
        self._world = function.world
        self._queue = queue
        self._given: dict[str, tuple[dict[str, Any], int]] = {}

    def put(self, qualifier: str, given: dict[str, Any]) -> dict[str, Any]:
        """Replace the one of a qualifier; what is not given has its default. Raises AWS's errors.

        `given` has maximum_retry_attempts, maximum_event_age_in_seconds, on_success, on_failure; None: not given.
        """
        given = {name: value for name, value in given.items() if value is not None}
        if not given:
            raise invalid("You must specify at least one of error handling or destination setting.")
        if not self._function.has(qualifier):
            raise AwsError("ResourceNotFoundException", "The function doesn't exist.", 404, Type="User")
        retries = given.get("maximum_retry_attempts", DEFAULTS.maximum_retry_attempts)
        age = given.get("maximum_event_age_in_seconds", DEFAULTS.maximum_event_age)
        in_range("maximumRetryAttempts", retries, 0, 2)
        in_range("maximumEventAgeInSeconds", age, 60, 21_600)
        for which in ("on_success", "on_failure"):
            if which in given:
                given[which] = self._destination(given[which], which)
        config = EventInvokeConfig(retries, age, given.get("on_success"), given.get("on_failure"))
        self._queue.configs[qualifier] = config
        self._given[qualifier] = given, self._world.timeline.now
        return self.get(qualifier)

    def update(self, qualifier: str, given: dict[str, Any]) -> dict[str, Any]:
        """Change what is given; the rest stays. Raises AWS's errors."""
        if qualifier not in self._given:
            raise self._missing(qualifier)
        given = {name: value for name, value in given.items() if value is not None}
        return self.put(qualifier, self._given[qualifier][0] | given)

    def get(self, qualifier: str) -> dict[str, Any]:
        """The answer of GetFunctionEventInvokeConfig. Raises ResourceNotFoundException."""
        if qualifier not in self._given:
            raise self._missing(qualifier)
        given, at = self._given[qualifier]
        found: dict[str, Any] = {
            "LastModified": self._world.datetime(at),
            "FunctionArn": f"{self._function.arn}:{qualifier}",
            "DestinationConfig": {
                name: {"Destination": given[which]} if which in given else {}
                for name, which in (("OnSuccess", "on_success"), ("OnFailure", "on_failure"))
            },
        }
        if "maximum_retry_attempts" in given:
            found["MaximumRetryAttempts"] = given["maximum_retry_attempts"]
        if "maximum_event_age_in_seconds" in given:
            found["MaximumEventAgeInSeconds"] = given["maximum_event_age_in_seconds"]
        return found

    def every(self) -> list[dict[str, Any]]:
        """Those of all qualifiers."""
        return [self.get(qualifier) for qualifier in self._given]

    def delete(self, qualifier: str) -> None:
        """The defaults hold again. Raises ResourceNotFoundException."""
        if qualifier not in self._given:
            raise self._missing(qualifier)
        self.forget(qualifier)

    def forget(self, qualifier: str) -> None:
        """A version or an alias is gone."""
        self._given.pop(qualifier, None)
        self._queue.configs.pop(qualifier, None)

    def _missing(self, qualifier: str) -> AwsError:
        message = f"The function {self._function.arn}:{qualifier} doesn't have an EventInvokeConfig"
        return AwsError("ResourceNotFoundException", message, 404, Type="User")

    def _destination(self, target: Any, which: str) -> str:
        reference = target if isinstance(target, str) else str(target.arn)
        service, name, qualifier = short_name(reference)
        arn = self._world.arn(service, name) + (f":{qualifier}" if qualifier else "")
        if service == "lambda" and name == self._function.resource:
            raise invalid("You can't specify the function as a destination for itself.")
        if service in ("kinesis", "dynamodb") or (service == "s3" and which == "on_success"):
            success, failure = ("null", f"OnFailure(destination={arn})")
            if which == "on_success":
                success, failure = (f"OnSuccess(destination={arn})", "null")
            raise invalid(
                "The provided destination config DestinationConfig("
                f"onSuccess={success}, onFailure={failure}) is invalid."
            )
        if self._world.find(arn) is None:
            raise invalid(f"The destination ARN {arn} is invalid.")
        return arn
