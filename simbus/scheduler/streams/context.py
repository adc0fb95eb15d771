"""What all lanes of one mapping of a stream share: its settings, its function, and how a record is written off."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from simbus.bus import Bus
from simbus.kernel import SECOND
from simbus.metrics import MappingMeter
from simbus.model import Invocation
from simbus.scheduler.mappings.filter import Criteria
from simbus.scheduler.mappings.port import Done, FunctionPort
from simbus.scheduler.mappings.settings import MappingSettings
from simbus.scheduler.streams.batch import Batch
from simbus.scheduler.streams.failure import AGE_EXCEEDED, RETRIES_EXHAUSTED, Failure, FailureRecords
from simbus.scheduler.streams.source import Record, Shard, Stream
from simbus.scheduler.streams.window import window_length
from simbus.world import World, uuid

OK = "OK"
NO_RECORDS = "No records processed"
PROBLEM = "PROBLEM: Function call failed"
DELIVERED = "OnFailureDestinationDeliveredEventCount"

_decode = msgspec.json.Decoder().decode


class StreamContext:
    """One mapping's shared things. `running` is False while it is disabled."""

    def __init__(
        self,
        world: World,
        bus: Bus,
        stream: Stream,
        port: FunctionPort,
        settings: MappingSettings,
        criteria: Criteria | None,
        failures: FailureRecords,
        note: Callable[[str], None],
        meter: MappingMeter,
    ) -> None:
        self.world = world
        self.timeline = world.timeline
        self.stream = stream
        self.port = port
        self.note = note
        self.meter = meter
        self.running = False
        self._bus = bus
        self._failures = failures
        self._rng = world.timeline.rng(f"{port.function.name}/mappings/{stream.arn}/discarded")
        self._role = f"arn:aws:iam::{world.account.id}:role/simbus"
        self.change(settings, criteria)

    def change(self, settings: MappingSettings, criteria: Criteria | None) -> None:
        """Go by other settings from now on."""
        self.settings = settings
        self.criteria = criteria
        self.meter.enabled = "EventCount" in settings.metrics
        self.batching_window = settings.maximum_batching_window_in_seconds * SECOND
        self.window_length = window_length(settings.tumbling_window_in_seconds)
        age = settings.maximum_record_age_in_seconds
        self._record_age = age * SECOND if age >= 0 else None

    # --- records ---------------------------------------------------------------------------------------------------

    def payload(self, record: Record) -> str:
        """The record as an element of Lambda's `Records`, JSON text."""
        return self.stream.event_payload(record, self._role)

    def accepts(self, text: str) -> bool:
        """Whether a record, as JSON text, passes the filters."""
        return self.criteria is None or self.criteria.accepts(_decode(text))

    def wanted(self, records: Iterable[Any]) -> list[Any]:
        """Those of the records that pass the filters."""
        if self.criteria is None:
            return list(records)
        return [record for record in records if self.accepts(self.payload(record))]

    def lifetime(self, shard: Shard) -> int:
        """How old a record may become before it is given up: MaximumRecordAgeInSeconds, or the stream's retention."""
        retention = shard.retention
        return retention if self._record_age is None else min(retention, self._record_age)

    def send(self, batch: Batch, payload: str, answered: Done) -> None:
        """Ask for an invocation with a batch. IteratorAge is the age of its last record when it is sent."""
        port = batch.port = self.port
        if batch.records:
            port.function.metrics.iterator_age(self.timeline.now - batch.records[-1].arrival)
            self.meter.count("InvokedEventCount", len(batch.records))
        port.invoke(payload, answered)

    # --- rows ------------------------------------------------------------------------------------------------------

    def settle(self, records: Iterable[Any], outcome: str, request_id: str | None = None, by: str = "") -> None:
        """Write down what the delivery of each record came to, by the function of that name (default: the one now)."""
        ids = [record.event_id for record in records]
        self._bus.settle_ids(ids, by or self.port.function.name, outcome, request_id)

    def hop(self, record: Record | None, kind: str, detail: str | None = None, by: str = "") -> None:
        event_id = None if record is None else record.event_id
        self._bus.hop(event_id, kind, by or self.port.function.name, detail)

    def hop_batch(self, batch: Batch, kind: str, detail: str) -> None:
        """One row for a whole batch, under its first record: a batch may fail very often."""
        self.hop(batch.records[0] if batch.records else None, kind, detail, self._sent_by(batch).function.name)

    def processed(self, batch: Batch, count: int) -> None:
        """The first records of a batch have been processed."""
        self.settle(batch.records[:count], "ok", batch.request_id, self._sent_by(batch).function.name)

    def _sent_by(self, batch: Batch) -> FunctionPort:
        """The way that a batch went; the mapping may have another function meanwhile."""
        return batch.port or self.port

    # --- the end of records ----------------------------------------------------------------------------------------

    def exhausted(
        self, shard: Shard, batch: Batch, invocation: Invocation | None = None, function_error: str | None = None
    ) -> None:
        """Discard a batch that has failed too often, or that can't be sent at all (no invocation)."""
        request_id = self._request_id() if invocation is None else invocation.request_id
        failure = Failure(self._sent_by(batch), RETRIES_EXHAUSTED, batch.tries, request_id, invocation, function_error)
        self._give_up(shard, batch, failure)

    def discard_old(self, shard: Shard, batch: Batch) -> None:
        """Discard records that have outlived `lifetime`: too old for the mapping, or gone from the stream.

        Recorded: approximateInvokeCount is 1 for records that were never sent. What leaves the stream is lost without a
        failure record: AWS's guide knows none for that.
        """
        if self._record_age is not None and self._record_age <= shard.retention:
            request_id = batch.request_id or self._request_id()
            self._give_up(shard, batch, Failure(self._sent_by(batch), AGE_EXCEEDED, max(batch.tries, 1), request_id))
        else:
            self.drop(batch.records)

    def drop(self, records: Iterable[Any]) -> None:
        """These records left the stream before the function processed them."""
        for record in records:
            self.hop(record, "gave_up", "the record left the stream: its retention period is over")
            self.settle((record,), "dropped")

    def _give_up(self, shard: Shard, batch: Batch, failure: Failure) -> None:
        """A record of the batch goes to the on-failure destination, or the batch is lost."""
        target, name = self.settings.on_failure, failure.port.function.name
        kept = target is not None and self._failures.send(target, shard.id, batch, failure)
        self.meter.count(DELIVERED if kept else "DroppedEventCount", len(batch.records))
        detail = f"{failure.condition} after {failure.invoke_count} invocations, batch of {len(batch.records)}"
        for record in batch.records:
            self.hop(record, "gave_up", detail, name)
        self.settle(batch.records, "dead_letter" if kept else "dropped", failure.request_id, name)

    def _request_id(self) -> str:
        """For records that never reached the function."""
        return uuid(self._rng)
