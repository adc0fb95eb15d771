"""`expect`: what a finished run is compared with, from its rows alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec import structs

from simbus.expectations import results
from simbus.expectations.results import ExpectationResult
from simbus.expectations.rows import Rows
from simbus.scenario.loader import Scenario
from simbus.scenario.schema.expect import Expectation

__all__ = ["ExpectationResult", "evaluate", "judge"]


def judge(scenario: Scenario, run: Rows) -> list[ExpectationResult]:
    """Compare a finished run with what its scenario expects; the results say where in the file that stands."""
    source = scenario.source
    return [
        structs.replace(result, file=source.name, line=source.position(result.path).line)
        for result in evaluate(scenario.spec.expect, run, scenario.folder)
    ]


def evaluate(expectations: Sequence[Expectation], run: Rows, folder: Path = Path()) -> list[ExpectationResult]:
    """Compare each expected figure with the rows of a finished run, in the order of the file.

    `folder` is where the modules of checks lie. A figure that does not exist (the error rate of a function that never
    ran) fails.
    """
    return results.evaluate([item.expectation(folder) for item in expectations], run)
