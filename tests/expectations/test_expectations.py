"""What `expect` compares, from the rows of a run file alone."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from simbus.errors import ScenarioError, UsageError
from simbus.expectations.comparison import Kind, parse_comparison
from simbus.expectations.figures import FIGURES
from simbus.expectations.rows import Subject
from simbus.logs.reader import RunReader, open_run
from simbus.logs.writer import RunWriter
from simbus.metrics import Datapoint
from simbus.scenario.build import run_scenario
from simbus.scenario.expectations import evaluate
from simbus.scenario.loader import load
from simbus.scenario.schema.expect import Expectation
from tests.run_rows import add_attempt, add_delivery


@pytest.fixture
def run(tmp_path: Path) -> Iterator[RunReader]:
    """Four attempts of `resize`, one of them a timeout, one throttle; two events, one of them lost."""
    writer = RunWriter(tmp_path / "run.db")
    writer.open()
    for index, (status, duration) in enumerate([("ok", 10), ("ok", 30), ("timeout", 3000), ("ok", 20)]):
        add_attempt(writer, f"r{index}", "resize", 0, duration, status=status)
    writer.metrics.append(Datapoint(0, "Throttles", "FunctionName=resize", 1.0, "Count"))
    writer.events += [(f"e{n}", 0, "s3:uploads", "ObjectCreated:Put", "a.jpg", None, "{}") for n in (1, 2, 3, 4)]
    writer.hops.append(("e1", 0, "retry", "lambda:resize", None))
    add_delivery(writer, "e1", "r1", 0, "ok", "lambda:resize")
    add_delivery(writer, "e2", "r2", 0, "dropped", "lambda:resize")
    add_delivery(writer, "e2", "r3", 0, "dropped", "lambda:other")
    add_delivery(writer, "e3", "r4", None, "held", "lambda:other")
    add_delivery(writer, "e4", "r5", 0, "dead_letter", "lambda:other")
    for index, state in enumerate(["visible", "delayed", "in_flight", "deleted", "expired", "redriven"]):
        writer.messages.append(("failed", f"m{index}", 0, 0, "x", "{}", "{}", state))
    writer.messages.append(("other", "m9", 0, 0, "x", "{}", "{}", "visible"))
    writer.close()
    with open_run(tmp_path / "run.db") as reader:
        yield reader


def figure(run: RunReader, name: str, function: str | None = None, source: str | None = None) -> float | None:
    """A figure at the end of the run."""
    at_end = FIGURES[name].at_end
    assert at_end is not None
    return at_end(run, Subject(source, function))


def test_figures_are_those_of_cloudwatch(run: RunReader) -> None:
    """Developer Guide, "Types of metrics": Invocations leaves throttles out, Errors counts timeouts."""
    found = [figure(run, name, "resize") for name in ("invocations", "errors", "error_rate", "throttles")]
    assert found == [4, 1, 0.25, 1]
    assert figure(run, "error_rate", "never") is None


def test_percentiles_are_by_nearest_rank(run: RunReader) -> None:
    """The p-th percentile of n values is the one of rank ceil(p n / 100)."""
    found = [figure(run, f"{name}_duration", "resize") for name in ("p50", "p90", "p95", "p99", "max")]
    assert found == [20.0, 3000.0, 3000.0, 3000.0, 3000.0]
    assert figure(run, "p50_duration", "never") is None


def test_an_event_is_lost_once_however_many_subscriptions_dropped_it(run: RunReader) -> None:
    """Contract, "Lost": not processed, not held, not in a DLQ or destination for some subscription."""
    assert figure(run, "lost") == 1


def test_a_queue_holds_what_is_visible_delayed_or_in_flight(run: RunReader) -> None:
    assert figure(run, "messages", source="sqs:failed") == 3


def test_expectations_are_compared_in_the_order_of_the_file(run: RunReader) -> None:
    items = [
        {"lost": 1},
        {"queue": "failed", "messages": "< 3"},
        {"function": "resize", "p50_duration": "<= 20ms", "error_rate": "<= 0.25", "invocations": ">= 100"},
        {"function": "never", "invocations": 0, "p99_duration": "< 1s"},
    ]
    results = evaluate([Expectation.model_validate(item) for item in items], run)
    assert [(str(result), result.passed) for result in results] == [
        ("lost: expected 1, found 1", True),
        ("sqs:failed messages: expected < 3, found 3", False),
        ("lambda:resize invocations: expected >= 100, found 4", False),
        ("lambda:resize error_rate: expected <= 0.25, found 0.25", True),
        ("lambda:resize p50_duration: expected <= 20ms, found 20 ms", True),
        ("lambda:never invocations: expected 0, found 0", True),
        ("lambda:never p99_duration: expected < 1s, found nothing", False),
    ]
    assert results[1].path == ("expect", 1, "messages")


@pytest.mark.parametrize(
    ("literal", "kind", "holds", "fails"),
    [
        (0, "count", 0, 1),
        ("0", "count", 0, 1),
        (">= 100", "count", 100, 99),
        (">100", "count", 101, 100),
        ("!= 3", "count", 4, 3),
        ("== 3", "count", 3, 4),
        (0.5, "share", 0.5, 0.6),
        ("<= 0.01", "share", 0.01, 0.011),
        ("< 1s", "duration", 999.9, 1000.0),
        ("<= 1m30s", "duration", 90_000, 90_001),
    ],
)
def test_a_comparison_holds(literal: object, kind: Kind, holds: float, fails: float) -> None:
    comparison = parse_comparison(literal, kind)
    assert comparison.holds(holds)
    assert not comparison.holds(fails)


@pytest.mark.parametrize(
    ("literal", "kind"),
    [("many", "count"), ("=> 5", "count"), ("", "count"), (True, "count"), (None, "count"), (0.5, "count"),
     (-1, "count"), ("< 1s", "share"), ("nan", "share"), ("< 5", "duration"), (5, "duration"), ("<", "duration")],
)  # fmt: skip
def test_what_is_no_comparison_is_refused(literal: object, kind: Kind) -> None:
    with pytest.raises(UsageError, match="; a comparison is "):
        parse_comparison(literal, kind)


@pytest.mark.parametrize(
    ("check", "message"),
    [
        ("paid_once", "$.expect[0].check is 'paid_once'; a check is module.function."),
        ("billing.paid_once", "$.expect[0].check is 'billing.paid_once', but"),
        ("checks.paid_twice", "checks.py has no function paid_twice; it has paid_once. Correct the name."),
        ("broken.paid_once", "broken.py does not compile"),
    ],
)
def test_a_check_that_is_not_there_is_refused_before_the_run(tmp_path: Path, check: str, message: str) -> None:
    """Its module lies beside the scenario; it is read, and not run."""
    (tmp_path / "checks.py").write_text("raise SystemExit\ndef paid_once(run):\n    pass\n")
    (tmp_path / "broken.py").write_text("def paid_once(:\n")
    (tmp_path / "shop.yaml").write_text(f"functions: {{f: {{}}}}\nexpect: [{{check: {check}}}]\n")
    with pytest.raises(ScenarioError) as refused:
        load(tmp_path / "shop.yaml")
    assert message in str(refused.value)


def test_a_check_imports_what_lies_beside_it_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """Two scenarios may both have a module of that name."""
    (tmp_path / "sums.py").write_text("def attempts(run):\n    return len(list(run.invocations()))\n")
    (tmp_path / "checks.py").write_text("import sums\n\ndef attempts(run):\n    return sums.attempts(run)\n")
    (tmp_path / "shop.yaml").write_text(
        "functions: {f: {}}\nworkload: [{invoke: {function: f}, at: 1s, count: 3}]\n"
        "expect: [{check: checks.attempts, result: 3}, {check: checks.attempts, result: '< 3'}]\n"
    )
    before = set(sys.modules), list(sys.path)
    result = run_scenario(load(tmp_path / "shop.yaml"))
    assert [str(each) for each in result.expectations] == [
        "check checks.attempts: expected 3, found 3",
        "check checks.attempts: expected < 3, found 3",
    ]
    assert [each.passed for each in result.expectations] == [True, False]
    assert ({name for name in set(sys.modules) - before[0] if "sums" in name or "check" in name}, sys.path) == (
        set(),
        before[1],
    )
