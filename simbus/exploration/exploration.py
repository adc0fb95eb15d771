"""Run many seeds, and make of the first that fails the smallest run that fails the same way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from simbus.errors import GuardError, UsageError
from simbus.exploration.shrink import CONTROLS, Shrunk, shrink
from simbus.exploration.subject import Failure, FunctionSubject, ScenarioSubject, Subject
from simbus.exploration.workers import cores, in_new_process, run_all
from simbus.scenario.variant import Variant
from simbus.simulation import Simulation


class FailedSeed(NamedTuple):
    """A seed whose run fails. `alone`: also as the first run of a process, else handlers share state between runs.

    None: that was not tried, as an earlier failure fails alone.
    """

    seed: int
    failure: Failure
    alone: bool | None = None


class Exploration(NamedTuple):
    """What came of exploring: how many seeds of how many were run, which failed, and the first of them shrunk.

    `reproduce` is what shows the shrunk failure ("" where nothing failed).
    """

    seeds: int
    explored: int
    failed: list[FailedSeed]
    shrunk: Shrunk | None
    reproduce: str

    @property
    def passed(self) -> bool:
        return not self.failed

    def document(self) -> dict[str, Any]:
        """The result as JSON-ready data, under stable names."""
        found: dict[str, Any] = {
            "passed": self.passed,
            "seeds": self.seeds,
            "explored": self.explored,
            "failures": [
                {"seed": each.seed, "kind": each.failure.kind, "found": list(each.failure.text), "alone": each.alone}
                for each in self.failed
            ],
            "shrunk": None,
            "reproduce": self.reproduce or None,
        }
        if self.shrunk is not None:
            variant, before, now = self.shrunk.variant, self.shrunk.before, self.shrunk.now
            found["shrunk"] = {
                "seed": variant.seed,
                "ties": None if variant.ties is None else str(variant.ties),
                "events": None if variant.events is None else str(variant.events),
                "faults": None if variant.faults is None else str(variant.faults),
                "events_before": len(before.events),
                "events_now": len(now.events),
                "faults_before": len(before.faults),
                "faults_now": len(now.faults),
                "found": list(self.shrunk.failure.text),
                "runs": self.shrunk.runs,
            }
        return found


Watch = Callable[[int, int], None]


def _fails_alone(subject: Subject, failed: FailedSeed) -> bool:
    again = in_new_process(subject.run, Variant.numbered(failed.seed))
    return again is not None and failed.failure.is_like(again)


def _shrunk_failure(subject: Subject, first: FailedSeed, passed: list[int]) -> Shrunk | None:
    """The smallest run that fails as this seed does; None where that can't be found, or would take too long."""
    if first.failure.kind == GuardError.__name__:
        return None  # each run that fails takes as long as the guard waits
    found: Shrunk = in_new_process(shrink, subject, Variant.numbered(first.seed), first.failure, passed)
    confirmed = in_new_process(subject.run, found.variant)
    return found if confirmed is not None and first.failure.is_like(confirmed) else None


def explore_subject(
    subject: Subject, seeds: Iterable[int], *, jobs: int, most: int | None, watch: Watch | None = None
) -> Exploration:
    """Run every seed, or until `most` have failed, and shrink the first failure; `watch(explored, failures)` is told.

    Run `k` has the seed k and the order k of simultaneous events.
    """
    seeds = seeds if isinstance(seeds, range) else list(seeds)
    failed: list[FailedSeed] = []
    passed: list[int] = []
    explored = 0
    for explored, (seed, failure) in enumerate(run_all(subject, seeds, jobs, most), 1):
        if failure is not None:
            failed.append(FailedSeed(seed, failure))
        elif len(passed) < CONTROLS:
            passed.append(seed)
        if watch is not None:
            watch(explored, len(failed))
    first: FailedSeed | None = None
    for place, each in enumerate(failed):
        failed[place] = each = each._replace(alone=_fails_alone(subject, each))
        if each.alone:
            first = each
            break
    if first is None:
        return Exploration(len(seeds), explored, failed, None, "")
    shrunk = _shrunk_failure(subject, first, passed)
    smallest = Variant.numbered(first.seed) if shrunk is None else shrunk.variant
    return Exploration(len(seeds), explored, failed, shrunk, subject.reproduce(smallest))


def explore(
    what: str | Path | Callable[[Simulation], object],
    *,
    seeds: int | Iterable[int] = 100,
    jobs: int | None = None,
    keep_going: bool = False,
    watch: Watch | None = None,
) -> Exploration:
    """Run a scenario file, or a function of a fresh Simulation, with many seeds; shrink the first failure.

    `seeds` is a number (0, 1, 2 ...) or the seeds themselves. `jobs` is how many run at once (None: one a core); the
    result does not depend on it. `keep_going` counts all failures instead of ending with the first. A function fails by
    an exception, an AssertionError above all. Where the process has other threads, and the function can't be pickled,
    the runs are made one after the other. Raises UsageError.
    """
    chosen = list(range(seeds) if isinstance(seeds, int) else seeds)
    jobs = cores() if jobs is None else jobs
    if jobs < 1 or not chosen or min(chosen) < 0:
        raise UsageError(
            f"explore: {len(chosen)} seeds in {jobs} jobs; seeds are numbers from 0 on, at least one, and so are jobs "
            "from 1 on. Correct them."
        )
    subject: Subject = FunctionSubject(what) if callable(what) else ScenarioSubject(what)
    return explore_subject(subject, chosen, jobs=jobs, most=None if keep_going else 1, watch=watch)


def described(exploration: Exploration) -> Iterator[str]:
    """The lines that tell a person what came of it."""
    explored, failed = exploration.explored, exploration.failed
    seeds = f"{explored:,} {'seed' if explored == 1 else 'seeds'}"
    if not failed:
        yield f"{seeds}, no failure"
        return
    more = "" if explored == exploration.seeds else f" of {exploration.seeds:,}"
    yield f"{seeds}{more}, {len(failed):,} failed"
    for each in failed[:MOST_SHOWN]:
        yield f"seed {each.seed}:"
        yield from (f"  {line}" for line in each.failure.text)
        if each.alone is False:
            yield "  only after other runs in the same process: a handler keeps state outside of its environment"
    if len(failed) > MOST_SHOWN:
        yield f"and {len(failed) - MOST_SHOWN:,} more: {', '.join(str(each.seed) for each in failed[MOST_SHOWN:])}"
    if exploration.shrunk is not None:
        yield ""
        yield from _shrunk(exploration.shrunk)
    if exploration.reproduce:
        yield f"Reproduce with: {exploration.reproduce}"


MOST_SHOWN = 10


def _shrunk(shrunk: Shrunk) -> Iterator[str]:
    before, now, ties = shrunk.before, shrunk.now, shrunk.variant.ties
    parts = []
    if before.events:
        parts.append(f"{len(now.events)} of {len(before.events):,} events")
    if before.faults:
        parts.append(f"{len(now.faults)} of {len(before.faults):,} faults")
    if ties is None:
        parts.append("simultaneous events in their usual order")
    elif ties.instants is not None:
        parts.append(f"another order at {len(ties.instants)} of {len(before.instants):,} instants")
    yield f"Shrunk in {shrunk.runs} runs to {', '.join(parts)}:"
    yield from (f"  {line}" for line in shrunk.failure.text)
