"""Rates: those that a workload has itself, and those that the command line gives."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from simbus.errors import ScenarioError, UsageError
from simbus.kernel import SECOND
from simbus.kernel.durations import NANOSECONDS
from simbus.scenario.loader import Scenario
from simbus.scenario.schema.workload import Item

_RATE: Final = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,9})?)\s*(x|/\s*(?:ms|s|m|h|d))?", re.ASCII)
_RULE: Final = "a rate is a number per ms, s, m, h or d, or x times the workload's own"
_EXAMPLE: Final = "Write for example 100/s, 100,200,500/s or 0.5x,1x,2x"


class Mix(NamedTuple):
    """The items of a workload that have a rate, with that rate (events a second), and words for the others."""

    rates: dict[int, float]
    others: list[str]

    @property
    def total(self) -> float:
        """Events a second of all the items with a rate, as if all of them went on at once."""
        return sum(self.rates.values())

    @property
    def shares(self) -> dict[int, float]:
        """How much of the whole rate each item has; it stays so at every rate."""
        return {index: rate / self.total for index, rate in self.rates.items()}


def mix_of(scenario: Scenario) -> Mix:
    """What of the workload can be scaled: an item with `rate`, or `count` with `over` (its rate is count / over).

    Raises ScenarioError where nothing can.
    """
    rates: dict[int, float] = {}
    others: list[str] = []
    for index, item in enumerate(scenario.spec.workload):
        rate = _own(item)
        if rate is None:
            others.append(f"workload[{index}] ({item.verb}, {_timing(item)})")
        else:
            rates[index] = rate
    if not rates:
        found = f"has only {', '.join(others)}" if others else "is empty"
        raise ScenarioError(
            f"{scenario.source.where(('workload',))} {found}; a load test varies the rate of items that have one: "
            "`rate`, or `count` with `over`. Add such an item."
        )
    return Mix(rates, others)


def _own(item: Item) -> float | None:
    if item.rate is not None:
        return float(item.rate.arrivals * SECOND / item.rate.nanoseconds)
    if item.count is not None and item.over:
        return item.count * SECOND / item.over
    return None


def _timing(item: Item) -> str:
    if item.replay is not None:
        return "its own times"
    return "trace" if item.trace is not None else "at"


def read_rates(option: str, text: str, own: float) -> list[float]:
    """Events a second of a list like `100,200,500/s` or `0.5x,1x`; a number without a unit has that of the next one.

    `own` is what 1x stands for. Raises UsageError.
    """
    found: list[float] = []
    unit: str | None = None
    for part in reversed(text.split(",")):
        match = _RATE.fullmatch(part.strip())
        unit = unit if match is None or match[2] is None else match[2]
        number = 0.0 if match is None else float(match[1])
        if unit is None or not number:
            raise UsageError(f"{option} {text}: is {part.strip()!r}; {_RULE}, above 0. {_EXAMPLE}.")
        found.append(number * own if unit == "x" else number * SECOND / NANOSECONDS[unit[1:].strip()])
    return found[::-1]


def read_rate(option: str, text: str, own: float) -> float:
    """One rate, in events a second. Raises UsageError."""
    rates = read_rates(option, text, own)
    if len(rates) > 1:
        raise UsageError(f"{option} {text}: has {len(rates)} rates; it is one. Choose one of them.")
    return rates[0]


def rounded(rate: float) -> float:
    """With three digits: what a search tries, and what a person can type."""
    return float(f"{rate:.3g}")


def shown(rate: float) -> str:
    """`1,250/s`, `22.5/s`, `0.167/s`."""
    return f"{float(f'{rate:.4g}'):,.6g}/s"
