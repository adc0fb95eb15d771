"""What a format is: a name, how a file of it is recognised, and how it is read into operations."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from simbus.recording.names import Names, NoTarget
from simbus.recording.operations import REPLAY_CLIENT, Operation, is_known
from simbus.recording.reader import Head, nanoseconds
from simbus.services import SERVICES

UNTIMED = -1


class Skipped(NamedTuple):
    """Something that is right and can't be done again; why, in words that are counted."""

    reason: str


class Broken(NamedTuple):
    """Something that is wrong: where in the file (`:12`), and what. `cut`: the last line of a recording, not whole.

    `sound`: the entry itself is right, but lacks a target that fits.
    """

    where: str
    reason: str
    cut: bool = False
    sound: bool = False

    @classmethod
    def by(cls, where: str, error: Exception) -> Broken:
        """What an error says of an entry."""
        return cls(where, said(error), sound=isinstance(error, NoTarget))


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
    """An operation of a client outside, without the arguments that are None.

    Raises NoTarget where the resource, named as a target, is of a service that has no such operation.
    """
    check_fits(resource, verb)
    given = {name: value for name, value in arguments.items() if value is not None}
    return Operation(when, resource, verb, given, REPLAY_CLIENT, 0, False, line)


def check_fits(resource: str, verb: str) -> None:
    """Raise NoTarget where a resource can't do that."""
    if not is_known(resource.partition(":")[0], verb):
        words = next((each.words for each in SERVICES.values() if is_known(each.name, verb)), "something else")
        article = "an" if words[0] in "aeiou" else "a"
        raise NoTarget(
            f"{resource} is named as the target, and this is {verb}, which goes to {article} {words}. "
            "Name such a one: --target RESOURCE"
        )


def said(error: Exception) -> str:
    """What an error says; of JSON that is none what is wrong, and where in the entry."""
    if isinstance(error, json.JSONDecodeError):
        line = f"line {error.lineno}, " if error.lineno > 1 else ""
        return f"is no JSON ({error.msg}, {line}column {error.colno})"
    return str(error)


def time_of(value: Any) -> int:
    """Nanoseconds since 1970 of an ISO text or a number of seconds; UNTIMED for nothing. Raises ValueError."""
    if value is None:
        return UNTIMED
    if isinstance(value, str):
        return nanoseconds(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return round(value * 1_000_000) * 1_000
    raise ValueError(f"{value!r} is no time")
