"""What Kinesis asks of a request to split, merge or count shards anew.

Texts: mhart/kinesalite and moto, whose tests were compared with AWS.
"""

from __future__ import annotations

from typing import Final

from simbus.errors import AwsError
from simbus.kernel import HOUR
from simbus.sources.kinesis.request import check_count, invalid
from simbus.sources.kinesis.shard import Shard

SCALINGS: Final = 10  # UpdateShardCount: at most so often in a rolling 24 hours (API reference)
DAY: Final = 24 * HOUR


def split_point(shard: Shard, hash_key: str, stream: str, account: str) -> int:
    """The hash key at which a shard is split. Raises AwsError InvalidArgumentException."""
    start, end = shard.hash_range
    if not start + 1 < int(hash_key) < end:
        raise invalid(
            f"NewStartingHashKey {hash_key} used in SplitShard() on shard {shard.id} in stream {stream} under account "
            f"{account} is not both greater than one plus the shard's StartingHashKey {start} and less than the "
            f"shard's EndingHashKey {end}."
        )
    _check_open(shard, stream, account)
    return int(hash_key)


def pair_to_merge(shard: Shard, adjacent: Shard, stream: str, account: str) -> None:
    """The second shard's range must follow the first's. Raises AwsError InvalidArgumentException."""
    if shard.hash_range.end + 1 != adjacent.hash_range.start:
        raise invalid(
            f"Shards {shard.id} and {adjacent.id} in stream {stream} under account {account} are not an adjacent pair "
            "of shards eligible for merging"
        )
    _check_open(shard, stream, account)
    _check_open(adjacent, stream, account)


def _check_open(shard: Shard, stream: str, account: str) -> None:
    if shard.closed:
        raise invalid(
            f"Shard {shard.id} in stream {stream} under account {account} has already been merged or split, and thus "
            "is not eligible for merging or splitting."
        )


def check_scaling(count: int, target: int) -> None:
    """At most double, at least half of the open shards. Raises AwsError LimitExceededException, ValidationException.

    Texts: pull request 48 of mhart/kinesalite, whose first one others quote from AWS, too.
    """
    check_count(target, "targetShardCount", 1, 10_000)
    wrong = "up over double" if target > 2 * count else "down below half" if 2 * target < count else None
    if wrong is not None:
        raise AwsError(
            "LimitExceededException",
            f"UpdateShardCount cannot scale {wrong} your current open shard count. "
            f"Current open shard count: {count}, Target shard count: {target}",
        )


def check_rate(scalings: list[int], now: int) -> None:
    """Note a scaling, 10 of them in 24 hours. Raises AwsError LimitExceededException (AWS's text is not known)."""
    scalings[:] = [when for when in scalings if when > now - DAY]
    if len(scalings) >= SCALINGS:
        text = f"UpdateShardCount was called {SCALINGS} times in the last 24 hours; more is not allowed."
        raise AwsError("LimitExceededException", text)
    scalings.append(now)
