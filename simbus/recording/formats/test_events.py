"""A directory of Lambda test events: the function is invoked with each, in the order of their names, one a second.

Files that stand in a directory with the name of a function are for that one; others are for the target, or the only
function. Nothing says when they happened: a second is simbus's choice.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from simbus.kernel import SECOND
from simbus.recording.formats.base import Broken, Format, Found, Sample, operation
from simbus.recording.names import Names


def _read(path: Path, names: Names) -> Iterator[Found]:
    files = sorted(path.rglob("*.json")) if path.is_dir() else [path]
    functions = {each.resource for each in names.simulation.resources("lambda")}
    for number, file in enumerate(files):
        where = f"/{file.relative_to(path)}" if path.is_dir() else ""
        try:
            payload = json.loads(file.read_bytes())
            own = file.parent.name
            function = f"lambda:{own}" if own in functions else names.only("lambda", "a test event names no function")
            yield operation(number * SECOND, function, "invoke", 1, payload=payload)
        except (ValueError, RecursionError) as error:
            yield Broken.by(where, error)


def _detect(sample: Sample) -> bool:
    return sample.path.is_dir() and any(sample.path.rglob("*.json"))


FORMAT = Format("test-events", "a directory of Lambda test events", _detect, _read, takes_directories=True)
