"""Scenarios with faults, and what their rows say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from simbus.logs.reader import open_run
from simbus.scenario.build import RunResult, run_scenario
from simbus.scenario.loader import load


def run(folder: Path, text: str, fault: str = "", **options: Any) -> RunResult:
    """Run a scenario with these faults into `run.db` of the folder."""
    faults = f"\nfaults: [{fault}]" if fault else ""
    (folder / "s.yaml").write_text(text + faults)
    return run_scenario(load(folder / "s.yaml"), db=folder / "run.db", **options)


def ask(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    """What the run file of the last run answers."""
    with open_run(folder / "run.db") as rows:
        return [tuple(row) for row in rows.query(sql)]


def told(folder: Path) -> list[str]:
    """What the faults say of themselves, in the order of time."""
    return [detail for (detail,) in ask(folder, "SELECT detail FROM hops WHERE kind = 'fault' ORDER BY time, rowid")]


def statuses(folder: Path) -> dict[str, int]:
    """How many attempts had which status."""
    return dict(ask(folder, "SELECT status, count(*) FROM invocations GROUP BY status"))  # type: ignore[arg-type]
