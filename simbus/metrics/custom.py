"""Metrics that users put: rows of `metrics` with their namespace.

A row's `dimension` is the namespace and the dimensions by name, `Shop;service=payment;stage=prod`, where `%`, `;`, `=`
and `@` of names and values are percent-encoded. `value` is one observed value; one that stands for several has
`;@count=3` at the end. What was put as a statistic set is four rows: `;@statistic=SampleCount`, `Sum`, `Minimum` and
`Maximum`. `time` is the start of the minute, or of the second where StorageResolution is 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple
from urllib.parse import unquote

from simbus.metrics.meter import Datapoint

STATISTICS: Final = ("SampleCount", "Sum", "Minimum", "Maximum")
_SPECIAL: Final = str.maketrans({"%": "%25", ";": "%3B", "=": "%3D", "@": "%40"})


class Key(NamedTuple):
    """One metric: its namespace, its name, and its dimensions by name."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()


def key_of(namespace: str, name: str, dimensions: Mapping[str, str]) -> Key:
    """The metric of these dimensions, in whatever order they are given."""
    return Key(namespace, name, tuple(sorted(dimensions.items())))


def rows_of_value(key: Key, time: int, value: float, unit: str, count: float = 1) -> Iterator[Datapoint]:
    """The row of a value that was observed `count` times."""
    suffix = "" if count == 1 else f";@count={count:g}"
    yield Datapoint(time, key.name, _text(key) + suffix, float(value), unit)


def rows_of_set(key: Key, time: int, statistics: Mapping[str, float], unit: str) -> Iterator[Datapoint]:
    """The rows of a statistic set."""
    for name in STATISTICS:
        yield Datapoint(time, key.name, f"{_text(key)};@statistic={name}", float(statistics[name]), unit)


def read(name: str, dimension: str) -> tuple[Key, str, str] | None:
    """What a row is of: its metric, and `count` or `statistic` with the value. None for a metric of simbus itself."""
    namespace, *parts = dimension.split(";")
    if not namespace or "=" in namespace:
        return None
    kind, detail = "count", "1"
    if parts and parts[-1].startswith("@"):
        kind, detail = parts.pop()[1:].split("=")
    pairs = (part.split("=") for part in parts)
    return Key(unquote(namespace), name, tuple((unquote(n), unquote(v)) for n, v in pairs)), kind, detail


_NAMESPACES: Final = {"QueueName": "AWS/SQS", "TableName": "AWS/DynamoDB"}


def key_in(name: str, dimension: str) -> Key:
    """The metric that a row belongs to, also one of simbus itself: those of AWS's namespaces."""
    found = read(name, dimension)
    if found is not None:
        return found[0]
    of, _, value = dimension.partition("=")
    return Key(_NAMESPACES.get(of, "AWS/Lambda"), name, ((of, value),) if of else ())


def _text(key: Key) -> str:
    parts = (f"{n.translate(_SPECIAL)}={v.translate(_SPECIAL)}" for n, v in key.dimensions)
    return ";".join((key.namespace.translate(_SPECIAL), *parts))
