"""Other threads in virtual time: heard in an order that does not depend on their timing."""

from __future__ import annotations

import asyncio
import selectors
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any


class Outside:
    """What other threads have to say in virtual time. Each is known by a key: a job's number, or a thread's ident."""

    def __init__(self, loop: Any) -> None:
        self._loop = loop
        self.jobs: dict[int, asyncio.Future[Any]] = {}
        self._job_count = 0
        self._here = threading.local()
        self._inbox: deque[tuple[int, asyncio.Handle]] = deque()
        self._words: dict[int, deque[asyncio.Handle]] = {}
        self._asking: set[int] = set()
        self._known = {thread.ident for thread in threading.enumerate()}

    def say(self, handle: asyncio.Handle, key: int | None = None) -> None:
        """From any thread: the loop is to run `handle`."""
        self._inbox.append((key or getattr(self._here, "job", None) or threading.get_ident(), handle))

    def submit(self, executor: Executor, func: Callable[..., Any], args: tuple[Any, ...]) -> asyncio.Future[Any]:
        """Give work to an executor. Its result is one of the words under the job's key."""
        self._job_count += 1
        key = -self._job_count
        if isinstance(executor, ThreadPoolExecutor):  # a process could not be given the closure, and can't call in
            func = self._under(key, func)
        job = executor.submit(func, *args)
        future: asyncio.Future[Any] = self._loop.create_future()
        self.jobs[key] = future
        future.add_done_callback(lambda _: self._forget(key, job))
        job.add_done_callback(lambda job: self._finish(key, job, future))
        return future

    def _under(self, key: int, func: Callable[..., Any]) -> Callable[..., Any]:
        def work(*args: Any) -> Any:
            self._here.job = key
            try:
                return func(*args)
            finally:
                self._here.job = None

        return work

    def _forget(self, key: int, job: Future[Any]) -> None:
        job.cancel()
        self.jobs.pop(key)
        self._asking.discard(key)

    def _finish(self, key: int, job: Future[Any], future: asyncio.Future[Any]) -> None:
        if not self._loop.is_closed():
            self.say(asyncio.Handle(_settle, (job, future), self._loop, None), key)
            self._loop._write_to_self()

    def hear_work(self) -> bool:
        """Hear, or else wait for, the first thread at work. False if there is none, and virtual time may pass."""
        key = next(self._at_work(), None)
        if key is None:
            return False
        self._sort_inbox()
        if key in self._words:
            self._take(key)
        else:
            self._wait()
        return True

    def take_any(self) -> bool:
        """Take one word of whoever spoke first. False if nobody has."""
        self._sort_inbox()
        for key in self._words:
            self._take(key)
            return True
        return False

    def workers(self) -> list[int]:
        """The idents of anyio's threads that work for this loop at the moment, the oldest first."""
        if threading.active_count() == 1:
            return []
        return [thread.ident or 0 for thread in threading.enumerate() if self._works(thread)]

    def strangers(self) -> bool:
        """Whether there are threads that were started after the loop was made: they may know of it."""
        return any(thread.ident not in self._known for thread in threading.enumerate())

    def _at_work(self) -> Iterator[int]:
        for key, future in self.jobs.items():
            if not future.done() and key not in self._asking:
                yield key
        for key in self.workers():
            if key not in self._asking:
                yield key

    def _works(self, thread: Any) -> bool:
        """Whether it is a thread of `anyio.to_thread`: it is put back among the idle ones by the loop itself."""
        if getattr(thread, "loop", None) is not self._loop or not hasattr(thread, "idle_workers"):
            return False
        return thread not in thread.idle_workers and not thread.stopping

    def _take(self, key: int) -> None:
        words = self._words[key]
        handle = words.popleft()
        if not words:
            del self._words[key]
        if getattr(handle._callback, "__name__", "") not in ("_report_result", "_settle"):  # type: ignore[attr-defined]
            self._asking.add(key)  # it may wait for virtual time now: that must pass
        else:
            self._asking.discard(key)
        self._loop._ready.append(handle)

    def _sort_inbox(self) -> None:
        while self._inbox:
            key, handle = self._inbox.popleft()
            self._words.setdefault(key, deque()).append(handle)

    def _wait(self) -> None:
        """Wait for real until a thread speaks or a signal comes; files are not heard."""
        with selectors.DefaultSelector() as bell:
            bell.register(self._loop._ssock, selectors.EVENT_READ)
            bell.select()
        self._loop._read_from_self()


def _settle(job: Future[Any], future: asyncio.Future[Any]) -> None:
    """Hand the result of an executor's job to the one who awaits it."""
    if future.done():
        return
    if job.cancelled():
        future.cancel()
    elif (error := job.exception()) is not None:
        future.set_exception(error)
    else:
        future.set_result(job.result())
