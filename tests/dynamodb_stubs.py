"""A world with a bus and tables in it, and the rows they write. Shared by the tests of DynamoDB."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from simbus.arn import Account
from simbus.bus import Bus
from simbus.kernel import Timeline
from simbus.sources.dynamodb.shard import Record
from simbus.sources.dynamodb.table import Table
from simbus.world import World
from tests.worlds import ListRows


class Handler:
    """Stands in for an execution environment whose handler acts at this moment; its calls take no time."""

    request_id = "request-1"
    answering = 0

    def __init__(self) -> None:
        self.lineage = {"resize": 3}

    def latency(self, service: str) -> int:
        """Calls take no time."""
        return 0

    def pause(self, _delay: int) -> None:
        """No time passes."""


class Stage:
    """One account, `tables` and `records` by their name."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC), seed: int = 1) -> None:
        self.timeline = Timeline(seed)
        self.rows = ListRows()
        self.world = World(self.timeline, self.rows, Account("111111111111"), start)
        self.bus = Bus(self.world)

    def table(self, name: str = "items", *, hash_key: str = "id", **settings: Any) -> Table:
        table = Table(self.world, self.bus, name, hash_key=hash_key, **settings)
        self.world.register(table)  # type: ignore[arg-type]
        return table

    def stream(self, view_type: str = "NEW_AND_OLD_IMAGES", **settings: Any) -> Table:
        return self.table(stream_view_type=view_type, **settings)

    @property
    def changes(self) -> list[tuple[str, str]]:
        """Type and subject of each change event."""
        return [(row[3], row[4]) for row in self.rows.events]

    @property
    def data(self) -> list[dict[str, Any]]:
        return [json.loads(row[6]) for row in self.rows.events]


ROLE = "arn:aws:iam::111111111111:role/r"


def records(table: Table) -> list[Record]:
    """Every record of the stream that is still there, shard by shard."""
    assert table.stream is not None
    return [record for shard in table.stream.shards for record in shard.read(0, 1_000_000, 1 << 60)]


def payloads(table: Table) -> list[dict[str, Any]]:
    assert table.stream is not None
    return [json.loads(table.stream.event_payload(record, ROLE)) for record in records(table)]
