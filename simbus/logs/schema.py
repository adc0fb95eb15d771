"""The tables of a run file, and the numbers by which one is recognised.

Times are integer milliseconds since the epoch in virtual time, durations are in milliseconds, JSON is text.
`log_streams.log_group` is a `log_groups.name`, `log_events.log_stream_id` a `log_streams.id`.

What is written is what is new: `invocations`, `deliveries` and `log_events` are views, see `simbus.logs.views`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

Row = tuple[Any, ...]

# Stands for NULL in `attempts` and `log_lines`, whose views show NULL: Python's sqlite3 takes seven times as long to
# bind None as to bind a text.
NOTHING = ""

# "simb", where SQLite keeps the name of the program that a database belongs to (PRAGMA application_id).
APPLICATION_ID = 0x73696D62
# Counted up when a table changes in a way that an older reader would misread (PRAGMA user_version).
SCHEMA_VERSION = 2


class Table(NamedTuple):
    """One table: `columns` are `name type` in order.

    `numbered` tables begin with an `id` that is a sequence number, not a fact of the simulation: the digest leaves it
    out.
    """

    name: str
    columns: tuple[str, ...]
    numbered: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return tuple(column.split()[0] for column in self.columns)

    @property
    def ddl(self) -> str:
        """The CREATE TABLE statement."""
        return f"CREATE TABLE {self.name} ({', '.join(self.columns)})"

    def insert(self, rows: int) -> str:
        """One INSERT statement for that many rows."""
        one = f"({','.join('?' * len(self.names))})"
        return f"INSERT INTO {self.name} ({','.join(self.names)}) VALUES {','.join([one] * rows)}"


def _table(name: str, columns: str, *, numbered: bool = False) -> Table:
    return Table(name, tuple(" ".join(column.split()) for column in columns.split(",")), numbered)


# The order is the order of the digest: a table that is added goes to the end.
TABLES = (
    _table("events", "id TEXT, time INTEGER, source TEXT, type TEXT, subject TEXT, parent TEXT, data TEXT"),
    _table(
        "settlements",
        """number INTEGER PRIMARY KEY, event_id TEXT, request_id TEXT, subscription TEXT, settled_at INTEGER,
        outcome TEXT""",
    ),
    _table(
        "attempts",
        """request_id TEXT, attempt INTEGER, log_stream_id INTEGER, route INTEGER, event INTEGER, settles INTEGER,
        queued_at INTEGER, started_at INTEGER, ended_at INTEGER, duration_ms REAL, billed_duration_ms INTEGER,
        init_duration_ms REAL, memory_size INTEGER, max_memory_used INTEGER, status TEXT, error_type TEXT,
        error_message TEXT, payload TEXT, response TEXT, start_line INTEGER, end_line INTEGER""",
    ),
    _table(
        "routes",
        """id INTEGER PRIMARY KEY, subscription TEXT, invocation_type TEXT, source_arn TEXT, opening TEXT, mark TEXT,
        marked TEXT, closing TEXT""",
    ),
    _table("hops", "event_id TEXT, time INTEGER, kind TEXT, place TEXT, detail TEXT"),
    _table(
        "messages",
        """queue TEXT, message_id TEXT, sent_at INTEGER, receive_count INTEGER, body TEXT, attributes TEXT,
        system_attributes TEXT, state TEXT""",
    ),
    _table("log_groups", "id INTEGER PRIMARY KEY, name TEXT", numbered=True),
    _table(
        "log_streams",
        """id INTEGER PRIMARY KEY, log_group TEXT, name TEXT, function TEXT, version TEXT, created_at INTEGER""",
        numbered=True,
    ),
    _table(
        "log_lines",
        """id INTEGER PRIMARY KEY, log_stream_id INTEGER, request_id TEXT, timestamp INTEGER,
        ingestion_time INTEGER, level TEXT, message TEXT""",
    ),
    _table("metrics", "time INTEGER, name TEXT, dimension TEXT, value REAL, unit TEXT"),
)


def storable(value: Any) -> Any:
    """A value as SQLite can store it: a lone surrogate, which UTF-8 can't say, becomes U+FFFD."""
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if isinstance(value, str) else value


# `value` has no type: it keeps the one it was given.
RUN_TABLE = "CREATE TABLE run (key TEXT PRIMARY KEY, value)"

# Made last, in one go: an index that grows with its table costs several times the insert. Those that leave rows out
# are for queries that name the same condition; the subject of a message is its id.
INDEXES = (
    "CREATE INDEX events_id ON events (id)",
    "CREATE INDEX events_parent ON events (parent) WHERE parent IS NOT NULL",
    "CREATE INDEX events_subject ON events (subject) WHERE subject != id",
    "CREATE INDEX settlements_event ON settlements (event_id)",
    "CREATE INDEX settlements_request ON settlements (request_id)",
    "CREATE INDEX attempts_request ON attempts (request_id)",
    "CREATE INDEX attempts_event ON attempts (event)",
    "CREATE INDEX attempts_failed ON attempts (status) WHERE status != 'ok'",
    "CREATE INDEX log_lines_request ON log_lines (request_id)",
    "CREATE INDEX hops_event ON hops (event_id)",
)
