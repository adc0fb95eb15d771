"""`simbus.explore(function)`: seeds of a test in Python, the first failure, and the smallest order that shows it."""

from __future__ import annotations

import os
import threading
import time
from typing import Any

import pytest

import simbus
from simbus import Simulation, StalledError
from simbus.exploration.exploration import described
from simbus.kernel import MILLISECOND


def lose_an_update(sim: Simulation) -> None:
    """Two of five handlers that come at random within 2 s and take 20 ms may add to the same number."""
    bucket = sim.bucket("state")
    bucket.put_object("count", "0")

    def handler(event: Any, context: Any) -> None:
        count = int(bucket.get_object("count")["Body"])
        time.sleep(0.02)
        bucket.put_object("count", str(count + 1))

    add = sim.function("add", handler=handler, simulate={"init_duration": "0s"})
    rng = sim.timeline.rng("arrivals")
    for _ in range(5):
        instant = int(rng.random() * 2000) * MILLISECOND
        sim.timeline.at(instant, lambda _: add.invoke({}, invocation_type="Event"))
    sim.run()
    assert bucket.get_object("count")["Body"] == b"5"


def ship_before_it_is_paid(sim: Simulation) -> None:
    """Both are asked for at the same instants; only in the usual order the second finds what the first has done."""
    paid: set[str] = set()
    pay = sim.function("pay", handler=lambda event, context: paid.add(event), simulate={"init_duration": "0s"})

    def shipped(event: Any, context: Any) -> None:
        assert event in paid

    ship = sim.function("ship", handler=shipped, simulate={"init_duration": "0s"})
    for second in range(5):
        for function in (pay, ship):
            sim.timeline.at(
                second * 10**9,
                lambda call: call[0].invoke(call[1], invocation_type="Event"),
                (function, f"order-{second}"),
            )
    sim.run(until="6s")
    assert [attempt.status for attempt in ship.invocations] == ["ok"] * 5


@pytest.mark.parametrize("function", [lose_an_update, ship_before_it_is_paid])
def test_the_result_does_not_depend_on_the_number_of_jobs(function: Any) -> None:
    """The same failing seed, the same shrunk run."""
    one, two = (simbus.explore(function, seeds=range(100, 300), jobs=jobs) for jobs in (1, 2))
    assert one.document() == two.document()
    assert one.failed
    assert one.failed[0].alone


def test_all_failures_are_counted_in_order() -> None:
    found = [simbus.explore(lose_an_update, seeds=60, jobs=jobs, keep_going=True) for jobs in (1, 2)]
    assert found[0].document() == found[1].document()
    assert found[0].explored == 60
    seeds = [each.seed for each in found[0].failed]
    assert seeds == sorted(seeds)
    assert 2 < len(seeds) < 40


def test_an_order_that_does_not_matter_is_taken_back() -> None:
    found = simbus.explore(lose_an_update, seeds=100, jobs=1)
    assert found.shrunk is not None
    assert found.shrunk.variant.ties is None
    assert found.reproduce == f"Simulation(seed={found.failed[0].seed})"


def test_an_order_that_matters_is_limited_to_one_instant() -> None:
    """What is printed repeats it: another order at this one instant, and the usual one everywhere else."""
    found = simbus.explore(ship_before_it_is_paid, seeds=50, jobs=1)
    assert found.shrunk is not None
    ties = found.shrunk.variant.ties
    assert ties is not None
    assert ties.instants is not None
    assert len(ties.instants) == 1
    assert found.reproduce == f'Simulation(seed={found.failed[0].seed}, ties="{ties}")'
    with pytest.raises(AssertionError), eval(found.reproduce) as sim:
        ship_before_it_is_paid(sim)


def fail_at_the_third_outage(sim: Simulation) -> None:
    queue = sim.queue("q")
    sim.fault(queue=queue, outage=True, every={"exponential": "1m"}, for_="1s")
    sim.fault(queue=queue, duplicate_rate=0.5)
    sim.timeline.at(20 * 60 * 10**9, lambda _: None)
    sim.run()
    assert (0, 2) not in sim.faults.occurred


def test_faults_are_left_out_one_by_one() -> None:
    found = simbus.explore(fail_at_the_third_outage, seeds=3, jobs=1)
    assert found.reproduce == 'Simulation(seed=0, faults="0.2")'
    assert found.shrunk is not None
    assert (len(found.shrunk.now.faults), len(found.shrunk.before.faults) > 10) == (1, True)


def stall(sim: Simulation) -> None:
    if sim.seed == 3:
        raise StalledError("it waits for what can't happen")


def break_down(sim: Simulation) -> None:
    if sim.seed == 3:
        raise KeyError("a mistake in simbus")


def be_wrong(sim: Simulation) -> None:
    if sim.seed == 3:
        sim.queue("q", no_such_attribute=1)


@pytest.mark.parametrize(("function", "kind", "status"), [(stall, "StalledError", 3), (break_down, "KeyError", 70)])
def test_a_run_that_can_not_finish_fails(function: Any, kind: str, status: int) -> None:
    found = simbus.explore(function, seeds=10, jobs=2)
    [failed] = found.failed
    assert (failed.seed, failed.failure.kind, failed.failure.exit_status) == (3, kind, status)


def test_what_is_itself_wrong_is_no_failure() -> None:
    with pytest.raises(simbus.UsageError, match="no_such_attribute"):
        simbus.explore(be_wrong, seeds=10, jobs=2)


kept: list[int] = []


def keep_something(sim: Simulation) -> None:
    kept.append(int(sim.seed))
    assert len(kept) < 4


def test_state_outside_of_the_simulation_is_found_out() -> None:
    """A failure that a fresh process does not have can't be reproduced by a seed: that is said."""
    found = simbus.explore(keep_something, seeds=10, jobs=1)
    assert [(each.seed, each.alone) for each in found.failed] == [(3, False)]
    assert found.reproduce == ""
    assert any("keeps state outside" in line for line in described(found))
    assert kept == []


def test_a_process_with_threads_makes_the_runs_itself_where_it_must() -> None:
    """A copy of a process with threads may hang: nothing is copied there; what can't be sent is run here."""
    here: list[int] = []

    def function(sim: Simulation) -> None:
        here.append(os.getpid())
        assert sim.seed != 5

    ready = threading.Event()
    other = threading.Thread(target=ready.wait)
    other.start()
    try:
        found = simbus.explore(function, seeds=10, jobs=4)
    finally:
        ready.set()
        other.join()
    assert [each.seed for each in found.failed] == [5]
    assert set(here) == {os.getpid()}


def test_seeds_and_jobs_are_checked() -> None:
    for wrong in ({"seeds": 0}, {"seeds": [-1]}, {"seeds": 5, "jobs": 0}):
        with pytest.raises(simbus.UsageError, match="explore:"):
            simbus.explore(stall, **wrong)  # type: ignore[arg-type]


def test_nothing_fails() -> None:
    found = simbus.explore(stall, seeds=3, jobs=2)
    assert found.passed
    assert list(described(found)) == ["3 seeds, no failure"]
