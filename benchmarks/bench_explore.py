"""How many seeds a second does `simbus run --seeds` play, with `--jobs 1` and `--jobs 2`?

A small scenario of two functions, a queue and faults, twenty events a run; no seed of it fails. CPU time is that of all
processes; wall time says how well the work is shared out, and only on a machine that is idle otherwise.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from benchmarks.harness import Contender, Result, Size, in_turn, speed
from simbus.exploration.exploration import explore

QUESTION = "How many seeds a second does `simbus run --seeds` play, with --jobs 1 and with --jobs 2?"
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


def run(size: Size) -> Result:
    """The same seeds in one process and in two; both come to the same document."""
    count = size.of(2_000, 10)
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "scenario.yaml")
        path.write_text(SCENARIO)
        measured = in_turn(
            size.times,
            *(
                Contender(f"--jobs {jobs}", count, lambda j=jobs: explore(path, seeds=count, jobs=j).document())  # type: ignore[misc]
                for jobs in (1, 2)
            ),
            by="wall",
        )
    one, two = measured
    notes = () if (os.cpu_count() or 1) > 1 else ("this machine has one core: two processes share it",)
    return Result(QUESTION, "seed", tuple(measured), (speed(two, one, least=1.7, by="wall"),), notes)
