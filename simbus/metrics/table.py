"""The metrics of one DynamoDB table of provisioned capacity (AWS/DynamoDB)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from simbus.kernel import Timeline
from simbus.metrics.meter import COUNT, Clock, Datapoint

TABLE_COUNTS: Final = (
    "ConsumedReadCapacityUnits",
    "ConsumedWriteCapacityUnits",
    "ReadThrottleEvents",
    "WriteThrottleEvents",
)
"""In the order of the rows."""


class TableMeter:
    """Counts what a table takes and what it refuses; its global indexes have metrics of their own on AWS, none here."""

    def __init__(self, dimension: str, clock: Clock, timeline: Timeline, catch_up: Callable[[], None]) -> None:
        self._dimension = dimension
        self._clock = clock
        self._timeline = timeline
        self._catch_up = catch_up
        self._counts = dict.fromkeys(TABLE_COUNTS, 0.0)

    def __repr__(self) -> str:
        return f"<TableMeter {self._dimension}>"

    def count(self, name: str, amount: float = 1.0) -> None:
        """So much more of one of TABLE_COUNTS."""
        if self._timeline.now >= self._clock.ends:
            self._catch_up()
        self._counts[name] += amount

    stands = False

    def close(self) -> Iterator[Datapoint]:
        yield from self.unwritten()
        self._counts = dict.fromkeys(TABLE_COUNTS, 0.0)

    def unwritten(self) -> Iterator[Datapoint]:
        time = self._clock.time_of(self._clock.begins)
        for name, amount in self._counts.items():
            if amount:
                yield Datapoint(time, name, self._dimension, amount, COUNT)
