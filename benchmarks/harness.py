"""One small harness: CPU time of all threads and wall time, best of N, a digest of the work beside each figure."""

from __future__ import annotations

import gc
import hashlib
import time
from collections.abc import Callable
from typing import NamedTuple


class Measured(NamedTuple):
    """One contender: seconds of CPU (all threads) and of wall clock for `count` units of work, and a digest of it."""

    name: str
    count: int
    cpu: float
    wall: float
    digest: str

    @property
    def cpu_us(self) -> float:
        return self.cpu / self.count * 1e6

    def line(self) -> str:
        return (
            f"{self.name:<28} {self.count:>9,} in {self.cpu:7.3f} s CPU {self.wall:7.3f} s wall "
            f"{self.cpu_us:8.2f} us each  work {self.digest}"
        )


def digest(*parts: object) -> str:
    """Eight hex digits that say whether two runs did the same work."""
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:8]


def measure(name: str, count: int, work: Callable[[], object]) -> Measured:
    """Do `work` once. It returns what its digest is made of."""
    gc.collect()
    cpu, wall = time.process_time(), time.perf_counter()
    result = work()
    return Measured(name, count, time.process_time() - cpu, time.perf_counter() - wall, digest(result))


def best_of(times: int, name: str, count: int, work: Callable[[], object]) -> Measured:
    """Do `work` that often and keep the run with the least CPU time."""
    return min((measure(name, count, work) for _ in range(times)), key=lambda run: run.cpu)


def best_in_turn(times: int, count: int, contenders: dict[str, Callable[[], object]]) -> list[Measured]:
    """The best run of each contender, who take turns: a machine that slows down meanwhile slows all of them."""
    runs = [[measure(name, count, work) for name, work in contenders.items()] for _ in range(times)]
    return [min(own, key=lambda run: run.cpu) for own in zip(*runs, strict=True)]


def ratio(what: str, ours: Measured, other: Measured) -> str:
    """One line: how many times as fast as the other, in CPU time and in wall time."""
    return f"{what}: {other.cpu_us / ours.cpu_us:.2f} times {other.name} in CPU time"
