"""The metrics of one function (AWS/Lambda). Its hot methods are called for every event and every invocation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from simbus.kernel import MILLISECOND, MINUTE, Timeline
from simbus.metrics.meter import COUNT, MILLISECONDS, Clock, Datapoint

COUNTED = (
    "ProvisionedConcurrencyInvocations",
    "ProvisionedConcurrencySpilloverInvocations",
    "AsyncEventsDropped",
    "DeadLetterErrors",
    "DestinationDeliveryFailures",
    "RecursiveInvocationsDropped",
)
"""What is counted by `count`, in the order of the rows."""


class Running(Protocol):
    """How many invocations run at once, and the most since somebody set `peak` back."""

    peak: int

    @property
    def running(self) -> int: ...


class Minute:
    """What one minute has come to. An age of -1 was never measured; durations and ages are in nanoseconds."""

    __slots__ = (
        "async_age", "counts", "duration", "errors", "invocations", "iterator_age", "peak", "received", "throttles"
    )  # fmt: skip

    def __init__(self) -> None:
        self.invocations = 0
        self.errors = 0
        self.duration = 0
        self.throttles = 0
        self.peak = 0
        self.received = 0
        self.async_age = -1
        self.iterator_age = -1
        self.counts: dict[str, int] = {}

    def values(self) -> Iterator[tuple[str, float, str]]:
        """Name, value and unit of each row."""
        ran = self.invocations
        if ran:
            yield "Invocations", ran, COUNT
            yield "Errors", self.errors, COUNT
            yield "Duration", self.duration / ran / MILLISECOND, MILLISECONDS
        if ran or self.throttles:
            yield "Throttles", self.throttles, COUNT
        if self.peak:
            yield "ConcurrentExecutions", self.peak, COUNT
        if self.received:
            yield "AsyncEventsReceived", self.received, COUNT
        if self.received or self.async_age >= 0:  # what is received is tried at once: the youngest is 0 ms old
            yield "AsyncEventAge", max(self.async_age, 0) / MILLISECOND, MILLISECONDS
        if self.iterator_age >= 0:
            yield "IteratorAge", self.iterator_age / MILLISECOND, MILLISECONDS
        for name in COUNTED if self.counts else ():
            if name in self.counts:
                yield name, self.counts[name], COUNT


class FunctionMeter:
    """Counts what happens to one function.

    An invocation is counted when it has ended, in the minute in which it started; so a minute that is over waits as
    long as one of its invocations can still be running.
    """

    __slots__ = ("_minute", "_past", "_patience", "_running", "_timeline", "catch_up", "clock", "dimension")

    def __init__(self, dimension: str, clock: Clock, timeline: Timeline, catch_up: Callable[[], None]) -> None:
        self.dimension = dimension
        self.clock = clock
        self._timeline = timeline
        self.catch_up = catch_up
        self._minute = Minute()
        self._past: dict[int, Minute] = {}  # by its begin: minutes that are over, but not final
        self._patience = 0
        self._running: Running | None = None

    def __repr__(self) -> str:
        return f"<FunctionMeter {self.dimension}>"

    def watch(self, running: Running) -> None:
        """Take ConcurrentExecutions from there: an invocation counts from its place to its end, init included."""
        self._running = running

    def wait_for(self, timeout: int) -> None:
        """Invocations may take that many nanoseconds from their START."""
        self._patience = max(self._patience, timeout)

    # --- what happens: the hot part --------------------------------------------------------------------------------

    def ended(self, began: int, now: int, failed: bool) -> None:
        """An invocation that started at `began` has ended. To be called before its concurrency is given back."""
        clock = self.clock
        if now >= clock.ends:
            self.catch_up()
        minute = self._minute if began >= clock.begins else self._earlier(began)
        minute.invocations += 1
        minute.duration += now - began
        if failed:
            minute.errors += 1

    def received(self) -> None:
        """The asynchronous queue has accepted an event, and tries it at once."""
        if self._timeline.now >= self.clock.ends:
            self.catch_up()
        self._minute.received += 1

    def async_age(self, age: int) -> None:
        """An event that has waited `age` nanoseconds in the asynchronous queue is tried again."""
        minute = self._now()
        minute.async_age = max(minute.async_age, age)

    def iterator_age(self, age: int) -> None:
        """A batch goes to the function whose last record came into the stream `age` nanoseconds ago."""
        minute = self._now()
        minute.iterator_age = max(minute.iterator_age, age)

    def throttled(self) -> None:
        """An invocation was refused."""
        self._now().throttles += 1

    def count(self, name: str) -> None:
        """One more of what has no method of its own, see COUNTED."""
        counts = self._now().counts
        counts[name] = counts.get(name, 0) + 1

    def _now(self) -> Minute:
        if self._timeline.now >= self.clock.ends:
            self.catch_up()
        return self._minute

    def _earlier(self, when: int) -> Minute:
        begins = self.clock.minute_of(when)
        found = self._past.get(begins)
        if found is None:
            found = self._past[begins] = Minute()
        return found

    # --- a minute is over ------------------------------------------------------------------------------------------

    @property
    def stands(self) -> bool:
        return bool(self._past) or (self._running is not None and self._running.running > 0)

    def close(self) -> Iterator[Datapoint]:
        clock, minute, running = self.clock, self._minute, self._running
        if running is not None:
            minute.peak, running.peak = running.peak, running.running
        if any(minute.values()):
            self._past[clock.begins] = minute
            self._minute = Minute()
        for begins in sorted(self._past):
            if begins + MINUTE + self._patience > clock.ends:
                break
            yield from self._rows(begins, self._past.pop(begins))

    def unwritten(self) -> Iterator[Datapoint]:
        for begins in sorted(self._past):
            yield from self._rows(begins, self._past[begins])
        if self._running is not None:
            self._minute.peak = self._running.peak
        yield from self._rows(self.clock.begins, self._minute)

    def _rows(self, begins: int, minute: Minute) -> Iterator[Datapoint]:
        time = self.clock.time_of(begins)
        for name, value, unit in minute.values():
            yield Datapoint(time, name, self.dimension, float(value), unit)
