"""`simbus run --seeds`: many runs, and what the first failure is shrunk to."""

from __future__ import annotations

import json as json_text
import shlex
import sys
from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from simbus.cli.exits import exit_status, printing
from simbus.errors import UsageError

if TYPE_CHECKING:
    from simbus.exploration.exploration import Watch
    from simbus.scenario.loader import Scenario

Ties = Annotated[
    str | None,
    typer.Option(
        "--ties",
        metavar="N",
        help="Another order of simultaneous events: 12, or 12@1.5s,2s at these instants only.",
    ),
]
OnlyEvents = Annotated[
    str | None,
    typer.Option(
        "--events", metavar="PARTS", help="Only these events of the workload: 0.3,0.8-12 (item, number), 2, or none."
    ),
]
OnlyFaults = Annotated[
    str | None,
    typer.Option("--faults", metavar="PARTS", help="Only these occurrences of faults: 0.3,0.8-12 (fault, number)."),
]
Seeds = Annotated[
    int | None,
    typer.Option("--seeds", metavar="N", help="Run N seeds, from --seed or 0 on, and shrink the first failure."),
]
Jobs = Annotated[
    int | None, typer.Option("--jobs", metavar="J", help="How many of the seeds run at once. [default: one a core]")
]
KeepGoing = Annotated[
    bool, typer.Option("--keep-going", help="Count the failures of all seeds instead of stopping at the first.")
]

LOOKS_PER_SECOND = 8
MOST_SEEDS = 100_000_000


class Exploring(NamedTuple):
    """What was asked for: how many seeds from which on, in how many processes, and whether a failure is no end."""

    seeds: int
    first: int
    jobs: int | None
    keep_going: bool


def asked(seeds: int | None, jobs: int | None, keep_going: bool, seed: int | str | None) -> Exploring | None:
    """What to explore, None where that is not wanted. Raises UsageError."""
    if seeds is None:
        for name, given in (("--jobs", jobs is not None), ("--keep-going", keep_going)):
            if given:
                raise UsageError(f"{name}: is about many runs; there is one. Add --seeds N.")
        return None
    if not 1 <= seeds <= MOST_SEEDS:
        raise UsageError(f"--seeds {seeds}: is a number of runs, from 1 on. Choose such a number.")
    if jobs is not None and not 1 <= jobs <= 1_000:
        raise UsageError(f"--jobs {jobs}: is a number of processes, from 1 to 1,000. Choose such a number.")
    if not (seed is None or (isinstance(seed, int) and seed >= 0)):
        raise UsageError(f"--seed {seed}: is the first of --seeds, a number from 0 on. Choose such a number.")
    return Exploring(seeds, int(seed or 0), jobs, keep_going)


def refuse_for_one_run(**given: object) -> None:
    """Raise UsageError for an option that is about a single run."""
    for name, value in given.items():
        if value is not None:
            raise UsageError(
                f"--{name}: is about one run; --seeds makes many. Leave it out, or use it with the command that "
                "reproduces a failure."
            )


def explore(
    path: str,
    scenario: Scenario,
    exploring: Exploring,
    *,
    overrides: list[str],
    handler_guard: float | None,
    command: Callable[[list[str]], list[str]],
    json: bool,
) -> None:
    """Explore, print what came of it, and end with the exit status of the first failure."""
    from simbus.exploration.exploration import described, explore_subject
    from simbus.exploration.subject import ScenarioSubject
    from simbus.exploration.workers import cores

    with exit_status():
        subject = ScenarioSubject(
            path, overrides, handler_guard, lambda options: shlex.join(command(options)), scenario
        )  # fmt: skip
        seeds = range(exploring.first, exploring.first + exploring.seeds)
        jobs = cores() if exploring.jobs is None else exploring.jobs
        progress = _Progress(exploring.seeds)
        try:
            found = explore_subject(
                subject, seeds, jobs=jobs, most=None if exploring.keep_going else 1, watch=progress.watch
            )
        finally:
            progress.clear()
        with printing():
            if json:
                print(json_text.dumps(found.document(), indent=2))
            else:
                print("\n".join(described(found)))
    if found.failed:
        raise typer.Exit(found.failed[0].failure.exit_status)


class _Progress:
    """One line on stderr that is written over, on a terminal only."""

    def __init__(self, seeds: int) -> None:
        self._seeds = seeds
        self._began = perf_counter()
        self._looked = 0.0
        self._shown = False
        terminal = sys.stderr is not None and sys.stderr.isatty()
        self.watch: Watch | None = self._watch if terminal else None

    def _watch(self, explored: int, failures: int) -> None:
        now = perf_counter()
        if now - self._looked >= 1 / LOOKS_PER_SECOND:
            self._looked, self._shown = now, True
            self._write(f"\r{progress_line(explored, self._seeds, failures, now - self._began)}\x1b[K")

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()


def progress_line(explored: int, seeds: int, failures: int, seconds: float) -> str:
    """`1,234 of 10,000 seeds  0 failures  567 seeds/s`; `seconds` of real time so far."""
    rate = explored / seconds if seconds > 0 else 0.0
    return f"{explored:,} of {seeds:,} seeds  {failures:,} failures  {rate:,.0f} seeds/s"
