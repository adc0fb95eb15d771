"""Does cost grow linearly, in flat memory? Runs of 10^4 to 10^6 invocations, and of 10^7 with --full, and their files.

The workload is that of bench_invoke. Each run has a process of its own, which says what its time was, the end of the
run (indexes, one file) included, and the most memory that it had. The queries are what users ask of a run file.
"""

from __future__ import annotations

import json
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.bench_invoke import arrange
from benchmarks.harness import ROOT, Contender, Measured, Own, Ratio, Result, Size, cpu, in_process, in_turn, run_digest
from simbus import Simulation

QUESTION = "Does cost grow linearly, in flat memory, to a million invocations (--full: ten), and do queries stay fast?"
QUERIES = {
    "one request's logs": "SELECT message FROM log_events WHERE request_id = :request ORDER BY id",
    "one event's invocations": "SELECT i.status FROM deliveries d JOIN invocations i USING (request_id) "
    "WHERE d.event_id = :event",
    "a function's error rows": "SELECT count(*) FROM invocations WHERE function = 'thumbs' AND status != 'ok'",
}


def peak_mb() -> float:
    """The most memory that this process has had so far. (Linux's getrusage also counts that of who started it.)"""
    try:
        [line] = [each for each in Path("/proc/self/status").read_text().splitlines() if each.startswith("VmHWM")]
        return int(line.split()[1]) / 2**10
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (2**20 if sys.platform == "darwin" else 2**10)


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def questions(path: Path) -> dict[str, float]:
    """Seconds of each query, for one in the middle of the file; of `simbus explain` and `report`, with their start."""
    with closing(sqlite3.connect(path)) as database:
        [(last,)] = database.execute("SELECT max(rowid) FROM deliveries")
        [(event, request)] = database.execute(
            "SELECT event_id, request_id FROM deliveries WHERE rowid = ?", [last // 2 + 1]
        )
        names = {"event": event, "request": request}
        seconds = {
            name: _timed(lambda sql=query: database.execute(sql, names).fetchall())  # type: ignore[misc]
            for name, query in QUERIES.items()
        }
    for name, words in {"explain": (event,), "report": ("--json",)}.items():
        command = [sys.executable, "-m", "simbus", name, str(path), *words]
        seconds[f"simbus {name}"] = _timed(
            lambda command=command: subprocess.run(command, cwd=ROOT, capture_output=True, check=True)  # type: ignore[misc]
        )
    return seconds


def point(count: int, path: Path) -> dict[str, Any]:
    """One run of this process: its seconds, those of its end, its peak of memory."""
    before, began = cpu(), time.perf_counter()
    with Simulation(seed=1, db=path) as sim:
        arrange(sim, count)
        sim.run()
        ran = time.perf_counter()
    ended = time.perf_counter()
    own = {"cpu": cpu() - before, "wall": ended - began, "work": run_digest(path)}
    return {**own, "end": ended - ran, "peak": peak_mb()}


def run(size: Size) -> Result:
    """A point for each power of ten."""
    counts = [size.of(10**power, 50 * power) for power in ((4, 5, 6, 7) if size.full else (4, 5, 6))]
    peaks: dict[int, float] = {}
    ends: dict[int, float] = {}
    measured: list[Measured] = []
    notes = []
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "run.db")
        for count in counts:

            def once(count: int = count) -> Own:
                found = in_process("bench_scale", count, path)
                peaks[count], ends[count] = found.pop("peak"), found.pop("end")
                return Own(**found)

            times = size.times if count < 10**6 else 1
            measured += in_turn(times, Contender(f"simbus, {count:,} invocations", count, once))
            asked = ", ".join(f"{query} {seconds * 1e3:,.1f} ms" for query, seconds in questions(path).items())
            file = f"file {path.stat().st_size / 1e6:,.0f} MB, indexed in {ends[count]:.1f} s"
            notes.append(f"{count:,}: peak {peaks[count]:.0f} MB, {file}; {asked}")
    costs = [each.cpu_us for each in measured]
    grown = max(peaks[count] for count in counts[1:]) - peaks[counts[1]]
    ratios = (
        Ratio("CPU time an invocation, the dearest run over the cheapest", max(costs) / min(costs), most=1.2),
        Ratio(f"peak memory of longer runs over that of {counts[1]:,}", grown, most=20, unit=" MB"),
    )
    return Result(QUESTION, "invocation", tuple(measured), ratios, tuple(notes))


if __name__ == "__main__":
    print(json.dumps(point(int(sys.argv[1]), Path(sys.argv[2]))))
