"""Figures of a finished run, read from its rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol


class Rows(Protocol):
    """What answers SELECT statements: a `simbus.logs.reader.RunReader`."""

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> Any: ...


def lost(run: Rows) -> int:
    """Change events that some subscription neither processed, nor holds, nor has put into a DLQ or destination."""
    return _count(run, "SELECT count(DISTINCT event_id) FROM deliveries WHERE outcome = 'dropped'")


def messages(run: Rows, queue: str) -> int:
    """Messages in a queue at the end: visible, delayed and in flight (ApproximateNumberOfMessages* together)."""
    sql = "SELECT count(*) FROM messages WHERE queue = ? AND state IN ('visible', 'delayed', 'in_flight')"
    return _count(run, sql, queue)


def invocations(run: Rows, function: str) -> int:
    """Attempts of a function, as CloudWatch's metric Invocations: function errors count, throttles do not."""
    return _count(run, "SELECT count(*) FROM invocations WHERE function = ?", function)


def errors(run: Rows, function: str) -> int:
    """Attempts that did not end ok, as CloudWatch's metric Errors: exceptions, timeouts, exits, out of memory."""
    return _count(run, "SELECT count(*) FROM invocations WHERE function = ? AND status != 'ok'", function)


def error_rate(run: Rows, function: str) -> float | None:
    """Errors / Invocations, 0 to 1; None where the function never ran."""
    attempts = invocations(run, function)
    return errors(run, function) / attempts if attempts else None


def throttles(run: Rows, function: str) -> int:
    """Requests that were refused: the Sum of CloudWatch's metric Throttles over the run."""
    sql = "SELECT coalesce(sum(value), 0) FROM metrics WHERE name = 'Throttles' AND dimension = ?"
    return _count(run, sql, f"FunctionName={function}")


def duration_percentile(run: Rows, function: str, percent: int) -> float | None:
    """A percentile (1 to 100) of the Duration in ms, by nearest rank; None where the function never ran."""
    attempts = _count(run, "SELECT count(*) FROM invocations WHERE function = ? AND duration_ms IS NOT NULL", function)
    if not attempts:
        return None
    rank = -(-attempts * percent // 100)
    sql = (
        "SELECT duration_ms FROM invocations WHERE function = ? AND duration_ms IS NOT NULL "
        "ORDER BY duration_ms LIMIT 1 OFFSET ?"
    )
    [row] = run.query(sql, (function, rank - 1))
    return float(row[0])


def _count(run: Rows, sql: str, *parameters: object) -> int:
    [row] = run.query(sql, parameters)
    return int(row[0])
