"""One probe: one run of the scenario under a profile, in a process of its own, its rows in a file."""

from __future__ import annotations

import gc
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from simbus.arn import short_name
from simbus.errors import RunError
from simbus.expectations import cost
from simbus.expectations.judgement import JUDGEMENT, Judgement
from simbus.expectations.results import ExpectationResult
from simbus.faults.idle import IDLE_FAULTS, IdleFault
from simbus.kernel import SECOND
from simbus.load.figures import Row, measure
from simbus.load.limits import Reached, reached
from simbus.load.profiles import Offer, Profile, options
from simbus.load.rates import mix_of
from simbus.load.warm import look_at
from simbus.logs.reader import open_run
from simbus.logs.runfile import add_facts
from simbus.scenario.build import HANDLER_GUARD, build
from simbus.scenario.expectations import judge
from simbus.scenario.loader import Scenario, load
from simbus.scenario.variant import Variant

IMPLIED: Final = ("refused", "lost", "held")
"""Figures that are expected to be 0 where anything is expected, and nothing of them."""


class Subject(NamedTuple):
    """What is tested: a scenario file, what is changed in it and expected besides, the seed, the guard of handlers."""

    path: str
    overrides: tuple[str, ...] = ()
    expectations: tuple[str, ...] = ()
    seed: int | str | None = None
    handler_guard: float | None = None

    def scenario(self, further: tuple[str, ...] = ()) -> Scenario:
        """The scenario with further overrides. Raises ScenarioError.

        A load that was not even taken is none, nor is one that was lost or is not done in the end: where anything is
        expected, so is `refused == 0`, `lost == 0` and `held == 0`, each unless something is said of it.
        """
        overrides = (*self.overrides, *further)
        found = load(self.path, overrides, self.expectations)
        said = {name for item in found.spec.expect for name in item.figures()}
        implied = [f"{name} == 0" for name in IMPLIED if name not in said]
        return load(self.path, overrides, (*self.expectations, *implied)) if found.spec.expect and implied else found


class Probe(NamedTuple):
    """One run: which cell of the grid, its overrides, its load, its run file and whether that stays."""

    cell: int
    overrides: tuple[str, ...]
    profile: Profile
    db: Path
    keep: bool


class Played(NamedTuple):
    """What a probe came to. `error` is of a run that could not finish, which then has nothing else.

    `drained_s` is how long the run went on after the load had ended, until nothing was pending; `idle_faults` are those
    that never occurred.
    """

    probe: Probe
    rows: list[Row]
    expectations: list[ExpectationResult]
    limits: list[Reached]
    drained_s: float
    digest: str
    error: str | None = None
    idle_faults: Sequence[IdleFault] = ()

    @property
    def holds(self) -> bool:
        """Whether everything was as expected."""
        return all(result.passed for result in self.expectations)


def play(subject: Subject, probe: Probe) -> Played:
    """Play a probe from scratch, and measure it. Raises ScenarioError."""
    if not gc.isenabled():
        gc.enable()
    scenario = scaled(subject.scenario(probe.overrides), probe.profile)
    try:
        digest = _run(scenario, subject, probe)
    except RunError as error:
        return Played(probe, [], [], [], 0.0, "", f"{error}\nReproduce with: {command(subject, probe)}")
    with open_run(probe.db) as run:
        look_at(run, probe.profile)
        results = judge(scenario, run)
        rows = measure(run, probe.profile, read_queues(scenario))
        limits = reached(run, scenario)
        facts = cost.facts_of(run)
        idle = msgspec.json.decode(facts.get(IDLE_FAULTS, "[]"), type=list[IdleFault])
        drained = cost.virtual_seconds(facts) - probe.profile.length / SECOND
    if probe.keep:
        add_facts(probe.db, {JUDGEMENT: Judgement(results, command(subject, probe)).json()})
    else:
        probe.db.unlink()
    return Played(probe, rows, results, limits, drained, digest, idle_faults=idle)


def command(subject: Subject, probe: Probe) -> str:
    """The command that plays this run alone, and keeps its run file."""
    words = ["simbus", "load", subject.path, *options(probe.profile)]
    words += [word for each in (*subject.overrides, *probe.overrides) for word in ("--set", each)]
    words += [word for each in subject.expectations for word in ("--expect", each)]
    if subject.seed is not None:
        words += ["--seed", str(subject.seed)]
    if subject.handler_guard != HANDLER_GUARD:
        words += ["--handler-guard", "off" if subject.handler_guard is None else f"{subject.handler_guard:g}"]
    return shlex.join([*words, "--db", str(probe.db.parent) if probe.keep else "runs"])


def _run(scenario: Scenario, subject: Subject, probe: Probe) -> str:
    offer = Offer(probe.profile, mix_of(scenario))
    simulation, plan = build(
        scenario, db=probe.db, handler_guard=subject.handler_guard, variant=Variant(subject.seed), offer=offer
    )
    complete = False
    try:
        simulation.play(plan.until, idle=False)
        simulation.finish()
        digest = simulation.digest()
        complete = True
    finally:
        simulation.close(complete=complete)
    return digest


def scaled(scenario: Scenario, profile: Profile) -> Scenario:
    """The scenario with the length of the profile in place of its `duration`, where it has one."""
    spec = scenario.spec
    if spec.duration is None:
        return scenario
    return replace(scenario, spec=spec.model_copy(update={"duration": profile.length}))


def read_queues(scenario: Scenario) -> list[str]:
    """The queues that a mapping reads: how deep they are says how far behind the functions are."""
    sources = (short_name(mapping.event_source) for mapping in scenario.spec.event_source_mappings)
    return list(dict.fromkeys(name for service, name, _ in sources if service == "sqs"))
