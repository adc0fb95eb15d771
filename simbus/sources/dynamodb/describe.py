"""DescribeTable's answer, and what of a table is only described: its billing mode, tags, class, encryption."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from simbus.sources.dynamodb.index import Index
from simbus.sources.dynamodb.provisioned import Provision, Units
from simbus.sources.dynamodb.store import TableStore
from simbus.world import World, uuid

ON_DEMAND: Final = "PAY_PER_REQUEST"
PROVISIONED: Final = "PROVISIONED"
_WARM: Final = {"ReadUnitsPerSecond": 12_000, "WriteUnitsPerSecond": 4_000, "Status": "ACTIVE"}  # of a new table


class Info(msgspec.Struct):
    """What is said of a table besides its keys."""

    id: str
    created: datetime
    capacity: Provision
    billing_mode: str = ON_DEMAND
    on_demand_since: datetime | None = None
    summary: bool = True
    index_capacity: dict[str, Provision] = {}
    tags: dict[str, str] = {}
    protected: bool = False
    table_class: str | None = None
    key_arn: str | None = None
    recovery_days: int | None = None
    time_to_live: str | None = None  # the attribute as it is, or is going to be
    time_to_live_status: str = "DISABLED"
    time_to_live_changed: int | None = None  # when the API last did
    final: dict[str, Any] | None = None  # the description of a table that is deleted


def new_info(world: World, table: str, billing_mode: str, throughput: Units | None) -> Info:
    """The info of a table that is made now."""
    now = world.datetime()
    on_demand = billing_mode == ON_DEMAND
    return Info(
        uuid(world.timeline.rng(f"dynamodb:{table}/id")),
        now,
        Provision(throughput),
        billing_mode,
        now if on_demand else None,
        on_demand,
    )


def key_arn(world: World, specification: Mapping[str, Any] | None) -> str | None:
    """The KMS key of an SSESpecification; None: the table is encrypted with a key that DynamoDB owns."""
    if not (specification or {}).get("Enabled"):
        return None
    given = str((specification or {}).get("KMSMasterKeyId", "alias/aws/dynamodb"))
    if given.startswith("arn:"):
        return given
    account = world.account
    name = given if given.startswith("alias/") else f"key/{given}"
    return f"arn:aws:kms:{account.region}:{account.id}:{name}"


def description(table: TableStore, info: Info, now: datetime) -> dict[str, Any]:
    """AWS's TableDescription. Item counts and sizes are those of this moment (AWS: about every six hours)."""
    schemas = (table.schema, *(index.schema for index in table.indexes.values()))
    types = {name: schema.kind(name) for schema in schemas for name in schema.names}
    found: dict[str, Any] = {
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": types[name]} for name in sorted(types)],
        "TableName": table.resource,
        "KeySchema": table.schema.shown(),
        "TableStatus": table.status,
        "CreationDateTime": info.created,
        "ProvisionedThroughput": info.capacity.shown(now),
        "TableSizeBytes": sum(size for _, size in table.stored.values()),
        "ItemCount": len(table.stored),
        "TableArn": table.arn,
        "TableId": info.id,
    }
    if info.summary:
        found["BillingModeSummary"] = {"BillingMode": info.billing_mode}
        if info.on_demand_since is not None:
            found["BillingModeSummary"]["LastUpdateToPayPerRequestDateTime"] = info.on_demand_since
    for member, is_global in (("LocalSecondaryIndexes", False), ("GlobalSecondaryIndexes", True)):
        part = [_index(table, each, info, now) for each in table.indexes.values() if each.is_global is is_global]
        if part:
            found[member] = part
    return found | _stream(table) | _rest(info)


def _stream(table: TableStore) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if table.stream is not None:
        found["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": table.stream.view_type}
    if table.latest_stream is not None:
        found["LatestStreamLabel"] = table.latest_stream.label
        found["LatestStreamArn"] = table.latest_stream.arn
    return found


def _rest(info: Info) -> dict[str, Any]:
    found: dict[str, Any] = {"DeletionProtectionEnabled": info.protected, "WarmThroughput": _warm(info.capacity.units)}
    if info.table_class is not None:
        found["TableClassSummary"] = {"TableClass": info.table_class}
    if info.key_arn is not None:
        found["SSEDescription"] = {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": info.key_arn}
    return found


def _index(table: TableStore, index: Index, info: Info, now: datetime) -> dict[str, Any]:
    held = table.stored.values() if index.status != "CREATING" else ()
    inside = [stored for stored in held if index.at(stored[0]) is not None]
    projection: dict[str, Any] = {"ProjectionType": index.given.projection_type}
    if index.given.non_key_attributes:
        projection["NonKeyAttributes"] = list(index.given.non_key_attributes)
    found: dict[str, Any] = {
        "IndexName": index.name,
        "KeySchema": index.schema.shown(),
        "Projection": projection,
    }
    if index.is_global:
        capacity = info.index_capacity[index.name]
        found["IndexStatus"] = index.status
        if index.backfilling is not None:
            found["Backfilling"] = index.backfilling
        found |= {"ProvisionedThroughput": capacity.shown(now), "WarmThroughput": _warm(capacity.units)}
    return found | {
        "IndexSizeBytes": sum(index.size(stored) for stored in inside),
        "ItemCount": len(inside),
        "IndexArn": f"{table.arn}/index/{index.name}",
    }


def _warm(units: Units | None) -> dict[str, Any]:
    if units is None:
        return dict(_WARM)
    return {
        "ReadUnitsPerSecond": units["ReadCapacityUnits"],
        "WriteUnitsPerSecond": units["WriteCapacityUnits"],
        "Status": "ACTIVE",
    }
