"""The figures of a finished run that an expectation can compare, each read from its rows alone.

A figure is of the whole run, or, at its end, of what `Subject` names. `always` asks for it all along: what is counted
or measured then holds in each minute of virtual time that has any of it (an alarm of CloudWatch with a period of a
minute, missing data not breaching), what stands (messages, concurrency) at each instant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Literal, NamedTuple

from simbus.expectations import rows as sql
from simbus.expectations.comparison import Kind
from simbus.expectations.cost import cost
from simbus.expectations.rows import Point, Rows, Subject

Of = Literal["deliveries", "attempts", "queue", "records", "calls"]
AtEnd = Callable[[Rows, Subject], float | None]
Series = Callable[[Rows, Subject], Iterable[Point]]


class Figure(NamedTuple):
    """One figure. `of` is what it is counted from, which decides what it can be a figure of.

    `deliveries`: of a source, a function, both (a mapping or subscription) or the run. `attempts`: of a function or the
    run. `queue`: of a queue. `records`: of a stream, a function, both or the run. `calls`: of a source, a
    function or the run. `at_end` None: only `always` makes sense; `series` None: it can't be asked for with `always`.
    """

    kind: Kind
    of: Of
    words: str
    at_end: AtEnd | None
    series: Series | None


_Whole = Callable[[Rows, str, Subject], float | None]
_Part = Callable[[Sequence[float]], float]


def _total(run: Rows, samples: str, subject: Subject) -> float:
    return int(sql.one(run, f"SELECT coalesce(sum(value), 0) FROM ({samples})", subject))


def _mean(run: Rows, samples: str, subject: Subject) -> float | None:
    found: float | None = sql.one(run, f"SELECT avg(value) FROM ({samples})", subject)
    return found


def rank(count: int, percent: int) -> int:
    """Nearest rank: the p-th percentile of n values is the one of rank ceil(p n / 100), counted from 1."""
    return -(-count * percent // 100)


def _percentile(percent: int) -> tuple[_Whole, _Part]:
    def whole(run: Rows, samples: str, subject: Subject) -> float | None:
        count = sql.one(run, f"SELECT count(*) FROM ({samples})", subject)
        if not count:
            return None
        ranked = f"SELECT value FROM ({samples}) ORDER BY value LIMIT 1 OFFSET :skipped"
        return float(sql.one(run, ranked, subject, skipped=rank(count, percent) - 1))

    return whole, lambda values: float(values[rank(len(values), percent) - 1])


_COUNT: Final = (_total, lambda values: int(sum(values)))
_SHARE: Final = (_mean, lambda values: sum(values) / len(values))


def _sampled(of: Of, samples: str, words: str, kind: Kind = "count", how: tuple[_Whole, _Part] = _COUNT) -> Figure:
    whole, part = how
    return Figure(
        kind,
        of,
        words,
        lambda run, subject: whole(run, samples, subject),
        lambda run, subject: _each_minute(sql.samples(run, samples, subject), part),
    )


def _each_minute(minutes: Iterable[tuple[int, list[float]]], part: _Part) -> Iterator[Point]:
    return (Point(minute, part(values)) for minute, values in minutes)


def _percentiles(samples: str, of: Of, name: str, words: str) -> dict[str, Figure]:
    """`p50_duration` to `p99_duration`, and `max_duration`."""
    found = {}
    for label, percent in (("p50", 50), ("p90", 90), ("p95", 95), ("p99", 99), ("max", 100)):
        which = "The longest" if percent == 100 else f"The {percent}th percentile (nearest rank) of the"
        found[f"{label}_{name}"] = _sampled(of, samples, f"{which} {words}", "duration", _percentile(percent))
    return found


def _iterator_ages(run: Rows, subject: Subject) -> Iterator[Point]:
    samples = sql.metric("IteratorAge") if subject.source is None else sql.ITERATOR_AGES
    return _each_minute(sql.samples(run, samples, subject), max)


def _oldest_messages(run: Rows, subject: Subject) -> Iterator[Point]:
    samples = sql.metric("ApproximateAgeOfOldestMessage", "QueueName", 1000)
    return _each_minute(sql.samples(run, samples, subject), max)


_DURATION = "Duration, as Lambda reports it: without init, without waiting."
_AGE = (
    "time from an event (it was first sent, put, published) until it was processed or dead-lettered; of what is held, "
    "until the run ended. What is lost has none."
)

FIGURES: Final[dict[str, Figure]] = {
    "lost": _sampled("deliveries", sql.LOST, "Change events lost: neither processed, nor kept, nor dead-lettered."),
    "processed": _sampled(
        "deliveries", sql.PROCESSED_EVENTS, "Events that were processed with success, or put into a queue."
    ),
    "duplicates": _sampled(
        "deliveries",
        sql.DUPLICATES,
        "How often a function processed an event with success that it had processed before.",
    ),
    "dead_lettered": _sampled(
        "deliveries", sql.DEAD_LETTERED, "Events that ended in a dead-letter queue or a failure destination."
    ),
    "held": _sampled(
        "deliveries", sql.HELD, "Events that were not settled when the run ended: they wait, or are in work."
    ),
    "out_of_order": Figure(
        "count",
        "deliveries",
        "Events that were not through when a later event of their key began: of a partition key, a message group, "
        "an item, an object.",
        lambda run, subject: sum(point.value for point in sql.out_of_order(run, subject)),
        lambda run, subject: _each_minute(sql.by_minute(sql.out_of_order(run, subject)), sum),
    ),
    **_percentiles(sql.AGES, "deliveries", "age", _AGE),
    "iterator_age": Figure(
        "duration",
        "records",
        "The largest IteratorAge: how old the last record of a batch of a stream was when the function got it.",
        lambda run, subject: max((point.value for point in _iterator_ages(run, subject)), default=None),
        lambda run, subject: _iterator_ages(run, subject),
    ),
    "invocations": _sampled("attempts", sql.ATTEMPTS, "Attempts, as AWS's metric Invocations: no throttles."),
    "errors": _sampled("attempts", sql.ERRORS, "Attempts that failed: exceptions, timeouts, exits, out of memory."),
    "error_rate": _sampled("attempts", sql.ERRORS, "Share of the attempts that were not ok.", "share", _SHARE),
    "throttles": _sampled("attempts", sql.metric("Throttles"), "Requests refused, as AWS's metric Throttles."),
    "cold_starts": _sampled("attempts", sql.COLD_STARTS, "Attempts with an Init Duration."),
    "concurrency": Figure(
        "count",
        "attempts",
        "Invocations at once, as AWS's metric ConcurrentExecutions; needs `always`.",
        None,
        lambda run, subject: _each_minute(sql.samples(run, sql.CONCURRENCY, subject), max),
    ),
    **_percentiles(sql.DURATIONS, "attempts", "duration", _DURATION),
    "cost": Figure(
        "usd",
        "attempts",
        "USD at AWS's list prices (requests, GB-seconds, provisioned concurrency), without the free tier.",
        cost,
        None,
    ),
    "refused": _sampled(
        "calls", sql.REFUSED, "Calls of the workload that failed, a throttled one after the 3 attempts of an SDK."
    ),
    "messages": Figure(
        "count",
        "queue",
        "Messages that are in the queue: visible, delayed and in flight.",
        lambda run, subject: int(sql.one(run, sql.STANDING, subject)),
        sql.depth,
    ),
    "oldest_message": Figure(
        "duration",
        "queue",
        "The largest ApproximateAgeOfOldestMessage; 0 of a queue that stayed empty.",
        lambda run, subject: max((point.value for point in _oldest_messages(run, subject)), default=0),
        lambda run, subject: _oldest_messages(run, subject),
    ),
}
"""By name, in the order in which they are shown."""
