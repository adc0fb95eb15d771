"""`--set path=value` and `--expect`: what the command line changes in a scenario, and what it adds."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Any

from simbus.errors import ScenarioError, UsageError
from simbus.expectations.item import parse
from simbus.scenario.nodes import YamlError, compose, plain
from simbus.scenario.source import Path, Source, dotted
from simbus.scenario.validate import model_at

_SEGMENT = re.compile(r'\.?([A-Za-z0-9_$-]+)|\[([0-9]{1,9})\]|\.?\["([^"]*)"\]', re.ASCII)


def parse_path(text: str) -> Path:
    """`functions.resize.timeout`, `workload[0].rate`, `queues["jobs.fifo"].delay_seconds`. Raises ScenarioError."""
    text = text.removeprefix("$.")
    path: list[str | int] = []
    position = 0
    while position < len(text):
        match = _SEGMENT.match(text, position)
        if match is None:
            break
        name, index, quoted = match.groups()
        path.append(int(index) if index is not None else name if name is not None else quoted)
        position = match.end()
    if position < len(text) or not path:
        raise ScenarioError(
            f"--set {text}: is no path; a path is written like functions.resize.timeout, workload[0].rate or "
            'queues["jobs.fifo"].delay_seconds. Correct it.'
        )
    return tuple(path)


def apply_overrides(source: Source, overrides: tuple[str, ...]) -> None:
    """Change the data of a source by texts like `functions.resize.timeout=5`. Raises ScenarioError."""
    for override in overrides:
        written, equals, literal = override.partition("=")
        if not equals:
            raise ScenarioError(
                f"--set {override}: has no value; an override is path=value. Write for example "
                "functions.resize.timeout=5."
            )
        if not written.strip():
            raise ScenarioError(f"--set {override}: has no path; an override is path=value. Write it before the =.")
        option = f"--set {written.strip()}"
        path = parse_path(written.strip())
        _assign(source.data, path, _value(option, literal), option)
        source.override(path, option)


def add_expectations(source: Source, expectations: tuple[str, ...]) -> None:
    """Append to `expect` what texts like `p99_age < 2s` say. Raises ScenarioError."""
    for text in expectations:
        option = f"--expect {text}"
        try:
            item = parse(text)
        except UsageError as error:
            raise ScenarioError(f"--expect: {error}") from None
        expected = source.data.get("expect") or []
        if not isinstance(expected, list):
            return  # which is the mistake that is reported
        source.data["expect"] = [*expected, item]
        source.override(("expect", len(expected)), option)


def _value(option: str, literal: str) -> Any:
    try:
        root = compose(literal)
        return None if root is None else plain(root)
    except YamlError as error:
        raise ScenarioError(f"{option}: the value {literal!r} {error.message}") from None


def _assign(data: Any, path: Path, value: Any, option: str) -> None:
    for index, key in enumerate(path[:-1]):
        here = path[: index + 1]
        if isinstance(data, dict) and isinstance(key, str):
            if data.get(key) is None:
                _check_key(data, here, option)
                data[key] = {}
            data = data[key]
        else:
            data = data[_index(data, here, option)]
    last = path[-1]
    if isinstance(data, dict) and isinstance(last, str):
        if last not in data:
            _check_key(data, path, option)
        data[last] = value
    else:
        data[_index(data, path, option)] = value


def _check_key(data: dict[str, Any], path: Path, option: str) -> None:
    """A key that the file does not have must be one that a model knows, or a free one of plain values."""
    model = model_at(path[:-1])
    key = str(path[-1])
    known = list(data) if model is None else model.known_keys()
    if key in known or (model is None and model_at(path) is None):
        return
    close = get_close_matches(key, known, 1)
    hint = f"Did you mean {close[0]}?" if close else f"Known are {', '.join(known) or 'none'}."
    raise ScenarioError(f"{option}: {dotted(path)} is not in the scenario; --set changes what is there. {hint}")


def _index(data: Any, path: Path, option: str) -> int:
    key = path[-1]
    if isinstance(data, list) and isinstance(key, int) and key < len(data):
        return key
    found = "a value"
    if isinstance(data, list | dict):
        found = "empty" if not data else f"a list of {len(data)}" if isinstance(data, list) else "a mapping"
    raise ScenarioError(
        f"{option}: {dotted(path)} is not in the scenario; {dotted(path[:-1])} is {found}. {_remedy(data, path)}"
    )


def _remedy(data: Any, path: Path) -> str:
    """How an item of a list is written, or the list itself."""
    if not isinstance(data, list) and (data or not isinstance(path[-1], int)):
        return "Correct the path."
    here = dotted(path[:-1]).removeprefix("$.")
    if not data or isinstance(path[-1], int):
        items = f"Its items are {here}[0]{f' to {here}[{len(data) - 1}]' if len(data) > 1 else ''}; w" if data else "W"
        return f"{items}rite the whole list to add one: {here}=[...]."
    number = int(path[-1]) if path[-1].isdecimal() and int(path[-1]) < len(data) else 0
    return f"Write {here}[{number}] for an item of a list."
