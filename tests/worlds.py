"""A world without a run file, for the tests of sources: rows are lists, calls cost no latency."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from typing import Any

from simbus.arn import Account
from simbus.bus import Bus
from simbus.errors import AwsError
from simbus.kernel import Timeline
from simbus.sources.eventbridge.archive import Archives
from simbus.sources.eventbridge.bus import EventBus
from simbus.sources.kinesis.stream import Stream
from simbus.sources.s3.bucket import Bucket
from simbus.sources.sqs.queue import Queue
from simbus.world import Delivery, World


class ListRows:
    """The tables of a run file as lists."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.settlements: list[Any] = []
        self.attempts: list[Any] = []
        self.hops: list[Any] = []
        self.messages: list[Any] = []
        self.log_lines: list[Any] = []
        self.next_line = count(1).__next__
        self.next_delivery = count(1).__next__
        self.metrics: list[Any] = []
        self.thinned = False

    @property
    def deliveries(self) -> list[Any]:
        """The settlements without their numbers."""
        return [row[1:] for row in self.settlements]

    def route(self, *_: Any) -> int:
        """Routes are not kept here."""
        return 1

    def add_log_stream(self, log_group: str, name: str, function: str, version: str, created_at: int) -> int:
        """Streams are not kept here."""
        return 1

    def flush_if_full(self) -> None:
        """Lists are never full."""


class StubTarget:
    """Takes deliveries, or refuses them as long as `failing` is set."""

    def __init__(self, world: World, name: str) -> None:
        self.name = name
        service, _, resource = name.partition(":")
        self.arn = world.arn(service, resource)
        self.deliveries: list[Delivery] = []
        self.failing: AwsError | None = None

    def accept(self, delivery: Delivery) -> None:
        if self.failing is not None:
            raise self.failing
        self.deliveries.append(delivery)


class StubActor:
    """A handler that acts: `wait` plays the timeline."""

    answering = 0

    def __init__(self, timeline: Timeline, request_id: str, lineage: Any = None) -> None:
        self._timeline = timeline
        self.request_id = request_id
        self.lineage = lineage

    def latency(self, service: str) -> int:
        """Calls take no time."""
        return 0

    def pause(self, delay: int) -> None:
        """There is nothing to wait for."""

    def wait(self, start: Callable[[Callable[[], None]], None]) -> None:
        woken: list[bool] = []
        start(lambda: woken.append(True))
        self._timeline.actor = None
        self._timeline.run_while(lambda: not woken, lambda: "the stub actor")
        self._timeline.actor = self


class Worldlet:
    """A world, a bus, and short ways to make resources."""

    def __init__(self, seed: int = 0, account: str = "111111111111", ties: int | None = None) -> None:
        self.timeline = Timeline(seed, ties=ties)
        self.rows = ListRows()
        self.world = World(self.timeline, self.rows, Account(account), datetime(2026, 1, 1, tzinfo=UTC))
        self.bus = Bus(self.world)
        self.archives = Archives()

    def queue(self, name: str, **attributes: Any) -> Queue:
        queue = Queue(self.world, self.bus, name, **attributes)
        self.world.register(queue)
        return queue

    def bucket(self, name: str, **settings: Any) -> Bucket:
        bucket = Bucket(self.world, self.bus, name, **settings)
        self.world.register(bucket)
        return bucket

    def stream(self, name: str, **settings: Any) -> Stream:
        stream = Stream(self.world, self.bus, name, **settings)
        self.world.register(stream)
        return stream

    def event_bus(self, name: str = "default") -> EventBus:
        """The bus of that name, made where there is none yet."""
        found = self.world.find(f"events:{name}")
        if not isinstance(found, EventBus):
            found = EventBus(self.world, self.bus, name, self.archives)
            self.world.register(found)
        return found

    def stub(self, name: str) -> StubTarget:
        target = StubTarget(self.world, name)
        self.world.register(target)
        return target

    def actor(self, request_id: str, lineage: Any = None) -> StubActor:
        actor = StubActor(self.timeline, request_id, lineage)
        self.timeline.actor = actor
        return actor
