"""Archives and replays of one account: what is kept, for how long, and how it is played again.

Sources: user guide, "Amazon EventBridge archive and replay"; API reference, StartReplay ("based on the time in the
event", "using 1 minute intervals"); recordings TestArchive::*, TestReplay::* (errors, states, `replay-name`).

AWS does not say whether a replayed event keeps its id: here it does, so that a consumer's idempotency is put to the
test. Nor does it say how long a replay takes: here it starts after a minute and plays a minute of the archive each
second, the events of that minute at once and shuffled ("not necessarily in the same order"). An event is in its archive
at once; AWS advises to wait 10 minutes. Replayed events are not archived again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import groupby
from random import Random
from typing import Any, Final, NamedTuple

from simbus.filtering import EventPattern, compile_event_pattern
from simbus.kernel import HOUR, MINUTE, SECOND
from simbus.model import ChangeEvent
from simbus.sources.eventbridge.errors import not_found
from simbus.sources.eventbridge.event import epoch_seconds
from simbus.world import World

STARTING: Final = MINUTE
CHUNK: Final = SECOND
CANCELLING: Final = SECOND
MAX_ACTIVE_REPLAYS: Final = 10
_ACTIVE: Final = ("STARTING", "RUNNING", "CANCELLING")


class Kept(NamedTuple):
    """An archived event: when it came (ns of virtual time), its own time (seconds since 1970), and itself.

    `event_id` is that of its row: another than in its text, where it came from another bus.
    """

    kept_at: int
    time: int
    event_id: str
    text: str
    detail_type: str
    source: str


class Archive:
    """An archive of one bus. `retention_days` 0 keeps events for ever; else older ones are dropped."""

    def __init__(
        self, world: World, name: str, bus_arn: str, event_pattern: str | None, retention_days: int, description: str
    ) -> None:
        self._world = world
        self.name = name
        self.bus_arn = bus_arn
        self.arn = f"arn:aws:events:{world.account.region}:{world.account.id}:archive/{name}"
        self.created_at = world.datetime()
        self._events: deque[Kept] = deque()
        self._bytes = 0
        self.change(event_pattern, retention_days, description)

    def __repr__(self) -> str:
        return f"<Archive {self.name} {len(self._events)} events>"

    def change(self, event_pattern: str | None, retention_days: int, description: str) -> None:
        """Take new settings, for the events from now on; the retention counts for all."""
        self.event_pattern = event_pattern
        self.retention_days = retention_days
        self.description = description
        self._pattern: EventPattern | None = None if event_pattern is None else compile_event_pattern(event_pattern)

    def keep(self, event: ChangeEvent, decoded: dict[str, Any]) -> None:
        """Keep the event, if it matches and is no replay."""
        self._expire()
        if "replay-name" in decoded or not (self._pattern is None or self._pattern.matches(decoded)):
            return
        time = epoch_seconds(decoded["time"])
        self._events.append(Kept(event.time, time, event.id, event.data, decoded["detail-type"], decoded["source"]))
        self._bytes += len(event.data.encode())

    def between(self, start: int, end: int) -> list[Kept]:
        """The events whose own time lies from `start` up to `end` (seconds since 1970), in the order of that time."""
        self._expire()
        return sorted((kept for kept in self._events if start <= kept.time <= end), key=lambda kept: kept.time)

    def _expire(self) -> None:
        oldest = self._world.timeline.now - self.retention_days * 24 * HOUR
        while self.retention_days and self._events and self._events[0].kept_at <= oldest:
            self._bytes -= len(self._events.popleft().text.encode())

    def shown(self) -> dict[str, Any]:
        """The form in which ListArchives has it."""
        self._expire()
        return {
            "ArchiveName": self.name,
            "EventSourceArn": self.bus_arn,
            "State": "ENABLED",
            "RetentionDays": self.retention_days,
            "SizeBytes": self._bytes,
            "EventCount": len(self._events),
            "CreationTime": self.created_at,
        }

    def described(self) -> dict[str, Any]:
        """The form in which DescribeArchive has it."""
        more = {"ArchiveArn": self.arn, "Description": self.description, "EventPattern": self.event_pattern}
        return {**{key: value for key, value in more.items() if value}, **self.shown()}


class Replay:
    """One replay. `play(kept, name, only)` puts an event onto the bus again; `only` are ARNs of rules, None for all."""

    def __init__(
        self,
        world: World,
        rng: Random,
        name: str,
        archive: Archive,
        period: tuple[int, int],
        filter_arns: tuple[str, ...],
        description: str | None,
        play: Callable[[Kept, str, frozenset[str] | None], None],
    ) -> None:
        self._world = world
        self._rng = rng
        self.name = name
        self.archive = archive
        self.arn = f"arn:aws:events:{world.account.region}:{world.account.id}:replay/{name}"
        self.state = "STARTING"
        self._period = period
        self._filter_arns = filter_arns
        self._description = description
        self._play = play
        self._started_at = world.datetime()
        self._ended_at: datetime | None = None
        self._last: int | None = None
        world.timeline.after(STARTING, self._begin)

    def __repr__(self) -> str:
        return f"<Replay {self.name} {self.state}>"

    @property
    def active(self) -> bool:
        return self.state in _ACTIVE

    def _begin(self, _: None) -> None:
        if self.state == "STARTING":
            self.state = "RUNNING"
            events = self.archive.between(*self._period)
            self._next(iter([list(chunk) for _, chunk in groupby(events, lambda kept: kept.time // 60)]))

    def _next(self, chunks: Iterator[list[Kept]]) -> None:
        """Play one minute of the archive, and the next one later."""
        if self.state != "RUNNING":
            return
        chunk = next(chunks, None)
        if chunk is None:
            self._end("COMPLETED")
            return
        self._last = chunk[-1].time
        self._rng.shuffle(chunk)
        only = frozenset(self._filter_arns) if self._filter_arns else None
        for kept in chunk:
            self._play(kept, self.name, only)
        self._world.timeline.after(CHUNK, self._next, chunks)

    def cancel(self) -> None:
        """No further event is played; soon it is CANCELLED."""
        self.state = "CANCELLING"
        self._world.timeline.after(CANCELLING, self._end, "CANCELLED")

    def _end(self, state: str) -> None:
        self.state = state
        self._ended_at = self._world.datetime()

    def shown(self) -> dict[str, Any]:
        """The form in which ListReplays has it."""
        last = None if self._last is None else datetime.fromtimestamp(self._last, UTC)
        found = {
            "ReplayName": self.name,
            "EventSourceArn": self.archive.arn,
            "State": self.state,
            "EventStartTime": datetime.fromtimestamp(self._period[0], UTC),
            "EventEndTime": datetime.fromtimestamp(self._period[1], UTC),
            "EventLastReplayedTime": last,
            "ReplayStartTime": self._started_at,
            "ReplayEndTime": self._ended_at,
        }
        return {key: value for key, value in found.items() if value is not None}

    def described(self) -> dict[str, Any]:
        """The form in which DescribeReplay has it."""
        destination: dict[str, Any] = {"Arn": self.archive.bus_arn}
        if self._filter_arns:
            destination["FilterArns"] = list(self._filter_arns)
        described = {**self.shown(), "ReplayArn": self.arn, "Destination": destination}
        return {**described, "Description": self._description} if self._description else described


class Archives:
    """The archives and replays of the account: their names are unique in it, whichever bus they are of."""

    def __init__(self) -> None:
        self.archives: dict[str, Archive] = {}
        self.replays: dict[str, Replay] = {}

    def archive(self, name: str) -> Archive:
        """Raises AwsError ResourceNotFoundException."""
        found = self.archives.get(name)
        if found is None:
            raise not_found(f"Archive {name} does not exist.")
        return found

    def replay(self, name: str) -> Replay:
        """Raises AwsError ResourceNotFoundException."""
        found = self.replays.get(name)
        if found is None:
            raise not_found(f"Replay {name} does not exist.")
        return found
