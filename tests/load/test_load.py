"""`simbus load`: rates, figures and the highest rate, through the command line and from Python."""

from __future__ import annotations

import csv
import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from load.scenarios import QUEUE, TWO_AT_ONCE
from typer.testing import CliRunner

from simbus.cli import app
from simbus.cli.load import progress_line
from simbus.expectations import expect
from simbus.expectations.figures import FIGURES
from simbus.expectations.rows import Subject
from simbus.load import load
from simbus.logs.reader import open_run
from simbus.report.summary import summarise


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def simbus(text: str, *options: str, status: int = 0) -> str:
    """What `simbus load s.yaml` prints."""
    Path("s.yaml").write_text(text)
    result = CliRunner().invoke(app, ["load", "s.yaml", *options])
    assert result.exit_code == status, result.output
    return result.stdout if status in (0, 1) else result.stderr


def document(text: str, *options: str, status: int = 0) -> Any:
    return json.loads(simbus(text, *options, "--json", status=status))


def test_the_highest_rate_is_what_littles_law_says() -> None:
    """Two at once, 100 ms each: 20 invocations a second and no throttle, 21 and there is one.

    Lambda quotas: the throughput of a function is its concurrency divided by its duration.
    """
    found = document(TWO_AT_ONCE, "--precision", "0.01", "--for", "10s")
    [highest] = found["highest"]
    assert highest["rate"] == pytest.approx(20, rel=0.01)
    failing = [run for run in found["runs"] if not run["passed"]]
    assert min(run["rate"] for run in failing) <= 20.3
    assert failing[0]["limits"][0] == {
        "place": "lambda:work",
        "limit": "ran 2 at once, all of its reserved concurrency",
        "per_second": pytest.approx(20),
        "times": None,
        "error": False,
    }


def test_a_queue_fills_where_its_mapping_is_at_its_maximum_concurrency() -> None:
    """MaximumConcurrency 2, 100 ms each: 20 messages a second leave the queue, however many come."""
    [slow], [fast] = (run["rows"] for run in document(QUEUE, "--rate", "10,40/s", "--set", "expect=[]")["runs"])
    assert slow["throughput"] == pytest.approx(10, rel=0.15)
    assert fast["throughput"] == pytest.approx(20, rel=0.05)
    assert slow["queue_depth"] < 20
    assert fast["queue_depth"] > 1000
    assert fast["processed"] == fast["events"]  # the rest after the load has ended
    # No coordinated omission: the last message waits for the 1,200 before it, and its age says so.
    assert fast["max_age_ms"] == pytest.approx(60_000, rel=0.1)


def test_the_figures_are_those_of_the_report_and_of_expectations() -> None:
    """A row and `simbus report` of the same run file agree."""
    [run] = document(QUEUE, "--rate", "30/s", "--db", "runs", status=1)["runs"]
    [row] = run["rows"]
    with open_run(Path(run["run_file"])) as rows:
        summary = summarise(rows)
        figures = {name: FIGURES[name].at_end for name in ("p50_age", "p99_age", "max_age", "errors", "lost", "cost")}
        found = {name: figure(rows, Subject()) for name, figure in figures.items() if figure is not None}
        assert expect(rows, function="work", always=True, concurrency=f"<= {row['concurrency']}")
    assert [row[f"{name}_ms"] for name in ("p50_age", "p99_age", "max_age")] == [
        found[name] for name in ("p50_age", "p99_age", "max_age")
    ]
    assert (row["errors"], row["lost"]) == (found["errors"], found["lost"])
    assert row["cost_usd"] == pytest.approx(found["cost"]) == pytest.approx(summary.cost_usd)
    assert row["throttles"] == summary.functions[0].throttles
    assert row["events"] == sum(each.events for each in summary.deliveries)
    assert summary.digest == run["digest"]
    assert [each.what for each in summary.expectations] == ["sqs:jobs p99_age", "refused", "lost", "held"]
    assert not summary.passed


def test_windows_sum_up_to_the_whole_run() -> None:
    """A spike in minutes: what is counted is there once, the cost to the cent, and what comes afterwards has a row."""
    options = ("--profile", "spike", "--rate", "5/s", "--peak", "60/s", "--for", "5m", "--db", "runs")
    [run] = document(QUEUE, *options, status=1)["runs"]
    rows = run["rows"]
    assert [row["rate"] for row in rows] == [5, 60, 5, 5, 5, 0][: len(rows)]
    with open_run(Path(run["run_file"])) as file:
        summary = summarise(file)
    assert sum(row["events"] for row in rows) == sum(each.events for each in summary.deliveries)
    assert sum(row["cost_usd"] for row in rows) == pytest.approx(summary.cost_usd)
    assert sum(row["processed"] for row in rows) == sum(row["events"] for row in rows)
    before, peak, after = (row["p99_age_ms"] for row in rows[:3])
    assert before < 2_000 < peak
    assert after > 60_000  # what comes behind the spike waits for all of it


def test_every_item_with_a_rate_is_scaled_and_the_proportions_stay() -> None:
    """`rate`, and `count` with `over`; what has no rate happens as it is written, and is named."""
    text = """
functions: {a: {}, b: {}}
workload:
  - {invoke: {function: a, invocation_type: Event}, rate: 3/s, for: 1h, at: 5m}
  - {invoke: {function: b, invocation_type: Event}, count: 60, over: 1m}
  - {invoke: {function: b, invocation_type: Event}, at: 3m, count: 2}
"""
    found = document(text, "--rate", "40/s", "--db", "runs")
    with open_run(Path(found["runs"][0]["run_file"])) as run:
        counts = dict(run.query("SELECT function, count(*) FROM invocations GROUP BY function"))  # type: ignore[arg-type]
    assert counts["a"] == pytest.approx(1800, rel=0.1)
    assert counts["b"] == pytest.approx(602, rel=0.15)
    assert found["not_scaled"] == ["workload[2] (invoke, at)"]
    assert found["own_rate"] == 4


def test_a_workload_without_any_rate_is_refused() -> None:
    """There is nothing to vary."""
    error = simbus("functions: {a: {}}\nworkload:\n  - {invoke: {function: a}, at: 1s}\n", status=2)
    assert "s.yaml:2: $.workload has only workload[0] (invoke, at); a load test varies the rate" in error


def test_a_scenario_without_expectations_is_played_in_steps() -> None:
    """And the way to a search is shown; --find is refused."""
    bare = QUEUE[: QUEUE.index("expect:")]
    shown = simbus(bare)
    assert [line.split()[0] for line in shown.splitlines()[1:6]] == ["1.25/s", "2.5/s", "5/s", "10/s", "20/s"]
    assert "--expect 'p99_age < 2s' finds the highest rate" in shown
    assert "s.yaml expects nothing" in simbus(bare, "--find", status=2)
    assert "Highest rate" in simbus(bare, "--expect", "p99_age < 2s", "--to", "40/s", "--precision", "0.5")


def test_the_result_does_not_depend_on_the_number_of_jobs() -> None:
    """To the byte, in JSON and CSV."""
    options = (
        "--set",
        "functions.work.reserved_concurrent_executions=1,2,3",
        "--find",
        "--precision",
        "0.4",
        "--for",
        "10s",
    )
    one = simbus(TWO_AT_ONCE, *options, "--json", "--csv", "a.csv", "--jobs", "1")
    assert simbus(TWO_AT_ONCE, *options, "--json", "--csv", "b.csv", "--jobs", "3") == one
    assert Path("a.csv").read_text() == Path("b.csv").read_text()
    rates = [each["rate"] for each in json.loads(one)["highest"]]
    assert rates == pytest.approx([10, 20, 30], rel=0.4)


def test_memory_sizes_side_by_side_have_a_cheapest_and_a_fastest() -> None:
    """As AWS Lambda Power Tuning shows them: a CPU-bound function is faster with more memory, and costs its memory."""
    text = """
functions: {work: {simulate: {duration: 400ms, cpu: 1, init_duration: 0s}}}
workload: [{invoke: {function: work, invocation_type: Event}, rate: 5/s, for: 1m}]
"""
    lines = simbus(text, "--memory", "128,256,1769,3008").splitlines()[1:5]
    assert [line.split()[0] for line in lines] == ["128", "256", "1769", "3008"]
    assert [("fastest" in line, "cheapest" in line) for line in lines].count((True, False)) >= 1
    assert sum("cheapest" in line for line in lines) >= 1
    idle = simbus(text.replace("cpu: 1,", ""), "--memory", "work=128,256")
    assert "Memory does not change the durations of work: simulate.cpu is 0" in idle


def test_progress_is_a_line_on_a_terminal_only() -> None:
    """Design, section 7: on stderr; here there is none."""
    Path("s.yaml").write_text(TWO_AT_ONCE)
    result = CliRunner().invoke(app, ["load", "s.yaml", "--rate", "1/s", "--for", "5s"])
    assert (result.exit_code, result.stderr) == (0, "")
    assert progress_line(7, 123_456, 250.0, 10.0) == "7 runs  123,456 events  last 250/s  12,346 events/s"


def test_what_aws_refuses_is_refused_with_its_words() -> None:
    """A cell of a grid may be impossible: the account's last 100 executions can't be reserved."""
    error = simbus(
        TWO_AT_ONCE, "--set", "functions.work.reserved_concurrent_executions=2,950", "--rate", "1/s", status=2
    )
    assert "UnreservedConcurrentExecution below its minimum value of [100]" in error


def test_from_python() -> None:
    """`simbus.load.load`, with the words of the command line."""
    Path("s.yaml").write_text(TWO_AT_ONCE)
    test = load("s.yaml", find=True, precision="0.2", jobs=1)
    assert test.passed
    assert test.capacity(0) == pytest.approx(20, rel=0.2)


def test_a_ramp_shows_where_it_bends() -> None:
    """From 0 to 40/s in five minutes at a capacity of 20/s: the queue begins to fill in the third minute."""
    options = ("--profile", "ramp", "--from", "0.1/s", "--to", "40/s", "--for", "5m")
    shown = simbus(QUEUE, *options, status=1)
    [run] = document(QUEUE, *options, status=1)["runs"]
    rows = run["rows"]
    assert [row["rate"] for row in rows[:5]] == pytest.approx([4, 12, 20, 28, 36], rel=0.05)
    assert [row["queue_depth"] > 200 for row in rows[:5]] == [False, False, False, True, True]
    assert all(row["throughput"] < 21 for row in rows[:5])
    assert "0 s - 1m" in shown
    assert "Nothing was pending any more" in shown
    assert "limit reached: lambda:work: ran 2 at once, the MaximumConcurrency of its mapping of sqs:jobs" in shown


def test_provisioned_concurrency_costs_by_the_time_in_every_window() -> None:
    """Whether it is used or not; all windows together cost what the run costs, where that is whole periods of 5 min."""
    text = QUEUE.replace("work: {simulate", "work: {provisioned_concurrent_executions: 2, simulate")
    text += "duration: 1h\n"
    [run] = document(text, "--profile", "soak", "--rate", "1/s", "--for", "5m", "--db", "runs", "--set", "until=10m")[
        "runs"
    ]
    with open_run(Path(run["run_file"])) as rows:
        summary = summarise(rows)
    assert sum(row["cost_usd"] for row in run["rows"]) == pytest.approx(summary.cost_usd, rel=0.01)
    first, second = (row["cost_usd"] for row in run["rows"][:2])
    assert first == pytest.approx(second, rel=0.1)


def test_what_failed_is_named() -> None:
    """An error rate alone does not say why."""
    text = TWO_AT_ONCE.replace("simulate: {", "simulate: {error_rate: 1.0, ")
    assert "attempts failed: lambda:work: " in simbus(text, "--rate", "0.1/s", "--expect", "errors == 0", status=1)


def test_what_came_in_a_warm_up_is_counted_nowhere() -> None:
    """Cold starts are in it: neither a row nor an expectation knows of them (wrk2's calibration, JMH's warm-up)."""
    text = """
functions: {work: {simulate: {duration: 50ms, init_duration: 3s}}}
workload: [{invoke: {function: work, invocation_type: Event}, rate: 10/s, for: 1m, arrivals: constant}]
expect: [{function: work, max_age: "< 100ms", cold_starts: 0}]
"""
    [cold] = document(text, "--rate", "10/s", status=1)["runs"]
    [warm] = document(text, "--rate", "10/s", "--warm-up", "1m")["runs"]
    assert cold["rows"][0]["max_age_ms"] > 3_000
    assert (warm["rows"][0]["begin_s"], warm["rows"][0]["events"], warm["rows"][0]["max_age_ms"]) == (60, 600, 50)
    assert warm["rows"][0]["cost_usd"] < cold["rows"][0]["cost_usd"]
    assert "--warm-up 1m 30s: is no whole minutes" in simbus(text, "--rate", "1/s", "--warm-up", "90s", status=2)


def test_a_kinesis_shard_takes_1000_records_a_second() -> None:
    """What a shard refuses (1 MB/s, 1,000 records/s) is given up after the retries of an SDK: the rate is too high.

    Kinesis Data Streams Developer Guide, "Quotas and limits".
    """
    text = """
functions: {work: {simulate: {duration: 10ms}}}
streams: {clicks: {shard_count: 1}}
event_source_mappings:
  - {event_source: "kinesis:clicks", function: work, starting_position: TRIM_HORIZON, batch_size: 1000}
workload:
  - {put_record: {stream: clicks, partition_key: "{n}", data: "{n}"}, rate: 500/s, for: 1m, arrivals: constant}
expect: [{lost: 0}]
"""
    found = document(text, "--for", "4s", "--precision", "0.1", "--from", "500/s", "--to", "2000/s")
    assert found["highest"][0]["rate"] == pytest.approx(1000, rel=0.15)
    failing = next(run for run in found["runs"] if not run["passed"])
    assert failing["rows"][0]["refused"] > 0
    assert [each["what"] for each in failing["expectations"] if not each["passed"]] == ["refused"]
    accepted = document(text, "--rate", "2000/s", "--for", "2s", "--expect", "refused >= 1")
    assert accepted["runs"][0]["passed"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--rate", "fast"], "--rate fast: is 'fast'; a rate is a number per"),
        (
            ["--profile", "stress"],
            "--profile stress: there is no such profile. The profiles are step, ramp, spike, soak",
        ),
        (["--profile", "ramp", "--find"], "--find: searches a rate, and --profile ramp plays given ones"),
        (["--profile", "soak", "--peak", "9/s"], "--peak: does not belong to --profile soak, which has --rate, --for"),
        (["--find", "--rate", "9/s"], "--rate: does not belong to a search (--find), which has --from, --to"),
        (["--profile", "ramp", "--for", "90s"], "a profile with several rows lasts whole minutes"),
        (["--profile", "spike", "--hold", "9m"], "some time must be left to recover"),
        (["--rate", "5/s", "--steps", "3"], "--rate: names the rates, and so do --from, --to and --steps"),
        (["--precision", "0"], "--precision 0: is not from 0.01 to 1"),
        (["--for", "10"], "--for is '10'; a duration is a number with a unit"),
        (["--for", "0s"], "--for 0s: is no time"),
        (["--jobs", "0"], "--jobs 0: is a number of processes"),
        (["--memory", "wrok=128,256"], "--memory wrok=128,256: the scenario has no function wrok; it has work"),
        (["--memory", "lots,more"], "is no list of memory sizes of functions"),
        (["--memory", "64,128"], ".memory_size: $.functions.work.memory_size is 64"),
        (["--set", "functions.wrok.timeout=1,2"], "is not in the scenario"),
        (["--expect", "fast enough"], "--expect: is 'fast enough'; an expectation is written as it is shown"),
        (["--expect", "lambda:wrok errors == 0"], "--expect lambda:wrok errors == 0: $.expect[1]"),
        (["--expect", "p99_agee < 2s"], "--expect p99_agee < 2s: $.expect[1]"),
        (["--db", "s.yaml"], "--db s.yaml: File exists"),
        (["--csv", "s.yaml"], "--csv s.yaml: exists and is no table of `simbus load`"),
        (["--set", "until=30s"], "--set until: $.until is 30 s; the load lasts 1m"),
    ],
)
def test_wrong_usage_is_refused(options: list[str], told: str) -> None:
    """Exit status 2 and one message that says what to do; nothing is played."""
    assert told in simbus(TWO_AT_ONCE, *options, status=2)
    assert [path.name for path in Path().iterdir()] == ["s.yaml"]


def test_the_exit_status_is_1_where_an_expectation_fails() -> None:
    """As k6 with a threshold: in any run of given rates, for a search at every rate."""
    assert "FAIL" in simbus(TWO_AT_ONCE, "--rate", "40,5,5/s", status=1)
    assert "pass" in simbus(TWO_AT_ONCE, "--rate", "5,10/s")
    never = simbus(TWO_AT_ONCE, "--expect", "lambda:work invocations == 0", "--to", "10/s", status=1)
    assert "The expectations do not hold at any rate from 0.01667/s to 10/s." in never


def test_the_csv_has_every_row_with_plain_numbers_and_replaces_one_of_ours() -> None:
    """Units are in the names; what is varied comes last."""
    options = ("--set", "functions.work.reserved_concurrent_executions=1,2", "--rate", "5,40/s", "--csv", "a.csv")
    simbus(TWO_AT_ONCE, *options, status=1)
    simbus(TWO_AT_ONCE, *options, status=1)
    with Path("a.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["rate"], row["functions.work.reserved_concurrent_executions"], row["passed"]) for row in rows] == [
        ("5.0", "1", "1"), ("40.0", "1", "0"), ("5.0", "2", "1"), ("40.0", "2", "0"),
    ]  # fmt: skip
    assert rows[1]["failed"].startswith("lambda:work throttles: expected 0, found")
    assert float(rows[0]["p99_age_ms"]) == 100
    assert sorted(path.name for path in Path().iterdir()) == ["a.csv", "s.yaml"]


def test_a_run_that_is_kept_is_repeated_by_the_command_it_names() -> None:
    """`simbus report` names it; it gives the same digest."""
    options = ("--profile", "spike", "--for", "5m", "--warm-up", "1m", "--seed", "3", "--db", "runs")
    [run] = document(QUEUE, *options, "--expect", "max_age < 1ms", status=1)["runs"]
    with open_run(Path(run["run_file"])) as rows:
        command = summarise(rows).reproduce
    again = CliRunner().invoke(app, [*shlex.split(command)[1:], "--json"])
    assert json.loads(again.stdout)["runs"] == [run]


def test_a_run_that_can_not_finish_ends_the_test_with_status_3() -> None:
    """And names the rate, and the command that repeats it. No run file is left."""
    Path("spin.py").write_text("def handler(event, context):\n    while True:\n        pass\n")
    text = TWO_AT_ONCE.replace("{reserved", "{handler: spin.handler, code: spin.py, reserved")
    error = simbus(text, "--rate", "5/s", "--handler-guard", "0.2", status=3)
    assert "5/s for 1m" in error
    assert "Reproduce with: simbus load s.yaml --profile step --for 60s --rate 5/s --handler-guard 0.2" in error


def test_calls_that_are_throttled_do_not_make_a_system_fast() -> None:
    """Who is refused at once is no event with an age of 0; taken and refused calls are together what was offered.

    The SDK's standard mode makes 3 attempts of a call (botocore, "Retries").
    """
    text = """
functions: {work: {reserved_concurrent_executions: 1, simulate: {duration: 100ms, init_duration: 0s}}}
workload: [{invoke: {function: work}, rate: 5/s, for: 1m, arrivals: constant}]
"""
    [row] = document(text, "--rate", "100/s", "--for", "5s")["runs"][0]["rows"]
    assert row["events"] + row["refused"] == 500
    assert row["throttles"] > 2 * row["refused"] > 500
    assert row["p50_age_ms"] == 100
    assert row["throughput"] == pytest.approx(10, rel=0.1)
