"""The embedded metric format: log lines out of which CloudWatch makes metrics (Powertools writes them).

Source: CloudWatch user guide, "Specification: Embedded metric format". What does not fit is no error: the line stays a
line, as on AWS.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import msgspec

from simbus.metrics.custom import Key, key_of

MOST_VALUES: Final = 100  # of one metric in one line
MOST_DIMENSIONS: Final = 30


class Observation(NamedTuple):
    """Values of one metric. `time` is in ms since 1970, `resolution` 60 or 1 second."""

    key: Key
    time: int
    values: list[float]
    unit: str
    resolution: int


def observations(line: str) -> Iterator[Observation]:
    """What a line says; nothing where it is of another form."""
    try:
        root: Any = msgspec.json.decode(line)
        metadata = root["_aws"]
        time = int(metadata["Timestamp"])
        directives = list(metadata["CloudWatchMetrics"])
    except (msgspec.DecodeError, KeyError, TypeError, ValueError):
        return
    for directive in directives:
        if isinstance(directive, dict) and isinstance(directive.get("Namespace"), str):
            yield from _directed(root, directive, time)


def _directed(root: dict[str, Any], directive: dict[str, Any], time: int) -> Iterator[Observation]:
    for definition in directive.get("Metrics", ()):
        name = definition.get("Name") if isinstance(definition, dict) else None
        values = _values(root.get(name)) if isinstance(name, str) else []
        if not values:
            continue
        unit, resolution = definition.get("Unit", "None"), definition.get("StorageResolution", 60)
        for names in directive.get("Dimensions") or [[]]:
            dimensions = {each: root.get(each) for each in names}
            if len(dimensions) <= MOST_DIMENSIONS and all(isinstance(value, str) for value in dimensions.values()):
                key = key_of(directive["Namespace"], str(name), dimensions)  # type: ignore[arg-type]
                yield Observation(key, time, values, str(unit), 1 if resolution == 1 else 60)


def _values(found: Any) -> list[float]:
    listed = found if isinstance(found, list) else [found]
    if len(listed) > MOST_VALUES or not all(isinstance(v, int | float) and not isinstance(v, bool) for v in listed):
        return []
    return listed
