"""Which poller a mapping gets: one per kind of source."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simbus.bus import Bus
from simbus.scheduler.destinations import Destinations
from simbus.scheduler.mappings.filter import Criteria
from simbus.scheduler.mappings.mapping import MakePoller
from simbus.scheduler.mappings.port import FunctionPort, Poller
from simbus.scheduler.mappings.settings import Kind, MappingSettings
from simbus.scheduler.queues.ledger import QueueLedger
from simbus.scheduler.queues.poller import QueuePoller
from simbus.scheduler.streams.context import StreamContext
from simbus.scheduler.streams.failure import FailureRecords
from simbus.scheduler.streams.poller import StreamPoller
from simbus.sources.sqs.queue import Queue
from simbus.world import World


class Pollers:
    """Makes pollers; all mappings of one queue share its ledger."""

    def __init__(self, world: World, bus: Bus, destinations: Destinations) -> None:
        self._world = world
        self._bus = bus
        self._destinations = destinations
        self._ledgers: dict[str, QueueLedger] = {}

    def maker(self, kind: Kind, source: Any, mapping_uuid: str) -> MakePoller:
        """What makes the poller of one mapping."""

        def make(
            port: FunctionPort, settings: MappingSettings, criteria: Criteria | None, note: Callable[[str], None]
        ) -> Poller:
            meter = self._world.metrics.mapping(mapping_uuid)
            if kind == "sqs":
                ledger = self._ledger(source)
                return QueuePoller(self._world, self._bus, source, port, settings, criteria, ledger, meter)
            failures = FailureRecords(self._world, source, self._destinations, mapping_uuid)
            context = StreamContext(self._world, self._bus, source, port, settings, criteria, failures, note, meter)
            return StreamPoller(source, context)

        return make

    def _ledger(self, queue: Queue) -> QueueLedger:
        found = self._ledgers.get(queue.arn)
        if found is None:
            found = self._ledgers[queue.arn] = QueueLedger(self._world.timeline, self._bus, queue)
        return found
