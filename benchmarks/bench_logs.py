"""What does a log line cost? As a row, by a log stream, by a handler that prints or logs.

The floor is `executemany` of the rows of a run's log lines, ready-made, with the values that simbus binds, into the
same table of a file in WAL mode, synchronous off, in batches as large as simbus's: no digest, no index. simbus's writer
gets the same rows, digest and index included. The log stream is where every line of an environment goes: it makes the
row of a text. Above it, `print` and `logging` are the handler's own work, with the sandbox's standard output between.
"""

from __future__ import annotations

import logging
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.harness import Contender, Result, Size, in_turn, run_digest, speed
from simbus import Simulation
from simbus.logs.schema import TABLES
from simbus.logs.stream import LogStream
from simbus.logs.writer import BATCH_ROWS, RunWriter

QUESTION = "What does a log line cost as a row, by a log stream, print and logging, beside executemany of the rows?"
LINES = 1_000  # an invocation
TEXTS = [f"order {n} of customer {n * 7 % 1000} was charged: status=ok amount={n}.00 EUR tries=1" for n in range(LINES)]
[LINE_TABLE] = [table for table in TABLES if table.name == "log_lines"]


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
    """The lines that the handler of a run wrote, as they stand in its file."""
    with closing(sqlite3.connect(path)) as database:
        return database.execute("SELECT * FROM log_lines WHERE message LIKE '%order %' ORDER BY id").fetchall()


def by_writer(rows: list[tuple[Any, ...]], path: Path) -> str:
    """Write the rows into a run file; the digest."""
    with RunWriter(path) as writer:
        for begin in range(0, len(rows), BATCH_ROWS):
            writer.log_lines.extend(rows[begin : begin + BATCH_ROWS])
            writer.flush()
    return run_digest(path)


def on_sqlite(rows: list[tuple[Any, ...]], path: Path) -> int:
    """The floor: how many rows it wrote."""
    path.unlink(missing_ok=True)
    insert = LINE_TABLE.insert(1)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = OFF")
        database.execute(LINE_TABLE.ddl)
        for begin in range(0, len(rows), BATCH_ROWS):
            database.execute("BEGIN")
            database.executemany(insert, rows[begin : begin + BATCH_ROWS])
            database.execute("COMMIT")
        return database.total_changes


def run(size: Size) -> Result:
    """The ways to log, and the floor with the rows of the handler that prints."""
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
            Contender("simbus, the same rows", count, lambda: by_writer(rows, path)),
            Contender("simbus, log stream", count, lambda: by_stream(texts, path)),
            Contender("simbus, print", count, lambda: on_simbus(printing, invocations, path)),
            Contender("simbus, logging", count, lambda: on_simbus(logs, invocations, path)),
        )
    floor, written, *others = measured
    ratios = (speed(written, floor, least=0.8), *(speed(other, floor) for other in others))
    return Result(QUESTION, "line", tuple(measured), ratios)
