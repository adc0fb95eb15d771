"""What a meter is, whatever it measures, and the minute that all of them share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from simbus.kernel import MILLISECOND, MINUTE

COUNT = "Count"
MILLISECONDS = "Milliseconds"
SECONDS = "Seconds"


class Datapoint(NamedTuple):
    """One row of `metrics`: a statistic of one minute; `simbus.metrics` says which. `time` is in ms since the epoch."""

    time: int
    name: str
    dimension: str
    value: float
    unit: str


class Clock:
    """The calendar's minute that is under way: from `begins` up to `ends`, nanoseconds of virtual time.

    `epoch_ns` is what the calendar says at virtual time 0, in ns since 1970.
    """

    __slots__ = ("begins", "ends", "epoch_ns")

    def __init__(self, epoch_ns: int) -> None:
        self.epoch_ns = epoch_ns
        self.go_to(self.minute_of(0))

    def minute_of(self, when: int) -> int:
        """When the minute of an instant began: for the first minute of a run that may be before 0."""
        return when - (self.epoch_ns + when) % MINUTE

    def go_to(self, begins: int) -> None:
        """The minute that begins then is under way."""
        self.begins = begins
        self.ends = begins + MINUTE

    def time_of(self, begins: int) -> int:
        """An instant in ms since the epoch, as rows carry it."""
        return (self.epoch_ns + begins) // MILLISECOND


class Meter(Protocol):
    """Counts what happens to one resource in the minute under way."""

    @property
    @abstractmethod
    def stands(self) -> bool:
        """Whether a further minute, in which nothing happens, will have a row."""

    @abstractmethod
    def close(self) -> Iterator[Datapoint]:
        """The minute is over: the rows that are final now, once. Then begin to count anew."""

    @abstractmethod
    def unwritten(self) -> Iterator[Datapoint]:
        """The rows that are not final yet, as they are now; changes nothing."""
