"""A handler that burns CPU time for ever meets a guard: the run ends and names function, request and line.

One timer ticks per run, in CPU time; an invocation costs nothing. The guard leaves the handler's greenlet from within
the signal handler, so that no `except BaseException` can keep it; the greenlet stays parked.
"""

from __future__ import annotations

import ctypes
import signal
import sys
import threading
import time
from types import FrameType
from typing import Any

from simbus.errors import GuardError
from simbus.functions.sandbox import state
from simbus.functions.sandbox.code import debugging

DYING_LIMIT = 1.0  # seconds of CPU time for the unwinding of a process that is gone
_thread_time, _clock_gettime, _cpu_clock = time.thread_time, time.clock_gettime, time.pthread_getcpuclockid
_setitimer, _signal, _getsignal = signal.setitimer, signal.signal, signal.getsignal
_start_thread = threading.Thread.start
_Event = threading.Event


class Guard:
    """Ends a run whose handler uses `limit` seconds of CPU time at one stretch (None: never).

    In the main thread it works with SIGVTALRM, which also reaches into a long regular expression; elsewhere with a
    watching thread. It is off under a debugger.
    """

    def __init__(self, limit: float | None = 30.0) -> None:
        self.limit = limit
        self._stretch: tuple[Any, int] | None = None
        self._since = 0.0
        self._previous: Any = None
        self._watcher: _Watcher | None = None

    def __repr__(self) -> str:
        return f"<Guard {self.limit} s>"

    @property
    def _tick(self) -> float:
        assert self.limit is not None
        return min(1.0, max(0.01, self.limit / 8))

    def start(self) -> None:
        """Begin to tick in this thread."""
        if self.limit is None:
            return
        if threading.current_thread() is threading.main_thread():
            self._previous = _signal(signal.SIGVTALRM, self._on_signal)
            _setitimer(signal.ITIMER_VIRTUAL, self._tick, self._tick)
        else:
            self._watcher = _Watcher(self, threading.get_ident(), self._tick)
            _start_thread(self._watcher)

    def stop(self) -> None:
        """Stop ticking, and put back what was there."""
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher = None
        elif self._previous is not None:
            _setitimer(signal.ITIMER_VIRTUAL, 0)
            _signal(signal.SIGVTALRM, self._previous)
            self._previous = None

    def _on_signal(self, _: int, frame: FrameType | None) -> None:
        if self.exceeded(_thread_time()):
            self.trip(frame)

    def exceeded(self, used: float) -> bool:
        """Look once: has the same stretch of the same handler run for longer than the limit? `used` in CPU seconds."""
        sandbox = state.current
        stretch = None if sandbox is None else (sandbox, sandbox.stretch)
        if stretch is None or stretch != self._stretch or debugging():
            self._stretch, self._since = stretch, used
            return False
        assert sandbox is not None
        assert self.limit is not None
        limit = self.limit if sandbox.ending is None else min(self.limit, DYING_LIMIT)
        return used - self._since >= limit

    def trip(self, frame: FrameType | None) -> None:
        """Leave the handler for good."""
        sandbox = state.current
        if sandbox is None or not sandbox.inside():
            return
        self._stretch = None
        if sandbox.ending is not None:
            sandbox.stay_parked(None)
        name, line = sandbox.config.name, state.user_line(frame or sys._getframe())
        sandbox.stay_parked(
            GuardError(
                f"function {name}, request {sandbox.request_id or '(init)'}, {line}: the handler used "
                f"{self.limit:g} s of CPU time without letting virtual time pass; the guard ends a run there. "
                "Make the loop end or sleep, or raise --handler-guard (0: off)."
            )
        )


class _Watcher(threading.Thread):
    """The guard of a simulation that does not run in the main thread."""

    def __init__(self, guard: Guard, ident: int, tick: float) -> None:
        super().__init__(name="simbus-guard", daemon=True)
        self._guard = guard
        self._clock = _cpu_clock(ident)
        self._watched = ident
        self._tick = tick
        self._done = _Event()

    def run(self) -> None:
        while not self._done.wait(self._tick):
            if self._guard.exceeded(_clock_gettime(self._clock)):
                trip = _trip_class(self._guard)
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._watched), ctypes.py_object(trip))

    def stop(self) -> None:
        self._done.set()
        self.join()


def _trip_class(guard: Guard) -> type[BaseException]:
    """An exception whose making, in the thread that it is sent to, already leaves the handler."""

    class Trip(state.Dead):
        def __init__(self) -> None:
            guard.trip(sys._getframe())

    return Trip
