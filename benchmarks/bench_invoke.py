"""The road of one event: an S3 put of 1 KB to the settled invocation of a real handler, with all rows in the run file.

The floor is a bare heapq loop in this script: for each event it decodes the same JSON and writes rows of the same
tables with the same bytes (events, deliveries, invocations, three log events) by executemany into a file in WAL mode,
synchronous off, as simbus does. (simbus has larger pages and more rows a statement, the floor SQLite's defaults.) It
has no semantics at all: no clock but a number, no limits, no retries, no digest, no index.
"""

from __future__ import annotations

import argparse
import json
import resource
import sqlite3
import sys
import tempfile
from heapq import heappop, heappush
from pathlib import Path
from typing import Any

from benchmarks import bench_kernel
from benchmarks.harness import best_in_turn, best_of, ratio
from simbus import Simulation
from simbus.kernel import MILLISECOND
from simbus.logs.schema import TABLES

BODY = b"x" * 1024
GAP = MILLISECOND
TAKES = 20 * MILLISECOND  # so that 20 invocations run at once, each in an environment of its own
ONE_BY_ONE = MILLISECOND // 2
BATCH = 3_000  # events
KEYS = [f"img/{n:08}.jpg" for n in range(1_000)]  # the bucket does not grow, so that what grows is the run


def handler(event: dict[str, Any], context: object) -> None:
    """What the event costs a real handler: it looks at it."""
    assert event["Records"][0]["s3"]["object"]["size"] == 1024


def on_simbus(count: int, path: Path, takes: int = TAKES) -> int:
    """Put `count` objects, one a millisecond of virtual time; an invocation takes `takes` nanoseconds."""
    with Simulation(seed=1, db=path) as sim:
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
        sim.run()
    return count


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
        columns = {table.name: ", ".join(table.names) for table in TABLES}
        return {
            name: database.execute(f"SELECT {columns[name]} FROM {name} WHERE {where}").fetchall()
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
    for table in TABLES:
        if table.name in rows:
            database.execute(table.ddl)
            inserts[table.name] = table.insert(1)
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


def peak_memory_mb() -> float:
    """The most memory that this process has had so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def main(count: int = 100_000, times: int = 5) -> list[str]:
    """The lines of this benchmark."""
    with tempfile.TemporaryDirectory() as directory:
        run, floor_file = Path(directory, "run.db"), Path(directory, "floor.db")
        on_simbus(200, run)
        rows = sample_rows(run)

        def floor_once() -> int:
            floor_file.unlink(missing_ok=True)
            return on_heapq(count, floor_file, rows)

        contenders = {
            "bare heapq and executemany": floor_once,
            "simbus, one environment": lambda: on_simbus(count, run, ONE_BY_ONE),
            "simbus, 20 environments": lambda: on_simbus(count, run),
        }
        floor, alone, ours = best_in_turn(times, count, contenders)
    return [
        floor.line(),
        alone.line(),
        ours.line(),
        ratio("invoke, one environment", alone, floor),
        ratio("invoke, 20 environments", ours, floor),
        f"wall time: {floor.wall / alone.wall:.2f} and {floor.wall / ours.wall:.2f} times the floor's speed",
        f"peak memory {peak_memory_mb():.0f} MB",
    ]


def growth(counts: tuple[int, ...]) -> list[str]:
    """Time per invocation and peak memory as a run grows."""
    lines = []
    with tempfile.TemporaryDirectory() as directory:
        for count in counts:
            measured = best_of(
                1, f"{count:,} invocations", count, lambda n=count: on_simbus(n, Path(directory, "r.db"))
            )
            lines.append(f"{measured.line()}  peak {peak_memory_mb():.0f} MB")
    return lines


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--growth", action="store_true", help="10,000 to 1,000,000 invocations: time and memory")
    arguments = parser.parse_args()
    if arguments.growth:
        print("\n".join(growth((10_000, 100_000, 1_000_000))))
    else:
        print("\n".join([*main(arguments.count, arguments.times), *bench_kernel.main()]))
