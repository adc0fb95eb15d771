"""How many records a second go through each event source mapping, one by one and in batches of 10 and 100?

A record has 1 KB, a small one 100 bytes. It is put alone, read by the mapping, goes to a real handler in its batch, and
is settled; every row is in the run file. The single-event path is that of bench_invoke: S3 notifications, an invocation
an event. What no batch can save are the rows of each record, so that each source has a floor of its own: `executemany`
of all rows that its run with batches of 100 left, into the same tables without indexes.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.bench_invoke import floor, on_simbus
from benchmarks.harness import Contender, Ratio, Result, Size, in_turn, run_digest, speed
from simbus import Simulation
from simbus.kernel import MILLISECOND

QUESTION = "How many records a second go through each event source mapping, in batches of 1, 10 and 100?"
BODY, SMALL = (json.dumps({"page": "/", "text": "x" * size}) for size in (1_000, 60))
SHARDS = 4
BATCHES = (1, 10, 100)


def handler(event: dict[str, Any], context: object) -> None:
    """What the batch costs a real handler: it looks at each record."""
    assert all("eventSourceARN" in record for record in event["Records"])


def _queue(sim: Simulation, body: str) -> tuple[Any, Callable[[int], object], dict[str, Any]]:
    queue = sim.queue("jobs", visibility_timeout=60)
    return queue, lambda n: queue.send_message(body), {"maximum_batching_window_in_seconds": 1}


def _stream(sim: Simulation, body: str) -> tuple[Any, Callable[[int], object], dict[str, Any]]:
    stream = sim.stream("clicks", shard_count=SHARDS)
    data = body.encode()
    return stream, lambda n: stream.put_record(data, f"user-{n % 1000}"), {"starting_position": "TRIM_HORIZON"}


def _table(sim: Simulation, body: str) -> tuple[Any, Callable[[int], object], dict[str, Any]]:
    table = sim.table("orders", hash_key="id", stream_view_type="NEW_IMAGE")
    text = {"S": body}
    put = table.put_item
    return table, lambda n: put({"id": {"S": str(n)}, "text": text}), {"starting_position": "TRIM_HORIZON"}


SOURCES = {"SQS": _queue, "Kinesis": _stream, "DynamoDB": _table}


def through_mapping(source: str, batch: int, count: int, path: Path, body: str = BODY) -> str:
    """Put `count` records, one a millisecond, and let the mapping read them; the run's digest."""
    with Simulation(seed=1, db=path) as sim:
        function = sim.function(
            "work", handler=handler, memory_size=512, timeout=3, simulate={"duration": "20ms", "init_duration": "0ms"}
        )
        origin, put, settings = SOURCES[source](sim, body)
        sim.event_source_mapping(origin, function, batch_size=batch, **settings)

        def arrive(n: int) -> None:
            put(n)
            if n + 1 < count:
                sim.timeline.after(MILLISECOND, arrive, n + 1)

        sim.timeline.at(0, arrive, 0)
        sim.run()
    return run_digest(path)


def rows_alone(run: Path) -> tuple[dict[str, list[tuple[Any, ...]]], dict[str, str]]:
    """The rows of each table of a run, and how each table is made."""
    with closing(sqlite3.connect(run)) as database:
        made = dict(database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name != 'run'"))
        return {table: database.execute(f"SELECT * FROM {table}").fetchall() for table in made}, made


def on_sqlite(rows: dict[str, list[tuple[Any, ...]]], made: dict[str, str], path: Path) -> int:
    """The floor of a source: its rows into a file in WAL mode, synchronous off; how many they are."""
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = OFF")
        database.execute("BEGIN")
        for table, batch in rows.items():
            database.execute(made[table])
            if batch:
                database.executemany(f"INSERT INTO {table} VALUES ({','.join('?' * len(batch[0]))})", batch)
        database.execute("COMMIT")
    return sum(map(len, rows.values()))


def processed(path: Path) -> tuple[int, int]:
    """How many records of a run were processed, and in how many invocations."""
    with closing(sqlite3.connect(path)) as database:
        [(records,)] = database.execute("SELECT count(*) FROM deliveries WHERE outcome = 'ok'")
        [(invocations,)] = database.execute("SELECT count(*) FROM invocations")
    return records, invocations


def run(size: Size) -> Result:
    """Each source with each batch size, its rows alone, the single-event path and the floor."""
    count = size.of(40_000, 300)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)

        def mapped(source: str, batch: int) -> Contender:
            path = directory / f"{source}{batch}.db"
            name = f"{source}, batches of {batch}"
            return Contender(name, count, lambda: through_mapping(source, batch, count, path))

        def small(source: str) -> Contender:
            path = directory / "small.db"
            name = f"{source}, batches of 100, small records"
            return Contender(name, count, lambda: through_mapping(source, 100, count, path, SMALL))

        def alone(source: str) -> Contender:
            path = directory / f"{source}100.db"
            through_mapping(source, 100, count, path)
            rows, made = rows_alone(path)
            return Contender(f"rows of {source}, 100", count, lambda: on_sqlite(rows, made, directory / "rows.db"))

        measured = in_turn(
            size.times,
            floor(count, directory),
            Contender("S3, one event an invocation", count, lambda: on_simbus(count, directory / "single.db")),
            *(mapped(source, batch) for source in SOURCES for batch in BATCHES),
            *(small(source) for source in SOURCES),
            *(alone(source) for source in SOURCES),
        )
        notes = []
        for source in SOURCES:
            done = [processed(directory / f"{source}{batch}.db") for batch in BATCHES]
            notes.append(
                f"{source}: {done[0][0]:,} records in {', '.join(f'{each[1]:,}' for each in done)} invocations"
            )
    found = {each.name: each for each in measured}
    single = found["S3, one event an invocation"]
    ratios: list[Ratio] = []
    for source in SOURCES:
        batched = found[f"{source}, batches of 100"]
        ratios.append(speed(batched, single, least=5))
        ratios.append(speed(found[f"{source}, batches of 100, small records"], single, least=5))
        ratios += [speed(batched, found[name]) for name in (f"{source}, batches of 1", f"rows of {source}, 100")]
    return Result(QUESTION, "record", tuple(measured), tuple(ratios), tuple(notes))
