"""Arrivals from a CSV file, read row by row."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from heapq import heappop, heappush
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from simbus.errors import UsageError
from simbus.kernel.durations import NANOSECONDS
from simbus.scenario.schema.workload import Trace

LOOKAHEAD = 10_000
"""How many rows a trace may be out of order: so many are kept in memory."""

_WARMTH = {"true": True, "1": True, "false": False, "0": False}
_LARGEST = Decimal(10) ** 30


class Arrival(NamedTuple):
    """One row: when, in nanoseconds since the earliest row, and its recorded duration in nanoseconds, if any."""

    when: int
    duration: int | None


class TraceFile:
    """A trace of a workload item.

    Times are relative to the earliest row, which arrives at the start of the run. Logs of parallel requests are
    seldom quite in order (16 of 10,116 rows of the measurements in the README are not): rows are sorted as long as none
    is more than `LOOKAHEAD` rows late. Every error is a UsageError that names the line of the CSV file.
    """

    def __init__(self, trace: Trace, folder: Path) -> None:
        self._trace = trace
        self._path = folder / trace.file
        self._scale = NANOSECONDS[trace.unit]

    def check(self) -> None:
        """Read the header line and the first rows. Raises UsageError ("is 'x.csv'; ...")."""
        for _ in islice(self._times(), LOOKAHEAD):
            pass
        if self._trace.environment_column is not None:
            for _ in islice(self._environments(), LOOKAHEAD):
                pass

    def arrivals(self) -> Iterator[Arrival]:
        """Every row in the order of time."""
        ahead: list[tuple[int, int, int | None]] = []
        origin: int | None = None
        last = 0
        for line, when, duration in self._times():
            if when < last and origin is not None:
                raise self._wrong(
                    f"{self._path}:{line}: {self._trace.column} is earlier than {LOOKAHEAD:,} rows before; a trace is "
                    "in the order of time, or nearly so. Sort it."
                )
            heappush(ahead, (when, line, duration))
            if len(ahead) > LOOKAHEAD:
                last, _, recorded = heappop(ahead)
                origin = last if origin is None else origin
                yield Arrival(last - origin, recorded)
        while ahead:
            last, _, recorded = heappop(ahead)
            origin = last if origin is None else origin
            yield Arrival(last - origin, recorded)

    def warm(self) -> int:
        """How many environments were warm when the trace began: those whose first row was no cold start."""
        if self._trace.environment_column is None:
            return 0
        seen: dict[str, bool] = {}
        for environment, cold in self._environments():
            seen.setdefault(environment, cold)
        return sum(not cold for cold in seen.values())

    def _times(self) -> Iterator[tuple[int, int, int | None]]:
        """Line, time and duration of each row."""
        trace = self._trace
        empty = True
        for line, row in self._rows():
            empty = False
            when = self._number(line, trace.column, row)
            duration = None if trace.duration_column is None else self._number(line, trace.duration_column, row)
            yield line, when, duration
        if empty:
            raise self._wrong(f"{self._path} has no rows. Name a trace with at least one.")

    def _environments(self) -> Iterator[tuple[str, bool]]:
        assert self._trace.environment_column is not None
        assert self._trace.cold_column is not None
        for line, row in self._rows():
            text = (row[self._trace.cold_column] or "").strip().lower()
            if text not in _WARMTH:
                raise self._wrong(
                    f"{self._path}:{line}: {self._trace.cold_column} is {text!r}; it is true or false. Correct the row."
                )
            yield row[self._trace.environment_column] or "", _WARMTH[text]

    def _rows(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Line number and cells of each row."""
        trace = self._trace
        wanted = [trace.column, trace.duration_column, trace.environment_column, trace.cold_column]
        try:
            with self._path.open(newline="", encoding="utf-8-sig") as file:
                rows = csv.DictReader(file)
                names = list(rows.fieldnames or [])
                for column in wanted:
                    if column is not None and column not in names:
                        raise self._wrong(
                            f"it has no column {column!r} but {', '.join(map(repr, names)) or 'no header line'}. "
                            "Name one of its columns."
                        )
                for row in rows:
                    yield rows.line_num, row
        except OSError as error:
            raise self._wrong(f"it can't be read ({error.strerror}). Correct the path.") from None
        except (ValueError, csv.Error) as error:
            raise self._wrong(f"it is no CSV file in UTF-8 ({error}). Save it as such.") from None

    def _number(self, line: int, column: str, row: dict[str, str]) -> int:
        """A cell in nanoseconds."""
        text = row[column]
        try:
            number = Decimal(text.strip())
        except (InvalidOperation, AttributeError):
            number = Decimal("NaN")
        if not number.is_finite() or not 0 <= number < _LARGEST:
            raise self._wrong(
                f"{self._path}:{line}: {column} is {text!r}; it must be a number from 0 up. Correct the row."
            )
        return int(number * self._scale)

    def _wrong(self, finding: str) -> UsageError:
        return UsageError(f"is {self._trace.file!r}; {finding}")
