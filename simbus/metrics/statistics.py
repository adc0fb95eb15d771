"""Statistics over periods of what was measured: what GetMetricStatistics and GetMetricData are asked for.

A row of a metric of simbus itself is one statistic of one minute (see `simbus.metrics`); what it does not say is
refused. Values that were put one by one say everything, percentiles included.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, TypeVar

from simbus.errors import UsageError
from simbus.metrics.custom import Key, read
from simbus.metrics.meter import Datapoint
from simbus.metrics.queue import GAUGES

T = TypeVar("T")

STATISTICS: Final = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")
_PERCENTILE: Final = re.compile(r"p(\d{1,2}(?:\.\d+)?|100)")
_MAXIMA: Final = ("ConcurrentExecutions", "UnreservedConcurrentExecutions", "IteratorAge", "AsyncEventAge")
_SAMPLED: Final = (*GAUGES.values(), "ApproximateAgeOfOldestMessage")


class Point(NamedTuple):
    """What is known of some values at one time (ms since 1970): None is not known. `values` are (value, count)."""

    time: int
    unit: str
    samples: float | None = None
    total: float | None = None
    least: float | None = None
    most: float | None = None
    values: tuple[tuple[float, float], ...] | None = None


def one(time: int, unit: str, value: float, count: float = 1) -> Point:
    """The point of a value that was observed `count` times."""
    return Point(time, unit, count, value * count, value, value, ((value, count),))


def point_of(row: Datapoint) -> Point:
    """What a row of simbus's own says: a sample, the maximum, or else the sum of its minute."""
    if row.name in _SAMPLED:
        return one(row.time, row.unit, row.value)
    if row.name in _MAXIMA:
        return Point(row.time, row.unit, most=row.value)
    return Point(row.time, row.unit, total=row.value)


def custom_points(rows: Iterable[Datapoint], wanted: Key) -> list[Point]:
    """The points of one metric that users put."""
    points: list[Point] = []
    sets: list[float] = []
    for row in rows:
        found = read(row.name, row.dimension)
        if found is None or found[0] != wanted:
            continue
        _, kind, detail = found
        if kind == "count":
            points.append(one(row.time, row.unit, row.value, float(detail)))
            continue
        sets.append(row.value)
        if detail == "Maximum":  # the last one of a set, whose rows follow each other
            points.append(Point(row.time, row.unit, sets[0], sets[1], sets[2], sets[3]))
            sets = []
    return points


def in_periods(points: Iterable[Point], start: int, end: int, period: int) -> dict[int, list[Point]]:
    """The points from `start` up to but without `end`, by the begin of their period; all in ms."""
    found: dict[int, list[Point]] = {}
    for point in sorted(points, key=lambda point: point.time):
        if start <= point.time < end:
            found.setdefault(start + (point.time - start) // period * period, []).append(point)
    return found


def check_statistic(statistic: str) -> bool:
    """Whether there is such a statistic here: one of STATISTICS, or `p99`, `p99.9`."""
    return statistic in STATISTICS or _PERCENTILE.fullmatch(statistic) is not None


def statistic_of(points: Sequence[Point], statistic: str, name: str) -> float:
    """One statistic of some points. Raises UsageError where simbus does not know it of this metric."""
    if statistic == "SampleCount":
        return sum(_known([point.samples for point in points], statistic, name))
    if statistic == "Sum":
        return sum(_known([point.total for point in points], statistic, name))
    if statistic == "Minimum":
        return min(_known([point.least for point in points], statistic, name))
    if statistic == "Maximum":
        return max(_known([point.most for point in points], statistic, name))
    if statistic == "Average":
        total = sum(_known([point.total for point in points], statistic, name))
        return total / sum(_known([point.samples for point in points], statistic, name))
    values = [value for each in _known([point.values for point in points], statistic, name) for value in each]
    return _percentile(sorted(values), float(statistic[1:]))


def _known(values: list[T | None], statistic: str, name: str) -> list[T]:
    found = [value for value in values if value is not None]
    if len(found) < len(values):
        raise UsageError(
            f"CloudWatch metric {name}: its {statistic} is not known, for simbus keeps one statistic of each minute "
            "(the table in simbus.metrics says which). Ask for that one."
        )
    return found


def _percentile(values: Sequence[tuple[float, float]], percent: float) -> float:
    """The smallest value that so many percent of all values do not exceed (nearest rank)."""
    wanted = sum(count for _, count in values) * percent / 100
    seen = 0.0
    for value, count in values:
        seen += count
        if seen >= wanted:
            return value
    return values[-1][0]
