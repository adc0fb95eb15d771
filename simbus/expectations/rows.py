"""Where figures come from: SELECT statements over the rows of a finished run, as (time, value) samples.

Times are the run file's: milliseconds since the epoch. Every statement knows `:source` (`kinesis:clicks`), `:function`
(its bare name), both null where all are meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, NamedTuple, Protocol

MINUTE: Final = 60_000

COUNTED_FROM: Final = "counted_from"
"""A key of table `run` where the tables show a part of a run only, from this time on (ms since the epoch): after the
warm-up of a load test. `main.events` has all of them."""


class Rows(Protocol):
    """What answers SELECT statements: a `simbus.logs.reader.RunReader`."""

    def query(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> Any: ...


class Subject(NamedTuple):
    """What a figure is about: a source (`sqs:jobs`), a function (its bare name), both together, or the whole run."""

    source: str | None = None
    function: str | None = None

    def __str__(self) -> str:
        function = None if self.function is None else f"lambda:{self.function}"
        return " -> ".join(part for part in (self.source, function) if part is not None)


class Point(NamedTuple):
    """A figure at an instant (ms since the epoch): of the minute that begins then, or what stood from then on."""

    time: int
    value: float


_SUBSCRIPTION = """(:function IS NULL OR d.subscription = 'lambda:' || :function
    OR d.subscription GLOB 'lambda:' || :function || ':*')"""
_OF = f"(:source IS NULL OR e.source = :source) AND {_SUBSCRIPTION}"

# What became of each event for each of its subscriptions: `processed` counts the successful runs of a function that had
# it. More than the first of an event of a queue are hops, which tell why.
PROCESSED_HOPS: Final = ("duplicate", "processed_late", "not_deleted")
PROCESSED: Final = f"""
    SELECT event_id, subscription, settled_at AS time FROM deliveries WHERE outcome = 'ok'
    UNION ALL SELECT event_id, place, time FROM hops WHERE kind IN ({", ".join(f"'{kind}'" for kind in PROCESSED_HOPS)})
"""

# Of a row of deliveries, by its name: given up, and not saved in another way.
IS_LOST: Final = f"""
    {{0}}.outcome = 'dropped'
    AND ({{0}}.event_id, {{0}}.subscription) NOT IN (SELECT event_id, subscription FROM ({PROCESSED}))
    AND ({{0}}.event_id, {{0}}.subscription) NOT IN (
        SELECT event_id, subscription FROM deliveries WHERE outcome IN ('held', 'dead_letter'))
"""

LOST: Final = f"""
    SELECT max(d.settled_at) AS time, 1 AS value FROM deliveries d JOIN events e ON e.id = d.event_id
    WHERE {IS_LOST.format("d")} AND {_OF} GROUP BY d.event_id
"""

DEAD_LETTERED: Final = f"""
    SELECT d.settled_at AS time, 1 AS value FROM deliveries d JOIN events e ON e.id = d.event_id
    WHERE d.outcome = 'dead_letter' AND {_OF}
"""

PROCESSED_EVENTS: Final = f"""
    SELECT max(d.time) AS time, 1 AS value FROM ({PROCESSED}) d JOIN events e ON e.id = d.event_id
    WHERE {_OF} GROUP BY d.event_id, d.subscription
"""

DUPLICATES: Final = f"""
    SELECT max(d.time) AS time, count(*) - 1 AS value FROM ({PROCESSED}) d JOIN events e ON e.id = d.event_id
    WHERE {_OF} GROUP BY d.event_id, d.subscription HAVING count(*) > 1
"""

# When the run ended (ms since the epoch).
END: Final = """
    (SELECT CAST(strftime('%s', value) AS INTEGER) * 1000 + CAST(substr(strftime('%f', value), 4) AS INTEGER)
        FROM run WHERE key = 'ended')
"""

# Not settled when the run ended, and not processed either; as old as it was then.
HELD: Final = f"""
    SELECT {END} AS time, e.time AS came, 1 AS value, d.event_id FROM deliveries d JOIN events e ON e.id = d.event_id
    WHERE d.outcome = 'held' AND {_OF}
        AND (d.event_id, d.subscription) NOT IN (SELECT event_id, subscription FROM ({PROCESSED}))
"""

# Whose call was throttled was told so at once, and what is lost is never done, however soon: both have no age. What is
# held will be older than it was at the end. Who sent an event again has waited since he first did (a hop).
AGES: Final = f"""
    SELECT a.time, a.time - coalesce(f.time, a.came) AS value FROM (
        SELECT d.settled_at AS time, e.time AS came, d.event_id FROM deliveries d JOIN events e ON e.id = d.event_id
        WHERE d.settled_at IS NOT NULL AND d.outcome NOT IN ('throttled', 'dropped') AND {_OF}
        UNION ALL SELECT time, came, event_id FROM ({HELD})
    ) a LEFT JOIN (SELECT event_id, min(time) AS time FROM hops WHERE kind = 'first_sent' GROUP BY event_id) f
        ON f.event_id = a.event_id
"""

# The age of the last record of each batch when the function got it, as IteratorAge has it.
ITERATOR_AGES: Final = """
    SELECT i.queued_at AS time, i.queued_at - e.time AS value
    FROM invocations i JOIN main.events e ON e.id = json_extract(i.payload, '$.Records[#-1].eventID')
    WHERE e.source = :source AND (:function IS NULL OR i.function = :function)
"""

# A call of the workload that failed, after whatever attempts an SDK makes.
REFUSED: Final = """
    SELECT time, 1 AS value FROM hops
    WHERE kind = 'client_error' AND place = coalesce(:source, 'lambda:' || :function, place)
"""


def _attempts(value: str) -> str:
    return (
        f"SELECT started_at AS time, {value} AS value FROM invocations WHERE :function IS NULL OR function = :function"
    )


ATTEMPTS: Final = _attempts("1")
ERRORS: Final = _attempts("status != 'ok'")
COLD_STARTS: Final = _attempts("init_duration_ms IS NOT NULL")
DURATIONS: Final = f"SELECT * FROM ({_attempts('duration_ms')}) WHERE value IS NOT NULL"


def metric(name: str, dimension: str = "FunctionName", scale: int = 1) -> str:
    """The data points of a CloudWatch metric; of a function, of a queue (`QueueName`), or of all of them."""
    of = ":function" if dimension == "FunctionName" else "substr(:source, 5)"
    return f"""
        SELECT time, value * {scale} AS value FROM metrics
        WHERE name = '{name}' AND CASE WHEN {of} IS NULL THEN dimension GLOB '{dimension}=*'
            ELSE dimension = '{dimension}=' || {of} END
    """


# The account's own data points have no dimension.
CONCURRENCY: Final = """
    SELECT time, value FROM metrics WHERE name = 'ConcurrentExecutions'
        AND dimension = CASE WHEN :function IS NULL THEN '' ELSE 'FunctionName=' || :function END
"""

STANDING: Final = """
    SELECT count(*) AS value FROM messages
    WHERE queue = substr(:source, 5) AND state IN ('visible', 'delayed', 'in_flight')
"""

# A message comes by a SendMessage or from a queue that redrove it; it goes when it is deleted, redriven, moved or too
# old. What a mapping deletes has no hop: it is deleted as it is settled, or as a filter turns it away. All of the run:
# what came before the part of it that is looked at stands there, too.
COMINGS_AND_GOINGS: Final = """
    SELECT time, 1 AS change FROM main.events WHERE source = :source
    UNION ALL SELECT time, 1 FROM main.hops WHERE kind = 'redrive' AND place = :source
    UNION ALL SELECT time, -1 FROM main.hops WHERE kind = 'redrive' AND instr(detail, :source || ': ') = 1
    UNION ALL SELECT time, -1 FROM main.hops WHERE kind IN ('deleted', 'expired', 'moved') AND place = :source
    UNION ALL SELECT min(time), -1 FROM (
        SELECT event_id, settled_at AS time FROM main.deliveries WHERE outcome = 'ok' AND subscription GLOB 'lambda:*'
        UNION ALL SELECT event_id, time FROM main.hops WHERE kind = 'filtered' AND place GLOB 'lambda:*'
    ) JOIN messages ON message_id = event_id
    WHERE queue = substr(:source, 5) AND state = 'deleted'
        AND event_id NOT IN (SELECT event_id FROM main.hops WHERE kind = 'deleted' AND place = :source)
    GROUP BY event_id
"""


def depth(rows: Rows, subject: Subject) -> Iterator[Point]:
    """How many messages a queue holds: from each instant at which that changes (milliseconds are told apart)."""
    changes = rows.query(
        f"SELECT time, sum(change) FROM ({COMINGS_AND_GOINGS}) GROUP BY time ORDER BY time", _of(subject)
    )
    [row] = rows.query("SELECT max(value) FROM run WHERE key = ?", (COUNTED_FROM,))
    since = int(row[0] or 0)
    level = 0
    begun = not since
    for time, change in changes:
        if not begun and time > since:
            begun = True
            yield Point(since, level)
        level += change
        if begun:
            yield Point(time, level)
    if not begun:
        yield Point(since, level)


class _Began(NamedTuple):
    time: int
    request_id: str


# What orders the events of a source among each other; a message without a group, or an event of a bus, has no key.
_KEY = """
    CASE substr(e.source, 1, instr(e.source, ':') - 1)
        WHEN 'sqs' THEN json_extract(e.data, '$.MessageGroupId')
        WHEN 'sns' THEN json_extract(e.data, '$.MessageGroupId')
        WHEN 'events' THEN NULL WHEN 'lambda' THEN NULL ELSE e.subject END
"""

# By source, subscription and key, the event that was published last comes first.
KEYED: Final = f"""
    SELECT e.source, d.subscription, {_KEY} AS key, i.request_id, i.started_at, i.ended_at
    FROM deliveries d JOIN events e ON e.id = d.event_id
    JOIN invocations i ON i.request_id = d.request_id AND i.status = 'ok'
    WHERE d.outcome = 'ok' AND key IS NOT NULL AND {_OF}
    ORDER BY e.source, d.subscription, key, e.rowid DESC
"""


def out_of_order(rows: Rows, subject: Subject) -> Iterator[Point]:
    """One for each event whose processing had not ended when that of a later event of the same key began."""
    for _, events in groupby(rows.query(KEYED, _of(subject)), itemgetter(0, 1, 2)):
        first: _Began | None = None  # the first of the later ones to begin, and the first in another request
        other: _Began | None = None
        for *_, request_id, began, ended in events:
            later = other if first is not None and first.request_id == request_id else first
            if later is not None and later.time < ended:
                yield Point(ended, 1)
            this = _Began(began, request_id)
            if first is None or request_id == first.request_id:
                first = this if first is None else min(this, first)
            elif this < first:
                first, other = this, first
            else:
                other = this if other is None else min(this, other)


def samples(rows: Rows, sql: str, subject: Subject) -> Iterator[tuple[int, list[float]]]:
    """The values of each minute in which there is one, the minute by its begin, values in order of size."""
    minutes = f"SELECT time / {MINUTE} * {MINUTE}, value FROM ({sql}) WHERE time IS NOT NULL ORDER BY 1, 2"
    yield from _by_minute(rows.query(minutes, _of(subject)))


def by_minute(points: Iterable[Point]) -> Iterator[tuple[int, list[float]]]:
    """The same for points in any order."""
    yield from _by_minute(sorted((point.time // MINUTE * MINUTE, point.value) for point in points))


def _by_minute(rows: Iterable[Sequence[Any]]) -> Iterator[tuple[int, list[float]]]:
    for minute, group in groupby(rows, itemgetter(0)):
        yield minute, [row[1] for row in group]


def one(rows: Rows, sql: str, subject: Subject, **more: object) -> Any:
    """The only value that a statement answers with."""
    [row] = rows.query(sql, {**_of(subject), **more})
    return row[0]


def _of(subject: Subject) -> dict[str, Any]:
    return {"source": subject.source, "function": subject.function}
