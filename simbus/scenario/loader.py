"""From a scenario file to a checked Scenario."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from simbus.scenario.overrides import add_expectations, apply_overrides
from simbus.scenario.references import check_references
from simbus.scenario.schema import ScenarioFile
from simbus.scenario.source import Source
from simbus.scenario.validate import validate


@dataclass(frozen=True)
class Scenario:
    """A scenario that can be built: what the file says, checked, and where it says it."""

    spec: ScenarioFile
    source: Source

    @property
    def name(self) -> str:
        """The name of the file without its ending: `orders` of `scenarios/orders.yaml`."""
        return Path(self.source.name).stem

    @property
    def folder(self) -> Path:
        """Where the relative paths of the file begin."""
        return self.source.folder


def load(path: str | Path, overrides: Iterable[str] = (), expectations: Iterable[str] = ()) -> Scenario:
    """Read and check a scenario file. `overrides` are texts like `functions.resize.timeout=5` (`--set`).

    `expectations` are further ones, like `lambda:resize p99_age < 2s` (`--expect`). Raises ScenarioError with file,
    line, path, finding, rule and remedy of the first mistake in the file.
    """
    source = Source.read(path)
    apply_overrides(source, tuple(overrides))
    add_expectations(source, tuple(expectations))
    return _checked(source)


def load_data(content: bytes, name: str, folder: Path) -> Scenario:
    """The scenario of a text that is no file. `name` is what messages call it, `folder` where relative paths begin."""
    return _checked(Source.parse(content, name, folder))


def _checked(source: Source) -> Scenario:
    spec = validate(source)
    problems = check_references(spec, source.folder)
    if problems:
        raise source.error(problems)
    return Scenario(spec, source)
