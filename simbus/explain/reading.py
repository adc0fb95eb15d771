"""What stories are made from: the rows of many events at once, so that a large run file is read a few times only."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, Literal, NamedTuple

from simbus.expectations.rows import IS_LOST, Rows

MOST_ABOUT: Final = 20
"""How many events about one subject are looked at."""

_FEW: Final = 10
_MANY: Final = 500  # SQLite takes 999 parameters, or more
_IDS = re.compile(r'"(?:messageId|eventID)":"([^"]+)"')
_BATCHED: Final = ("sqs:", "kinesis:", "dynamodb:")


class Event(NamedTuple):
    """A row of `events` without its data."""

    id: str
    time: int
    source: str
    type: str
    subject: str | None
    parent: str | None


class Delivery(NamedTuple):
    """A row of `deliveries`."""

    event_id: str
    request_id: str | None
    subscription: str
    settled_at: int | None
    outcome: str


class Hop(NamedTuple):
    """A row of `hops`."""

    event_id: str | None
    time: int
    kind: str
    place: str
    detail: str | None


class Attempt(NamedTuple):
    """A row of `invocations`, as far as stories tell it, and the ids of the events in its payload, if it is a batch."""

    request_id: str
    attempt: int
    function: str
    version: str
    invocation_type: str
    source_arn: str | None
    queued_at: int
    started_at: int | None
    ended_at: int | None
    duration_ms: float | None
    init_duration_ms: float | None
    status: str
    error_type: str | None
    error_message: str | None
    events: tuple[str, ...] = ()


class Standing(NamedTuple):
    """A message that is in a queue at the end."""

    event_id: str
    queue: str
    state: str
    receive_count: int


_DELIVERIES = f"SELECT {', '.join(Delivery._fields)} FROM deliveries"
_ATTEMPT = ", ".join(Attempt._fields[:-1])


def ids_in(payload: str | None, source_arn: str | None) -> tuple[str, ...]:
    """The ids of the events in a payload that a mapping sent, first things first."""
    service = (source_arn or "").split(":")[2:3]
    return tuple(_IDS.findall(payload or "")) if service and f"{service[0]}:" in _BATCHED else ()


class Reading:
    """Asks a run file."""

    def __init__(self, run: Rows) -> None:
        self._run = run

    def _each(self, sql: str, values: Iterable[str]) -> Iterator[Any]:
        """The rows of a statement that ends in `IN`, for any number of values."""
        distinct = list(dict.fromkeys(values))
        for start in range(0, len(distinct), _MANY):
            some = distinct[start : start + _MANY]
            yield from self._run.query(f"{sql} ({','.join('?' * len(some))}) ORDER BY rowid", some)

    def events(self, ids: Iterable[str]) -> list[Event]:
        return [Event(*row) for row in self._each(f"SELECT {', '.join(Event._fields)} FROM events WHERE id IN", ids)]

    def caused_by(self, parents: Iterable[str]) -> list[Event]:
        """The events that requests or other events led to."""
        sql = f"SELECT {', '.join(Event._fields)} FROM events WHERE parent IN"
        return [Event(*row) for row in self._each(sql, parents)]

    def deliveries(self, event_ids: Iterable[str]) -> dict[str, list[Delivery]]:
        return _grouped(Delivery(*row) for row in self._each(f"{_DELIVERIES} WHERE event_id IN", event_ids))

    def settled_by(self, request_ids: Iterable[str]) -> list[Delivery]:
        """The deliveries that requests settled, or still had in hand."""
        return [Delivery(*row) for row in self._each(f"{_DELIVERIES} WHERE request_id IN", request_ids)]

    def hops(self, event_ids: Iterable[str]) -> dict[str, list[Hop]]:
        return _grouped(Hop(*row) for row in self._each("SELECT * FROM hops WHERE event_id IN", event_ids))

    def attempts(self, request_ids: Iterable[str]) -> dict[str, list[Attempt]]:
        """The attempts of requests, in the order in which they ran."""
        sql = f"SELECT {_ATTEMPT}, payload FROM invocations WHERE request_id IN"
        found: dict[str, list[Attempt]] = defaultdict(list)
        for *row, payload in self._each(sql, request_ids):
            attempt = Attempt(*row)
            found[attempt.request_id].append(attempt._replace(events=ids_in(payload, attempt.source_arn)))
        return {request_id: sorted(each, key=lambda one: one.attempt) for request_id, each in found.items()}

    def batches_with(self, events: Sequence[Event]) -> dict[str, list[Attempt]]:
        """The attempts of mappings that had these events in their batches, by event. Reads every batch of the run.

        One whose payload was left out (`simbus.logs.sampling`) is not among them.
        """
        batched = [event for event in events if event.source.startswith(_BATCHED)]
        wanted = dict.fromkeys(event.id for event in batched)
        found: dict[str, list[Attempt]] = defaultdict(list)
        if not wanted:
            return found
        services = " OR ".join(f"source_arn GLOB 'arn:*:{service}*'" for service in _BATCHED)
        # SQLite finds a few ids in a payload faster than it hands the payload over.
        few = " OR ".join(["instr(payload, ?)"] * len(wanted)) if len(wanted) <= _FEW else "TRUE"
        sql = f"""
            SELECT {_ATTEMPT}, payload FROM invocations WHERE ({services}) AND queued_at >= ? AND ({few})
            ORDER BY started_at, rowid
        """
        first = min(event.time for event in batched)
        for *row, payload in self._run.query(sql, (first, *(wanted if len(wanted) <= _FEW else ()))):
            ids = _IDS.findall(payload or "")
            attempt = Attempt(*row)._replace(events=tuple(ids))
            for event_id in wanted.keys() & ids:
                found[event_id].append(attempt)
        return found

    def standing(self, events: Sequence[Event]) -> dict[str, list[Standing]]:
        """The messages that these events put into a queue and that are there at the end, by event."""
        sent = [event.id for event in events if event.source.startswith("sqs:")]
        sql = """
            SELECT message_id, queue, state, receive_count FROM messages
            WHERE state IN ('visible', 'delayed', 'in_flight') AND message_id IN
        """
        return _grouped(Standing(*row) for row in self._each(sql, sent))

    # --- what somebody asks for --------------------------------------------------------------------------------------

    def named(self, name: str) -> tuple[list[str], list[str]]:
        """The ids of events, and of requests that begin with a text; the same in full comes alone."""
        found = []
        for table, column in (("events", "id"), ("invocations", "request_id")):
            sql = f"SELECT DISTINCT {column} FROM {table} WHERE {column} >= ? AND {column} < ? ORDER BY 1 LIMIT 20"
            ids = [row[0] for row in self._run.query(sql, (name, f"{name}\U0010ffff"))]
            found.append([name] if name in ids else ids)
        return found[0], found[1]

    def came_to(self, outcome: Literal["lost", "dead"], limit: int) -> tuple[int, list[Event]]:
        """How many events were lost, or are in a dead-letter queue or failure destination; and the first of them."""
        such = IS_LOST.format("d") if outcome == "lost" else "d.outcome = 'dead_letter'"
        of = f"FROM events WHERE id IN (SELECT event_id FROM deliveries d WHERE {such})"
        [row] = self._run.query(f"SELECT count(*) {of}")
        some = self._run.query(f"SELECT {', '.join(Event._fields)} {of} ORDER BY time, rowid LIMIT ?", (limit,))
        return row[0], [Event(*each) for each in some]

    def about(self, subject: str) -> list[Event]:
        """The events about a subject (an object key, a partition key), or those of a stream's sequence number."""
        sql = f"""
            SELECT {", ".join(Event._fields)} FROM events WHERE (subject = :subject AND subject != id)
                OR (id >= 'shardId-' AND id < 'shardId.' AND id GLOB 'shardId-*:' || :subject) LIMIT {MOST_ABOUT}
        """
        return [Event(*row) for row in self._run.query(sql, {"subject": subject})]


def _grouped(rows: Iterable[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.event_id].append(row)
    return found
