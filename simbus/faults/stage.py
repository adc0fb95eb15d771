"""What a fault can reach, and what each of its effects says of itself in the rows."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any, NamedTuple

from simbus.bus import Bus
from simbus.faults.hooks import Hooks
from simbus.functions.concurrency import AccountPool
from simbus.kernel.distributions import Distribution
from simbus.scheduler.destinations import Destinations
from simbus.scheduler.mappings.table import EventSourceMappings
from simbus.world import World


class Stage(NamedTuple):
    """The parts of one simulation in which something can go wrong.

    `waiting` are the deliveries that a fault holds back at this moment: event id and subscription.
    """

    world: World
    bus: Bus
    pool: AccountPool
    destinations: Destinations
    mappings: EventSourceMappings
    hooks: Hooks
    waiting: dict[tuple[str, str], None]


@dataclass(eq=False)
class Cause:
    """One effect of one fault (`label`: `faults[2]`) while it is on: its chance, and its rows.

    `target` is the resource (None: the account), `value` what the effect was given, `delay` how much later something
    comes. `remaining` is how long it will be on (nanoseconds; None: for ever).
    """

    stage: Stage
    label: str
    effect: str
    target: Any
    value: Any
    rng: Random
    delay: Distribution
    remaining: int | None
    on: bool = True

    def __str__(self) -> str:
        return f"{self.label} {self.effect}"

    def hits(self) -> bool:
        """Whether it happens this time: `value` is its rate. What has outlived the fault is spared."""
        return self.on and bool(self.rng.random() < self.value)

    def hop(self, event_id: str | None, place: str, detail: str) -> None:
        """Write down what it did."""
        self.stage.bus.hop(event_id, "fault", place, f"{self}: {detail}")
