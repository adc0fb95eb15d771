"""A breakpoint inside a handler: the debugger talks to the console, and the run goes on as if nothing had been."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEST = """
import time

def handler(event, context):
    total = event["n"] + 1
    BREAK
    time.sleep(3600)
    print("after the breakpoint")
    return total

def test_it(simulation):
    function = simulation.function("f", handler=handler, timeout=900)
    function.invoke({"n": 41}, invocation_type="Event")
    simulation.run(for_="1s")
    with simulation.reader() as rows:
        assert list(rows.log_events("f", filter="breakpoint")) == []

if __name__ == "__main__":
    from simbus import Simulation
    with Simulation(handler_guard=0.2) as sim:
        function = sim.function("f", handler=lambda event, context: handler(event, context) , timeout=900)
        function.invoke({"n": 41}, invocation_type="Event")
        sim.run()
        [attempt] = function.invocations
        print("ended", attempt.status, attempt.duration_ms)
        with sim.reader() as rows:
            print("logged", [row.message for row in rows.log_events("f", filter="breakpoint")])
"""
COMMANDS = """p total
p sum(1 for _ in range(3_000_000))
!print("typed", event)
n
c
"""


def talk(folder: Path, break_: str, *command: str) -> str:
    """Run a file whose handler stops, type the commands, and return what the console shows."""
    (folder / "test_it.py").write_text(TEST.replace("BREAK", break_).replace("3600)", "36)"))
    found = subprocess.run(
        [sys.executable, *command],
        input=COMMANDS,
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    return found.stdout + found.stderr


@pytest.mark.parametrize("break_", ["breakpoint()", "import pdb; pdb.set_trace()"])
def test_in_a_script(tmp_path: Path, break_: str) -> None:
    """Values, steps and printing; the guard of 0.2 s of CPU time does not end what the debugger makes slow."""
    shown = talk(tmp_path, break_, "test_it.py")
    assert "(Pdb) 42" in shown
    assert "(Pdb) 3000000" in shown
    assert "typed {'n': 41}" in shown
    assert "ended ok 36001.0" in shown
    assert "logged ['after the breakpoint\\n']" in shown


def test_under_pytest(tmp_path: Path) -> None:
    """pytest's own debugger takes its output back meanwhile."""
    shown = talk(
        tmp_path, "breakpoint()", "-m", "pytest", "-p", "simbus.testing", "-p", "no:cacheprovider", "test_it.py"
    )  # fmt: skip
    assert "PDB set_trace (IO-capturing turned off)" in shown
    assert "(Pdb) 42" in shown
    assert "typed {'n': 41}" in shown
    assert "1 passed" in shown
