"""`simbus load`."""

from __future__ import annotations

import json as json_text
import sys
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

import typer

from simbus.cli.exits import EXPECTATION_FAILED, exit_status, printing
from simbus.cli.run import DEFAULT_GUARD, Guard, Payloads, ScenarioArgument, guard_of, keeping, seed_of

if TYPE_CHECKING:
    from simbus.load.probe import Played
    from simbus.load.runs import LoadTest


Profile = Annotated[
    str | None, typer.Option(metavar="PROFILE", help="step, ramp, spike or soak. [default: --find, or step]")
]
Find = Annotated[
    bool, typer.Option("--find", help="Find the highest rate at which all expectations hold, by bisection.")
]
Rate = Annotated[
    str | None,
    typer.Option(metavar="RATES", help="100/s, 100,200,500/s, or 0.5x,2x the workload's own rate (step, spike, soak)."),
]
From = Annotated[
    str | None, typer.Option("--from", metavar="RATE", help="The lowest rate (find, step), or the first one (ramp).")
]
To = Annotated[str | None, typer.Option(metavar="RATE", help="The highest rate (find, step), or the last one (ramp).")]
Steps = Annotated[str | None, typer.Option(metavar="N", help="How many rates from --from to --to (step). [default: 5]")]
For = Annotated[
    str | None,
    typer.Option("--for", metavar="TIME", help="How long the load lasts. [default: 1m; ramp, spike 10m; soak 1h]"),
]
WarmUp = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="Load before that which no figure and no expectation counts: whole minutes. [default: none]",
    ),
]
Every = Annotated[
    str | None, typer.Option(metavar="TIME", help="What a row covers (ramp, spike, soak): whole minutes.")
]
Peak = Annotated[str | None, typer.Option(metavar="RATE", help="The peak (spike). [default: 10 times --rate]")]
Hold = Annotated[str | None, typer.Option(metavar="TIME", help="How long the peak lasts (spike). [default: 1m]")]
Precision = Annotated[
    str | None, typer.Option(metavar="SHARE", help="How near --find comes to the highest rate. [default: 0.05]")
]
Expect = Annotated[
    list[str] | None,
    typer.Option(metavar="TEXT", help="Expect this, too: 'lambda:charge p99_age < 2s'. May be given more than once."),
]
Memory = Annotated[
    list[str] | None,
    typer.Option(metavar="SIZES", help="Compare memory sizes: 128,256,512 of all functions, or NAME=128,256 of one."),
]
Values = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="PATH=VALUES", help="Change a value of the scenario; with several (a,b,c) compare them."
    ),
]
Seed = Annotated[str | None, typer.Option(metavar="N", help="Decides every random number. [default: the scenario's]")]
Jobs = Annotated[
    int | None, typer.Option("--jobs", metavar="J", help="How many runs are played at once. [default: one a core]")
]
Directory = Annotated[Path | None, typer.Option(metavar="DIR", help="Keep the run files, in this directory.")]
Csv = Annotated[Path | None, typer.Option(metavar="FILE", help="Write the rows as CSV; one of ours is replaced.")]


def load(
    scenario: ScenarioArgument,
    profile: Profile = None,
    find: Find = False,
    rate: Rate = None,
    begin: From = None,
    to: To = None,
    steps: Steps = None,
    for_: For = None,
    warm_up: WarmUp = None,
    every: Every = None,
    peak: Peak = None,
    hold: Hold = None,
    precision: Precision = None,
    expect: Expect = None,
    memory: Memory = None,
    overrides: Values = None,
    seed: Seed = None,
    jobs: Jobs = None,
    db: Directory = None,
    csv: Csv = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    handler_guard: Guard = f"{DEFAULT_GUARD:g}",
    payloads: Payloads = None,
) -> None:
    """Play a scenario at other rates than its own, and find the highest at which it is as expected.

    The rate of every item of the workload that has one is scaled, all by the same factor; they begin at the start and
    go on for the whole time. Events come when the profile says, however far behind the system is (an open model).
    The exit status is 1 where an expectation fails (--find: at every rate).
    """
    with exit_status():
        from simbus.load.document import check_csv, write_csv
        from simbus.load.runs import load as play

        if csv is not None:
            check_csv(csv)
        options = {"rate": rate, "from_": begin, "to": to, "steps": steps, "for_": for_, "every": every}
        options |= {"warm_up": warm_up, "peak": peak, "hold": hold, "precision": precision}
        guard = guard_of(handler_guard)
        sets = [*(overrides or []), *keeping(payloads)]
        progress = _Progress()
        try:
            progress.begin()
            test = play(
                scenario, profile=profile, find=find, memory=memory or [], overrides=sets,
                expect=expect or [], seed=seed_of(seed), jobs=jobs, db=db, handler_guard=guard, watch=progress.watch,
                **options,
            )  # fmt: skip
        finally:
            progress.clear()
        if csv is not None:
            write_csv(csv, test)
        _show(test, json)
    if not test.passed:
        raise typer.Exit(EXPECTATION_FAILED)


def _show(test: LoadTest, json: bool) -> None:
    from simbus.load.document import document, remarks, table

    with printing():
        if json:
            print(json_text.dumps(document(test), indent=2))
        elif sys.stdout is None or not sys.stdout.isatty():
            print(f"{table(test).plain()}\n\n{remarks(test)}")
        else:
            from rich.console import Console

            console = Console(highlight=False, width=10_000)
            console.print(table(test).rich())
            console.print(remarks(test), markup=False, soft_wrap=True)


class _Progress:
    """One line on stderr that is written over, on a terminal only."""

    def __init__(self) -> None:
        self._began = perf_counter()
        self._runs = self._events = 0
        self._terminal = sys.stderr is not None and sys.stderr.isatty()

    def begin(self) -> None:
        """The first run may take a while."""
        if self._terminal:
            self._write("playing the first runs ...")

    def watch(self, played: Played) -> None:
        self._runs += 1
        self._events += sum(row.events for row in played.rows)
        if self._terminal:
            seconds = perf_counter() - self._began
            self._write(progress_line(self._runs, self._events, played.probe.profile.peak, seconds))

    def clear(self) -> None:
        """Take the line away."""
        if self._terminal:
            self._write("")

    def _write(self, text: str) -> None:
        sys.stderr.write(f"\r{text}\x1b[K")
        sys.stderr.flush()


def progress_line(runs: int, events: int, rate: float, seconds: float) -> str:
    """`7 runs  123,456 events  last 250/s  12,345 events/s`; `seconds` of real time so far."""
    from simbus.load.rates import shown

    played = events / seconds if seconds > 0 else 0.0
    return f"{runs:,} runs  {events:,} events  last {shown(rate)}  {played:,.0f} events/s"
