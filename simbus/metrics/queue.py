"""The metrics of one queue (AWS/SQS)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

from simbus.kernel import SECOND, Timeline
from simbus.metrics.meter import COUNT, SECONDS, Clock, Datapoint

GAUGES: Final = {
    "visible": "ApproximateNumberOfMessagesVisible",
    "in_flight": "ApproximateNumberOfMessagesNotVisible",
    "delayed": "ApproximateNumberOfMessagesDelayed",
}
POISON: Final = 3
_COMPACT_FROM: Final = 64


class Standing(Protocol):
    """A message; its `state` is a key of GAUGES as long as it is in the queue."""

    receive_count: int
    state: Any


_Arrival = tuple[int, int, Standing]


class QueueMeter:
    """Counts what happens to one queue; `counts`, its messages by state, are kept by the queue itself.

    In a standard queue a message that was received three times, counted from its arrival, no longer counts for the age
    of the oldest one; in a dead-letter queue the age counts from the move (SQS Developer Guide, "Available CloudWatch
    metrics").
    """

    __slots__ = (
        "_age",
        "_arrivals",
        "_catch_up",
        "_clock",
        "_compact_from",
        "_counts",
        "_dimension",
        "_poison",
        "_timeline",
        "deleted",
        "peaks",
        "received",
        "sent",
    )

    def __init__(
        self,
        dimension: str,
        clock: Clock,
        timeline: Timeline,
        catch_up: Callable[[], None],
        counts: Mapping[Any, int],
        fifo: bool,
    ) -> None:
        self._dimension = dimension
        self._clock = clock
        self._timeline = timeline
        self._catch_up = catch_up
        self._counts = counts
        self._poison = 1 << 62 if fifo else POISON
        # When, received how often before (a dead letter keeps its count), and what: dropped lazily when it has left.
        self._arrivals: deque[_Arrival] = deque()
        self._compact_from = _COMPACT_FROM
        self._age = 0  # in nanoseconds, of the oldest message that has left in this minute
        self.peaks: dict[Any, int] = dict.fromkeys(GAUGES, 0)
        self.sent = self.received = self.deleted = 0

    def __repr__(self) -> str:
        return f"<QueueMeter {self._dimension}>"

    def look(self) -> None:
        """To be called before anything changes or is counted."""
        if self._timeline.now >= self._clock.ends:
            self._catch_up()

    def arrives(self, message: Standing) -> None:
        """It is put into the queue."""
        now = self._timeline.now
        if now >= self._clock.ends:
            self._catch_up()
        self._arrivals.append((now, message.receive_count, message))
        if len(self._arrivals) > self._compact_from:
            self._arrivals = deque(arrival for arrival in self._arrivals if self._has_age(arrival))
            self._compact_from = 2 * len(self._arrivals) + _COMPACT_FROM

    def receives(self, message: Standing) -> None:
        """It is about to be received: once too often, and it has no age any more."""
        if self._timeline.now >= self._clock.ends:
            self._catch_up()
        self.received += 1
        if message.receive_count + 1 >= self._poison:
            self.leave((message,))

    def leave(self, messages: Sequence[Standing]) -> None:
        """These are about to leave the queue: the oldest message of all may be one of them."""
        self.look()
        oldest = self._oldest()
        if oldest is not None and oldest in messages:
            self._age = max(self._age, self._timeline.now - self._arrivals[0][0])

    def _has_age(self, arrival: _Arrival) -> bool:
        _, received, message = arrival
        return message.state in GAUGES and message.receive_count - received < self._poison

    def _oldest(self) -> Standing | None:
        arrivals = self._arrivals
        while arrivals and not self._has_age(arrivals[0]):
            arrivals.popleft()
        return arrivals[0][2] if arrivals else None

    # --- a minute is over ------------------------------------------------------------------------------------------

    @property
    def stands(self) -> bool:
        return any(self._counts.values())

    def close(self) -> Iterator[Datapoint]:
        yield from self._rows(self._clock.ends)
        self.peaks.update(self._counts)
        self._compact_from = _COMPACT_FROM
        self._age = self.sent = self.received = self.deleted = 0

    def unwritten(self) -> Iterator[Datapoint]:
        yield from self._rows(self._timeline.now)

    def _rows(self, until: int) -> Iterator[Datapoint]:
        time = self._clock.time_of(self._clock.begins)
        for name, value, unit in self._values(until):
            if value:
                yield Datapoint(time, name, self._dimension, float(value), unit)

    def _values(self, until: int) -> Iterator[tuple[str, int, str]]:
        for state, name in GAUGES.items():
            yield name, self.peaks[state], COUNT
        age = self._age
        if self._oldest() is not None:
            age = max(age, until - self._arrivals[0][0])
        yield "ApproximateAgeOfOldestMessage", age // SECOND, SECONDS
        yield "NumberOfMessagesSent", self.sent, COUNT
        yield "NumberOfMessagesReceived", self.received, COUNT
        yield "NumberOfMessagesDeleted", self.deleted, COUNT
