"""A file to be replayed: found out what it is, checked whole, and then read operation by operation.

It is read twice. The first time every line is checked, so that a broken one ends the command before anything has
happened; the second time its operations are handed to the simulation one by one, so that memory stays flat. (Only a
file whose times are out of order is sorted in memory.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from simbus.errors import UsageError
from simbus.kernel.durations import parse_duration
from simbus.recording.formats import Broken, Format, Skipped, detect, named
from simbus.recording.names import Names
from simbus.recording.operations import Operation
from simbus.recording.reader import Head, nanoseconds
from simbus.resources import Resources


@dataclass
class Input:
    """A checked file. `origin` is its time 0 in nanoseconds since 1970, `head` the first line of a recording of simbus.

    `skipped` counts by reason what can't be done again, or lacks a target and was to be skipped, `invalid` the broken
    lines that were skipped; `cut`: it ends in the middle of a line, as the recording of a run that was killed does.
    `part` says in words which part is wanted, `sound` counts the operations of the whole file.
    """

    path: Path
    format: Format
    names: Names
    head: Head | None = None
    origin: int = 0
    begin: int = 0
    end: int | None = None
    invalid: int = 0
    cut: bool = False
    part: str = ""
    sound: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    _ordered: bool = True

    def within(self, simulation: Resources) -> Input:
        """The same file, for another simulation of the same scenario: it need not be checked again."""
        return replace(self, names=self.names.within(simulation))

    def operations(self) -> Iterator[Operation]:
        """The wanted operations in the order of time; `when` counts from `origin`."""
        found = self._timed()
        return found if self._ordered else iter(sorted(found, key=lambda each: each.when))

    def _timed(self) -> Iterator[Operation]:
        """One that has no time of its own has that of the one before it."""
        last, begin, end = self.origin, self.begin, self.end
        for found in self.format.read(self.path, self.names):
            if not isinstance(found, Operation):
                continue
            if found.when >= 0:
                last = found.when
            when = last - self.origin
            if when >= begin and (end is None or when < end) and self.names.wants(found.resource):
                yield found._replace(when=when)

    def notes(self) -> Iterator[str]:
        """What of it is not replayed, for people."""
        if self.cut:
            yield "ends in the middle of a line; the run that wrote it was cut short. It is replayed up to there."
        if self.invalid:
            yield f"{_counted(self.invalid, 'broken entry', 'broken entries')} left out."
        if self.is_empty():
            what = (
                f"none of its {_counted(self.sound, 'operation', 'operations')} is {self.part}"
                if self.part
                else ("it holds no operation")
            )
            yield f"nothing is replayed: {what}."
        for reason, count in sorted(self.skipped.items()):
            yield f"{_counted(count, 'entry', 'entries')} left out: {reason}."

    def is_empty(self) -> bool:
        """Whether nothing of it is wanted. (The first operation that is answers at once.)"""
        return next(self._timed(), None) is None

    def check(self, skip_invalid: bool) -> None:
        """Read it once: find its time 0, and what is wrong. Raises UsageError for the first broken line."""
        first, last = None, -1
        for found in self.format.read(self.path, self.names):
            if isinstance(found, Skipped):
                self.skipped[found.reason] += 1
                continue
            if isinstance(found, Broken):
                self._broken(found, skip_invalid)
                continue
            self.sound += 1
            if found.when >= 0:
                self._ordered = self._ordered and found.when >= last
                last = found.when
                first = last if first is None else min(first, last)
        self.origin = (first or 0) if self.head is None else self.head.start

    def _broken(self, found: Broken, skip_invalid: bool) -> None:
        self.cut = self.cut or found.cut
        if found.cut:
            return
        if not skip_invalid:
            remedy = (
                ", or leave such entries out with --skip-invalid."
                if found.sound
                else ". Correct it, or leave out what is broken with --skip-invalid."
            )
            raise UsageError(f"{self.path}{found.where}: {found.reason}{remedy}")
        if found.sound:
            self.skipped[found.reason] += 1
        else:
            self.invalid += 1


def open_input(
    path: str | Path,
    simulation: Resources,
    *,
    format: str | None = None,
    targets: Iterable[str] = (),
    only: str | None = None,
    begin: str | None = None,
    end: str | None = None,
    skip_invalid: bool = False,
) -> Input:
    """Find out what a file (or directory) is, and check it.

    `format` is a name of `simbus.recording.formats` (None: it is detected). `targets` and `only`: see
    `simbus.recording.names`. `begin` and `end` are times, or durations since the file's first time. Raises UsageError
    for what can't be read, for a broken line unless `skip_invalid`, and for a resource that is not there.
    """
    path = Path(path)
    if not path.exists():
        raise UsageError(
            f"{path}: no such file; a replay reads a recording, or events in a known form. Check the path."
        )
    kind = detect(path) if format is None else named(format)
    if path.is_dir() and not kind.takes_directories:
        raise UsageError(f"{path}: is a directory; the format {kind.name} is one of files. Name another --format.")
    found = Input(path, kind, Names(simulation, targets, only), kind.head(path))
    found.check(skip_invalid)
    found.names.check_used(path)
    words = []
    if only is not None:
        words.append(f"of {only}")
    if begin is not None:
        found.begin = _instant(begin, found.origin, "--from")
        words.append(f"at {begin} or later")
    if end is not None:
        found.end = _instant(end, found.origin, "--to")
        words.append(f"before {end}")
        if found.end <= found.begin:
            since = f"--from {begin}" if begin is not None else "the beginning"
            raise UsageError(f"--to {end}: is not after {since}; the part between them is replayed. Give a later time.")
    found.part = " and ".join(words)
    return found


def _counted(count: int, one: str, more: str) -> str:
    return f"{count:,} {one if count == 1 else more}"


def _instant(text: str, origin: int, option: str) -> int:
    """Nanoseconds since the file's first time, of a duration or a time. Raises UsageError."""
    try:
        return nanoseconds(text) - origin if "-" in text else parse_duration(text)
    except (ValueError, UsageError):
        raise UsageError(
            f"{option} {text}: is no time; it is a duration since the recording began, or a time. "
            "Write for example 5m, or 2026-01-01T00:05:00Z."
        ) from None
