"""When a fault occurs, and for how long."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from random import Random
from typing import NamedTuple

from simbus.kernel.distributions import Distribution


class Timing(NamedTuple):
    """`at` in nanoseconds since the start, `length` of an occurrence (None: to the end of the run).

    Three forms: once, at `at`; again and again, with `every` between the end of one occurrence (first: `at`) and the
    beginning of the next, `times` times (None: for ever); `times` times at instants that are uniform from `at` on over
    `over` nanoseconds.
    """

    at: int = 0
    length: Distribution | None = None
    every: Distribution | None = None
    times: int | None = None
    over: int | None = None

    def occurrences(self, rng: Random) -> Iterator[tuple[int, int | None]]:
        """When each occurrence begins and ends (nanoseconds; None: never), in order."""
        if self.every is not None and self.length is not None:
            end = self.at
            for _ in count() if self.times is None else range(self.times):
                begin = end + self.every.sample(rng)
                end = begin + self.length.sample(rng)
                yield begin, end
        elif self.over is not None and self.length is not None:
            for begin in sorted(self.at + int(rng.random() * self.over) for _ in range(self.times or 0)):
                yield begin, begin + self.length.sample(rng)
        else:
            yield self.at, None if self.length is None else self.at + self.length.sample(rng)
