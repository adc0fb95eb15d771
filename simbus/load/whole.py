"""Events from outside with all that they led to: a message that was put into a queue is not done, nor what it was for.

What follows from what is in the rows: an event has a `parent`, which is another event or the request of the function
that caused it; a delivery has the request that it was in.
"""

from __future__ import annotations

from typing import Final

from simbus.expectations.rows import END, Rows

# An event that something inside the simulation caused: when it was settled, and what became of it for all its
# subscriptions. What a caller inside was told (an error, a throttle) is the caller's business.
_INSIDE: Final = """
    SELECT e.id, e.parent, max(coalesce(d.settled_at, e.time)), max(ifnull(d.outcome = 'held', 0)),
        max(ifnull(d.outcome IN ('dropped', 'dead_letter'), 0)), max(ifnull(d.outcome = 'dropped', 0)),
        ifnull(group_concat(d.request_id, ' '), '')
    FROM main.events e LEFT JOIN main.deliveries d ON d.event_id = e.id
    WHERE e.parent IS NOT NULL GROUP BY e.rowid ORDER BY e.rowid DESC
"""

_ENDS: Final = """
    CREATE TEMP TABLE ends (parent TEXT PRIMARY KEY, time INTEGER, held INTEGER, failed INTEGER, lost INTEGER)
    WITHOUT ROWID
"""

# `came` as the rows have it, `sent` when its client first sent it, `time` when the last of it was settled.
_WHOLE: Final = """
    CREATE TEMP TABLE whole AS
    SELECT e.time AS came, ifnull(f.time, e.time) AS sent,
        max(max(ifnull(d.settled_at, e.time)), max(ifnull(x.time, 0)), max(ifnull(y.time, 0))) AS time,
        min(ifnull(d.outcome = 'ok', 1)) AND NOT max(ifnull(x.held OR x.failed, 0) OR ifnull(y.held OR y.failed, 0))
            AS done,
        max(ifnull(d.outcome = 'held', 0) OR ifnull(x.held, 0) OR ifnull(y.held, 0)) AS held,
        max(ifnull(d.outcome = 'throttled', 0)) AS throttled,
        NOT count(d.event_id) OR max(ifnull(d.outcome = 'dropped', 0) OR ifnull(x.lost, 0) OR ifnull(y.lost, 0))
            AS ageless
    FROM main.events e LEFT JOIN main.deliveries d ON d.event_id = e.id
        LEFT JOIN ends x ON x.parent = e.id LEFT JOIN ends y ON y.parent = d.request_id
        LEFT JOIN (
            SELECT event_id, min(time) AS time FROM main.hops WHERE kind = 'first_sent' GROUP BY event_id
        ) f ON f.event_id = e.id
    WHERE e.parent IS NULL GROUP BY e.rowid
"""

CAME: Final = "SELECT came AS time, 1 AS value FROM whole WHERE NOT throttled AND came >= :start"
"""A call that was throttled brought no event: it is tried again, or refused."""

DONE: Final = "SELECT time FROM whole WHERE done AND time >= :start"
"""Processed for every subscription, and so is what that led to. What nobody subscribed to is done as it comes."""

AGES: Final = f"""
    SELECT came, iif(held, {END}, time) - sent AS value FROM whole
    WHERE NOT throttled AND NOT ageless AND came >= :start
"""
"""As of the figures of an age, but of the whole way: until nothing of it is left to do."""


def follow(run: Rows) -> None:
    """Make table `whole` of a reader's connection, with the events from outside."""
    list(run.query(_ENDS))
    ends: dict[str, list[int]] = {}
    [[inside]] = run.query("SELECT EXISTS (SELECT 1 FROM main.events WHERE parent IS NOT NULL)")
    for event, parent, *fate, requests in run.query(_INSIDE) if inside else ():
        for name in {event, *requests.split()}:
            if name in ends:
                fate = list(map(max, fate, ends[name]))
        ends[parent] = list(map(max, fate, ends[parent])) if parent in ends else fate
    for parent, fate in ends.items():
        list(run.query("INSERT INTO ends VALUES (?, ?, ?, ?, ?)", (parent, *fate)))
    list(run.query(_WHOLE))
