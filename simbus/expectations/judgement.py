"""What a run file keeps of how its run was judged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from simbus.expectations.results import ExpectationResult, table

JUDGEMENT: Final = "judgement"
"""The key of table `run` under which a `Judgement` stands, as JSON."""


class Judgement(msgspec.Struct, frozen=True):
    """What rows don't say of a finished run: what was expected of it, how it is repeated, how long it took."""

    expectations: list[ExpectationResult] = []
    reproduce: str = ""
    seconds: float | None = None

    def json(self) -> str:
        """As it stands in the run file."""
        return msgspec.json.encode(self).decode()


class ExpectationFailed(AssertionError):
    """A run is not as expected. `results` has every figure that was compared, the text those that failed."""

    def __init__(self, results: Sequence[ExpectationResult], seed: object) -> None:
        failed = [result for result in results if not result.passed]
        lines = [f"{what}: expected {expected}, found {found}" for what, expected, found, _ in table(failed)]
        super().__init__("\n".join([*lines, f"seed {seed} repeats this run"]))
        self.results = list(results)
