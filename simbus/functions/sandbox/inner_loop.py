"""asyncio inside a handler: a loop whose waiting parks the greenlet, so that it lives in virtual time.

Timers of the same instant run first in, first out, and tasks are those of the kernel's loop, whose sets have an order
(plain asyncio orders both by chance).
"""

from __future__ import annotations

import asyncio
import heapq
import selectors
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from simbus.errors import SpinError
from simbus.functions.sandbox import state
from simbus.functions.sandbox.state import NETWORK, here, refuse, user_line
from simbus.kernel import MILLISECOND
from simbus.kernel.loop_tasks import InOrder, TaskOrder, TimelineTask

if TYPE_CHECKING:
    from simbus.functions.sandbox.process import Sandbox

FOREVER = 1 << 62
TURNS = 10_000  # of a loop at one instant, before it is said to spin


class _Timer(asyncio.TimerHandle):
    """A timer that knows how many were made before it."""

    number = 0

    def __lt__(self, other: Any) -> bool:
        return (self._when, self.number) < (other._when, other.number)  # type: ignore[attr-defined]


class _ParkingSelector(selectors.BaseSelector):
    """Where a loop waits: nothing can become readable here, only time can pass or somebody can wake it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._wake: Callable[[], None] | None = None
        self._turns = 0
        self._instant = -1

    def select(self, timeout: float | None = None) -> list[Any]:
        sandbox = self._sandbox
        if timeout is not None and timeout <= 0:
            self._count_turn()
            sandbox.pause(0)
        else:
            until = FOREVER if timeout is None else sandbox.timeline.now + max(1, round(timeout * 1e9))
            if sandbox.ending is not None:
                sandbox.raise_dead()
            sandbox.running.wait(self._start, until)
            self._wake = None
        return []

    def _start(self, wake: Callable[[], None]) -> None:
        self._wake = wake

    def wake(self) -> None:
        if self._wake is not None:
            self._wake()

    def _count_turn(self) -> None:
        now = self._sandbox.timeline.now
        if now != self._instant:
            self._instant, self._turns = now, 0
        self._turns += 1
        if self._turns > TURNS and self._sandbox.threads:
            self._sandbox.pause(MILLISECOND)  # it may wait for another thread, which gets no turn otherwise
        elif self._turns > TURNS:
            error = SpinError(
                f"function {self._sandbox.config.name}, request {self._sandbox.request_id}, {user_line()}: its asyncio "
                f"loop made {TURNS} turns without letting time pass; a task must wait for something. "
                "Give it a sleep longer than 0, or let it end when it is cancelled."
            )
            self._sandbox.stay_parked(error)

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        raise refuse("waiting for a file or a socket", NETWORK)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        raise KeyError(fileobj)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return {}


class InnerLoop(asyncio.SelectorEventLoop):
    """The asyncio loop of one `asyncio.run` inside a handler."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._parking = _ParkingSelector(sandbox)
        self._numbers = 0
        super().__init__(self._parking)
        this: Any = self
        self.task_order = TaskOrder(this._ready)
        this._asyncgens = InOrder()
        sandbox.loops.append(self)

    def time(self) -> float:
        return self._sandbox.timeline.now / 1e9

    def call_at(self, when: float, callback: Any, *args: Any, context: Any = None) -> asyncio.TimerHandle:  # type: ignore[override]
        this: Any = self
        this._check_closed()
        timer: Any = _Timer(when, callback, args, self, context)
        self._numbers += 1
        timer.number = self._numbers
        heapq.heappush(this._scheduled, timer)
        timer._scheduled = True
        return timer  # type: ignore[no-any-return]

    def create_task(self, coro: Any, *, name: object = None, context: Any = None, **options: Any) -> asyncio.Task[Any]:
        this: Any = self
        this._check_closed()
        if this._task_factory is None:
            return TimelineTask(coro, loop=self, name=name, context=context, **options)
        return super().create_task(coro, name=name, context=context, **options)

    def set_task_factory(self, factory: Any) -> None:
        if factory is not None and factory is getattr(asyncio, "eager_task_factory", None):
            factory = asyncio.create_eager_task_factory(TimelineTask)  # type: ignore[attr-defined]
        super().set_task_factory(factory)

    def _make_self_pipe(self) -> None:
        """Nobody but code in this thread wakes the loop."""

    def _close_self_pipe(self) -> None:
        """See `_make_self_pipe`."""

    def _write_to_self(self) -> None:
        self._parking.wake()

    async def getaddrinfo(self, host: Any, port: Any, **_: Any) -> Any:
        raise refuse(f"the network address of {host}:{port}", NETWORK)

    async def create_connection(self, protocol_factory: Any, host: Any = None, port: Any = None, **_: Any) -> Any:
        raise refuse(f"a connection to {host}:{port}", NETWORK)

    async def subprocess_exec(self, protocol_factory: Any, *args: Any, **_: Any) -> Any:
        raise refuse(f"a subprocess ({args[0] if args else ''})", "Call the work as a Python function.")

    async def subprocess_shell(self, protocol_factory: Any, cmd: Any, **_: Any) -> Any:
        raise refuse(f"a subprocess ({cmd})", "Call the work as a Python function.")

    def add_signal_handler(self, sig: int, callback: Any, *args: Any) -> None:  # type: ignore[override]
        self._sandbox.signals[sig] = lambda *_: self.call_soon(callback, *args)

    def abandon(self) -> None:
        """The process is gone: close what its tasks hold while every patched call in it still raises."""
        for task in sorted((t for t in asyncio.all_tasks(self) if isinstance(t, TimelineTask)), key=hash):
            anything: Any = task
            anything._log_destroy_pending = False
            coroutine: Any = task.get_coro()
            try:
                coroutine.close()
            except BaseException:
                continue
        this: Any = self
        this._ready.clear()
        this._scheduled.clear()
        if not self.is_running():
            self.close()


class DispatchingPolicy(asyncio.DefaultEventLoopPolicy):
    """Gives handlers inner loops, and everybody else what the policy that was there before gives."""

    def __init__(self, outer: asyncio.AbstractEventLoopPolicy) -> None:
        super().__init__()
        self.outer = outer

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        sandbox = state.alive_here()
        return self.outer.new_event_loop() if sandbox is None else InnerLoop(sandbox)

    def get_event_loop(self) -> asyncio.AbstractEventLoop:
        sandbox = here()
        if sandbox is None:
            return self.outer.get_event_loop()
        thread = sandbox.running
        if thread.event_loop is None:
            if thread.number:
                name = threading.current_thread().name
                raise RuntimeError(f"There is no current event loop in thread {name!r}.")
            thread.event_loop = self.new_event_loop()
        return thread.event_loop  # type: ignore[no-any-return]

    def set_event_loop(self, loop: asyncio.AbstractEventLoop | None) -> None:
        sandbox = here()
        if sandbox is None:
            self.outer.set_event_loop(loop)
        else:
            sandbox.running.event_loop = loop


get_running_loop = asyncio._get_running_loop
set_running_loop = asyncio._set_running_loop
