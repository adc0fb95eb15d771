"""One thread of a sandbox: a greenlet that runs until it parks, and goes on at an instant of the timeline.

The first of a sandbox imports the code and serves the invocations; the others are those that the code starts. One runs
at a time, in the order in which they become due. A new one is due at the instant at which it is started, and runs when
the one that started it parks. (`Thread.start` parks, as in Python: it waits until the new thread has begun. So when
`start` returns, the new thread has run to the first point at which it waits.)

An environment is frozen when its handler has returned: its threads stop where they are, and go on when the next
invocation thaws it; what was due meanwhile is due then. (What `simulate.duration` adds to the handler's own time comes
afterwards: threads have no part in it.)
"""

from __future__ import annotations

import os
import sys
import threading
import weakref
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from greenlet import getcurrent, greenlet  # type: ignore[import-untyped]

from simbus.functions.sandbox import belongings, state
from simbus.functions.sandbox.inner_loop import get_running_loop, set_running_loop
from simbus.functions.sandbox.state import Dead
from simbus.functions.sandbox.waiting import Place, pass_on
from simbus.kernel import MICROSECOND

if TYPE_CHECKING:
    from simbus.functions.sandbox.process import Sandbox

LIMIT = 1_024  # Lambda quotas, "Execution processes/threads" of an execution environment
FOREVER = 1 << 62
FREE_SPINS = 100

_environ: Any = os.environ
_environb: Any = os.environb
_threading: Any = threading
_NO_HOOKS = (None, None)


class Unraisable(NamedTuple):
    """What `sys.unraisablehook` is told of a bare thread (`_thread.start_new_thread`) that failed."""

    exc_type: type[BaseException]
    exc_value: BaseException
    exc_traceback: Any
    err_msg: str
    object: Any


class SandboxThread:
    """A thread of the Python process that a sandbox stands for. `number` counts from 0, the main one.

    `due` is the instant at which it goes on (ns); `python` its `threading.Thread`, made when first asked for where it
    is the main one or a bare one.
    """

    __slots__ = (
        "__weakref__",
        "_active",
        "_hooks",
        "_loop",
        "_order",
        "_parked",
        "_spins",
        "_token",
        "dead_calls",
        "due",
        "event_loop",
        "greenlet",
        "hub",
        "ident",
        "locals",
        "number",
        "patience",
        "place",
        "python",
        "sandbox",
        "sentinel",
        "stays",
    )

    def __init__(self, sandbox: Sandbox, number: int, run: Callable[[], None]) -> None:
        self.sandbox = sandbox
        self.number = number
        self.ident = sandbox.first_ident + number  # as Python tells it: unique, and the same in each run
        self.greenlet = self._active = greenlet(run)
        self.hub: Any = None
        self.due = FOREVER
        self.patience = FOREVER
        self.python: Any = None
        self.event_loop: Any = None
        self.locals: weakref.WeakKeyDictionary[Any, dict[str, Any]] | None = None
        self.sentinel: Any = None  # a lock that is held until the thread has ended
        self.place: Place | None = None
        self.stays = False  # it would not unwind
        self.dead_calls = 0
        self._parked = False
        self._token = 0
        self._order = 0
        self._spins = 0
        self._loop: Any = None
        self._hooks: Any = _NO_HOOKS

    def __repr__(self) -> str:
        return f"<SandboxThread {self.sandbox.config.name}/{self.sandbox.number}/{self.number}>"

    @property
    def frame(self) -> Any:
        """Where it is parked."""
        return self._active.gr_frame

    # --- parking, from inside --------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Let a new thread run for the first time at this instant."""
        self._parked = True
        self.due = self.sandbox.timeline.now
        self._arm()

    def park(self, due: int) -> None:
        """Leave this thread until the instant `due`, or until `ready` is called. Raises Dead once the process is gone.

        The main thread has an eye on the deadline: the process is gone then.
        """
        self.due = due
        self._spins = 0
        self._active = getcurrent()
        self._parked = True
        self._arm()
        self.hub.switch()

    def spin(self, step_aside: bool) -> None:
        """It asks again and again without waiting (`sleep(0)`, a wait of no length).

        `step_aside`: the others that are due run first. From the hundredth time in a row on time passes, from 1 us up
        to 1 ms at once, as it would in reality: else it would ask for ever.
        """
        spins = self._spins + 1
        if spins > FREE_SPINS:
            self.park(self.sandbox.timeline.now + (MICROSECOND << min(spins - FREE_SPINS - 1, 10)))
        elif step_aside:
            self.park(self.sandbox.timeline.now)
        self._spins = spins

    def rest(self) -> None:
        """Leave the main thread until the next invocation resumes it."""
        self._active = self.greenlet
        self.hub.switch()

    def wait(self, start: Callable[[Callable[[], None]], None], until: int = FOREVER) -> bool:
        """Park until the callback that `start` is given is called; False where it is not by the instant `until`."""
        woken = parked = False

        def wake() -> None:
            nonlocal woken
            if parked and not woken:
                self.ready()
            woken = True

        start(wake)
        if woken:
            return True
        parked = True
        self.park(until)
        in_time, woken = woken, True
        return in_time

    def ready(self) -> None:
        """It may go on at this instant, or as soon as the environment is thawed."""
        sandbox = self.sandbox
        if self._parked and sandbox.ending is None:
            self.disarm()
            self.due = sandbox.timeline.now
            self._arm()

    def _arm(self) -> None:
        sandbox = self.sandbox
        sandbox.turns = self._order = sandbox.turns + 1
        if self.due < sandbox.deadline:
            if not sandbox.frozen:
                self._token = sandbox.timeline.at(self.due, self._wake)
        elif self.number == 0:
            self._token = sandbox.timeline.at(sandbox.deadline, sandbox.time_out)

    def disarm(self) -> None:
        """It is not to go on by itself."""
        if self._token:
            self.sandbox.timeline.cancel(self._token)
            self._token = 0

    def _wake(self, _: Any) -> None:
        self._token = 0
        self.sandbox.resume(self)

    # --- switching -------------------------------------------------------------------------------------------------

    def run(self, thrown: bool = False) -> None:
        """Run it until it parks or ends. `thrown`: the process is gone, and this is to unwind.

        What is cheap to exchange is exchanged here, at every switch; this is the hot path of a simulation.
        """
        sandbox, before = self.sandbox, state.current
        timeline = sandbox.timeline
        actor, stdout, stderr, variables = timeline.actor, sys.stdout, sys.stderr, _environ._data
        if belongings.installed is not sandbox:
            belongings.bring(sandbox)
        outer_loop = get_running_loop()
        if outer_loop is not None or self._loop is not None:
            self._exchange_loop(self._loop)
        hub = getcurrent()
        if hub is not self.hub:
            self.hub = self.greenlet.parent = hub
        self._parked = False
        sandbox.stretch += 1
        sandbox.running = self
        timeline.actor = state.current = sandbox
        sys.stdout, sys.stderr = sandbox.stdout, sandbox.stderr
        _environ._data = _environb._data = sandbox.variables
        try:
            if thrown:
                self._active.throw(Dead)
            else:
                self._active.switch()
        finally:
            state.current, timeline.actor = before, actor
            sys.stdout, sys.stderr = stdout, stderr
            _environ._data = _environb._data = variables
            self._loop = get_running_loop()
            if outer_loop is not None or self._loop is not None or self._hooks is not _NO_HOOKS:
                self._exchange_loop(outer_loop)
            if before is not None and belongings.installed is not before:
                belongings.bring(before)

    def _exchange_loop(self, loop: Any) -> None:
        """Another asyncio loop runs from now on in this thread, with its hooks for asynchronous generators."""
        hooks: Any = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(*self._hooks)
        self._hooks = hooks if hooks != _NO_HOOKS else _NO_HOOKS
        set_running_loop(loop)

    # --- the end ---------------------------------------------------------------------------------------------------

    def unwind(self) -> None:
        """The process is gone: raise Dead in it where it has begun and not ended."""
        self.disarm()
        if self.greenlet and not self.stays:
            self.run(thrown=True)
        if self.number:
            self.settle()

    def stay(self) -> None:
        """It is left for ever where it is."""
        self.stays = True
        self.disarm()
        self.settle()

    def settle(self) -> None:
        """It is no thread any more: whoever joins it goes on, and Python's own lists do not have it."""
        self.sandbox.threads.pop(self.number, None)
        python, sentinel = self.python, self.sentinel
        self.python = self.sentinel = None
        if sentinel is not None:
            if sentinel.locked():
                sentinel.release()
            getattr(_threading, "_shutdown_locks", set()).discard(sentinel)  # up to Python 3.12
        if python is not None:
            _threading._limbo.pop(python, None)
            if _threading._active.get(self.ident) is python:
                del _threading._active[self.ident]
        if self.locals is not None:
            self.locals.clear()

    def serve(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """What a thread that the code started does in its greenlet."""
        sandbox = self.sandbox
        try:
            function(*args, **kwargs)
        except (SystemExit, Dead):
            pass
        except BaseException as error:
            if sandbox.ending is None:
                what = "Exception ignored in thread started by"
                sys.unraisablehook(Unraisable(type(error), error, error.__traceback__, what, function))  # type: ignore[arg-type]
        finally:
            if sandbox.ending is not None:
                sandbox.abandon_loops()
            self.settle()


def freeze(sandbox: Sandbox, threads: Iterable[SandboxThread]) -> None:
    """The environment's threads stop where they are."""
    sandbox.frozen = True
    for thread in threads:
        thread.disarm()
    for thread in threads:
        pass_on(thread)


def thaw(sandbox: Sandbox, threads: Iterable[SandboxThread]) -> None:
    """They go on: what was due meanwhile is due now, in the order in which it became due."""
    sandbox.frozen = False
    for thread in sorted(threads, key=lambda t: (t.due, t._order)):
        thread._arm()
