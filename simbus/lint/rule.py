"""What a rule is, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple

from simbus.lint.view import View
from simbus.scenario.source import Path

Severity = Literal["error", "warning"]


class Finding(NamedTuple):
    """Something found at a path; `found` goes on after it ("is 30; ..."). `about` is what its proof needs to know."""

    path: Path
    found: str
    remedy: str
    about: Any = None


class Proof(NamedTuple):
    """A small scenario that shows the damage, the same without it, and the figures in which they differ.

    `story` says what happens in both. The figures are expectations as a scenario file has them, of which only the
    subject and the name count: `{"queue": "jobs", "duplicates": 0}`.
    """

    story: str
    damaged: dict[str, Any]
    mended: dict[str, Any]
    figures: tuple[dict[str, Any], ...]


class Rule(NamedTuple):
    """One bad combination. `fact` is what AWS says of it, on the page `source`.

    Severity `error`: events are lost, repeated or stuck as soon as something fails or is throttled. `warning`: it
    depends. `prove` None: no figure of a run differs.
    """

    id: str
    severity: Severity
    fact: str
    source: str
    find: Callable[[View], Iterator[Finding]]
    prove: Callable[[View, Finding], Proof | None] | None = None
