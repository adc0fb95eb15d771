"""Processes that make runs: several at a time, with results that do not depend on how many there are.

Each starts as a copy of this process (fork, where that is safe) or loads what it runs itself (spawn). Where neither can
be, the runs are made here, one after the other: it takes longer, and gives the same. Runs of one process follow each
other; what a handler leaves behind outside of its environments could be seen by the next, so that a failure is looked
at once more in a fresh process: see `exploration`.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from time import perf_counter
from typing import Any, Final, NamedTuple, TypeVar

from simbus.errors import RunError, UsageError
from simbus.exploration.subject import Failure, Subject, installation
from simbus.scenario.variant import Variant

T = TypeVar("T")

CHUNK_SECONDS: Final = 0.2  # of runs that a worker is given at a time
LONGEST_CHUNK: Final = 200
LOOKAHEAD: Final = 4  # chunks for each worker beyond the first that is not done


class Result(NamedTuple):
    """One seed that was run."""

    seed: int
    failure: Failure | None


def cores() -> int:
    """How many runs this machine can make at once."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_new_process(function: Callable[..., T], *arguments: Any) -> T:
    """What a function returns in a process of its own, which knows nothing of earlier runs. Raises UsageError."""
    context = _context(function, *arguments)
    if context is None:
        return function(*arguments)
    ours, process = _start(context, function, arguments)
    try:
        found: T = _received(ours)
        return found
    finally:
        _end(process, ours)


def in_new_processes(
    function: Callable[..., T], tasks: Sequence[tuple[Any, ...]], jobs: int, done: Callable[[T], object]
) -> list[T]:
    """What a function returns for the arguments of each task, in that order; each in a process of its own.

    `jobs` of them run at once, begun in the order of the tasks; `done` is told of each as it ends. Raises UsageError.
    """
    context = _context(function, *tasks)
    found: dict[int, T] = {}
    running: dict[Any, tuple[int, Any]] = {}
    waiting = list(enumerate(tasks))[::-1]
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                number, arguments = waiting.pop()
                if context is None:
                    found[number] = function(*arguments)
                    done(found[number])
                else:
                    ours, process = _start(context, function, arguments)
                    running[ours] = number, process
            for ready in wait(list(running)):
                connection: Any = ready
                number, process = running[connection]
                found[number] = _received(connection)
                _end(process, connection)
                del running[connection]
                done(found[number])
    finally:
        for left, (_, process) in running.items():
            _end(process, left)
    return [found[number] for number in range(len(tasks))]


def _start(context: Any, function: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[Connection, Any]:
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(theirs, function, arguments), daemon=True)
    with _quiet_memory():
        process.start()
    theirs.close()
    return ours, process


def run_all(subject: Subject, seeds: Sequence[int], jobs: int, most: int | None) -> Iterator[Result]:
    """Run seeds in `jobs` processes; the results come in the order of `seeds`, whatever the number of jobs.

    Ends after `most` failures (None: never). Raises UsageError where what is run is wrong.
    """
    context = _context(subject)
    if context is None:
        yield from _run_here(subject, seeds, most)
        return
    workers = [_Worker(context, subject) for _ in range(min(jobs, len(seeds)))]
    try:
        yield from _Queue(seeds, workers, most).results()
    finally:
        for worker in workers:
            worker.end()


def _run_here(subject: Subject, seeds: Sequence[int], most: int | None) -> Iterator[Result]:
    failures = 0
    with installation():
        for seed in seeds:
            failure = subject.run(Variant.numbered(seed))
            yield Result(seed, failure)
            failures += failure is not None
            if failures == most:
                return


class _Worker:
    """One process that makes runs, and the chunk that it has."""

    def __init__(self, context: Any, subject: Subject) -> None:
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, subject), daemon=True)
        with _quiet_memory():
            self.process.start()
        theirs.close()
        self.chunk = range(0)

    def begin(self, chunk: range, seeds: Sequence[int], most: int | None) -> None:
        self.chunk = chunk
        self.connection.send((seeds[chunk.start : chunk.stop], most))

    def answer(self) -> tuple[Any, float]:
        found: tuple[Any, float] = _received(self.connection)
        return found

    def end(self) -> None:
        _end(self.process, self.connection)


class _Queue:
    """Hands seeds out, and puts the answers back into order."""

    def __init__(self, seeds: Sequence[int], workers: list[_Worker], most: int | None) -> None:
        self._seeds = seeds
        self._workers = workers
        self._most = most
        self._next = 0
        self._size = 1
        self._done: dict[int, tuple[range, dict[int, Failure]]] = {}

    def results(self) -> Iterator[Result]:
        position = failures = 0
        idle, busy = list(self._workers), dict[int, _Worker]()
        while position < len(self._seeds):
            while idle and self._next < len(self._seeds) and self._next - position < self._reach:
                worker = idle.pop(0)
                worker.begin(self._take(), self._seeds, self._most)
                busy[id(worker.connection)] = worker
            for connection in wait([worker.connection for worker in busy.values()]):
                worker = busy.pop(id(connection))
                self._note(worker)
                idle.append(worker)
            while position in self._done:
                chunk, failed = self._done.pop(position)
                for number in chunk:
                    yield Result(self._seeds[number], failed.get(number))
                    failures += number in failed
                    if failures == self._most:
                        return
                position = chunk.stop

    @property
    def _reach(self) -> int:
        return self._size * len(self._workers) * LOOKAHEAD

    def _take(self) -> range:
        chunk = range(self._next, min(self._next + self._size, len(self._seeds)))
        self._next = chunk.stop
        return chunk

    def _note(self, worker: _Worker) -> None:
        failed, seconds = worker.answer()
        chunk = worker.chunk
        self._done[chunk.start] = chunk, {chunk.start + place: Failure(*failure) for place, failure in failed}
        wanted = int(len(chunk) * CHUNK_SECONDS / max(seconds, 1e-6))
        self._size = max(1, min(wanted, 2 * self._size, LONGEST_CHUNK))


# --- in the other process --------------------------------------------------------------------------------------------


def _serve(connection: Connection, subject: Subject) -> None:
    """Make the runs that are asked for until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one who asked decides what an interrupt means
    with installation():
        while True:
            try:
                seeds, most = connection.recv()
            except EOFError:
                return
            _answer(connection, _run_chunk, (subject, seeds, most))


def _run_chunk(subject: Subject, seeds: Sequence[int], most: int | None) -> tuple[list[Any], float]:
    began = perf_counter()
    failed: list[Any] = []
    for place, seed in enumerate(seeds):
        failure = subject.run(Variant.numbered(seed))
        if failure is not None:
            failed.append((place, tuple(failure)))
            if len(failed) == most:
                break
    return failed, perf_counter() - began


def _answer(connection: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """Send what a function returns, or the error that it raises."""
    try:
        found: tuple[str, Any] = ("ok", function(*arguments))
    except UsageError as error:
        found = ("usage", str(error))
    except BaseException as error:
        found = ("error", f"{type(error).__name__}: {error}")
    connection.send(found)


# --- processes -------------------------------------------------------------------------------------------------------


def _received(connection: Connection) -> Any:
    try:
        kind, found = connection.recv()
    except EOFError:
        raise RunError(
            "a process that made runs has ended unexpectedly; it may have been killed for want of memory. "
            "Try again with fewer --jobs."
        ) from None
    if kind == "ok":
        return found
    if kind == "usage":
        raise UsageError(found)
    raise RuntimeError(found)


def _end(process: Any, connection: Connection) -> None:
    connection.close()
    process.terminate()
    process.join()


def _context(*given: Any) -> Any:
    """How processes are started: a copy of this one where nothing but this thread runs, else from nothing.

    None: not at all, as there are other threads and what is given can't be sent to another process.
    """
    if sys.platform == "linux" and threading.active_count() == 1:
        return multiprocessing.get_context("fork")
    try:
        pickle.dumps(given)
    except (pickle.PicklingError, AttributeError, TypeError):
        return None
    return multiprocessing.get_context("spawn")


class _quiet_memory:
    """Around a fork: what is there by now is not looked at by the garbage collector of the copy."""

    def __enter__(self) -> None:
        gc.freeze()

    def __exit__(self, *_: object) -> None:
        gc.unfreeze()
