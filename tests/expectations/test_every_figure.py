"""Every figure that can be expected: a scenario with the damage, where the expectation fails, and its mended twin."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from simbus.cli import app
from simbus.expectations.figures import FIGURES

# What is in capitals is what the two differ in.
SCENARIO = """
until: 30m
functions:
  slow: {timeout: 60, simulate: {duration: DURATION, init_duration: 100ms}}
  fail: {simulate: {error_rate: ERRORS}, event_invoke_config: {maximum_retry_attempts: 1}}
  kept: {simulate: {error_rate: ERRORS}, event_invoke_config: {maximum_retry_attempts: 0, on_failure: "sqs:failed"}}
  few: {reserved_concurrent_executions: RESERVED, simulate: {duration: 500ms}}
  count: {simulate: {error_rate: ERRORS}}
  last: {timeout: 30, simulate: {duration: DURATION}}
  charge: {timeout: 30, reserved_concurrent_executions: 1, simulate: {duration: 18s}}
buckets: {uploads: {notifications: [{function: slow, events: ["s3:ObjectCreated:*"]}]}}
topics: {news: {subscriptions: [{endpoint: "lambda:fail"}, {endpoint: "lambda:kept"}]}}
streams: {clicks: {shard_count: 1}}
queues:
  failed: {}
  jobs: {}
  orders: {visibility_timeout: VISIBILITY}
event_source_mappings:
  - {event_source: "kinesis:clicks", function: count, starting_position: LATEST, maximum_record_age_in_seconds: 120}
  - {event_source: "sqs:orders", function: charge, batch_size: 1, scaling_config: {maximum_concurrency: 4}}
workload:
  - {put_object: {bucket: uploads, key: a.jpg, size: 1}, count: 6, over: 30s, arrivals: constant}
  - {publish: {topic: news, message: m}, at: 1s, count: 3}
  - {invoke: {function: few, invocation_type: Event}, at: 2s, count: 5}
  - {invoke: {function: few}, at: 40s, count: 10}
  - {put_record: {stream: clicks, partition_key: a, data: x}, at: 3s}
  - {send_message: {queue: jobs, message_body: m}, at: 4s, count: MESSAGES}
  - {send_message: {queue: orders, message_body: m}, at: 5s}
  - {invoke: {function: charge, invocation_type: Event}, at: 1s}
  - {invoke: {function: last, invocation_type: Event}, at: 29m 55s}
expect: []
"""
DAMAGE = {"DURATION": "20s", "ERRORS": "1.0", "RESERVED": "2", "VISIBILITY": "30", "MESSAGES": "4"}
MENDED = {"DURATION": "100ms", "ERRORS": "0.0", "RESERVED": "10", "VISIBILITY": "180", "MESSAGES": "2"}

EXPECTED: list[dict[str, Any]] = [
    {"lost": 0},
    {"topic": "news", "function": "fail", "lost": 0},
    {"topic": "news", "function": "kept", "processed": 3},
    {"queue": "orders", "duplicates": 0},
    {"function": "last", "held": 0},
    {"function": "kept", "dead_lettered": 0},
    {"source": "s3:uploads", "function": "slow", "out_of_order": 0},
    *({"bucket": "uploads", f"{which}_age": "< 1s"} for which in ("p50", "p90", "p95", "p99", "max")),
    {"stream": "clicks", "iterator_age": "< 10s"},
    {"function": "count", "iterator_age": "< 10s"},
    {"function": "fail", "invocations": 3},
    {"function": "fail", "errors": 0},
    {"function": "fail", "error_rate": "< 0.5"},
    {"function": "few", "throttles": 0},
    {"function": "few", "refused": 0},
    {"function": "slow", "cold_starts": "<= 1"},
    {"function": "slow", "concurrency": "<= 1", "always": True},
    *({"function": "slow", f"{which}_duration": "< 1s"} for which in ("p50", "p90", "p95", "p99", "max")),
    {"function": "slow", "cost": "< $0.0001"},
    {"cost": "< 0.0003"},
    {"queue": "failed", "messages": 0},
    {"queue": "jobs", "messages": "<= 2", "always": True},
    {"queue": "failed", "oldest_message": "< 1m"},
    {"function": "fail", "error_rate": "< 0.5", "always": True},
    {"check": "checks.nobody_waits"},
    {"check": "checks.failures", "result": "< 1"},
]
CHECKS = """
def nobody_waits(run):
    for row in run.query("SELECT function FROM invocations WHERE started_at - queued_at > 10000"):
        raise AssertionError(f"{row['function']} waited")


def failures(run):
    return sum(attempt.status != "ok" for attempt in run.invocations())
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both scenarios, and the module with the checks."""
    path = tmp_path_factory.mktemp("figures")
    (path / "checks.py").write_text(CHECKS)
    for name, values in (("damage", DAMAGE), ("mended", MENDED)):
        text = SCENARIO.replace("expect: []", f"expect: {json.dumps(EXPECTED)}")
        for word, value in values.items():
            text = text.replace(word, value)
        (path / f"{name}.yaml").write_text(text)
    return path


def results(folder: Path, name: str) -> dict[str, dict[str, Any]]:
    """What each expectation came to, by its own text."""
    found = CliRunner().invoke(app, ["run", str(folder / f"{name}.yaml"), "--db", str(folder / f"{name}.db"), "--json"])
    assert found.exit_code == (1 if name == "damage" else 0), found.output
    return {f"{each['what']} {each['expected']}": each for each in json.loads(found.stdout)["expectations"]}


def test_every_figure_has_an_expectation_here() -> None:
    """Each has a test that fails without it."""
    assert set(FIGURES) == {name for item in EXPECTED for name in item if name in FIGURES}


def test_the_damage_breaks_each_expectation(folder: Path) -> None:
    """What is expected of the run is not so: every one of them fails, and says what was found."""
    found = results(folder, "damage")
    assert len(found) == len(EXPECTED)
    assert [what for what, each in found.items() if each["passed"]] == []
    what = {key: each["found"] for key, each in found.items()}
    assert what["sns:news -> lambda:fail lost 0"] == 3
    assert what["lambda:fail invocations 3"] == 6
    assert what["sqs:jobs messages always <= 2"] == 4
    assert what["lambda:slow concurrency always <= 1"] >= 3
    assert what["s3:uploads p50_age < 1s"] > 20_000
    assert 60_000 < what["kinesis:clicks iterator_age < 10s"] <= 120_000
    assert str(what["check checks.nobody_waits true"]).startswith("fail waited")


def test_the_mended_scenario_keeps_each_expectation(folder: Path) -> None:
    """The same expectations of the same workload, without the damage."""
    found = results(folder, "mended")
    assert [str(each) for each in found.values() if not each["passed"]] == []
