"""The locks that a handler makes, and that behind `Condition.wait` (so Event, Queue, Semaphore): waiting parks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from simbus.functions.sandbox.state import here

if TYPE_CHECKING:
    from simbus.functions.sandbox.process import Sandbox

_allocate = threading.Lock


class ParkingLock:
    """A lock whose `acquire` lets virtual time pass, instead of blocking the thread that everything runs in.

    Outside of a handler it is the real lock that it holds.
    """

    __slots__ = ("__weakref__", "_lock", "_wakes")

    def __init__(self) -> None:
        self._lock = _allocate()
        self._wakes: list[Callable[[], None]] = []

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        if self._lock.acquire(False):
            return True
        sandbox = here()
        if sandbox is None or not blocking:
            return self._lock.acquire(blocking, timeout if blocking else -1)
        end = None if timeout < 0 else sandbox.timeline.now + round(timeout * 1e9)
        while True:
            self._park(sandbox, end)
            if self._lock.acquire(False):
                return True
            if end is not None and sandbox.timeline.now >= end:
                return False

    def _park(self, sandbox: Sandbox, end: int | None) -> None:
        tokens: list[int] = []

        def start(wake: Callable[[], None]) -> None:
            self._wakes.append(wake)
            if end is not None:
                tokens.append(sandbox.timeline.at(end, time_out, wake))

        def time_out(wake: Callable[[], None]) -> None:
            tokens.clear()
            wake()

        try:
            sandbox.wait(start)
        finally:
            for token in tokens:
                sandbox.timeline.cancel(token)

    def release(self) -> None:
        self._lock.release()
        wakes, self._wakes = self._wakes, []
        for wake in wakes:
            wake()

    def locked(self) -> bool:
        return self._lock.locked()

    def _at_fork_reinit(self) -> None:
        anything: Any = self._lock
        anything._at_fork_reinit()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()
