"""What a run under load came to: one row for the whole of it, or one for each window of virtual time.

The figures are those of `simbus.expectations.figures`, so that a row of a whole run says what `simbus report` and the
expectations say of it; but what was done and how old it became is of events from outside, to the end of all that they
led to (`simbus.load.whole`), where an expected age is of one delivery. An event belongs to the window in which it came;
what is counted or stands (throttles, peaks, attempts, their cost), to the window in which it happened; `processed` and
`throughput` count the events that were done in the window, also those that came before it. What happens after the
profile has ended is in a last row.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from operator import itemgetter
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from simbus.expectations import cost
from simbus.expectations import rows as sql
from simbus.expectations.figures import rank
from simbus.expectations.rows import Rows
from simbus.kernel import MILLISECOND, SECOND
from simbus.load import whole
from simbus.load.profiles import Profile

MILLION: Final = 1_000_000


def _about(words: str) -> Meta:
    return Meta(description=words)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of a run or a window. Times in seconds since the start of the run; None: there is none."""

    begin_s: float
    end_s: Annotated[float | None, _about("Null: the end of the run.")]
    rate: Annotated[float, _about("Events a second that the profile asked for, in the mean.")]
    events: Annotated[int, _about("Events from outside that came; not what was refused.")] = 0
    processed: Annotated[int, _about("Events that were done in it, with all that they led to.")] = 0
    throughput: Annotated[float | None, _about("Done a second, while the load lasted.")] = None
    p50_age_ms: Annotated[float | None, _about("From an event to the end of all that it led to.")] = None
    p99_age_ms: float | None = None
    max_age_ms: float | None = None
    concurrency: Annotated[int, _about("Peak of the account's ConcurrentExecutions.")] = 0
    throttles: int = 0
    queue_depth: Annotated[int, _about("Peak of ApproximateNumberOfMessagesVisible, of queues with a mapping.")] = 0
    iterator_age_ms: Annotated[float | None, _about("The largest IteratorAge.")] = None
    errors: Annotated[int, _about("Attempts that failed.")] = 0
    refused: Annotated[int, _about("Calls of the workload that were given up, after the retries of an SDK.")] = 0
    dead_lettered: int = 0
    lost: int = 0
    held: Annotated[int, _about("Events that were not settled when the run ended, by when they came.")] = 0
    cost_usd: float = 0.0
    cost_per_million_usd: Annotated[float | None, _about("Of a million events that were done.")] = None


class _Spans:
    """The windows as SQL sees them: `of(column)` is the number of the window, `last` that of what comes afterwards."""

    def __init__(self, run: Rows, facts: dict[str, str], profile: Profile) -> None:
        windows = profile.windows()
        self._run = run
        self.start = round(datetime.fromisoformat(facts["start"]).timestamp() * 1000) + profile.warm // MILLISECOND
        self._every = (windows[0][1] - windows[0][0]) // MILLISECOND
        self.after = len(windows)
        self.last = 0 if profile.window is None else self.after

    def of(self, column: str, last: int | None = None) -> str:
        """The number of the window in which a time lies."""
        last = self.last if last is None else last
        return f"min(max(({column} - {self.start}) / {self._every}, 0), {last})"

    def each(self, statement: str, **parameters: Any) -> Iterator[Any]:
        """The rows of a statement; `:source` and `:function` are null, `:start` is the begin of the first window."""
        given = {"source": None, "function": None, "start": self.start}
        return iter(self._run.query(statement, {**given, **parameters}))

    def counted(self, samples: str) -> dict[int, int]:
        """The sum of (time, value) samples by window."""
        rows = self.each(f"SELECT {self.of('time')} AS span, sum(value) FROM ({samples}) GROUP BY span")
        return {span: int(value) for span, value in rows}


def measure(run: Rows, profile: Profile, read_queues: list[str]) -> list[Row]:
    """One row, or one for each window and a last one for what came after them; `read_queues` have a mapping."""
    facts = cost.facts_of(run)
    spans = _Spans(run, facts, profile)
    whole.follow(run)
    done_while = dict(
        spans.each(f"SELECT {spans.of('time', spans.after)} AS span, count(*) FROM ({whole.DONE}) GROUP BY span")
    )
    columns: dict[str, dict[int, Any]] = {
        "events": spans.counted(whole.CAME),
        "processed": _folded(done_while, spans.last),
        "throttles": spans.counted(sql.metric("Throttles")),
        "errors": spans.counted(sql.ERRORS),
        "refused": spans.counted(sql.REFUSED),
        "dead_lettered": spans.counted(sql.DEAD_LETTERED),
        "lost": spans.counted(sql.LOST),
        "held": spans.counted(f"SELECT came AS time, value FROM ({sql.HELD})"),
        "concurrency": _peaks(spans, "ConcurrentExecutions", [""]),
        "queue_depth": _peaks(
            spans, "ApproximateNumberOfMessagesVisible", [f"QueueName={name}" for name in read_queues]
        ),
        "iterator_age_ms": _iterator_ages(spans),
        "cost_usd": _costs(spans, run, facts, profile),
        **_ages(spans),
    }
    rows = []
    for span, (begin, end) in enumerate(profile.windows()):
        done = done_while.get(span, 0) * SECOND / (end - begin)
        rows.append(_row(columns, span, begin, end, profile.mean(begin, end), done))
    if spans.last and any(values.get(spans.last) for values in columns.values()):
        rows.append(_row(columns, spans.last, profile.length, None, 0.0, None))
    return rows


def _row(
    columns: dict[str, dict[int, Any]], span: int, begin: int, end: int | None, rate: float, throughput: float | None
) -> Row:
    found = {name: values[span] for name, values in columns.items() if values.get(span) is not None}
    done = found.get("processed")
    spent = found.get("cost_usd")
    per_million = spent / done * MILLION if spent and done else None
    return Row(
        begin_s=begin / SECOND,
        end_s=None if end is None else end / SECOND,
        rate=rate,
        throughput=throughput,
        cost_per_million_usd=per_million,
        **found,
    )


def _folded(counts: dict[int, int], last: int) -> dict[int, int]:
    """With everything from the last window on in it."""
    folded: dict[int, int] = {}
    for span, count in counts.items():
        folded[min(span, last)] = folded.get(min(span, last), 0) + count
    return folded


def _ages(spans: _Spans) -> dict[str, dict[int, float]]:
    """The ages of events by the window in which they came; nearest rank, as expectations have it."""
    window = spans.of("came")
    ages = whole.AGES
    counts = dict(spans.each(f"SELECT {window} AS span, count(*) FROM ({ages}) GROUP BY span ORDER BY span"))
    found: dict[str, dict[int, float]] = {"p50_age_ms": {}, "p99_age_ms": {}, "max_age_ms": {}}
    values = map(itemgetter(1), spans.each(f"SELECT {window} AS span, value FROM ({ages}) ORDER BY span, value"))
    for span, count in counts.items():
        position = 0
        for name, percent in (("p50_age_ms", 50), ("p99_age_ms", 99), ("max_age_ms", 100)):
            wanted = rank(count, percent)
            if wanted > position:
                value = float(next(islice(values, wanted - position - 1, None)))
                position = wanted
            found[name][span] = value
    return found


def _peaks(spans: _Spans, name: str, dimensions: list[str]) -> dict[int, int]:
    """The largest data point of a metric by window, of any of the dimensions."""
    window = spans.of("time")
    wanted = ", ".join(f":d{number}" for number in range(len(dimensions)))
    given = {f"d{number}": dimension for number, dimension in enumerate(dimensions)}
    rows = spans.each(
        f"""SELECT {window} AS span, max(value) FROM metrics
            WHERE name = :name AND dimension IN ({wanted}) GROUP BY span""",
        name=name,
        **given,
    )
    return {span: int(value) for span, value in rows}


def _iterator_ages(spans: _Spans) -> dict[int, float]:
    rows = spans.each(f"SELECT {spans.of('time')} AS span, max(value) FROM ({sql.metric('IteratorAge')}) GROUP BY span")
    return {span: float(value) for span, value in rows}


_BILLED: Final = """
    SELECT {span} AS span, function, version, memory_size,
        log_stream NOT IN (SELECT log_stream FROM main.invocations WHERE init_duration_ms IS NOT NULL) AS warm,
        count(*) AS attempts, sum(billed_duration_ms) AS billed
    FROM invocations GROUP BY span, function, version, memory_size, warm
"""


def _costs(spans: _Spans, run: Rows, facts: dict[str, str], profile: Profile) -> dict[int, float]:
    """USD by window; what is provisioned costs by the time that passes, see `simbus.load.warm.look_at`."""
    functions = cost.known_functions(run, cost.resources_of(facts))
    costs: dict[int, float] = {}
    for row in spans.each(_BILLED.format(span=spans.of("started_at"))):
        resource = functions.get(row["function"]) or cost.FunctionResource()
        costs[row["span"]] = costs.get(row["span"], 0.0) + cost.attempts_cost(row, resource)
    second = sum(cost.standing_cost(resource, 1.0, rounded=False) for resource in functions.values())
    if second:
        times = [end - begin for begin, end in profile.windows()]
        if spans.last:
            times.append(max(round(cost.virtual_seconds(facts) * SECOND) - profile.length, 0))
        for span, time in enumerate(times):
            costs[span] = costs.get(span, 0.0) + second * time / SECOND
    return costs
