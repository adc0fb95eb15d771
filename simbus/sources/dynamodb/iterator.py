"""Shard iterators of a table's stream: opaque texts that say where a reader is, good for 15 minutes.

Source: DynamoDB Streams API reference, GetShardIterator and GetRecords; the texts are AWS's as users report them, those
for parameters that don't fit each other are DynamoDB local's.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, NamedTuple, get_args

from simbus.errors import AwsError
from simbus.kernel import MILLISECOND
from simbus.sources.dynamodb.errors import bad_parameter, constraint, invalid
from simbus.sources.dynamodb.shard import Shard
from simbus.sources.shard import IteratorType
from simbus.world import World

LIFETIME_MS: Final = 900_000
TYPES: Final = get_args(IteratorType)
_NUMBER = re.compile(r"[0-9]{21,40}", re.ASCII)


class Place(NamedTuple):
    """The shard (its id) and the position that an iterator points to."""

    shard: str
    position: int


def iterator(world: World, stream_arn: str, place: Place) -> str:
    """The iterator of a place, made now: like AWS's it begins with the stream's ARN and a version."""
    text = f"{world.epoch_ms():014d}/{place.shard}/{place.position}/".encode()
    return f"{stream_arn}|1|{b64encode(text + _seal(text)).decode()}"


def _seal(text: bytes) -> bytes:
    return sha256(text).digest()


def read_iterator(world: World, stream_arn: str, given: str) -> Place:
    """Where an iterator points to. Raises AwsError ExpiredIteratorException, ValidationException."""
    prefix = f"{stream_arn}|1|"
    try:
        found = b64decode(given.removeprefix(prefix), validate=True) if given.startswith(prefix) else b""
    except (Error, ValueError):
        found = b""
    text, seal = found[:-32], found[-32:]
    if not text or seal != _seal(text):
        raise invalid("Invalid ShardIterator")
    made, shard, position, _ = text.decode().split("/")
    if world.epoch_ms() - int(made) > LIFETIME_MS:
        raise AwsError("ExpiredIteratorException", "Shard iterator has expired")
    return Place(shard, int(position))


def position_of(
    world: World, shard: Shard | None, kind: str, sequence_number: str | None, timestamp: datetime | float | None
) -> int:
    """The position that a request for an iterator means. Raises AwsError; with no shard it checks the request alone."""
    if kind not in TYPES:
        raise constraint(kind, "shardIteratorType", f"Member must satisfy enum value set: [{', '.join(TYPES)}]")
    by_number = kind in ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER")
    if by_number and sequence_number is None:
        raise bad_parameter(f"SequenceNumber must be specified for ShardIteratorType {kind}")
    if not by_number and sequence_number is not None:
        raise bad_parameter(f"SequenceNumber must not be specified for ShardIteratorType {kind}")
    if (kind == "AT_TIMESTAMP") != (timestamp is not None):
        must = "must" if timestamp is None else "must not"
        raise bad_parameter(f"Timestamp {must} be specified for ShardIteratorType {kind}")
    at: Any = None
    if sequence_number is not None:
        at = _checked(sequence_number)
    if timestamp is not None:
        seconds = timestamp.timestamp() if isinstance(timestamp, datetime) else timestamp
        at = round(seconds * 1000) * MILLISECOND - world.epoch_ns
    if shard is None:
        return 0
    if by_number:
        _check_range(shard, kind, int(at))
    return shard.position(kind, at)  # type: ignore[arg-type]


def _checked(number: str) -> str:
    if not _NUMBER.fullmatch(number):
        if 21 <= len(number) <= 40:
            raise invalid("Invalid SequenceNumber for the shard")
        bound = "greater than or equal to 21" if len(number) < 21 else "less than or equal to 40"
        raise constraint(number, "sequenceNumber", f"Member must have length {bound}")
    return number


def _check_range(shard: Shard, kind: str, number: int) -> None:
    ending = shard.ending_sequence_number
    if number < int(shard.starting_sequence_number) or (ending is not None and number > int(ending)):
        raise invalid("Invalid SequenceNumber for the shard")
    first = number if kind == "AT_SEQUENCE_NUMBER" else number + 1
    if first <= shard.last_expired:
        raise trimmed()


def trimmed() -> AwsError:
    return AwsError("TrimmedDataAccessException", "The data you are trying to access has been trimmed")


def check_limit(limit: int, most: int) -> None:
    """Raise AwsError ValidationException for a `Limit` outside of 1 to `most`."""
    if limit < 1:
        raise constraint(limit, "limit", "Member must have value greater than or equal to 1")
    if limit > most:
        raise bad_parameter(f"Limit should be less than or equal to {most}")


def child_filter(given: Mapping[str, str]) -> str:
    """The shard whose children a ShardFilter asks for. Raises AwsError ValidationException."""
    if given.get("Type") != "CHILD_SHARDS":
        where = "shardFilter.type"
        raise constraint(given.get("Type"), where, "Member must satisfy enum value set: [CHILD_SHARDS]")
    if set(given) != {"Type", "ShardId"}:
        raise bad_parameter("ShardFilter must have a ShardId")
    return given["ShardId"]
