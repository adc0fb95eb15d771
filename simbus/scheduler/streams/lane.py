"""One lane of a shard: a batch after the other, in order, until each of its records is settled.

A shard has as many lanes as the mapping's ParallelizationFactor. A lane never has two batches in flight, and a batch
that fails keeps everything behind it waiting. Sources: Developer Guide, "How Lambda processes records from Amazon
Kinesis Data Streams", "Configuring partial batch response with Kinesis Data Streams and Lambda", "Retain discarded
batch records"; recordings kinesis_esm and dynamodb_esm.

AWS does not document, and it is decided here: of an odd batch the second half is the larger one; halves are tried at
once; a partial response that names the first record is a failure of the whole batch, which may be bisected; a batch of
which all records have become too old does not wait for its next try.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

from simbus.kernel import MILLISECOND
from simbus.model import Invocation, Outcome, Throttled
from simbus.scheduler.mappings.response import failed_items
from simbus.scheduler.streams.batch import ENVELOPE, Batch, size_of
from simbus.scheduler.streams.context import NO_RECORDS, OK, PROBLEM, StreamContext
from simbus.scheduler.streams.failure import RETRIES_EXHAUSTED
from simbus.scheduler.streams.source import Record, Shard
from simbus.scheduler.streams.window import Window, returned_state, window_number


class Lane:
    """`queue` are records that have been read; `settled` is called when an invocation has come back.

    A batch is one of: `forming` (waits for more records), one of `ready` (the last one is next), `flying` (the function
    has it), `waiting` (for its next try). `held`: take nothing up. `ended`: the shard has no more records.
    """

    def __init__(self, context: StreamContext, shard: Shard, settled: Callable[[], None]) -> None:
        self._context = context
        self._shard = shard
        self._settled = settled
        self._timer: int | None = None
        self.queue: deque[Any] = deque()
        self.forming: Batch | None = None
        self.ready: list[Batch] = []
        self.flying: Batch | None = None
        self.waiting: Batch | None = None
        self.window: Window | None = None
        self.held = False
        self.ended = False

    def __repr__(self) -> str:
        return f"<Lane {self._shard.id} queued={len(self.queue)} flying={self.flying} waiting={self.waiting}>"

    @property
    def idle(self) -> bool:
        """Nothing is left to do, as far as records have been read."""
        return not (self.queue or self.forming or self.ready or self.flying or self.waiting or self.window)

    def unsettled(self) -> Iterator[Any]:
        """Every record at hand, oldest first."""
        batches = (self.flying, self.waiting, *reversed(self.ready), self.forming)
        return chain(*(batch.records for batch in batches if batch is not None), self.queue)

    # --- what next -------------------------------------------------------------------------------------------------

    def go(self) -> None:
        """Do whatever can be done now."""
        context = self._context
        if self.flying is None and self.window is not None and self.window.length != context.window_length:
            self.window = None  # the mapping has other windows now
        while context.running and not self.held and self.flying is None and self.waiting is None:
            batch = self._next()
            if batch is None:
                return
            self._send(batch)

    def _next(self) -> Batch | None:
        """What goes to the function now, if anything does."""
        if self.ready and self.ready[-1].final:
            return self.ready.pop()
        if self.window is not None and self.window.too_large:
            return self._final()
        return self.ready.pop() if self.ready else self._gather()

    def _gather(self) -> Batch | None:
        """The next batch, if it is complete or its batching window is 0."""
        batch = self.forming or Batch()
        complete = self._fill(batch)
        if not batch.records:
            return self._end_of_window(complete)
        if complete or not self._context.batching_window:
            self.forming = None
            return batch
        if self.forming is None:
            self.forming = batch
            self._arm(self._context.timeline.now + self._context.batching_window, self._batching_window_over)
        return None

    def _fill(self, batch: Batch) -> bool:
        """Move records from the queue into a batch; whether it can take no more, or may not take the next one."""
        context, queue, records = self._context, self.queue, batch.records
        envelope = self._envelope()
        horizon = context.timeline.now - context.lifetime(self._shard)
        size, length = context.settings.batch_size, context.window_length
        old, filtered, complete = Batch(), 0, False
        while queue and not complete:
            record = queue[0]
            text = context.payload(record)
            text_size = size_of(text)
            if not context.accepts(text):
                filtered += 1
                context.hop(queue.popleft(), "filtered", "no filter of the mapping matches")
            elif not records and record.arrival <= horizon:
                old.add(queue.popleft(), text, text_size)
                if len(old.records) == size:
                    context.discard_old(self._shard, old)
                    old = Batch()
            elif batch.fits(text_size, envelope) and (not length or self._same_window(batch, record)):
                batch.add(queue.popleft(), text, text_size)
                complete = len(records) == size
            else:
                complete = True
        if old.records:
            context.discard_old(self._shard, old)
        context.meter.count("FilteredOutEventCount", filtered)
        if filtered and not records:
            context.note(NO_RECORDS)
        return complete

    def _send(self, batch: Batch) -> None:
        """Give a batch to the function, without those of its records that have become too old."""
        context = self._context
        self._disarm()
        old = batch.older(context.timeline.now - context.lifetime(self._shard))
        if old:
            context.discard_old(self._shard, batch.cut(old))
        if batch.too_large():
            context.exhausted(self._shard, batch)
        elif batch.final and context.timeline.now >= self._expires_at(batch):
            self._lose_window("its records are too old")
        elif batch.records or batch.final:
            payload = self._window_event(batch) if context.window_length else batch.payload()
            self.flying = batch
            context.send(batch, payload, self._answered)

    # --- answers ---------------------------------------------------------------------------------------------------

    def _answered(self, invocation: Invocation, answer: Outcome | Throttled) -> None:
        batch = self.flying
        assert batch is not None
        self.flying = None
        if isinstance(answer, Throttled):
            self._context.note(PROBLEM)
            self._context.meter.count("FailedInvokeEventCount", len(batch.records))
            self._context.hop_batch(batch, "throttled", answer.reason)
            self._wait(batch, batch.pause())
        else:
            batch.request_id = invocation.request_id
            if answer.status == "ok":
                self._returned(batch, invocation, answer.payload)
            else:
                self._failed(batch, invocation, answer.status, "Unhandled")
        if self._context.running and not self.held:
            self.go()
        else:
            self.give_back()
        self._settled()

    def _returned(self, batch: Batch, invocation: Invocation, response: str) -> None:
        """The function returned; whether that is a success is in what it returned."""
        context = self._context
        state: str | None = None
        if self.window is not None and not batch.final:
            state = returned_state(response)
            if state is None:
                self._failed(batch, invocation, "a response without state")
                return
        done = len(batch.records)
        if context.settings.report_batch_item_failures and not batch.final:
            done = batch.done(failed_items(response, batch.places()))
        if not done and not batch.final:
            self._failed(batch, invocation, "a batch item failure")
            return
        self._processed(batch, done, state)

    def _processed(self, batch: Batch, done: int, state: str | None) -> None:
        """The first `done` records are processed; the others are a batch of their own, which has not failed yet."""
        context = self._context
        context.note(OK)
        if batch.final:
            self.window = None
        elif self.window is not None:
            assert state is not None
            self.window.state = state
        context.processed(batch, done)
        if done < len(batch.records):
            context.meter.count("FailedInvokeEventCount", len(batch.records) - done)
            batch.cut(done)
            batch.renew()
            pause = batch.pause()
            context.hop_batch(batch, "retry", f"{done} of the batch processed; the rest in {_seconds(pause)}")
            self._wait(batch, pause)

    def _failed(self, batch: Batch, invocation: Invocation, why: str, function_error: str | None = None) -> None:
        """Halve the batch, try it again, or give it up."""
        context = self._context
        settings = context.settings
        context.note(PROBLEM)
        context.meter.count("FailedInvokeEventCount", len(batch.records))
        batch.tries += 1
        if settings.bisect_batch_on_function_error and len(batch.records) > 1:
            self._halve(batch, why)
        elif 0 <= settings.maximum_retry_attempts < batch.tries:
            if batch.final:
                self._lose_window(f"{RETRIES_EXHAUSTED} after {batch.tries} invocations")
            else:
                context.exhausted(self._shard, batch, invocation, function_error)
        else:
            pause = batch.pause()
            context.hop_batch(batch, "retry", f"attempt {batch.tries} was {why}; next in {_seconds(pause)}")
            self._wait(batch, pause)

    def _halve(self, batch: Batch, why: str) -> None:
        left = batch.cut(len(batch.records) // 2)
        sizes = f"{len(left.records)} and {len(batch.records)}"
        self._context.hop_batch(left, "bisect", f"attempt was {why}; batches of {sizes}")
        for half in (batch, left):
            half.renew()
            self.ready.append(half)

    # --- waiting ---------------------------------------------------------------------------------------------------

    def _wait(self, batch: Batch, pause: int) -> None:
        """Try a batch again after a pause (ns), or as soon as none of its records is young enough any more."""
        self.waiting = batch
        self._arm(min(self._context.timeline.now + pause, self._expires_at(batch)), self._again)

    def _expires_at(self, batch: Batch) -> int:
        """When the youngest record of a batch (of the window, where it only ends that) has become too old."""
        if batch.final:
            assert self.window is not None
            youngest = self.window.last_arrival
        else:
            youngest = batch.records[-1].arrival
        return youngest + self._context.lifetime(self._shard)

    def _again(self, _: object) -> None:
        assert self.waiting is not None
        self.ready.append(self.waiting)
        self.waiting = None
        self._resume()

    def _batching_window_over(self, _: object) -> None:
        assert self.forming is not None
        self.ready.append(self.forming)
        self.forming = None
        self._resume()

    def _resume(self) -> None:
        self._timer = None
        self.go()
        self._settled()

    def _arm(self, when: int, callback: Callable[[Any], None]) -> None:
        self._disarm()
        self._timer = self._context.timeline.at(when, callback)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._context.timeline.cancel(self._timer)
            self._timer = None

    def give_back(self) -> None:
        """Put everything that is not in flight back into the queue: the next batches are made anew."""
        self._disarm()
        batches = (self.waiting, *reversed(self.ready), self.forming)
        records = [record for batch in batches if batch is not None for record in batch.records]
        self.queue.extendleft(reversed(records))
        self.forming = self.waiting = None
        self.ready.clear()

    def drop_expired(self) -> None:
        """While the mapping is disabled: forget records that have left the stream."""
        queue, horizon = self.queue, self._context.timeline.now - self._shard.retention
        while queue and queue[0].arrival <= horizon:
            self._context.drop(self._context.wanted((queue.popleft(),)))

    # --- tumbling windows ------------------------------------------------------------------------------------------

    def _envelope(self) -> int:
        """Bytes of an event without its records: what the window says of itself, and its state, count as well."""
        context = self._context
        if not context.window_length:
            return ENVELOPE
        window = self.window or Window(context.world, context.window_length, 0)
        return size_of(window.event(Batch(), self._shard.id, context.stream.arn))

    def _same_window(self, batch: Batch, record: Record) -> bool:
        """Whether a record may join a batch: it belongs to the batch's window, or opens one."""
        number = window_number(self._context.world, self._context.window_length, record)
        if batch.records:
            return number == batch.window
        batch.window = number
        return self.window is None or self.window.number == number

    def _window_event(self, batch: Batch) -> str:
        window = self.window
        if window is None:
            window = self.window = Window(self._context.world, self._context.window_length, batch.window)
        if batch.records:
            window.last_arrival = batch.records[-1].arrival
        return window.event(batch, self._shard.id, self._context.stream.arn)

    def _end_of_window(self, later: bool) -> Batch | None:
        """The last invocation of an open window, where it is due: a `later` record waits, or none will come."""
        if self.window is None:
            return None
        over_at = self.window.over_at()
        if later or self.ended or self._context.timeline.now >= over_at:
            return self._final()
        self._arm(over_at, self._window_over)
        return None

    def _window_over(self, _: object) -> None:
        self._resume()

    def _final(self) -> Batch:
        batch = Batch()
        batch.final = True
        return batch

    def _lose_window(self, why: str) -> None:
        """The last invocation of a window failed for good: its state is lost, its records had been processed."""
        self._context.hop(None, "gave_up", f"the last invocation of a window: {why}")
        self.window = None


def _seconds(duration: int) -> str:
    return f"{duration // MILLISECOND / 1000:g} s"
