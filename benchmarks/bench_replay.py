"""What do recording and replaying cost? One workload run, run and recorded, and replayed from the file.

An object is put, and a modelled function invoked with its event; every row is in the run file. Both ways do the same
work: the digest of the run is the one beside each figure. A recording is read twice, and never as
a whole: the peak memory of reading it alone is noted.
"""

from __future__ import annotations

import tempfile
import tracemalloc
from pathlib import Path

from benchmarks.harness import Contender, Result, Size, in_turn, speed
from simbus import Simulation
from simbus.recording.source import open_input
from simbus.scenario.build import build
from simbus.scenario.loader import load

QUESTION = "What do recording a workload and replaying the recording cost, beside the workload itself?"
SCENARIO = """
functions: {{work: {{memory_size: 512, simulate: {{duration: 20ms, init_duration: 0ms}}}}}}
buckets: {{uploads: {{notifications: [{{function: work, events: ["s3:ObjectCreated:*"]}}]}}}}
workload:
  - {{put_object: {{bucket: uploads, key: "images/{{n}}.jpg", size: 100KB}}, rate: 1000/s, count: {count}}}
"""


def play(scenario: Path, db: Path, record: Path | None = None) -> str:
    """Play the workload; the digest of the run."""
    simulation, plan = build(load(scenario), db=db, record=record)
    with simulation:
        simulation.play(plan.until, idle=False)
        simulation.finish()
        return simulation.digest()


def replay(scenario: Path, db: Path, recording: Path) -> str:
    """Play the recording instead of the workload; the digest of the run."""
    simulation, plan = build(load(scenario), db=db, workload=False)
    with simulation:
        simulation.replay(recording)
        simulation.play(plan.until, idle=False)
        simulation.finish()
        return simulation.digest()


def peak_memory(recording: Path) -> tuple[int, float]:
    """How many operations a recording has, and the megabytes that reading it twice needs at the peak."""
    with Simulation() as sim:
        sim.bucket("uploads")
        tracemalloc.start()
        count = sum(1 for _ in open_input(recording, sim).operations())
        peak = tracemalloc.get_traced_memory()[1] / 1e6
        tracemalloc.stop()
    return count, peak


def _scenario(directory: Path, count: int) -> Path:
    path = directory / "puts.yaml"
    path.write_text(SCENARIO.format(count=count))
    return path


def run(size: Size) -> Result:
    """The three ways to the same rows."""
    count = size.of(40_000, 100)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        scenario, db, recording = _scenario(directory, count), directory / "run.db", directory / "puts.jsonl"
        play(scenario, db, recording)
        measured = in_turn(
            size.times,
            Contender("the workload", count, lambda: play(scenario, db)),
            Contender("the workload, recorded", count, lambda: play(scenario, db, directory / "again.jsonl")),
            Contender("its recording, replayed", count, lambda: replay(scenario, db, recording)),
        )
        found, peak = peak_memory(recording)
        mb = recording.stat().st_size / 1e6
    direct, recorded, replayed = measured
    note = f"{found:,} operations of {mb:,.1f} MB, {mb / found * 1e6:,.0f} bytes each, read with {peak:.2f} MB"
    return Result(QUESTION, "event", tuple(measured), (speed(recorded, direct), speed(replayed, direct)), (note,))
