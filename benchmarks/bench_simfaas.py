"""How many requests a second, beside SimFaaS, the simulator of serverless functions on PyPI?

Poisson arrivals, exponential service times, three workloads: SimFaaS's own example (0.9 requests a second of 2 s, so
that few instances live), bench_invoke's (1,000 a second of 20 ms), and a load test (5,000 a second of 100 ms). SimFaaS
looks at every instance at every event. A cold start takes longer, and an instance is gone after ten idle minutes.
simbus writes all rows of each invocation of a modelled function; SimFaaS keeps counts and lists in memory. They draw
their own numbers.
"""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from benchmarks.harness import (
    Contender,
    Measured,
    Own,
    Ratio,
    Result,
    Size,
    absent,
    in_process,
    in_turn,
    peer,
    run_digest,
    speed,
)
from simbus.scenario.build import build
from simbus.scenario.loader import load

QUESTION = "How many requests of a modelled function a second, all rows written, beside SimFaaS, which writes none?"
SCENARIO = """
functions:
  work:
    timeout: 900
    simulate: {{duration: {{exponential: {warm}ms}}, init_duration: {{exponential: {init}ms}}, idle_timeout: 10m}}
workload: [{{invoke: {{function: work}}, rate: {rate}/s, count: {count}}}]
"""


class Workload(NamedTuple):
    """Requests a second, mean service time of a warm and a cold start in seconds, and how many requests."""

    name: str
    rate: float
    warm: float
    cold: float
    count: int


WORKLOADS = (
    Workload("few instances", 0.9, 2.016, 2.163, 30_000),
    Workload("40 instances", 1_000, 0.02, 0.1, 20_000),
    Workload("600 instances", 5_000, 0.1, 0.15, 20_000),
)


def on_simbus(workload: Workload, count: int, directory: Path) -> str:
    """Play it; the run's digest."""
    scenario, db = directory / "work.yaml", directory / "work.db"
    init = round((workload.cold - workload.warm) * 1000)
    warm = round(workload.warm * 1000)
    scenario.write_text(SCENARIO.format(warm=warm, init=init, rate=workload.rate, count=count))
    simulation, plan = build(load(scenario), db=db)
    with simulation:
        simulation.play(plan.until, idle=False)
        simulation.finish()
    return run_digest(db)


def _counts(db: Path) -> str:
    with closing(sqlite3.connect(db)) as database:
        [(requests, cold)] = database.execute("SELECT count(*), count(init_duration_ms) FROM invocations")
    return f"{requests:,} requests, {cold:,} cold starts"


def _pair(workload: Workload, size: Size, directory: Path, python: str | None) -> tuple[list[Measured], list[str]]:
    """One workload on both simulators, SimFaaS in that Python, and what each counted."""
    count = size.of(workload.count, 100)
    counted: dict[str, str] = {}

    def ours() -> str:
        return on_simbus(workload, count, directory)

    def theirs() -> Own:
        found = in_process("peer_simfaas", count, workload.rate, workload.warm, workload.cold, python=python)
        requests, cold, _ = map(int, found["work"].split())
        counted["SimFaaS"] = f"{requests:,} requests, {cold:,} cold starts"
        return Own(**found)

    contenders = [Contender(f"simbus, {workload.name}", count, ours)]
    if python is not None:
        contenders.append(Contender(f"SimFaaS, {workload.name}", count, theirs))
    measured = in_turn(size.times, *contenders)
    counted = {"simbus": _counts(directory / "work.db"), **counted}
    return measured, [f"{name}, {workload.name}: {counts}" for name, counts in counted.items()]


def run(size: Size) -> Result:
    """The workloads on both simulators."""
    measured: list[Measured] = []
    ratios: list[Ratio] = []
    found = peer("simfaas")
    notes = [] if found else [absent("simfaas")]
    with tempfile.TemporaryDirectory() as name:
        for workload in WORKLOADS:
            pair, counted = _pair(workload, size, Path(name), found and found[0])
            measured += pair
            ratios += [speed(pair[0], other, least=5) for other in pair[1:]]
            notes += counted
    return Result(QUESTION, "request", tuple(measured), tuple(ratios), tuple(notes))
