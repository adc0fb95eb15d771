"""What CloudWatch shows of event source mappings: IteratorAge of their functions, and EventCount where it is asked for.

Source of the facts: Lambda Developer Guide, "Types of metrics for Lambda functions", "Event source mapping metrics".
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from simbus import Simulation

WARM = {"init_duration": "0s", "duration": "1s"}
ASKED = {"metrics_config": {"metrics": ["EventCount"]}}


def event_counts(sim: Simulation) -> dict[str, float]:
    """The sums of a run with one mapping, by name."""
    sim.finish()
    with sim.reader() as reader:
        found = reader.query(
            "SELECT name, sum(value) FROM metrics WHERE dimension LIKE 'EventSourceMappingUUID=%' GROUP BY name"
        )
        return {row[0]: row[1] for row in found}


def fails_for(*bad: str) -> Any:
    """A handler that reports the messages with these bodies as failed."""

    def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
        return {
            "batchItemFailures": [
                {"itemIdentifier": record["messageId"]} for record in event["Records"] if record["body"] in bad
            ]
        }

    return handler


@pytest.mark.parametrize("asked", [True, False])
def test_event_counts_of_a_queue(sim: Simulation, asked: bool) -> None:
    """Polled, filtered out, invoked (retries count again), failed (each batch item failure), deleted after processing.
    A mapping that does not ask for EventCount has none of them."""
    sim.queue("dead")
    queue = sim.queue("q", redrive_policy={"dead_letter_target_arn": "sqs:dead", "max_receive_count": 3})
    function = sim.function("f", handler=fails_for('{"n": 3}'), simulate=WARM)
    sim.event_source_mapping(
        "sqs:q",
        function,
        function_response_types=["ReportBatchItemFailures"],
        filter_criteria={"filters": [{"pattern": json.dumps({"body": {"n": [1, 2, 3]}})}]},
        **(ASKED if asked else {}),
    )
    for n in range(5):
        queue.send_message(json.dumps({"n": n}))
    sim.run()
    expected = {
        "PolledEventCount": 7,
        "FilteredOutEventCount": 2,
        "InvokedEventCount": 5,
        "FailedInvokeEventCount": 3,
        "DeletedEventCount": 2,
    }
    assert event_counts(sim) == (expected if asked else {})


def test_throttles_are_failed_invokes(sim: Simulation) -> None:
    """FailedInvokeEventCount: events that Lambda tried to invoke the function with, but failed."""
    queue = sim.queue("q", visibility_timeout=10)
    function = sim.function("f", reserved_concurrent_executions=0, simulate=WARM)
    sim.event_source_mapping("sqs:q", function, **ASKED)
    queue.send_message("x")
    sim.run(until="9s")
    found = event_counts(sim)
    assert found["PolledEventCount"] == 1
    assert found["InvokedEventCount"] == found["FailedInvokeEventCount"] == 4  # at 0, 1, 3 and 7 s


@pytest.mark.parametrize("destination", [True, False])
def test_event_counts_of_a_stream(sim: Simulation, destination: bool) -> None:
    """What is given up was delivered to the on-failure destination, or is dropped: never both."""
    stream = sim.stream("s", shard_count=1)
    sim.queue("failed")
    function = sim.function("f", simulate={**WARM, "error_rate": 1.0})
    sim.event_source_mapping(
        "kinesis:s",
        function,
        starting_position="TRIM_HORIZON",
        maximum_retry_attempts=2,
        filter_criteria={"filters": [{"pattern": json.dumps({"data": {"n": [1, 2, 3]}})}]},
        **({"on_failure": "sqs:failed"} if destination else {}),
        **ASKED,
    )
    for n in range(5):
        stream.put_record(json.dumps({"n": n}), "k")
    sim.run()
    given_up = "OnFailureDestinationDeliveredEventCount" if destination else "DroppedEventCount"
    assert event_counts(sim) == {
        "PolledEventCount": 5,
        "FilteredOutEventCount": 2,
        "InvokedEventCount": 9,
        "FailedInvokeEventCount": 9,
        given_up: 3,
    }


def test_a_failed_delivery_of_a_stream_is_a_drop(sim: Simulation) -> None:
    """If delivery fails DestinationDeliveryFailures is 1, and DroppedEventCount the number of events."""
    stream = sim.stream("s", shard_count=1)
    failed = sim.queue("failed")
    failed.outage(3_600_000_000_000)
    function = sim.function("f", simulate={**WARM, "error_rate": 1.0})
    sim.event_source_mapping(
        "kinesis:s",
        function,
        starting_position="TRIM_HORIZON",
        maximum_retry_attempts=0,
        on_failure="sqs:failed",
        **ASKED,
    )
    stream.put_record("1", "k")
    stream.put_record("2", "k")
    sim.run()
    assert [point.value for point in function.metric("DestinationDeliveryFailures")] == [1]
    assert event_counts(sim)["DroppedEventCount"] == 2


def test_update_switches_it_on_and_off(sim: Simulation) -> None:
    """MetricsConfig is one of the settings that UpdateEventSourceMapping changes."""
    queue = sim.queue("q")
    mapping = sim.event_source_mapping("sqs:q", sim.function("f", simulate=WARM))
    mappings = sim.event_source_mappings
    for metrics in ([], ["EventCount"], []):
        mappings.update_event_source_mapping(uuid=mapping.uuid, metrics_config={"metrics": metrics})
        queue.send_message("x")
        sim.run()
    assert event_counts(sim)["DeletedEventCount"] == 1


def test_iterator_age_is_the_age_of_the_last_record_when_it_is_sent(sim: Simulation) -> None:
    """IteratorAge: the time between when a stream receives the record and when the event source mapping sends it."""
    stream = sim.stream("s", shard_count=1)
    function = sim.function("f", timeout=100, simulate={"init_duration": "0s", "duration": "90s"})
    sim.event_source_mapping("kinesis:s", function, starting_position="TRIM_HORIZON", batch_size=1)
    for _ in range(2):
        stream.put_record("x", "k")
    sim.run()
    first, second = function.invocations
    ages = [point.value for point in function.metric("IteratorAge")]
    assert ages == [first.queued_at - 1_767_225_600_000, second.queued_at - 1_767_225_600_000]
    assert 90_000 <= ages[1] - ages[0] < 91_000
