"""The poller of an event source mapping for a stream: one reader a shard, parents before children.

Sources: Developer Guide, "Polling and batching streams" and "Resharding"; API reference, CreateEventSourceMapping
(StartingPosition); recordings kinesis_esm and dynamodb_esm.
"""

from __future__ import annotations

from typing import Any

from simbus.kernel import MILLISECOND
from simbus.scheduler.mappings.filter import Criteria
from simbus.scheduler.mappings.port import FunctionPort
from simbus.scheduler.mappings.settings import MappingSettings
from simbus.scheduler.streams.context import StreamContext
from simbus.scheduler.streams.reader import ShardReader
from simbus.scheduler.streams.source import Shard, Stream


class StreamPoller:
    """Reads one stream for one mapping. `note` is told each LastProcessingResult.

    A mapping begins at its starting position when it is started for the first time; a shard that is opened later, by a
    split or a merge, is read from its first record on. `stop` keeps the checkpoint, `start` goes on from there.
    """

    def __init__(self, stream: Stream, context: StreamContext) -> None:
        self._context = context
        self._stream = stream
        self._readers: dict[str, ShardReader] = {}
        self._begun = False

    def __repr__(self) -> str:
        return f"<StreamPoller {self._stream.name} to {self.port.function.name} running={self._context.running}>"

    @property
    def context(self) -> StreamContext:
        """What its readers and lanes share."""
        return self._context

    @property
    def port(self) -> FunctionPort:
        """The way to the function; another one is used from the next batch on."""
        return self._context.port

    @port.setter
    def port(self, port: FunctionPort) -> None:
        self._context.port = port

    @property
    def checkpoints(self) -> dict[str, str | None]:
        """Per shard the sequence number of the oldest record that was read and is not settled; None: there is none."""
        return {shard_id: reader.checkpoint for shard_id, reader in self._readers.items()}

    def start(self) -> None:
        """Begin to poll, or go on from the checkpoint."""
        self._context.running = True
        if not self._begun:
            self._begun = True
            self._stream.listen(self._changed)
            for shard in self._stream.shards:
                self._readers[shard.id] = self._reader(shard, self._starting_position(shard))
        for reader in tuple(self._readers.values()):
            reader.resume()
        self._admit()

    def stop(self) -> None:
        """Take no new batch. What is in flight is finished; where it fails, it stays where it is."""
        self._context.running = False
        for reader in self._readers.values():
            reader.pause()

    def change(self, settings: MappingSettings, criteria: Criteria | None) -> None:
        """Go by other settings. Batches that wait are made anew, and count their tries from the beginning."""
        running = self._context.running
        self.stop()
        self._context.change(settings, criteria)
        if running:
            self.start()

    def leave(self) -> None:
        """The mapping is deleted: what is in flight is finished; what is left in the stream is nobody's any more."""
        self.stop()
        if self._begun:
            self._stream.unlisten(self._changed)
        for reader in self._readers.values():
            reader.leave()

    def finish(self) -> None:
        """The run has ended: what is in hand or unread is held by the stream, or lost where that has dropped it."""
        self._context.running = False
        for reader in self._readers.values():
            reader.finish()
        self._readers.clear()

    # --- shards ----------------------------------------------------------------------------------------------------

    def _changed(self, shard: Any) -> None:
        """A record has come into a shard, or it was opened or closed."""
        reader = self._readers.get(shard.id)
        if reader is None:
            self._forget()
            reader = self._readers[shard.id] = self._reader(shard, shard.position("TRIM_HORIZON"))
            self._admit()
        reader.news()

    def _reader(self, shard: Shard, position: int) -> ShardReader:
        return ShardReader(self._context, shard, position, self._admit)

    def _starting_position(self, shard: Shard) -> int:
        settings = self._context.settings
        at: int | None = None
        if settings.starting_position_timestamp is not None:
            # As AWS counts, in milliseconds: seconds in a float are no exact nanoseconds.
            at = round(settings.starting_position_timestamp * 1000) * MILLISECOND - self._context.world.epoch_ns
        return shard.position(settings.starting_position, at)

    def _admit(self) -> None:
        """Read the shards whose parents have been read to their end."""
        for reader in tuple(self._readers.values()):
            if reader.ready or not all(map(self._through, self._stream.parents(reader.shard))):
                continue
            reader.ready = True
            reader.check()
            reader.news()

    def _through(self, parent: Shard) -> bool:
        reader = self._readers.get(parent.id)
        return reader is None or reader.done

    def _forget(self) -> None:
        """Drop the readers of shards that are gone."""
        known = {shard.id for shard in self._stream.shards}
        self._readers = {name: reader for name, reader in self._readers.items() if name in known or not reader.done}
