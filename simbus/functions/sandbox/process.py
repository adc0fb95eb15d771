"""The Python process of one execution environment: its main thread imports the code and serves the invocations."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any
from zlib import crc32

from greenlet import getcurrent  # type: ignore[import-untyped]

from simbus.errors import HungUp
from simbus.functions import runtime
from simbus.functions.config import FunctionConfig
from simbus.functions.errors import exited, timed_out
from simbus.functions.runtime_logging import LambdaLoggerHandler, application_level
from simbus.functions.sandbox import belongings, installation, living, state
from simbus.functions.sandbox.belongings import Belongings
from simbus.functions.sandbox.chance import Chance
from simbus.functions.sandbox.code import Code
from simbus.functions.sandbox.files import Files
from simbus.functions.sandbox.inner_loop import InnerLoop, set_running_loop
from simbus.functions.sandbox.living import Ending, LogSink
from simbus.functions.sandbox.state import Dead
from simbus.functions.sandbox.streams import LineStream, NoInput
from simbus.functions.sandbox.temporary import TemporaryDirectory
from simbus.functions.sandbox.threads import FOREVER, LIMIT, SandboxThread, freeze, thaw
from simbus.functions.variables import trace_id
from simbus.kernel import SECOND, Timeline
from simbus.model import Outcome

if TYPE_CHECKING:
    from simbus.model import Invocation

PATIENCE = 1_000  # how often a thread may swallow Dead, once its process is gone, before its greenlet stays parked


class Sandbox:
    """Stands for the Python process of one execution environment; an Actor of the timeline.

    `config` is the function's; `code` its code, None where the handler is a Python callable. `environ` are the
    variables that it sees, `identity` a unique name (`resize/3`) from which its chance is seeded, `log` takes its
    lines, `epoch_ns` is the calendar at time 0 (ns since 1970), `function_arn` the unqualified ARN, `tmp` its private
    /tmp (give the same one again after a reset, so that /tmp is kept). Times are nanoseconds of the timeline. All
    callbacks are called outside of the greenlet.
    """

    _count = 0
    outside = staticmethod(state.outside)
    outer_handlers = staticmethod(belongings.outer_handlers)

    def __init__(
        self,
        timeline: Timeline,
        config: FunctionConfig,
        code: Code | None = None,
        *,
        environ: Mapping[str, str],
        identity: str,
        log: LogSink,
        epoch_ns: int = 0,
        function_arn: str = "",
        tmp: TemporaryDirectory | None = None,
    ) -> None:
        Sandbox._count += 1
        self.number = Sandbox._count
        self.timeline = timeline
        self.config = config
        self.code = code
        self.epoch_ns = epoch_ns
        self.log = log
        self.request_id = ""
        self.lineage: Any = None
        self.answering = 0
        self._latency = partial(config.simulate.aws_latency.sample, timeline.rng(f"{config.name}/aws_latency"))
        self.ending: Ending | None = None
        self.unwound = True
        self.stretch = 0  # counts resumptions; the guard looks whether it stands still
        self.chance = Chance(f"{timeline.seed}/sandbox/{identity}")
        self.first_ident = crc32(identity.encode()) << 20 | 1 << 52  # of its threads: the same in every run
        self.tmp = TemporaryDirectory() if tmp is None else tmp
        self.files = Files(None if code is None else code.root, self.tmp, self.calendar_ns)
        self.signals: dict[int, Any] = {}
        self.modules: dict[str, None] = {}  # that are its own
        self.loops: list[InnerLoop] = []
        self.isolated = frozenset(config.simulate.isolate)
        self.own_names = self.isolated if code is None else self.isolated | code.names
        self.stdout = LineStream(self, "<stdout>", 1)
        self.stderr = LineStream(self, "<stderr>", 2)
        self.stdin = NoInput()
        self.variables = {os.fsencode(k): os.fsencode(v) for k, v in environ.items()}
        self._runtime = runtime.Runtime(self, environ, function_arn)
        self.shown_frames = self._runtime.shown_frames  # of a stack, as Lambda would show them
        level = application_level(config)
        handler = LambdaLoggerHandler(self, config.logging.log_format)
        self.belongings = Belongings(self, handler, level, ["/var/runtime/bootstrap.py", environ.get("_HANDLER", "")])
        self.main = self.running = SandboxThread(self, 0, self._live)
        self.threads: dict[int, SandboxThread] = {}  # those that the code started and that have not ended
        self.started = 0  # how many those were so far
        self.named = self.executors = self.counted = 0  # what Python counts in each process: names, hash values
        self.turns = 0  # counts when its threads were told to go on
        self.frozen = False
        self.deadline = FOREVER
        self._since = 0
        self._invocation: Invocation | None = None
        self._answer: Outcome | None = None
        self._answered = False
        self._done: Callable[[Any], None] | None = None
        self._initialising = True
        living.alive.add(self)

    def __repr__(self) -> str:
        return f"<Sandbox {self.config.name}/{self.number} {self.ending.status if self.ending else 'alive'}>"

    @property
    def alive(self) -> bool:
        """Whether the process exists: not yet timed out, exited or killed."""
        return self.ending is None

    # --- what the environment asks for -----------------------------------------------------------------------------

    def init(self, deadline: int, done: Callable[[Outcome | None], None]) -> None:
        """Import the code and find the handler; `done(None)`, or `done(outcome)` where that failed or timed out."""
        installation.require()
        state.claim_thread()
        self._since = self.timeline.now
        self.deadline = deadline
        self._done = done
        self.resume(self.main)

    def invoke(self, invocation: Invocation, deadline: int, done: Callable[[Outcome], None]) -> None:
        """Call the handler; `done(outcome)`, at `deadline` at the latest."""
        self.deadline = deadline
        self._invocation = invocation
        self.request_id = invocation.request_id
        self.lineage = invocation.lineage
        self._since = now = self.timeline.now
        self.variables[b"_X_AMZN_TRACE_ID"] = trace_id(invocation.request_id, (self.epoch_ns + now) // SECOND)
        self._done = done
        if self.threads:
            thaw(self, self.threads.values())
        self.resume(self.main)

    def kill(self) -> None:
        """End it as a process is killed: nothing that it still does has any effect. `done` is not called."""
        self._done = None
        if self.ending is None:
            self._end(Ending("killed", "killed"))

    def discard(self) -> None:
        """Kill it, and remove its private temporary directory."""
        self.kill()
        self.tmp.remove()

    # --- what code inside asks for ---------------------------------------------------------------------------------

    def pause(self, delay: int) -> None:
        """Park for `delay` ns (0: only make sure that the process is alive). At the deadline it is gone."""
        if self.ending is not None:
            self.raise_dead()
        if delay <= 0:
            return
        self.running.park(self.timeline.now + delay)

    def latency(self, service: str) -> int:
        """What its next call to that AWS service takes, in ns; 0 inside a call that is being answered."""
        return 0 if self.answering else self._latency(service)

    def wait(self, start: Callable[[Callable[[], None]], None]) -> None:
        """Park until the callback that `start` is given is called, or until the process is gone.

        Raises HungUp at the end of the thread's patience.
        """
        if self.ending is not None:
            self.raise_dead()
        answering, self.answering = self.answering, 0  # what another thread calls meanwhile takes its own time
        try:
            in_time = self.running.wait(start, self.patience)
        finally:
            self.answering = answering
        if not in_time:
            raise HungUp

    @property
    def patience(self) -> int:
        """The instant until which the thread that runs waits for the answer to its call."""
        return self.running.patience

    @patience.setter
    def patience(self, until: int) -> None:
        self.running.patience = until

    def raise_dead(self) -> None:
        """The process is gone, and says so to each call that it still makes."""
        thread = self.running
        thread.dead_calls += 1
        if thread.dead_calls > PATIENCE and self.inside():
            self.stay_parked(None)
        raise Dead

    def calendar_ns(self) -> int:
        """Now, in nanoseconds since 1970."""
        return self.epoch_ns + self.timeline.now

    def runs_here(self) -> bool:
        """Whether the code that calls is this sandbox's own."""
        return state.here() is self

    def inside(self) -> bool:
        """Whether one of its greenlets itself runs, and not the switch into it or out of it."""
        return self.runs_here() and getcurrent() is not self.running.hub

    def log_line(self, line: str) -> None:
        """One line of stdout or stderr."""
        level_of = self._runtime.line_level
        level = None if level_of is None else level_of(line)
        if level is not False:
            self.log.emit(line, level, self.request_id or None)

    def die(self, reason: int | str) -> None:
        """The process ends at once, without unwinding: with an exit status, or by a signal (`killed`, `aborted`)."""
        self._end_from_inside(Ending("exit", reason))

    # --- threads ---------------------------------------------------------------------------------------------------

    def start_thread(self, function: Callable[..., Any], args: Any = (), kwargs: Any = None) -> SandboxThread:
        """Begin a thread that calls `function`, at this instant. RuntimeError where there are too many."""
        if len(self.threads) + 1 >= LIMIT:
            raise RuntimeError("can't start new thread")
        self.started += 1
        thread = SandboxThread(self, self.started, lambda: thread.serve(function, args, kwargs or {}))
        self.threads[thread.number] = thread
        thread.begin()
        return thread

    def resume(self, thread: SandboxThread) -> None:
        """Run a thread until it parks, answers or ends; then tell who waits for the answer."""
        thread.run()
        if self._answered:
            self._answered = False
            if self.threads:
                freeze(self, self.threads.values())
            done, self._done = self._done, None
            if done is not None:
                done(self._answer)
        elif self.ending is not None:
            self._after_end()

    def time_out(self, _: Any) -> None:
        """The deadline has come."""
        self._end(Ending("timeout"))

    # --- the end ---------------------------------------------------------------------------------------------------

    def _end(self, ending: Ending) -> None:
        """The process is gone; unwind what is left of it, without any effect."""
        self.ending = ending
        self.files.sever()
        if not self.runs_here():  # else the next patched call raises
            self._after_end()

    def _end_from_inside(self, ending: Ending) -> None:
        self.ending = ending
        self.files.sever()
        self.raise_dead()

    def _after_end(self) -> None:
        """Outside again: unwind what is left of it, let the modules go, and tell who waits."""
        for thread in [self.main, *self.threads.values()]:
            thread.unwind()
        if self.main.greenlet.dead and self in living.alive:
            living.alive.discard(self)
            self._bury()
        done, self._done = self._done, None
        if done is not None and self.ending is not None:
            done(self._last_outcome(self.ending))

    def _last_outcome(self, ending: Ending) -> Outcome:
        if ending.status == "timeout":
            limit = self.deadline - self._since
            return timed_out(self.request_id, limit if self._initialising else self.config.timeout_ns)
        return exited(self.request_id, ending.reason)

    def _bury(self) -> None:
        """Let the modules go; what their destructors still do has no effect."""
        before, actor = state.current, self.timeline.actor
        state.current = self.timeline.actor = self
        try:
            belongings.bury(self)
        finally:
            state.current, self.timeline.actor = before, actor
            if before is not None:
                belongings.bring(before)

    def stay_parked(self, error: BaseException | None) -> None:
        """Leave the running greenlet for ever, from within; `error` is raised where it was resumed, and ends all."""
        thread = self.running
        self.unwound = False
        self.ending = self.ending or Ending("killed", "killed")
        living.park_for_ever(self, thread.ident)
        thread.stay()
        if error is not None:
            self._done = None
            for other in [self.main, *self.threads.values()]:
                other.stay()
            thread.hub.throw(error)
        while True:
            thread.hub.switch()

    # --- inside the greenlet ---------------------------------------------------------------------------------------

    def _live(self) -> None:
        try:
            self._serve()
        except Dead:
            self.abandon_loops()
        except BaseException as error:
            self._exit_with(error)
            self.abandon_loops()

    def _serve(self) -> None:
        self._answer_with(self._runtime.load())
        self._initialising = False
        while self.ending is None:
            assert self._invocation is not None
            answer = self._runtime.handle(self._invocation, self.deadline)
            if not answer.payload.isascii():
                answer.payload.encode()  # a lone surrogate ends the runtime
            if self.stdout.partial or self.stderr.partial:
                self._flush()
            if self.ending is None:
                self._answer_with(answer)

    def _answer_with(self, outcome: Outcome | None) -> None:
        self._answer = outcome
        self._answered = True
        self.main.rest()
        if self.ending is not None:
            raise Dead

    def _exit_with(self, error: BaseException) -> None:
        """Nothing catches it: the process ends as Python's interpreter would end it."""
        if self.ending is None:
            reason = self._runtime.last_words(error)
            self._flush()
            self.ending = Ending("exit", reason)
            self.files.sever()

    def _flush(self) -> None:
        self.stdout.flush_partial()
        self.stderr.flush_partial()

    def abandon_loops(self) -> None:
        """Close what asyncio still holds, where nothing has an effect any more."""
        for loop in [loop for loop in self.loops if not loop.is_running()]:
            loop.abandon()
            self.loops.remove(loop)
        set_running_loop(None)

    def run_coroutine(self, coroutine: Any) -> Any:
        """Await an async handler's result on a loop of this environment."""
        main = self.main
        if main.event_loop is None or main.event_loop.is_closed():
            main.event_loop = InnerLoop(self)
        return main.event_loop.run_until_complete(coroutine)
