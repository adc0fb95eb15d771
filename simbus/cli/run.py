"""`simbus run`."""

from __future__ import annotations

import gc
import shlex
import sys
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from simbus.cli.exits import EXPECTATION_FAILED, complain, exit_status, uninterrupted
from simbus.cli.exploring import (
    Jobs,
    KeepGoing,
    OnlyEvents,
    OnlyFaults,
    Seeds,
    Ties,
    asked,
    explore,
    refuse_for_one_run,
)
from simbus.cli.results import Github, Junit, check_outputs, error_in_junit, show_summary
from simbus.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from simbus.recording.source import Input
    from simbus.report.document import Summary
    from simbus.scenario.loader import Scenario
    from simbus.scenario.variant import Variant
    from simbus.simulation import Simulation

DEFAULT_GUARD = 30.0

ScenarioArgument = Annotated[
    str, typer.Argument(metavar="SCENARIO", help="The scenario file (YAML).", show_default=False)
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Change a value of the scenario. May be given more than once."),
]


Database = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="The run file; an existing one is replaced. [default: ./SCENARIO-NAME.db]"),
]
Speed = Annotated[
    float | None,
    typer.Option(metavar="X", help="Play in real time, X virtual seconds a second. [default: as fast as it goes]"),
]
Json = Annotated[bool, typer.Option("--json", help="Print the summary as one JSON document.")]
Guard = Annotated[
    str, typer.Option(metavar="S", help="Seconds of CPU time that a handler may burn at one instant; 0 or off: any.")
]
Payloads = Annotated[
    str | None,
    typer.Option(metavar="SHARE", help="Keep the payloads of a share of the events only: 0.01, or 1%. [default: all]"),
]


class Options(NamedTuple):
    """What a run was asked for besides the scenario itself; `overrides` only to show how to repeat it."""

    variant: Variant
    db: Path
    speed: float | None
    handler_guard: float | None
    overrides: list[str]
    record: Path | None = None


def run(
    scenario: ScenarioArgument,
    seed: Annotated[
        str | None,
        typer.Option(
            metavar="SEED", help="Decides every random number: a number, or any text. [default: the scenario's]"
        ),
    ] = None,
    db: Database = None,
    speed: Speed = None,
    json: Json = False,
    overrides: Overrides = None,
    handler_guard: Guard = f"{DEFAULT_GUARD:g}",
    ties: Ties = None,
    events: OnlyEvents = None,
    faults: OnlyFaults = None,
    seeds: Seeds = None,
    jobs: Jobs = None,
    keep_going: KeepGoing = False,
    record: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Record what the workload does, for `simbus replay` (.gz: compressed)."),
    ] = None,
    payloads: Payloads = None,
    junit: Junit = None,
    github: Github = None,
) -> None:
    """Run a scenario and print what it came to.

    The run is compared with the scenario's expectations; where one fails, the exit status is 1.
    """
    with exit_status():
        exploring = asked(seeds, jobs, keep_going, seed_of(seed))
        if exploring is not None:
            refuse_for_one_run(
                db=db, speed=speed, ties=ties, events=events, faults=faults, record=record,
                payloads=payloads, junit=junit, github=github,
            )  # fmt: skip
        from simbus.cli.handlers import warnings
        from simbus.scenario.loader import load
        from simbus.scenario.variant import Variant

        given = [*(overrides or []), *keeping(payloads)]
        check_speed(speed)
        guard = guard_of(handler_guard)
        loaded = load(scenario, given)
        variant = Variant.read(loaded, seed_of(seed), ties, events, faults)
        options = Options(variant, db or Path(f"{loaded.name}.db"), speed, guard, given, record)
        if exploring is None:
            check_outputs(db=options.db, record=record, junit=junit)
        reproduce = _command(scenario, loaded, options)
        for warning in warnings(loaded):
            complain(warning)
    if exploring is not None:
        explore(
            scenario, loaded, exploring, overrides=given, handler_guard=guard, json=json,
            command=lambda which: ["simbus", "run", scenario, *which, *further_words(options)],
        )  # fmt: skip
        return
    with exit_status(f"Reproduce with: {reproduce}"):
        with error_in_junit(junit, loaded.name, reproduce):
            summary = play(loaded, options, reproduce)
        show_summary(summary, json=json, junit=junit, github=github)
        if not json and sys.stderr is not None and sys.stderr.isatty():
            complain(f"{summary.real.seconds:.2f} s of real time")
    if not summary.passed:
        raise typer.Exit(EXPECTATION_FAILED)


def play(
    scenario: Scenario, options: Options, reproduce: str, instead: Callable[[Simulation], object] | None = None
) -> Summary:
    """Run a checked scenario into its run file (of which `check_outputs` was asked), and read the summary from there.

    `instead` is called with the simulation before it runs, and then its workload is left out. Raises what
    `simbus.scenario.build.run_scenario` raises; an interrupted run leaves a run file that is whole.
    """
    from simbus.cli.handlers import without_code
    from simbus.cli.progress import watching
    from simbus.expectations.judgement import JUDGEMENT, Judgement
    from simbus.logs.reader import open_run
    from simbus.logs.runfile import add_facts
    from simbus.report.summary import summarise
    from simbus.scenario.build import build, check
    from simbus.scenario.expectations import judge
    from simbus.scenario.workload import Feed

    began = perf_counter()
    check(without_code(scenario))
    if not gc.isenabled():  # as `main` starts: what is there by now stays, and need not be looked at again
        gc.freeze()
        gc.enable()
    simulation, plan = build(
        scenario,
        db=options.db,
        speed=options.speed,
        handler_guard=options.handler_guard,
        variant=options.variant,
        workload=instead is None,
        record=options.record,
    )
    complete = False
    came: list[int] = []
    try:
        for feed in plan.feeds:
            if not isinstance(feed, Feed):
                tell(feed.source)
            if options.variant.events is not None:
                feed.note = came.append
        if instead is not None:
            instead(simulation)
        with watching(simulation):
            simulation.play(plan.until, idle=False)
        complete = True
    finally:
        with uninterrupted():
            simulation.close(complete=complete)
    _tell_of_parts(options.variant, bool(came), bool(simulation.faults.occurred))
    with open_run(options.db) as rows:
        judgement = Judgement(judge(scenario, rows), reproduce, round(perf_counter() - began, 3))
    add_facts(options.db, {JUDGEMENT: judgement.json()})
    with open_run(options.db) as rows:
        return summarise(rows)


def _tell_of_parts(variant: Variant, came: bool, occurred: bool) -> None:
    """Say on stderr where nothing of what --events or --faults choose was there."""
    for option, chosen, any_of_it in (("--events", variant.events, came), ("--faults", variant.faults, occurred)):
        if chosen is not None and str(chosen) != "none" and not any_of_it:
            complain(f"{option} {chosen}: nothing of it was there in this run; the numbers count from 0.")


def tell(source: Input) -> None:
    """What of a file is not replayed, on stderr."""
    for note in source.notes():
        complain(f"{source.path}: {note}")


def check_speed(speed: float | None) -> None:
    from simbus.kernel import Timeline
    from simbus.kernel.pace import Pace

    if speed is not None:
        try:
            Pace(Timeline(), speed)
        except UsageError as error:
            raise UsageError(f"--speed: {error}") from None


def seed_of(text: str | None) -> int | str | None:
    try:
        return None if text is None else int(text)
    except ValueError:
        return text


def keeping(payloads: str | None) -> list[str]:
    """The override of the scenario that `--payloads` is short for."""
    if payloads is None:
        return []
    from simbus.logs.sampling import share_of

    try:
        share_of(payloads)
    except UsageError as error:
        raise UsageError(f"--payloads {error}") from None
    return [f"run_file.payloads={payloads}"]


def guard_of(text: str) -> float | None:
    if text == "off":
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise UsageError(
            f"--handler-guard {text}: is no number of seconds, 0 or more; it is the CPU time that a handler may burn "
            "at one instant. Write for example 30, or off."
        )
    return seconds or None


def _command(path: str, scenario: Scenario, options: Options) -> str:
    """The command that repeats the run."""
    variant = options.variant
    if variant.seed is None:
        variant = variant._replace(seed=scenario.spec.seed)
    return shlex.join(["simbus", "run", path, *variant.options(), *further_words(options)])


def further_words(options: Options) -> list[str]:
    """The further options that another run must have to be the same."""
    words = [word for override in options.overrides for word in ("--set", override)]
    if options.handler_guard != DEFAULT_GUARD:
        words += ["--handler-guard", "off" if options.handler_guard is None else f"{options.handler_guard:g}"]
    return words
