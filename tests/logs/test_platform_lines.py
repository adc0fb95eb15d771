"""The lines that Lambda itself writes, text and JSON, byte by byte."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simbus import Simulation
from simbus.kernel.distributions import Constant
from simbus.logs.platform import runtime_version
from simbus.logs.reader import open_run


def written(sim: Simulation) -> list[str]:
    with sim.reader() as reader:
        return [row.message for row in reader.log_events()]


def test_the_lines_of_a_cold_and_a_warm_invocation(sim: Simulation) -> None:
    """Tabs, newlines and the trailing tab as recorded (test_multi_line_prints, 2025-11-25)."""
    simulate = {"init_duration": "110100us", "duration": "3010us", "max_memory_used": 36}
    function = sim.function("f", handler=lambda event, context: print("hi"), simulate=simulate)
    cold, warm = function.invoke({}).request_id, function.invoke({}).request_id
    init, *lines = written(sim)
    assert re.fullmatch(
        r"INIT_START Runtime Version: python:3\.13\.v\d+\tRuntime Version ARN: "
        r"arn:aws:lambda:us-east-1::runtime:[0-9a-f]{64}\n",
        init,
    )
    assert lines == [
        f"START RequestId: {cold} Version: $LATEST\n",
        "hi\n",
        f"END RequestId: {cold}\n",
        f"REPORT RequestId: {cold}\tDuration: 3.01 ms\tBilled Duration: 114 ms\tMemory Size: 128 MB\t"
        "Max Memory Used: 36 MB\tInit Duration: 110.10 ms\t\n",
        f"START RequestId: {warm} Version: $LATEST\n",
        "hi\n",
        f"END RequestId: {warm}\n",
        f"REPORT RequestId: {warm}\tDuration: 3.01 ms\tBilled Duration: 4 ms\tMemory Size: 128 MB\t"
        "Max Memory Used: 36 MB\t\n",
    ]


@pytest.mark.parametrize(
    ("runtime", "label"),
    [
        ("python3.13", "python:3.13.v64"),
        ("nodejs22.x", "nodejs:22.v64"),
        ("ruby3.4", "ruby:3.4.v64"),
        ("provided.al2023", "provided:al2023.v64"),
        ("java8.al2", "java:8.al2.v64"),
    ],
)
def test_runtime_version(runtime: str, label: str) -> None:
    """`<language>:<version>.v<n>` (recorded: INIT_START of test_multi_line_prints)."""
    found, arn = runtime_version(runtime, "eu-west-1")
    assert found == label
    assert arn.startswith("arn:aws:lambda:eu-west-1::runtime:")


@given(
    st.lists(
        st.integers(0, 10**12) | st.integers(0, 10**6).map(lambda n: n * 5_000) | st.just(125_000),
        min_size=1,
        max_size=4,
    )
)
@settings(max_examples=60, deadline=None)
def test_what_the_row_of_an_invocation_says_is_said_in_the_same_words(durations: list[int]) -> None:
    """START, END and REPORT come from the row, byte for byte as they are written out where somebody wants them (a log
    processor, LogType=Tail), whatever the duration is, to the nanosecond."""

    def lines(**options: Any) -> list[str]:
        with Simulation(**options) as sim:
            for number, duration in enumerate(durations):
                simulate = {"duration": Constant(duration), "init_duration": Constant(duration // 7)}
                sim.function(f"f{number}", timeout=900, simulate=simulate).invoke({})
            return written(sim)

    assert lines() == lines(log_processors=[lambda logger, name, event: event])


def test_an_invocation_that_the_end_of_the_run_cuts_short_has_its_start(tmp_path: Path) -> None:
    """No row will ever say it, so it is written out when the run ends."""
    with Simulation(db=tmp_path / "run.db") as sim:
        function = sim.function("f", timeout=60, simulate={"duration": "30s"})
        function.invoke({}, invocation_type="Event")
        sim.run(until="10s")
    with open_run(tmp_path / "run.db") as reader:
        assert [row.message.split()[0] for row in reader.log_events()] == ["INIT_START", "START"]


def test_who_follows_is_told_of_a_start_that_comes_late(tmp_path: Path) -> None:
    """Its number came before those of lines that were seen already."""

    def handler(event: object, context: object) -> None:
        for number in range(50):
            print("tick", number)
            time.sleep(1)

    sim = Simulation(db=tmp_path / "run.db")
    sim.function("slow", handler=handler, timeout=100).invoke({}, invocation_type="Event")
    sim.run(for_="10s")
    sim.rows.sync()
    with open_run(tmp_path / "run.db") as reader:
        seen = [row.message for row in reader.log_events(follow=lambda _: sim.close())]
        assert sorted(seen) == sorted(row.message for row in reader.log_events())
    assert [message.split()[0] for message in seen].count("START") == 1


def test_a_run_that_breaks_off_has_the_start_of_what_was_under_way(tmp_path: Path) -> None:
    """An interrupted run, or one that a guard has ended, is whole up to there."""
    with pytest.raises(KeyboardInterrupt), Simulation(db=tmp_path / "run.db") as sim:
        sim.function("f", timeout=60, simulate={"duration": "30s"}).invoke({}, invocation_type="Event")
        sim.run(for_="10s")
        raise KeyboardInterrupt
    with open_run(tmp_path / "run.db") as reader:
        assert [row.message.split()[0] for row in reader.log_events()] == ["INIT_START", "START"]


def objects(sim: Simulation) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written(sim)]


def run_json(sim: Simulation, level: str, **simulate: Any) -> list[str]:
    """The types of the lines of one invocation under a SystemLogLevel."""
    function = sim.function(
        "f",
        logging_config={"log_format": "JSON", "system_log_level": level},
        simulate={"init_duration": "100ms", "duration": "2ms", **simulate},
    )
    function.invoke({})
    return [line["type"] for line in objects(sim)]


@pytest.mark.parametrize(
    ("level", "types"),
    [
        ("DEBUG", ["initStart", "initRuntimeDone", "initReport", "start", "runtimeDone", "report"]),
        ("INFO", ["initStart", "start", "report"]),
        ("WARN", []),
    ],
)
def test_system_log_level(sim: Simulation, level: str, types: list[str]) -> None:
    """INFO shows what began and the report, DEBUG what else went well, WARN what failed (Developer Guide)."""
    assert run_json(sim, level) == [f"platform.{name}" for name in types]


@pytest.mark.parametrize(
    ("simulate", "status", "error_type"),
    [
        ({"error_rate": 1.0}, "error", None),
        ({"duration": "9s"}, "timeout", None),
        ({"max_memory_used": 200}, "error", "Runtime.OutOfMemory"),
    ],
)
def test_failures_are_warnings(sim: Simulation, simulate: dict[str, Any], status: str, error_type: str | None) -> None:
    """A report that is no success has level WARN (Developer Guide, log levels)."""
    assert run_json(sim, "WARN", **simulate) == ["platform.runtimeDone", "platform.report"]
    record = objects(sim)[-1]["record"]
    assert record["status"] == status
    assert record.get("errorType") == error_type


def test_the_json_report(sim: Simulation) -> None:
    """Names of the metrics (Developer Guide, telemetry schema), time in ms with Z."""
    run_json(sim, "INFO")
    lines = objects(sim)
    assert [line["time"] for line in lines] == ["2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00.100Z",
                                                "2026-01-01T00:00:00.102Z"]  # fmt: skip
    request_id = lines[1]["record"]["requestId"]
    assert lines[0]["record"]["initializationType"] == "on-demand"
    assert lines[1]["record"] == {"requestId": request_id, "version": "$LATEST"}
    assert lines[2]["record"] == {
        "requestId": request_id,
        "metrics": {
            "durationMs": 2.0,
            "billedDurationMs": 102,
            "memorySizeMB": 128,
            "maxMemoryUsedMB": 38,
            "initDurationMs": 100.0,
        },
        "status": "success",
    }


def test_a_failed_init_is_an_init_report(sim: Simulation) -> None:
    """INIT_REPORT only where init failed, or for provisioned concurrency (Developer Guide, lifecycle); in JSON with
    initRuntimeDone before it, both at WARN."""
    types = run_json(sim, "WARN", init_duration="11s", duration="1ms")
    assert types == ["platform.initRuntimeDone", "platform.initReport", "platform.runtimeDone", "platform.report"]
    common = {"initializationType": "on-demand", "phase": "init", "status": "timeout"}
    assert [line["record"] for line in objects(sim)[:2]] == [common, common | {"metrics": {"durationMs": 10_000.0}}]


def test_an_init_that_went_well_is_told_at_debug(sim: Simulation) -> None:
    """initRuntimeDone and, on demand, initReport are DEBUG events (Developer Guide, "Log-level filtering")."""
    run_json(sim, "DEBUG", init_duration="100ms", duration="1ms")
    common = {"initializationType": "on-demand", "phase": "init", "status": "success"}
    assert [line["record"] for line in objects(sim)[1:3]] == [common, common | {"metrics": {"durationMs": 100.0}}]


def test_provisioned_init_is_reported(sim: Simulation) -> None:
    """INIT_REPORT is always written for provisioned concurrency (Developer Guide, lifecycle)."""
    function = sim.function("f", versions={"1": {}}, simulate={"init_duration": "1236040us"})
    function.put_provisioned_concurrency_config("1", 1)
    sim.run()
    assert written(sim)[1:] == ["INIT_REPORT Init Duration: 1236.04 ms\tPhase: init\n"]
