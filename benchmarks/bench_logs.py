"""What does a log line cost? By a log stream, by a handler that prints or logs, and by sqlite3's executemany.

The floor gets the rows as they are in the run file, makes a tuple of each, and writes them into the same table of a
file in WAL mode, synchronous off, in batches as large as simbus's: no clock, no stream, no digest, no index. The log
stream is where every line of an environment goes; it gets the same texts. Above it, `print` and `logging` are the
handler's own work, with the sandbox's standard output between.
"""

from __future__ import annotations

import logging
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.bench_invoke import COLUMNS, TABLES
from benchmarks.harness import Contender, Result, Size, in_turn, run_digest, speed
from simbus import Simulation
from simbus.logs.stream import LogStream

QUESTION = "What does a log line cost, by a log stream, print and logging, beside sqlite3's executemany of the rows?"
LINES = 1_000  # an invocation
TEXTS = [f"order {n} of customer {n * 7 % 1000} was charged: status=ok amount={n}.00 EUR tries=1" for n in range(LINES)]
BATCH = 20_000


def printing(event: dict[str, Any], context: object) -> None:
    """A handler with much to say."""
    for text in TEXTS:
        print(text)


def logs(event: dict[str, Any], context: object) -> None:
    """The same by `logging`."""
    logger = logging.getLogger("charge")
    logger.setLevel(logging.INFO)
    for text in TEXTS:
        logger.info(text)


def on_simbus(handler: Any, invocations: int, path: Path) -> str:
    """Invoke it that often; the digest."""
    with Simulation(seed=1, db=path) as sim:
        function = sim.function("charge", handler=handler, timeout=60)
        for _ in range(invocations):
            function.invoke({})
    return run_digest(path)


def by_stream(texts: list[str], path: Path) -> str:
    """Write the texts into one log stream, without a handler; the digest."""
    with Simulation(seed=1, db=path) as sim:
        rows = sim.world.rows
        stream = LogStream(sim.world, "/own", "stream", rows.add_log_stream("/own", "stream", "", "", 0))
        request = "00000000-0000-4000-8000-000000000000"
        for n, text in enumerate(texts):
            stream.emit(text, None, request)
            if n % LINES == 0:
                rows.flush_if_full()
    return run_digest(path)


def rows_of(path: Path) -> list[tuple[Any, ...]]:
    """The lines of a run, without Lambda's own three an invocation."""
    with closing(sqlite3.connect(path)) as database:
        return database.execute(
            f"SELECT {', '.join(COLUMNS['log_events'])} FROM log_events WHERE message LIKE '%order %' ORDER BY id"
        ).fetchall()


def on_sqlite(rows: list[tuple[Any, ...]], path: Path) -> int:
    """The floor: how many rows the file has at the end."""
    path.unlink(missing_ok=True)
    names = COLUMNS["log_events"]
    insert = f"INSERT INTO log_events ({','.join(names)}) VALUES ({','.join('?' * len(names))})"
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = OFF")
        database.execute(f"CREATE TABLE log_events ({TABLES['log_events']})")
        batch: list[tuple[Any, ...]] = []
        for stream, request, time, ingested, level, message in rows:
            batch.append((stream, request, time, ingested, level, message))
            if len(batch) == BATCH:
                _write(database, insert, batch)
        _write(database, insert, batch)
        [(count,)] = database.execute("SELECT count(*) FROM log_events")
    return int(count)


def _write(database: sqlite3.Connection, insert: str, batch: list[tuple[Any, ...]]) -> None:
    database.execute("BEGIN")
    database.executemany(insert, batch)
    database.execute("COMMIT")
    batch.clear()


def run(size: Size) -> Result:
    """The three ways to log, and the floor with the rows of the handler that prints."""
    invocations = size.of(300, 1)
    count = invocations * LINES
    with tempfile.TemporaryDirectory() as name:
        path, floor_file = Path(name, "run.db"), Path(name, "floor.db")
        on_simbus(printing, invocations, path)
        rows = rows_of(path)
        assert len(rows) == count
        texts = [row[-1] for row in rows]
        measured = in_turn(
            size.times,
            Contender("sqlite3 executemany", count, lambda: on_sqlite(rows, floor_file)),
            Contender("simbus, log stream", count, lambda: by_stream(texts, path)),
            Contender("simbus, print", count, lambda: on_simbus(printing, invocations, path)),
            Contender("simbus, logging", count, lambda: on_simbus(logs, invocations, path)),
        )
    floor, stream, printed, logged = measured
    ratios = (speed(stream, floor, least=0.8), speed(printed, floor), speed(logged, floor))
    return Result(QUESTION, "line", tuple(measured), ratios)
