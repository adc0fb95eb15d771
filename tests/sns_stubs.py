"""A world with a bus, and stand-ins for what a topic delivers to. Shared by the tests of SNS."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from simbus.arn import Account, short_name
from simbus.bus import Bus
from simbus.errors import AwsError
from simbus.kernel import Timeline
from simbus.sources.sns.topic import Topic
from simbus.world import Delivery, World
from tests.worlds import ListRows


class Box:
    """Takes every delivery and keeps it; `refuse` makes it answer with an error status until it is None again."""

    def __init__(self, world: World, reference: str) -> None:
        service, name, qualifier = short_name(reference)
        self.name = f"{service}:{name}"
        self.arn = world.arn(service, name) + (f":{qualifier}" if qualifier else "")
        self.deliveries: list[Delivery] = []
        self.tried_at: list[int] = []
        self.refuse: int | None = None
        self._world = world
        world.register(self)

    def accept(self, delivery: Delivery) -> None:
        self.tried_at.append(self._world.timeline.now)
        if self.refuse is not None:
            raise AwsError("Refused", "no", self.refuse)
        self.deliveries.append(delivery)

    @property
    def payloads(self) -> list[str]:
        return [delivery.payload for delivery in self.deliveries]

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(payload) for payload in self.payloads]

    @property
    def texts(self) -> list[str]:
        """The Message of each notification, in either form."""
        return [(body["Records"][0]["Sns"] if "Records" in body else body)["Message"] for body in self.bodies]


class Stage:
    """A world on its timeline. `start` is 2026-01-01T00:00:00Z."""

    def __init__(self, account: Account | None = None, seed: int = 1) -> None:
        self.timeline = Timeline(seed)
        self.rows = ListRows()
        self.world = World(self.timeline, self.rows, account or Account(), datetime(2026, 1, 1, tzinfo=UTC))
        self.bus = Bus(self.world)

    def topic(self, name: str = "orders", **settings: Any) -> Topic:
        topic = Topic(self.world, self.bus, name, **settings)
        self.world.register(topic)
        return topic

    def fifo_topic(self, **settings: Any) -> Topic:
        return self.topic("orders.fifo", **{"fifo_topic": True, "content_based_deduplication": True, **settings})

    def box(self, reference: str) -> Box:
        return Box(self.world, reference)

    def remove(self, box: Box) -> None:
        del self.world.targets[box.arn]

    @property
    def outcomes(self) -> list[tuple[str, str]]:
        """(subscription, outcome) of every row of `deliveries`."""
        return [(row[2], row[4]) for row in self.rows.deliveries]

    @property
    def hops(self) -> list[tuple[str, str, str]]:
        """(kind, place, detail) of every row of `hops`."""
        return [row[2:] for row in self.rows.hops]
