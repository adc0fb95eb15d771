"""Lambda's asynchronous event queue, through the Python door."""

from __future__ import annotations

import json
import time
from itertools import pairwise
from typing import Any

import pytest

from simbus import Simulation
from simbus.kernel import HOUR, MINUTE, SECOND

FAILS = {"error_rate": 1.0, "init_duration": "0s", "duration": "10ms"}


def fails(event: Any, context: Any) -> None:
    raise ValueError(f"no {event}")


def started(function: Any) -> list[float]:
    """Seconds after the first attempt at which each attempt began."""
    times = [row.started_at for row in function.invocations]
    return [(t - times[0]) / 1000 for t in times]


def hops(sim: Simulation, kind: str) -> list[Any]:
    with sim.reader() as reader:
        return list(reader.query("SELECT * FROM hops WHERE kind = ?", (kind,)))


def test_two_retries_after_one_and_two_minutes_with_the_same_request_id(sim: Simulation) -> None:
    """A function error is retried after 1 and 2 minutes (recorded: test_retries; the id never changes)."""
    function = sim.function("f", simulate=FAILS)
    function.invoke({"a": 1}, invocation_type="Event")
    sim.run()
    assert [row.attempt for row in function.invocations] == [1, 2, 3]
    assert started(function) == [0, 60.01, 180.02]
    assert len({row.request_id for row in function.invocations}) == 1


def test_a_function_that_works_is_invoked_once(sim: Simulation) -> None:
    """At least once is once here: simbus makes no duplicates of its own."""
    function = sim.function("f")
    function.invoke({"a": 1}, invocation_type="Event")
    sim.run()
    assert [row.status for row in function.invocations] == ["ok"]


@pytest.mark.parametrize(("retries", "attempts"), [(0, 1), (1, 2), (2, 3)])
def test_maximum_retry_attempts(sim: Simulation, retries: int, attempts: int) -> None:
    """MaximumRetryAttempts is 0 to 2 (botocore FunctionEventInvokeConfig)."""
    function = sim.function("f", simulate=FAILS, event_invoke_config={"maximum_retry_attempts": retries})
    function.invoke({}, invocation_type="Event")
    sim.run()
    assert len(function.invocations) == attempts


@pytest.mark.parametrize(("age", "attempts"), [(60, 1), (90, 2), (300, 3)])
def test_the_age_is_checked_before_a_retry_is_scheduled(sim: Simulation, age: int, attempts: int) -> None:
    """60 s leave no room for a retry after 60 s, 90 s for one (recorded: test_maxeventage)."""
    queue = sim.queue("failed")
    function = sim.function(
        "f",
        simulate=FAILS,
        event_invoke_config={"maximum_event_age_in_seconds": age, "on_failure": queue},
    )
    function.invoke({}, invocation_type="Event")
    sim.run()
    [message] = queue.messages
    record = json.loads(message.body)
    assert record["requestContext"]["approximateInvokeCount"] == attempts == len(function.invocations)
    assert record["requestContext"]["condition"] == ("RetriesExhausted" if attempts == 3 else "EventAgeExceeded")
    if age == 60:
        assert sim.now < 1 * SECOND, "the record is sent without waiting the 60 s"


def test_zero_reserved_concurrency_gives_up_at_once(sim: Simulation) -> None:
    """Nothing runs, nothing is retried, the record says so (recorded: test_reserved_concurrency)."""
    queue = sim.queue("failed")
    function = sim.function("f", reserved_concurrent_executions=0, event_invoke_config={"on_failure": queue})
    function.invoke({"k": "v"}, invocation_type="Event")
    sim.run()
    record = json.loads(queue.messages[0].body)
    assert record["requestContext"]["condition"] == "ZeroReservedConcurrency"
    assert record["requestContext"]["approximateInvokeCount"] == 0
    assert "responseContext" not in record
    assert "responsePayload" not in record
    assert sim.now == 0
    assert function.invocations == []


def test_throttles_back_off_from_one_second_to_five_minutes(sim: Simulation) -> None:
    """Throttles return to the queue, 1 s doubling to 5 min, and consume no retry (Developer Guide, error handling)."""
    blocker = {"duration": "10m", "init_duration": "0s"}
    function = sim.function("f", timeout=900, reserved_concurrent_executions=1, simulate=blocker)
    function.invoke("first", invocation_type="Event")
    function.invoke("second", invocation_type="Event")
    sim.run()
    times = [row["time"] for row in hops(sim, "throttled")]
    gaps = [(b - a) / 1000 for a, b in pairwise(times)]
    assert gaps == [1, 2, 4, 8, 16, 32, 64, 128, 256]
    assert [row.attempt for row in function.invocations] == [1, 1]


def test_six_hours_of_throttles_end_at_the_maximum_event_age(sim: Simulation) -> None:
    """Up to six hours (21,600 s), the default MaximumEventAge; then the event is given up, its function never ran."""
    queue = sim.queue("failed")
    sim.function("hog", timeout=900, simulate={"duration": "15m"})
    function = sim.function("f", reserved_concurrent_executions=1, event_invoke_config={"on_failure": queue})
    function._function.concurrency.in_use = 1  # somebody holds the only slot for ever
    for n in range(20):
        function.invoke(n, invocation_type="Event")
    sim.run()
    assert sim.now == 6 * HOUR
    assert len(queue.messages) == 20
    record = json.loads(queue.messages[0].body)
    assert record["requestContext"]["condition"] == "EventAgeExceeded"
    assert record["requestContext"]["approximateInvokeCount"] == 0
    assert len(hops(sim, "throttled")) == 20 * 80


def test_dead_letter_has_the_event_unchanged_and_three_attributes(sim: Simulation) -> None:
    """RequestID String, ErrorCode Number 200, ErrorMessage String (recorded: test_dead_letter_queue)."""
    failed = sim.queue("failed")
    function = sim.function("f", handler=fails, dead_letter_config=failed)
    response = function.invoke({"a": [1, "é"]}, invocation_type="Event")
    sim.run()
    [message] = failed.messages
    assert message.body == '{"a": [1, "\\u00e9"]}'
    attributes = {name: (value["DataType"], value["StringValue"]) for name, value in message.message_attributes.items()}
    assert attributes == {
        "RequestID": ("String", response.request_id),
        "ErrorCode": ("Number", "200"),
        "ErrorMessage": ("String", "no {'a': [1, 'é']}"),
    }


def test_destination_and_dead_letter_queue_both_receive(sim: Simulation) -> None:
    """Destinations are in addition to a DLQ (API reference of PutFunctionEventInvokeConfig)."""
    dead, records = sim.queue("dead"), sim.queue("records")
    function = sim.function("f", handler=fails, dead_letter_config=dead, event_invoke_config={"on_failure": records})
    function.invoke({}, invocation_type="Event")
    sim.run()
    assert (len(dead.messages), len(records.messages)) == (1, 1)


def test_success_goes_to_the_on_success_destination_of_a_function(sim: Simulation) -> None:
    """A Lambda destination is invoked asynchronously with the record as its event."""
    seen: list[Any] = []
    sim.function("next", handler=lambda event, context: seen.append(event))
    function = sim.function(
        "f", handler=lambda event, context: {"n": 1}, event_invoke_config={"on_success": "lambda:next"}
    )
    function.invoke({"k": "v"}, invocation_type="Event")
    sim.run()
    [record] = seen
    assert record["requestContext"]["condition"] == "Success"
    assert record["requestPayload"] == {"k": "v"}
    assert record["responsePayload"] == {"n": 1}
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST"}


def test_an_s3_destination_gets_one_object_per_record(sim: Simulation) -> None:
    """aws/lambda/async/<function>/YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS-<uuid> (Developer Guide, S3 destinations)."""
    bucket = sim.bucket("archive")
    function = sim.function("f", handler=fails, event_invoke_config={"on_failure": bucket, "maximum_retry_attempts": 0})
    function.invoke({}, invocation_type="Event")
    sim.run()
    [key] = [entry["Key"] for entry in bucket.list_objects()["Contents"]]
    assert key.startswith("aws/lambda/async/f/2026/01/01/2026-01-01T00.00.00-")


def test_sync_errors_are_not_retried(sim: Simulation) -> None:
    """RequestResponse answers 200 with FunctionError Unhandled; the caller decides."""
    function = sim.function("f", handler=fails)
    response = function.invoke({})
    assert (response.status_code, response.function_error) == (200, "Unhandled")
    assert len(function.invocations) == 1


def test_queued_events_run_on_the_new_code(sim: Simulation) -> None:
    """Events queued before an update run with the code after it (recorded: async_invoke_queue_upon_function_update)."""
    function = sim.function(
        "f", reserved_concurrent_executions=1, simulate={"response": "old", "duration": "3s"}, timeout=9
    )
    for n in range(3):
        function.invoke(n, invocation_type="Event")
    from simbus.functions.settings import function_config

    sim.at("1s", lambda: function.update_function(function_config("f", simulate={"response": "new"})))
    sim.run()
    assert [row.response for row in function.invocations] == ['"old"', '"new"', '"new"']


def test_a_deleted_function_drops_what_is_queued(sim: Simulation) -> None:
    """The event has nowhere to go: that is lost, and said so in the rows."""
    function = sim.function("f", simulate=FAILS)
    bucket = sim.bucket("uploads", notifications=[{"function": function, "events": ["s3:ObjectCreated:*"]}])
    bucket.put_object("k", "v")
    sim.at("30s", function.delete_function)
    sim.run()
    with sim.reader() as reader:
        [row] = reader.query("SELECT outcome FROM deliveries")
    assert row["outcome"] == "dropped"
    assert len(function.invocations) == 1, "its retry after a minute finds no function"


def test_virtual_hours_are_real_milliseconds() -> None:
    """Six virtual hours of retries by twenty events stay far below the hours they take on AWS."""
    before = time.process_time()
    with Simulation() as sim:
        function = sim.function("f", reserved_concurrent_executions=1)
        function._function.concurrency.in_use = 1
        for n in range(20):
            function.invoke(n, invocation_type="Event")
        sim.run()
        assert sim.now == 6 * HOUR
    assert time.process_time() - before < HOUR / SECOND
    assert MINUTE == 60 * SECOND
