"""What a recording costs: the same workload run, run and recorded, and replayed from the file.

An object is put, and a modelled function invoked with its event; every row is in the run file. Both ways do the same
work: the digest of the run is the one beside each figure. All figures are CPU time of all threads. `--memory` reads a
recording alone, and says what the longest one needs at its peak.
"""

from __future__ import annotations

import argparse
import tempfile
import tracemalloc
from pathlib import Path

from benchmarks.harness import best_in_turn, ratio
from simbus import Simulation
from simbus.recording.source import open_input
from simbus.scenario.build import build
from simbus.scenario.loader import load

SCENARIO = """
functions: {{work: {{memory_size: 512, simulate: {{duration: 20ms, init_duration: 0ms}}}}}}
buckets: {{uploads: {{notifications: [{{function: work, events: ["s3:ObjectCreated:*"]}}]}}}}
workload:
  - {{put_object: {{bucket: uploads, key: "images/{{n}}.jpg", size: 100KB}}, rate: 1000/s, count: {count}}}
"""


def run(scenario: Path, db: Path, record: Path | None = None) -> str:
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


def main(count: int = 40_000, times: int = 3) -> list[str]:
    """The lines of this benchmark."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        scenario, db, plain = _scenario(directory, count), directory / "run.db", directory / "puts.jsonl"
        run(scenario, db, plain)
        direct, recorded, replayed = best_in_turn(
            times,
            count,
            {
                "the workload": lambda: run(scenario, db),
                "the workload, recorded": lambda: run(scenario, db, directory / "again.jsonl"),
                "its recording, replayed": lambda: replay(scenario, db, plain),
            },
        )
        size = plain.stat().st_size / count
    lines = [each.line() for each in (direct, recorded, replayed)]
    lines += [ratio("recording", recorded, direct), ratio("replay", replayed, direct)]
    return [*lines, f"{size:,.0f} bytes an operation"]


def memory(counts: tuple[int, ...] = (10_000, 100_000)) -> list[str]:
    """The peak of reading recordings of growing length."""
    lines = []
    with tempfile.TemporaryDirectory() as name:
        for count in counts:
            path = Path(name, "puts.jsonl")
            run(_scenario(Path(name), count), Path(name, "run.db"), path)
            found, peak = peak_memory(path)
            lines.append(f"{found:>9,} operations of {path.stat().st_size / 1e6:6.1f} MB read with {peak:5.2f} MB")
    return lines


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=40_000)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--memory", action="store_true", help="the peak memory of reading, for growing recordings")
    arguments = parser.parse_args()
    print("\n".join(memory() if arguments.memory else main(arguments.count, arguments.times)))
