"""One execution environment: init, then one invocation at a time, frozen between, reclaimed when idle.

Sources: Lambda Developer Guide, "Understanding the Lambda execution environment lifecycle" (init limit of 10 s, re-run
in the first invocation, reset after a failed one); recordings test_lambda_invoke_timed_out_environment_reuse (globals
lost, /tmp kept), test_lambda_handler_exit, test_lambda_too_large_response.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from simbus.functions.errors import in_invocation, out_of_memory, timed_out, too_large
from simbus.functions.pricing import billed_duration_ms
from simbus.kernel import MILLISECOND, SECOND
from simbus.logs.platform import PlatformLines, Report
from simbus.logs.stream import LogStream
from simbus.model import Invocation, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from simbus.functions.attempt import Answered
    from simbus.functions.version import FunctionVersion

INIT_LIMIT = 10 * SECOND
PROVISIONED_INIT_LIMIT = 130 * SECOND  # at least; the function's timeout where that is longer
RESPONSE_LIMIT = 6_291_556  # bytes: 6 MB and 100
VCPU_MEMORY = 1_769  # MB of memory that come with one vCPU


class Process(Protocol):
    """The Python process of an environment, as the environment drives it (the sandbox is one)."""

    def init(self, deadline: int, done: Callable[[Outcome | None], None]) -> None:
        """Load the code; then `done(None)`, or `done(outcome)` where that failed or was not done at `deadline`."""

    def invoke(self, invocation: Invocation, deadline: int, done: Callable[[Outcome], None]) -> None:
        """Call the handler; then `done(outcome)`, at `deadline` at the latest."""

    def kill(self) -> None:
        """End it, as a process is killed."""

    def discard(self) -> None:
        """Kill it, and remove its private temporary directory."""


class Environment:
    """An execution environment of one function version. `number` counts the function's environments from 1."""

    __slots__ = (
        "_armed",
        "_deadline",
        "_init_began",
        "_init_ns",
        "_invocation",
        "_lines",
        "_process",
        "_ready",
        "_start_line",
        "_timeline",
        "id",
        "idle_since",
        "number",
        "processes",
        "provisioned",
        "stream",
        "temporary",
        "version",
    )

    def __init__(
        self,
        version: FunctionVersion,
        number: int,
        environment_id: str,
        stream: LogStream,
        lines: PlatformLines,
        provisioned: bool,
    ) -> None:
        self.version = version
        self.number = number
        self.id = environment_id
        self.stream = stream
        self.provisioned = provisioned
        self.idle_since = 0
        self.processes = 0  # how often a process was started here: it is another one after each reset
        self.temporary: Any = None  # the private /tmp, which outlives them
        self._timeline = version.timeline
        self._lines = lines
        self._process: Process | None = None
        self._ready = False
        self._init_began = 0
        self._init_ns: int | None = None
        self._invocation: Invocation | None = None
        self._deadline = 0
        self._armed = False
        self._start_line: int | None = None

    def __repr__(self) -> str:
        state = "busy" if self._invocation else "idle" if self._ready else "new"
        return f"<Environment {self.version.function.name}/{self.number} {state}>"

    # --- init ------------------------------------------------------------------------------------------------------

    def start(self, invocation: Invocation | None) -> None:
        """Begin the init phase; afterwards run `invocation` (None: provisioned, or preloaded, wait for one)."""
        self._invocation = invocation
        self._init_began = self._timeline.now
        self._lines.init_start()
        self._process = self.version.spawn(self)
        if self._process is None:
            self._code_loaded(None)
        else:
            self._process.init(self._init_began + self._init_limit, self._code_loaded)

    @property
    def _init_limit(self) -> int:
        if self.provisioned:
            return max(PROVISIONED_INIT_LIMIT, self.version.timeout_ns)
        return INIT_LIMIT

    def _code_loaded(self, failure: Outcome | None) -> None:
        now = self._timeline.now
        if failure is not None and failure.status == "timeout":
            self._init_failed(failure)
            return
        modelled = self.version.sample_init()
        if now + modelled >= self._init_began + self._init_limit:
            failure = timed_out("", self._init_limit)
            modelled = self._init_began + self._init_limit - now
        if failure is None:
            self._timeline.at(now + modelled, self._initialised)
        else:
            self._timeline.at(now + modelled, self._init_failed, failure)

    def _initialised(self, _: None) -> None:
        self._ready = True
        self._init_ns = self._timeline.now - self._init_began
        self._lines.initialised(self._init_ns / MILLISECOND, self.provisioned)
        if self._invocation is None:
            self._rest()
            return
        self._invocation.init_ns = self._init_ns
        self.run(self._invocation)

    def _init_failed(self, failure: Outcome) -> None:
        took = (self._timeline.now - self._init_began) / MILLISECOND
        status = "timeout" if failure.status == "timeout" else "error"
        self._lines.init_report(took, "init", status, None if status == "timeout" else failure.error_type)
        self._drop_process()
        if self._invocation is None:
            self.version.init_failed(self)
        else:
            self.run(self._invocation)

    def preload(self) -> None:
        """Be warm at once, as an environment that was used before the simulation begins."""
        self._process = self.version.spawn(self)
        if self._process is not None:
            self._process.init(self._timeline.now + INIT_LIMIT, self._preloaded)
        else:
            self._preloaded(None)

    def _preloaded(self, failure: Outcome | None) -> None:
        self._ready = failure is None
        self._rest()

    # --- invoke ----------------------------------------------------------------------------------------------------

    def run(self, invocation: Invocation) -> None:
        """Run an invocation in this environment: it is idle, or its init has just ended, well or not."""
        self._invocation = invocation
        now = self._timeline.now
        invocation.started_at = now
        self._deadline = now + self.version.timeout_ns
        if invocation.log_tail is not None:
            self.stream.keep_tail()
        self._start_line = self._lines.start(invocation.request_id)
        if self._ready:
            self._call(invocation)
        else:
            self._run_init_again()

    def _run_init_again(self) -> None:
        """A suppressed init: after a reset or a failed init it runs again, inside the invocation and its timeout."""
        self._init_began = self._timeline.now
        self._process = self.version.spawn(self)
        if self._process is None:
            self._code_loaded_again(None)
        else:
            self._process.init(self._deadline, self._code_loaded_again)

    def _code_loaded_again(self, failure: Outcome | None) -> None:
        now = self._timeline.now
        modelled = self.version.sample_init()
        if now + modelled >= self._deadline:
            self._timeline.at(self._deadline, self._finish_timeout)
        elif failure is None:
            self._timeline.at(now + modelled, self._initialised_again)
        else:
            assert self._invocation is not None
            self._timeline.at(now + modelled, self._finish, in_invocation(failure, self._invocation.request_id))

    def _initialised_again(self, _: None) -> None:
        self._ready = True
        assert self._invocation is not None
        self._call(self._invocation)

    def _call(self, invocation: Invocation) -> None:
        attempt = self.version.attempt
        if attempt is not None:
            attempt(self, invocation, self._answered)
        elif self._process is not None:
            self._process.invoke(invocation, self._deadline, self._answered)
        else:
            self._answered(self.version.modelled_response)

    def call(self, invocation: Invocation, answered: Answered) -> None:
        """Call the handler, or answer for a modelled function, on behalf of what stands between."""
        if self._process is not None:
            self._process.invoke(invocation, self._deadline, answered)
        else:
            answered(self.version.modelled_response)

    def _answered(self, outcome: Outcome, slower: int = 0) -> None:
        """The handler has ended; what `simulate` and faults (`slower`) add to its own time is still to pass."""
        if outcome.status == "timeout":
            self._finish_timeout(None)
            return
        invocation = self._invocation
        assert invocation is not None
        extra = invocation.trace_duration
        if extra is None:
            extra = self.version.sample_duration()
        now = self._timeline.now
        end = now + extra + slower
        if end >= self._deadline:
            self._timeline.at(self._deadline, self._finish_timeout)
        elif end > now:
            self._timeline.at(end, self._finish, outcome)
        else:
            self._finish(outcome)

    def _finish_timeout(self, _: None) -> None:
        assert self._invocation is not None
        self._finish(timed_out(self._invocation.request_id, self.version.timeout_ns))

    def _finish(self, outcome: Outcome) -> None:
        """The attempt has ended: write its END and REPORT, free the environment, tell who asked."""
        invocation = self._invocation
        assert invocation is not None
        version = self.version
        status = outcome.status
        if status in ("ok", "error") and version.out_of_memory:
            outcome = out_of_memory(invocation.request_id)
        elif status == "ok" and len(outcome.payload) > RESPONSE_LIMIT // 4:
            outcome = too_large(outcome, RESPONSE_LIMIT)
        invocation.ended_at = now = self._timeline.now
        invocation.max_memory_used = version.memory_used
        status = outcome.status
        init_failed = status == "error" and not self._ready
        self._report(invocation, outcome, now, init_failed)
        if init_failed or status in ("timeout", "exit", "oom"):
            self._drop_process()
        self._invocation = None
        version.settled(self, invocation, outcome)
        self._rest()
        invocation.on_settled(invocation, outcome)

    def _report(self, invocation: Invocation, outcome: Outcome, now: int, init_failed: bool) -> None:
        duration_ms = (now - invocation.started_at) / MILLISECOND
        shown_init: float | None = None
        if invocation.init_ns is not None and not self.provisioned:
            shown_init = invocation.init_ns / MILLISECOND
        billed = billed_duration_ms(duration_ms, shown_init)
        status = outcome.status
        line_status: str | None = None
        error_type: str | None = None
        if status == "timeout":
            line_status = "timeout"
        elif status in ("exit", "oom") or init_failed:
            line_status = "error"
            error_type = "Runtime.OutOfMemory" if status == "oom" else outcome.error_type
        end_line = self._lines.end_said(duration_ms, shown_init) if line_status is None else None
        if end_line is None:
            report = Report(
                duration_ms,
                billed,
                self.version.config.memory_size,
                invocation.max_memory_used,
                shown_init,
                line_status,
                error_type,
                status == "error",
            )
            self._lines.end(invocation.request_id, report)
        lines, self._start_line = (self._start_line, end_line), None
        if invocation.log_tail is not None:
            invocation.log_tail = self.stream.take_tail()
        self.version.write_row(self, invocation, outcome, duration_ms, billed, shown_init, lines)

    def final_rows(self) -> None:
        """The run ends in the middle of an invocation: its START, which no row will ever say, is written out."""
        if self._start_line is not None and self._invocation is not None:
            began = self.version.epoch_ms(self._invocation.started_at)
            self.stream.write_start(self._start_line, self._invocation.request_id, self.version.number, began)
            self._start_line = None

    # --- rest and end ----------------------------------------------------------------------------------------------

    def _rest(self) -> None:
        """Be idle, to be used again or to be reclaimed."""
        self.idle_since = now = self._timeline.now
        self.version.give_back(self)
        if not self._armed and not self.provisioned:
            self._armed = True
            self._timeline.background(now + self.version.config.simulate.idle_timeout, self._reclaim)

    def _reclaim(self, _: None) -> None:
        """One timer per environment, not per invocation: it looks again where the environment was used meanwhile."""
        self._armed = False
        if self._invocation is not None:
            return
        due = self.idle_since + self.version.config.simulate.idle_timeout
        if due > self._timeline.now:
            self._armed = True
            self._timeline.background(due, self._reclaim)
        else:
            self.version.remove(self)
            self.discard()

    def _drop_process(self) -> None:
        """The process is gone: globals are lost, the temporary directory stays."""
        self._ready = False
        if self._process is not None:
            self._process.kill()

    def discard(self) -> None:
        """The environment ends, and its temporary directory with it."""
        if self._process is not None:
            self._process.discard()
