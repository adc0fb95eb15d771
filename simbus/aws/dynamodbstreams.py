"""Amazon DynamoDB Streams.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Operations_Amazon_DynamoDB_Streams.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from simbus.aws.table import Api, Response
from simbus.errors import AwsError
from simbus.sources.dynamodb.errors import constraint, invalid
from simbus.sources.dynamodb.shard import READ_LIMIT
from simbus.sources.dynamodb.stream import ChangeStream

if TYPE_CHECKING:
    from simbus.resources import Resources

api = Api("dynamodbstreams", latency="dynamodb")
LIST_LIMIT: Final = 100


def _stream(account: Resources, arn: str) -> ChangeStream:
    """The stream of an ARN. Raises AwsError ResourceNotFoundException."""
    found = account.world.targets.get(arn)
    if not isinstance(found, ChangeStream):
        raise AwsError("ResourceNotFoundException", f"Requested resource not found: Stream: {arn} not found")
    return found


@api.operation
def list_streams(
    account: Resources,
    *,
    TableName: str | None = None,
    Limit: int = LIST_LIMIT,
    ExclusiveStartStreamArn: str | None = None,
) -> Response:
    """Also the disabled streams that can still be read, in the order of their ARNs."""
    if not 1 <= Limit <= LIST_LIMIT:
        raise constraint(Limit, "limit", f"Member must have value less than or equal to {LIST_LIMIT}")
    every = account.world.every(lambda target: isinstance(target, ChangeStream))
    streams = {each.arn: each for each in every if isinstance(each, ChangeStream)}
    arns = sorted(arn for arn, each in streams.items() if TableName in (None, each.resource))
    if ExclusiveStartStreamArn is not None:
        arns = [arn for arn in arns if arn > ExclusiveStartStreamArn]
    shown = arns[:Limit]
    answer: Response = {
        "Streams": [
            {"StreamArn": arn, "TableName": streams[arn].resource, "StreamLabel": streams[arn].label} for arn in shown
        ]
    }
    if len(arns) > Limit:
        answer["LastEvaluatedStreamArn"] = shown[-1]
    return answer


@api.operation
def describe_stream(
    account: Resources,
    *,
    StreamArn: str,
    Limit: int = 100,
    ExclusiveStartShardId: str | None = None,
    ShardFilter: Mapping[str, str] | None = None,
) -> Response:
    return _stream(account, StreamArn).describe_stream(
        limit=Limit, exclusive_start_shard_id=ExclusiveStartShardId, shard_filter=ShardFilter
    )


@api.operation
def get_shard_iterator(
    account: Resources,
    *,
    StreamArn: str,
    ShardId: str,
    ShardIteratorType: str,
    SequenceNumber: str | None = None,
    Timestamp: datetime | None = None,
) -> Response:
    return _stream(account, StreamArn).get_shard_iterator(
        ShardId, ShardIteratorType, sequence_number=SequenceNumber, timestamp=Timestamp
    )


@api.operation
def get_records(account: Resources, *, ShardIterator: str, Limit: int = READ_LIMIT) -> Response:
    """An iterator begins with its stream's ARN. Raises AwsError ValidationException for a text that none was."""
    found: Any = account.world.targets.get(ShardIterator.partition("|")[0])
    if not isinstance(found, ChangeStream):
        raise invalid("Invalid ShardIterator")
    return found.get_records(ShardIterator, Limit)
