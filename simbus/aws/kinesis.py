"""Amazon Kinesis Data Streams. https://docs.aws.amazon.com/kinesis/latest/APIReference/

CreateStream answers before the stream is there: it is CREATING, as is one that is being deleted DELETING, for ten
seconds. Enhanced fan-out, resource policies and encryption are not played.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from simbus.arn import short_name
from simbus.aws.paging import page
from simbus.aws.table import Api, Response
from simbus.errors import AwsError
from simbus.sources.kinesis.iterator import stream_of_iterator

if TYPE_CHECKING:
    from simbus.resources import Resources
    from simbus.sources.kinesis.stream import Stream

api = Api("kinesis")
_LIST_LIMIT: Final = 100


def _stream(account: Resources, name: str | None, arn: str | None) -> Stream:
    """The stream of a name or an ARN. Raises AwsError ResourceNotFoundException, InvalidArgumentException."""
    if name is None and arn is None:
        raise AwsError("InvalidArgumentException", "Must specify either StreamName or StreamARN.")
    if name is None and arn is not None:
        name = short_name(arn)[1]
    stream: Stream | None = account.find("kinesis", str(name))
    if stream is None or (arn is not None and stream.arn != arn):
        raise _absent(account, str(name))
    return stream


def _readable(account: Resources, name: str | None, arn: str | None) -> Stream:
    """Like `_stream`, for records: a stream that is not there yet, or not any more, has none."""
    stream = _stream(account, name, arn)
    if stream.status in ("CREATING", "DELETING"):
        raise _absent(account, stream.resource)
    return stream


def _absent(account: Resources, name: str) -> AwsError:
    return AwsError("ResourceNotFoundException", f"Stream {name} under account {account.world.account.id} not found.")


# --- streams ---------------------------------------------------------------------------------------------------------


@api.operation
def create_stream(
    account: Resources,
    *,
    StreamName: str,
    ShardCount: int | None = None,
    StreamModeDetails: Mapping[str, str] | None = None,
    Tags: Mapping[str, str] | None = None,
    MaxRecordSizeInKiB: int = 1024,
) -> None:
    if account.find("kinesis", StreamName) is not None:
        raise AwsError(
            "ResourceInUseException",
            f"Stream {StreamName} under account {account.world.account.id} already exists.",
        )
    stream = account.stream(
        StreamName,
        shard_count=ShardCount,
        stream_mode=(StreamModeDetails or {}).get("StreamMode", "PROVISIONED"),
        max_record_size_in_ki_b=MaxRecordSizeInKiB,
    )
    stream.tags.update(Tags or {})
    stream.begin()


@api.operation
def delete_stream(
    account: Resources,
    *,
    StreamName: str | None = None,
    StreamARN: str | None = None,
    EnforceConsumerDeletion: bool = False,  # there are no consumers of enhanced fan-out
) -> None:
    stream = _stream(account, StreamName, StreamARN)
    stream.delete_stream(lambda: account.remove(stream))


@api.operation
def describe_stream(
    account: Resources,
    *,
    StreamName: str | None = None,
    StreamARN: str | None = None,
    Limit: int = 100,
    ExclusiveStartShardId: str | None = None,
) -> Response:
    stream = _stream(account, StreamName, StreamARN)
    return stream.describe_stream(limit=Limit, exclusive_start_shard_id=ExclusiveStartShardId)


@api.operation
def describe_stream_summary(
    account: Resources, *, StreamName: str | None = None, StreamARN: str | None = None
) -> Response:
    return _stream(account, StreamName, StreamARN).describe_stream_summary()


@api.operation
def list_streams(
    account: Resources,
    *,
    Limit: int = _LIST_LIMIT,
    ExclusiveStartStreamName: str | None = None,
    NextToken: str | None = None,
) -> Response:
    streams = sorted(account.resources("kinesis"), key=lambda stream: stream.resource)
    if ExclusiveStartStreamName is not None:
        streams = [stream for stream in streams if stream.resource > ExclusiveStartStreamName]
    found, token = page(streams, lambda stream: stream.resource, Limit, NextToken, _bad_token)
    summaries = [
        {
            key: value
            for key, value in stream.describe_stream_summary()["StreamDescriptionSummary"].items()
            if key in ("StreamName", "StreamARN", "StreamStatus", "StreamModeDetails", "StreamCreationTimestamp")
        }
        for stream in found
    ]
    answer: Response = {
        "StreamNames": [stream.resource for stream in found],
        "HasMoreStreams": token is not None,
        "StreamSummaries": summaries,
    }
    return answer if token is None else {**answer, "NextToken": token}


def _bad_token() -> AwsError:
    return AwsError("ExpiredNextTokenException", "NextToken is invalid or expired.")


@api.operation
def list_shards(
    account: Resources,
    *,
    StreamName: str | None = None,
    StreamARN: str | None = None,
    NextToken: str | None = None,
    ExclusiveStartShardId: str | None = None,
    MaxResults: int = 1000,
    ShardFilter: Mapping[str, Any] | None = None,
) -> Response:
    if NextToken is not None:
        if StreamName is not None or StreamARN is not None:
            raise AwsError("InvalidArgumentException", "NextToken and StreamName cannot be provided together.")
        StreamName, _, NextToken = NextToken.partition("/")
    answer = _stream(account, StreamName, StreamARN).list_shards(
        exclusive_start_shard_id=ExclusiveStartShardId,
        max_results=MaxResults,
        next_token=NextToken,
        shard_filter=ShardFilter,
    )
    if "NextToken" in answer:  # it stands for the stream, too
        answer["NextToken"] = f"{StreamName or short_name(str(StreamARN))[1]}/{answer['NextToken']}"
    return answer


@api.operation
def increase_stream_retention_period(
    account: Resources, *, StreamName: str | None = None, StreamARN: str | None = None, RetentionPeriodHours: int
) -> None:
    _stream(account, StreamName, StreamARN).increase_stream_retention_period(RetentionPeriodHours)


@api.operation
def decrease_stream_retention_period(
    account: Resources, *, StreamName: str | None = None, StreamARN: str | None = None, RetentionPeriodHours: int
) -> None:
    _stream(account, StreamName, StreamARN).decrease_stream_retention_period(RetentionPeriodHours)


@api.operation
def split_shard(
    account: Resources,
    *,
    StreamName: str | None = None,
    StreamARN: str | None = None,
    ShardToSplit: str,
    NewStartingHashKey: str,
) -> None:
    _stream(account, StreamName, StreamARN).split_shard(ShardToSplit, NewStartingHashKey)


@api.operation
def merge_shards(
    account: Resources,
    *,
    StreamName: str | None = None,
    StreamARN: str | None = None,
    ShardToMerge: str,
    AdjacentShardToMerge: str,
) -> None:
    _stream(account, StreamName, StreamARN).merge_shards(ShardToMerge, AdjacentShardToMerge)


@api.operation
def update_shard_count(
    account: Resources,
    *,
    StreamName: str | None = None,
    StreamARN: str | None = None,
    TargetShardCount: int,
    ScalingType: str,
) -> Response:
    return _stream(account, StreamName, StreamARN).update_shard_count(TargetShardCount, ScalingType)


@api.operation
def describe_limits(account: Resources) -> Response:
    """The quotas of a new account in us-east-1 (service guide, "Quotas and limits")."""
    streams = account.resources("kinesis")
    on_demand = [stream for stream in streams if stream.stream_mode == "ON_DEMAND"]
    open_shards = sum(
        stream.describe_stream_summary()["StreamDescriptionSummary"]["OpenShardCount"] for stream in streams
    )
    return {
        "ShardLimit": 20_000,
        "OpenShardCount": open_shards,
        "OnDemandStreamCount": len(on_demand),
        "OnDemandStreamCountLimit": 50,
    }


# --- tags ------------------------------------------------------------------------------------------------------------


@api.operation
def add_tags_to_stream(
    account: Resources, *, StreamName: str | None = None, StreamARN: str | None = None, Tags: Mapping[str, str]
) -> None:
    _stream(account, StreamName, StreamARN).tags.update(Tags)


@api.operation
def remove_tags_from_stream(
    account: Resources, *, StreamName: str | None = None, StreamARN: str | None = None, TagKeys: Sequence[str]
) -> None:
    tags = _stream(account, StreamName, StreamARN).tags
    for key in TagKeys:
        tags.pop(key, None)


@api.operation
def list_tags_for_stream(
    account: Resources,
    *,
    StreamName: str | None = None,
    StreamARN: str | None = None,
    ExclusiveStartTagKey: str | None = None,
    Limit: int = 50,
) -> Response:
    tags = _stream(account, StreamName, StreamARN).tags
    keys = [key for key in sorted(tags) if ExclusiveStartTagKey is None or key > ExclusiveStartTagKey]
    return {
        "Tags": [{"Key": key, "Value": tags[key]} for key in keys[:Limit]],
        "HasMoreTags": len(keys) > Limit,
    }


# --- records ---------------------------------------------------------------------------------------------------------


@api.operation
def put_record(
    account: Resources,
    *,
    StreamName: str | None = None,
    StreamARN: str | None = None,
    Data: bytes,
    PartitionKey: str,
    ExplicitHashKey: str | None = None,
    SequenceNumberForOrdering: str | None = None,
) -> Response:
    return _readable(account, StreamName, StreamARN).put_record(
        Data,
        PartitionKey,
        explicit_hash_key=ExplicitHashKey,
        sequence_number_for_ordering=SequenceNumberForOrdering,
    )


@api.operation
def put_records(
    account: Resources,
    *,
    StreamName: str | None = None,
    StreamARN: str | None = None,
    Records: Sequence[Mapping[str, Any]],
) -> Response:
    return _readable(account, StreamName, StreamARN).put_records(Records)


@api.operation
def get_shard_iterator(
    account: Resources,
    *,
    StreamName: str | None = None,
    StreamARN: str | None = None,
    ShardId: str,
    ShardIteratorType: Any,
    StartingSequenceNumber: str | None = None,
    Timestamp: datetime | None = None,
) -> Response:
    return _readable(account, StreamName, StreamARN).get_shard_iterator(
        ShardId, ShardIteratorType, starting_sequence_number=StartingSequenceNumber, timestamp=Timestamp
    )


@api.operation
def get_records(
    account: Resources, *, ShardIterator: str, Limit: int = 10_000, StreamARN: str | None = None
) -> Response:
    """The iterator says itself of which stream it is; an ARN must be that one's. The refusal's text is simbus's own."""
    named = None if StreamARN is None else _readable(account, None, StreamARN)
    name = stream_of_iterator(ShardIterator)
    stream = None if name is None else account.find("kinesis", name)
    if stream is None:
        raise AwsError("InvalidArgumentException", "Invalid ShardIterator.")
    if named is not None and named is not stream:
        message = f"ShardIterator is of stream {name}, and StreamARN names stream {named.resource}."
        raise AwsError("InvalidArgumentException", message)
    found: Response = stream.get_records(ShardIterator, Limit)
    return found
