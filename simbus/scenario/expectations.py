"""`expect`: what a finished run is compared with, from its rows alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from simbus.report import figures
from simbus.report.figures import Rows
from simbus.scenario.comparison import Comparison
from simbus.scenario.schema.expect import Expectation


class ExpectationResult(NamedTuple):
    """One figure of one item of `expect`.

    `what` names it (`lambda:resize p99_duration`, `lost`), `expected` is the comparison as it was written, `found` the
    figure (durations in ms; None where there is none, because the function never ran), `path` its place in the file.
    """

    what: str
    expected: str
    found: float | None
    passed: bool
    path: tuple[str | int, ...]

    def __str__(self) -> str:
        found = "nothing" if self.found is None else f"{self.found:g}" if isinstance(self.found, float) else self.found
        return f"{self.what}: expected {self.expected}, found {found}"


def evaluate(expectations: Sequence[Expectation], run: Rows) -> list[ExpectationResult]:
    """Compare each expected figure with the rows of a finished run, in the order of the file.

    A figure that does not exist (the error rate of a function that never ran) fails.
    """
    results = []
    for index, item in enumerate(expectations):
        subject = item.queue or item.function
        for name in item.figures():
            comparison: Comparison = getattr(item, name)
            found = _figure(item, name, run)
            passed = found is not None and comparison.holds(found)
            what = f"{subject} {name}" if subject else name
            results.append(ExpectationResult(what, comparison.text, found, passed, ("expect", index, name)))
    return results


def _figure(item: Expectation, name: str, run: Rows) -> float | None:
    if item.queue is not None:
        return figures.messages(run, item.queue.partition(":")[2])
    if item.function is None:
        return figures.lost(run)
    function = item.function.split(":")[1]
    if name.endswith("_duration"):
        return figures.duration_percentile(run, function, int(name[1:3]))
    by_name = {
        "invocations": figures.invocations,
        "error_rate": figures.error_rate,
        "throttles": figures.throttles,
    }
    return by_name[name](run, function)
