"""`simbus replay`."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from simbus.cli.exits import EXPECTATION_FAILED, complain, exit_status, printing
from simbus.cli.exploring import OnlyFaults, Ties
from simbus.cli.results import Github, Junit, check_outputs, error_in_junit, show_summary
from simbus.cli.run import (
    DEFAULT_GUARD,
    Database,
    Guard,
    Json,
    Options,
    Overrides,
    Payloads,
    Speed,
    check_speed,
    further_words,
    guard_of,
    keeping,
    play,
    seed_of,
    tell,
)
from simbus.errors import UsageError

if TYPE_CHECKING:
    from simbus.recording.source import Input
    from simbus.report.comparison import Comparison
    from simbus.scenario.loader import Scenario
    from simbus.simulation import Simulation


Recording = Annotated[
    Path,
    typer.Argument(metavar="RECORDING", help="A recording, or events in another known form.", show_default=False),
]
ScenarioOption = Annotated[
    str, typer.Option(metavar="SCENARIO", help="The scenario file (YAML); its workload is left out.")
]
Seed = Annotated[
    str | None,
    typer.Option(metavar="SEED", help="Decides every random number: a number, or any text. [default: the recording's]"),
]
Begin = Annotated[
    str | None, typer.Option("--from", metavar="T", help="From then on: a time, or a duration since its start.")
]
End = Annotated[
    str | None, typer.Option("--to", metavar="T", help="Up to then: a time, or a duration since its start.")
]
Only = Annotated[
    str | None, typer.Option(metavar="SOURCE", help="Only what is done to a resource (s3:uploads) or service (s3).")
]
Form = Annotated[str | None, typer.Option(metavar="F", help="What the file is. [default: found out]")]
Target = Annotated[
    list[str] | None,
    typer.Option(
        metavar="RESOURCE",
        help="What is meant where the file names another resource or none: sqs:jobs, or NAME=sqs:jobs.",
    ),
]
SkipInvalid = Annotated[bool, typer.Option("--skip-invalid", help="Leave out what is broken, and say how much it was.")]
Compare = Annotated[
    Path | None,
    typer.Option(metavar="RUN.db", help="Show what comes out differently from that run, event by event."),
]
Record = Annotated[Path | None, typer.Option(metavar="FILE", help="Record it, as `simbus run` does.")]


class Choice(NamedTuple):
    """What is replayed, as the options say it."""

    recording: Path
    format: str | None
    targets: list[str]
    only: str | None
    begin: str | None
    end: str | None
    skip_invalid: bool

    @property
    def partly(self) -> bool:
        """Whether only a part of the file is wanted."""
        return (self.only, self.begin, self.end) != (None, None, None)

    def words(self) -> list[str]:
        """The options that say the same."""
        pairs = [("--format", self.format), ("--only", self.only), ("--from", self.begin), ("--to", self.end)]
        pairs += [("--target", target) for target in self.targets]
        words = [word for name, value in pairs if value is not None for word in (name, value)]
        return [*words, "--skip-invalid"] if self.skip_invalid else words


def replay(
    recording: Recording,
    scenario: ScenarioOption,
    seed: Seed = None,
    db: Database = None,
    speed: Speed = None,
    begin: Begin = None,
    end: End = None,
    only: Only = None,
    format: Form = None,
    target: Target = None,
    skip_invalid: SkipInvalid = False,
    json: Json = False,
    record: Record = None,
    compare: Compare = None,
    overrides: Overrides = None,
    ties: Ties = None,
    faults: OnlyFaults = None,
    handler_guard: Guard = f"{DEFAULT_GUARD:g}",
    payloads: Payloads = None,
    junit: Junit = None,
    github: Github = None,
) -> None:
    """Do again what a recording holds, with its timing, and print what it came to.

    A recording of the same scenario and seed gives the same run. Other forms of events are known too: messages of a
    dead-letter queue, Lambda's events, destination records, EventBridge events, CloudTrail, exports of DynamoDB.
    """
    with exit_status():
        if record is not None and record.absolute() == recording.absolute():
            raise UsageError(f"--record {record}: is what is replayed. Record into another file.")
        from simbus.scenario.loader import load
        from simbus.scenario.variant import Variant

        check_speed(speed)
        guard = guard_of(handler_guard)
        given = [*(overrides or []), *keeping(payloads)]
        loaded = load(scenario, given)
        database = db or Path(f"{loaded.name}.db")
        check_outputs(db=database, record=record, junit=junit)
        if compare is not None:
            check_compared(compare, database, loaded.name)
            check_whole("the replay", loaded.spec.run_file.payloads)
        choice = Choice(recording, format, target or [], only, begin, end, skip_invalid)
        source = check_input(loaded, choice)
        variant = Variant.read(loaded, seed_of(seed), ties, None, faults)
        if source.head is not None:
            variant = variant.completed(source.head.seed, source.head.ties)
        options = Options(variant, database, speed, guard, given, record)
        reproduce = _command(scenario, loaded, options, choice)
        tell(source)
        if source.head is not None:
            warn_of_another(str(recording), "a recording", source.head.scenario, loaded.name)
    with exit_status(f"Reproduce with: {reproduce}"):
        with error_in_junit(junit, loaded.name, reproduce):
            summary = play(loaded, options, reproduce, lambda simulation: begin_replay(simulation, source))
        if compare is not None:
            from msgspec.structs import replace

            summary = replace(summary, comparison=compared(compare, database, choice.partly))
        show_summary(summary, json=json, junit=junit, github=github)
        if summary.comparison is not None and not json:
            from simbus.comparison.text import text_of

            with printing():
                print(f"\n{text_of(summary.comparison, str(compare))}")
        if not json and sys.stderr is not None and sys.stderr.isatty():
            complain(f"{summary.real.seconds:.2f} s of real time")
    if not summary.passed:
        raise typer.Exit(EXPECTATION_FAILED)


def check_input(scenario: Scenario, choice: Choice) -> Input:
    """Read the file once, for a simulation that is thrown away: what is wrong in it is said before anything happens."""
    from simbus.cli.handlers import without_code
    from simbus.recording.source import open_input
    from simbus.scenario.build import build

    simulation, _ = build(without_code(scenario), workload=False)
    try:
        return open_input(
            choice.recording,
            simulation,
            format=choice.format,
            targets=choice.targets,
            only=choice.only,
            begin=choice.begin,
            end=choice.end,
            skip_invalid=choice.skip_invalid,
        )
    finally:
        simulation.close(complete=False)


def begin_replay(simulation: Simulation, source: Input) -> None:
    """Put a checked file on the timeline of another simulation of the same scenario."""
    from simbus.recording.replay import Replay

    simulation.rows.set("recording", source.path.name)
    Replay(simulation, source.within(simulation)).start()


def warn_of_another(path: str, what: str, other: str | None, scenario: str) -> None:
    """Say so where something is of a scenario of another name: it may be a copy, or a slip of the pen."""
    if other is not None and other != scenario:
        complain(f"{path}: warning: is {what} of the scenario {other}, and this is {scenario}.")


def check_compared(before: Path, database: Path, scenario: str) -> None:
    """Raise UsageError where there is no such run, or where this one would take its place."""
    from simbus.expectations.thinned import share_in
    from simbus.logs.reader import open_run

    with open_run(before) as rows:
        if not rows.finished:
            raise UsageError(f"--compare {before}: the run did not finish; only a whole one is compared. Run it again.")
        other = rows.run.get("scenario")
        check_whole(str(before), share_in(rows))
    if database.exists() and database.samefile(before):
        raise UsageError(f"--compare {before}: the replay would take its place. Name another file with --db.")
    warn_of_another(str(before), "a run", None if other is None else str(other), scenario)


def check_whole(run: str, payloads: float) -> None:
    """Raise UsageError where a run file keeps a share of the payloads only."""
    if payloads < 1:
        raise UsageError(
            f"--compare: {run} keeps {payloads:.4g} of its payloads (run_file.payloads); events are compared by what "
            "is in them. Keep all payloads of both runs."
        )


def compared(before: Path, after: Path, partly: bool) -> Comparison:
    """What came out differently."""
    from simbus.comparison.changes import compare
    from simbus.comparison.reading import Run
    from simbus.logs.reader import open_run

    with open_run(before) as earlier, open_run(after) as later:
        return compare(Run(earlier), Run(later), partly=partly)


def _command(path: str, scenario: Scenario, options: Options, choice: Choice) -> str:
    """The command that repeats the replay."""
    variant = options.variant.completed(scenario.spec.seed, None)
    words = ["simbus", "replay", str(choice.recording), "--scenario", path, *variant.options()]
    return shlex.join([*words, *choice.words(), *further_words(options)])
