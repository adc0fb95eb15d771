"""What is explored: one run of it is a variant, and either fails or does not."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

from simbus.errors import RunError, ScenarioError, SimbusError, UsageError
from simbus.expectations.comparison import parse_comparison
from simbus.expectations.results import ExpectationResult
from simbus.functions.sandbox import installed
from simbus.functions.sandbox.guard import Guard
from simbus.scenario.build import HANDLER_GUARD, build
from simbus.scenario.expectations import judge
from simbus.scenario.loader import Scenario, load
from simbus.scenario.variant import Variant
from simbus.simulation import Simulation

EXPECTATION: Final = "expectation"
TOO_FEW: Final = " too few"


class Failure(NamedTuple):
    """How a run failed: `kind` is `expectation` or the class of the error, `text` what a person is told.

    Two failures with something of `about` in common are the same failure. `exit_status` is that of `simbus run`.
    """

    kind: str
    about: tuple[str, ...]
    text: tuple[str, ...]
    exit_status: int

    @property
    def too_few(self) -> bool:
        """Whether there is too little of something, and no more: with every event that is left out there is less."""
        return all(each.endswith(TOO_FEW) for each in self.about)

    def is_like(self, other: Failure) -> bool:
        """Whether a smaller run fails as this one does."""
        if self.kind != other.kind:
            return False
        return any(each in other.about for each in self.about if self.too_few or not each.endswith(TOO_FEW))


class Observation(NamedTuple):
    """What one run consisted of, in the order of time.

    Events of the workload and occurrences of faults (item, number), and the instants (nanoseconds) at which several
    things happened.
    """

    events: list[tuple[int, int]]
    faults: list[tuple[int, int]]
    instants: list[int]


class Subject(Protocol):
    """Something of which many runs can be made."""

    def run(self, variant: Variant) -> Failure | None:
        """Make one run, from scratch. Raises UsageError where what is run is itself wrong."""

    def observe(self, variant: Variant) -> tuple[Failure | None, Observation]:
        """The same, and what the run consisted of."""

    def reproduce(self, variant: Variant) -> str:
        """What a person types to see that run."""


def installation() -> AbstractContextManager[None]:
    """Put the sandbox's patches in once for many runs: it takes longer than a small run does."""
    return installed(Guard(None))


class ScenarioSubject:
    """A scenario file. `command` makes the command line of a run out of the options that say which one."""

    def __init__(
        self,
        path: str | Path,
        overrides: Iterable[str] = (),
        handler_guard: float | None = HANDLER_GUARD,
        command: Callable[[list[str]], str] | None = None,
        scenario: Scenario | None = None,
    ) -> None:
        self._given = (path, tuple(overrides), handler_guard)
        self._guard = handler_guard
        self._command = command or (lambda options: " ".join(["simbus", "run", str(path), *options]))
        self.scenario = load(path, tuple(overrides)) if scenario is None else scenario

    def __reduce__(self) -> Any:
        return ScenarioSubject, self._given  # its models are made at run time: another process makes its own

    def reproduce(self, variant: Variant) -> str:
        return self._command(variant.options())

    def run(self, variant: Variant) -> Failure | None:
        return self._run(variant, None)

    def observe(self, variant: Variant) -> tuple[Failure | None, Observation]:
        found = Observation([], [], [])
        return self._run(variant, found), found

    def _run(self, variant: Variant, found: Observation | None) -> Failure | None:
        scenario = self.scenario
        try:
            simulation, plan = build(scenario, handler_guard=self._guard, variant=variant)
            with simulation:
                seen = _counting(simulation, found)
                if found is not None:
                    for item, feed in enumerate(plan.feeds):
                        feed.note = partial(_note_event, found, item)
                try:
                    simulation.play(plan.until, idle=False)
                finally:
                    if found is not None:
                        _note(simulation, found, seen)
                simulation.finish()
                with simulation.reader() as rows:
                    results = judge(scenario, rows)
        except ScenarioError:
            raise
        except Exception as error:
            return failure_of(error)
        failed = [result for result in results if not result.passed]
        if not failed:
            return None
        return Failure(EXPECTATION, tuple(map(_about, failed)), tuple(map(str, failed)), 1)


def _note_event(found: Observation, item: int, number: int) -> None:
    found.events.append((item, number))


def _about(result: ExpectationResult) -> str:
    """A figure, and on which side of what was expected it lies: 2 messages in place of 1 are another failure than 0."""
    side = ""
    if result.found is None:
        side = " nothing"
    elif not isinstance(result.found, str):
        with suppress(UsageError):  # a check that has no number to be compared with
            comparison = parse_comparison(result.expected, result.unit)
            lower = comparison.lower or (comparison.symbol == "==" and result.found < comparison.value)
            side = TOO_FEW if lower else " too many"
    return f"{result.path}{side}"


class FunctionSubject:
    """A function that is given a fresh Simulation: it makes what it needs, runs it, and asserts."""

    def __init__(self, function: Callable[[Simulation], object]) -> None:
        self._function = function

    def reproduce(self, variant: Variant) -> str:
        given = [f"seed={variant.seed!r}"]
        if variant.ties is not None:
            given.append(f'ties="{variant.ties}"')
        if variant.faults is not None:
            given.append(f'faults="{variant.faults}"')
        return f"Simulation({', '.join(given)})"

    def run(self, variant: Variant) -> Failure | None:
        return self._run(variant, None)

    def observe(self, variant: Variant) -> tuple[Failure | None, Observation]:
        found = Observation([], [], [])
        return self._run(variant, found), found

    def _run(self, variant: Variant, found: Observation | None) -> Failure | None:
        assert variant.seed is not None
        try:
            with Simulation(seed=variant.seed, ties=variant.ties, faults=variant.faults) as simulation:
                seen = _counting(simulation, found)
                try:
                    self._function(simulation)
                finally:
                    if found is not None:
                        _note(simulation, found, seen)
        except UsageError:
            raise
        except Exception as error:
            return failure_of(error)
        return None


def failure_of(error: Exception) -> Failure:
    """The failure of a run that ended with an error. An assertion is known by its line."""
    kind = type(error).__name__
    told = str(error) or kind
    if isinstance(error, RunError):
        return Failure(kind, (kind,), (f"{kind}: {told}",), error.exit_status)
    last = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{last.filename}:{last.lineno}"
    if isinstance(error, AssertionError):
        return Failure(kind, (where,), (f"{where}: {last.line or ''}", *told.splitlines()), 1)
    status = error.exit_status if isinstance(error, SimbusError) else 70
    return Failure(kind, (where,), (f"{where}: {kind}: {told}",), status)


def _counting(simulation: Simulation, found: Observation | None) -> Any:
    timeline = simulation.timeline
    return timeline.count_simultaneous() if found is not None and timeline.ties is not None else {}


def _note(simulation: Simulation, found: Observation, seen: Any) -> None:
    found.faults.extend(simulation.faults.occurred)
    found.instants.extend(sorted(when for when, entries in seen.items() if entries > 1))
