"""Reading fields of documents that somebody else wrote: each error says what is missing, as a ValueError."""

from __future__ import annotations

from base64 import b64decode
from typing import Any


def field(value: Any, *path: str, kind: type | tuple[type, ...] = str) -> Any:
    """What a path of keys leads to. Raises ValueError where a key is missing, or leads to another type."""
    for index, key in enumerate(path):
        if not isinstance(value, dict) or key not in value:
            raise ValueError(f"{'.'.join(path[: index + 1])} is missing")
        value = value[key]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is int):
        raise ValueError(f"{'.'.join(path)} is {value!r:.60}")
    return value


def optional(value: Any, *path: str, kind: type | tuple[type, ...] = str) -> Any:
    """The same; None where a key is missing or null."""
    for key in path[:-1]:
        value = value.get(key) if isinstance(value, dict) else None
    if not isinstance(value, dict) or value.get(path[-1]) is None:
        return None
    return field(value, path[-1], kind=kind)


def binary(text: str, what: str) -> bytes:
    """The bytes of a base64 text. Raises ValueError."""
    try:
        return b64decode(text, validate=True)
    except ValueError:
        raise ValueError(f"{what} is no base64") from None


def milliseconds(value: Any) -> int:
    """Nanoseconds of an epoch time in milliseconds, a number or a text of digits; UNTIMED (-1) for None."""
    if value is None:
        return -1
    if isinstance(value, str) and value.isdigit():
        value = int(value)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ValueError(f"{value!r} is no time in milliseconds")
    return int(value) * 1_000_000
