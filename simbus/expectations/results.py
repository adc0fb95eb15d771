"""Expectations compared with the rows of a finished run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from traceback import extract_tb
from typing import Annotated

import msgspec
from msgspec import Meta

from simbus.expectations.comparison import Comparison, Kind, shown
from simbus.expectations.figures import FIGURES
from simbus.expectations.item import Expectation
from simbus.expectations.rows import Point, Rows
from simbus.expectations.thinned import check_payloads


def _about(words: str) -> Meta:
    return Meta(description=words)


class ExpectationResult(msgspec.Struct, frozen=True):
    """One figure of one expectation."""

    what: Annotated[str, _about("`lambda:resize p99_duration`, `sqs:jobs messages always`, `check billing.paid_once`.")]
    expected: Annotated[str, _about("The comparison as it was written.")]
    found: Annotated[
        int | float | str | None,
        _about("The figure; durations in ms. Null: there is none. A text: what a check came to."),
    ]
    passed: bool
    path: Annotated[tuple[str | int, ...], _about("Its place in the scenario: [expect, 0, lost].")] = ()
    unit: Annotated[Kind, _about("count, share, usd, or duration, of which `found` is in ms.")] = "count"
    at: Annotated[
        str | None, _about("Of `always`: when what was found began, in virtual time, 2026-01-01T00:00:00Z.")
    ] = None
    file: Annotated[str | None, _about("The scenario file, as it was named.")] = None
    line: Annotated[int | None, _about("Where the expectation stands in it.")] = None

    def __str__(self) -> str:
        return f"{self.what}: expected {self.expected}, found {self.shown}"

    @property
    def shown(self) -> str:
        """What was found, for people."""
        if self.found is None:
            return "nothing"
        found = self.found if isinstance(self.found, str) else shown(self.found, self.unit)
        return found if self.at is None else f"{found} at {self.at}"


def _iso(at: int) -> str:
    moment = datetime.fromtimestamp(at / 1000, UTC).replace(tzinfo=None)
    return f"{moment.isoformat(timespec='milliseconds' if at % 1000 else 'seconds')}Z"


def evaluate(expectations: Iterable[Expectation], run: Rows) -> list[ExpectationResult]:
    """Compare each expected figure with the rows of a finished run, in the order of the expectations.

    A figure that does not exist (the error rate of a function that never ran) fails. Raises UsageError for one that
    needs payloads that the run file does not keep.
    """
    items = list(expectations)
    check_payloads(items, run)
    return [result for index, item in enumerate(items) for result in _results(("expect", index), item, run)]


def _results(path: tuple[str | int, ...], item: Expectation, run: Rows) -> Iterator[ExpectationResult]:
    if item.check is not None:
        yield _checked(path, item, run)
    for name, comparison in item.figures:
        figure = FIGURES[name]
        subject = str(item.subject)
        what = f"{subject} {name}" if subject else name
        at: str | None = None
        found: float | None = None
        if item.always:
            assert figure.series is not None
            what += " always"
            worst = _worst(figure.series(run, item.subject), comparison)
            if worst is not None:
                at, found = _iso(worst.time), worst.value
            elif figure.kind == "count":
                found = 0
        else:
            assert figure.at_end is not None
            found = figure.at_end(run, item.subject)
        passed = found is not None and comparison.holds(found)
        yield ExpectationResult(what, comparison.text, found, passed, (*path, name), figure.kind, at)


def _worst(points: Iterable[Point], comparison: Comparison) -> Point | None:
    """The first point that breaks the comparison most; where none does, the one that comes nearest to it."""
    worst: Point | None = None
    for point in points:
        if worst is None or _rank(point.value, comparison) > _rank(worst.value, comparison):
            worst = point
    return worst


def _rank(value: float, comparison: Comparison) -> tuple[bool, float]:
    return not comparison.holds(value), -value if comparison.lower else value


def _checked(path: tuple[str | int, ...], item: Expectation, run: Rows) -> ExpectationResult:
    found, passed = _verdict(item, run)
    expected = "true" if item.result is None else item.result.text
    return ExpectationResult(f"check {item.name}", expected, found, passed, (*path, "check"), "share")


def _verdict(item: Expectation, run: Rows) -> tuple[float | str, bool]:
    """Call the user's function: what it says, and whether that is as expected."""
    assert item.check is not None
    try:
        found = item.check(run)
    except Exception as error:
        return _failure(error), False
    if item.result is None:
        if found is None or isinstance(found, bool):
            return ("false", False) if found is False else ("true", True)
        return f"it returned {found!r:.60}, not None, True or False", False
    if isinstance(found, int | float) and not isinstance(found, bool):
        return found, item.result.holds(found)
    return f"it returned {found!r:.60}, not a number", False


def _failure(error: Exception) -> str:
    """What an exception says, and where it was raised: `ValueError: no card, billing.py:12`."""
    said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if isinstance(error, AssertionError) and str(error):
        said = str(error)
    frames = extract_tb(error.__traceback__)
    where = f", {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{' '.join(said.split())}{where}"


def table(results: Sequence[ExpectationResult]) -> list[tuple[str, ...]]:
    """The results as rows of a table: what, expected, found, `pass` or `FAIL`."""
    return [(each.what, each.expected, each.shown, "pass" if each.passed else "FAIL") for each in results]
