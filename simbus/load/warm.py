"""What of a run a load test looks at: not its warm-up, which no figure and no expectation knows of."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from simbus.expectations.cost import PRICED_SECONDS, facts_of, virtual_seconds
from simbus.expectations.rows import COUNTED_FROM, Rows
from simbus.kernel import MILLISECOND, SECOND
from simbus.load.profiles import Profile

_CAME: Final = "(SELECT time FROM main.events WHERE id = event_id)"
# By table, which of its rows stay: an event and all that became of it by the time at which it came; attempts, what they
# cost and wrote, and data points by their own.
_STAY: Final = {
    "events": "time >= {since}",
    "deliveries": f"{_CAME} >= {{since}}",
    "settlements": f"{_CAME} >= {{since}}",
    "invocations": "started_at >= {since}",
    "attempts": "started_at >= {since}",
    "hops": f"coalesce({_CAME}, time) >= {{since}}",
    "log_events": "timestamp >= {since}",
    "log_lines": "timestamp >= {since}",
    "metrics": "time >= {since}",
}
_NUMBERED: Final = ("settlements", "log_lines")  # whose rowid is a column of theirs


def look_at(run: Rows, profile: Profile) -> None:
    """From now on a reader shows what came after the warm-up of a profile only, and table `run` says so.

    What is provisioned then costs the seconds of the load, as if it went on and on: neither the warm-up, nor the time
    in which the rest is done after a single row, nor AWS's whole periods of five minutes, which a minute of load would
    be charged. Views of the connection stand before the tables; the file stays as it is. Whoever needs all rows asks
    for `main.invocations`.
    """
    facts = facts_of(run)
    length = (profile.length - profile.warm) / SECOND
    if profile.window is not None:
        length += max(virtual_seconds(facts) - profile.length / SECOND, 0.0)
    more = f"UNION ALL SELECT '{PRICED_SECONDS}', {length!r}"
    if profile.warm:
        since = round(datetime.fromisoformat(facts["start"]).timestamp() * 1000) + profile.warm // MILLISECOND
        more += f" UNION ALL SELECT '{COUNTED_FROM}', {since}"
        for table, condition in _STAY.items():
            columns = "*" if table in _NUMBERED else "rowid, *"
            where = condition.format(since=since)
            list(run.query(f"CREATE TEMP VIEW {table} AS SELECT {columns} FROM main.{table} WHERE {where}"))
    list(run.query(f"CREATE TEMP VIEW run AS SELECT key, value FROM main.run {more}"))
