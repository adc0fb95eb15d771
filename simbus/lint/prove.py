"""Plays the small scenarios of a proof and measures their figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from simbus.expectations.comparison import Kind, shown
from simbus.expectations.figures import FIGURES
from simbus.expectations.item import SOURCES
from simbus.expectations.rows import Subject
from simbus.lint.rule import Proof
from simbus.scenario.build import build
from simbus.scenario.loader import load_data

Data = dict[str, Any]


class Measured(NamedTuple):
    """One figure as it is and mended; None: there is none."""

    what: str
    kind: Kind
    found: float | None
    mended: float | None

    def texts(self) -> tuple[str, str]:
        """Both for people."""
        found, mended = ("nothing" if each is None else shown(each, self.kind) for each in (self.found, self.mended))
        return found, mended


def prove(proof: Proof, folder: Path) -> list[Measured]:
    """The figures of a proof. Paths in its scenarios are absolute, or begin at `folder`."""
    before, after = (_play(data, proof.figures, folder) for data in (proof.damaged, proof.mended))
    return [Measured(what, FIGURES[name].kind, found, after[what, name]) for (what, name), found in before.items()]


def _play(data: Data, figures: tuple[Data, ...], folder: Path) -> dict[tuple[str, str], float | None]:
    simulation, plan = build(load_data(json.dumps(data).encode(), "the proof", folder))
    with simulation:
        simulation.play(plan.until, idle=False)
        simulation.finish()
        found: dict[tuple[str, str], float | None] = {}
        with simulation.reader() as rows:
            for item in figures:
                subject, name = _read(item)
                figure = FIGURES[name].at_end
                assert figure is not None
                found[f"{subject} {name}", name] = figure(rows, subject)
        return found


def _read(item: Data) -> tuple[Subject, str]:
    name = next(key for key in item if key in FIGURES)
    source = next((f"{SOURCES[key]}:{item[key]}" for key in SOURCES if key in item), item.get("source"))
    return Subject(source, item.get("function")), name
