"""The tables of a run file, and the numbers by which one is recognised.

Times are integer milliseconds since the epoch in virtual time, durations are in milliseconds, JSON is text.
`log_streams.log_group` is a `log_groups.name`, `log_events.log_stream_id` a `log_streams.id`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

Row = tuple[Any, ...]

# "simb", where SQLite keeps the name of the program that a database belongs to (PRAGMA application_id).
APPLICATION_ID = 0x73696D62
# Counted up when a table changes in a way that an older reader would misread (PRAGMA user_version).
SCHEMA_VERSION = 1


class Table(NamedTuple):
    """One table: `columns` are `name type` in order.

    `numbered` tables begin with an `id` that is a sequence number, not a fact of the simulation: the digest leaves it
    out. The rows of an `automatic` table are queued without it, SQLite counts.
    """

    name: str
    columns: tuple[str, ...]
    numbered: bool = False
    automatic: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns that a queued row has, in order."""
        names = tuple(column.split()[0] for column in self.columns)
        return names[1:] if self.automatic else names

    @property
    def ddl(self) -> str:
        """The CREATE TABLE statement."""
        return f"CREATE TABLE {self.name} ({', '.join(self.columns)})"

    def insert(self, rows: int) -> str:
        """One INSERT statement for that many rows."""
        one = f"({','.join('?' * len(self.names))})"
        return f"INSERT INTO {self.name} ({','.join(self.names)}) VALUES {','.join([one] * rows)}"


def _table(name: str, columns: str, *, numbered: bool = False, automatic: bool = False) -> Table:
    return Table(name, tuple(" ".join(column.split()) for column in columns.split(",")), numbered, automatic)


# The order is the order of the digest: a table that is added goes to the end.
TABLES = (
    _table("events", "id TEXT, time INTEGER, source TEXT, type TEXT, subject TEXT, parent TEXT, data TEXT"),
    _table(
        "deliveries",
        "event_id TEXT, request_id TEXT, subscription TEXT, settled_at INTEGER, outcome TEXT",
    ),
    _table(
        "invocations",
        """request_id TEXT, attempt INTEGER, function TEXT, version TEXT, invocation_type TEXT, source_arn TEXT,
        log_stream TEXT, queued_at INTEGER, started_at INTEGER, ended_at INTEGER, duration_ms REAL,
        billed_duration_ms INTEGER, init_duration_ms REAL, memory_size INTEGER, max_memory_used INTEGER, status TEXT,
        error_type TEXT, error_message TEXT, payload TEXT, response TEXT""",
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
        "log_events",
        """id INTEGER PRIMARY KEY, log_stream_id INTEGER, request_id TEXT, timestamp INTEGER,
        ingestion_time INTEGER, level TEXT, message TEXT""",
        numbered=True,
        automatic=True,
    ),
    _table("metrics", "time INTEGER, name TEXT, dimension TEXT, value REAL, unit TEXT"),
)


def storable(value: Any) -> Any:
    """A value as SQLite can store it: a lone surrogate, which UTF-8 can't say, becomes U+FFFD."""
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if isinstance(value, str) else value


# `value` has no type: it keeps the one it was given.
RUN_TABLE = "CREATE TABLE run (key TEXT PRIMARY KEY, value)"

# Made last, in one go: an index that grows with its table costs several times the insert.
INDEXES = (
    "CREATE INDEX events_id ON events (id)",
    "CREATE INDEX deliveries_event ON deliveries (event_id)",
    "CREATE INDEX deliveries_request ON deliveries (request_id)",
    "CREATE INDEX invocations_request ON invocations (request_id)",
    "CREATE INDEX hops_event ON hops (event_id)",
)
