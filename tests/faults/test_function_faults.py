"""Faults of functions: each changes the run, says so in the rows, and is over when it ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from faults.scenarios import ask, run, statuses, told

from simbus import Simulation
from simbus.kernel import SECOND

CALLS = """
functions: {a: {timeout: 3, simulate: {init_duration: 0s, duration: 10ms}}}
workload: [{invoke: {function: a}, rate: 1/s, for: 30s, arrivals: constant}]
"""
EVENTS = CALLS.replace("{function: a}", "{function: a, invocation_type: Event}")
HALFWAY = "at: 10s, for: 10s, function: a"


def test_an_error_rate_fails_attempts_while_it_lasts(tmp_path: Path) -> None:
    """Contract: {at: 10m, for: 5m, function: resize, error_rate: 1.0}. The end itself is not part of it."""
    run(tmp_path, CALLS)
    assert statuses(tmp_path) == {"ok": 30}
    run(tmp_path, CALLS, f"{{{HALFWAY}, error_rate: 1.0}}")
    assert statuses(tmp_path) == {"ok": 20, "error": 10}
    failed = ask(tmp_path, "SELECT (started_at - 1767225600000) / 1000 FROM invocations WHERE status = 'error'")
    assert [second for (second,) in failed] == list(range(10, 20))
    [(message,)] = ask(tmp_path, "SELECT DISTINCT error_message FROM invocations WHERE status = 'error'")
    assert message == "simulated failure (faults[0] error_rate)"
    said = told(tmp_path)
    assert said[0] == "faults[0] begins, for 10 s: error_rate: 1.0"
    assert said[-1] == "faults[0] ends"
    assert len(said) == 12


def test_a_rate_is_a_share_drawn_from_the_seed(tmp_path: Path) -> None:
    """About half of them, others with another seed, the same with the same."""
    digests = [run(tmp_path, CALLS, "{function: a, error_rate: 0.5}", seed=seed).digest for seed in (1, 2, 1)]
    assert digests[0] == digests[2] != digests[1]
    assert 5 <= statuses(tmp_path)["error"] <= 25


def test_the_model_s_own_errors_go_on_beside_a_fault(tmp_path: Path) -> None:
    """simulate.error_rate and the fault both act: an attempt that one of them spares may be hit by the other."""
    text = CALLS.replace("duration: 10ms", "duration: 10ms, error_rate: 0.5")
    run(tmp_path, text, f"{{{HALFWAY}, error_rate: 0.5}}")
    messages = dict(ask(tmp_path, "SELECT error_message, count(*) FROM invocations GROUP BY error_message"))
    assert messages["simulated failure (simulate.error_rate)"] > 5  # type: ignore[index]
    assert messages["simulated failure (faults[0] error_rate)"] > 1  # type: ignore[index]


def test_latency_makes_attempts_longer(tmp_path: Path) -> None:
    run(tmp_path, CALLS, f"{{{HALFWAY}, latency: 500ms}}")
    found = ask(tmp_path, "SELECT duration_ms, count(*) FROM invocations GROUP BY duration_ms ORDER BY duration_ms")
    assert found == [(10.0, 20), (510.0, 10)]
    assert "took 0.500 s longer" in told(tmp_path)[1]


def test_latency_beyond_the_timeout_ends_in_one(tmp_path: Path) -> None:
    run(tmp_path, CALLS, f"{{{HALFWAY}, latency: {{uniform: [5s, 6s]}}}}")
    assert statuses(tmp_path) == {"ok": 20, "timeout": 10}
    assert told(tmp_path)[0] == "faults[0] begins, for 10 s: latency: {uniform: [5s, 6s]}"


def test_latency_comes_on_top_of_a_recorded_duration(tmp_path: Path) -> None:
    """A trace with durations takes the place of the modelled duration, not of the fault."""
    (tmp_path / "t.csv").write_text("at,took\n0,100\n20000,100\n")
    text = CALLS.partition("workload")[0] + (
        "workload: [{invoke: {function: a}, trace: {file: t.csv, column: at, duration_column: took}}]"
    )
    run(tmp_path, text, "{for: 10s, function: a, latency: 1s}")
    assert ask(tmp_path, "SELECT duration_ms FROM invocations ORDER BY started_at") == [(1100.0,), (100.0,)]


def test_throttles_are_answered_with_429(tmp_path: Path) -> None:
    """A synchronous client tries three times as an SDK does; nothing is an invocation, all of it a metric."""
    run(tmp_path, CALLS, f"{{{HALFWAY}, throttle_rate: 1}}")
    assert statuses(tmp_path)["ok"] < 30
    [(throttles,)] = ask(tmp_path, "SELECT sum(value) FROM metrics WHERE name = 'Throttles'")
    assert throttles >= 20
    reasons = ask(tmp_path, "SELECT DISTINCT detail FROM hops WHERE kind = 'throttled'")
    assert reasons == [("ConcurrentInvocationLimitExceeded",)]


def test_a_throttled_event_waits_in_the_asynchronous_queue(tmp_path: Path) -> None:
    """Developer Guide: the queue backs off and tries again; no attempt is consumed, nothing is lost."""
    run(tmp_path, EVENTS, f"{{{HALFWAY}, throttle_rate: 1}}")
    assert statuses(tmp_path) == {"ok": 30}
    [(waited,)] = ask(tmp_path, "SELECT max(started_at - queued_at) FROM invocations")
    assert waited >= 10_000


def test_neighbours_eat_the_account_s_concurrency(tmp_path: Path) -> None:
    """What is left of 1,000 is shared; ConcurrentExecutions never shows more than the account has."""
    text = CALLS.replace("duration: 10ms", "duration: 1500ms")
    run(tmp_path, text, "{at: 10s, for: 10s, neighbour_concurrency: 1000}")
    [(throttles,)] = ask(tmp_path, "SELECT sum(value) FROM metrics WHERE name = 'Throttles'")
    assert throttles >= 20
    sql = "SELECT max(value) FROM metrics WHERE name = '{}' AND dimension = ''"
    assert ask(tmp_path, sql.format("ConcurrentExecutions")) == [(1000.0,)]
    assert ask(tmp_path, sql.format("UnreservedConcurrentExecutions")) == [(1000.0,)]
    run(tmp_path, text, "{at: 10s, for: 10s, neighbour_concurrency: 990}")
    assert statuses(tmp_path) == {"ok": 30}


def test_reserved_concurrency_keeps_the_neighbours_away(tmp_path: Path) -> None:
    """Developer Guide, "Configuring reserved concurrency": no other function can use it."""
    text = CALLS.replace("timeout: 3", "timeout: 3, reserved_concurrent_executions: 5")
    run(tmp_path, text, "{at: 10s, for: 10s, neighbour_concurrency: 1000}")
    assert statuses(tmp_path) == {"ok": 30}


def test_a_cold_start_storm_reclaims_every_environment(tmp_path: Path) -> None:
    """While it lasts each invocation starts cold; in an instant it is one more cold start."""
    cold = "SELECT count(*) FROM invocations WHERE init_duration_ms IS NOT NULL"
    text = CALLS.replace("init_duration: 0s", "init_duration: 100ms")
    run(tmp_path, text)
    assert ask(tmp_path, cold) == [(1,)]
    run(tmp_path, text, "{at: 9500ms, for: 0s, function: a, cold_starts: true}")
    assert ask(tmp_path, cold) == [(2,)]
    assert "faults[0] cold_starts: 1 idle environments reclaimed" in told(tmp_path)
    run(tmp_path, text, f"{{{HALFWAY}, cold_starts: true}}")
    assert ask(tmp_path, cold) == [(12,)]  # the first, those of ten seconds, and the one after


def test_provisioned_environments_stay_warm_in_a_storm(tmp_path: Path) -> None:
    """Developer Guide, "Provisioned concurrency": Lambda keeps that many environments initialized."""
    cold = "SELECT count(*) FROM invocations WHERE init_duration_ms IS NOT NULL"
    storm = "{function: a, cold_starts: true}"
    run(tmp_path, CALLS, storm)
    assert ask(tmp_path, cold) == [(30,)]
    text = CALLS.replace("timeout: 3", "timeout: 3, provisioned_concurrent_executions: 1")
    run(tmp_path, text, storm)
    assert ask(tmp_path, cold) == [(0,)]


HANDLERS = {
    "crash_rate": ("exit", "RequestId: {} Error: Runtime exited with error: exit status 1"),
    "timeout_rate": ("timeout", "RequestId: {} Error: Task timed out after 3.00 seconds"),
}


@pytest.mark.parametrize("effect", HANDLERS)
def test_side_effects_stand_when_the_answer_is_lost(effect: str) -> None:
    """The handler has charged the card, then the process is gone: the retry charges it again (issue 5)."""
    status, message = HANDLERS[effect]
    with Simulation(seed=1) as sim:
        charges = sim.queue("charges")
        charge = sim.function("charge", handler=lambda event, context: charges.send_message("42"), timeout=3)
        sim.fault(function=charge, for_="30s", **{effect: 1.0})
        charge.invoke({}, invocation_type="Event")
        sim.run()
        first, second = charge.invocations
        assert (first.status, second.status) == (status, "ok")
        assert first.error_message == message.format(first.request_id)
        assert len(charges.messages) == 2


def test_the_process_is_another_one_after_a_crash() -> None:
    """Globals are lost, as after any exit of the runtime."""
    with Simulation(seed=1) as sim:
        processes: list[str] = []

        def handler(event: Any, context: Any) -> None:
            import uuid

            processes.append(str(uuid.uuid4()))

        function = sim.function("f", handler=handler)
        sim.fault(function="f", crash_rate=1, for_="1s")
        function.invoke({}, invocation_type="Event")
        sim.run()
        assert len(set(processes)) == 2


def test_an_unreachable_dead_letter_queue_loses_events(tmp_path: Path) -> None:
    """Developer Guide: what can't be sent to a DLQ or a destination is counted and lost; nobody tries again."""
    text = """
functions:
  a: {dead_letter_config: {target_arn: "sqs:d"}, event_invoke_config: {on_failure: "sqs:r"}, simulate: {error_rate: 1}}
queues: {d: {}, r: {}}
workload: [{invoke: {function: a, invocation_type: Event}, at: 1s}]
expect: [{lost: 0}]
"""
    assert run(tmp_path, text).passed
    assert not run(tmp_path, text, "{function: a, destination_failure_rate: 1}").passed
    assert ask(tmp_path, "SELECT count(*) FROM messages") == [(0,)]
    counted = "SELECT name, sum(value) FROM metrics WHERE name IN ('DeadLetterErrors', 'DestinationDeliveryFailures')"
    assert ask(tmp_path, counted + " GROUP BY name ORDER BY name") == [
        ("DeadLetterErrors", 1.0),
        ("DestinationDeliveryFailures", 1.0),
    ]
    [(detail,)] = ask(tmp_path, "SELECT detail FROM hops WHERE kind = 'DeadLetterErrors'")
    assert detail.endswith("is denied (faults[0] destination_failure_rate).")


def test_other_functions_reach_theirs(tmp_path: Path) -> None:
    text = """
functions: {a: {dead_letter_config: {target_arn: "sqs:d"}, simulate: {error_rate: 1}}, b: {}}
queues: {d: {}}
workload: [{invoke: {function: a, invocation_type: Event}, at: 1s}]
"""
    run(tmp_path, text, "{function: b, destination_failure_rate: 1}")
    assert ask(tmp_path, "SELECT count(*) FROM messages") == [(1,)]


def test_an_asynchronous_event_may_come_twice(tmp_path: Path) -> None:
    """Developer Guide: the queue is eventually consistent, a function may get an event more than once."""
    run(tmp_path, EVENTS, f"{{{HALFWAY}, duplicate_rate: 1, delay: 5s}}")
    found = ask(tmp_path, "SELECT count(*), max(started_at) - min(started_at) FROM invocations GROUP BY request_id")
    assert sorted(found) == [(1, 0)] * 20 + [(2, 5000)] * 10
    assert ask(tmp_path, "SELECT sum(value) FROM metrics WHERE name = 'AsyncEventsReceived'") == [(30.0,)]


def test_faults_of_every_version_and_of_new_code() -> None:
    """A fault is the function's: it acts on its aliases, and on code that is deployed while it lasts."""
    with Simulation(seed=1) as sim:
        function = sim.function("f", aliases={"live": {"function_version": "1"}})
        sim.fault(function="f", error_rate=1, for_="10s")
        seen = []

        def call(qualifier: str | None) -> None:
            function.start_invoke({}, lambda answer: seen.append(answer.function_error), qualifier=qualifier)  # type: ignore[union-attr]

        sim.at("1s", lambda: call("live"))
        sim.at("2s", lambda: function.update_function(function.config))
        sim.at("3s", lambda: call(None))
        sim.at("11s", lambda: call("live"))
        sim.at("12s", lambda: call(None))
        sim.run()
        assert seen == ["Unhandled", "Unhandled", None, None]


def test_nothing_of_a_fault_is_left_when_it_is_over() -> None:
    """Zero cost without faults: the function is as it was made, no method of it is replaced."""
    with Simulation(seed=1) as sim:
        function = sim.function("f")
        plain = [set(vars(owner)) for owner in (function.core, function.event_queue)]
        for effect in ("error_rate", "throttle_rate", "duplicate_rate", "crash_rate"):
            sim.fault(function="f", for_="2s", **{effect: 0.5})
        sim.fault(function="f", cold_starts=True, at="1s", for_="5s")
        sim.fault(function="f", cold_starts=True, at="2s", for_="1s")
        sim.play(SECOND)
        assert "place" in vars(function.core)
        assert function.core.latest.attempt is not None
        sim.play(4 * SECOND)
        assert function.core.latest.cold
        sim.play(7 * SECOND)
        assert [set(vars(owner)) for owner in (function.core, function.event_queue)] == plain
        assert function.core.latest.attempt is None
        assert not function.core.latest.cold


def test_what_python_gives_is_checked_as_in_a_file() -> None:
    from simbus import UsageError

    with Simulation(seed=1) as sim:
        sim.queue("jobs")
        for settings, message in (
            ({"queue": "jobs", "error_rate": 1}, "a fault has error_rate of a queue; it is a fault of function."),
            ({"queue": "jobs", "outge": True}, "a fault has outge, which is none of"),
            ({"queue": "nope", "outage": True}, "a fault is of sqs:nope, which does not exist. Make it first."),
            ({"queue": "jobs", "outage": True, "for_": 5}, "a fault has for, which is 5; a duration is"),
            ({"queue": "jobs", "duplicate_rate": "x"}, "a fault has duplicate_rate, which is 'x'; a share is 0 to 1."),
        ):
            with pytest.raises(UsageError) as error:
                sim.fault(**settings)
            assert message in str(error.value)


def test_the_rows_name_the_request(tmp_path: Path) -> None:
    """So that it can be explained later why this attempt failed."""
    run(tmp_path, EVENTS, "{at: 1s, for: 0.5s, function: a, crash_rate: 1}")
    [(request_id, event_id)] = ask(
        tmp_path,
        "SELECT request_id, event_id FROM invocations JOIN deliveries USING (request_id) WHERE status = 'exit'",
    )
    [(detail, hop_event)] = ask(tmp_path, "SELECT detail, event_id FROM hops WHERE detail LIKE '%exited%'")
    assert detail == f"faults[0] crash_rate: request {request_id} exited when the handler had returned"
    assert hop_event == event_id
    assert json.loads(ask(tmp_path, "SELECT response FROM invocations WHERE status = 'exit'")[0][0])
