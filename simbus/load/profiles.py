"""How the rate of a load goes over time, and when events arrive at such a rate.

A profile is a row of stages, each of which goes from one rate to another in a straight line (k6's stages). Arrivals are
an inhomogeneous Poisson process: the same unit-rate process for every rate, put on a scale on which the expected number
of arrivals is what passes. So two rates differ in nothing but the rate, as far as can be.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import accumulate, count, repeat
from random import Random
from typing import Final, NamedTuple

from simbus.errors import UsageError
from simbus.kernel import MINUTE, SECOND
from simbus.kernel.durations import format_duration, format_seconds
from simbus.load.rates import Mix, shown
from simbus.scenario.schema.workload import Item
from simbus.scenario.trace import Arrival

MOST_WINDOWS: Final = 1_000


class Stage(NamedTuple):
    """From `begin` to `end` (ns) the rate goes from one to another (events a second, all items together)."""

    begin: int
    end: int
    first: float
    last: float

    def rate(self, at: float) -> float:
        """The rate at an instant of it."""
        return self.first + (self.last - self.first) * (at - self.begin) / (self.end - self.begin)


class Profile(NamedTuple):
    """Stages one after the other, the first from 0; `window` (ns) is what a row of the table covers, None: all.

    What comes in the first `warm` nanoseconds is no part of any row.
    """

    kind: str
    stages: tuple[Stage, ...]
    window: int | None = None
    warm: int = 0

    @property
    def length(self) -> int:
        """Nanoseconds from the first to the end of the last stage, the warm-up included."""
        return self.stages[-1].end

    @property
    def peak(self) -> float:
        """The highest rate."""
        return max(max(stage.first, stage.last) for stage in self.stages)

    def windows(self) -> list[tuple[int, int]]:
        """Begin and end (ns) of what each row of the table covers."""
        step = self.window or self.length - self.warm
        return [(begin, begin + step) for begin in range(self.warm, self.length, step)]

    def mean(self, begin: int, end: int) -> float:
        """The mean rate between two instants."""
        total = 0.0
        for stage in self.stages:
            first, last = max(begin, stage.begin), min(end, stage.end)
            if first < last:
                total += (stage.rate(first) + stage.rate(last)) / 2 * (last - first)
        return total / (end - begin)

    def arrivals(self, share: float, constant: bool, rng: Random) -> Iterator[Arrival]:
        """The arrivals of an item that has this share of the rate."""
        draws = map(float, count()) if constant else accumulate(-math.log(1.0 - rng.random()) for _ in repeat(None))
        before = 0.0  # expected arrivals of the stages that have passed
        due = next(draws)
        for stage in self.stages:
            first, last = stage.first * share / SECOND, stage.last * share / SECOND
            length = stage.end - stage.begin
            slope = (last - first) / length
            expected = (first + last) / 2 * length
            while due - before < expected * (1 - 1e-12):  # an arrival at the very end is the next stage's
                # The root of first t + slope t^2 / 2 = passed, in the form that is exact for a slope of 0 or so.
                passed = due - before
                root = math.sqrt(max(first * first + 2 * slope * passed, 0.0))
                offset = round(2 * passed / (first + root)) if passed else 0
                yield Arrival(stage.begin + min(offset, length - 1), None)
                due = next(draws)
            before += expected


class Offer:
    """What `simbus.scenario.build.build` takes: the arrivals of the items that have a share of the load."""

    def __init__(self, profile: Profile, mix: Mix) -> None:
        self._profile = profile
        self._shares = mix.shares

    def __call__(self, index: int, item: Item, rng: Random) -> Iterator[Arrival] | None:
        share = self._shares.get(index)
        return None if share is None else self._profile.arrivals(share, item.arrivals == "constant", rng)


def warmed(profile: Profile, warm: int) -> Profile:
    """The profile after a warm-up at its first rate. Raises UsageError for what is no whole minutes."""
    if warm % MINUTE:
        raise UsageError(
            f"--warm-up {format_duration(warm)}: is no whole minutes; what comes later is told apart by CloudWatch's "
            "metrics, too, which are of minutes. Write for example 1m."
        )
    if not warm:
        return profile
    first = profile.stages[0].first
    later = (stage._replace(begin=stage.begin + warm, end=stage.end + warm) for stage in profile.stages)
    return profile._replace(stages=(Stage(0, warm, first, first), *later), warm=warm)


def options(profile: Profile) -> list[str]:
    """The options of `simbus load` that say the same."""
    words = ["--warm-up", format_seconds(profile.warm)] if profile.warm else []
    stages = profile.stages[1:] if profile.warm else profile.stages
    first, last = stages[0], stages[-1]
    words += ["--profile", profile.kind, "--for", format_seconds(profile.length - profile.warm)]
    if profile.kind == "ramp":
        words += ["--from", _exact(first.first), "--to", _exact(last.last)]
    else:
        words += ["--rate", _exact(first.first)]
    if profile.kind == "spike":
        middle = stages[1]
        words += ["--peak", _exact(middle.first), "--hold", format_seconds(middle.end - middle.begin)]
    return words if profile.window is None else [*words, "--every", format_seconds(profile.window)]


def _exact(rate: float) -> str:
    return f"{rate:.9f}".rstrip("0").rstrip(".") + "/s"


def _stage(begin: int, end: int, first: float, last: float) -> Stage:
    """With rates that can be written as an option."""
    return Stage(begin, end, round(first, 9), round(last, 9))


def step(rate: float, length: int) -> Profile:
    """One rate, all the time, and one row."""
    return Profile("step", (_stage(0, length, rate, rate),))


def soak(rate: float, length: int, window: int | None) -> Profile:
    """One rate for a long time, a row for each window."""
    return Profile("soak", (_stage(0, length, rate, rate),), _window(length, window))


def ramp(first: float, last: float, length: int, window: int | None) -> Profile:
    """From one rate to another in a straight line."""
    return Profile("ramp", (_stage(0, length, first, last),), _window(length, window))


def spike(rate: float, peak: float, hold: int, length: int, window: int | None) -> Profile:
    """A rate, after a fifth of the time its peak for `hold`, then the rate again: how long does it take to recover?"""
    begin = max(length // 5 // MINUTE, 1) * MINUTE
    if begin + hold >= length:
        raise UsageError(
            f"--hold {format_duration(hold)}: the peak begins after {format_duration(begin)} and the profile ends "
            f"after {format_duration(length)}; some time must be left to recover. Give a longer --for."
        )
    stages = (
        _stage(0, begin, rate, rate),
        _stage(begin, begin + hold, peak, peak),
        _stage(begin + hold, length, rate, rate),
    )
    return Profile("spike", stages, _window(length, window))


def _window(length: int, window: int | None) -> int:
    """Whole minutes that divide the length, about ten windows if left out.

    CloudWatch's peaks (concurrency, depth of a queue) are of minutes.
    """
    if length % MINUTE or not length:
        raise UsageError(
            f"--for {format_duration(length)}: a profile with several rows lasts whole minutes, as CloudWatch's "
            "metrics are of minutes. Write for example 10m."
        )
    if window is None:
        minutes = length // MINUTE
        fitting = (rows for rows in range(1, min(minutes, MOST_WINDOWS) + 1) if minutes % rows == 0)
        return length // min(fitting, key=lambda rows: abs(math.log(rows / 10)))
    if not window or window % MINUTE or length % window or length // window > MOST_WINDOWS:
        raise UsageError(
            f"--every {format_duration(window)}: rows cover whole minutes and fill --for {format_duration(length)}, "
            f"at most {MOST_WINDOWS:,} of them. Write for example 1m."
        )
    return window


def described(profile: Profile) -> str:
    """`10/s for 1m`, `from 10/s to 100/s in 10m`."""
    stages = profile.stages[1:] if profile.warm else profile.stages
    first, last = stages[0], stages[-1]
    length = format_duration(profile.length - profile.warm)
    if profile.kind == "ramp":
        return f"from {shown(first.first)} to {shown(last.last)} in {length}"
    if profile.kind == "spike":
        middle = stages[1]
        begin, hold = format_duration(middle.begin - profile.warm), format_duration(middle.end - middle.begin)
        return f"{shown(first.first)} for {length}, from {begin} on {shown(middle.first)} for {hold}"
    return f"{shown(first.first)} for {length}"
