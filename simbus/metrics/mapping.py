"""The metrics of one event source mapping, where its MetricsConfig asks for them: the group EventCount."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from simbus.kernel import Timeline
from simbus.metrics.meter import COUNT, Clock, Datapoint

EVENT_COUNT: Final = (
    "PolledEventCount",
    "FilteredOutEventCount",
    "InvokedEventCount",
    "FailedInvokeEventCount",
    "DeletedEventCount",
    "DroppedEventCount",
    "OnFailureDestinationDeliveredEventCount",
)
"""In the order of the rows."""


class MappingMeter:
    """Counts events (records, messages), as long as `enabled` is set. What is failed counts when the answer comes."""

    def __init__(self, dimension: str, clock: Clock, timeline: Timeline, catch_up: Callable[[], None]) -> None:
        self.enabled = False
        self._dimension = dimension
        self._clock = clock
        self._timeline = timeline
        self._catch_up = catch_up
        self._counts = dict.fromkeys(EVENT_COUNT, 0)

    def __repr__(self) -> str:
        return f"<MappingMeter {self._dimension} enabled={self.enabled}>"

    def count(self, name: str, events: int = 1) -> None:
        """So many more events of one of EVENT_COUNT."""
        if self.enabled:
            if self._timeline.now >= self._clock.ends:
                self._catch_up()
            self._counts[name] += events

    stands = False

    def close(self) -> Iterator[Datapoint]:
        yield from self.unwritten()
        self._counts = dict.fromkeys(EVENT_COUNT, 0)

    def unwritten(self) -> Iterator[Datapoint]:
        time = self._clock.time_of(self._clock.begins)
        for name, events in self._counts.items():
            if events:
                yield Datapoint(time, name, self._dimension, float(events), COUNT)
