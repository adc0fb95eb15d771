"""Records through each event source mapping, in batches of 10 and of 100, and the filters in their way.

A record has 1 KB. It is put alone, read by the mapping, goes to a real handler in its batch, and is settled; every row
is in the run file. All figures are CPU time of all threads. The floor is that of bench_invoke: a bare loop that decodes
one event of 1 KB and writes its rows.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.bench_invoke import on_heapq, on_simbus, sample_rows
from benchmarks.harness import Measured, best_of
from simbus import Simulation
from simbus.filtering import compile_filter_pattern
from simbus.kernel import MILLISECOND

BODY = json.dumps({"page": "/", "text": "x" * 1000})
SHARDS = 4
PATTERN = {"body": {"page": [{"prefix": "/"}], "n": [{"numeric": [">", 10, "<", 1000]}], "gone": [{"exists": False}]}}


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


def through_mapping(source: str, batch: int, count: int, path: Path) -> tuple[int, int]:
    """Put `count` records, one a millisecond; returns how many were processed and in how many invocations."""
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
        with sim.reader() as rows:
            [(processed,)] = rows.query("SELECT count(*) FROM deliveries WHERE outcome = 'ok'")
            [(invocations,)] = rows.query("SELECT count(*) FROM invocations")
    return processed, invocations


def filters(count: int) -> int:
    """Match `count` records against a filter of three conditions; returns how many passed."""
    matches = compile_filter_pattern(PATTERN).matches
    records = [{"body": {"page": "/a", "n": n}} for n in range(1000)]
    return sum(matches(records[n % 1000]) for n in range(count))


def _line(name: str, measured: Measured, floor: Measured, work: tuple[int, int]) -> str:
    per_second = measured.count / measured.cpu
    average = work[0] / work[1]
    return (
        f"{name:<24} {per_second:>9,.0f} records a second, {floor.cpu_us / measured.cpu_us:5.2f} of the floor, "
        f"{average:5.1f} an invocation  work {measured.digest}"
    )


def main(count: int = 40_000, times: int = 3) -> list[str]:
    """The lines of this benchmark."""
    lines = []
    with tempfile.TemporaryDirectory() as directory:
        run, floor_file = Path(directory, "run.db"), Path(directory, "floor.db")
        on_simbus(200, run)
        rows = sample_rows(run)

        def floor_once() -> int:
            floor_file.unlink(missing_ok=True)
            return on_heapq(count, floor_file, rows)

        floor = best_of(times, "bare heapq and executemany", count, floor_once)
        single = best_of(times, "S3, one event each", count, lambda: on_simbus(count, run))
        lines += [floor.line(), single.line()]
        for source in SOURCES:
            for batch in (10, 100):
                work = through_mapping(source, batch, min(count, 1000), run)
                measured = best_of(
                    times,
                    source,
                    count,
                    lambda s=source, b=batch: through_mapping(s, b, count, run),  # type: ignore[misc]
                )
                lines.append(_line(f"{source}, batch {batch}", measured, floor, work))
    matched = best_of(times, "filters, 3 conditions", count * 10, lambda: filters(count * 10))
    lines.append(f"{matched.line()}  {matched.count / matched.cpu:,.0f} a second")
    return lines


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=40_000)
    parser.add_argument("--times", type=int, default=3)
    arguments = parser.parse_args()
    print("\n".join(main(arguments.count, arguments.times)))
