"""The small harness of all benchmarks: contenders in turn, the best of N, and a digest of the work beside each figure.

CPU time is that of all threads and of the processes that a contender has ended; the garbage of the one before is
collected first. Other programs' use of the machine is noted with each measurement: beside a busy neighbour no ratio is
worth much.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
BUSY = 0.2  # of one core, used by others, from which on a measurement is called disturbed
_BY = {"cpu": "CPU time", "wall": "wall time"}
PEERS_PYTHON = "SIMBUS_PEERS_PYTHON"  # a Python of another environment, for peers that don't get on with this one


class Size(NamedTuple):
    """How much is done: the share of each benchmark's usual work, how often, and whether the longest points, too."""

    share: float = 1.0
    times: int = 3
    full: bool = False

    def of(self, count: int, least: int = 1) -> int:
        return max(least, round(count * self.share))


class Own(NamedTuple):
    """What a contender returns that has measured itself: seconds, and what its digest is made of."""

    cpu: float
    wall: float
    work: object


class Contender(NamedTuple):
    """`run` does `count` units of work and returns what the digest of the work is made of, or an `Own`."""

    name: str
    count: int
    run: Callable[[], object]


class Measured(NamedTuple):
    """One run of a contender: seconds of CPU and of wall clock, a digest, and the cores that others used meanwhile."""

    name: str
    count: int
    cpu: float
    wall: float
    work: str
    others: float

    @property
    def cpu_us(self) -> float:
        return self.cpu / self.count * 1e6

    @property
    def wall_us(self) -> float:
        return self.wall / self.count * 1e6


class Ratio(NamedTuple):
    """One figure that the benchmark is there for, with its target where it has one: at `least` or at `most`."""

    text: str
    value: float
    least: float | None = None
    most: float | None = None
    unit: str = ""

    @property
    def met(self) -> bool | None:
        if self.least is None and self.most is None:
            return None
        return (self.least is None or self.value >= self.least) and (self.most is None or self.value <= self.most)


class Result(NamedTuple):
    """What one benchmark found. `unit` is what is counted; `notes` are facts that are no ratio, and what is missing."""

    question: str
    unit: str
    measured: tuple[Measured, ...]
    ratios: tuple[Ratio, ...]
    notes: tuple[str, ...] = ()


def digest(*parts: object) -> str:
    """Eight hex digits that say whether two runs did the same work."""
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:8]


def run_digest(path: Path) -> str:
    """The digest of a finished run, from its file."""
    with closing(sqlite3.connect(path)) as database:
        [(found,)] = database.execute("SELECT value FROM run WHERE key = 'digest'")
    return str(found)


def cpu() -> float:
    """Seconds of CPU of all threads of this process and of the processes that it has ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


def _machine() -> float | None:
    """Seconds that the machine's cores have worked since it started; None where the system does not say."""
    try:
        user, nice, system, _, _, *interrupts = map(int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9])
    except OSError:
        return None
    return (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")


def measure(contender: Contender) -> Measured:
    """Let it run once."""
    gc.collect()
    machine, cpu_before, began = _machine(), cpu(), time.perf_counter()
    work = contender.run()
    used, seconds, after = cpu() - cpu_before, time.perf_counter() - began, _machine()
    if machine is None or after is None:
        others = max(0.0, os.getloadavg()[0] - used / seconds)
    else:
        others = max(0.0, after - machine - used - 0.05) / seconds  # 0.05: the machine counts in hundredths
    if isinstance(work, Own):
        used, seconds, work = work
    return Measured(contender.name, contender.count, used, seconds, digest(work), others)


def in_turn(times: int, *contenders: Contender, by: str = "cpu") -> list[Measured]:
    """The best run of each contender, by CPU or wall time. They take turns: a machine that slows down slows all."""
    runs = [[measure(contender) for contender in contenders] for _ in range(times)]
    return [min(own, key=lambda run: getattr(run, by)) for own in zip(*runs, strict=True)]


def speed(ours: Measured, other: Measured, least: float | None = None, by: str = "cpu") -> Ratio:
    """How many times as fast as the other, for one unit of work in CPU (or wall) time."""
    value = getattr(other, f"{by}_us") / max(getattr(ours, f"{by}_us"), 1e-9)
    return Ratio(f"{ours.name}: its speed over that of {other.name}, {_BY[by]}", value, least=least)


def slowness(ours: Measured, other: Measured, most: float | None = None, by: str = "cpu") -> Ratio:
    """How many times as long as the other."""
    value = getattr(ours, f"{by}_us") / max(getattr(other, f"{by}_us"), 1e-9)
    return Ratio(f"{ours.name}: its time over that of {other.name}, {_BY[by]}", value, most=most)


@cache
def peer(package: str) -> tuple[str, str] | None:
    """The Python that has this peer, this one or that of $SIMBUS_PEERS_PYTHON, and its version; None: neither."""
    code = f"import importlib.metadata; print(importlib.metadata.version({package!r}))"
    another = os.environ.get(PEERS_PYTHON)
    if another and shutil.which(another) is None:
        raise SystemExit(f"${PEERS_PYTHON} is {another}: no such program; it names a Python. Correct it, or unset it.")
    for python in filter(None, (sys.executable, another)):
        found = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
        if found.returncode == 0:
            return python, found.stdout.strip()
    return None


def absent(package: str) -> str:
    """The note of a benchmark that goes on without this peer."""
    return f"{package} is not installed: pip install 'simbus[bench]', or name the Python that has it in ${PEERS_PYTHON}"


def in_process(module: str, *arguments: object, python: str | None = None) -> dict[str, Any]:
    """What `python -m benchmarks.MODULE ARGUMENTS` prints as JSON: a measurement that wants a process of its own."""
    command = [python or sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with status {done.returncode}:\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@contextmanager
def byte_code() -> Iterator[None]:
    """Processes that are started meanwhile write byte code and find it, as a user's do; into a directory of its own."""
    before = dict(os.environ)
    with tempfile.TemporaryDirectory() as directory:
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = directory
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


def by_peer(package: str, module: str, *arguments: object) -> Callable[[], Own]:
    """A contender's run that lets the Python that has the peer run the module, which measures itself."""
    found = peer(package)
    assert found is not None

    def run() -> Own:
        return Own(**in_process(module, *arguments, python=found[0]))

    return run


def report(work: Callable[[], object]) -> None:
    """The other end of `by_peer`: do it once, and print what it cost as JSON."""
    gc.collect()
    before, began = cpu(), time.perf_counter()
    done = work()
    print(json.dumps({"cpu": cpu() - before, "wall": time.perf_counter() - began, "work": str(done)}))
