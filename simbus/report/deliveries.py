"""What became of the events of each source for each of its subscriptions: how many, how old, and why some were lost.

Read from the rows `events`, `deliveries`, `hops` and `metrics` of a finished run; where all events are looked at, from
the tables that `deliveries` is made of, see `simbus.logs.views`. The fields are keys of the JSON document, see
`simbus.report.document`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from simbus.expectations.rows import IS_LOST, PROCESSED_HOPS, Rows
from simbus.report.document import ClientErrorFigures, DeliveryFigures, LossFigures

# What became of each event for each subscription, the best of it: a run of a function may be too late, and an event may
# come twice. By the numbers of the events, and without those of which all that is known is one attempt, which went
# well: millions of them take several times as long to sort.
_COUNTS = ("events", "ok", "dead_lettered", "held", "lost", "filtered", "duplicates")
_MARKS = ("filtered", *PROCESSED_HOPS)
_DELIVERIES = f"""
    WITH others AS (
        SELECT events.rowid AS event, subscription, outcome FROM settlements JOIN events ON events.id = event_id
        UNION ALL SELECT events.rowid, place, CASE kind WHEN 'filtered' THEN kind ELSE 'ok' END
            FROM hops JOIN events ON events.id = event_id WHERE kind IN ({", ".join(f"'{kind}'" for kind in _MARKS)})
    ), several AS MATERIALIZED (
        SELECT event FROM attempts WHERE event IS NOT NULL GROUP BY event HAVING count(*) > 1
        UNION SELECT event FROM others
    ), marks AS (
        SELECT event, subscription, outcome FROM others
        UNION ALL SELECT event, subscription, 'ok' FROM several JOIN attempts USING (event)
            JOIN routes ON routes.id = route WHERE settles IS NOT NULL
    ), fates AS (
        SELECT event, subscription, sum(outcome = 'ok') AS ok, max(outcome = 'dead_letter') AS dead,
            max(outcome = 'held') AS held, max(outcome = 'dropped') AS dropped, max(outcome = 'filtered') AS filtered
        FROM marks GROUP BY event, subscription
    ), counted AS (
        SELECT source, subscription, count(*) AS events, sum(ok > 0) AS ok, sum(ok = 0 AND dead) AS dead_lettered,
            sum(ok = 0 AND NOT dead AND held) AS held, sum(ok = 0 AND NOT dead AND NOT held AND dropped) AS lost,
            sum(ok = 0 AND NOT dead AND NOT held AND NOT dropped AND filtered) AS filtered,
            sum(max(ok - 1, 0)) AS duplicates
        FROM fates JOIN events ON events.rowid = event GROUP BY source, subscription
        UNION ALL
        SELECT source, subscription, count(*), count(*), 0, 0, 0, 0, 0
        FROM attempts JOIN routes ON routes.id = route JOIN events ON events.rowid = event
        WHERE settles IS NOT NULL AND event NOT IN several GROUP BY source, subscription
    )
    SELECT source, subscription, {", ".join(f"sum({name}) AS {name}" for name in _COUNTS)}
    FROM counted GROUP BY source, subscription ORDER BY source, subscription
"""

# A message that nobody reads stands in its queue, and a synchronous invocation that failed was its caller's affair.
_UNSUBSCRIBED = """
    SELECT source, count(*) AS events FROM events
    WHERE source NOT LIKE 'sqs:%' AND source NOT LIKE 'lambda:%'
        AND NOT EXISTS (SELECT 1 FROM attempts WHERE event = events.rowid)
        AND NOT EXISTS (SELECT 1 FROM settlements WHERE event_id = events.id)
        AND NOT EXISTS (SELECT 1 FROM hops WHERE event_id = events.id AND kind = 'filtered')
    GROUP BY source ORDER BY source
"""

# Only a message that was too old for its queue is lost without a hop.
_LOSSES = f"""
    SELECT source, subscription, coalesce((
        SELECT CASE
            WHEN detail LIKE '% after % invocations, %' THEN substr(detail, 1, instr(detail, ' after ') - 1) ELSE detail
        END FROM hops
        WHERE event_id = lost.event_id AND place = lost.subscription AND kind IN ('gave_up', 'dropped')
        ORDER BY time DESC LIMIT 1
    ), 'the message left the queue: its retention period is over') AS why, count(*) AS events
    FROM deliveries AS lost JOIN events ON events.id = event_id WHERE {IS_LOST.format("lost")}
    GROUP BY source, subscription, why ORDER BY source, subscription, events DESC, why
"""

_CLIENT_ERRORS = "SELECT place, detail FROM hops WHERE kind = 'client_error' ORDER BY time, place, detail"
_CLIENT_ERROR = re.compile(r"(\w+), attempt \d+: ([^:]*): (.*)", re.DOTALL)

# The unit of each in milliseconds.
_MILLISECONDS_OF = {"IteratorAge": 1.0, "AsyncEventAge": 1.0, "ApproximateAgeOfOldestMessage": 1000.0}
_METRICS = {"sqs": "ApproximateAgeOfOldestMessage", "kinesis": "IteratorAge", "dynamodb": "IteratorAge"}


def deliveries(run: Rows) -> Iterator[DeliveryFigures]:
    """One for each source and subscription, by name, and after them what nobody had subscribed to at that source."""
    found = [
        DeliveryFigures(**dict(row), max_wait_ms=_max_wait(run, row["source"], row["subscription"]))
        for row in run.query(_DELIVERIES)
    ]
    found += [
        DeliveryFigures(row["source"], None, row["events"], 0, 0, 0, 0, 0, 0, None) for row in run.query(_UNSUBSCRIBED)
    ]
    yield from sorted(found, key=lambda each: (each.source, each.subscription is None))


def losses(run: Rows) -> Iterator[LossFigures]:
    """The lost events by the reason that their last hop gives."""
    return (LossFigures(**dict(row)) for row in run.query(_LOSSES))


def client_errors(run: Rows) -> Iterator[ClientErrorFigures]:
    """Calls of the workload that failed, by target, call and error, with the message of the first."""
    calls: Counter[tuple[str, str, str]] = Counter()
    first: dict[tuple[str, str, str], str] = {}
    for row in run.query(_CLIENT_ERRORS):
        found = _CLIENT_ERROR.fullmatch(row["detail"])
        call, error, message = found.groups() if found else ("", "", row["detail"])
        key = (row["place"], call, error)
        calls[key] += 1
        first.setdefault(key, message)
    return (ClientErrorFigures(*key, first[key], count) for key, count in sorted(calls.items()))


def _max_wait(run: Rows, source: str, subscription: str) -> float | None:
    """How old events became before a function got them, by the metric that CloudWatch has for the source."""
    service, _, name = source.partition(":")
    subscriber, _, function = subscription.partition(":")
    if subscriber != "lambda":
        return None
    metric = _METRICS.get(service, "AsyncEventAge")
    dimension = f"QueueName={name}" if service == "sqs" else f"FunctionName={function.partition(':')[0]}"
    [row] = run.query("SELECT max(value) FROM metrics WHERE name = ? AND dimension = ?", (metric, dimension))
    return None if row[0] is None else float(row[0]) * _MILLISECONDS_OF[metric]
