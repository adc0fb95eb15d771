"""Document paths: what stands at one in an item, and the part of an item that several of them name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from simbus.sources.dynamodb.values import Item, Value, copy_value

Path = tuple[str | int, ...]


def at_path(item: Item, path: Path) -> Value | None:
    """The value that stands there; None where there is nothing."""
    value: Value | None = item.get(str(path[0]))  # a path begins with a name
    for step in path[1:]:
        if value is None:
            return None
        value = child(value, step)
    return value


def shown_path(path: Path) -> str:
    """A path as AWS's messages have it: `[a, [0], b]`."""
    return "[" + ", ".join(f"[{step}]" if isinstance(step, int) else step for step in path) + "]"


def child(value: Value, step: str | int) -> Value | None:
    """One step down: an attribute of a map, an element of a list."""
    ((kind, content),) = value.items()
    if kind == "M" and isinstance(step, str):
        return content.get(step)  # type: ignore[no-any-return]
    if kind == "L" and isinstance(step, int) and step < len(content):
        return content[step]  # type: ignore[no-any-return]
    return None


def project(item: Item, paths: Sequence[Path]) -> Item:
    """A copy of the parts that the paths name, in their maps and lists. A list closes up around what is left out."""
    wanted: dict[Any, Any] = {}
    for path in paths:
        branch = wanted
        for step in path:
            branch = branch.setdefault(step, {})
    return _attributes(item, wanted)


def _attributes(attributes: Item, wanted: dict[Any, Any]) -> Item:
    parts = ((name, _part(value, wanted[name])) for name, value in attributes.items() if name in wanted)
    return {name: part for name, part in parts if part is not None}


def _part(value: Value, wanted: dict[Any, Any]) -> Value | None:
    if not wanted:
        return copy_value(value)
    ((kind, content),) = value.items()
    if kind == "M":
        found = _attributes(content, wanted)
        return {"M": found} if found else None
    if kind == "L":
        parts = (_part(each, wanted[index]) for index, each in enumerate(content) if index in wanted)
        elements = [part for part in parts if part is not None]
        return {"L": elements} if elements else None
    return None
