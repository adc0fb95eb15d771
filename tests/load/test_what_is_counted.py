"""What `simbus load` counts: after a warm-up, at saturation, behind a client that tries again, along a chain."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from simbus.cli import app
from simbus.logs.reader import open_run

# Five at once of 1 s each do 5 a second (Little's law), at most.
FIVE_A_SECOND = """
functions:
  work: {timeout: 10, memory_size: 1024, simulate: {duration: 1s, init_duration: 0s}}
queues: {jobs: {visibility_timeout: 60}}
event_source_mappings:
  - {event_source: "sqs:jobs", function: work, batch_size: 1, scaling_config: {maximum_concurrency: 5}}
workload: [{send_message: {queue: jobs, message_body: "{n}"}, rate: 5/s, for: 1m}]
"""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def simbus(text: str, *options: str, status: int = 0) -> str:
    """What `simbus load s.yaml` prints."""
    Path("s.yaml").write_text(text)
    result = CliRunner().invoke(app, ["load", "s.yaml", *options])
    assert result.exit_code == status, result.output
    return result.stdout if status in (0, 1) else result.stderr


def runs(text: str, *options: str, status: int = 0) -> Any:
    return json.loads(simbus(text, *options, "--json", status=status))["runs"]


def found(run: Any) -> dict[str, Any]:
    return {each["what"]: each["found"] for each in run["expectations"]}


def test_what_is_done_after_a_warm_up_counts_whenever_it_came() -> None:
    """A queue that the warm-up has filled goes on at 5 a second, and what that costs is of what was done then."""
    warm = ("--rate", "20/s", "--warm-up", "2m")
    [[row]] = (run["rows"] for run in runs(FIVE_A_SECOND, *warm))
    assert row["throughput"] == pytest.approx(5, rel=0.05)
    # 1 s of 1 GB and a request: AWS Lambda pricing.
    assert row["cost_per_million_usd"] == pytest.approx(16.8667, rel=0.01)
    assert "No more than 5/s was done" in simbus(FIVE_A_SECOND, *warm)


def test_an_expected_cost_leaves_the_warm_up_out_as_the_row_does() -> None:
    """Also of provisioned concurrency, whose environments were initialised before, and of what it costs to stand by."""
    for text in (
        FIVE_A_SECOND,
        FIVE_A_SECOND.replace("timeout: 10,", "timeout: 10, provisioned_concurrent_executions: 2,"),
    ):
        [run] = runs(text, "--rate", "4/s", "--warm-up", "5m", "--for", "1m", "--expect", "cost < $1")
        [alone] = runs(text, "--rate", "4/s", "--for", "1m", "--expect", "cost < $1")
        assert found(run)["cost"] == pytest.approx(run["rows"][0]["cost_usd"], rel=1e-9)
        assert found(alone)["cost"] == pytest.approx(alone["rows"][0]["cost_usd"], rel=1e-9)
        assert found(run)["cost"] == pytest.approx(found(alone)["cost"], rel=0.2)


def test_a_queue_stands_as_deep_as_the_warm_up_left_it() -> None:
    """Of the instant at which the warm-up ends, whatever came before."""
    [run] = runs(
        FIVE_A_SECOND, "--rate", "10/s", "--warm-up", "1m", "--for", "1m", "--expect", "sqs:jobs messages always < 100",
        status=1,
    )  # fmt: skip
    assert found(run)["sqs:jobs messages always"] > 500  # 5 a second too many, for two minutes


def test_provisioned_concurrency_costs_the_seconds_of_the_load() -> None:
    """A minute of load is a part of a longer time: it is not charged AWS's whole five minutes, nor the rest's time."""
    text = """
functions: {work: {memory_size: 1024, simulate: {duration: 1ms, init_duration: 0s}}}
workload: [{invoke: {function: work, invocation_type: Event}, rate: 1/s, for: 1m, arrivals: constant}]
"""
    none, ten = (
        run["rows"][0]["cost_usd"]
        for run in runs(text, "--rate", "1/s", "--set", "functions.work.provisioned_concurrent_executions=0,10")
    )
    assert ten - none == pytest.approx(10 * 60 * 0.0000041667, rel=0.001)


@pytest.mark.parametrize("options", [("--profile", "soak", "--for", "2m"), ("--rate", "1/s", "--warm-up", "1m")])
def test_windows_begin_on_a_minute_of_the_clock(options: tuple[str, ...]) -> None:
    """CloudWatch's data points are of whole minutes: windows between them would show another minute's peaks."""
    text = f"start: 2026-01-01T00:00:30Z{FIVE_A_SECOND}"
    refused = simbus(text, *options, status=2)
    assert "s.yaml:1: $.start is 2026-01-01T00:00:30+00:00; CloudWatch's metrics are of whole minutes" in refused
    assert "Give --set start=2026-01-01T00:00:00Z." in refused
    assert simbus(text, *options, "--set", "start=2026-01-01T00:00:00Z")
    assert simbus(text, "--rate", "1/s")


SATURATED = f"until: 90s{FIVE_A_SECOND}"


def test_what_is_not_done_at_the_end_counts_with_its_age_then() -> None:
    """A queue that is far behind shows no young ages because only its first messages were done; and it fails."""
    expecting = ("--expect", "p99_age < 95s")
    [slow, fast] = runs(SATURATED, "--rate", "4,100/s", *expecting, status=1)
    assert (slow["passed"], fast["passed"]) == (True, False)
    assert found(fast)["held"] == fast["rows"][0]["held"] > 5_000
    assert fast["rows"][0]["p50_age_ms"] == pytest.approx(60_000, rel=0.1)  # half of them came in the first 30 s of 90
    assert found(fast)["p99_age"] == fast["rows"][0]["p99_age_ms"]
    shown = simbus(SATURATED, "--rate", "100/s", *expecting, status=1)
    assert f"Held: {fast['rows'][0]['held']:,} events were not done when their runs ended" in shown
    assert "pass" in simbus(SATURATED, "--rate", "100/s", *expecting, "--expect", "held > 0")


NOTHING_RUNS = """
functions: {work: {reserved_concurrent_executions: 0, simulate: {duration: 100ms, init_duration: 0s}}}
workload: [{invoke: {function: work, invocation_type: Event}, rate: 5/s, for: 1m, arrivals: constant}]
"""


def test_what_is_lost_is_not_fast() -> None:
    """Developer Guide: with a reserved concurrency of 0, Lambda sends new events to the dead-letter queue, if any."""
    [run] = runs(
        NOTHING_RUNS, "--rate", "5/s", "--expect", "lambda:work error_rate < 1", "--expect", "p99_age < 1s", status=1
    )
    assert found(run) == {"lambda:work error_rate": None, "p99_age": None, "refused": 0, "lost": 300, "held": 0}
    assert run["rows"][0]["p99_age_ms"] is None
    [run] = runs(NOTHING_RUNS, "--rate", "5/s", "--expect", "lost >= 0")
    assert run["passed"]


def best(text: str, *options: str, status: int = 0) -> list[str]:
    """The marks of each row."""
    heading, *rows = simbus(text, "--set", GRID, *options, status=status).partition("\n\n")[0].splitlines()
    assert heading.endswith("best")
    words = ("highest rate", "cheapest", "fastest")
    return [" ".join(word.split()[0] for word in words if word in row) for row in rows]


GRID = "functions.work.reserved_concurrent_executions=0,1,2,3"
# Two at once of 100 ms are as fast as three at 15/s; all cost the same.
TWO_DO = ("--rate", "15/s", "--for", "30s")


def test_marks_are_of_what_did_its_load() -> None:
    """Nothing that is lost or refused is the fastest, and equal rows are marked alike."""
    assert best(NOTHING_RUNS, *TWO_DO) == ["", "cheapest", "cheapest fastest", "cheapest fastest"]
    assert best(NOTHING_RUNS, *TWO_DO, "--expect", "throttles == 0", status=1)[2:] == ["cheapest fastest"] * 2
    assert best(NOTHING_RUNS, *TWO_DO, "--expect", "processed == 0", "--expect", "lost >= 0", status=1) == [""] * 4


def test_marks_of_a_search_are_of_each_cells_highest_rate() -> None:
    """Also where two cells have the same one; a cell in which nothing holds is shown, and has none."""
    search = ("--find", "--for", "10s", "--precision", "0.5", "--expect", "throttles == 0")
    marks = best(NOTHING_RUNS, *search, "--to", "12/s", status=1)
    assert marks[0] == ""
    assert [("highest" in mark) for mark in marks] == [False, False, True, True]
    one = simbus(NOTHING_RUNS, "--set", GRID.replace(",2,3", ""), *search, status=1)
    assert [line.split()[-1] for line in one.splitlines()[1:3]] == ["FAIL", "fastest"]


def test_the_age_of_what_an_sdk_sends_again_counts_from_the_first_attempt() -> None:
    """No coordinated omission: who was throttled has waited since. Of two calls at once one function runs one, 500 ms.

    The SDK waits for a random share of 1 s and of 2 s before its second and third attempt (botocore, "Retries").
    """
    text = """
functions: {work: {reserved_concurrent_executions: 1, simulate: {duration: 500ms, init_duration: 0s}}}
workload:
  - {invoke: {function: work}, rate: 1/m, for: 5m, arrivals: constant}
  - {invoke: {function: work}, rate: 1/m, for: 5m, arrivals: constant}
"""
    [run] = runs(text, "--rate", "2/m", "--for", "10m", "--db", "runs")
    [row] = run["rows"]
    assert row["throttles"] >= 10
    with open_run(Path(run["run_file"])) as file:
        ended = [ended for [ended] in file.query("SELECT ended_at FROM invocations ORDER BY ended_at")]
    # Both calls of a minute came at its begin: how long after that the later one ended is its age.
    assert row["max_age_ms"] == max(each % 60_000 for each in ended) > 1_000


TWO_HOPS = FIVE_A_SECOND.replace(
    "workload: [{send_message: {queue: jobs, message_body",
    'topics: {news: {subscriptions: [{protocol: sqs, endpoint: "sqs:jobs", raw_message_delivery: true}]}}\n'
    "workload: [{publish: {topic: news, message",
)
FRONT = """
import boto3

def handler(event, context):
    sqs = boto3.client("sqs")
    sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName="jobs")["QueueUrl"], MessageBody="x")
"""
CODE_BETWEEN = FIVE_A_SECOND.replace(
    "functions:", "functions:\n  front: {handler: front.handler, code: front.py}"
).replace('send_message: {queue: jobs, message_body: "{n}"}', "invoke: {function: front, invocation_type: Event}")


@pytest.mark.parametrize("text", [TWO_HOPS, CODE_BETWEEN], ids=["SNS to SQS", "a function sends"])
def test_an_event_is_done_when_all_that_it_led_to_is_done(text: str) -> None:
    """Not when the first hop took it: a queue behind a topic, or behind a function, is where it waits."""
    Path("front.py").write_text(FRONT)
    alone, chained = runs(FIVE_A_SECOND, "--rate", "20/s"), runs(text, "--rate", "20/s")
    [there], [row] = alone[0]["rows"], chained[0]["rows"]
    assert row["events"] == row["processed"] == there["events"]
    assert row["throughput"] == pytest.approx(5, rel=0.1)
    for name in ("p50_age_ms", "p99_age_ms", "max_age_ms"):
        assert row[name] == pytest.approx(there[name], rel=0.05)
    assert "was done at any of these rates, of the 20/s that came" in simbus(text, "--rate", "20/s")
    [cut] = runs(text, "--rate", "20/s", "--set", "until=90s")
    assert cut["rows"][0]["processed"] < 500
    assert cut["rows"][0]["p50_age_ms"] > 40_000
