"""Which payloads a run file keeps: those of a share of the events, requests and messages.

Payloads are most of a file. Every row is written whatever the share, with its times, its outcome, its error and its log
lines; what is left out is null: `data` of events, `payload` and `response` of attempts, `body` and `attributes` of
messages. Attempts that failed keep theirs, and those of a batch in which an item failed.

A hash of an id decides, no random number: another share changes nothing else, and more is kept of the same. An event
and the message that it put into a queue have one id; an attempt that is for one event goes by that event, and one for a
batch by its own request.
"""

from __future__ import annotations

from typing import Any
from zlib import crc32

from simbus.errors import UsageError
from simbus.logs.schema import TABLES, Row

ALL = 1.0
PAYLOADS = "payloads"
"""The key of table `run` under which the share stands, where it is not all."""

_AT = {(table.name, column): at for table in TABLES for at, column in enumerate(table.names)}
_DATA = _AT["events", "data"]
_EVENT, _STATUS, _PAYLOAD = (_AT["attempts", column] for column in ("event", "status", "payload"))
_MESSAGE_ID, _BODY = _AT["messages", "message_id"], _AT["messages", "body"]
_RESPONSE = _PAYLOAD + 1
_FAILED_ITEM = '"itemIdentifier"'  # in the response to a batch: some of its items failed, though the attempt went well
_NULL = (None,)
_TWO_NULLS = (None, None)  # payload and response, body and attributes stand side by side


def share_of(value: Any) -> float:
    """The share that is meant by 0.01 or "1%". Raises UsageError ("is 2; ...") for what is no share."""
    number = value
    if isinstance(value, str):
        try:
            number = float(value.removesuffix("%")) / (100 if value.endswith("%") else 1)
        except ValueError:
            number = None
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number <= 1:
        raise UsageError(
            f"is {value!r}; it is the share of the events whose payloads are kept, from 0 to 1. Write for example "
            "0.01, or 1%."
        )
    return float(number)


class Sample:
    """Leaves payloads out of rows. `share` is from 0 to 1."""

    def __init__(self, share: float) -> None:
        self._below = round(share * 2**32)
        self._events = 0
        self._kept = bytearray()  # a bit an event: rows of attempts know the number of their event, not its id

    def thin(self, rows: dict[str, list[Row]]) -> dict[str, list[Row]]:
        """The next rows of each table, without what is left out."""
        # Events first: attempts go by theirs.
        thin = {"events": self._event_rows, "attempts": self._attempts, "messages": self._messages}
        return {**rows, **{name: leave_out(rows[name]) for name, leave_out in thin.items() if rows.get(name)}}

    def written(self, events: int) -> None:
        """So many of the events have been written: the next row of an event is that of a later one."""
        self._events += events

    def _keeps(self, id: str) -> bool:
        return crc32(id.encode("utf-8", "surrogatepass")) < self._below

    def _event_rows(self, rows: list[Row]) -> list[Row]:
        kept, keeps = self._kept, self._keeps
        kept.extend(bytes(max(0, (self._events + len(rows)) // 8 + 1 - len(kept))))
        thinned = []
        for number, row in enumerate(rows, self._events + 1):
            if keeps(row[0]):
                kept[number >> 3] |= 1 << (number & 7)
            else:
                row = row[:_DATA] + _NULL
            thinned.append(row)
        return thinned

    def _attempts(self, rows: list[Row]) -> list[Row]:
        kept, keeps = self._kept, self._keeps
        thinned = []
        for row in rows:
            event = row[_EVENT]
            keep = keeps(row[0]) if event is None else kept[event >> 3] >> (event & 7) & 1
            if not keep and row[_STATUS] == "ok" and _FAILED_ITEM not in (row[_RESPONSE] or ""):
                row = row[:_PAYLOAD] + _TWO_NULLS + row[_PAYLOAD + 2 :]
            thinned.append(row)
        return thinned

    def _messages(self, rows: list[Row]) -> list[Row]:
        return [row if self._keeps(row[_MESSAGE_ID]) else row[:_BODY] + _TWO_NULLS + row[_BODY + 2 :] for row in rows]
