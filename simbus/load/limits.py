"""What stood in the way of a run: which limits of AWS it was at, which calls were refused, what failed.

By Little's law a function that may run L times at once, T seconds each, does L / T invocations a second and no more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from simbus.arn import short_name
from simbus.expectations.rows import Rows
from simbus.report.deliveries import client_errors
from simbus.scenario.loader import Scenario

SHARDS_ON_DEMAND: Final = 4
POLL: Final = 1
"""Seconds: Lambda polls each shard once a second (Developer Guide, "Process Amazon Kinesis Data Streams records")."""


class Reached(msgspec.Struct, frozen=True):
    """One limit that was reached, or a kind of error (`limit` is then its type).

    `per_second`: what the limit lets through by Little's law, None where that is no answer.
    """

    place: str
    limit: str
    per_second: float | None = None
    times: int | None = None
    error: bool = False

    def __str__(self) -> str:
        text = f"{'attempts failed' if self.error else 'limit reached'}: {self.place}: {self.limit}"
        if self.per_second is not None:
            text += f", enough for {self.per_second:,.4g} invocations/s at their mean duration"
        return text if self.times is None else f"{text}, {self.times:,} times"


def reached(run: Rows, scenario: Scenario) -> list[Reached]:
    """The limits that a finished run stood at: of concurrency, then of requests; then what its functions raised."""
    return [*_concurrency(run, scenario), *_throttles(run), *_refusals(run), *_errors(run)]


_PEAK: Final = "SELECT max(value) FROM metrics WHERE name = ? AND dimension = ?"
_MEAN: Final = "SELECT avg(duration_ms) FROM invocations WHERE function = ?"


def _concurrency(run: Rows, scenario: Scenario) -> Iterator[Reached]:
    for name, (allowed, words, patience) in _allowed(scenario).items():
        peak = _one(run, _PEAK, "ConcurrentExecutions", f"FunctionName={name}")
        if peak >= allowed > 0 and (patience is None or _waited(run, name, patience)):
            mean = _one(run, _MEAN, name)
            yield Reached(
                f"lambda:{name}", f"ran {allowed:,} at once, {words}", allowed * 1000 / mean if mean else None
            )
    account = scenario.spec.account.concurrent_executions
    if _one(run, _PEAK, "ConcurrentExecutions", "") >= account:
        yield Reached("account", f"ran {account:,} invocations at once, all of its concurrent executions")


_LONGEST: Final = "SELECT max(duration_ms) FROM invocations WHERE function = ?"


def _waited(run: Rows, function: str, patience: float) -> bool:
    """Whether records waited for their lane: longer than until a poll, a full window (both `patience`, in ms) and two
    runs of the function explain. One batch at a time is in each lane at any load."""
    age = _one(run, _PEAK, "IteratorAge", f"FunctionName={function}")
    return age > patience + 2 * _one(run, _LONGEST, function)


def _allowed(scenario: Scenario) -> dict[str, tuple[int, str, float | None]]:
    """How often functions may run at once, the tightest of their limits, and what says so.

    The last: how long a record may wait (ms) where a batch is always under way, None of other limits.
    """
    found: dict[str, tuple[int, str, float | None]] = {}

    def limit(function: str, allowed: int, words: str, patience: float | None = None) -> None:
        if function not in found or allowed < found[function][0]:
            found[function] = allowed, words, patience

    spec = scenario.spec
    for name, function in spec.functions.items():
        if function.reserved_concurrent_executions is not None:
            limit(name, function.reserved_concurrent_executions, "all of its reserved concurrency")
    mapped = [short_name(mapping.function)[1] for mapping in spec.event_source_mappings]
    for mapping, name in zip(spec.event_source_mappings, mapped, strict=True):
        service, source, _ = short_name(mapping.event_source)
        if mapped.count(name) > 1:
            continue  # what one of its mappings may run says nothing of them all
        if mapping.scaling_config is not None and mapping.scaling_config.maximum_concurrency is not None:
            maximum = mapping.scaling_config.maximum_concurrency
            limit(name, maximum, f"the MaximumConcurrency of its mapping of {service}:{source}")
        if service == "kinesis" and source in spec.streams:
            shards = spec.streams[source].shard_count or SHARDS_ON_DEMAND
            lanes = shards * (mapping.parallelization_factor or 1)
            window = mapping.maximum_batching_window_in_seconds or 0
            words = f"the shards of {service}:{source} times ParallelizationFactor"
            limit(name, lanes, words, (POLL + window) * 1000)
    return found


_THROTTLED: Final = """
    SELECT place, detail, count(*) FROM hops WHERE kind = 'throttled'
    GROUP BY place, detail ORDER BY place, 3 DESC, detail
"""


def _throttles(run: Rows) -> Iterator[Reached]:
    for place, reason, times in run.query(_THROTTLED):
        yield Reached(place, f"throttled, {reason}", None, times)


def _refusals(run: Rows) -> Iterator[Reached]:
    for each in client_errors(run):
        yield Reached(each.target, f"refused {each.call} after its retries, {each.error}", None, each.calls)


_ERRORS: Final = """
    SELECT function, coalesce(error_type, status), count(*) FROM invocations WHERE status != 'ok'
    GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2
"""


def _errors(run: Rows) -> Iterator[Reached]:
    for function, kind, times in run.query(_ERRORS):
        yield Reached(f"lambda:{function}", kind, None, times, error=True)


def _one(run: Rows, statement: str, *values: str) -> float:
    [row] = run.query(statement, values)
    return float(row[0] or 0)
