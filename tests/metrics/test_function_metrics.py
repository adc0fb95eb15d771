"""AWS/Lambda in table `metrics`: what CloudWatch would show of a function, minute by minute.

Source of the facts, where no other is named: Lambda Developer Guide, "Types of metrics for Lambda functions".
"""

from __future__ import annotations

from typing import Any

import pytest

from simbus import AwsError, Simulation
from simbus.metrics import Datapoint

WARM = {"init_duration": "0s", "duration": "1s"}
START = 1_767_225_600_000  # 2026-01-01T00:00:00Z


def by_minute(points: list[Datapoint]) -> dict[int, float]:
    """Minute of the run to value."""
    return {(point.time - START) // 60_000: point.value for point in points}


def metric(function: Any, name: str) -> dict[int, float]:
    return by_minute(function.metric(name))


# --- invocations and errors -----------------------------------------------------------------------------------------


def test_errors_count_in_the_minute_of_their_invocation(sim: Simulation) -> None:
    """The timestamp on an error metric reflects when the function was invoked, not when the error occurred."""
    function = sim.function("f", timeout=100, simulate={**WARM, "duration": "90s", "error_rate": 1.0})
    sim.at("50s", lambda: function.start_invoke({}, lambda answer: None))
    sim.run()
    assert [row.status for row in function.invocations] == ["error"]
    assert metric(function, "Invocations") == {0: 1}
    assert metric(function, "Errors") == {0: 1}


@pytest.mark.parametrize(
    ("simulate", "status"),
    [({"error_rate": 1.0}, "error"), ({"duration": "5s"}, "timeout"), ({"max_memory_used": 500}, "oom")],
)
def test_every_function_error_is_one(sim: Simulation, simulate: dict[str, Any], status: str) -> None:
    """Errors: exceptions that the code throws, and those of the runtime, such as timeouts."""
    function = sim.function("f", simulate={**WARM, **simulate})
    function.invoke()
    assert [row.status for row in function.invocations] == [status]
    assert metric(function, "Errors") == metric(function, "Invocations") == {0: 1}


def test_a_success_is_an_error_count_of_zero(sim: Simulation) -> None:
    """Invocation metrics are binary indicators: a success sends Errors 0 and Throttles 0, so that a rate is a rate."""
    function = sim.function("f", simulate=WARM)
    function.invoke()
    assert function.metric("Errors") == [Datapoint(START, "Errors", "FunctionName=f", 0.0, "Count")]
    assert metric(function, "Throttles") == {0: 0}


def test_throttled_requests_are_no_invocations_and_no_errors(sim: Simulation) -> None:
    """Throttled requests don't count as either Invocations or Errors."""
    function = sim.function("f", reserved_concurrent_executions=0)
    for _ in range(3):
        with pytest.raises(AwsError, match="Rate Exceeded"):
            function.invoke()
    sim.finish()
    with sim.reader() as reader:
        rows = list(reader.metrics())
    assert rows == [Datapoint(START, "Throttles", "FunctionName=f", 3.0, "Count")]


def test_duration_is_an_average_without_init(sim: Simulation) -> None:
    """Duration does not include cold start time."""
    function = sim.function("f", simulate={"init_duration": "5s", "duration": "1s"}, timeout=30)
    function.invoke()
    function.invoke(trace_duration=2_000_000_000)
    assert function.metric("Duration") == [Datapoint(START, "Duration", "FunctionName=f", 1500.0, "Milliseconds")]


def test_minutes_are_the_calendars() -> None:
    """A period begins at a full minute, whenever a run begins."""
    with Simulation(start="2026-01-01T00:00:40Z") as sim:
        function = sim.function("f", simulate=WARM)
        function.invoke()
        sim.run(until="30s")
        function.invoke()
        assert metric(function, "Invocations") == {0: 1, 1: 1}


def test_idle_hours_have_no_rows(sim: Simulation) -> None:
    """Where nothing happened CloudWatch has no data point."""
    function = sim.function("f", simulate=WARM)
    function.invoke()
    sim.run(until="30h")
    function.invoke()
    sim.finish()
    with sim.reader() as reader:
        minutes = {(point.time - START) // 60_000 for point in reader.metrics()}
    assert minutes == {0, 30 * 60}


# --- concurrency ----------------------------------------------------------------------------------------------------


def test_concurrency_that_lasts_has_a_row_in_every_minute(sim: Simulation) -> None:
    """ConcurrentExecutions is how many instances process events at that time, viewed with Max."""
    function = sim.function("f", timeout=900, simulate={**WARM, "duration": "150s"})
    for _ in range(2):
        function.start_invoke({}, lambda answer: None)
    sim.at("100s", lambda: function.start_invoke({}, lambda answer: None))
    sim.run()
    assert metric(function, "ConcurrentExecutions") == {0: 2, 1: 3, 2: 3, 3: 1, 4: 1}
    assert metric(function, "Invocations") == {0: 2, 1: 1}


def test_an_init_takes_concurrency(sim: Simulation) -> None:
    """An environment is taken from the concurrency limit as soon as it is made for a request."""
    function = sim.function("f", reserved_concurrent_executions=1, simulate={"init_duration": "9s", "duration": "1s"})
    function.start_invoke({}, lambda answer: None)
    sim.at("5s", lambda: function.start_invoke({}, lambda answer: None))
    sim.run()
    assert metric(function, "ConcurrentExecutions") == {0: 1}
    assert metric(function, "Throttles") == {0: 1}


def test_the_account_has_both_of_its_own(sim: Simulation) -> None:
    """Lambda reports ConcurrentExecutions of the Region too; UnreservedConcurrentExecutions leaves out the functions
    with a reservation."""
    reserved = sim.function("reserved", reserved_concurrent_executions=5, simulate=WARM)
    free = sim.function("free", simulate=WARM)
    for function in (reserved, reserved, free):
        function.start_invoke({}, lambda answer: None)
    sim.run()
    sim.finish()
    with sim.reader() as reader:
        account = {point.name: point.value for point in reader.metrics(dimension="")}
    assert account == {"ConcurrentExecutions": 3, "UnreservedConcurrentExecutions": 1}


def test_a_reservation_moves_what_runs_to_the_other_side(sim: Simulation) -> None:
    """From the minute of PutFunctionConcurrency on, what the function runs is no longer unreserved."""
    function = sim.function("f", timeout=900, simulate={**WARM, "duration": "200s"})
    function.start_invoke({}, lambda answer: None)
    sim.run(until="70s")
    function.put_function_concurrency(3)
    sim.run()
    points = sim.world.metrics.datapoints
    assert by_minute(points("UnreservedConcurrentExecutions", "")) == {0: 1, 1: 1}
    assert by_minute(points("ConcurrentExecutions", "")) == {0: 1, 1: 1, 2: 1, 3: 1}


def test_provisioned_invocations_and_those_that_spill_over(sim: Simulation) -> None:
    """ProvisionedConcurrencySpilloverInvocations: on standard concurrency when all provisioned concurrency is in
    use."""
    function = sim.function("f", simulate={"init_duration": "100ms", "duration": "1s"})
    function.publish_version()
    function.put_provisioned_concurrency_config("1", 2)
    function.start_invoke({}, lambda answer: None, qualifier="1")  # IN_PROGRESS: neither
    sim.run(until="30s")
    for _ in range(3):
        function.start_invoke({}, lambda answer: None, qualifier="1")
    sim.run()
    assert metric(function, "ProvisionedConcurrencyInvocations") == {0: 2}
    assert metric(function, "ProvisionedConcurrencySpilloverInvocations") == {0: 1}
    assert metric(function, "Invocations") == {0: 4}
    assert metric(function, "ConcurrentExecutions") == {0: 3}
    unreserved = sim.world.metrics.datapoints("UnreservedConcurrentExecutions", "")
    assert by_minute(unreserved) == {0: 1}


# --- asynchronous ---------------------------------------------------------------------------------------------------


def test_the_age_of_an_event_grows_with_its_retries(sim: Simulation) -> None:
    """AsyncEventAge: the time between when Lambda queues the event and when the function is invoked; it increases when
    events are retried. AsyncEventsReceived counts an event once."""
    function = sim.function("f", simulate={**WARM, "error_rate": 1.0})
    function.invoke(invocation_type="Event")
    sim.run()
    assert metric(function, "AsyncEventsReceived") == {0: 1}
    assert metric(function, "AsyncEventAge") == {0: 0, 1: 61_000, 3: 182_000}
    assert metric(function, "Errors") == {0: 1, 1: 1, 3: 1}


def test_throttled_events_grow_old(sim: Simulation) -> None:
    """... or due to throttling: every attempt that is refused is one of Throttles."""
    function = sim.function("f", reserved_concurrent_executions=1, timeout=60, simulate={**WARM, "duration": "10s"})
    for _ in range(2):
        function.invoke(invocation_type="Event")
    sim.run()
    assert metric(function, "Throttles") == {0: 4}  # at 0, 1, 3 and 7 s
    assert metric(function, "AsyncEventAge") == {0: 15_000}
    assert metric(function, "Invocations") == {0: 2}


@pytest.mark.parametrize("dead_letter", [True, False])
def test_a_given_up_event_is_dropped_wherever_it_goes(sim: Simulation, dead_letter: bool) -> None:
    """AsyncEventsDropped: events that are sent to a dead-letter queue or destination are counted as well."""
    dead = sim.queue("dead") if dead_letter else None
    function = sim.function("f", dead_letter_config=dead, simulate={**WARM, "error_rate": 1.0})
    function.invoke(invocation_type="Event")
    sim.run()
    assert metric(function, "AsyncEventsDropped") == {3: 1}


def test_zero_reserved_concurrency_drops_at_once(sim: Simulation) -> None:
    """Events are dropped for example because reserved concurrency is set to 0."""
    function = sim.function("f", reserved_concurrent_executions=0)
    function.invoke(invocation_type="Event")
    sim.run()
    assert metric(function, "AsyncEventsReceived") == metric(function, "AsyncEventsDropped") == {0: 1}
    assert metric(function, "Invocations") == {}


def test_deliveries_that_fail(sim: Simulation) -> None:
    """DeadLetterErrors and DestinationDeliveryFailures: attempts to send an event to a DLQ or destination that fail."""
    dead, records = sim.queue("dead"), sim.queue("records")
    function = sim.function(
        "f",
        dead_letter_config=dead,
        event_invoke_config={"maximum_retry_attempts": 0, "on_failure": records},
        simulate={**WARM, "error_rate": 1.0},
    )
    for queue in (dead, records):
        queue.outage(60_000_000_000)
    function.invoke(invocation_type="Event")
    sim.run(until="2m")
    function.invoke(invocation_type="Event")
    sim.run()
    assert metric(function, "DeadLetterErrors") == metric(function, "DestinationDeliveryFailures") == {0: 1}
    assert metric(function, "AsyncEventsDropped") == {0: 1, 2: 1}


@pytest.mark.parametrize(("setting", "dropped"), [("Terminate", {0: 1}), ("Allow", {})])
def test_a_loop_that_is_stopped(sim: Simulation, setting: str, dropped: dict[int, float]) -> None:
    """RecursiveInvocationsDropped: about the 17th time in a chain of requests; not emitted where detection is off."""

    def handler(event: dict[str, int], context: object) -> None:
        if event["n"] < 30:
            function.invoke({"n": event["n"] + 1}, invocation_type="Event")

    function = sim.function("f", handler=handler, recursive_loop=setting, simulate=WARM)
    function.invoke({"n": 0}, invocation_type="Event")
    sim.run()
    assert metric(function, "RecursiveInvocationsDropped") == dropped


# --- streams --------------------------------------------------------------------------------------------------------


def test_iterator_age_is_the_oldest_batch_of_a_minute(sim: Simulation) -> None:
    """IteratorAge: the age of the last record of a batch when it is sent to the function, in milliseconds."""
    meter = sim.world.metrics.function("f")
    function = sim.function("f", simulate=WARM)
    for when, age in (("1s", 5), ("2s", 900), ("3s", 0), ("70s", 0)):
        sim.at(when, lambda age=age: meter.iterator_age(age * 1_000_000))  # type: ignore[misc]
    sim.run()
    assert metric(function, "IteratorAge") == {0: 900, 1: 0}
