"""The figures at the end of a run, read from its rows."""

import json
from pathlib import Path
from typing import Any

import pytest

from simbus import Simulation
from simbus.errors import UsageError
from simbus.expectations.results import ExpectationResult
from simbus.functions.pricing import REQUEST, invocation_cost, provisioned_cost
from simbus.logs.reader import open_run
from simbus.logs.writer import RunWriter
from simbus.metrics import Datapoint
from simbus.report.document import Summary, report_schema
from simbus.report.summary import functions_of, summarise
from simbus.report.text import closing, plain
from tests.run_rows import add_attempt, add_delivery

START = 1_767_225_600_000  # 2026-01-01T00:00:00Z, ms


def attempt(
    rows: RunWriter, function: str, stream: str, billed: int, status: str = "ok", init: float | None = None
) -> None:
    """An attempt that lasted as many milliseconds as it is billed."""
    add_attempt(
        rows, "id", function, START, START + billed, stream=stream, billed=billed, init=init, memory_size=512,
        status=status,
    )  # fmt: skip


def message(queue: str, state: str) -> tuple[object, ...]:
    return (queue, "id", START, 0, "body", "{}", "{}", state)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A run of an hour: f with two on-demand streams, p with provisioned concurrency, idle, two queues."""
    resources = {
        "functions": {
            "f": {"architecture": "arm64", "ephemeral_storage": 1024, "memory_size": 512},
            "idle": {},
            "p": {"memory_size": 512, "provisioned": {"$LATEST": 2}},
        },
        "queues": ["jobs", "empty"],
    }
    facts = {
        "seed": "7",
        "version": "0.1.0",
        "scenario": "shop",
        "start": "2026-01-01T00:00:00.000Z",
        "ended": "2026-01-01T01:00:00.500Z",
        "resources": json.dumps(resources),
        "idle_faults": json.dumps([{"fault": "faults[1]", "resource": "lambda:f", "effects": "error_rate: 1"}]),
    }
    with RunWriter(tmp_path / "run.db") as rows:
        for key, value in facts.items():
            rows.set(key, value)
        attempt(rows, "f", "f/1", 300, init=100.0)
        attempt(rows, "f", "f/1", 100)
        attempt(rows, "f", "f/2", 200, "timeout", init=90.0)
        attempt(rows, "p", "p/1", 1000)
        attempt(rows, "p", "p/2", 500, init=80.0)
        attempt(rows, "p", "p/2", 100, "error")
        counted = (("Throttles", "f", 0.0), ("Throttles", "f", 1.0), ("Throttles", "p", 0.0), ("Errors", "f", 1.0))
        rows.metrics += [Datapoint(START, name, f"FunctionName={of}", value, "Count") for name, of, value in counted]
        states = ("visible", "visible", "delayed", "in_flight", "deleted", "deleted", "deleted", "expired", "redriven")
        rows.messages += [message("jobs", state) for state in states]
        rows.messages.append(message("other", "visible"))
        rows.events += [(event, START, "s3:uploads", "Put", "key", None, "{}") for event in ("e1", "e2")]
        rows.hops.append((None, START, "client_error", "lambda:f", "invoke, attempt 1: TooManyRequestsException: no"))
        add_delivery(rows, "e1", None, START, "dropped")
        add_delivery(rows, "e2", None, START, "ok")
    return tmp_path / "run.db"


def summary_of(file: Path, *expectations: ExpectationResult) -> Summary:
    with open_run(file) as run:
        return summarise(run, expectations, "simbus run shop.yaml --seed 7")


def test_functions_are_counted_as_cloudwatch_counts_them(file: Path) -> None:
    """CloudWatch: Invocations are attempts, throttles are apart, Errors are all that is not ok.

    A cold start is an attempt with an Init Duration in its REPORT. Percentiles are by nearest rank.
    """
    f, idle, p = summary_of(file).functions
    assert (f.function, f.invocations, f.errors, f.throttles, f.cold_starts) == ("f", 3, 1, 1, 2)
    assert (f.p50_duration_ms, f.p99_duration_ms) == (200.0, 300.0)
    assert (idle.invocations, idle.p50_duration_ms, idle.cost_usd) == (0, None, 0.0)
    assert (p.function, p.invocations, p.errors, p.cold_starts) == ("p", 3, 1, 1)


def test_cost_is_requests_gb_seconds_and_extra_storage_at_the_price_of_the_architecture(file: Path) -> None:
    """Source of the prices: https://aws.amazon.com/lambda/pricing, as in simbus.functions.pricing."""
    one_by_one = [
        invocation_cost(billed, 512, architecture="arm64", ephemeral_storage=1024) for billed in (300, 100, 200)
    ]
    assert summary_of(file).functions[0].cost_usd == pytest.approx(sum(one_by_one), rel=1e-12)


def test_cost_of_provisioned_concurrency_is_for_the_whole_run_and_cheaper_inside(file: Path) -> None:
    """Provisioned environments cost while they are kept; what runs in them is charged at their own price.

    p/1 has no Init Duration: it was provisioned. p/2 is an on-demand environment beside it (spill-over).
    """
    kept = provisioned_cost(3600.5, 2, 512)
    inside = invocation_cost(1000, 512, provisioned=True)
    beside = invocation_cost(600, 512) + REQUEST
    summary = summary_of(file)
    assert summary.functions[2].cost_usd == pytest.approx(kept + inside + beside, rel=1e-12)
    assert summary.cost_usd == sum(function.cost_usd for function in summary.functions)


def test_messages_are_counted_by_their_state_at_the_end(file: Path) -> None:
    """SQS: ApproximateNumberOfMessages, ...Delayed and ...NotVisible, and what became of the others."""
    jobs, empty, other = summary_of(file).queues
    assert (jobs.queue, jobs.visible, jobs.delayed, jobs.in_flight) == ("jobs", 2, 1, 1)
    assert (jobs.sent, jobs.deleted, jobs.expired, jobs.dead_lettered) == (9, 3, 1, 1)
    assert (empty.queue, empty.sent) == ("empty", 0)
    assert (other.queue, other.sent, other.visible) == ("other", 1, 1)


def test_the_run_itself(file: Path) -> None:
    """The document of --json has the documented keys, and real time apart from all others."""
    failed = ExpectationResult("lost", "0", 1, False)
    document = summary_of(file, failed).document()
    assert document["virtual_seconds"] == 3600.5
    assert (document["seed"], document["scenario"], document["lost"]) == (7, "shop", 1)
    assert document["passed"] is False
    [expectation] = document["expectations"]
    assert expectation | {"what": "lost", "expected": "0", "found": 1, "passed": False} == expectation
    assert document["finished"] is True
    assert document["real"] == {"seconds": None}
    with open_run(file) as run:
        assert document["digest"] == run.run["digest"]
    json.dumps(document)


def test_the_document_is_that_of_its_schema(file: Path) -> None:
    """`simbus schema --report` describes every key that --json prints, at every level."""
    schema = report_schema()
    definitions = schema["$defs"]

    def check(value: Any, kind: dict[str, Any]) -> None:
        definition = definitions[kind["$ref"].rpartition("/")[2]]
        assert set(value) == set(definition["properties"]) - {"comparison"}  # left out without --compare
        assert definition["description"]
        for key, found in value.items():
            each = definition["properties"][key]
            if isinstance(found, list) and "$ref" in each.get("items", {}):
                assert found, key
                check(found[0], each["items"])
            elif isinstance(found, dict):
                check(found, each)

    check(summary_of(file, ExpectationResult("lost", "0", 0, True)).document(), schema)


def test_text_says_what_failed_and_how_to_repeat_it(file: Path) -> None:
    """Every failure prints the command that reproduces it; a run that is all well does not."""
    good, bad = ExpectationResult("lost", "< 2", 1, True), ExpectationResult("lost", "0", 1, False)
    assert "Reproduce" not in closing(summary_of(file, good))
    text = plain(summary_of(file, good, bad))
    assert text.endswith("\n\n1 expectation failed. Reproduce with: simbus run shop.yaml --seed 7")
    assert "seed 7, 1h 0.5s of virtual time" in text
    assert "idle                0       0          0            0          -            -  $0.000000" in text


def test_a_run_that_was_driven_from_python_names_the_functions_of_its_log_streams(tmp_path: Path) -> None:
    """Without the fact `resources` the rows tell which functions there are."""
    with RunWriter(tmp_path / "run.db") as rows:
        for key, value in {"seed": "a", "version": "0", "start": "2026-01-01T00:00:00.000Z"}.items():
            rows.set(key, value)
        attempt(rows, "f", "f/1", 300, init=100.0)
    with open_run(tmp_path / "run.db") as run:
        assert functions_of(run) == ["f"]
        summary = summarise(run)
    assert (summary.seed, summary.virtual_seconds) == ("a", 0.0)
    assert summary.functions[0].cost_usd == invocation_cost(300, 512)


def test_a_provisioned_environment_costs_by_the_cheaper_duration(tmp_path: Path) -> None:
    """Lambda pricing: duration on provisioned concurrency is cheaper than on demand; its init is no part of it."""
    with Simulation(seed=1, db=tmp_path / "run.db") as sim:
        function = sim.function("f", versions={"1": {}}, memory_size=512, simulate={"duration": "100ms"})
        function.put_provisioned_concurrency_config("1", 1)
        sim.run("1m")
        function.invoke({}, qualifier="1")
    with open_run(tmp_path / "run.db") as run:
        [figures] = summarise(run).functions
    invoked = invocation_cost(100, 512, provisioned=True)
    assert (figures.invocations, figures.cold_starts) == (1, 0)
    assert figures.cost_usd == pytest.approx(provisioned_cost(sim.now / 1e9, 1, 512) + invoked)
    assert invoked < invocation_cost(100, 512)


def test_an_unfinished_run_without_facts_is_refused(tmp_path: Path) -> None:
    """A run that was killed before its first flush has no facts to sum up."""
    with RunWriter(tmp_path / "run.db"):
        pass
    with open_run(tmp_path / "run.db") as run, pytest.raises(UsageError, match="no facts"):
        summarise(run)
