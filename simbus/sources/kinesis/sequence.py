"""Kinesis sequence numbers: 56 decimal digits that grow along a shard.

Read as 47 hexadecimal digits, AWS's numbers of today (they end in 2) are: 2, the second in which the shard was made
(9 digits), the last digit of the shard's number, an index that grows (16), two digits of unknown meaning, the second
of the record (9), the shard's number (8), 2. That is what mhart/kinesalite found against AWS, and AWS's samples agree:
49590338271490256608559692538361571095921575989136588898 is shard 6, made at 5bf4e5c2 (2018-11-21).
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from simbus.errors import AwsError

_VERSION: Final = 2
_INDEX: Final = 80  # where its bits begin
_TIME: Final = 36
_LAST_INDEX: Final = 0x7FFF_FFFF_FFFF_FFFF
_NUMBER = re.compile(r"0|[1-9]\d{0,128}")


class Sequence:
    """The sequence numbers of one shard: `shard` is its number, `created` the second (since 1970) of its making.

    The index begins after `first`, a number of the stream's own, so that two streams don't use the same numbers.
    """

    __slots__ = ("_base", "_first", "starting")

    def __init__(self, shard: int, created: int, first: int) -> None:
        base = 2 << 184 | created << 148 | (shard & 15) << 144 | shard << 4 | _VERSION
        self._base = base
        self._first = base + (first + 1 << _INDEX)
        self.starting = str(base | created << _TIME)

    def at(self, position: int, second: int) -> str:
        """The number of the record at a position of the shard, which came at that second."""
        return str(self._first + (position << _INDEX) + (second << _TIME))

    def ending(self, second: int) -> str:
        """The last number that a shard could have which was closed at that second."""
        return str(self._base | _LAST_INDEX << _INDEX | second << _TIME)


class Parts(NamedTuple):
    """What a sequence number tells: the shard's number, when the shard was made and when the record came (seconds)."""

    shard: int
    created: int
    time: int


def parts_of(number: str) -> Parts | None:
    """Take a sequence number apart; None where it is none of Kinesis's."""
    if not _NUMBER.fullmatch(number):
        return None
    value = int(number)
    if value >> 184 != 2 or value & 15 != _VERSION or value >> _INDEX & 1 << 63:
        return None
    return Parts(value >> 4 & 0xFFFF_FFFF, value >> 148 & 0xF_FFFF_FFFF, value >> _TIME & 0xF_FFFF_FFFF)


def check_starting_number(number: str, shard: int, created: int, where: str) -> None:
    """The StartingSequenceNumber of an iterator must be of its shard. `where` is `shard s in stream x under account n`.

    Raises AwsError InvalidArgumentException (texts: mhart/kinesalite, compared with AWS).
    """
    found = parts_of(number)
    given = f"StartingSequenceNumber {number} used in GetShardIterator on {where} is invalid"
    if found is None:
        raise AwsError("InvalidArgumentException", f"{given}.")
    if found.shard != shard:
        raise AwsError(
            "InvalidArgumentException",
            f"Invalid StartingSequenceNumber. It encodes {shard_name(found.shard)}, "
            f"while it was used in a call to a shard with {shard_name(shard)}",
        )
    if found.created != created:
        raise AwsError("InvalidArgumentException", f"{given} because it did not come from this stream.")


def shard_name(number: int) -> str:
    """`shardId-000000000006`."""
    return f"shardId-{number:012d}"


def full_name(shard_id: str) -> str | None:
    """`shardId-000000000006` of `6` and `shard-6`, which AWS takes as well; None of what names no shard."""
    pieces = shard_id.split("-")
    number = pieces[1] if len(pieces) > 1 and pieces[1] else shard_id
    known = number.isascii() and number.isdecimal() and int(number) < 1 << 31
    return shard_name(int(number)) if known else None
