"""The lock behind `Condition.wait` (and so Event, Queue, Semaphore) inside a handler: waiting for it parks."""

from __future__ import annotations

from collections.abc import Callable

from simbus.functions.sandbox.state import here


class ParkingLock:
    """A lock whose `acquire` lets virtual time pass instead of blocking the thread that everything runs in."""

    __slots__ = ("_locked", "_wakes")

    def __init__(self) -> None:
        self._locked = False
        self._wakes: list[Callable[[], None]] = []

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        if self._locked and blocking:
            self._park(timeout)
        if self._locked:
            return False
        self._locked = True
        return True

    def _park(self, timeout: float) -> None:
        sandbox = here()
        if sandbox is None:
            raise RuntimeError("a lock that a handler holds cannot be waited for outside of a handler")

        def start(wake: Callable[[], None]) -> None:
            self._wakes.append(wake)
            if timeout >= 0:
                tokens.append(sandbox.timeline.after(max(0, round(timeout * 1e9)), time_out, wake))

        def time_out(wake: Callable[[], None]) -> None:
            tokens.clear()
            wake()

        tokens: list[int] = []
        try:
            sandbox.wait(start)
        finally:
            for token in tokens:
                sandbox.timeline.cancel(token)

    def release(self) -> None:
        if not self._locked:
            raise RuntimeError("release unlocked lock")
        self._locked = False
        wakes, self._wakes = self._wakes, []
        for wake in wakes:
            wake()

    def locked(self) -> bool:
        return self._locked

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()
