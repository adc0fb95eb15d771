"""All faults of one simulation: each occurs when it is due, does what it says, and leaves its rows."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from simbus.errors import UsageError
from simbus.faults import deliveries, functions
from simbus.faults.hooks import Undo
from simbus.faults.rules import EFFECTS
from simbus.faults.stage import Cause, Stage
from simbus.faults.timing import Timing
from simbus.kernel import SECOND
from simbus.kernel.distributions import Distribution, Uniform
from simbus.kernel.durations import format_duration
from simbus.kernel.timeline import FOREVER
from simbus.sources.base import Source

DELAY = Uniform(0, SECOND)  # how much later a duplicate or an overtaken message comes; AWS says no more than "later"


class Only(Protocol):
    """Which occurrences of a fault take place, by its number: None for all."""

    def __getitem__(self, number: int, /) -> Container[int] | None: ...


class FaultSpec(NamedTuple):
    """What a fault is about (a short name, `lambda:resize`; None: the account), what it does, and when.

    `said` is how its effects were written, for the rows.
    """

    resource: str | None
    effects: Mapping[str, Any]
    timing: Timing = Timing()
    delay: Distribution = DELAY
    said: str = ""


class Faults:
    """Every fault by its number, in the order in which they were made: `faults[0]` is the first.

    `only`: just these occurrences of the faults that are added from now on take place, by the fault's number (None: all
    of all faults). `occurred` are those that have begun: the fault's number, and the occurrence's, both from 0.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._made = 0
        self._wanted: dict[int, FaultSpec] = {}
        self._attempts: dict[str, functions.Attempts] = {}
        self._cold_starts: dict[str, functions.ColdStarts] = {}
        self.only: Only | None = None
        self.occurred: list[tuple[int, int]] = []

    def add(self, spec: FaultSpec) -> None:
        """Put a fault on the timeline.

        Nobody waits for a fault: a run may end before it. Raises UsageError where its resource does not exist.
        """
        number = self._made
        target = None
        if spec.resource is not None:
            target = self._stage.world.find(spec.resource)
            if target is None:
                raise UsageError(f"a fault is of {spec.resource}, which does not exist. Make it first.")
        self._made += 1
        only = None if self.only is None else self.only[number]
        if only is None:
            self._wanted[number] = spec
        Fault(self, self._stage, number, spec, target, only).start()

    def idle(self) -> list[tuple[int, FaultSpec]]:
        """Those that have not occurred so far, with their numbers; but for those of which only some were to occur."""
        occurred = {number for number, _ in self.occurred}
        return [(number, spec) for number, spec in self._wanted.items() if number not in occurred]

    def begin(self, cause: Cause) -> Undo:
        """Let one effect of a fault act from now on."""
        return _BEGIN[cause.effect](self, cause)

    def attempts(self, cause: Cause) -> Undo:
        core = cause.target.core
        return self._attempts.setdefault(core.name, functions.Attempts(core)).add(cause)

    def cold_starts(self, cause: Cause) -> Undo:
        core = cause.target.core
        return self._cold_starts.setdefault(core.name, functions.ColdStarts(core)).add(cause)

    def final_rows(self) -> None:
        """The run ends: what a fault held back is held."""
        for event_id, subscription in self._stage.waiting:
            self._stage.bus.settle_id(event_id, subscription, "held")
        self._stage.waiting.clear()


class Fault:
    """One fault: it begins and ends as often as its timing says."""

    def __init__(
        self, faults: Faults, stage: Stage, number: int, spec: FaultSpec, target: Any, only: Container[int] | None
    ) -> None:
        self._faults = faults
        self._stage = stage
        self._timeline = stage.world.timeline
        self._number = number
        self._label = f"faults[{number}]"
        self._spec = spec
        self._target = target
        self._only = only
        self._rngs = {name: self._timeline.rng(f"{self._label}/{name}") for name in spec.effects}
        self._coming: Iterator[tuple[int, tuple[int, int | None]]] = enumerate(
            spec.timing.occurrences(self._timeline.rng(self._label))
        )

    def start(self) -> None:
        """Put the next occurrence on the timeline."""
        coming = next(self._coming, None)
        if coming is not None:
            self._timeline.first(coming[1][0], self._begin, coming)

    def _begin(self, occurrence: tuple[int, tuple[int, int | None]]) -> None:
        number, (_, end) = occurrence
        self.start()
        if self._only is not None and number not in self._only:
            return
        self._faults.occurred.append((self._number, number))
        remaining = None if end is None else end - self._timeline.now
        lasts = "to the end" if remaining is None else f"for {format_duration(remaining)}"
        place = "account" if self._target is None else self._target.name
        self._stage.bus.hop(None, "fault", place, f"{self._label} begins, {lasts}: {self._spec.said}")
        undos: list[tuple[Cause, Undo]] = []
        for name in EFFECTS:
            if name in self._spec.effects:
                value, rng = self._spec.effects[name], self._rngs[name]
                cause = Cause(
                    self._stage, self._label, name, self._target, value, rng, self._spec.delay, remaining
                )  # fmt: skip
                undos.append((cause, self._faults.begin(cause)))
        if end is not None:
            self._timeline.first(end, self._end, (place, undos))

    def _end(self, begun: tuple[str, list[tuple[Cause, Undo]]]) -> None:
        place, undos = begun
        for cause, undo in undos:
            cause.on = False
            undo()
        self._stage.bus.hop(None, "fault", place, f"{self._label} ends")


def _outage(_: Faults, cause: Cause) -> Undo:
    source: Source = cause.target
    source.outage(FOREVER if cause.remaining is None else cause.remaining)
    return lambda: None  # it ends by itself


def _neighbour(_: Faults, cause: Cause) -> Undo:
    """It takes what is free at once, and the rest as others give it back."""
    pool, amount = cause.stage.pool, cause.value
    cause.stage.world.metrics.catch_up()
    pool.enter(amount, 0)

    def leave() -> None:
        cause.stage.world.metrics.catch_up()
        pool.enter(-amount, 0)

    return leave


_DUPLICATES: dict[str, Callable[[Cause], Undo]] = {
    "lambda": functions.duplicate_events,
    "sqs": deliveries.undeleted,
    "kinesis": deliveries.read_again,
    "dynamodb": deliveries.read_again,
}


def _duplicates(_: Faults, cause: Cause) -> Undo:
    return _DUPLICATES.get(cause.target.service, deliveries.twice)(cause)


def _reordered(_: Faults, cause: Cause) -> Undo:
    return deliveries.held_back(cause) if cause.target.service == "sqs" else deliveries.overtaken(cause)


_BEGIN: dict[str, Callable[[Faults, Cause], Undo]] = {
    **dict.fromkeys(("error_rate", "timeout_rate", "crash_rate", "latency"), Faults.attempts),
    "throttle_rate": lambda _, cause: functions.throttles(cause),
    "cold_starts": Faults.cold_starts,
    "destination_failure_rate": lambda _, cause: functions.lost_dead_letters(cause),
    "outage": _outage,
    "duplicate_rate": _duplicates,
    "reorder_rate": _reordered,
    "neighbour_concurrency": _neighbour,
}
