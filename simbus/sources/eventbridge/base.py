"""What every part of an event bus builds on: its rules, and the way of an event to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from simbus.bus import Bus
from simbus.model import ChangeEvent
from simbus.sources.base import Source
from simbus.sources.eventbridge.delivery import Courier
from simbus.sources.eventbridge.errors import check_name, exists_already, no_bus, over_limit
from simbus.sources.eventbridge.event import EventWriter
from simbus.sources.eventbridge.rules import Arrival, Rule
from simbus.world import World

DEFAULT = "default"
MAX_BUSES = 100


class Passing(NamedTuple):
    """What is known of an event on its way through the bus that its text does not tell.

    `forwarded`: it came from another bus. `to`: the one rule that it is for, whatever its pattern (a schedule). `only`:
    the ARNs of the rules that may see it (a replay); None: all.
    """

    forwarded: bool = False
    to: Rule | None = None
    only: frozenset[str] | None = None


_PLAIN = Passing()


class EventBusBase(Source):
    """An event bus as a subscription of its own change events: each is offered to the rules and archives."""

    service = "events"

    def __init__(self, world: World, bus: Bus, name: str) -> None:
        check_name(name, "name", 256)
        if world.arn(self.service, name) in world.targets:
            raise exists_already(f"Event bus {name} already exists.")
        if len(world.every(lambda target: isinstance(target, EventBusBase))) >= MAX_BUSES:
            raise over_limit()
        super().__init__(world, bus, name)
        self._writer = EventWriter(world)
        self._courier = Courier(world, bus, self.name)
        self._rules: dict[str, Rule] = {}
        self._keepers: dict[str, Callable[[ChangeEvent, dict[str, Any]], None]] = {}  # archive -> what keeps
        self._passing: dict[str, Passing] = {}
        self._deleted = False
        self._created_at = world.datetime()
        self.description: str | None = None
        self.tags: dict[str, str] = {}
        bus.subscribe(self.name, self)

    @property
    def courier(self) -> Courier:
        """What delivers to the targets of its rules."""
        return self._courier

    def _check_exists(self) -> None:
        if self._deleted:
            raise no_bus(self.resource)

    def _receive(
        self, event_id: str, text: str, detail_type: str, source: str, parent: str | None, passing: Passing = _PLAIN
    ) -> ChangeEvent:
        """An event is on the bus: write it down and offer it to the rules. The row's subject is the event's source.

        EventBridge does not carry the chain of requests on (recursive loop detection), so there is no lineage.
        """
        event = ChangeEvent(event_id, self._timeline.now, self.name, self.arn, detail_type, source, parent, text, None)
        if passing is not _PLAIN:
            self._passing[event_id] = passing
        try:
            self._bus.publish(event)
        finally:
            self._passing.pop(event_id, None)
        return event

    def offer(self, event: ChangeEvent) -> None:
        """Every rule that matches sends the event to its targets; what no rule wants is a row of hops."""
        passing = self._passing.get(event.id, _PLAIN)
        decoded = msgspec.json.decode(event.data)
        if passing.to is not None:
            matched = [passing.to]
        else:
            for keep in self._keepers.values():
                keep(event, decoded)
            matched = [rule for rule in self._rules.values() if self._wants(rule, decoded, passing)]
        if not matched:
            self._bus.hop(event.id, "unmatched", self.name, "no rule matches")
            return
        arrival = Arrival(event, decoded, self._writer.now(), passing.forwarded)
        for rule in matched:
            rule.send(arrival)

    def _wants(self, rule: Rule, decoded: dict[str, Any], passing: Passing) -> bool:
        return (passing.only is None or rule.arn in passing.only) and rule.matches(decoded)
