"""Durations left to chance. Every draw is built on `rng.random()` alone, so that each Python version draws the same.

All but `Constant` draw by inversion: one uniform number per sample, put through the quantile function.
`parse_distribution` reads the forms in which a scenario file writes them.
"""

from __future__ import annotations

import csv
import math
import random
import re
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

from simbus.errors import UsageError
from simbus.kernel.durations import LONGEST, NANOSECONDS, parse_duration
from simbus.kernel.normal import normal_quantile

_LARGEST_DRAW = 1.0 - 2.0**-53


class Distribution(ABC):
    """A duration that is drawn anew for every use, in whole nanoseconds, never negative."""

    __slots__ = ()

    @abstractmethod
    def mean(self) -> float:
        """The expected duration in nanoseconds."""

    @abstractmethod
    def _at(self, u: float) -> int:
        """The quantile function, for 0 <= u < 1."""

    def quantile(self, q: float) -> int:
        """The duration in nanoseconds that a share `q` of the samples does not exceed.

        `q` is 0 to 1 (else ValueError); 1 gives the largest sample that can be drawn.
        """
        if not 0.0 <= q <= 1.0:
            raise ValueError(f"a quantile is asked for a share of 0 to 1, not {q}")
        return self._at(min(q, _LARGEST_DRAW))

    def sample(self, rng: random.Random) -> int:
        """Draw one duration in nanoseconds; takes one `rng.random()` (`Constant` takes none)."""
        return self._at(rng.random())


@dataclass(frozen=True, slots=True)
class Constant(Distribution):
    """Always `value` nanoseconds."""

    value: int

    def mean(self) -> float:
        return float(self.value)

    def _at(self, u: float) -> int:
        return self.value

    def sample(self, rng: random.Random) -> int:
        return self.value


@dataclass(frozen=True, slots=True)
class Exponential(Distribution):
    """Exponential with the mean of `average` nanoseconds (above 0)."""

    average: int

    def mean(self) -> float:
        return float(self.average)

    def _at(self, u: float) -> int:
        return int(0.5 - self.average * math.log(1.0 - u))


@dataclass(frozen=True, slots=True)
class Uniform(Distribution):
    """Anything from `low` to `high` nanoseconds, all equally likely."""

    low: int
    high: int

    def mean(self) -> float:
        return (self.low + self.high) / 2

    def _at(self, u: float) -> int:
        return int(self.low + (self.high - self.low) * u + 0.5)


@dataclass(frozen=True, slots=True)
class Normal(Distribution):
    """Normal with `centre` and `deviation` (above 0) in nanoseconds, truncated at 0.

    Truncated means that negative draws are left out and the rest shares their probability: `mean()` is then a
    little above `centre`.
    """

    centre: int
    deviation: int
    _negative: float = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        negative = 0.5 * math.erfc(self.centre / self.deviation / math.sqrt(2.0))
        object.__setattr__(self, "_negative", negative)

    def mean(self) -> float:
        ratio = self.centre / self.deviation
        density = math.exp(-0.5 * ratio * ratio) / math.sqrt(2.0 * math.pi)
        return self.centre + self.deviation * density / (1.0 - self._negative)

    def _at(self, u: float) -> int:
        share = min(self._negative + u * (1.0 - self._negative), _LARGEST_DRAW)
        return max(0, int(self.centre + self.deviation * normal_quantile(share) + 0.5))


@dataclass(frozen=True, slots=True)
class Lognormal(Distribution):
    """A duration whose logarithm (of nanoseconds) is normal with mean `mu` and standard deviation `sigma`."""

    mu: float
    sigma: float

    @classmethod
    def through(cls, low: tuple[float, int], high: tuple[float, int]) -> Lognormal:
        """The one that has two given quantiles: `low` and `high` are (share between 0 and 1, nanoseconds above 0)."""
        z_low, z_high = normal_quantile(low[0]), normal_quantile(high[0])
        sigma = (math.log(high[1]) - math.log(low[1])) / (z_high - z_low)
        return cls(math.log(low[1]) - sigma * z_low, sigma)

    def mean(self) -> float:
        return math.exp(self.mu + 0.5 * self.sigma * self.sigma)

    def _at(self, u: float) -> int:
        return int(math.exp(self.mu + self.sigma * normal_quantile(u)) + 0.5)

    def sample(self, rng: random.Random) -> int:
        return int(math.exp(self.mu + self.sigma * normal_quantile(rng.random())) + 0.5)


@dataclass(frozen=True, slots=True)
class Empirical(Distribution):
    """One of the measured `values` (nanoseconds, sorted), all equally likely: resampling."""

    values: tuple[int, ...] = field(repr=False)

    @classmethod
    def of(cls, values: Iterable[int]) -> Empirical:
        """From measurements in any order, at least one."""
        measured = tuple(sorted(values))
        if not measured:
            raise ValueError("an empirical distribution needs at least one value")
        return cls(measured)

    def mean(self) -> float:
        return sum(self.values) / len(self.values)

    def _at(self, u: float) -> int:
        return self.values[int(u * len(self.values))]


@dataclass(frozen=True, slots=True)
class QuantileTable(Distribution):
    """Linear between given quantiles: `shares` rise from 0 to 1, `values` are their nanoseconds and never fall."""

    shares: tuple[float, ...]
    values: tuple[int, ...]

    def __post_init__(self) -> None:
        rising = all(a < b for a, b in pairwise(self.shares))
        if len(self.shares) < 2 or not rising or self.shares[0] != 0.0 or self.shares[-1] != 1.0:
            raise ValueError(f"the shares of a quantile table rise from 0 to 1, not {self.shares}")
        if len(self.values) != len(self.shares) or any(a > b for a, b in pairwise((0, *self.values))):
            raise ValueError(f"a quantile table needs one value per share, from 0 up, never falling: {self.values}")

    def mean(self) -> float:
        steps = zip(pairwise(self.shares), pairwise(self.values), strict=True)
        return sum((b - a) * (low + high) / 2 for (a, b), (low, high) in steps)

    def _at(self, u: float) -> int:
        i = bisect_right(self.shares, u)
        left, low = self.shares[i - 1], self.values[i - 1]
        return int(low + (self.values[i] - low) * (u - left) / (self.shares[i] - left) + 0.5)


_FORMS = (
    "50ms, {exponential: 50ms}, {uniform: [10ms, 50ms]}, {normal: {mean: 50ms, stddev: 5ms}}, {p50: 120ms, p99: 900ms}"
)
_RULE = "a duration distribution is a duration or a map with one form"
_PERCENTILE = re.compile(r"p([0-9]{1,2}(?:\.[0-9]{1,9})?)", re.ASCII)
_WIDEST = 10.0


def parse_distribution(value: object, *, base_dir: Path | None = None) -> Distribution:
    """The distribution that a scenario file writes as one of

    `50ms` | `{constant: 50ms}` | `{exponential: 50ms}` (its mean) | `{uniform: [10ms, 50ms]}` or `{min:, max:}` |
    `{normal: {mean: 50ms, stddev: 5ms}}` | `{lognormal: {p50: 120ms, p99: 900ms}}` or just `{p50: 120ms, p99: 900ms}`
    (any two percentiles) | `{empirical: file.csv, column: ms, unit: ms}` (a unit of durations; ms when left out).

    A relative file is looked up in `base_dir` (None: the working directory). Raises UsageError; its text starts with
    a verb ("is", "has"), so that the caller writes its place in front: `f"{file}:{line}: {path} {error}"`.
    """
    if not isinstance(value, Mapping):
        return Constant(parse_duration(value))
    if "empirical" in value:
        return _empirical(value, base_dir)
    if value and all(isinstance(key, str) and _PERCENTILE.fullmatch(key) for key in value):
        return _lognormal(value)
    form = next(iter(value), None)
    reader = _READERS.get(form) if isinstance(form, str) and len(value) == 1 else None
    if reader is None:
        keys = ", ".join(map(str, value)) or "nothing"
        raise UsageError(f"has {keys}; {_RULE}. Write one of {_FORMS}, {{empirical: file.csv, column: ms}}.")
    return reader(value[form])


def _duration(value: object, place: str) -> int:
    try:
        return parse_duration(value)
    except UsageError as error:
        raise UsageError(f"has {place}, which {error}") from None


def _constant(value: object) -> Distribution:
    return Constant(_duration(value, "constant"))


def _exponential(value: object) -> Distribution:
    mean = _duration(value, "exponential")
    return Exponential(mean) if mean else Constant(0)


def _uniform(value: object) -> Distribution:
    if isinstance(value, Mapping) and set(value) == {"min", "max"}:
        value = [value["min"], value["max"]]
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise UsageError(f"has uniform {value!r}; uniform takes the shortest and the longest. Write [10ms, 50ms].")
    low, high = (_duration(bound, f"uniform {name}") for bound, name in zip(value, ("min", "max"), strict=True))
    if low > high:
        raise UsageError(f"has uniform {value!r}; the shortest comes first. Swap the two.")
    return Uniform(low, high)


def _normal(value: object) -> Distribution:
    if not isinstance(value, Mapping) or set(value) != {"mean", "stddev"}:
        raise UsageError(f"has normal {value!r}; normal takes a mean and a stddev. Write {{mean: 50ms, stddev: 5ms}}.")
    mean, deviation = (_duration(value[key], f"normal.{key}") for key in ("mean", "stddev"))
    return Normal(mean, deviation) if deviation else Constant(mean)


def _lognormal(value: object) -> Distribution:
    wanted = "lognormal takes two percentiles between p0 and p100. Write for example {p50: 120ms, p99: 900ms}."
    if not isinstance(value, Mapping) or len(value) != 2:
        raise UsageError(f"has lognormal {value!r}; {wanted}")
    points = []
    for key, duration in value.items():
        percentile = _PERCENTILE.fullmatch(str(key))
        if percentile is None or not float(percentile[1]):
            raise UsageError(f"has lognormal {key}; {wanted}")
        points.append((float(percentile[1]) / 100, _duration(duration, str(key))))
    low, high = sorted(points)
    if not 0 < low[1] < high[1] or low[0] == high[0]:
        raise UsageError(
            f"has lognormal {dict(value)}; both are above 0, the higher percentile takes longer. Correct them."
        )
    found = Lognormal.through(low, high)
    if found.sigma > _WIDEST:
        raise UsageError(
            f"has lognormal {dict(value)}; that spreads over a factor of e**{found.sigma:.0f} per standard deviation, "
            f"e**{_WIDEST:.0f} is the limit. Take percentiles further apart or durations closer together."
        )
    return found


def _empirical(value: Mapping[Any, object], base_dir: Path | None) -> Distribution:
    name, column, unit = value["empirical"], value.get("column"), value.get("unit", "ms")
    unknown = [str(key) for key in value if key not in ("empirical", "column", "unit")]
    rule = "an empirical distribution is a CSV file, its column and the unit of the numbers"
    remedy = "Write {empirical: file.csv, column: ms, unit: ms}"
    if unknown or not isinstance(name, str) or not isinstance(column, str):
        raise UsageError(f"has {', '.join(f'{k}: {v}' for k, v in value.items())}; {rule}. {remedy}.")
    if not isinstance(unit, str) or unit not in NANOSECONDS:
        raise UsageError(f"has unit {unit!r}; the unit is one of {', '.join(reversed(NANOSECONDS))}. {remedy}.")
    path = (base_dir or Path()) / name
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return Empirical.of(_column(path, csv.DictReader(file), column, NANOSECONDS[unit]))
    except (OSError, ValueError, csv.Error) as error:
        raise UsageError(f"has empirical {name}, which can't be read ({error}); {rule}. Name a CSV file.") from None


def _column(path: Path, rows: csv.DictReader[str], column: str, scale: int) -> list[int]:
    """The numbers of a column in nanoseconds; at least one."""
    found = rows.fieldnames or []
    if column not in found:
        raise UsageError(
            f"has column {column!r}, but {path} has {', '.join(found) or 'no header line'}; the first line of the "
            "CSV file names its columns. Name one of them."
        )
    values = [_cell(row[column], f"{path}:{rows.line_num}", column, scale) for row in rows]
    if not values:
        raise UsageError(f"has empirical {path}, which has no rows; at least one is needed. Name another file.")
    return values


def _cell(text: str | None, place: str, column: str, scale: int) -> int:
    try:
        number = Decimal((text or "").strip()) * scale
    except ArithmeticError:
        number = Decimal("NaN")
    if not number.is_finite() or not 0 <= number <= LONGEST:
        raise UsageError(
            f"has an empirical distribution: {place}: {column} is {text!r}; a measured duration is a number from 0 up "
            "to a hundred years. Correct the cell or leave out the row."
        )
    return round(number)


_READERS = {
    "constant": _constant,
    "exponential": _exponential,
    "uniform": _uniform,
    "normal": _normal,
    "lognormal": _lognormal,
}
