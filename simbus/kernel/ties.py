"""The order of what happens at one instant: first in, first out, or shuffled by a number that repeats the order.

Which number an entry gets depends on its place in the run alone, not on how many others were shuffled before it: so the
shuffling can be taken back at some instants, and the others keep their order.
"""

from __future__ import annotations

import re
from collections import Counter
from random import Random
from typing import NamedTuple

from simbus.errors import UsageError
from simbus.kernel.durations import format_seconds, parse_duration

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
_NUMBER = re.compile("[0-9]{1,18}", re.ASCII)


class Ties(NamedTuple):
    """An order of simultaneous entries: `number` chooses it. `instants` (nanoseconds): only there; None: everywhere."""

    number: int
    instants: frozenset[int] | None = None

    def __str__(self) -> str:
        """`12`, or `12@1.5s,2s` where it holds for some instants only."""
        if self.instants is None:
            return str(self.number)
        return f"{self.number}@{','.join(map(format_seconds, sorted(self.instants)))}"

    @classmethod
    def parse(cls, text: str) -> Ties:
        """The reverse of `str`. Raises UsageError ("is 'x'; ...")."""
        number, at, instants = text.partition("@")
        if not _NUMBER.fullmatch(number) or (at and not instants):
            raise UsageError(
                f"is {text!r}; an order of simultaneous events is a number, which may be limited to instants. "
                "Write for example 12, or 12@1.5s,2s."
            )
        if not at:
            return cls(int(number))
        return cls(int(number), frozenset(parse_duration(each) for each in instants.split(",")))


class Shuffle:
    """Gives each entry of the timeline its place among those of the same instant."""

    __slots__ = ("_instants", "_key", "seen")

    def __init__(self, ties: Ties, rng: Random) -> None:
        self._instants = ties.instants
        self._key = rng.getrandbits(64)
        self.seen: Counter[int] | None = None  # how many entries each instant had, for who asks

    def __call__(self, when: int, seq: int) -> int:
        """A number of 32 bits for the entry `seq` of the instant `when`; 0 leaves it first in, first out."""
        if self.seen is not None:
            self.seen[when] += 1
        if self._instants is not None and when not in self._instants:
            return 0
        # The output function of SplitMix64 (Steele, Lea, Flood 2014).
        mixed = (seq * _GOLDEN + self._key) & _MASK
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        return (mixed ^ (mixed >> 31)) & 0xFFFFFFFF
