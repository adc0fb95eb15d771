"""One run among the many that a scenario can have: its seed, its order of simultaneous events, its parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from simbus.errors import UsageError
from simbus.kernel.selection import Selection
from simbus.kernel.ties import Ties

if TYPE_CHECKING:
    from simbus.scenario.loader import Scenario

T = TypeVar("T")


class Variant(NamedTuple):
    """What makes one run of a scenario another run than the others.

    `seed` None: the scenario's own. `ties` None: first in, first out. `events` are those of the workload that happen,
    `faults` the occurrences of faults; None: all of them.
    """

    seed: int | str | None = None
    ties: Ties | None = None
    events: Selection | None = None
    faults: Selection | None = None

    @classmethod
    def numbered(cls, seed: int) -> Variant:
        """One of many runs: the seed, and the order of simultaneous events of that number."""
        return cls(seed, Ties(seed))

    @classmethod
    def read(
        cls, scenario: Scenario, seed: int | str | None, ties: str | None, events: str | None, faults: str | None
    ) -> Variant:
        """From the texts of the options. Raises UsageError, also for items that the scenario does not have."""
        spec = scenario.spec
        found = cls(
            seed,
            _read("--ties", Ties.parse, ties),
            _read("--events", Selection.parse, events),
            _read("--faults", Selection.parse, faults),
        )
        if found.events is not None:
            found.events.check("--events", len(spec.workload), "workload")
        if found.faults is not None:
            found.faults.check("--faults", len(spec.faults), "faults")
        return found

    def completed(self, seed: int | str, ties: str | None) -> Variant:
        """With this seed and order of simultaneous events where it has none."""
        return self._replace(
            seed=seed if self.seed is None else self.seed,
            ties=Ties.parse(ties) if self.ties is None and ties is not None else self.ties,
        )

    def options(self) -> list[str]:
        """The options of `simbus run` that say the same."""
        return [
            word for name, value in self._asdict().items() if value is not None for word in (f"--{name}", str(value))
        ]


def _read(option: str, parse: Callable[[str], T], text: str | None) -> T | None:
    try:
        return None if text is None else parse(text)
    except UsageError as error:
        raise UsageError(f"{option} {error}") from None
