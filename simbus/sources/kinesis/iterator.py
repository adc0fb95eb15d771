"""Shard iterators: opaque texts that say where a reader is, good for five minutes.

Source: Kinesis API reference, GetShardIterator; form and texts: mhart/kinesalite, compared with AWS (eight bytes that
say version 1, then something encrypted).
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error
from hashlib import sha256
from typing import Final, NamedTuple

from simbus.errors import AwsError
from simbus.sources.kinesis.request import constraint, invalid, refuse
from simbus.world import World

LIFETIME_MS: Final = 300_000
_VERSION = b"\0\0\0\0\0\0\0\1"


class Place(NamedTuple):
    """The shard (its id) and the position that an iterator points to."""

    shard: str
    position: int


def iterator(world: World, stream: str, place: Place) -> str:
    """The iterator of a place, made now."""
    text = f"{world.epoch_ms():014d}/{stream}/{place.shard}/{place.position}/".encode()
    return b64encode(_VERSION + text + sha256(text).digest() * 2).decode()


def read_iterator(world: World, stream: str, given: str) -> Place:
    """Where an iterator points to.

    Raises AwsError ExpiredIteratorException after five minutes, InvalidArgumentException for one that this stream did
    not hand out, ValidationException for one of no or of more than 512 characters.
    """
    if not given:
        refuse([constraint(given, "shardIterator", "have length greater than or equal to 1")])
    if len(given) > 512:
        refuse([constraint(given, "shardIterator", "have length less than or equal to 512")])
    pieces = _pieces(given)
    if len(pieces) != 5 or pieces[1] != stream:
        raise invalid("Invalid ShardIterator.")
    made, now = int(pieces[0]), world.epoch_ms()
    if now - made > LIFETIME_MS:
        raise AwsError(
            "ExpiredIteratorException",
            f"Iterator expired. The iterator was created at time {_shown(world, made)} while right now it is "
            f"{_shown(world, now)} which is further in the future than the tolerated delay of "
            f"{LIFETIME_MS} milliseconds.",
        )
    return Place(pieces[2], int(pieces[3]))


def stream_of_iterator(given: str) -> str | None:
    """The name of the stream that handed an iterator out; None for one that no stream did."""
    pieces = _pieces(given)
    return pieces[1] if len(pieces) == 5 else None


def _pieces(given: str) -> list[str]:
    try:
        found = b64decode(given, validate=True)
    except (Error, ValueError):
        return []
    text, seal = found[len(_VERSION) : -64], found[-64:]
    if found[: len(_VERSION)] != _VERSION or seal != sha256(text).digest() * 2:
        return []
    return text.decode().split("/")


def _shown(world: World, epoch_ms: int) -> str:
    """`Thu Jan 22 01:22:02 UTC 2015`, as Java shows a date; the names are English whatever the locale is."""
    at = world.datetime(epoch_ms * 1_000_000 - world.epoch_ns)
    day = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[at.weekday()]
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    return f"{day} {months[at.month - 1]} {at.day:02d} {at:%H:%M:%S} UTC {at.year}"
