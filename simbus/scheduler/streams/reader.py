"""Reads one shard for one mapping, on the grid of its polls, and spreads the records over the shard's lanes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from zlib import crc32

from simbus.kernel.timeline import FOREVER
from simbus.scheduler.streams.context import StreamContext
from simbus.scheduler.streams.lane import Lane
from simbus.scheduler.streams.source import Record, Shard


class ShardReader:
    """`position` is what is read next. `ready`: its parents are through; `done`: it is closed and through itself.

    AWS polls a shard once a second (DynamoDB: four times). Here a poll takes place at the next multiple of that
    interval after there is news, and takes as much as one GetRecords call: records that wait hold a run open, an empty
    shard does not. A shard that nobody may invoke for (the mapping is disabled) is read in the background, so that
    what leaves the stream meanwhile is known to be lost.
    """

    def __init__(self, context: StreamContext, shard: Shard, position: int, through: Callable[[], None]) -> None:
        self._context = context
        self._through = through
        self._poll: int | None = None
        self.shard = shard
        self.position = position
        self.ready = False
        self.done = False
        self.left = False
        self.lanes: list[Lane] = []
        self._regroup()

    def __repr__(self) -> str:
        return f"<ShardReader {self.shard.id} position={self.position} done={self.done}>"

    # --- poll ------------------------------------------------------------------------------------------------------

    def news(self) -> None:
        """Something happened to the shard: poll it at the next instant of the grid."""
        if self._poll is not None or self.done or self.left or not self.ready:
            return
        if self.position < self.shard.end or self.shard.drained(self.position):
            timeline, stream = self._context.timeline, self._context.stream
            interval, out_until = stream.poll_interval, stream.out_until
            when = (max(timeline.now, out_until) // interval + 1) * interval
            awaited = self._context.running and out_until < FOREVER
            self._poll = (timeline.at if awaited else timeline.background)(when, self._read)

    def _read(self, _: object) -> None:
        self._poll = None
        if self._context.timeline.now < self._context.stream.out_until:
            self.news()
            return
        shard = self.shard
        start = shard.start
        if start > self.position:  # only where the retention period was shortened
            self._context.hop(None, "gave_up", f"{start - self.position} records left the stream before they were read")
        records = shard.read(self.position)
        self.position = max(self.position, start) + len(records)
        if self._context.running:
            self._context.meter.count("PolledEventCount", len(records))
        self._spread(records)
        for lane in self.lanes:
            if self._context.running:
                lane.go()
            else:
                lane.drop_expired()
        self.news()
        self.check()

    def _spread(self, records: Any) -> None:
        lanes = self.lanes
        if len(lanes) == 1:
            lanes[0].queue.extend(records)
            return
        for record in records:
            lanes[crc32(record.partition_key.encode()) % len(lanes)].queue.append(record)

    def check(self) -> None:
        """A lane has finished something: make lanes anew where that is due; see whether the shard is through."""
        if self.lanes[0].held and not any(lane.flying for lane in self.lanes):
            self._regroup()
            for lane in self.lanes:
                lane.go()
        if self.done or not self.ready or not self.shard.drained(self.position):
            return
        for lane in self.lanes:
            if not lane.ended:
                lane.ended = True
                lane.go()
        if all(lane.idle for lane in self.lanes):
            self.done = True
            self._through()

    # --- change ----------------------------------------------------------------------------------------------------

    def pause(self) -> None:
        """Take nothing up any more; what is in flight comes back."""
        for lane in self.lanes:
            lane.give_back()
        self._poll_anew()

    def resume(self) -> None:
        """Go on, perhaps with another number of lanes, as soon as nothing of the old ones is in flight."""
        if len(self.lanes) != self._context.settings.parallelization_factor:
            for lane in self.lanes:
                lane.held = True
        for lane in self.lanes:
            lane.go()
        self._poll_anew()
        self.check()

    def leave(self) -> None:
        """The mapping is deleted: forget the shard, but for what is in flight."""
        self.left = True
        if self._poll is not None:
            self._context.timeline.cancel(self._poll)
            self._poll = None
        for lane in self.lanes:
            lane.queue.clear()

    def _poll_anew(self) -> None:
        """A poll of a mapping that runs holds the run open, one of a disabled mapping does not."""
        if self._poll is not None:
            self._context.timeline.cancel(self._poll)
            self._poll = None
        self.news()

    def _regroup(self) -> None:
        """Spread what is at hand over new lanes, oldest first. Open windows start anew."""
        records = sorted((record for lane in self.lanes for record in lane.unsettled()), key=_number)
        factor = self._context.settings.parallelization_factor
        self.lanes = [Lane(self._context, self.shard, self.check) for _ in range(factor)]
        self._spread(records)

    # --- where it stands -------------------------------------------------------------------------------------------

    @property
    def checkpoint(self) -> str | None:
        """The sequence number of the oldest record that is not settled; None where all that was read is."""
        return min((record.sequence_number for record in self._at_hand()), key=int, default=None)

    def _at_hand(self) -> list[Any]:
        return [record for lane in self.lanes for record in lane.unsettled()]

    def finish(self) -> None:
        """The run has ended: what is in hand or unread is held; what has left the stream is lost."""
        context, horizon = self._context, self._context.timeline.now - self.shard.retention
        flying = [record for lane in self.lanes if lane.flying for record in lane.flying.records]
        context.settle(flying, "held")
        if self.left:
            return
        sent = {record.event_id for record in flying}
        waiting = context.wanted(record for record in self._at_hand() if record.event_id not in sent)
        context.drop(record for record in waiting if record.arrival <= horizon)
        context.settle((record for record in waiting if record.arrival > horizon), "held")
        position = max(self.position, self.shard.start)
        while records := self.shard.read(position):
            context.settle(context.wanted(records), "held")
            position += len(records)


def _number(record: Record) -> int:
    return int(record.sequence_number)
