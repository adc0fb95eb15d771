"""CloudWatch Logs: groups and streams, and the log events in them, as the run has written them so far.

What a group holds are rows of `log_events`; this class knows besides which groups and streams were made or deleted by
hand, and for how long each group keeps its events. What was deleted, or is older than that, is no longer shown; its
rows stay. Sources: CloudWatch Logs API reference (the operations of these names) and its service quotas.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from simbus.errors import AwsError
from simbus.logs.patterns import compile_filter
from simbus.logs.reader import RunReader
from simbus.world import World

T = TypeVar("T")
Look = Callable[[Callable[[RunReader], T]], T]

DAY: Final = 86_400_000  # ms
MOST_EVENTS: Final = 10_000  # of one answer, and of one PutLogEvents
MOST_BYTES: Final = 1_048_576
OVERHEAD: Final = 26  # bytes that each event counts besides its message
RETENTIONS: Final = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
_GROUP: Final = re.compile(r"[.\-_/#A-Za-z0-9]{1,512}")
_STREAM: Final = re.compile(r"[^:*]{1,512}")

Place = tuple[int, int]  # timestamp and number: where an event stands in the order of all


class Group(NamedTuple):
    """A log group: when it was made (ms since 1970), its size in bytes, and for how many days it keeps events."""

    name: str
    created_at: int
    stored_bytes: int
    retention_in_days: int | None


class Stream(NamedTuple):
    """A log stream and its first and last event (None: it has none); times in ms since 1970."""

    id: int
    name: str
    created_at: int
    first: int | None
    last: int | None
    ingested: int | None


class Event(NamedTuple):
    """A log event. `number` counts all events of the run in the order in which they were written."""

    timestamp: int
    number: int
    ingestion_time: int
    message: str
    stream: str

    @property
    def place(self) -> Place:
        return self.timestamp, self.number


class _Writer(Protocol):
    log_lines: list[Any]

    def next_line(self) -> int: ...
    def add_log_group(self, name: str) -> None: ...
    def add_log_stream(self, log_group: str, name: str, function: str, version: str, created_at: int) -> int: ...


class LogGroups:
    """The log groups of one simulation. `look(f)` answers with `f(reader)` of the rows written so far."""

    def __init__(self, world: World, writer: _Writer, look: Callable[[Callable[[RunReader], Any]], Any]) -> None:
        self._world = world
        self._writer = writer
        self._look = look
        self._made: dict[str, int] = {}  # by hand: when
        self._retention: dict[str, int] = {}
        self._deleted: set[int] = set()  # streams
        self._own: dict[tuple[str, str], int] = {}  # streams that were made by hand

    # --- groups and streams ----------------------------------------------------------------------------------------

    def groups(self) -> list[Group]:
        """Every group, by name."""
        size = f"SUM(LENGTH(CAST(e.message AS BLOB)) + {OVERHEAD})"
        rows = self._rows(
            f"SELECT s.log_group, MIN(s.created_at), {size} FROM log_streams s LEFT JOIN log_events e "
            f"ON e.log_stream_id = s.id WHERE 1 {self._without_deleted} GROUP BY s.log_group"
        )
        found = {name: (created, stored or 0) for name, created, stored in rows}
        for name, created in self._made.items():
            found[name] = (created, found.get(name, (0, 0))[1])
        return [Group(name, *found[name], self._retention.get(name)) for name in sorted(found)]

    def streams(self, group: str, prefix: str = "") -> list[Stream]:
        """The streams of a group whose names begin so, by name. Raises ResourceNotFoundException."""
        self._check_group(group)
        oldest, values = self._kept(group)
        rows = self._rows(
            "SELECT s.id, s.name, s.created_at, MIN(e.timestamp), MAX(e.timestamp), MAX(e.ingestion_time) "
            f"FROM log_streams s LEFT JOIN log_events e ON e.log_stream_id = s.id {oldest} "
            f"WHERE s.log_group = ? {self._without_deleted} GROUP BY s.id ORDER BY s.name",
            [*values, group],
        )
        return [Stream(*row) for row in rows if row["name"].startswith(prefix)]

    def create_log_group(self, name: str) -> None:
        """Raises InvalidParameterException and ResourceAlreadyExistsException."""
        check_name(_GROUP, "logGroupName", name, r"[\.\-_/#A-Za-z0-9]+")
        if self._has_group(name):
            raise AwsError("ResourceAlreadyExistsException", "The specified log group already exists")
        self._made[name] = self._world.epoch_ms()
        self._writer.add_log_group(name)

    def delete_log_group(self, name: str) -> None:
        """With its streams and its retention; a function that still writes into one of them is not seen."""
        self._check_group(name)
        self._deleted.update(row["id"] for row in self._rows("SELECT id FROM log_streams WHERE log_group = ?", [name]))
        self._made.pop(name, None)
        self._retention.pop(name, None)
        for key in [key for key in self._own if key[0] == name]:
            del self._own[key]

    def create_log_stream(self, group: str, name: str) -> None:
        """Raises InvalidParameterException, ResourceNotFoundException and ResourceAlreadyExistsException."""
        check_name(_STREAM, "logStreamName", name, "[^:*]*")
        self._check_group(group)
        if self._find(group, name) is not None:
            raise AwsError("ResourceAlreadyExistsException", "The specified log stream already exists")
        now = self._world.epoch_ms()
        self._own[group, name] = self._writer.add_log_stream(group, name, "", "", now)

    def delete_log_stream(self, group: str, name: str) -> None:
        """The group stays, also without a stream."""
        created = next((each.created_at for each in self.groups() if each.name == group), None)
        self._deleted.add(self._stream(group, name))
        self._own.pop((group, name), None)
        if created is not None:
            self._made.setdefault(group, created)

    def put_retention_policy(self, group: str, days: int) -> None:
        """Events that are older than that are no longer shown. Raises InvalidParameterException."""
        self._check_group(group)
        if days not in RETENTIONS:
            raise invalid(
                f"1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy constraint: "
                f"Member must satisfy enum value set: [{', '.join(map(str, RETENTIONS))}]"
            )
        self._retention[group] = days

    def delete_retention_policy(self, group: str) -> None:
        """Events never expire again."""
        self._check_group(group)
        self._retention.pop(group, None)

    # --- events ----------------------------------------------------------------------------------------------------

    def put_log_events(self, group: str, name: str, events: Sequence[Mapping[str, Any]]) -> dict[str, int]:
        """Write `[{"timestamp": ms, "message": text}]`; what is too old or too new is left out.

        The answer is AWS's `rejectedLogEventsInfo` ({}: all were taken). Raises InvalidParameterException for a batch
        that is not in the order of time, spans more than a day, or is too large.
        """
        number = self._stream(group, name)
        check_batch(events)
        now = self._world.epoch_ms()
        rejected: dict[str, int] = {}
        times = [event["timestamp"] for event in events]
        expired = sum(time < now - self._retention.get(group, 1 << 40) * DAY for time in times)
        old = sum(time < now - 14 * DAY for time in times)
        new = sum(time <= now + DAY // 12 for time in times)
        if expired:
            rejected["expiredLogEventEndIndex"] = expired
        if old:
            rejected["tooOldLogEventEndIndex"] = old
        if new < len(times):
            rejected["tooNewLogEventStartIndex"] = new
        for event in events[max(expired, old) : new]:
            message = event["message"]
            line = self._writer.next_line(), number, None, event["timestamp"], now, None, message
            self._writer.log_lines.append(line)
            if '"_aws"' in message:
                self._world.metrics.embedded(message)
        return rejected

    def events(
        self,
        group: str,
        streams: Iterable[str] | None = None,
        *,
        prefix: str = "",
        since: int | None = None,
        before: int | None = None,
        pattern: str = "",
        after: Place | None = None,
        until: Place | None = None,
        latest: bool = False,
        limit: int = MOST_EVENTS,
    ) -> tuple[list[Event], bool]:
        """Events of a group by time, and whether there are more.

        Of the streams of these names, or of those whose name begins with `prefix`; from timestamp `since` up to but
        without `before`; that match a filter pattern; that come after a place, or before one. At most `limit`, of 1 MB
        together: the first ones, or with `latest` the last ones. Raises AwsError.
        """
        matches = compile_filter(pattern)
        oldest, values = self._kept(group)
        where, more = _between(since, before, after, until)
        order = "DESC" if latest else "ASC"

        def read(reader: RunReader) -> tuple[list[Event], bool]:
            numbers = self._numbers(reader, group, streams, prefix)
            sql = (
                "SELECT e.timestamp, e.id, e.ingestion_time, e.message, s.name FROM log_events e JOIN log_streams s "
                f"ON s.id = e.log_stream_id WHERE s.id IN ({','.join(map(str, numbers))}) {oldest} {where} "
                f"ORDER BY e.timestamp {order}, e.id {order}"
            )
            rows = (Event(*row) for row in reader.query(sql, [*values, *more]))
            return _page((event for event in rows if matches(event.message)), limit)

        found, rest = self._look(read)
        return (found[::-1] if latest else found), rest

    # --- what is there ---------------------------------------------------------------------------------------------

    def _rows(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        found: list[Any] = self._look(lambda reader: list(reader.query(sql, values)))
        return found

    @property
    def _without_deleted(self) -> str:
        return f"AND s.id NOT IN ({','.join(map(str, sorted(self._deleted)))})" if self._deleted else ""

    def _kept(self, group: str) -> tuple[str, list[int]]:
        """The condition that an event has not expired."""
        days = self._retention.get(group)
        return ("", []) if days is None else ("AND e.timestamp >= ?", [self._world.epoch_ms() - days * DAY])

    def _has_group(self, name: str) -> bool:
        sql = f"SELECT s.id FROM log_streams s WHERE s.log_group = ? {self._without_deleted} LIMIT 1"
        return name in self._made or bool(self._rows(sql, [name]))

    def _check_group(self, name: str) -> None:
        if not self._has_group(name):
            raise _no_group()

    def _find(self, group: str, name: str) -> int | None:
        found = self._own.get((group, name))
        if found is not None:
            return found
        sql = f"SELECT s.id FROM log_streams s WHERE s.log_group = ? AND s.name = ? {self._without_deleted}"
        rows = self._rows(sql, [group, name])
        return rows[0]["id"] if rows else None

    def _numbers(self, reader: RunReader, group: str, names: Iterable[str] | None, prefix: str) -> list[int]:
        """The streams of a group of these names, or whose names begin so. Raises ResourceNotFoundException."""
        sql = f"SELECT s.name, s.id FROM log_streams s WHERE s.log_group = ? {self._without_deleted}"
        found = {row["name"]: row["id"] for row in reader.query(sql, [group])}
        if not found and group not in self._made:
            raise _no_group()
        if names is None:
            return [number for name, number in found.items() if name.startswith(prefix)]
        wanted = list(names)
        if not found.keys() >= set(wanted):
            raise _no_stream()
        return [found[name] for name in wanted]

    def _stream(self, group: str, name: str) -> int:
        found = self._find(group, name)
        if found is None:
            self._check_group(group)
            raise _no_stream()
        return found


def _no_group() -> AwsError:
    return AwsError("ResourceNotFoundException", "The specified log group does not exist.")


def _no_stream() -> AwsError:
    return AwsError("ResourceNotFoundException", "The specified log stream does not exist.")


def invalid(message: str) -> AwsError:
    """InvalidParameterException, 400."""
    return AwsError("InvalidParameterException", message)


def check_name(pattern: re.Pattern[str], where: str, name: str, rule: str) -> None:
    """Raises InvalidParameterException for a name that no group, or no stream, can have."""
    if not pattern.fullmatch(name):
        raise invalid(
            f"1 validation error detected: Value '{name}' at '{where}' failed to satisfy constraint: Member must "
            + (f"satisfy regular expression pattern: {rule}" if 1 <= len(name) <= 512 else _length(name))
        )


def check_batch(events: Sequence[Mapping[str, Any]]) -> None:
    """What PutLogEvents asks of the events together. Raises InvalidParameterException."""
    times = [event["timestamp"] for event in events]
    if times != sorted(times):
        raise invalid("Log events in a single PutLogEvents request must be in chronological order.")
    if times and times[-1] - times[0] > DAY:
        raise invalid("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
    size = sum(len(event["message"].encode()) + OVERHEAD for event in events)
    if size > MOST_BYTES:
        raise invalid(f"Upload too large: {size} bytes exceeds limit of {MOST_BYTES}")


def _between(since: int | None, before: int | None, after: Place | None, until: Place | None) -> tuple[str, list[int]]:
    """The conditions on time and place, and their values."""
    conditions: list[tuple[str, Sequence[int]]] = []
    if since is not None:
        conditions.append(("e.timestamp >= ?", [since]))
    if before is not None:
        conditions.append(("e.timestamp < ?", [before]))
    if after is not None:
        conditions.append(("(e.timestamp, e.id) > (?, ?)", after))
    if until is not None:
        conditions.append(("(e.timestamp, e.id) < (?, ?)", until))
    return "".join(f" AND {text}" for text, _ in conditions), [value for _, values in conditions for value in values]


def _page(events: Iterator[Event], limit: int) -> tuple[list[Event], bool]:
    """The first events of at most 1 MB, and whether there are more."""
    found: list[Event] = []
    size = 0
    for event in islice(events, limit + 1):
        size += len(event.message.encode()) + OVERHEAD
        if len(found) == limit or (found and size > MOST_BYTES):
            return found, True
        found.append(event)
    return found, False


def _length(name: str) -> str:
    return "have length greater than or equal to 1" if not name else "have length less than or equal to 512"
