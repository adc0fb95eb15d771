"""An asyncio event loop that lives on a timeline.

Where asyncio would wait in its selector, the timeline plays. So `anyio.sleep`, `anyio.fail_after`, task groups,
streams, `asyncio.timeout`, `asyncio.gather` and third-party async code live in virtual time, unchanged.

**Order.** Entries of the timeline are played one at a time. What an entry makes ready runs until nothing is ready any
more, then the next entry is played, even if it is due at the same instant. Timers are entries of the timeline, so equal
deadlines are met first in, first out (asyncio's own heap does not promise that), or in the order that `ties` explores.
Tasks have a number, which is their hash: a set of tasks, and with it a cancelled task group, has the same order in
every run. (Not covered: `asyncio.as_completed` given bare coroutines starts them in the order of a set of addresses.)

**Outside, in virtual time.** A thread that anyio or `run_in_executor` has put to work takes no virtual time: the
timeline stands still until it is done, and results come in the order in which the work was given. Everything else from
outside (sockets, pipes, other threads, and a thread that has called into the loop) is heard only when nothing is left
on the timeline, so that no run depends on the timing of threads. (Hence a timeout around a socket
always comes first, and a thread that never ends stops the run.) Where nothing but threads of unknown origin could still
wake a task, they have five real seconds to say something.

**Real time** (`speed` is a number). The loop waits for the wall clock and for I/O before it plays the next entry, and
hears everything from outside as it comes.
"""

from __future__ import annotations

import asyncio
import math
import selectors
import socket
import threading
import warnings
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor, ThreadPoolExecutor
from contextvars import Context
from typing import Any, NoReturn, TypeVar, TypeVarTuple

from simbus.errors import SpinError
from simbus.kernel.loop_tasks import InOrder, TaskOrder, TimelineTask, describe
from simbus.kernel.loop_threads import Outside
from simbus.kernel.pace import WALL, Pace, WallClock, play
from simbus.kernel.timeline import SECOND, Timeline

__all__ = ["TimelineLoop", "TimelineTask", "WallClock", "play", "run"]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
Events = list[tuple[selectors.SelectorKey, int]]

_NEVER = 1 << 62  # ns, 146 years: whoever sleeps until then, or for math.inf, is not on the timeline at all
_PATIENCE = 5.0  # s of real time that an unknown thread has to say something before a run counts as stalled


class _Timer(asyncio.TimerHandle):
    """A timer handle that knows its entry on the timeline; `_scheduled` is True while it stands there."""

    __slots__ = ("token",)
    token: int
    _scheduled: bool


class _Selector(selectors.DefaultSelector):
    """The place where asyncio waits: it asks the loop what to do meanwhile."""

    def __init__(self, turn: Callable[[float | None], Events]) -> None:
        super().__init__()
        self._turn = turn

    def select(self, timeout: float | None = None) -> Events:
        return self._turn(timeout)

    def wait(self, timeout: float | None) -> Events:
        """Wait for real."""
        return super().select(timeout)


class TimelineLoop(asyncio.SelectorEventLoop):
    """An asyncio event loop on `timeline`: `loop.time()` is its `now` in seconds, timers are its entries.

    `speed` None is virtual time, which never waits; a number is that many virtual seconds per second of `wall`.
    Raises out of `run_until_complete`, whatever the tasks catch: StalledError where a task waits for what can't
    happen any more; in virtual time SpinError after `spin_limit` turns at one instant. UsageError for a bad speed.
    """

    spin_limit = 10_000

    _closed = True  # until asyncio's own __init__ has run: a loop whose speed is refused leaves nothing to close
    # What asyncio's base class has and its type stubs don't tell.
    _ready: deque[asyncio.Handle]
    _stopping: bool
    _thread_id: int | None
    _ssock: socket.socket
    _default_executor: Executor | None
    _executor_shutdown_called: bool
    _signal_handlers: dict[int, asyncio.Handle]
    _task_factory: Any
    _check_closed: Callable[[], None]
    _read_from_self: Callable[[], None]
    _write_to_self: Callable[[], None]

    def __init__(self, timeline: Timeline, *, speed: float | None = None, wall: WallClock = WALL) -> None:
        self.timeline = timeline
        self._pace = None if speed is None else Pace(timeline, speed, wall)
        self._latest_deadline = 0.0
        self._cancelled_timers = 0
        self._instant = -1
        self._turns = 0
        self._idle = _Selector(self._turn if self._pace is None else self._real_turn)
        super().__init__(self._idle)
        self._asyncgens = InOrder()
        self._outside = Outside(self)
        self.task_order = TaskOrder(self._ready)

    def run_forever(self) -> None:
        """As asyncio does it; the turns at one instant, and in real time the wall clock, count from here."""
        self._turns = 0
        if self._pace is not None:
            self._pace.start()
        super().run_forever()

    # --- time -------------------------------------------------------------------------------------------------------

    def time(self) -> float:
        """Virtual seconds since the start of the run; never less than the deadline of a timer that has fired.

        (Deadlines are rounded to whole nanoseconds. Whoever asks on waking "is it my deadline yet?" must hear yes,
        or would ask for ever at one instant.)
        """
        return max(self.timeline.now / SECOND, self._latest_deadline)

    def call_later(
        self, delay: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Call after `delay` seconds, to the nanosecond; more than 146 years is never."""
        if delay is None:
            raise TypeError("delay must not be None")
        timer = _Timer(self.time() + delay, callback, args, self, context)
        return self._schedule(timer, delay, self.timeline.now)

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Call when `loop.time()` is `when`, to the nearest nanosecond."""
        if when is None:
            raise TypeError("when cannot be None")
        return self._schedule(_Timer(when, callback, args, self, context), when, 0)

    def _schedule(self, timer: _Timer, seconds: float, origin: int) -> _Timer:
        self._check_closed()
        if math.isnan(seconds):
            raise ValueError("the time of a timer must not be NaN")
        if origin + seconds * SECOND < _NEVER:
            when = origin + round(max(seconds, 0.0) * SECOND)
            timer.token = self.timeline.at(when, self._fire, timer)
            timer._scheduled = True
        return timer

    def _fire(self, timer: _Timer) -> None:
        timer._scheduled = False
        self._latest_deadline = max(self._latest_deadline, timer.when())
        self._ready.append(timer)

    def _timer_handle_cancelled(self, timer: _Timer) -> None:
        """asyncio calls this once for each timer that is cancelled."""
        if not timer._scheduled:
            return
        timer._scheduled = False
        self.timeline.cancel(timer.token)
        self._cancelled_timers += 1
        if self._cancelled_timers > 1_000 and 2 * self._cancelled_timers > self.timeline.pending:
            self._cancelled_timers = 0
            self.timeline.compact()

    # --- tasks ------------------------------------------------------------------------------------------------------

    def create_task(
        self, coro: Any, *, name: object = None, context: Context | None = None, **options: Any
    ) -> asyncio.Task[Any]:
        """A TimelineTask, unless a task factory of the user's own says otherwise."""
        self._check_closed()
        if self._task_factory is None:
            return TimelineTask(coro, loop=self, name=name, context=context, **options)
        return super().create_task(coro, name=name, context=context, **options)

    def set_task_factory(self, factory: Any) -> None:
        """As asyncio does it; `asyncio.eager_task_factory` makes tasks with numbers, too."""
        if factory is not None and factory is getattr(asyncio, "eager_task_factory", None):
            factory = asyncio.create_eager_task_factory(TimelineTask)  # type: ignore[attr-defined]
        super().set_task_factory(factory)

    # --- the turns of the loop --------------------------------------------------------------------------------------

    def _turn(self, timeout: float | None) -> Events:
        """One wait of asyncio in virtual time: none at all while something is ready, else the timeline plays."""
        if self._signal_handlers:
            self._read_from_self()
        while timeout != 0 and not self._ready and not self._stopping:
            if self._outside.hear_work():
                self._turns = 0  # the outside feeds the loop: it does not spin
            elif not self._play():
                return self._hear_anything()
        self._count_turn()
        return []

    def _play(self) -> bool:
        """Play until something is ready, a thread is put to work or the loop is stopped. False: nothing is left."""
        timeline, ready, outside = self.timeline, self._ready, self._outside
        while timeline.peek() is not None:
            timeline.step()
            if ready or outside.jobs or self._stopping:
                return True
        return False

    def _hear_anything(self) -> Events:
        """Nothing is left to play: only the outside can still wake a task."""
        self._turns = 0
        strangers = self._outside.strangers()  # asked first, for a thread may speak and end
        if self._outside.take_any():
            return []
        if self._outside.jobs or self._hears_files() or self._outside.workers():
            return self._idle.wait(None)
        if strangers and (events := self._idle.wait(_PATIENCE)):
            return events
        return self._stalled()

    def _real_turn(self, timeout: float | None) -> Events:
        """One wait of asyncio in real time: for I/O, and until the wall clock has reached the next entry."""
        assert self._pace is not None
        if timeout == 0:
            return self._pace.poll(self._idle.wait)
        while not self._ready and not self._stopping:
            when = self.timeline.peek()
            alone = threading.active_count() == 1 and not self._ready  # in this order: a thread may speak and end
            if when is None and alone and not self._hears_files():
                return self._stalled()
            events = self._pace.wait(self._idle.wait, when)
            if events or self._ready:
                return events
            if when is not None and self._pace.is_due(when):
                self.timeline.step()
        return []

    def _hears_files(self) -> bool:
        return len(self._idle.get_map()) > 1 or bool(self._signal_handlers)  # one is the loop's own wake-up pipe

    def _count_turn(self) -> None:
        now = self.timeline.now
        if now != self._instant:
            self._instant = now
            self._turns = 0
        self._turns += 1
        self.task_order.forget()
        if self._turns > self.spin_limit:
            self._turns = 0
            for task in self._tasks():  # they are told of in the error, and not once more when they are collected
                task._log_destroy_pending = False  # type: ignore[attr-defined]
            raise SpinError(
                f"at {now / SECOND:.3f} s of virtual time the event loop made {self.spin_limit:,} turns without time "
                f"passing: {self._who_spins()}. Every task must wait for something in the end: "
                "let it stop when it is cancelled, and sleep longer than 0 s where it polls."
            )

    # --- who waits, who spins ---------------------------------------------------------------------------------------

    def _stalled(self) -> NoReturn:
        with self.timeline.waiting(self._who_waits):
            self.timeline.check_finished()
        raise AssertionError("check_finished raises while somebody waits")

    def _who_waits(self) -> str:
        waiting = [describe(task) for task in self._tasks() if not task.done()]
        more = [f"and {len(waiting) - 5} more tasks"] if len(waiting) > 5 else []
        return ", ".join([*waiting[:5], *more]) or "the event loop runs, without any task"

    def _who_spins(self) -> str:
        callbacks = [handle._callback for handle in self._ready]  # type: ignore[attr-defined]
        owners = [getattr(callback, "__self__", None) for callback in callbacks]
        tasks = dict.fromkeys(describe(owner) for owner in owners if isinstance(owner, asyncio.Task))
        names = dict.fromkeys(
            f"callback {getattr(callback, '__qualname__', repr(callback))}"
            for callback, owner in zip(callbacks, owners, strict=True)
            if not isinstance(owner, asyncio.Task)
        )
        return ", ".join([*tasks, *names][:5])

    def _tasks(self) -> list[asyncio.Task[Any]]:
        return sorted(asyncio.all_tasks(self), key=lambda task: getattr(task, "number", 0))

    # --- outside ----------------------------------------------------------------------------------------------------

    def call_soon_threadsafe(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """As asyncio does it; in virtual time another thread is heard as the module's docstring tells."""
        if self._pace is not None or self._thread_id in (None, threading.get_ident()):
            return super().call_soon_threadsafe(callback, *args, context=context)
        self._check_closed()
        handle = asyncio.Handle(callback, args, self, context)
        self._outside.say(handle)
        self._write_to_self()
        return handle

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        """As asyncio does it; in virtual time the work takes no time, and results come in the order of the calls."""
        if self._pace is not None:
            return super().run_in_executor(executor, func, *args)
        self._check_closed()
        if executor is None:
            if self._executor_shutdown_called:
                raise RuntimeError("Executor shutdown has been called")
            if self._default_executor is None:
                self._default_executor = ThreadPoolExecutor(thread_name_prefix="simbus")
            executor = self._default_executor
        return self._outside.submit(executor, func, args)

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """As asyncio does it, in real seconds; in virtual time the timeline does not play meanwhile."""
        if self._pace is not None or self._default_executor is None:
            await super().shutdown_default_executor()
            return
        self._executor_shutdown_called = True
        thread = threading.Thread(target=self._default_executor.shutdown, daemon=True)
        thread.start()
        thread.join(timeout)
        if thread.is_alive():
            warnings.warn(f"The executor's threads did not end within {timeout} s.", RuntimeWarning, stacklevel=2)
            self._default_executor.shutdown(wait=False)


def run(
    timeline: Timeline,
    main: Coroutine[Any, Any, T],
    *,
    speed: float | None = None,
    wall: WallClock = WALL,
) -> T:
    """Like `asyncio.run`, on a TimelineLoop: returns what `main` returns, and leaves the timeline where it ended.

    Remaining tasks are cancelled, async generators and the default executor shut down; SIGINT cancels `main` and
    raises KeyboardInterrupt. Raises StalledError, SpinError and UsageError as TimelineLoop does.
    """
    with asyncio.Runner(loop_factory=lambda: TimelineLoop(timeline, speed=speed, wall=wall)) as runner:
        return runner.run(main)
