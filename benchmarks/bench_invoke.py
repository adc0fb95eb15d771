"""What does the road of one event cost? An S3 put of 1 KB to the settled invocation of a real handler, with all rows.

The floor is a bare heapq loop in this script: for each event it decodes the same JSON and writes rows of the same
tables with the same bytes (events, deliveries, invocations, three log events) by executemany into a file in WAL mode,
synchronous off, as simbus does. (simbus has larger pages and more rows a statement, the floor SQLite's defaults; and
simbus writes nothing twice: what other rows say already are views.) It has no semantics at all: no clock but a number,
no limits, no retries, no digest, no index.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
from heapq import heappop, heappush
from pathlib import Path
from typing import Any

from benchmarks.harness import Contender, Ratio, Result, Size, in_turn, run_digest, speed
from simbus import Simulation
from simbus.kernel import MILLISECOND

QUESTION = "What does the road of one event cost, from an S3 put of 1 KB to the settled invocation, with all rows?"
BODY = b"x" * 1024
GAP = MILLISECOND
TAKES = 20 * MILLISECOND  # so that 20 invocations run at once, each in an environment of its own
ONE_BY_ONE = MILLISECOND // 2
BATCH = 3_000  # events
TABLES = {  # the floor's: what an event leaves behind, three log events included
    "events": "id TEXT, time INTEGER, source TEXT, type TEXT, subject TEXT, parent TEXT, data TEXT",
    "deliveries": "event_id TEXT, request_id TEXT, subscription TEXT, settled_at INTEGER, outcome TEXT",
    "invocations": "request_id TEXT, attempt INTEGER, function TEXT, version TEXT, invocation_type TEXT, "
    "source_arn TEXT, log_stream TEXT, queued_at INTEGER, started_at INTEGER, ended_at INTEGER, duration_ms REAL, "
    "billed_duration_ms INTEGER, init_duration_ms REAL, memory_size INTEGER, max_memory_used INTEGER, status TEXT, "
    "error_type TEXT, error_message TEXT, payload TEXT, response TEXT",
    "log_events": "id INTEGER PRIMARY KEY, log_stream_id INTEGER, request_id TEXT, timestamp INTEGER, "
    "ingestion_time INTEGER, level TEXT, message TEXT",
}
COLUMNS = {  # the names of those that are written; SQLite counts the log events itself
    table: [column.split()[0] for column in columns.split(", ") if "PRIMARY KEY" not in column]
    for table, columns in TABLES.items()
}
KEYS = [f"img/{n:08}.jpg" for n in range(1_000)]  # the bucket does not grow, so that what grows is the run


def handler(event: dict[str, Any], context: object) -> None:
    """What the event costs a real handler: it looks at it."""
    assert event["Records"][0]["s3"]["object"]["size"] == 1024


def arrange(sim: Simulation, count: int, takes: int = TAKES) -> None:
    """Have `count` objects put, one a millisecond of virtual time; an invocation takes `takes` nanoseconds."""
    function = sim.function("thumbs", handler=handler, memory_size=512, simulate={"duration": f"{takes // 1000}us"})
    bucket = sim.bucket(
        "uploads",
        notifications=[{"function": function, "events": ["s3:ObjectCreated:*"], "filter": {"prefix": "img/"}}],
    )

    def put(n: int) -> None:
        bucket.put_object(KEYS[n % len(KEYS)], BODY)
        if n + 1 < count:
            sim.timeline.after(GAP, put, n + 1)

    sim.timeline.at(0, put, 0)


def on_simbus(count: int, path: Path, takes: int = TAKES) -> str:
    """The run; its digest."""
    with Simulation(seed=1, db=path) as sim:
        arrange(sim, count, takes)
        sim.run()
    return run_digest(path)


def sample_rows(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of one warm invocation in a run file, to be written again by the floor."""
    database = sqlite3.connect(path)
    try:
        [(request, event)] = database.execute("SELECT request_id, event_id FROM deliveries LIMIT 1 OFFSET 40")
        wanted = {
            "events": f"id = '{event}'",
            "deliveries": f"event_id = '{event}'",
            "invocations": f"request_id = '{request}'",
            "log_events": f"request_id = '{request}' ORDER BY id",
        }
        return {
            name: database.execute(f"SELECT {', '.join(COLUMNS[name])} FROM {name} WHERE {where}").fetchall()
            for name, where in wanted.items()
        }
    finally:
        database.close()


def on_heapq(count: int, path: Path, rows: dict[str, list[tuple[Any, ...]]]) -> int:
    """The floor."""
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = OFF")
    inserts = {}
    for name, columns in TABLES.items():
        database.execute(f"CREATE TABLE {name} ({columns})")
        inserts[name] = f"INSERT INTO {name} ({','.join(COLUMNS[name])}) VALUES ({','.join('?' * len(COLUMNS[name]))})"
    [event_row], [delivery_row], [invocation_row] = rows["events"], rows["deliveries"], rows["invocations"]
    payload = invocation_row[-2]
    events: list[Any] = []
    deliveries: list[Any] = []
    invocations: list[Any] = []
    log_events: list[Any] = []
    lists = {"events": events, "deliveries": deliveries, "invocations": invocations, "log_events": log_events}

    def flush() -> None:
        database.execute("BEGIN")
        for name, batch in lists.items():
            database.executemany(inserts[name], batch)
            batch.clear()
        database.execute("COMMIT")

    heap: list[tuple[int, int, Any]] = [(0, 0, None)]
    put = seq = 0
    while heap:
        now, _, request = heappop(heap)
        if request is None:
            put += 1
            request = f"{put:08x}-0000-4000-8000-{put:012x}"
            events.append((request, now, *event_row[2:]))
            seq += 2
            heappush(heap, (now + TAKES, seq, request))
            if put < count:
                heappush(heap, (now + GAP, seq + 1, None))
            continue
        handler(json.loads(payload), None)
        deliveries.append((request, request, delivery_row[2], now, delivery_row[4]))
        invocations.append((request, *invocation_row[1:7], now, now, now, *invocation_row[10:]))
        log_events.extend((row[0], request, now, now, None, row[5]) for row in rows["log_events"])
        if len(invocations) == BATCH:
            flush()
    flush()
    database.close()
    return put


def floor(count: int, directory: Path) -> Contender:
    """The floor as a contender, for the other benchmarks of rows, too."""
    run, file = directory / "sample.db", directory / "floor.db"
    on_simbus(200, run)
    rows = sample_rows(run)

    def once() -> int:
        file.unlink(missing_ok=True)
        return on_heapq(count, file, rows)

    return Contender("bare heapq and executemany", count, once)


def run(size: Size) -> Result:
    """simbus with one environment and with twenty at once, beside the floor."""
    count = size.of(100_000, 300)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        run = directory / "run.db"
        measured = in_turn(
            size.times,
            floor(count, directory),
            Contender("simbus, one environment", count, lambda: on_simbus(count, run, ONE_BY_ONE)),
            Contender("simbus, 20 environments", count, lambda: on_simbus(count, run)),
        )
        bytes_each = run.stat().st_size / count
    bare, alone, many = measured
    ratios = (
        speed(alone, bare, least=0.8),
        speed(many, bare, least=0.8),
        speed(alone, bare, by="wall"),
        Ratio(f"{many.name}: events a second of CPU", 1e6 / many.cpu_us),
    )
    return Result(QUESTION, "event", tuple(measured), ratios, (f"{bytes_each:,.0f} bytes of run file an event",))
