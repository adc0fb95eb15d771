"""The life of an execution environment: init, invocations, reset, idle, end; and what REPORT says of it."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from simbus import Simulation
from simbus.functions.cold_starts import init_distribution
from simbus.kernel import MILLISECOND, SECOND


def lines(sim: Simulation, function: str = "f") -> list[str]:
    with sim.reader() as reader:
        return [row.message for row in reader.log_events(function)]


def report(sim: Simulation) -> str:
    """The last REPORT line, without its request id."""
    found = [line for line in lines(sim) if line.startswith("REPORT")][-1]
    return re.sub(r"RequestId: \S+\t", "", found)


def start(function: Any, payload: Any = None) -> list[Any]:
    """Invoke synchronously without waiting; the list gets the answer."""
    answers: list[Any] = []
    function.start_invoke(payload, answers.append)
    return answers


def code(tmp_path: Path, text: str) -> dict[str, Any]:
    """A function's `code` and `handler`: app.py with that text."""
    (tmp_path / "app.py").write_text(text)
    return {"code": tmp_path, "handler": "app.handler"}


# --- warm and cold --------------------------------------------------------------------------------------------------


def test_an_environment_runs_one_invocation_after_the_other(sim: Simulation) -> None:
    """The first invocation is a cold start with Init Duration, the next ones are warm (Developer Guide, lifecycle)."""
    function = sim.function("f", simulate={"init_duration": "250ms", "duration": "10ms"})
    for _ in range(3):
        function.invoke({})
    rows = function.invocations
    assert [row.init_duration_ms for row in rows] == [250.0, None, None]
    assert len({row.log_stream for row in rows}) == 1
    assert rows[0].started_at - rows[0].queued_at == 250


def test_two_at_once_need_two_environments(sim: Simulation) -> None:
    """One environment handles one invocation at a time (Developer Guide, "Lambda execution environment")."""
    function = sim.function("f", simulate={"init_duration": "0s", "duration": "1s"})
    start(function), start(function)
    sim.run()
    assert len({row.log_stream for row in function.invocations}) == 2


def test_the_most_recently_used_environment_is_reused_first(sim: Simulation) -> None:
    """What is idle longest comes closer to its end; so environments die when the load falls (mikhail.io/2019/08)."""
    function = sim.function("f", handler=lambda event, context: time.sleep(event), simulate={"init_duration": "0s"})
    start(function, 2), start(function, 1)
    sim.run()
    last = max(function.invocations, key=lambda row: row.ended_at)
    for _ in range(3):
        function.invoke(0)
    assert {row.log_stream for row in function.invocations[-3:]} == {last.log_stream}


@pytest.mark.parametrize(("idle", "cold"), [("600s", True), ("599999999999ns", False)])
def test_an_idle_environment_is_reclaimed_after_idle_timeout(sim: Simulation, idle: str, cold: bool) -> None:
    """AWS does not say how long; idle_timeout does, to the nanosecond."""
    function = sim.function("f", simulate={"init_duration": "1s", "idle_timeout": "10m"})
    function.invoke({})
    sim.run(for_=idle)
    assert (function.invoke({}) and function.invocations[-1].init_duration_ms is not None) == cold


def test_being_used_prolongs_the_life_of_an_environment(sim: Simulation) -> None:
    """Idle time counts from the end of the last invocation."""
    function = sim.function("f", simulate={"init_duration": "1s", "idle_timeout": "10m"})
    for _ in range(5):
        function.invoke({})
        sim.run(for_="9m")
    assert [row.init_duration_ms for row in function.invocations] == [1000.0, None, None, None, None]


def test_nobody_waits_for_an_idle_environment_to_end(sim: Simulation) -> None:
    """Idle reclaim does not hold a run open."""
    sim.function("f", simulate={"init_duration": "0s"}).invoke({})
    sim.run()
    assert sim.now == 1 * MILLISECOND


# --- what survives --------------------------------------------------------------------------------------------------

COUNTER = """
import os, sys, time
count = 0

def handler(event, context):
    global count
    count += 1
    seen = {"count": count, "tmp": os.path.exists("/tmp/mark")}
    open("/tmp/mark", "w").close()
    if event == "error":
        raise ValueError("no")
    if event == "timeout":
        time.sleep(60)
    if event == "exit":
        sys.exit(3)
    return seen
"""


@pytest.mark.parametrize(("fault", "count"), [("error", 3), ("timeout", 1), ("exit", 1)])
def test_globals_survive_errors_but_no_reset_and_tmp_survives_both(
    sim: Simulation, tmp_path: Path, fault: str, count: int
) -> None:
    """After a timeout or exit init runs again: a global is 0 again, the file in /tmp is still there (recorded:
    test_lambda_invoke_timed_out_environment_reuse); after an exception everything is (runtime interface client)."""
    function = sim.function("f", **code(tmp_path, COUNTER))
    assert function.invoke({}).json() == {"count": 1, "tmp": False}
    assert function.invoke(fault).function_error == "Unhandled"
    assert function.invoke({}).json() == {"count": count, "tmp": True}
    assert len({row.log_stream for row in function.invocations}) == 1, "the environment is the same"


def test_globals_do_not_survive_being_out_of_memory(sim: Simulation, tmp_path: Path) -> None:
    """The process is killed (logs of real functions)."""
    function = sim.function("f", **code(tmp_path, COUNTER), simulate={"max_memory_used": 129})
    for _ in range(2):
        function.invoke({})
    [first, second] = function.invocations
    assert (first.status, second.status) == ("oom", "oom")
    assert first.init_duration_ms is not None
    assert second.init_duration_ms is None
    assert second.duration_ms > first.duration_ms, "its second init is part of the invocation"


def test_environments_share_neither_globals_nor_tmp(sim: Simulation, tmp_path: Path) -> None:
    """Each environment is a sandbox of its own (Developer Guide)."""
    text = COUNTER.replace("return seen", "time.sleep(1)\n    return seen")
    function = sim.function("f", **code(tmp_path, text))
    one, two = start(function), start(function)
    sim.run()
    assert [answer.json() for [answer] in (one, two)] == [{"count": 1, "tmp": False}] * 2


# --- init -----------------------------------------------------------------------------------------------------------


def test_init_that_takes_ten_seconds_runs_again_in_the_invocation(sim: Simulation) -> None:
    """INIT_REPORT with timeout at 10 s; then init runs inside the invocation, in its Duration and its timeout, and
    REPORT has no Init Duration (Developer Guide, lifecycle: Init phase)."""
    function = sim.function("f", timeout=30, simulate={"init_duration": "12s", "duration": "1s"})
    function.invoke({})
    [row] = function.invocations
    assert (row.status, row.init_duration_ms, row.duration_ms) == ("ok", None, 13_000.0)
    assert row.billed_duration_ms == 13_000
    assert row.started_at - row.queued_at == 10_000
    assert "INIT_REPORT Init Duration: 10000.00 ms\tPhase: init\tStatus: timeout\n" in lines(sim)
    assert report(sim).endswith("Max Memory Used: 38 MB\t\n")
    function.invoke({})
    assert function.invocations[-1].duration_ms == 1000, "and then it is warm"


@pytest.mark.parametrize(("init", "again"), [("10s", True), ("9999999999ns", False)])
def test_the_init_limit_is_ten_seconds(sim: Simulation, init: str, again: bool) -> None:
    """Init is limited to 10 s (Developer Guide); the boundary belongs to the timeout."""
    function = sim.function("f", timeout=60, simulate={"init_duration": init})
    function.invoke({})
    assert any("INIT_REPORT" in line for line in lines(sim)) == again


def test_a_suppressed_init_is_bound_by_the_timeout(sim: Simulation) -> None:
    """The second init has the function's timeout (Developer Guide); it never gets through in 3 s."""
    function = sim.function("f", timeout=3, simulate={"init_duration": "12s"})
    response = function.invoke({})
    assert response.json() == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {response.request_id} Error: Task timed out after 3.00 seconds",
    }
    assert report(sim).startswith("REPORT Duration: 3000.00 ms\tBilled Duration: 3000 ms\t")
    assert report(sim).endswith("Status: timeout\n")


def test_a_failed_init_is_repeated_in_the_invocation_and_answers_its_error(sim: Simulation, tmp_path: Path) -> None:
    """A module that raises: INIT_REPORT with its error type; the error's requestId is empty (recorded:
    test_lambda_runtime_error; Developer Guide, lifecycle)."""
    function = sim.function("f", **code(tmp_path, "raise ValueError('broken')\n"), simulate={"init_duration": "100ms"})
    response = function.invoke({})
    payload = response.json()
    assert response.function_error == "Unhandled"
    assert (payload["errorType"], payload["errorMessage"], payload["requestId"]) == ("ValueError", "broken", "")
    text = lines(sim)
    assert "INIT_REPORT Init Duration: 100.00 ms\tPhase: init\tStatus: error\tError Type: ValueError\n" in text
    assert function.invocations[0].init_duration_ms is None
    assert function.invocations[0].duration_ms == 100


@pytest.mark.parametrize(
    ("text", "error_type", "message"),
    [
        ("import nowhere_to_be_found\n", "Runtime.ImportModuleError", "Unable to import module 'app': No module named"),
        ("def handler(:\n", "Runtime.UserCodeSyntaxError", "Syntax error in module 'app'"),
        ("x = 1\n", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'app'"),
    ],
)
def test_init_errors_of_the_runtime(sim: Simulation, tmp_path: Path, text: str, error_type: str, message: str) -> None:
    """The runtime's own error types and texts (runtime interface client, _get_handler)."""
    function = sim.function("f", **code(tmp_path, text))
    payload = function.invoke({}).json()
    assert payload["errorType"] == error_type
    assert payload["errorMessage"].startswith(message)


def test_exit_while_importing(sim: Simulation, tmp_path: Path) -> None:
    """Runtime.ExitError with the request id of the invocation (recorded: test_lambda_runtime_exit)."""
    function = sim.function("f", **code(tmp_path, "import sys\nsys.exit(0)\n"), simulate={"init_duration": "0s"})
    response = function.invoke({})
    assert response.json() == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {response.request_id} Error: Runtime exited without providing a reason",
    }
    assert any("Phase: init\tStatus: error\tError Type: Runtime.ExitError" in line for line in lines(sim))
    assert report(sim).endswith("Status: error\tError Type: Runtime.ExitError\n")


def test_init_that_sleeps_takes_virtual_time(sim: Simulation, tmp_path: Path) -> None:
    """What the module does while it is imported is part of the init phase."""
    text = "import time\ntime.sleep(2)\ndef handler(event, context): return time.time()\n"
    function = sim.function("f", **code(tmp_path, text), simulate={"init_duration": "500ms", "duration": "0s"})
    function.invoke({})
    assert function.invocations[0].init_duration_ms == 2500


def test_init_duration_is_drawn_from_measurements(sim: Simulation) -> None:
    """Left out it comes from the measured cold starts of runtime and memory (maxday/lambda-perf)."""
    function = sim.function("f", runtime="python3.12", memory_size=512)
    for _ in range(200):
        start(function)
    sim.run()
    measured = init_distribution("python3.12", 512)
    low, high = (value / MILLISECOND for value in (measured.values[0], measured.values[-1]))
    drawn = [row.init_duration_ms for row in function.invocations]
    assert len(set(drawn)) > 100
    assert low <= min(drawn) <= max(drawn) <= high


# --- the end of an invocation ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("sleep", "status"), [(2.4, "ok"), (2.5, "timeout"), (9.0, "timeout")])
def test_own_sleep_and_simulated_duration_add_up_against_the_timeout(
    sim: Simulation, sleep: float, status: str
) -> None:
    """Duration is what the handler itself takes and `simulate.duration`; at the timeout it ends (Sandbox.Timedout,
    recorded: test_lambda_invoke_with_timeout)."""
    function = sim.function(
        "f",
        timeout=3,
        handler=lambda event, context: time.sleep(event),
        simulate={"init_duration": "0s", "duration": "500ms"},
    )
    response = function.invoke(sleep)
    [row] = function.invocations
    assert row.status == status
    assert row.duration_ms == (2900.0 if status == "ok" else 3000.0)
    if status == "timeout":
        assert response.json()["errorType"] == "Sandbox.Timedout"
        assert report(sim).endswith("Status: timeout\n")


def test_side_effects_stand_although_the_sum_passes_the_timeout(sim: Simulation) -> None:
    """The handler has run at its start instant; only its simulated rest is cut off."""
    queue = sim.queue("q")
    function = sim.function(
        "f",
        timeout=3,
        handler=lambda event, context: queue.send_message("sent"),
        simulate={"init_duration": "0s", "duration": "5s"},
    )
    assert function.invoke({}).json()["errorType"] == "Sandbox.Timedout"
    assert [message.body for message in queue.messages] == ["sent"]


def test_what_comes_after_the_timeout_does_not_happen(sim: Simulation) -> None:
    """The process is killed: a `finally` sends nothing any more."""
    queue = sim.queue("q")

    def handler(event: Any, context: Any) -> None:
        try:
            time.sleep(60)
        finally:
            queue.send_message("too late")

    sim.function("f", handler=handler).invoke({})
    sim.run()
    assert queue.messages == []


@pytest.mark.parametrize(
    ("status", "text"),
    [(0, "Runtime exited without providing a reason"), (127, "Runtime exited with error: exit status 127")],
)
def test_exit_in_the_handler(sim: Simulation, status: int, text: str) -> None:
    """Runtime.ExitError (recorded: test_lambda_handler_exit, test_lambda_runtime_wrapper_not_found)."""
    function = sim.function("f", handler=lambda event, context: sys.exit(status))
    response = function.invoke({})
    assert response.json() == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {response.request_id} Error: {text}",
    }
    assert function.invocations[0].status == "exit"
    assert report(sim).endswith("Status: error\tError Type: Runtime.ExitError\n")


def test_out_of_memory(sim: Simulation) -> None:
    """More memory than MemorySize: killed; REPORT shows all of it used, Runtime.OutOfMemory (real logs)."""
    function = sim.function("f", memory_size=256, simulate={"max_memory_used": 257})
    response = function.invoke({})
    assert response.json() == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {response.request_id} Error: Runtime exited with error: signal: killed",
    }
    assert "Memory Size: 256 MB\tMax Memory Used: 256 MB\t" in report(sim)
    assert report(sim).endswith("Status: error\tError Type: Runtime.OutOfMemory\n")


def test_as_much_memory_as_there_is(sim: Simulation) -> None:
    """Exactly MemorySize is enough."""
    function = sim.function("f", memory_size=256, simulate={"max_memory_used": 256})
    assert function.invoke({}).function_error is None
    assert function.invocations[0].max_memory_used == 256


def test_cpu_grows_with_memory() -> None:
    """1,769 MB are one vCPU (Lambda quotas): the share `cpu` of a duration shrinks in proportion, the rest stays.

    More memory brings more vCPUs, of which a handler of Python uses one.
    """

    def duration(memory_size: int, cpu: float) -> float:
        with Simulation() as sim:
            simulate = {"duration": "1s", "cpu": cpu}
            function = sim.function("f", memory_size=memory_size, timeout=60, simulate=simulate)
            function.invoke({})
            return float(function.invocations[0].duration_ms)

    assert duration(1769, 1.0) == 1000
    assert duration(3538, 1.0) == 1000
    assert duration(884, 0.5) == pytest.approx(500 + 500 * 1769 / 884)
    assert duration(128, 0.0) == 1000
    assert duration(128, 1.0) == pytest.approx(1000 * 1769 / 128)


def test_billed_duration_contains_init_and_is_rounded_up(sim: Simulation) -> None:
    """Since 2025-08-01 init is billed: Duration 250.06 and Init 100.77 make 351 (AWS Compute Blog)."""
    simulate = {"init_duration": "100770us", "duration": "250060us"}
    function = sim.function("f", simulate=simulate)
    function.invoke({})
    assert function.invocations[0].billed_duration_ms == 351
    assert report(sim).startswith("REPORT Duration: 250.06 ms\tBilled Duration: 351 ms\tMemory Size: 128 MB\t")
    assert report(sim).endswith("Init Duration: 100.77 ms\t\n")
    function.invoke({})
    assert function.invocations[1].billed_duration_ms == 251


@pytest.mark.parametrize(("size", "fits"), [(6_291_556, True), (6_291_557, False)])
def test_the_largest_response(sim: Simulation, size: int, fits: bool) -> None:
    """6 MB and 100 bytes; above, Function.ResponseSizeTooLarge, and the environment goes on (recorded:
    test_lambda_too_large_response)."""
    function = sim.function("f", handler=lambda event, context: "x" * (size - 2))
    response = function.invoke({})
    if fits:
        assert len(response.payload) == size
    else:
        assert response.payload == (
            '{"errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes).",'
            '"errorType":"Function.ResponseSizeTooLarge"}'
        )
        assert response.function_error == "Unhandled"
    function.invoke({})
    assert function.invocations[1].init_duration_ms is None


def test_response_size_is_counted_in_bytes(sim: Simulation) -> None:
    """Letters outside ASCII are two to four bytes (python3.12 and later do not escape them)."""
    function = sim.function("f", handler=lambda event, context: "é" * 3_145_778)
    assert function.invoke({}).json()["errorType"] == "Function.ResponseSizeTooLarge"


def test_error_rate_is_a_share_of_the_invocations(sim: Simulation) -> None:
    """Modelled errors are drawn by the seed, and look like an exception of the function."""
    function = sim.function("f", simulate={"error_rate": 0.3, "init_duration": "0s"})
    for _ in range(400):
        function.invoke({})
        sim.run(for_="1ms")
    errors = [row for row in function.invocations if row.status == "error"]
    assert 80 < len(errors) < 160
    payload = json.loads(errors[0].response)
    assert (payload["errorType"], payload["stackTrace"]) == ("SimulatedError", [])


def test_a_recorded_duration_takes_the_place_of_the_modelled_one(sim: Simulation) -> None:
    """`trace_duration`, in nanoseconds, for traces of real functions."""
    function = sim.function("f", timeout=10, simulate={"duration": "5s"})
    function.invoke({}, trace_duration=2 * SECOND)
    assert function.invocations[0].duration_ms == 2000


def test_the_temporary_directories_go_with_the_simulation(tmp_path: Path) -> None:
    """Each environment's /tmp is private and removed at the end."""
    text = "def handler(event, context):\n    open('/tmp/simbus-lifecycle', 'w').write('x')\n"
    with Simulation() as sim:
        function = sim.function("f", **code(tmp_path, text))
        function.invoke({})
        [environment] = function._function.latest.environments
        directory = Path(environment.temporary.path)
        assert (directory / "simbus-lifecycle").exists()
    assert not directory.exists()
    assert not os.path.exists("/tmp/simbus-lifecycle")
