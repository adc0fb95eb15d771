"""Which shards ListShards gives for a ShardFilter. API reference, ShardFilter."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from simbus.kernel import SECOND
from simbus.sources.kinesis.request import constraint, invalid, refuse
from simbus.sources.kinesis.shard import Shard
from simbus.world import World

_TYPES: Final = (
    "AFTER_SHARD_ID",
    "AT_TRIM_HORIZON",
    "FROM_TRIM_HORIZON",
    "AT_LATEST",
    "AT_TIMESTAMP",
    "FROM_TIMESTAMP",
)


def filtered(world: World, shards: list[Shard], shard_filter: Mapping[str, Any], retention: int) -> list[Shard]:
    """The shards that were open at an instant (AT_), from an instant on (FROM_), or come after one.

    `retention` is in nanoseconds. Raises AwsError ValidationException, InvalidArgumentException.
    """
    kind = shard_filter.get("Type")
    if kind not in _TYPES:
        refuse([constraint(kind, "shardFilter.type", f"satisfy enum value set: [{', '.join(_TYPES)}]")])
    if kind == "AFTER_SHARD_ID":
        after = shard_filter.get("ShardId")
        if after is None:
            raise invalid("ShardId must be specified when ShardFilter Type is AFTER_SHARD_ID.")
        return [shard for shard in shards if shard.id > after]
    if kind == "AT_LATEST":
        return [shard for shard in shards if not shard.closed]
    at = world.timeline.now - retention
    if str(kind).endswith("TIMESTAMP"):
        timestamp = shard_filter.get("Timestamp")
        if not isinstance(timestamp, datetime):
            raise invalid(f"Timestamp must be specified when ShardFilter Type is {kind}.")
        at = max(at, round(timestamp.timestamp() * SECOND) - world.epoch_ns)
    alive = [shard for shard in shards if shard.closed_at is None or shard.closed_at > at]
    if str(kind).startswith("FROM_"):
        return alive
    first = min((shard.created for shard in shards), default=0)  # a stream younger than the horizon: its first shards
    second = max((world.epoch_ns + at) // SECOND, first)
    return [shard for shard in alive if shard.created <= second]
