"""From a failing run to a smaller one that fails the same way: fewer events, fewer faults, less shuffling.

Delta debugging (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002), with a first look at
how early the run can be cut off. Leaving something out shifts durations and orders of what is left; where that hides
the failure, a few other orders are tried.

Where other seeds do not fail, what is left of the events and faults must not fail with all of them either: a withdrawal
without the deposit before it is no smaller case of two that got in each other's way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import Final, NamedTuple, TypeVar

from simbus.exploration.subject import Failure, Observation, Subject, installation
from simbus.kernel.selection import Selection
from simbus.kernel.ties import Ties
from simbus.scenario.variant import Variant

T = TypeVar("T")
Part = tuple[int, int]

MOST_RUNS: Final = 1_000
OTHER_ORDERS: Final = 6
CONTROLS: Final = 5
FEW: Final = 12  # parts, of which any two are tried to be left out together
LOOKED_AT: Final = 20  # seeds, to find some that do not fail


class Shrunk(NamedTuple):
    """A failing run, how it fails, what it consists of, and how many runs it took to find it.

    `before` is what the run consisted of at first.
    """

    variant: Variant
    failure: Failure
    now: Observation
    before: Observation
    runs: int


def shrink(
    subject: Subject, variant: Variant, failure: Failure, controls: Sequence[int] = (), most_runs: int = MOST_RUNS
) -> Shrunk:
    """The smallest run that is found, after about `most_runs` runs. Every choice depends on the runs alone.

    `controls` are seeds that are known not to fail; where there are none, a few are looked for.
    """
    with installation():
        return _Shrinker(subject, variant, failure, controls, most_runs).shrink()


class _Shrinker:
    def __init__(
        self, subject: Subject, variant: Variant, failure: Failure, controls: Sequence[int], most_runs: int
    ) -> None:
        self._subject = subject
        self._failure = failure
        self._left = self._most = most_runs
        self._best = variant
        self._known: dict[tuple[str, ...], bool] = {}
        self._controls = list(controls[:CONTROLS]) or self._look_for_controls(variant)

    def _look_for_controls(self, variant: Variant) -> list[int]:
        first = int(variant.seed or 0) + 1
        passing: list[int] = []
        for seed in range(first, first + LOOKED_AT):
            if len(passing) < CONTROLS and not self._fails(Variant.numbered(seed)):
                passing.append(seed)
        return passing

    def shrink(self) -> Shrunk:
        _, before = self._subject.observe(self._best)
        self._try(self._best._replace(ties=None))
        for _ in range(2):
            start = self._best
            self._parts(self._now().faults, lambda some: self._best._replace(faults=some))
            if not self._failure.too_few:
                self._parts(self._now().events, lambda some: self._best._replace(events=some))
            if self._best == start:
                break
        self._instants()
        failure, now = self._subject.observe(self._best)
        assert failure is not None
        return Shrunk(self._best, failure, now, before, self._most - self._left)

    def _now(self) -> Observation:
        return self._subject.observe(self._best)[1]

    def _try(self, candidate: Variant) -> bool:
        """Take a candidate in place of the best one, if it fails the same way."""
        if candidate == self._best or self._left <= 0:
            return candidate == self._best
        if not self._fails(candidate) or self._fails_everywhere(candidate):
            return False
        self._best = candidate
        return True

    def _fails(self, variant: Variant) -> bool:
        key = tuple(variant.options())
        if key not in self._known:
            self._left -= 1
            failure = self._subject.run(variant)
            self._known[key] = failure is not None and self._failure.is_like(failure)
        return self._known[key]

    def _fails_everywhere(self, candidate: Variant) -> bool:
        """Whether its events and faults fail with every seed, although all events and faults do not."""
        if not self._controls or (candidate.events, candidate.faults) == (self._best.events, self._best.faults):
            return False
        return all(self._fails(candidate._replace(seed=seed, ties=Ties(seed))) for seed in self._controls)

    def _parts(self, parts: list[Part], only: Callable[[Selection], Variant]) -> None:
        """Leave out events, or faults: `only` makes the variant that has just some of them."""

        def fails(some: list[list[Part]]) -> bool:
            selection = Selection.of(part for column in some for part in column)
            return any(self._try(each) for each in self._with_other_orders(only(selection)))

        columns = _columns(parts)
        if len(columns) < len(parts):
            parts = [part for column in minimal(columns, fails) for part in column]
        if parts:
            few = minimal([[part] for part in parts], fails)
            if len(few) <= FEW:
                without_pairs(few, fails)

    def _with_other_orders(self, candidate: Variant) -> Iterator[Variant]:
        yield candidate
        if candidate.ties is not None:
            yield candidate._replace(ties=None)
            for number in range(OTHER_ORDERS):
                yield candidate._replace(ties=Ties(number))

    def _instants(self) -> None:
        """Shuffle at as few instants as possible."""
        ties = self._best.ties
        if ties is not None:
            minimal(self._now().instants, lambda some: self._try(self._best._replace(ties=_at(ties, some))))


def _columns(parts: list[Part]) -> list[list[Part]]:
    """Parts of the same number, of whichever item: what belongs together often bears one number."""
    columns: dict[int, list[Part]] = {}
    for part in parts:
        columns.setdefault(part[1], []).append(part)
    return list(columns.values())


def _at(ties: Ties, instants: list[int]) -> Ties | None:
    return Ties(ties.number, frozenset(instants)) if instants else None


def minimal(parts: list[T], fails: Callable[[list[T]], bool]) -> list[T]:
    """A part of `parts` that still fails and from which nothing can be left out, as far as is tried.

    `parts` as a whole are known to fail. Tries at first to do with none, then how many of the first and of the last
    ones are needed, then ddmin.
    """
    if fails([]):
        return []
    parts = _needed(parts, fails, lambda some, count: some[:count])
    parts = _needed(parts, fails, lambda some, count: some[len(some) - count :])
    pieces = 2
    while len(parts) >= 2:
        size = -(-len(parts) // pieces)
        chunks = [parts[start : start + size] for start in range(0, len(parts), size)]
        smaller = next((each for each in _candidates(chunks) if fails(each)), None)
        if smaller is not None:
            pieces = 2 if smaller in chunks else max(pieces - 1, 2)
            parts = smaller
        elif size == 1:
            break
        else:
            pieces = min(2 * pieces, len(parts))
    return parts


def without_pairs(parts: list[T], fails: Callable[[list[T]], bool]) -> list[T]:
    """Leave out two at a time, or one, as long as it still fails: a deposit and a withdrawal can only go together."""
    smaller: list[T] | None = parts
    while smaller is not None:
        parts = smaller
        places = [{place} for place in range(len(parts))]
        pairs = [{*pair} for pair in combinations(range(len(parts)), 2)] if len(parts) > 2 else []
        left = ([part for place, part in enumerate(parts) if place not in out] for out in (*places, *pairs))
        smaller = next((each for each in left if each and fails(each)), None)
    return parts


def _candidates(chunks: list[list[T]]) -> Iterator[list[T]]:
    """Each chunk alone, then all but one."""
    yield from chunks
    if len(chunks) > 2:
        for left_out in range(len(chunks)):
            yield [part for place, chunk in enumerate(chunks) if place != left_out for part in chunk]


def _needed(parts: list[T], fails: Callable[[list[T]], bool], take: Callable[[list[T], int], list[T]]) -> list[T]:
    """The fewest at one end that fail, by halving: right where fewer never fail when more do not."""
    low, high = 0, len(parts)  # `low` do not fail, `high` do
    while high - low > 1:
        middle = (low + high) // 2
        if fails(take(parts, middle)):
            high = middle
        else:
            low = middle
    return take(parts, high)
