"""Reading a run file back: its facts, its invocations, its logs.

A run file can be read while it is written and after a run that was killed. Whoever follows a running simulation lets
go of the file between two looks, so that the writer can end it as one file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple
from urllib.parse import quote

from simbus.errors import UsageError
from simbus.logs.patterns import compile_filter
from simbus.logs.runfile import version_of
from simbus.logs.schema import SCHEMA_VERSION
from simbus.logs.views import LINES
from simbus.metrics import Datapoint

POLL_SECONDS = 0.5
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR_SHORT_READ)


class InvocationRow(NamedTuple):
    """One attempt, as in table `invocations`. Times in ms since the epoch, memory in MB, payloads as JSON text."""

    request_id: str
    attempt: int
    function: str
    version: str
    invocation_type: str
    source_arn: str | None
    log_stream: str | None
    queued_at: int
    started_at: int | None
    ended_at: int | None
    duration_ms: float | None
    billed_duration_ms: int | None
    init_duration_ms: float | None
    memory_size: int
    max_memory_used: int | None
    status: str
    error_type: str | None
    error_message: str | None
    payload: str | None
    response: str | None


class LogEventRow(NamedTuple):
    """One log event with the names of its stream, group and function. Times in ms since the epoch."""

    id: int
    timestamp: int
    ingestion_time: int
    level: str | None
    message: str
    request_id: str | None
    log_stream: str
    log_group: str
    function: str


_INVOCATIONS = f"SELECT {', '.join(InvocationRow._fields)} FROM invocations"

_METRICS = f"SELECT {', '.join(Datapoint._fields)} FROM metrics"

_LINES = " UNION ALL ".join(
    f"SELECT *, {kind} AS kind FROM ({lines}) WHERE written > {after}"
    for kind, (lines, after) in enumerate(zip(LINES, (":lines", ":rows", ":rows", ":rows"), strict=True))
)
_LOG_EVENTS = f"""
    SELECT e.id, e.timestamp, e.ingestion_time, e.level, e.message, e.request_id, s.name, s.log_group, s.function,
        e.kind, e.written
    FROM ({_LINES}) e JOIN log_streams s ON s.id = e.log_stream_id
"""
_LATE = """
    SELECT e.id, e.timestamp, e.ingestion_time, nullif(e.level, ''), e.message, e.request_id, s.name, s.log_group,
        s.function
    FROM log_lines e JOIN log_streams s ON s.id = e.log_stream_id
    WHERE e.id <= :line AND e.ingestion_time > e.timestamp AND e.request_id IS NOT NULL
"""


def open_run(path: Path) -> RunReader:
    """A reader of the run file at `path`.

    Raises UsageError where nothing is there, where it is no run file of simbus or can't be read, and where a newer
    simbus wrote it.
    """
    try:
        version = version_of(path)
    except FileNotFoundError as error:
        raise UsageError(
            f"{path}: no such file; a run file is written by `simbus run`. Check the path, or run the scenario."
        ) from error
    except OSError as error:
        raise UsageError(
            f"{path}: {error.strerror or error}; a run file is a file that can be read. Check the path."
        ) from error
    if version is None:
        raise UsageError(
            f"{path}: is not a run file of simbus; only a file that `simbus run` wrote can be read. Check the path."
        )
    if version != SCHEMA_VERSION:
        raise UsageError(
            f"{path}: has version {version}; this simbus reads version {SCHEMA_VERSION}. Read it with the simbus that "
            f"wrote it{', or a newer one' if version > SCHEMA_VERSION else ', or run the scenario again'}."
        )
    return RunReader(path)


class _Seen:
    """How far a reader has come: the last line that was written out, and the last row of `attempts`."""

    def __init__(self) -> None:
        self.line = self.row = 0

    def note(self, kind: int, written: int) -> None:
        """A log event was read: a line (kind 0), or what the row of an invocation says."""
        if kind == 0:
            self.line = max(self.line, written)
        else:
            self.row = max(self.row, written)


class RunReader:
    """Reads one run file and never changes it. Made by `open_run`; close it, or use it in a `with` statement."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._open: sqlite3.Connection | None = None

    def __enter__(self) -> RunReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file. The next question opens it again."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def query(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> Iterator[sqlite3.Row]:
        """The rows of any SELECT, each addressable by column name.

        Asking for a row raises UsageError: in SQLite's words for a statement that is wrong, and for a damaged file.
        """
        try:
            if self._open is None:
                self._open = sqlite3.connect(f"file:{quote(str(self.path))}?mode=ro", uri=True)
                self._open.row_factory = sqlite3.Row
            yield from self._open.execute(sql, parameters)
        except (sqlite3.Error, sqlite3.Warning) as error:
            if getattr(error, "sqlite_errorcode", None) in _DAMAGED:
                raise UsageError(
                    f"{self.path}: the file is damaged or cut off ({error}); a run file is read as a whole. "
                    "Copy it again, or run the scenario again."
                ) from error
            raise UsageError(
                f"{self.path}: {error}; a run file answers the SELECT statements of SQLite. "
                f"Correct the query: {' '.join(sql.split())}"
            ) from error

    @property
    def run(self) -> dict[str, str | int | float | None]:
        """The facts of table `run`: seed, scenario, version ... and at the end `digest` and `finished`."""
        return {row["key"]: row["value"] for row in self.query("SELECT key, value FROM run ORDER BY key")}

    @property
    def finished(self) -> bool:
        """Whether the writer has closed the file; False while it writes, and for ever after a kill."""
        return "finished" in self.run

    def invocations(self, function: str | None = None, *, request_id: str | None = None) -> Iterator[InvocationRow]:
        """The attempts in the order in which they started, of one function (its bare name) or request or of all."""
        where, values = _where({"function": function, "request_id": request_id})
        rows = self.query(f"{_INVOCATIONS}{where} ORDER BY coalesce(started_at, queued_at), rowid", values)
        return (InvocationRow(*row) for row in rows)

    def metrics(self, name: str | None = None, dimension: str | None = None) -> Iterator[Datapoint]:
        """The data points by time, of one metric (`Errors`) or dimension (`FunctionName=resize`) or of all."""
        where, values = _where({"name": name, "dimension": dimension})
        rows = self.query(f"{_METRICS}{where} ORDER BY time, dimension, name", values)
        return (Datapoint(*row) for row in rows)

    def log_events(
        self,
        function: str | None = None,
        *,
        request_id: str | None = None,
        filter: str | None = None,
        follow: Callable[[float], object] | None = None,
    ) -> Iterator[LogEventRow]:
        """The log events in logical order: by time, then by stream, then as they were written.

        `filter` is a CloudWatch Logs filter pattern. `follow`, a function that sleeps for a number of seconds, also
        waits for the events of a run that is still written, until it is finished; each look is in order by itself.
        After a kill nothing says that the end has come: the caller interrupts. Raises AwsError for a bad pattern, at
        once.
        """
        matches = compile_filter(filter or "")
        wanted = {"s.function": function, "e.request_id": request_id}
        rows = self._log_events(wanted, _Seen()) if follow is None else self._follow(wanted, follow)
        return (row for row in rows if matches(row.message))

    def _log_events(self, wanted: dict[str, str | None], seen: _Seen) -> Iterator[LogEventRow]:
        where, values = _named(wanted)
        sql = f"{_LOG_EVENTS} WHERE 1{where} ORDER BY e.timestamp, e.log_stream_id, e.id"
        for *row, kind, written in self.query(sql, values | {"lines": seen.line, "rows": seen.row}):
            seen.note(kind, written)
            yield LogEventRow(*row)

    def _late(self, wanted: dict[str, str | None], line: int) -> Iterator[LogEventRow]:
        """What the end of a run wrote although its number had come before: START of invocations that have not ended."""
        where, values = _named(wanted)
        return (LogEventRow(*row) for row in self.query(f"{_LATE}{where} ORDER BY e.id", values | {"line": line}))

    def _follow(self, wanted: dict[str, str | None], sleep: Callable[[float], object]) -> Iterator[LogEventRow]:
        seen = _Seen()
        while True:
            # Asked before the rows are read: what is written later is then the next look's.
            finished, line = self.finished, seen.line
            rows = list(self._log_events(wanted, seen))
            if finished:
                rows = [*self._late(wanted, line), *rows]
            self.close()
            yield from rows
            if finished:
                return
            sleep(POLL_SECONDS)


def _where(wanted: dict[str, str | None]) -> tuple[str, list[str]]:
    """The WHERE clause for the columns that are asked for, and its values."""
    asked = {column: value for column, value in wanted.items() if value is not None}
    conditions = " AND ".join(f"{column} = ?" for column in asked)
    return (f" WHERE {conditions}" if conditions else ""), list(asked.values())


def _named(wanted: dict[str, str | None]) -> tuple[str, dict[str, Any]]:
    """The conditions to add for the columns that are asked for, with their alias, and the values by name."""
    asked = {column: value for column, value in wanted.items() if value is not None}
    return "".join(f" AND {column} = :{column[2:]}" for column in asked), {key[2:]: asked[key] for key in asked}
