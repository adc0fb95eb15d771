"""Tumbling windows: the state that a function hands from batch to batch, and the invocation that ends a window.

Source: Developer Guide, "Processing Kinesis streams with tumbling windows": windows lie at multiples of their length;
the first batch of a window gets an empty state; a response without `state` is a failed invocation; a state above 1 MB
ends the window early; a window is over when a record of a later one is read, when the shard ends, or when no record was
added for up to 2 minutes (here: 2 minutes after the last record, but never before the window's own end). Not documented
and decided here: the last invocation of a window has no records, and its response needs no state; a response without
state is told to an on-failure destination as a partial response is, with `functionError` null: the function returned.
"""

from __future__ import annotations

from typing import Final

import msgspec

from simbus.kernel import MINUTE, SECOND
from simbus.scheduler.streams.batch import Batch, size_of
from simbus.scheduler.streams.source import Record
from simbus.world import World

STATE_LIMIT: Final = 1024 * 1024
QUIET: Final = 2 * MINUTE


class _Response(msgspec.Struct):
    state: msgspec.Raw = msgspec.Raw(b"")


_decode = msgspec.json.Decoder(_Response).decode


def returned_state(response: str) -> str | None:
    """The JSON text of the `state` object that a response carries; None where there is none."""
    try:
        text = bytes(_decode(response).state).decode()
    except msgspec.DecodeError:
        return None
    return text if text.startswith("{") else None


class Window:
    """An open window of one lane: number `number` of those that are `length` nanoseconds long, counted from 1970."""

    __slots__ = ("_world", "last_arrival", "length", "number", "state")

    def __init__(self, world: World, length: int, number: int) -> None:
        self._world = world
        self.length = length
        self.number = number
        self.state = "{}"
        self.last_arrival = 0

    def __repr__(self) -> str:
        return f"<Window {self._iso(self.number)} state={len(self.state)}>"

    @property
    def too_large(self) -> bool:
        """The state has outgrown its limit: the window ends early."""
        return size_of(self.state) > STATE_LIMIT

    def over_at(self) -> int:
        """When it is over if no further record comes, in nanoseconds of virtual time."""
        return max((self.number + 1) * self.length - self._world.epoch_ns, self.last_arrival + QUIET)

    def event(self, batch: Batch, shard_id: str, stream_arn: str) -> str:
        """What the function gets: the records, the window and its state, in the order of the guide's example."""
        start, end = self._iso(self.number), self._iso(self.number + 1)
        return (
            f'{batch.payload()[:-1]},"window":{{"start":"{start}","end":"{end}"}},"state":{self.state},'
            f'"shardId":"{shard_id}","eventSourceARN":"{stream_arn}",'
            f'"isFinalInvokeForWindow":{_json(batch.final)},"isWindowTerminatedEarly":{_json(self.too_large)}}}'
        )

    def _iso(self, number: int) -> str:
        return self._world.iso(number * self.length - self._world.epoch_ns, "seconds")


def window_number(world: World, length: int, record: Record) -> int:
    """The window that a record belongs to, by its arrival."""
    return (world.epoch_ns + record.arrival) // length


def window_length(tumbling_window_in_seconds: int) -> int:
    return tumbling_window_in_seconds * SECOND


def _json(flag: bool) -> str:
    return "true" if flag else "false"
