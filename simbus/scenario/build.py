"""From a checked scenario to a simulation, and a whole run of it."""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, NamedTuple

from simbus.arn import Account
from simbus.errors import ScenarioError, UsageError
from simbus.expectations.connections import connections, unconnected
from simbus.expectations.thinned import lacking
from simbus.faults.reading import read_fault
from simbus.logs.sampling import ALL
from simbus.scenario.arrivals import Offer
from simbus.scenario.expectations import ExpectationResult, judge
from simbus.scenario.loader import Scenario
from simbus.scenario.resources import Builder
from simbus.scenario.schema.workload import Item
from simbus.scenario.trace import TraceFile
from simbus.scenario.variant import Variant
from simbus.scenario.workload import Feed
from simbus.simulation import Simulation

if TYPE_CHECKING:
    from simbus.recording.replay import Replay

HANDLER_GUARD = 30.0
AS_WRITTEN = Variant()


class RunPlan(NamedTuple):
    """How a built scenario is run: its workload is on the timeline; `until` (ns) is its end at the latest."""

    feeds: tuple[Feed | Replay, ...]
    until: int | None


class RunResult(NamedTuple):
    """What a run came to. `expectations` in the order of the file; `now` is the virtual time at its end (ns)."""

    seed: int | str
    digest: str
    now: int
    expectations: list[ExpectationResult]

    @property
    def passed(self) -> bool:
        return all(result.passed for result in self.expectations)


def build(
    scenario: Scenario,
    *,
    db: str | FilePath | None = None,
    seed: int | str | None = None,
    speed: float | None = None,
    handler_guard: float | None = HANDLER_GUARD,
    workload: bool = True,
    variant: Variant = AS_WRITTEN,
    record: str | FilePath | None = None,
    offer: Offer | None = None,
) -> tuple[Simulation, RunPlan]:
    """A simulation with everything that the scenario describes, its workload on the timeline.

    `seed` None takes that of the `variant`, or the scenario's own. `workload` False leaves the workload out (a replay
    has its own). `record` is a file that records it, see `Simulation`. `offer` gives items other arrivals. Raises
    ScenarioError with file, line and path where AWS or simbus refuses a resource; then nothing is left behind but an
    incomplete run file at `db`, which `check` avoids.
    """
    spec = scenario.spec
    simulation = Simulation(
        next(each for each in (seed, variant.seed, spec.seed) if each is not None),
        start=spec.start,
        account=Account(**spec.account.model_dump()),
        db=db,
        speed=speed,
        handler_guard=handler_guard,
        scenario=scenario.name,
        ties=variant.ties,
        record=record,
        payloads=spec.run_file.payloads,
    )
    try:
        Builder(simulation, scenario).build()
        _expectations(simulation, scenario)
        simulation.faults.only = variant.faults
        _faults(simulation, scenario)
        feeds: tuple[Feed | Replay, ...] = ()
        wanted = variant.events
        if workload:
            feeds = tuple(
                _feed(simulation, scenario, index, item, None if wanted is None else wanted[index], offer)
                for index, item in enumerate(spec.workload)
            )
            _preload(simulation, scenario)
            for feed in feeds:
                feed.start()
    except BaseException:
        simulation.close(complete=False)
        raise
    return simulation, RunPlan(feeds, spec.until)


def check(scenario: Scenario) -> None:
    """Build a scenario in memory and throw it away. Raises ScenarioError as `build` does."""
    simulation, _ = build(scenario)
    simulation.close(complete=False)


def run_scenario(
    scenario: Scenario,
    *,
    db: str | FilePath | None = None,
    seed: int | str | None = None,
    speed: float | None = None,
    handler_guard: float | None = HANDLER_GUARD,
    variant: Variant = AS_WRITTEN,
) -> RunResult:
    """Run a scenario to its end and compare the run with its expectations.

    A scenario that can't be built raises ScenarioError and leaves `db` alone. Raises RunError where a run can't finish;
    the run file then holds what happened so far.
    """
    if db is not None:
        check(scenario)
    simulation, plan = build(scenario, db=db, seed=seed, speed=speed, handler_guard=handler_guard, variant=variant)
    with simulation:
        simulation.play(plan.until, idle=False)
        simulation.finish()
        with simulation.reader() as rows:
            results = judge(scenario, rows)
        return RunResult(simulation.seed, simulation.digest(), simulation.now, results)


def _feed(
    simulation: Simulation,
    scenario: Scenario,
    index: int,
    item: Item,
    only: Container[int] | None,
    offer: Offer | None,
) -> Feed | Replay:
    stop = scenario.spec.duration
    if item.replay is not None:
        from simbus.scenario.recorded import recorded  # with all forms of a file, which few scenarios need

        return recorded(simulation, scenario, index, item, stop, only)
    return Feed(simulation, scenario, index, item, stop, only, offer)


def _faults(simulation: Simulation, scenario: Scenario) -> None:
    for index, fault in enumerate(scenario.spec.faults):
        try:
            simulation.faults.add(read_fault(fault.settings(), scenario.folder))
        except UsageError as error:
            raise ScenarioError(f"{scenario.source.where(('faults', index))}: {error}") from None


def _expectations(simulation: Simulation, scenario: Scenario) -> None:
    """An expectation of a source and a function is about a connection that is there; it can be had from the rows."""
    known = connections(simulation)
    thinned = scenario.spec.run_file.payloads < ALL
    for index, item in enumerate(scenario.spec.expect):
        text = unconnected(item.subject(), known)
        if text is None and thinned:
            text = lacking(item.figures(), item.subject())
        if text is not None:
            raise ScenarioError(f"{scenario.source.where(('expect', index))} {text}")


def _preload(simulation: Simulation, scenario: Scenario) -> None:
    """Let the environments be warm that were so when a trace began."""
    for index, item in enumerate(scenario.spec.workload):
        if item.trace is not None and item.invoke is not None and item.trace.environment_column is not None:
            try:
                warm = TraceFile(item.trace, scenario.folder).warm()
            except UsageError as error:
                raise ScenarioError(f"{scenario.source.where(('workload', index, 'trace'))} {error}") from None
            simulation[item.invoke.function].preload(warm)
