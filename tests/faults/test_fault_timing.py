"""When faults occur: at a time, again and again, at random from the seed."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest
from faults.scenarios import ask, run, told
from typer.testing import CliRunner

from simbus import Simulation, UsageError
from simbus.cli import app
from simbus.errors import ScenarioError
from simbus.faults.timing import Timing
from simbus.kernel import MINUTE, SECOND
from simbus.kernel.distributions import Constant, Exponential
from simbus.scenario.loader import load

IDLE = "functions: {a: {}}\nworkload: [{invoke: {function: a}, at: 1h}]\n"


def begins(folder: Path) -> list[float]:
    """When the faults begin, in seconds."""
    sql = "SELECT time - 1767225600000 FROM hops WHERE kind = 'fault' AND detail LIKE '%begins%' ORDER BY time"
    return [when / 1000 for (when,) in ask(folder, sql)]


def test_left_out_it_is_from_the_beginning_to_the_end(tmp_path: Path) -> None:
    run(tmp_path, IDLE, "{function: a, error_rate: 1}")
    assert told(tmp_path)[0] == "faults[0] begins, to the end: error_rate: 1"
    assert begins(tmp_path) == [0.0]
    assert ask(tmp_path, "SELECT status FROM invocations") == [("error",)]


def test_every_counts_from_the_end_of_one_to_the_next(tmp_path: Path) -> None:
    run(tmp_path, IDLE, "{at: 1m, every: 10m, for: 5m, function: a, error_rate: 1}")
    assert begins(tmp_path) == [60 * minute for minute in (11, 26, 41, 56)]
    run(tmp_path, IDLE, "{every: 10m, for: 5m, count: 2, function: a, error_rate: 1}")
    assert begins(tmp_path) == [600.0, 1500.0]


def test_random_times_come_from_the_seed(tmp_path: Path) -> None:
    fault = "{every: {exponential: 5m}, for: {exponential: 30s}, function: a, error_rate: 1}"
    found = []
    for seed in (1, 2, 1):
        run(tmp_path, IDLE, fault, seed=seed)
        found.append(begins(tmp_path))
    assert found[0] == found[2] != found[1]
    assert 4 < len(found[0]) < 25


def test_so_many_over_a_time(tmp_path: Path) -> None:
    run(tmp_path, IDLE, "{at: 10m, count: 5, over: 20m, for: 1s, function: a, error_rate: 1}")
    found = begins(tmp_path)
    assert len(found) == 5
    assert found[0] >= 600
    assert found[-1] < 1800


@pytest.mark.parametrize(
    "timing",
    [
        Timing(at=MINUTE, length=Exponential(SECOND), every=Exponential(MINUTE), times=50),
        Timing(at=MINUTE, length=Constant(SECOND), times=50, over=MINUTE),
        Timing(at=MINUTE, length=Constant(0)),
    ],
)
def test_occurrences_are_in_order_and_never_before_at(timing: Timing) -> None:
    found = list(timing.occurrences(Random(1)))
    assert len(found) == (timing.times or 1)
    starts = [begin for begin, _ in found]
    assert starts == sorted(starts)
    assert starts[0] >= MINUTE
    assert all(end is not None and end >= begin for begin, end in found)


def test_a_fault_holds_no_run_open(tmp_path: Path) -> None:
    """The run ends when nothing is pending, also while a fault lasts or another is to come."""
    text = IDLE.replace("1h", "1s")
    result = run(tmp_path, text, "{at: 0s, for: 1d, function: a, latency: 1s}, {at: 5m, function: a, error_rate: 1}")
    assert result.now < 5 * SECOND
    assert begins(tmp_path) == [0.0]


def test_faults_at_once_act_together(tmp_path: Path) -> None:
    """Latencies add up; a fault that ends takes only its own away."""
    text = """
functions: {a: {simulate: {init_duration: 0s}}}
workload: [{invoke: {function: a}, rate: 1/s, for: 10s, arrivals: constant}]
"""
    run(
        tmp_path,
        text,
        "{function: a, latency: 100ms, for: 8s}, {function: a, latency: 200ms, at: 3s, for: 3s}, "
        "{function: a, latency: 1s, at: 500ms, for: 1ms}",
    )
    found = [ms for (ms,) in ask(tmp_path, "SELECT duration_ms FROM invocations ORDER BY started_at")]
    assert found == [101.0] * 3 + [301.0] * 3 + [101.0] * 2 + [1.0] * 2


def test_another_fault_shifts_no_chance_of_the_first(tmp_path: Path) -> None:
    """Each effect of each fault has its own generator, so that one can be taken out to see what the other does."""
    text = "functions: {a: {}}\nworkload: [{invoke: {function: a}, rate: 1/s, for: 30s, arrivals: constant}]\n"
    failed = "SELECT started_at FROM invocations WHERE status = 'error'"
    first = "{function: a, error_rate: 0.3}"
    run(tmp_path, text, first)
    alone = ask(tmp_path, failed)
    run(tmp_path, text, f"{first}, {{every: 5s, for: 1s, function: a, latency: 100ms}}")
    assert ask(tmp_path, failed) == alone


def test_an_occurrence_can_be_left_out() -> None:
    """What shrinks a failing run: the others stay where they are."""
    from simbus.faults.reading import read_fault
    from simbus.kernel.selection import Selection

    with Simulation(seed=1) as sim:
        sim.queue("q")
        spec = read_fault({"queue": "q", "outage": True, "every": {"exponential": "1m"}, "for": "1s"})
        sim.faults.only = Selection.parse("0.1,0.3")
        sim.faults.add(spec)
        sim.timeline.at(10 * MINUTE, lambda _: None)
        sim.run()
        assert [number for _, number in sim.faults.occurred] == [1, 3]


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        ("{function: a, error_rate: 1, for: 0s}", "shop.yaml:4: $.faults[0].for is 0s; a fault lasts some time."),
        ("{function: a, error_rate: 1, at: 2h}", "shop.yaml:4: $.faults[0].at is 2h; the run ends at 2h (until)."),
        ("{function: a, error_rate: 1, every: 0s, for: 1s}", "shop.yaml:4: $.faults[0].every is 0s; between two"),
    ],
)
def test_a_fault_that_can_never_act_is_refused(fault: str, found: str, tmp_path: Path) -> None:
    """A slip of the pen would look like an application that stands everything."""
    path = tmp_path / "shop.yaml"
    path.write_text(f"functions: {{a: {{}}}}\nuntil: 2h\nfaults:\n  - {fault}\n")
    with pytest.raises(ScenarioError) as caught:
        load(path)
    assert str(caught.value).removeprefix(f"{tmp_path}/").startswith(found)
    with Simulation() as sim:
        sim.function("a")
        with pytest.raises(UsageError, match="a fault has for, which is 0s; a fault lasts"):
            sim.fault(function="a", error_rate=1, for_="0s")


def test_a_fault_that_never_occurred_is_told(tmp_path: Path) -> None:
    """What can be known only afterwards: the run ended before. One that was not to occur is not told."""
    scenario = """\
functions: {a: {}}
workload: [{invoke: {function: a}, at: 10s}]
faults:
  - {function: a, error_rate: 1, at: 20m}
  - {function: a, latency: 1s}
  - {every: {exponential: 100d}, for: 1s, function: a, throttle_rate: 0.5}
  - {neighbour_concurrency: 10, at: 1h}
"""
    (tmp_path / "shop.yaml").write_text(scenario)
    command = ["run", str(tmp_path / "shop.yaml"), "--db", str(tmp_path / "run.db")]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0
    assert result.stdout.split("\n\n")[-1].splitlines()[:3] == [
        "faults[0] never occurred (lambda:a, error_rate: 1): the run ended before.",
        "faults[2] never occurred (lambda:a, throttle_rate: 0.5): the run ended before.",
        "faults[3] never occurred (the account, neighbour_concurrency: 10): the run ended before.",
    ]
    document = json.loads(CliRunner().invoke(app, ["report", str(tmp_path / "run.db"), "--json"]).stdout)
    assert [each["fault"] for each in document["idle_faults"]] == ["faults[0]", "faults[2]", "faults[3]"]
    assert "never occurred" not in CliRunner().invoke(app, [*command, "--faults", "1"]).stdout


def test_in_python_a_fault_begins_now_and_not_before() -> None:
    """`at` counts from the start of the run; where it is left out, that is now."""
    with Simulation() as sim:
        function = sim.function("a")
        sim.run(for_="5m")
        with pytest.raises(UsageError, match="a fault has at 1m, and it is 5m now"):
            sim.fault(function=function, error_rate=1, at="1m")
        sim.fault(function=function, error_rate=1, for_="1m")
        sim.run(for_="30s")
        assert function.invoke({}).function_error == "Unhandled"
        sim.run(for_="1m")
        assert function.invoke({}).function_error is None
