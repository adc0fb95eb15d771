"""A load test: the runs of every cell of the grid, on all cores, and what came of them."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, NamedTuple

from simbus.errors import RunError, UsageError
from simbus.exploration.workers import cores, in_new_processes
from simbus.load import profiles
from simbus.load.grid import Axis, Cell, axes, cells
from simbus.load.plan import Plan, kind_of, plan
from simbus.load.probe import Played, Probe, Subject, play
from simbus.load.profiles import Profile
from simbus.load.rates import mix_of
from simbus.load.search import Bounds, bracket, wanted
from simbus.logs.runfile import private_directory
from simbus.scenario.build import HANDLER_GUARD
from simbus.scenario.loader import Scenario

Watch = Callable[[Played], object]

LONGEST_WORD: Final = 60
LONGEST_NAME: Final = 180
"""Characters of the name of a run file, before its profile and rate."""


class LoadTest(NamedTuple):
    """What came of a load test.

    `played` has every run, by cell and rate. `bounds` None: nothing was searched. `others` are the items of the
    workload that have no rate, and happened as they are written.
    """

    scenario: str
    kind: str
    own_rate: float
    axes: list[Axis]
    cells: list[Cell]
    bounds: Bounds | None
    played: list[Played]
    seed: int | str
    others: list[str]
    notes: list[str]

    def of(self, cell: int) -> list[Played]:
        """The runs of a cell, by rate."""
        return [played for played in self.played if played.probe.cell == cell]

    def held(self, cell: int) -> dict[float, bool]:
        """By rate, whether the expectations held."""
        return {played.probe.profile.peak: played.holds for played in self.of(cell)}

    def capacity(self, cell: int) -> float | None:
        """The highest rate of a cell at which the expectations hold (events a second), None where there is none."""
        return bracket(self.held(cell))[0]

    @property
    def passed(self) -> bool:
        """Of a search: every cell has a rate at which its expectations hold. Else: they hold in every run."""
        if self.bounds is not None:
            return all(self.capacity(cell) is not None for cell in range(len(self.cells)))
        return all(played.holds for played in self.played)


def load(
    scenario: str | Path,
    *,
    profile: str | None = None,
    find: bool = False,
    memory: Iterable[str] = (),
    overrides: Iterable[str] = (),
    expect: Iterable[str] = (),
    seed: int | str | None = None,
    jobs: int | None = None,
    db: str | Path | None = None,
    handler_guard: float | None = HANDLER_GUARD,
    watch: Watch | None = None,
    **options: str | None,
) -> LoadTest:
    """Play a scenario under load, as `simbus load` does.

    `profile` is step, ramp, spike or soak; `find` searches the highest rate at which all expectations hold, which is
    also what is done where neither is given and something is expected. `options` are those of the command line, as
    texts: rate, from_, to, steps, for_, warm_up, every, peak, hold, precision; `simbus.load.plan.TAKES` says
    which of them go with which profile.
    `memory` (`"128,256"`, `"charge=128,256"`) and `overrides` (`"path=a,b,c"`) make a grid, `expect` adds expectations
    (`"lambda:charge p99_age < 2s"`). `jobs` runs are played at once (None: one a core); the result does not
    depend on it. `db` is a directory in which the run files stay. `watch` is told of each run that has ended. Raises
    UsageError for what is wrong, RunError where a run can't finish.
    """
    jobs = cores() if jobs is None else jobs
    if not 1 <= jobs <= 1_000:
        raise UsageError(f"--jobs {jobs}: is a number of processes, from 1 on. Choose such a number.")
    base = Subject(str(scenario), (), tuple(expect), seed, handler_guard)
    given = {name.rstrip("_").replace("_", "-"): text for name, text in options.items() if text is not None}
    sets = list(overrides)
    fixed, varied = axes(sets, list(memory), _functions(base, sets))
    base = base._replace(overrides=tuple(fixed))
    grid = cells(varied)
    loaded = [base.scenario(cell.overrides) for cell in grid]
    mix = mix_of(loaded[0])
    kind = kind_of(profile, find, given, loaded[0], len(grid) > 1)
    made, *_ = [plan(kind, given, mix, each, len(grid) > 1) for each in loaded]
    folder = _folder(db)
    try:
        runs = _Runs(base, grid, loaded[0].name, folder, db is not None, jobs, watch)
        played = runs.search(made) if made.bounds is not None else runs.all(made)
    finally:
        if db is None:
            shutil.rmtree(folder, ignore_errors=True)
    chosen = loaded[0].spec.seed if seed is None else seed
    notes = _notes(loaded[0], varied)
    return LoadTest(loaded[0].name, kind, mix.total, varied, grid, made.bounds, played, chosen, mix.others, notes)


def _notes(scenario: Scenario, varied: list[Axis]) -> list[str]:
    """What a reader of the table must know."""
    fixed = [name for name, function in scenario.spec.functions.items() if not function.simulate.cpu]
    if not fixed or not any(axis.name.startswith("memory") or axis.name.endswith("memory_size") for axis in varied):
        return []
    whose = ", ".join(fixed)
    return [
        f"Memory does not change the durations of {whose}: simulate.cpu is 0, the share that more memory makes shorter."
    ]


def _functions(base: Subject, sets: list[str]) -> list[str]:
    """The functions of the scenario, whose memory may be varied."""
    first = axes(sets, [], [])
    return list(base._replace(overrides=tuple(first[0])).scenario().spec.functions)


def _folder(db: str | Path | None) -> Path:
    if db is None:
        return private_directory()
    folder = Path(db)
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"--db {db}: {error.strerror or error}; the run files stay in a directory. Choose another one."
        ) from None
    return folder


class _Runs:
    """Plays the runs of all cells."""

    def __init__(
        self,
        subject: Subject,
        grid: list[Cell],
        name: str,
        folder: Path,
        keep: bool,
        jobs: int,
        watch: Watch | None,
    ) -> None:
        self._subject = subject
        self._grid = grid
        self._name = name
        self._folder = folder
        self._keep = keep
        self._jobs = jobs
        self._watch = watch or (lambda _: None)

    def all(self, made: Plan) -> list[Played]:
        """Each profile in each cell."""
        return self._play([(cell, profile) for cell in range(len(self._grid)) for profile in made.profiles])

    def search(self, made: Plan) -> list[Played]:
        """Rounds, in which every cell plays the rates that tell it most, until none wants more."""
        assert made.bounds is not None
        known: list[dict[float, Played]] = [{} for _ in self._grid]
        while True:
            tasks = []
            for cell, played in enumerate(known):
                holds = {rate: each.holds for rate, each in played.items()}
                tasks += [(cell, made.at(rate)) for rate in wanted(made.bounds, holds)]
            if not tasks:
                return [played[rate] for played in known for rate in sorted(played)]
            for each in self._play(tasks):
                known[each.probe.cell][each.probe.profile.peak] = each

    def _play(self, tasks: list[tuple[int, Profile]]) -> list[Played]:
        # What takes longest begins first, so that all processes end at about the same time.
        order = sorted(range(len(tasks)), key=lambda number: -tasks[number][1].peak)
        probes = [(self._subject, self._probe(*tasks[number])) for number in order]
        found = in_new_processes(play, probes, self._jobs, self._watch)
        ordered = [played for _, played in sorted(zip(order, found, strict=True), key=lambda pair: pair[0])]
        for played in ordered:
            if played.error is not None:
                raise RunError(f"{profiles.described(played.probe.profile)}: {played.error}")
        return ordered

    def _probe(self, cell: int, profile: Profile) -> Probe:
        number = [f"{cell + 1}"] if len(self._grid) > 1 else []
        words = [self._name, *number, *self._grid[cell].values]
        # The number tells cells apart: a value is there to be read, as far as it fits into a file name.
        begin = "-".join(re.sub(r"[^\w.-]+", "_", word, flags=re.ASCII)[:LONGEST_WORD] for word in words)[:LONGEST_NAME]
        name = f"{begin}-{profile.kind}-{profile.peak:.12g}"
        return Probe(cell, self._grid[cell].overrides, profile, self._folder / f"{name}.db", self._keep)
