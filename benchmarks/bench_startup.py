"""How long does `simbus run` of a one-event scenario take, beside Python that imports its largest libraries?

All are processes of their own, started by this one, after a first run that wrote the byte code.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.harness import ROOT, Contender, Result, Size, in_turn, run_digest, slowness

QUESTION = "How long does `simbus run` of a one-event scenario take, from the shell and back?"
SCENARIO = """
functions: {hello: {}}
workload: [{invoke: {function: hello}, at: 0s}]
expect: [{function: hello, invocations: 1}]
"""
LIBRARIES = "typer, anyio, aiosqlite, structlog"


def python(*arguments: str) -> str:
    """Run Python; what it printed. Raises where it failed."""
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def simbus_run(scenario: Path) -> str:
    """The command in its process; the digest of its run file."""
    db = scenario.with_suffix(".db")
    python("-m", "simbus", "run", str(scenario), "--db", str(db))
    return run_digest(db)


def run(size: Size) -> Result:
    """The command, the imports, and Python alone."""
    with tempfile.TemporaryDirectory() as name:
        scenario = Path(name, "hello.yaml")
        scenario.write_text(SCENARIO)
        imports = f"import {LIBRARIES}"
        if size.share >= 1:  # to write the byte code; a small run only shows that it works
            simbus_run(scenario), python("-c", imports)
        measured = in_turn(
            size.of(5, 1) * size.times,
            Contender("python -c pass", 1, lambda: python("-c", "pass")),
            Contender(f"import {LIBRARIES}", 1, lambda: python("-c", imports)),
            Contender("simbus run", 1, lambda: simbus_run(scenario)),
        )
    bare, libraries, ours = measured
    ratios = (
        slowness(ours, libraries, most=2.5),
        slowness(ours, libraries, by="wall", most=2.5),
        slowness(ours, bare, by="wall"),
    )
    return Result(QUESTION, "start", tuple(measured), ratios)
