"""Tasks whose sets have an order. asyncio and anyio keep tasks in sets, which Python orders by memory addresses."""

from __future__ import annotations

import asyncio
import sys
from bisect import insort
from collections import deque
from typing import Any
from weakref import WeakKeyDictionary

# Who cancels the members of a set one after the other: there the order of creation replaces that of addresses.
_CANCELLERS = {
    ("anyio._backends._asyncio", "_deliver_cancellation"),
    ("anyio._backends._asyncio", "_cancel_all_tasks"),
    ("asyncio.taskgroups", "_abort"),
    ("asyncio.runners", "_cancel_all_tasks"),
}


class TaskOrder:
    """Numbers the tasks of one loop, and sorts those that are woken by a cancellation. `ready`: the loop's queue."""

    def __init__(self, ready: deque[asyncio.Handle]) -> None:
        self.count = 0
        self.ready = ready
        self._run: list[tuple[int, asyncio.Handle]] = []
        self._start = 0

    def next(self) -> int:
        """The number of the next task, from 1."""
        self.count += 1
        return self.count

    def sort(self, number: int, before: int) -> None:
        """Sort the handles that one callback has made ready by cancelling tasks, by the number of the task they wake.

        `before` is how many handles were ready before task `number` was cancelled. Nothing was added or run since
        the last call exactly if the last handle of the run is still where it was: then the run goes on.
        """
        ready, run = self.ready, self._run
        goes_on = run and before == self._start + len(run) and ready[before - 1] is run[-1][1]
        if not goes_on:
            run = self._run = []
            self._start = before
        fresh = [ready.pop() for _ in range(len(ready) - before)]
        for handle in reversed(fresh):
            woken = getattr(handle._callback, "__self__", None)  # type: ignore[attr-defined]
            self._insert(woken.number if isinstance(woken, TimelineTask) else number, handle)

    def forget(self) -> None:
        """Let go of the handles of the last run."""
        if self._run:
            self._run = []

    def _insert(self, key: int, handle: asyncio.Handle) -> None:
        ready, run = self.ready, self._run
        if not run or run[-1][0] <= key:
            run.append((key, handle))
            ready.append(handle)
            return
        insort(run, (key, handle), key=lambda pair: pair[0])
        while len(ready) > self._start:
            ready.pop()
        ready.extend(handle for _, handle in run)


class TimelineTask(asyncio.Task[Any]):
    """A task with a number, counted per loop from 1, which is its hash, and its name if it is given none.

    So sets of tasks iterate in a reproducible order, whatever the process did before. `loop` is a TimelineLoop.
    """

    def __init__(self, coro: Any, *, loop: Any, name: object = None, **options: Any) -> None:
        self._order: TaskOrder = loop.task_order
        self.number: int = self._order.next()
        super().__init__(coro, loop=loop, name=f"Task-{self.number}" if name is None else str(name), **options)

    def __hash__(self) -> int:
        return self.number

    def cancel(self, msg: Any = None) -> bool:
        """As asyncio does it; but tasks that are cancelled as members of a set unwind in the order of creation."""
        caller = sys._getframe(1)
        if (caller.f_globals.get("__name__"), caller.f_code.co_name) not in _CANCELLERS:
            return super().cancel(msg)
        before = len(self._order.ready)
        cancelled = super().cancel(msg)
        self._order.sort(self.number, before)
        return cancelled


class InOrder(WeakKeyDictionary[Any, None]):
    """A weak set in the order of insertion: async generators are closed in the order in which they were started."""

    def add(self, item: Any) -> None:
        """Put `item` last, unless it is there."""
        self[item] = None

    def discard(self, item: Any) -> None:
        """Take `item` out if it is there."""
        self.pop(item, None)


def describe(task: asyncio.Task[Any]) -> str:
    """A task's name, and where it waits, from the outermost coroutine to the innermost."""
    frames: list[str] = []
    inner: Any = task.get_coro()
    while inner is not None and len(frames) < 20:
        frame = getattr(inner, "cr_frame", None) or getattr(inner, "gi_frame", None)
        if frame is not None:
            file = frame.f_code.co_filename.rpartition("/")[2]
            frames.append(f"{frame.f_code.co_qualname} ({file}:{frame.f_lineno})")
        inner = getattr(inner, "cr_await", None) or getattr(inner, "gi_yieldfrom", None)
    return f"task {task.get_name()!r} in {' > '.join(frames) or 'code that has no frame'}"
