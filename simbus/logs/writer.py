"""Rows of a run on their way to its file.

The simulation appends plain tuples to one list per table and now and then hands a batch to a thread that owns an
asyncio loop and an aiosqlite connection, and waits until it is written: so memory is bounded. (Measured on 2 cores:
a run that goes on meanwhile takes 7 % more CPU time and is not over sooner. Writing wants the interpreter's lock at
every statement, and two threads that pass it to each other slow each other down.) A run with few rows and no path
never starts the thread.

The file is in WAL mode while it is written, synchronous off: killed at any moment it is whole, and holds what was
flushed; it then lacks the `digest` and `finished` of table `run`. (A power cut of the machine is not guarded against.)
"""

from __future__ import annotations

import asyncio
import shutil
import threading
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager
from itertools import chain, count
from pathlib import Path
from types import TracebackType
from typing import Any

import aiosqlite

from simbus.errors import RunError, SimbusError
from simbus.logs import runfile
from simbus.logs.digest import Digest
from simbus.logs.memory import MemoryReader
from simbus.logs.reader import RunReader, open_run
from simbus.logs.sampling import ALL, PAYLOADS, Sample
from simbus.logs.schema import INDEXES, TABLES, Row, storable
from simbus.model import Wrapping

# Measured (2 cores, 500,000 rows): one INSERT of many rows costs 0.7 of executemany row by row; from 1,000 values a
# statement on, and from 8,000 rows a batch on, nothing is gained any more.
VALUES_PER_INSERT = 2_000
BATCH_ROWS = 10_000
WAL_BYTES = 4_194_304  # how much stands in the write-ahead log before it is copied into the file: SQLite's default

Value = str | int | float | None
Batch = dict[str, list[Row]]
Job = Callable[[aiosqlite.Connection], Awaitable[None]]


class RunWriter:
    """Takes the rows of one run, keeps its digest, and writes its run file.

    `path` None: a private temporary file, made only when needed and removed at close. The lists `events`,
    `settlements`, `attempts`, `hops`, `messages`, `log_lines` and `metrics` are appended to directly, tuples in column
    order (a log line begins with `next_line()`, a settlement with `next_delivery()`); they stay the same objects for
    the life of the writer. `batch_rows` rows make a batch. `payloads` is the share of the payloads that are written,
    see `simbus.logs.sampling`; `thinned` says that it is not all of them. One thread uses a writer.
    """

    def __init__(self, path: Path | None, *, batch_rows: int = BATCH_ROWS, payloads: float = ALL) -> None:
        self._lists: Batch = {table.name: [] for table in TABLES}
        self.events = self._lists["events"]
        self.settlements = self._lists["settlements"]
        self.attempts = self._lists["attempts"]
        self.hops = self._lists["hops"]
        self.messages = self._lists["messages"]
        self.log_lines = self._lists["log_lines"]
        self.next_line = count(1).__next__
        self.next_delivery = count(1).__next__
        self.metrics = self._lists["metrics"]
        self._groups: dict[str, None] = {}
        self._routes: dict[tuple[Any, ...], int] = {}
        self._stream_count = 0
        self._run: dict[str, Value] = {}
        self._digest = Digest()
        self.thinned = payloads < ALL
        self._sample = Sample(payloads) if self.thinned else None
        if self.thinned:
            self.set(PAYLOADS, payloads)
        self._path = path
        self._private = path is None
        self._batch_rows = batch_rows
        self._thread: _WriterThread | None = None
        self._discard: Callable[[], object] | None = None
        self._closed = False

    def __enter__(self) -> RunWriter:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(complete=kind is None)

    @property
    def path(self) -> Path | None:
        """Where the run file is; None as long as a private one is not needed."""
        return self._path

    def open(self) -> None:
        """Replace what is at `path` by an empty run file. Raises UsageError where `runfile.check_target` does."""
        if self._path is not None:
            self._writing()

    def _start(self, path: Path) -> _WriterThread:
        real = runfile.create(path)
        self._thread = thread = _WriterThread(real)
        directory = real.parent if self._private else None
        self._discard = weakref.finalize(self, _discard, thread, directory)
        return thread

    def _writing(self) -> _WriterThread:
        if self._closed:
            raise SimbusError(f"{self._path}: the run file is closed; rows are written before. Write to a new run.")
        if self._thread is not None:
            return self._thread
        if self._path is None:
            self._path = runfile.private_directory() / "run.db"
        return self._start(self._path)

    def add_log_stream(self, log_group: str, name: str, function: str, version: str, created_at: int) -> int:
        """The id of a new log stream, `created_at` in ms since the epoch; a group named first becomes a row, too."""
        self.add_log_group(log_group)
        self._stream_count += 1
        self._lists["log_streams"].append((self._stream_count, log_group, name, function, version, created_at))
        return self._stream_count

    def add_log_group(self, name: str) -> None:
        """A log group: a row, where it is named for the first time."""
        if name not in self._groups:
            self._groups[name] = None
            self._lists["log_groups"].append((len(self._groups), name))

    def route(
        self, subscription: str | None, invocation_type: str, source_arn: str | None, wrapping: Wrapping | None
    ) -> int:
        """The number of what invocations that come the same way have in common; a row, where it is new."""
        key = (subscription, invocation_type, source_arn, wrapping)
        number = self._routes.get(key)
        if number is None:
            self._routes[key] = number = len(self._routes) + 1
            self._lists["routes"].append((number, *key[:3], *(wrapping or (None,) * 4)))
        return number

    def set(self, key: str, value: Value) -> None:
        """Put a fact about the run (seed, scenario, version ...) into table `run`. The digest leaves it out."""
        self._run[key] = value

    def pending(self) -> int:
        """How many rows wait in memory for the next flush."""
        return sum(map(len, self._lists.values()))

    def flush_if_full(self) -> None:
        """Flush when a batch is full; cheap enough to be called once an invocation."""
        if (
            len(self.log_lines) + len(self.metrics) + len(self.hops) + len(self.events) + len(self.attempts)
            >= self._batch_rows
        ):
            self.flush()

    def flush(self) -> None:
        """Write what waits. Raises RunError where that failed."""
        self._hand_over(self._writing())

    def _hand_over(self, thread: _WriterThread) -> None:
        batch = self._take()
        facts, self._run = self._run, {}
        thread.do(lambda database: _write(database, batch, facts))

    def reader(self) -> RunReader:
        """A reader of every row so far: of the run file, or of the rows themselves where they are all in memory."""
        if self._thread is None and not self._closed:
            return MemoryReader(self._waiting(), self._run)
        return open_run(self.sync())

    def sync(self) -> Path:
        """Flush, so that every row so far can be read from the file, and return its path. Raises RunError."""
        thread = self._writing()
        self._hand_over(thread)
        return thread.path

    def _waiting(self) -> Batch:
        """The rows that wait, as they are written."""
        return self._lists if self._sample is None else self._sample.thin(self._lists)

    def _take(self) -> Batch:
        batch = {name: _hash(self._digest, name, rows[:]) for name, rows in self._waiting().items() if rows}
        if self._sample is not None:
            self._sample.written(len(self.events))
        # The lists stay the same objects: the hot code may keep their `append`.
        for name in batch:
            self._lists[name].clear()
        return batch

    def digest(self) -> str:
        """The digest of every row so far, 64 hexadecimal digits; see `simbus.logs.digest`."""
        digest = self._digest.copy()
        for name, rows in self._waiting().items():
            if rows:
                _hash(digest, name, rows)
        return digest.hexdigest()

    def close(self, *, complete: bool = True) -> None:
        """Write what is left, the indexes and the facts, and leave one file without a write-ahead log.

        `complete` False (an interrupted run) leaves out the digest and sets `finished` to 0. A private file is
        removed. Raises RunError where a row could not be written. A second call does nothing.
        """
        if self._closed:
            return
        try:
            if not self._private:
                self._finish(self._writing(), complete)
        finally:
            self._closed = True
            self._stop()

    def _stop(self) -> None:
        try:
            if self._thread is not None:
                self._thread.stop()
        finally:
            if self._discard is not None:
                self._discard()

    def _finish(self, thread: _WriterThread, complete: bool) -> None:
        if complete:
            self.set("digest", self.digest())
        self.set("finished", int(complete))
        facts, self._run = self._run, {}
        self._hand_over(thread)

        async def finish(database: aiosqlite.Connection) -> None:
            for statement in INDEXES:
                await database.execute(statement)
            await _write(database, {}, facts)
            await _leave_wal(database)

        thread.do(finish)


class _WriterThread:
    """One thread, one asyncio loop, one aiosqlite connection; it does one job after the other.

    After a job failed the later ones are dropped, and who asks for them gets the error.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._failure: BaseException | None = None
        # Not new_event_loop(): the loop of this thread is real even where the loop policy gives virtual time.
        self._loop = asyncio.SelectorEventLoop()
        self._jobs: asyncio.Queue[tuple[Job | None, Future[None]]] = asyncio.Queue()
        # A daemon: a writer that nobody closed must not hold the interpreter's exit.
        self._thread = threading.Thread(target=self._main, name="simbus-run-file", daemon=True)
        self._thread.start()

    def do(self, job: Job) -> None:
        """Have a job done, and wait for it: an interrupt ends the wait, not the job. Raises RunError if it fails."""
        self._send(job).exception()
        self._check()

    def stop(self) -> None:
        """End the thread after the jobs so far. Raises RunError where one failed."""
        self.abandon()
        self._thread.join()
        self._check()

    def abandon(self) -> None:
        """End the thread after the jobs so far, without waiting for it."""
        if not self._loop.is_closed():
            self._send(None)

    def _check(self) -> None:
        if self._failure is not None:
            raise RunError(
                f"{self.path}: writing failed ({type(self._failure).__name__}: {self._failure}); every row of a run "
                "must reach its file, which now holds those flushed before. Remove the cause, or choose another path."
            ) from self._failure

    def _send(self, job: Job | None) -> Future[None]:
        done: Future[None] = Future()
        try:
            self._loop.call_soon_threadsafe(self._jobs.put_nowait, (job, done))
        except RuntimeError as error:  # the loop has ended: nothing will ever do the job
            self._failure = self._failure or error
            done.set_exception(error)
        return done

    def _main(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        ended = False
        try:
            async with _connection(self.path) as database:
                await self._serve_with(database)
                ended = True
        except Exception as error:
            self._failure = error
        if not ended:
            await self._serve_with(None)

    async def _serve_with(self, database: aiosqlite.Connection | None) -> None:
        while True:
            job, done = await self._jobs.get()
            if job is None:
                return
            try:
                if database is not None and self._failure is None:
                    await job(database)
            except Exception as error:
                self._failure = error
            finally:
                done.set_result(None)


@asynccontextmanager
async def _connection(path: Path) -> AsyncIterator[aiosqlite.Connection]:
    connection = aiosqlite.connect(path)
    # Up to aiosqlite 0.21 a connection is its thread, later it has one; neither may hold the interpreter's exit.
    thread: Any = getattr(connection, "_thread", connection)
    thread.daemon = True
    async with connection as database:
        await database.execute("PRAGMA journal_mode = WAL")
        await database.execute("PRAGMA synchronous = OFF")
        await database.execute(f"PRAGMA wal_autocheckpoint = {WAL_BYTES // runfile.PAGE_SIZE}")
        yield database


async def _write(database: aiosqlite.Connection, batch: Batch, facts: dict[str, Value]) -> None:
    """Write a batch in one transaction."""
    for table in TABLES:
        rows = batch.get(table.name)
        if rows:
            many = max(1, VALUES_PER_INSERT // len(table.names))
            even = len(rows) - len(rows) % many
            await database.executemany(table.insert(many), _chunks(rows, many, even))
            await database.executemany(table.insert(1), rows[even:])
    if facts:
        await database.executemany("INSERT OR REPLACE INTO run VALUES (?, ?)", list(facts.items()))
    await database.commit()


def _chunks(rows: list[Row], many: int, even: int) -> Iterator[list[Any]]:
    """The values of `many` rows at a time, one after the other."""
    for start in range(0, even, many):
        yield list(chain.from_iterable(rows[start : start + many]))


async def _leave_wal(database: aiosqlite.Connection) -> None:
    try:
        await database.execute("PRAGMA journal_mode = DELETE")
    except aiosqlite.OperationalError:
        # Somebody reads the file at this moment; SQLite joins the log to the file when the last one has left.
        await database.execute("PRAGMA wal_checkpoint(PASSIVE)")


def _discard(thread: _WriterThread, directory: Path | None) -> None:
    """What is left to do for a writer that is closed, or was dropped without being closed."""
    thread.abandon()
    if directory is not None:
        shutil.rmtree(directory, ignore_errors=True)


_NUMBERED = {table.name for table in TABLES if table.numbered}


def _hash(digest: Digest, table: str, rows: list[Row]) -> list[Row]:
    """Take the rows into the digest, and return them as SQLite can store them.

    A lone surrogate, which UTF-8 can't say, becomes U+FFFD.
    """
    try:
        digest.update(table, _canonical(table, rows))
    except UnicodeEncodeError:
        rows = [tuple(map(storable, row)) for row in rows]
        digest.update(table, _canonical(table, rows))
    return rows


def _canonical(table: str, rows: list[Row]) -> list[Row]:
    """The rows as the digest takes them: without their sequence numbers."""
    return [row[1:] for row in rows] if table in _NUMBERED else rows
