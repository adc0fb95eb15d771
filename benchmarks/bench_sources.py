"""How many records a second go through each event source mapping, one by one and in batches of 10 and 100?

A record has 1 KB. It is put alone, read by the mapping, goes to a real handler in its batch, and is settled; every row
is in the run file. The single-event path is that of bench_invoke: an S3 notification, one event an invocation.
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
BODY = json.dumps({"page": "/", "text": "x" * 1000})
SHARDS = 4
BATCHES = (1, 10, 100)


def handler(event: dict[str, Any], context: object) -> None:
    """What the batch costs a real handler: it looks at each record."""
    assert all("eventSourceARN" in record for record in event["Records"])


def _queue(sim: Simulation) -> tuple[Any, Callable[[int], object], dict[str, Any]]:
    queue = sim.queue("jobs", visibility_timeout=60)
    return queue, lambda n: queue.send_message(BODY), {"maximum_batching_window_in_seconds": 1}


def _stream(sim: Simulation) -> tuple[Any, Callable[[int], object], dict[str, Any]]:
    stream = sim.stream("clicks", shard_count=SHARDS)
    data = BODY.encode()
    return stream, lambda n: stream.put_record(data, f"user-{n % 1000}"), {"starting_position": "TRIM_HORIZON"}


def _table(sim: Simulation) -> tuple[Any, Callable[[int], object], dict[str, Any]]:
    table = sim.table("orders", hash_key="id", stream_view_type="NEW_IMAGE")
    text = {"S": BODY}
    put = table.put_item
    return table, lambda n: put({"id": {"S": str(n)}, "text": text}), {"starting_position": "TRIM_HORIZON"}


SOURCES = {"SQS": _queue, "Kinesis": _stream, "DynamoDB": _table}


def through_mapping(source: str, batch: int, count: int, path: Path) -> str:
    """Put `count` records, one a millisecond, and let the mapping read them; the run's digest."""
    with Simulation(seed=1, db=path) as sim:
        function = sim.function(
            "work", handler=handler, memory_size=512, timeout=3, simulate={"duration": "20ms", "init_duration": "0ms"}
        )
        origin, put, settings = SOURCES[source](sim)
        sim.event_source_mapping(origin, function, batch_size=batch, **settings)

        def arrive(n: int) -> None:
            put(n)
            if n + 1 < count:
                sim.timeline.after(MILLISECOND, arrive, n + 1)

        sim.timeline.at(0, arrive, 0)
        sim.run()
    return run_digest(path)


def processed(path: Path) -> tuple[int, int]:
    """How many records of a run were processed, and in how many invocations."""
    with closing(sqlite3.connect(path)) as database:
        [(records,)] = database.execute("SELECT count(*) FROM deliveries WHERE outcome = 'ok'")
        [(invocations,)] = database.execute("SELECT count(*) FROM invocations")
    return records, invocations


def run(size: Size) -> Result:
    """Each source with each batch size, the single-event path and the floor."""
    count = size.of(40_000, 300)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)

        def contender(source: str, batch: int) -> Contender:
            path = directory / f"{source}{batch}.db"
            return Contender(
                f"{source}, batches of {batch}", count, lambda: through_mapping(source, batch, count, path)
            )

        contenders = [contender(source, batch) for source in SOURCES for batch in BATCHES]
        bare, single, *mapped = in_turn(
            size.times,
            floor(count, directory),
            Contender("S3, one event an invocation", count, lambda: on_simbus(count, directory / "single.db")),
            *contenders,
        )
        notes = []
        for source in SOURCES:
            for batch in BATCHES:
                records, invocations = processed(directory / f"{source}{batch}.db")
                notes.append(f"{source}, {batch}: {records:,} records in {invocations:,} invocations")
    ratios: list[Ratio] = []
    for each, contender_ in zip(mapped, contenders, strict=True):
        if contender_.name.endswith(" 100"):
            ratios += [speed(each, single, least=5), speed(each, bare)]
    return Result(QUESTION, "record", (bare, single, *mapped), tuple(ratios), tuple(notes))
