"""Where records of invocations go: destinations, and the dead-letter queue. Two different things.

Sources: Developer Guide, "Capturing records of Lambda asynchronous invocations" and "Adding a dead-letter queue";
recordings test_assess_lambda_destination_invocation, test_retries, test_maxeventage, test_dead_letter_queue,
test_sns_topic_as_lambda_dead_letter_queue, test_reserved_concurrency. Where both are configured both receive; AWS does
not document the order: here the destination comes first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, cast

import msgspec

from simbus.errors import AwsError
from simbus.kernel import FOREVER
from simbus.model import ChangeEvent, Invocation, Lineage, Outcome
from simbus.world import Delivery, World, uuid

Hop = Callable[[str | None, str, str, str | None], None]


class EventInvokeConfig(msgspec.Struct, frozen=True):
    """PutFunctionEventInvokeConfig of one qualifier. Age in seconds (60 to 21,600), retries 0 to 2; ARNs of targets."""

    maximum_retry_attempts: int = 2
    maximum_event_age: int = 21_600
    on_success: str | None = None
    on_failure: str | None = None


class Failure(NamedTuple):
    """Why an event was given up: AWS's `condition`, and how often its function really ran."""

    condition: str
    invoke_count: int
    error_code: int
    error_message: str


class _Puts(Protocol):
    def put_object(self, key: str, body: str) -> object: ...


class Deputy:
    """Stands in for an invocation when Lambda itself puts something on its behalf, so that the cause is recorded."""

    answering = 0
    patience = FOREVER

    def __init__(self, request_id: str, lineage: Lineage | None) -> None:
        self.request_id = request_id
        self.lineage = lineage

    def latency(self, service: str) -> int:
        """Lambda's own puts take no time of the simulation."""
        return 0

    def pause(self, delay: int) -> None:
        """There is nothing to wait for."""

    def wait(self, start: Callable[[Callable[[], None]], None]) -> None:
        start(lambda: None)


class Destinations:
    """Sends records and dead letters; a delivery that fails is a row of hops, and the event is lost."""

    def __init__(self, world: World, hop: Hop) -> None:
        self._world = world
        self._hop = hop
        self._rng = world.timeline.rng("destinations")

    def send_success(self, arn: str, function_arn: str, invocation: Invocation, outcome: Outcome) -> bool:
        """The record of a success, to the OnSuccess destination."""
        record = self._record(invocation, function_arn, "Success", invocation.attempt, outcome)
        return self._send(arn, function_arn, invocation, record, "Success")

    def send_failure(
        self, arn: str, function_arn: str, invocation: Invocation, failure: Failure, outcome: Outcome | None
    ) -> bool:
        """The record of a failure, to the OnFailure destination."""
        record = self._record(invocation, function_arn, failure.condition, failure.invoke_count, outcome)
        return self._send(arn, function_arn, invocation, record, "Failure")

    def send_dead_letter(self, arn: str, function_arn: str, invocation: Invocation, failure: Failure) -> bool:
        """The event itself, unchanged, with the three attributes of a dead letter."""
        message = failure.error_message.encode()[:1024].decode(errors="ignore")
        attributes = {
            "RequestID": {"DataType": "String", "StringValue": invocation.request_id},
            "ErrorCode": {"DataType": "Number", "StringValue": str(failure.error_code)},
            "ErrorMessage": {"DataType": "String", "StringValue": message},
        }
        if not message:
            del attributes["ErrorMessage"]
        delivery = Delivery(
            invocation.payload,
            "lambda.amazonaws.com",
            function_arn,
            parent=invocation.request_id,
            lineage=invocation.lineage,
            attributes=attributes,
        )
        return self.deliver(arn, delivery, event_id_of(invocation), "DeadLetterErrors")

    def _record(
        self, invocation: Invocation, function_arn: str, condition: str, count: int, outcome: Outcome | None
    ) -> str:
        """The JSON of an invocation record, in AWS's key order. The payloads go in as they are."""
        quote = _quote
        head = (
            f'{{"version":"1.0","timestamp":"{self._world.iso()}","requestContext":{{"requestId":'
            f'"{invocation.request_id}","functionArn":{quote(function_arn)},"condition":"{condition}",'
            f'"approximateInvokeCount":{count}}},"requestPayload":{invocation.payload or "null"}'
        )
        if outcome is None:
            return head + "}"
        error = "" if outcome.status == "ok" else ',"functionError":"Unhandled"'
        return (
            f'{head},"responseContext":{{"statusCode":200,"executedVersion":"{invocation.version}"{error}}},'
            f'"responsePayload":{outcome.payload or "null"}}}'
        )

    def _send(self, arn: str, function_arn: str, invocation: Invocation, record: str, result: str) -> bool:
        """To an event bus the record goes as the detail of an event of this type (test_invoke_lambda_eventbridge)."""
        delivery = Delivery(
            record,
            "lambda.amazonaws.com",
            function_arn,
            parent=invocation.request_id,
            lineage=invocation.lineage,
        )
        if arn.split(":")[2] == "events":
            delivery.subject = f"Lambda Function Invocation Result - {result}"
        folder = f"aws/lambda/async/{function_arn.split(':')[6]}"
        return self.deliver(arn, delivery, event_id_of(invocation), "DestinationDeliveryFailures", folder)

    def deliver(self, arn: str, delivery: Delivery, event_id: str | None, failed: str, folder: str = "") -> bool:
        """Hand a record or a dead letter over; False where the target does not take it.

        `event_id` is the change event that it is about; `failed` the metric that counts a failure, the kind of its row
        of hops; `folder` where an S3 destination keeps its objects. The delivery's parent is the request id.
        """
        target = self._world.find(arn)
        try:
            if target is None:
                raise AwsError("ResourceNotFoundException", f"{arn} does not exist.", 404)
            if target.name.startswith("s3:"):
                self._put(cast(_Puts, target), delivery, folder)
            else:
                target.accept(delivery)
        except AwsError as error:
            self.undelivered(arn, delivery, event_id, failed, error)
            return False
        self._hop(
            event_id, "dead_letter" if delivery.attributes else "destination", target.name, f"request {delivery.parent}"
        )
        return True

    def undelivered(self, arn: str, delivery: Delivery, event_id: str | None, failed: str, error: AwsError) -> None:
        """Write down that a record or a dead letter did not arrive."""
        self._hop(event_id, failed, arn, str(error))
        self._world.metrics.function(delivery.source_arn.split(":")[6]).count(failed)

    def _put(self, bucket: _Puts, delivery: Delivery, folder: str) -> None:
        """An S3 destination: one object per record, under a key made of folder, day, time and a random part."""
        world = self._world
        now = world.datetime()
        key = f"{folder}/{now:%Y/%m/%d}/{now:%Y-%m-%dT%H.%M.%S}-{uuid(self._rng)}"
        before = world.timeline.actor
        world.timeline.actor = Deputy(delivery.parent or "", delivery.lineage)
        try:
            bucket.put_object(key, delivery.payload)
        finally:
            world.timeline.actor = before


def event_id_of(invocation: Invocation) -> str | None:
    """The change event that an asynchronous invocation came from."""
    state: Any = invocation.state
    event: ChangeEvent | None = getattr(state, "event", None)
    return None if event is None else event.id


def _quote(text: str) -> str:
    return msgspec.json.encode(text).decode()
