"""What a format is: a name, how a file of it is recognised, and how it is read into operations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from simbus.recording.names import Names
from simbus.recording.operations import REPLAY_CLIENT, Operation
from simbus.recording.reader import Head, nanoseconds

UNTIMED = -1


class Skipped(NamedTuple):
    """Something that is right and can't be done again; why, in words that are counted."""

    reason: str


class Broken(NamedTuple):
    """Something that is wrong: where in the file (`:12`), and what. `cut`: the last line of a recording, not whole."""

    where: str
    reason: str
    cut: bool = False


Found = Operation | Skipped | Broken


class Sample(NamedTuple):
    """The beginning of a file, for `detect`: its path, its first line, and the first JSON document in it (or None)."""

    path: Path
    line: bytes
    document: Any


def _no_head(_: Path) -> Head | None:
    return None


class Format(NamedTuple):
    """One line of the table. `read(path, names)` gives what a file has, in its order, and may be asked again.

    `when` of an operation is in nanoseconds since 1970, or UNTIMED.
    """

    name: str
    words: str
    detect: Callable[[Sample], bool]
    read: Callable[[Path, Names], Iterator[Found]]
    head: Callable[[Path], Head | None] = _no_head
    takes_directories: bool = False


def operation(when: int, resource: str, verb: str, line: int, **arguments: Any) -> Operation:
    """An operation of a client outside, without the arguments that are None."""
    given = {name: value for name, value in arguments.items() if value is not None}
    return Operation(when, resource, verb, given, REPLAY_CLIENT, 0, False, line)


def time_of(value: Any) -> int:
    """Nanoseconds since 1970 of an ISO text or a number of seconds; UNTIMED for nothing. Raises ValueError."""
    if value is None:
        return UNTIMED
    if isinstance(value, str):
        return nanoseconds(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return round(value * 1_000_000) * 1_000
    raise ValueError(f"{value!r} is no time")
