"""simbus's own recordings: see `simbus.recording.recorder`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from inspect import Parameter, signature
from pathlib import Path
from typing import Any

from simbus.errors import UsageError
from simbus.recording.file import HEADER_TYPE, ends_in_a_line, lines
from simbus.recording.formats.base import Broken, Format, Found, Sample, check_fits
from simbus.recording.names import Names
from simbus.recording.operations import Operation
from simbus.recording.reader import Head, read_head, read_operation
from simbus.recording.values import decoded


def _head(path: Path) -> Head | None:
    for line in lines(path):
        return read_head(path, line)
    raise UsageError(f"{path}: is empty; a recording has a first line at least. Record the run again.")


def _read(path: Path, names: Names) -> Iterator[Found]:
    whole = ends_in_a_line(path)
    broken: Broken | None = None
    known: dict[tuple[str, ...], str] = {}  # of each resource, verb and arguments that were seen: what is meant
    for number, line in enumerate(lines(path), 1):
        if broken is not None:
            yield broken
        broken = None
        if number == 1:
            continue
        try:
            found = read_operation(line, number)
            if found is None:
                continue
            form = (found.resource, found.verb, *found.arguments)
            resource = known.get(form)
            if resource is None:
                resource = known[form] = _resource(found, names)
            for value in found.arguments.values():
                decoded(value, _same)
            yield found if resource == found.resource else found._replace(resource=resource)
        except ValueError as error:
            broken = Broken.by(f":{number}", error)
    if broken is not None:
        yield broken if whole else broken._replace(cut=True)


def _same(reference: str) -> str:
    return reference


def _resource(found: Operation, names: Names) -> str:
    """The resource that is meant. Raises ValueError where it is not there, or does not take these arguments."""
    service, _, name = found.resource.partition(":")
    resource = names.find(service, name)
    if not names.wants(resource):
        return resource
    check_fits(resource, found.verb)
    allowed, required = _parameters(getattr(type(names.resource(resource)), found.verb))
    wrong = found.arguments.keys() - allowed if allowed else ()
    missing = required - found.arguments.keys()
    if wrong or missing:
        what = f"has {', '.join(sorted(wrong))}" if wrong else f"lacks {', '.join(sorted(missing))}"
        raise ValueError(f"{found.verb} {what}; it takes {', '.join(sorted(allowed))}")
    return resource


@lru_cache(maxsize=256)
def _parameters(method: Callable[..., Any]) -> tuple[frozenset[str], frozenset[str]]:
    """The names that an operation takes (none: any), and those of them that it needs."""
    parameters = list(signature(method).parameters.values())[1:]
    if any(each.kind is Parameter.VAR_KEYWORD for each in parameters):
        return frozenset(), frozenset()
    names = frozenset(each.name for each in parameters)
    return names, frozenset(each.name for each in parameters if each.default is Parameter.empty)


def _detect(sample: Sample) -> bool:
    return isinstance(sample.document, dict) and sample.document.get("type") == HEADER_TYPE


FORMAT = Format("simbus", "a recording of simbus", _detect, _read, _head)
