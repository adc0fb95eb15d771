"""A warm-up: what came before its end is not looked at, by any figure and any expectation."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from simbus.expectations.cost import facts_of
from simbus.expectations.rows import Rows
from simbus.kernel import MILLISECOND

# By table, which of its rows stay: an event and all that became of it by the time at which it came.
_STAY: Final = {
    "events": "time >= {since}",
    "deliveries": "(SELECT time FROM main.events WHERE id = event_id) >= {since}",
    "invocations": "started_at >= {since}",
    "hops": "coalesce((SELECT time FROM main.events WHERE id = event_id), time) >= {since}",
    "metrics": "time >= {since}",
}


def leave_out(run: Rows, warm: int) -> None:
    """From now on a reader shows what came after `warm` nanoseconds of its run only.

    Views of the connection stand before the tables; the file stays as it is. Whoever needs all rows asks for
    `main.invocations`.
    """
    if not warm:
        return
    start = datetime.fromisoformat(facts_of(run)["start"])
    since = round(start.timestamp() * 1000) + warm // MILLISECOND
    for table, condition in _STAY.items():
        where = condition.format(since=since)
        list(run.query(f"CREATE TEMP VIEW {table} AS SELECT rowid, * FROM main.{table} WHERE {where}"))
