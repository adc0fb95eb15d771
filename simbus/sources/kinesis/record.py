"""A record of Kinesis as others see it: Lambda's event, the change event's data, GetRecords' answer."""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Callable
from typing import Any

import msgspec

from simbus.kernel import MILLISECOND
from simbus.sources.kinesis.shard import Record, Shard
from simbus.world import World

_json = msgspec.json.Encoder().encode


def payload_writer(world: World, stream_arn: str) -> Callable[[Record, str], str]:
    """The function that makes of a record and an execution role's ARN one element of Lambda's `Records`, JSON text.

    Key order and form are those of recording test_kinesis_event_source_mapping_with_async_invocation (25/11/2025):
    `kinesis` comes first, the arrival is in seconds with milliseconds.
    """
    epoch_ns = world.epoch_ns
    start = '{"kinesis":{"kinesisSchemaVersion":"1.0","partitionKey":'
    middle = '},"eventSource":"aws:kinesis","eventVersion":"1.0","eventID":"'
    end = f'","awsRegion":"{world.account.region}","eventSourceARN":"{stream_arn}"}}'

    def payload(record: Record, role_arn: str) -> str:
        arrival = (epoch_ns + record.arrival) // MILLISECOND / 1000
        return (
            f'{start}{_json(record.partition_key).decode()},"sequenceNumber":"{record.sequence_number}","data":"'
            f'{b2a_base64(record.data, newline=False).decode()}","approximateArrivalTimestamp":{arrival}{middle}'
            f'{record.event_id}","eventName":"aws:kinesis:record","invokeIdentityArn":"{role_arn}{end}'
        )

    return payload


def change_data(shard: Shard, record: Record, explicit_hash_key: str | None) -> str:
    """The data of the change event: what the PutRecord request said and where it went, so that it can be repeated."""
    explicit = "" if explicit_hash_key is None else f'"explicitHashKey":"{explicit_hash_key}",'
    return (
        f'{{"shardId":"{shard.id}","sequenceNumber":"{record.sequence_number}",'
        f'"partitionKey":{_json(record.partition_key).decode()},{explicit}'
        f'"data":"{b2a_base64(record.data, newline=False).decode()}"}}'
    )


def shown_record(world: World, record: Record) -> dict[str, Any]:
    """A record as an SDK returns it from GetRecords: Data in bytes, the arrival a datetime to the millisecond."""
    arrival = record.arrival - (world.epoch_ns + record.arrival) % MILLISECOND
    return {
        "SequenceNumber": record.sequence_number,
        "ApproximateArrivalTimestamp": world.datetime(arrival),
        "Data": record.data,
        "PartitionKey": record.partition_key,
    }


def shown_shard(shard: Shard) -> dict[str, Any]:
    """A shard as ListShards and DescribeStream return it."""
    found: dict[str, Any] = {"ShardId": shard.id}
    if shard.parent_shard_id is not None:
        found["ParentShardId"] = shard.parent_shard_id
    if shard.adjacent_parent_shard_id is not None:
        found["AdjacentParentShardId"] = shard.adjacent_parent_shard_id
    found["HashKeyRange"] = shown_range(shard)
    found["SequenceNumberRange"] = {"StartingSequenceNumber": shard.starting_sequence_number}
    if shard.ending_sequence_number is not None:
        found["SequenceNumberRange"]["EndingSequenceNumber"] = shard.ending_sequence_number
    return found


def shown_child(shard: Shard) -> dict[str, Any]:
    """A shard as GetRecords names the children of a shard that has been read to its end."""
    parents = [parent for parent in (shard.parent_shard_id, shard.adjacent_parent_shard_id) if parent is not None]
    return {"ShardId": shard.id, "ParentShards": parents, "HashKeyRange": shown_range(shard)}


def shown_range(shard: Shard) -> dict[str, str]:
    return {"StartingHashKey": str(shard.hash_range.start), "EndingHashKey": str(shard.hash_range.end)}
