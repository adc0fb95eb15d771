"""Recording and replaying, as tests ask for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from simbus import Simulation
from simbus.cli import app
from simbus.logs.reader import open_run

Build = Callable[[Simulation], object]


def simbus(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def lines(path: Path) -> list[dict[str, Any]]:
    """The lines of a recording."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def operations(path: Path) -> list[dict[str, Any]]:
    """Those that a replay does again."""
    return [line for line in lines(path)[1:] if "parent" not in line]


def digest(path: Path) -> str:
    """The digest of a run file."""
    with open_run(path) as run:
        return str(run.run["digest"])


def recorded(path: Path, build: Build, act: Build, **settings: Any) -> str:
    """Build a simulation, do something to it while it is recorded; the digest of the run."""
    with Simulation(seed=3, record=path, **settings) as sim:
        build(sim)
        act(sim)
        sim.finish()
        return sim.digest()


def replayed(path: Path, build: Build, **settings: Any) -> str:
    """Build the same simulation and replay the recording; the digest of the run."""
    with Simulation(seed=3, **settings) as sim:
        build(sim)
        sim.replay(path)
        sim.run()
        sim.finish()
        return sim.digest()
