"""One run as it is compared: its events with what became of them, and which request had which."""

from __future__ import annotations

import re
from collections import defaultdict
from hashlib import blake2b
from typing import Any, Final, NamedTuple

import msgspec

from simbus.expectations.rows import PROCESSED, Rows
from simbus.explain.reading import ids_in

_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32}")
_NO_SUBJECT: Final = ("sqs:",)  # the subject of a message is its id, which differs from run to run
_FATES: Final = ("dead_letter", "held", "dropped", "error", "throttled")


class Event(NamedTuple):
    """One event; `subject` is None where it says nothing that another run has as well.

    `content` is a hash of what it says, without ids and times; None for one that AWS made of another event, and for
    one from outside.
    """

    id: str
    time: int
    source: str
    type: str
    subject: str | None
    parent: str | None
    content: bytes | None


class Request(NamedTuple):
    """An invocation, whatever its attempts: which function, with which events."""

    function: str
    events: tuple[int, ...]


class Run:
    """The events of a run in the order in which they happened; `place` is where the one of an id stands."""

    def __init__(self, rows: Rows) -> None:
        self.facts: dict[str, Any] = {row["key"]: row["value"] for row in rows.query("SELECT key, value FROM run")}
        self._ids = {row[0] for row in rows.query("SELECT DISTINCT request_id FROM invocations")}
        self.place: dict[str, int] = {}
        for number, row in enumerate(rows.query("SELECT id FROM events ORDER BY rowid")):
            self.place.setdefault(row[0], number)
        self.events = self._events(rows)
        self.requests = self._requests(rows)
        self.outcomes = self._outcomes(rows)
        self.responses = self._responses(rows)

    def _events(self, rows: Rows) -> list[Event]:
        found = []
        for row in rows.query("SELECT id, time, source, type, subject, parent, data FROM events ORDER BY rowid"):
            subject = None if row["source"].startswith(_NO_SUBJECT) else row["subject"]
            by_request = row["parent"] is not None and row["parent"] in self._ids
            content = self._content(row["source"], row["data"]) if by_request else None
            found.append(Event(row["id"], row["time"], row["source"], row["type"], subject, row["parent"], content))
        return found

    def _content(self, source: str, data: str) -> bytes:
        try:
            said = _said(source.partition(":")[0], msgspec.json.decode(data))
            text = msgspec.json.encode(said, order="sorted").decode()
        except (msgspec.DecodeError, UnicodeError):
            text = data
        return blake2b(self._without_ids(text).encode("utf-8", "replace"), digest_size=16).digest()

    def _without_ids(self, text: str) -> str:
        def known(match: re.Match[str]) -> str:
            return "id" if match[0] in self._ids or match[0] in self.place else match[0]

        return _UUID.sub(known, text)

    def _requests(self, rows: Rows) -> dict[str, Request]:
        """By request id, in the order in which they began."""
        settled: dict[str, dict[int, None]] = defaultdict(dict)
        sql = "SELECT request_id, event_id FROM deliveries WHERE request_id IS NOT NULL ORDER BY rowid"
        for row in rows.query(sql):
            if row["event_id"] in self.place:
                settled[row["request_id"]][self.place[row["event_id"]]] = None
        found: dict[str, Request] = {}
        sql = "SELECT request_id, function, source_arn, payload FROM invocations ORDER BY started_at, rowid"
        for row in rows.query(sql):
            if row["request_id"] not in found:
                ids = ids_in(row["payload"], row["source_arn"])
                places = [self.place[each] for each in ids if each in self.place] or list(settled[row["request_id"]])
                found[row["request_id"]] = Request(row["function"], tuple(places))
        return found

    def _outcomes(self, rows: Rows) -> dict[int, dict[str, str]]:
        """What became of each event for each of its subscriptions."""
        times: dict[tuple[int, str], int] = defaultdict(int)
        for row in rows.query(f"SELECT event_id, subscription FROM ({PROCESSED})"):
            times[self.place.get(row[0], -1), row[1]] += 1
        found: dict[int, dict[str, str]] = defaultdict(dict)
        others = "SELECT event_id, subscription, outcome FROM deliveries WHERE outcome <> 'ok' ORDER BY rowid"
        filtered = "SELECT event_id, place, 'filtered' FROM hops WHERE kind = 'filtered'"
        for sql in (filtered, others):
            for event_id, subscription, outcome in rows.query(sql):
                self._worse(found[self.place.get(event_id, -1)], subscription, outcome)
        for (place, subscription), count in times.items():
            found[place][subscription] = "ok" if count == 1 else f"ok, {count} times"
        found.pop(-1, None)
        return found

    @staticmethod
    def _worse(outcomes: dict[str, str], subscription: str, outcome: str) -> None:
        """Of several rows of one delivery that which saves the event: a dead letter, or held, before dropped."""
        before = outcomes.get(subscription)
        if before is None or (outcome in _FATES and before in _FATES and _FATES.index(outcome) < _FATES.index(before)):
            outcomes[subscription] = outcome

    def _responses(self, rows: Rows) -> dict[int, str]:
        """What the caller of a synchronous invocation was answered, where it went well."""
        sql = """
            SELECT event_id, response FROM invocations JOIN deliveries USING (request_id)
            WHERE invocation_type = 'RequestResponse' AND source_arn IS NULL AND status = 'ok'
        """
        return {self.place[row[0]]: self._without_ids(row[1] or "") for row in rows.query(sql) if row[0] in self.place}


def _said(service: str, record: Any) -> Any:
    """What an event says that does not differ from run to run: no ids, times and sequence numbers of AWS."""
    if not isinstance(record, dict):
        return record
    if service == "s3":
        about = record.get("s3", {}).get("object", {})
        return {key: about.get(key) for key in ("key", "size", "eTag")}
    if service == "dynamodb":
        images = record.get("dynamodb", {})
        return {key: images.get(key) for key in ("Keys", "NewImage", "OldImage")}
    if service == "events":
        return {key: _text(record.get(key)) for key in ("source", "detail-type", "resources", "detail")}
    return {key: _text(value) for key, value in record.items() if key not in _VARYING}


_VARYING: Final = frozenset(
    ("MessageId", "Timestamp", "SequenceNumber", "sequenceNumber", "approximateArrivalTimestamp", "eventID")
)


def _text(value: Any) -> Any:
    """A text that is JSON is looked into: a record of an invocation has the time and the request."""
    if isinstance(value, str) and value[:1] == "{":
        try:
            value = msgspec.json.decode(value)
        except msgspec.DecodeError:
            return value
    context = value.get("requestContext") if isinstance(value, dict) else None
    if not isinstance(context, dict) or "functionArn" not in context:
        return value
    answer = value.get("responsePayload")
    error = {key: answer.get(key) for key in ("errorType", "errorMessage")} if isinstance(answer, dict) else answer
    return [context.get("functionArn"), context.get("condition"), value.get("requestPayload"), error]
