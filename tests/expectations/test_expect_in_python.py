"""`sim.expect` and `simbus.expect`: the words of `expect:` in Python."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import simbus
from simbus import Simulation, UsageError
from simbus.cli import app
from simbus.expectations import ExpectationFailed


def charge_handler(event: Any, context: Any) -> None:
    raise ValueError("the card was declined")


@pytest.fixture
def sim(tmp_path: Path) -> Any:
    """A declined card: three attempts, and the event in a dead-letter queue."""
    with Simulation(seed=1, db=tmp_path / "run.db") as sim:
        failed = sim.queue("failed")
        charge = sim.function("charge", handler=charge_handler, dead_letter_config=failed)
        orders = sim.topic("orders")
        orders.subscribe(charge)
        orders.publish("{}")
        sim.run()
        yield sim


def test_what_holds_is_returned(sim: Simulation) -> None:
    """Resources are named as in a scenario, by object, short name or bare name; each figure is a result."""
    [invocations, rate] = sim.expect(function=sim["lambda:charge"], error_rate=1, invocations=3)
    assert (invocations.what, invocations.found, invocations.passed) == ("lambda:charge invocations", 3, True)
    assert rate.found == 1.0
    sim.expect(queue="failed", messages=1)
    sim.expect(queue="sqs:failed", messages="<= 1", always=True)
    sim.expect(topic="orders", function="charge", dead_lettered=1, max_age="> 3m")
    sim.expect(lost=0)


def test_what_does_not_hold_is_an_assertion_error_with_figures_and_seed(sim: Simulation) -> None:
    """A test fails with what was expected and found, and how the run is repeated."""
    with pytest.raises(ExpectationFailed) as failed:
        sim.expect(function="charge", error_rate="< 0.1", invocations=3)
    assert isinstance(failed.value, AssertionError)
    assert str(failed.value) == "lambda:charge error_rate: expected < 0.1, found 1\nseed 1 repeats this run"
    assert [result.passed for result in failed.value.results] == [True, False]


def test_a_check_is_a_function_over_the_run_file(sim: Simulation) -> None:
    """It gets the opened run file, and returns None or True, or a number for `result`; or it raises."""
    sim.expect(check=lambda run: len(list(run.invocations("charge"))), result=3)

    def two_attempts(run: Any) -> bool:
        return len(list(run.invocations("charge"))) == 2

    with pytest.raises(ExpectationFailed, match="check two_attempts: expected true, found false"):
        sim.expect(check=two_attempts)

    def broken(run: Any) -> None:
        run.query("SELECT nothing")["nothing"]

    with pytest.raises(ExpectationFailed, match=r"found TypeError: .*, test_expect_in_python.py:"):
        sim.expect(check=broken)
    with pytest.raises(ExpectationFailed, match="it returned 'yes', not None, True or False"):
        sim.expect(check=lambda run: "yes")


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({}, "expect: has no subject; "),
        ({"function": "charge"}, "expect: expects nothing of the function; name at least one of lost, "),
        ({"function": "charge", "eror_rate": 0}, "expect: has eror_rate; it is no figure. Did you mean error_rate?"),
        ({"function": "charge", "messages": 0}, "expect: has messages, which is a figure of a queue alone."),
        ({"queue": "failed", "errors": 0}, "expect: has errors, which is no figure of queue."),
        ({"topic": "orders", "iterator_age": "< 1s"}, "expect: has iterator_age, which is of the run, a stream, a"),
        ({"queue": "failed", "topic": "orders", "lost": 0}, "expect: has queue and topic; an expectation is about one"),
        ({"function": "charge", "concurrency": 1}, "expect: has concurrency, which is nothing at the end of a run."),
        ({"cost": 0, "always": True}, "expect: has cost with always; it is a figure of the whole run."),
        ({"check": print, "lost": 0}, "expect: has check and lost; a check stands alone."),
        ({"result": 1}, "expect: has result, which is what a check returns."),
        ({"lost": "none"}, "expect: lost is 'none'; a comparison is a whole number"),
        ({"function": "charge:live", "errors": 0}, "expect: function is lambda:charge:live; figures are of a whole"),
        ({"stream": "sqs:failed", "lost": 0}, "expect: stream is sqs:failed; stream names "),
        (
            {"function": "chrage", "errors": 0},
            "expect: the run has no resource lambda:chrage. Did you mean lambda:charge?",
        ),
        ({"function": "zebra", "errors": 0}, "expect: the run has no resource lambda:zebra. It has "),
    ],
)
def test_what_is_no_expectation_is_refused(sim: Simulation, item: dict[str, Any], message: str) -> None:
    """Refuse, never ignore: the same rules as for a scenario file, and names of resources that are not there."""
    with pytest.raises(UsageError) as refused:
        sim.expect(**item)
    assert str(refused.value).startswith(message)


def test_a_source_and_a_function_that_are_not_connected(sim: Simulation, tmp_path: Path) -> None:
    """Nothing goes wrong between them, so nothing would be easy to expect: refused, in the test and of the run file."""
    rule = "is about sqs:failed and function charge, which are not connected; charge gets events of sns:orders"
    with pytest.raises(UsageError, match=f"expect: {rule}, and sqs:failed leads to no function. Name a connected"):
        sim.expect(queue="failed", function="charge", lost=0)
    sim.run()  # it has not ended
    sim.expect(topic="orders", function="charge", lost=0)
    sim.expect(source="lambda:charge", function="charge", lost=0)  # calls of Invoke
    sim.close()
    with pytest.raises(UsageError, match=f"expect: {rule}"):
        simbus.expect(tmp_path / "run.db", queue="failed", function="charge", lost=0)
    simbus.expect(tmp_path / "run.db", topic="orders", function="charge", dead_lettered=1)


def test_a_connection_that_has_ended_is_one() -> None:
    """What went over it while it was there can be asked for."""
    with Simulation() as sim:
        function, orders = sim.function("f"), sim.topic("orders")
        subscription = orders.subscribe(function)
        orders.publish("{}")
        sim.run()
        orders.unsubscribe(subscription)
        sim.expect(topic=orders, function=function, processed=1)


def test_the_iterator_age_of_the_whole_run(tmp_path: Path) -> None:
    """That of whichever function had the oldest record."""
    with Simulation() as sim:
        clicks, count = sim.stream("clicks", shard_count=1), sim.function("count")
        sim.event_source_mapping(clicks, count, starting_position="TRIM_HORIZON")
        clicks.put_record(b"{}", "a")
        sim.run()
        [whole] = sim.expect(iterator_age="< 1m")
        [of_stream] = sim.expect(stream=clicks, function=count, iterator_age="< 1m")
        assert whole.found == of_stream.found is not None


def test_nothing_plays_after_an_expectation(sim: Simulation) -> None:
    """The rows that say how things stand at the end are written once."""
    sim.expect(lost=0)
    with pytest.raises(UsageError, match="the run has been finished"):
        sim.run()


def test_a_run_file_is_judged_and_reported_later(sim: Simulation, tmp_path: Path) -> None:
    """`simbus.expect` over a run file; `simbus report` shows what the test in Python expected."""
    sim.expect(queue="failed", messages=1)
    sim.close()
    file = tmp_path / "run.db"
    [result] = simbus.expect(file, function="charge", errors=3)
    assert result.passed
    with pytest.raises(ExpectationFailed, match="seed 1 repeats this run"):
        simbus.expect(str(file), lost=1)
    with pytest.raises(UsageError, match=r"the run has no queue fialed. Did you mean failed"):
        simbus.expect(file, queue="fialed", messages=0)
    with pytest.raises(UsageError, match=r"the run has no function chrage. Did you mean charge"):
        simbus.expect(file, function="chrage", errors=0)
    report = CliRunner().invoke(app, ["report", str(file), "--json"])
    assert report.exit_code == 0
    assert [each["what"] for each in json.loads(report.stdout)["expectations"]] == ["sqs:failed messages"]


def test_cost_knows_what_rows_do_not_say(tmp_path: Path) -> None:
    """arm64 costs less a GB-second (https://aws.amazon.com/lambda/pricing); a run driven from Python knows its own."""
    costs = []
    for architecture in ("x86_64", "arm64"):
        with Simulation() as sim:
            f = sim.function("f", architectures=[architecture], timeout=20, simulate={"duration": "10s"})
            f.invoke()
            [result] = sim.expect(function=f, cost="< $0.001")
            costs.append(result.found)
    assert isinstance(costs[0], float)
    assert isinstance(costs[1], float)
    assert 0 < costs[1] < costs[0] * 0.85


def test_an_age_is_of_what_was_done_and_of_what_is_held() -> None:
    """What is lost was never done, however soon; what waits at the end of a run is at least as old as it was then."""
    with Simulation(seed=1) as sim:
        work = sim.function("work", simulate={"duration": "1m", "init_duration": "0s"}, timeout=120)
        gone = sim.function("gone", reserved_concurrent_executions=0)
        sim.at("1s", lambda: work.invoke({}, invocation_type="Event"))
        sim.at("1s", lambda: gone.invoke({}, invocation_type="Event"))
        sim.run("10s")
        found = sim.expect(function=work, held=1, lost=0, max_age=">= 1s")
        assert [result.found for result in found] == [0, 1, 9000]
        with pytest.raises(AssertionError, match="lambda:gone max_age: expected < 1s, found nothing"):
            sim.expect(function=gone, held=0, lost=1, max_age="< 1s")
