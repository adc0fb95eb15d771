"""A simulation: everything that plays together, and the handle by which a test or a scenario drives it."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from importlib.metadata import version as package_version
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from simbus import sdk
from simbus.arguments import (
    check_seed,
    check_speed,
    check_text,
    read_account,
    read_datetime,
    read_path,
    read_payloads,
    read_ties,
)
from simbus.arn import Account
from simbus.errors import UsageError
from simbus.expectations import check_connected, check_known, cost
from simbus.expectations.connections import connections, unconnected
from simbus.expectations.item import read
from simbus.expectations.judgement import JUDGEMENT, ExpectationFailed, Judgement
from simbus.expectations.results import ExpectationResult, evaluate
from simbus.faults.faults import Faults, Only
from simbus.faults.hooks import Hooks
from simbus.faults.idle import IDLE_FAULTS, IdleFault
from simbus.faults.reading import read_fault
from simbus.faults.stage import Stage
from simbus.kernel import Timeline
from simbus.kernel.durations import format_duration, read_duration
from simbus.kernel.loop import run as run_loop
from simbus.kernel.pace import play
from simbus.kernel.selection import Selection
from simbus.kernel.ties import Ties
from simbus.logs.sampling import ALL
from simbus.logs.writer import RunWriter
from simbus.recording.file import check_target as check_recording
from simbus.recording.recorder import Recorder
from simbus.resources import Resources
from simbus.world import World

if TYPE_CHECKING:
    from structlog.typing import Processor

    from simbus.recording.replay import Replay

T = TypeVar("T")


class Simulation(Resources):
    """One account in one Region, at virtual time 0, with a seed.

    `seed` decides every random number; the same seed repeats the run to the byte. `start` is what the calendar says at
    time 0 (UTC). `db` is the run file (None: a private one, removed at the end). `ties` explores another order of
    simultaneous events: a number, or `"12@1.5s,2s"` for the order 12 at these instants only. `faults` lets only some of
    the faults occur (`"0.3,1"`: the fourth occurrence of the first, and the second; `"none"`). `speed` plays in real
    time, that many virtual seconds a second (None: as fast as it goes). `handler_guard` is the CPU time in seconds
    after which a handler that never ends is given up (None: never).
    `account` is an `Account`, or its members (`{"region": ..., "table_transition_delay": "10s"}`).
    `log_processors` are structlog processors for every log line. `record` is a file that what is done to the simulation
    from outside is written to (in gzip where its name ends in .gz), so that `replay` can do it again: every operation
    that causes something, and once the run has begun also those that change a resource. `payloads` is the share of the
    events whose payloads the run file keeps (0.01, or `"1%"`), see `simbus.logs.sampling`.

    Use it as a context manager: nothing of it is left in the process afterwards.
    """

    def __init__(
        self,
        seed: int | str = 0,
        *,
        start: str | datetime = "2026-01-01T00:00:00Z",
        account: Account | Mapping[str, Any] | None = None,
        db: str | Path | None = None,
        ties: int | str | Ties | None = None,
        faults: str | Only | None = None,
        speed: float | None = None,
        handler_guard: float | None = 30.0,
        scenario: str | None = None,
        log_processors: Sequence[Processor] = (),
        record: str | Path | None = None,
        payloads: float | str = ALL,
    ) -> None:
        check_seed(seed)
        check_speed(speed)
        check_text(scenario, "scenario")
        its_account, its_start, recording = (
            read_account(account),
            read_datetime(start, "start"),
            read_path(record, "record"),
        )
        if recording is not None:
            check_recording(recording)
        self.seed = seed
        self.timeline = Timeline(seed, ties=read_ties(ties))
        rows = RunWriter(read_path(db, "db"), payloads=read_payloads(payloads))
        rows.open()
        super().__init__(World(self.timeline, rows, its_account, its_start), rows, handler_guard, log_processors)
        stage = Stage(self.world, self.bus, self.pool, self._destinations, self.event_source_mappings, Hooks(), {})
        self.faults = Faults(stage)
        self.faults.only = _only(faults)
        self._speed = speed
        self._state = "open"
        sdk.open_for(self)
        self._results: list[ExpectationResult] = []
        self._facts(scenario)
        self._recorder = None if recording is None else Recorder(self.world, recording, seed, scenario)

    def __repr__(self) -> str:
        return f"<Simulation seed={self.seed} {self.timeline!r}>"

    def __enter__(self) -> Simulation:
        sdk.enter(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(complete=kind is None)

    def _facts(self, scenario: str | None) -> None:
        ties = self.timeline.ties
        facts = {
            "seed": str(self.seed),
            "scenario": scenario,
            "version": _version(),
            "start": self.world.iso(0),
            "account": self.world.account.id,
            "region": self.world.account.region,
            "ties": None if ties is None else ties.number if ties.instants is None else str(ties),
        }
        for key, value in facts.items():
            self.rows.set(key, value)

    # --- time ------------------------------------------------------------------------------------------------------

    @property
    def now(self) -> int:
        """Nanoseconds of virtual time since the start."""
        return self.timeline.now

    @property
    def calendar(self) -> datetime:
        """What the calendar says now (UTC)."""
        return self.world.datetime()

    def run(self, for_: str | timedelta | None = None, until: str | timedelta | datetime | None = None) -> None:
        """Play until nothing is pending; `for_` a duration (`"6h"`); `until` a duration since the start, or a time.

        Raises StalledError where something waits for what can't happen any more, GuardError for a handler that burns
        CPU for ever.
        """
        limit: int | None = None
        if for_ is not None:
            limit = self.timeline.now + read_duration(for_, "for_")
        if until is not None:
            end = self._instant(until, "until")
            limit = end if limit is None else min(limit, end)
        self.play(limit)

    def play(self, until: int | None = None, *, idle: bool = True) -> None:
        """Play until nothing is pending, or up to `until` (ns). `idle` False: stop early when nothing is pending."""
        if self._state != "open":
            raise UsageError("the run has been finished (by expect, finish or close); nothing is played afterwards.")
        # A run makes many rows that live until they are written, and few cycles: look for these seldom (it costs 10 %).
        before = gc.get_threshold()
        gc.set_threshold(max(before[0], 200_000) if before[0] else 0, *before[1:])
        try:
            self._play(until, idle)
        finally:
            gc.set_threshold(*before)

    def _play(self, until: int | None, idle: bool) -> None:
        if self._speed is not None:
            self._play_in_real_time(until)
        elif until is None:
            self.timeline.run()
        elif idle:
            self.timeline.run(until)
        else:
            self.timeline.run_pending(until)

    def _play_in_real_time(self, until: int | None) -> None:
        timeline = self.timeline
        assert self._speed is not None

        def unfinished() -> bool:
            if until is None:
                return timeline.pending > 0
            due = timeline.peek()
            return due is not None and due <= until

        play(timeline, unfinished, self._speed)

    def run_async(self, main: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the timeline's own asyncio loop: asyncio and anyio wait in virtual time there."""
        return run_loop(self.timeline, main, speed=self._speed)

    def at(self, when: str | timedelta | datetime, call: Callable[[], object]) -> None:
        """Call `call()` at a duration since the start (`"5m"`) or at a time; it holds the run open."""
        self.timeline.arrive(self._instant(when, "when"), lambda _: call())

    def fault(self, **settings: Any) -> None:
        """Let something go wrong, with the keys of `faults` in a scenario file (`for_` is `for`).

        `sim.fault(function="charge", error_rate=0.5, at="10m", for_="5m")`; `every="1h"` or `every={"exponential":
        "1h"}` again and again, `count=3, over="1d"` at random. What it is about may be the resource itself. Faults hold
        no run open. `simbus.faults.rules.EFFECTS` has all of them. Without `at` it begins now. Raises UsageError.
        """
        if settings.get("at") is None:
            settings["at"] = self.now
        spec = read_fault(settings)
        if spec.timing.at < self.now:
            at, now = format_duration(spec.timing.at), format_duration(self.now)
            raise UsageError(f"a fault has at {at}, and it is {now} now. Give a later time, or leave at out.")
        self.faults.add(spec)

    def replay(
        self,
        recording: str | Path,
        *,
        speed: float = 1.0,
        at: str | timedelta | datetime = "0s",
        begin: str | None = None,
        end: str | None = None,
        only: str | None = None,
        format: str | None = None,
        targets: Iterable[str] = (),
        skip_invalid: bool = False,
    ) -> Replay:
        """Do again what a file holds: a recording, or events in one of the forms of `simbus.recording.formats`.

        Its time 0 is `at`; `speed` of its seconds pass in one second of virtual time. `begin` (part of it) and `end`
        (not part of it) are times, or durations since its start; `only` is a resource (`s3:uploads`) or a service.
        `targets` say which resource is meant where the file's name is another: `"NAME=sqs:jobs"`, or `"sqs:jobs"` for
        all. Everything is checked here; it happens when the simulation runs. Raises UsageError for what can't be read,
        for a broken line unless `skip_invalid`, and for a resource that is not there.
        """
        if not (speed > 0 and math.isfinite(speed)):
            raise UsageError(f"speed is {speed!r}; it is a number above 0. Give 10 for ten times as fast.")
        from simbus.recording.replay import Replay  # with all forms of a file, which few simulations need
        from simbus.recording.source import open_input

        source = open_input(
            recording, self, format=format, targets=targets, only=only, begin=begin, end=end, skip_invalid=skip_invalid
        )
        replay = Replay(self, source, begin=self._instant(at, "at"), speed=speed)
        replay.start()
        return replay

    def _instant(self, when: str | timedelta | datetime, name: str) -> int:
        if isinstance(when, str) and when[:1].isdigit() and "-" in when:
            when = read_datetime(when, name)
        if isinstance(when, datetime):
            return int((read_datetime(when, name) - self.world.start) / timedelta(microseconds=1)) * 1000
        return read_duration(when, name)

    # --- boto3 -----------------------------------------------------------------------------------------------------

    def client(self, service: str, **settings: Any) -> Any:
        """A boto3 client whose calls reach this simulation, wherever they come from; `settings` as boto3.client takes.

        Raises UsageError where boto3 is not installed (`pip install simbus[boto3]`).
        """
        return sdk.client(self, service, **settings)

    def resource(self, service: str, **settings: Any) -> Any:
        """A boto3 resource, like `client`."""
        return sdk.resource(self, service, **settings)

    # --- end -------------------------------------------------------------------------------------------------------

    def expect(self, **item: Any) -> list[ExpectationResult]:
        """Expect figures of the run, in the words of `expect:` in a scenario. It ends the run: nothing plays after it.

        `sim.expect(lost=0)`, `sim.expect(function=charge, error_rate="< 0.1", p99_duration="< 1s")`,
        `sim.expect(queue="jobs", messages="<= 10", always=True)`; resources by name or as objects. The figures are
        those of `simbus.expectations.figures`. `check` is a function that gets the opened run file (`run.query(sql)`,
        `run.invocations()`; see `simbus.expectations.checks`) and raises, returns False, or returns the number that is
        compared with `result`. Returns what was found; raises ExpectationFailed
        (an AssertionError) where it is not as expected, UsageError for what is no expectation.
        """
        expectation = read(item)
        for name in (expectation.subject.source, expectation.subject.function):
            if name is not None:
                check_known("resource", name if ":" in name else f"lambda:{name}", list(self._resources))
        known = connections(self)
        if unconnected(expectation.subject, known) is not None:  # now; there may have been a connection
            self.look(lambda rows: check_connected(expectation, known, rows))
        self.finish()
        with self.reader() as rows:
            results = evaluate([expectation], rows)
        self._results += results
        self.rows.set(JUDGEMENT, Judgement(self._results).json())
        if not all(result.passed for result in results):
            raise ExpectationFailed(results, self.seed)
        return results

    def finish(self) -> None:
        """Write the rows that say how things stand at the end. Nothing may be played afterwards."""
        if self._state == "open":
            self._state = "finished"
            self.rows.set("ended", self.world.iso())
            self.faults.final_rows()
            self._idle_faults_fact()
            self._resources_fact()
            self._final_rows()

    def _idle_faults_fact(self) -> None:
        """Faults that have not occurred leave no row."""
        idle = [IdleFault(f"faults[{number}]", spec.resource, spec.said) for number, spec in self.faults.idle()]
        if idle:
            self.rows.set(IDLE_FAULTS, msgspec.json.encode(idle).decode())

    def _resources_fact(self) -> None:
        """What prices depend on, and no row says."""
        functions = {
            core.resource: cost.FunctionResource(
                core.config.architecture,
                core.config.ephemeral_storage,
                core.config.memory_size,
                {number: version.provisioned for number, version in core.versions.items() if version.provisioned},
            )
            for core in self._cores
        }
        queues = [queue.resource for queue in self.resources("sqs")]
        self.rows.set(
            cost.RESOURCES, msgspec.json.encode(cost.Resources(functions, queues, connections(self))).decode()
        )

    def digest(self) -> str:
        """SHA-256 over every row of the run: the same scenario, seed and version give the same, on any machine."""
        return self.rows.digest()

    def close(self, *, complete: bool = True) -> None:
        """End: environments and their temporary directories go, the run file is completed. Once is enough."""
        if self._state == "closed":
            return
        try:
            if complete:
                self.finish()
            else:
                self._resources_fact()
                self._under_way_rows()
            self._close_resources()
        finally:
            sdk.close(self)
            self._state = "closed"
            try:
                self.rows.close(complete=complete)
            finally:
                if self._recorder is not None:
                    self._recorder.close()


def _only(value: str | Only | None) -> Only | None:
    try:
        return Selection.parse(value) if isinstance(value, str) else value
    except UsageError as error:
        raise UsageError(f"faults {error}") from None


@cache
def _version() -> str:
    return package_version("simbus")
