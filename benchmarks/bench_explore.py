"""`simbus run --seeds`: seeds a second, in one process and in several.

A small scenario of two functions, a queue and faults, twenty events a run; no seed of it fails. CPU time is that of all
processes. Wall time says how well the work is shared out: it only tells something on a machine that is idle otherwise.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

from benchmarks.harness import digest
from simbus.exploration.exploration import explore

SCENARIO = """
functions: {charge: {simulate: {duration: {exponential: 100ms}, error_rate: 0.01}}, work: {}}
queues: {jobs: {}}
event_source_mappings: [{event_source: "sqs:jobs", function: work}]
workload:
  - {invoke: {function: charge, invocation_type: Event}, count: 10, over: 10s}
  - {send_message: {queue: jobs, message_body: "{n}"}, count: 10, over: 10s}
faults: [{queue: jobs, duplicate_rate: 0.1}]
expect: [{queue: jobs, messages: 0}]
"""


def cpu() -> float:
    """Seconds of CPU of this process and of those that it has ended."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def seeds(path: Path, count: int, jobs: int) -> tuple[float, float, str]:
    """CPU and wall time in seconds of that many seeds, and a digest of what came of them."""
    before, began = cpu(), time.perf_counter()
    found = explore(path, seeds=count, jobs=jobs)
    seconds = time.perf_counter() - began
    return cpu() - before, seconds, digest(found.document())


def main(count: int = 2_000, times: int = 3, most_jobs: int = 2) -> list[str]:
    """The lines of this benchmark."""
    lines = []
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "scenario.yaml")
        path.write_text(SCENARIO)
        alone = 0.0
        for jobs in range(1, most_jobs + 1):
            runs = [seeds(path, count, jobs) for _ in range(times)]
            used, wall, work = min(runs, key=lambda run: run[1])
            alone = alone or wall
            lines.append(
                f"{jobs} jobs  {count / wall:8,.0f} seeds/s  {wall / count * 1e3:6.2f} ms wall  "
                f"{used / count * 1e3:6.2f} ms CPU a seed  {alone / wall:4.2f} times 1 job  work {work}"
            )
    return lines


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2_000)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    print("\n".join(main(arguments.count, arguments.times, arguments.jobs)))
