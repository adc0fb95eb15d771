"""What is expected of a run: figures of its rows, comparisons, results; the same words in YAML and in Python.

`simbus.expect` and `Simulation.expect` are for tests in Python, `expect:` of a scenario is read by
`simbus.scenario.schema.expect`. Begin at `figures.FIGURES`, the table of all figures.
"""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Any

from simbus.errors import UsageError
from simbus.expectations import cost
from simbus.expectations.connections import Connection, had_connection, unconnected
from simbus.expectations.item import Expectation, read
from simbus.expectations.judgement import ExpectationFailed
from simbus.expectations.results import ExpectationResult, evaluate
from simbus.expectations.rows import Rows
from simbus.logs.reader import RunReader, open_run


def expect(run: str | Path | RunReader, /, **item: Any) -> list[ExpectationResult]:
    """Expect figures of a finished run, in the words of `expect:` in a scenario; returns what was found.

    `simbus.expect("tour.db", function="resize", error_rate="< 0.1")`; see `Simulation.expect`. Raises ExpectationFailed
    (an AssertionError) where a figure is not as expected, UsageError for what is no expectation or no run file.
    """
    expectation = read(item)
    if not isinstance(run, RunReader):
        with open_run(Path(run)) as reader:
            return expect(reader, **item)
    facts = cost.facts_of(run)
    resources = cost.resources_of(facts)
    if cost.RESOURCES in facts:
        check_known("function", expectation.subject.function, list(resources.functions))
        if expectation.subject.source is not None and expectation.subject.source.startswith("sqs:"):
            check_known("queue", expectation.subject.source[len("sqs:") :], resources.queues)
    if resources.connections is not None:
        check_connected(expectation, resources.connections, run)
    return judged([expectation], run, facts.get("seed", "?"))


def judged(expectations: list[Expectation], run: Rows, seed: object) -> list[ExpectationResult]:
    """The results of expectations that all hold. Raises ExpectationFailed."""
    results = evaluate(expectations, run)
    if not all(result.passed for result in results):
        raise ExpectationFailed(results, seed)
    return results


def check_connected(expectation: Expectation, known: list[Connection], run: Rows) -> None:
    """Refuse a source and a function that have nothing to do with each other: nothing goes wrong between them."""
    text = unconnected(expectation.subject, known)
    if text is not None and not had_connection(run, expectation.subject):
        raise UsageError(f"expect: {text}")


def check_known(what: str, name: str | None, known: list[str]) -> None:
    """Refuse a name that the run does not have: nothing is easy to expect of it. Raises UsageError."""
    if name is not None and name not in known:
        service, _, bare = name.rpartition(":")
        same = {each.rpartition(":")[2]: each for each in known if each.rpartition(":")[0] == service}
        close = get_close_matches(bare, same, 1)
        remedy = f"Did you mean {same[close[0]]}?" if close else f"It has {', '.join(known) or 'none'}."
        raise UsageError(f"expect: the run has no {what} {name}. {remedy}")
