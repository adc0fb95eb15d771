"""Destinations and dead-letter queues: what is sent, where to, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simbus import AwsError, Simulation
from simbus.kernel import HOUR

ARN = "arn:aws:lambda:us-east-1:000000000000:function:f"


def fails(event: Any, context: Any) -> None:
    raise ValueError("intentional failure")


def outcomes(sim: Simulation) -> list[str]:
    with sim.reader() as reader:
        return [row["outcome"] for row in reader.query("SELECT outcome FROM deliveries ORDER BY rowid")]


def hops(sim: Simulation, kind: str) -> list[str]:
    with sim.reader() as reader:
        return [row["detail"] for row in reader.query("SELECT detail FROM hops WHERE kind = ?", (kind,))]


def test_the_record_of_a_failure(sim: Simulation) -> None:
    """Keys in AWS's order and their values (recorded: test_retries, destination of a failure)."""
    queue = sim.queue("records")
    function = sim.function("f", handler=fails, event_invoke_config={"on_failure": queue})
    response = function.invoke({"k": "v"}, invocation_type="Event")
    sim.run()
    record = json.loads(queue.messages[0].body)
    trace = record["responsePayload"].pop("stackTrace")
    assert len(trace) == 1
    assert list(record) == [
        "version", "timestamp", "requestContext", "requestPayload", "responseContext", "responsePayload"
    ]  # fmt: skip
    assert record == {
        "version": "1.0",
        "timestamp": sim.world.iso(),
        "requestContext": {
            "requestId": response.request_id,
            "functionArn": f"{ARN}:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 3,
        },
        "requestPayload": {"k": "v"},
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": {
            "errorMessage": "intentional failure",
            "errorType": "ValueError",
            "requestId": response.request_id,
        },
    }
    assert outcomes(sim) == ["dead_letter"]


def test_the_record_of_a_success(sim: Simulation) -> None:
    """Condition Success, no functionError (recorded: test_assess_lambda_destination_invocation)."""
    queue = sim.queue("records")
    function = sim.function("f", handler=lambda event, context: [1], event_invoke_config={"on_success": queue})
    function.invoke({}, invocation_type="Event")
    sim.run()
    record = json.loads(queue.messages[0].body)
    assert record["requestContext"]["condition"] == "Success"
    assert record["requestContext"]["approximateInvokeCount"] == 1
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST"}
    assert record["responsePayload"] == [1]
    assert outcomes(sim) == ["ok"]


def test_a_success_after_a_retry_counts_its_attempts(sim: Simulation) -> None:
    """approximateInvokeCount is the number of real invocations (recorded: test_retries)."""
    queue = sim.queue("records")
    tries: list[int] = []

    def handler(event: Any, context: Any) -> None:
        tries.append(1)
        if len(tries) < 3:
            raise ValueError("not yet")

    function = sim.function("f", handler=handler, event_invoke_config={"on_success": queue})
    function.invoke({}, invocation_type="Event")
    sim.run()
    assert json.loads(queue.messages[0].body)["requestContext"]["approximateInvokeCount"] == 3


def test_synchronous_invocations_have_no_destinations(sim: Simulation) -> None:
    """Destinations are for asynchronous invocations (Developer Guide)."""
    queue = sim.queue("records")
    function = sim.function(
        "f", handler=fails, dead_letter_config=queue, event_invoke_config={"on_failure": queue, "on_success": queue}
    )
    function.invoke({})
    sim.run()
    assert queue.messages == []


def test_a_topic_as_dead_letter_queue(sim: Simulation) -> None:
    """The message is the event, the three attributes are SNS message attributes (recorded:
    test_sns_topic_as_lambda_dead_letter_queue)."""
    topic, queue = sim.topic("dead"), sim.queue("q")
    topic.subscribe(queue)
    function = sim.function("f", handler=fails, dead_letter_config=topic)
    response = function.invoke({"k": "v"}, invocation_type="Event")
    sim.run()
    notification = json.loads(queue.messages[0].body)
    assert notification["Message"] == '{"k": "v"}'
    assert "Subject" not in notification
    assert notification["MessageAttributes"] == {
        "RequestID": {"Type": "String", "Value": response.request_id},
        "ErrorCode": {"Type": "Number", "Value": "200"},
        "ErrorMessage": {"Type": "String", "Value": "intentional failure"},
    }


def test_an_error_message_is_cut_to_a_kilobyte(sim: Simulation) -> None:
    """ErrorMessage has the first 1 KB (Developer Guide, dead-letter queues), whole characters."""

    def handler(event: Any, context: Any) -> None:
        raise ValueError("x" + "é" * 2000)

    queue = sim.queue("dead")
    sim.function("f", handler=handler, dead_letter_config=queue).invoke({}, invocation_type="Event")
    sim.run()
    message = queue.messages[0].message_attributes["ErrorMessage"]["StringValue"]
    assert message == "x" + "é" * 511


def test_an_error_without_a_message(sim: Simulation) -> None:
    """SQS refuses an empty attribute value, so it is left out."""

    def handler(event: Any, context: Any) -> None:
        raise ValueError

    queue = sim.queue("dead")
    sim.function("f", handler=handler, dead_letter_config=queue).invoke({}, invocation_type="Event")
    sim.run()
    assert sorted(queue.messages[0].message_attributes) == ["ErrorCode", "RequestID"]


def test_a_destination_that_fails_loses_the_event(sim: Simulation) -> None:
    """DestinationDeliveryFailures, and the record is gone (Developer Guide)."""
    queue = sim.queue("records")
    function = sim.function("f", handler=fails, event_invoke_config={"on_failure": queue})
    function.invoke({}, invocation_type="Event")
    queue.outage(HOUR)
    sim.run()
    assert len(hops(sim, "DestinationDeliveryFailures")) == 1
    assert outcomes(sim) == ["dropped"]


def test_either_of_two_places_keeps_the_event(sim: Simulation) -> None:
    """A dead-letter queue that fails loses nothing as long as the destination took the record."""
    records, dead = sim.queue("records"), sim.queue("dead")
    function = sim.function("f", handler=fails, dead_letter_config=dead, event_invoke_config={"on_failure": records})
    function.invoke({}, invocation_type="Event")
    dead.outage(HOUR)
    sim.run()
    assert len(hops(sim, "DeadLetterErrors")) == 1
    assert outcomes(sim) == ["dead_letter"]


def test_a_dead_letter_queue_that_does_not_exist(sim: Simulation) -> None:
    """DeadLetterErrors, and the event is lost (Developer Guide, dead-letter queues)."""
    function = sim.function("f", handler=fails, dead_letter_config="sqs:nowhere")
    function.invoke({}, invocation_type="Event")
    sim.run()
    [detail] = hops(sim, "DeadLetterErrors")
    assert "does not exist" in detail
    assert outcomes(sim) == ["dropped"]


def test_a_function_as_destination_sees_who_caused_it(sim: Simulation) -> None:
    """Cause and effect are joined: the record's event has the failed request as its parent."""
    sim.function("next", handler=lambda event, context: None)
    function = sim.function("f", handler=fails, event_invoke_config={"on_failure": "lambda:next"})
    response = function.invoke({}, invocation_type="Event")
    sim.run()
    with sim.reader() as reader:
        [row] = reader.query("SELECT parent FROM events WHERE source = 'lambda:next'")
    assert row["parent"] == response.request_id


def test_a_qualified_function_as_destination(sim: Simulation) -> None:
    """A destination may name an alias or a version."""
    seen: list[str] = []
    sim.function("next", handler=lambda event, context: seen.append(context.function_version), versions={"1": {}})
    function = sim.function("f", event_invoke_config={"on_success": "lambda:next:1"})
    function.invoke({}, invocation_type="Event")
    sim.run()
    assert seen == ["1"]


INVALID = "The provided destination config DestinationConfig(onSuccess={}, onFailure={}) is invalid."
KINESIS = "arn:aws:kinesis:us-east-1:000000000000:stream/s"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"on_failure": "lambda:f"}, "You can't specify the function as a destination for itself."),
        ({"on_success": "sqs:none"}, "The destination ARN arn:aws:sqs:us-east-1:000000000000:none is invalid."),
        ({"on_success": "kinesis:s"}, INVALID.format(f"OnSuccess(destination={KINESIS})", "null")),
        ({"on_failure": "kinesis:s"}, INVALID.format("null", f"OnFailure(destination={KINESIS})")),
        ({"on_success": "s3:archive"}, INVALID.format("OnSuccess(destination=arn:aws:s3:::archive)", "null")),
    ],
)
def test_bad_destinations(sim: Simulation, config: dict[str, Any], message: str) -> None:
    """The exact texts (recorded: test_lambda_eventinvokeconfig_exceptions)."""
    with pytest.raises(AwsError) as caught:
        sim.function("f", event_invoke_config=config)
    assert (caught.value.code, caught.value.message) == ("InvalidParameterValueException", message)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"maximum_retry_attempts": 3}, "Value '3' at 'maximumRetryAttempts'.*less than or equal to 2"),
        ({"maximum_retry_attempts": -1}, "greater than or equal to 0"),
        ({"maximum_event_age_in_seconds": 59}, "greater than or equal to 60"),
        ({"maximum_event_age_in_seconds": 21_601}, "less than or equal to 21600"),
    ],
)
def test_ranges(sim: Simulation, config: dict[str, Any], words: str) -> None:
    """0 to 2 retries, 60 to 21,600 s (botocore PutFunctionEventInvokeConfig)."""
    with pytest.raises(AwsError, match=words):
        sim.function("f", event_invoke_config=config)


def test_an_event_bus_that_does_not_exist_is_refused(sim: Simulation) -> None:
    """A destination must exist when it is configured, an event bus as well; `default` always does."""
    sim.function("f", event_invoke_config={"on_failure": "events:default"})
    with pytest.raises(AwsError, match=r"The destination ARN \S+:event-bus/nope is invalid\."):
        sim.function("g", event_invoke_config={"on_failure": "events:nope"})


def test_an_event_invoke_config_says_something(sim: Simulation) -> None:
    """The exact text (recorded: test_lambda_eventinvokeconfig_exceptions)."""
    with pytest.raises(AwsError) as caught:
        sim.function("f").put_function_event_invoke_config()
    assert caught.value.message == "You must specify at least one of error handling or destination setting."


def test_an_unknown_qualifier_has_no_config(sim: Simulation) -> None:
    """The exact text (recorded: test_lambda_eventinvokeconfig_exceptions)."""
    with pytest.raises(AwsError) as caught:
        sim.function("f").put_function_event_invoke_config(qualifier="nope", maximum_retry_attempts=0)
    assert (caught.value.status, caught.value.message) == (404, "The function doesn't exist.")


def test_destination_config_may_be_nested_as_in_aws(sim: Simulation) -> None:
    """`destination_config: {on_failure: {destination: X}}` and `on_failure: X` are synonyms."""
    queue = sim.queue("records")
    config = {"destination_config": {"on_failure": {"destination": queue.arn}}, "maximum_retry_attempts": 0}
    function = sim.function("f", handler=fails, event_invoke_config=config)
    function.invoke({}, invocation_type="Event")
    sim.run()
    assert len(queue.messages) == 1
