"""The poller of one event source mapping of a queue.

It receives when messages become visible (a long poll answers at once) as long as its concurrency allows, fills one
batch after the other, and deletes what the function has processed. Everything else is left to the queue: a message that
is not deleted becomes visible again after its visibility timeout, with its receive count grown.

Sources: Developer Guide, "Using Lambda with Amazon SQS" and the pages below it; recordings sqs_esm. Choices where AWS
is silent: messages fill the batch that is open before another is begun; a throttled batch is tried again after 1 s,
doubling up to 30 s, until the first of its messages would become visible; then it is given up. What one receive of a
FIFO queue brings beyond 6 MB waits for the batch before it, so that no group is in two hands. A batching window is
kept to the instant (on AWS a quiet queue may take up to 20 seconds).
"""

from __future__ import annotations

from collections import deque
from typing import cast

from simbus.bus import Bus
from simbus.kernel import SECOND
from simbus.metrics import MappingMeter
from simbus.model import Invocation, Throttled
from simbus.scheduler.mappings.filter import Criteria
from simbus.scheduler.mappings.port import RECURSIVE, Answer, FunctionPort
from simbus.scheduler.mappings.response import failed_items
from simbus.scheduler.mappings.settings import MappingSettings
from simbus.scheduler.queues.batch import QueueBatch, RecordWriter
from simbus.scheduler.queues.ledger import QueueLedger
from simbus.scheduler.queues.scaling import Scaling
from simbus.sources.sqs.message import STANDING, Message
from simbus.sources.sqs.queue import Queue
from simbus.world import World

MOST_PER_RECEIVE = 10
FIRST_BACKOFF = SECOND
LONGEST_BACKOFF = 30 * SECOND
VISIBILITY_MARGIN = 30  # seconds beyond window and timeout, where the queue's own timeout is too short for both


class QueuePoller:
    """Polls one queue for one mapping; `ledger` is what all mappings of the queue share."""

    def __init__(
        self,
        world: World,
        bus: Bus,
        queue: Queue,
        port: FunctionPort,
        settings: MappingSettings,
        criteria: Criteria | None,
        ledger: QueueLedger,
        meter: MappingMeter,
    ) -> None:
        self.port = port
        self._timeline = world.timeline
        self._bus = bus
        self._queue = queue
        self._store = queue.store
        self._fifo = queue.settings.fifo_queue
        self._settings = settings
        self._criteria = criteria
        self._ledger = ledger
        self._meter = meter
        meter.enabled = "EventCount" in settings.metrics
        self._records = RecordWriter(queue.resource, queue.arn, world.account.region)
        self._scaling = Scaling(world.timeline, settings, self._wants_more, ledger.wake)
        self._running = False
        self._busy = 0
        self._open: QueueBatch | None = None
        self._ready: deque[QueueBatch] = deque()
        ledger.join(self)

    def __repr__(self) -> str:
        return f"<QueuePoller {self._queue.name} -> {self.name} busy={self._busy} limit={self._scaling.limit}>"

    @property
    def name(self) -> str:
        """The short name of its function."""
        return self.port.function.name

    @property
    def busy(self) -> int:
        """How many batches are in flight: being processed, or waiting after a throttle."""
        return self._busy

    @property
    def limit(self) -> int:
        """How many may be at this moment."""
        return self._scaling.limit

    # --- life ------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to poll."""
        self._running = True
        self._ledger.wake()

    def stop(self) -> None:
        """Receive no more; what has been received is processed."""
        self._running = False
        if self._open is not None:
            self._dispatch(self._open)

    def leave(self) -> None:
        """The mapping is deleted."""
        self.stop()
        self._ledger.leave(self)

    def change(self, settings: MappingSettings, criteria: Criteria | None) -> None:
        """Go by other settings and filters from the next receive on."""
        self._settings, self._criteria = settings, criteria
        self._meter.enabled = "EventCount" in settings.metrics
        self._scaling.change(settings)
        if self._open is not None:
            self._dispatch(self._open)
        self._ledger.wake()

    def finish(self) -> None:
        """The run has ended."""
        self._ledger.finish()

    # --- receive and gather ----------------------------------------------------------------------------------------

    def receive(self) -> bool:
        """Receive once, 10 messages at most, into the batch that is open; whether it got some and there are more."""
        if not self._running or not self._store.counts["visible"]:
            return False
        if self._ready:
            self._invoke_ready()
        if self._busy >= self._scaling.limit:
            self._scaling.blocked()
            return False
        room = self._settings.batch_size - (0 if self._open is None else len(self._open.messages))
        visibility = self._visibility()
        got = self._store.take(min(room, MOST_PER_RECEIVE), visibility)
        self._meter.count("PolledEventCount", len(got))
        for message in got:
            self._take(message, self._timeline.now + visibility)
        if self._open is not None and self._is_full(self._open):
            self._dispatch(self._open)
        return bool(got) and self._store.counts["visible"] > 0

    def _visibility(self) -> int:
        """For how long a received message is hidden, in nanoseconds: long enough for the window and the function."""
        seconds = self._queue.settings.visibility_timeout
        window = self._settings.maximum_batching_window_in_seconds
        if window and window + self.port.timeout > seconds:
            seconds = window + self.port.timeout + VISIBILITY_MARGIN
        return max(seconds, 1) * SECOND  # 0 (set on the queue later on) would hand one message out without end

    def _take(self, message: Message, deadline: int) -> None:
        """Put a message into the batch that is open, or delete it where no filter wants it."""
        criteria = self._criteria
        if criteria is not None and not criteria.accepts(self._records.matched(message, criteria.keys)):
            self._meter.count("FilteredOutEventCount")
            self._ledger.filtered(message, self.name)
            self._store.delete((message,))
            return
        record = self._records.write(message, self._settings.maximum_batching_window_in_seconds > 0)
        size = len(record) if record.isascii() else len(record.encode())
        batch = self._open
        if batch is None or not batch.fits(size):
            batch = self._begin(batch, deadline)
        batch.add(message, record, size)

    def _begin(self, full: QueueBatch | None, deadline: int) -> QueueBatch:
        """Open a batch; the one that was open until now is full."""
        if full is not None:
            self._dispatch(full)
        self._open = batch = QueueBatch(self.port, deadline)
        window = self._settings.maximum_batching_window_in_seconds
        if window:
            batch.window = self._timeline.after(window * SECOND, self._window_over, batch)
        if full is not None and self._fifo:
            full.following, batch.waits = batch, True
        return batch

    def _is_full(self, batch: QueueBatch) -> bool:
        settings = self._settings
        return not settings.maximum_batching_window_in_seconds or len(batch.messages) >= settings.batch_size

    def _window_over(self, batch: QueueBatch) -> None:
        batch.window = None
        self._dispatch(batch)

    def _wants_more(self) -> bool:
        return self._running and self._busy >= self._scaling.limit and self._store.counts["visible"] > 0

    # --- invoke ----------------------------------------------------------------------------------------------------

    def _dispatch(self, batch: QueueBatch) -> None:
        """The batch is closed: invoke, or wait for a place."""
        if batch.window is not None:
            self._timeline.cancel(batch.window)
            batch.window = None
        if batch is self._open:
            self._open = None
        if batch.waits:
            return
        if self._busy >= self._scaling.limit:
            self._ready.append(batch)
            return
        lapsed = batch.drop(self._has_lapsed) if self._fifo else ()
        for message in (*lapsed, *batch.close()):
            self._ledger.released(message, batch.claim)
        if batch.messages:
            self._busy += 1
            self._invoke(batch)
        else:
            self._follow(batch)

    def _has_lapsed(self, message: Message, receive: int) -> bool:
        """It waited here until its visibility timeout was over: its group may have gone on without this receive."""
        return message.state in STANDING and (message.state != "in_flight" or message.receive_count != receive)

    def _follow(self, batch: QueueBatch) -> None:
        """A batch of a FIFO queue is done: what came with it may go, but for groups that it has not processed."""
        following = batch.following
        if following is None:
            return
        batch.following, following.waits = None, False
        following.failed |= batch.failed
        for message in following.drop(lambda message, _: message.group_id in batch.failed):
            self._leave_one(message, following, "returned", f"its group waits for what {batch.request_id} left")
        self._dispatch(following)

    def _invoke_ready(self) -> None:
        """Batches that waited for a place come first."""
        while self._ready and self._busy < self._scaling.limit:
            self._dispatch(self._ready.popleft())

    def _invoke(self, batch: QueueBatch) -> None:
        invocation = batch.port.invoke(batch.payload, self._answered, lineage=batch.lineage)
        invocation.state = batch
        self._meter.count("InvokedEventCount", len(batch.messages))
        self._ledger.invoked(batch.messages, batch.claim, invocation.request_id)

    def _answered(self, invocation: Invocation, answer: Answer) -> None:
        batch = cast(QueueBatch, invocation.state)
        if isinstance(answer, Throttled):
            self._refused(batch, answer.reason)
            return
        reporting = self._settings.report_batch_item_failures
        failed: list[str] | None = None
        if answer.status == "ok":
            failed = []
            if reporting:
                failed = failed_items(answer.payload, {message.message_id for message in batch.messages})
        self._meter.count("FailedInvokeEventCount", len(batch.messages if failed is None else failed))
        if failed is None:
            why = answer.status if answer.status != "ok" else "batchItemFailures can't be read"
            self._leave(batch, "failed", f"{why} in {batch.request_id}")
            if not reporting:
                self._scaling.failed()
        else:
            self._delete(batch, frozenset(failed))
        self._settled(batch)

    def _settled(self, batch: QueueBatch) -> None:
        """A batch has left: there is a place for another."""
        self._busy -= 1
        self._follow(batch)
        self._invoke_ready()
        if not self._store.counts["visible"]:
            self._scaling.idle(self._busy)
        elif self._running:
            self._ledger.wake()

    # --- what becomes of the messages -----------------------------------------------------------------------------

    def _delete(self, batch: QueueBatch, failed: frozenset[str]) -> None:
        """Delete what was processed; what the function reported as failed is left in flight."""
        queue, done = self._queue, batch.messages
        if failed or self._fifo or queue.deleted_at is not None or self._timeline.now < queue.out_until:
            done = [message for message, receive in batch.pairs() if self._deletes(message, receive, batch, failed)]
        else:
            self._ledger.processed(done, batch.claim)
        self._store.delete(done)
        self._meter.count("DeletedEventCount", len(done))

    def _deletes(self, message: Message, receive: int, batch: QueueBatch, failed: frozenset[str]) -> bool:
        """Whether one message is deleted, where not each of its batch may be; write down what becomes of it."""
        if message.message_id in failed:
            self._leave_one(message, batch, "failed", f"reported by {batch.request_id}")
            return False
        problem = self._refusal(message, receive)
        if problem is not None:
            self._leave_one(message, batch, "not_deleted", f"processed by {batch.request_id}, but {problem}")
            return False
        self._ledger.processed((message,), batch.claim)
        return True

    def _refusal(self, message: Message, receive: int) -> str | None:
        """Why the queue does not delete a message. A FIFO queue does not take an old receipt, others do."""
        if self._queue.deleted_at is not None:
            return "the queue does not exist any more"
        if message.state not in STANDING:
            return None
        if self._timeline.now < self._queue.out_until:
            return "the queue is out of service"
        if not self._fifo:
            return None
        return "its visibility timeout was over" if self._has_lapsed(message, receive) else None

    def _leave(self, batch: QueueBatch, kind: str, detail: str) -> None:
        """Nothing of it was processed: the messages are left in flight."""
        for message in batch.messages:
            self._leave_one(message, batch, kind, detail)

    def _leave_one(self, message: Message, batch: QueueBatch, kind: str, detail: str) -> None:
        batch.failed.add(message.group_id)
        self._bus.hop(message.event_id, kind, batch.name, detail)
        self._ledger.released(message, batch.claim)

    def _refused(self, batch: QueueBatch, reason: str) -> None:
        """No run began: try again while the messages are hidden. One row of hops for each throttle, as its metric."""
        self._meter.count("FailedInvokeEventCount", len(batch.messages))
        if reason == RECURSIVE:
            self._leave(batch, "recursion", reason)
            self._settled(batch)
            return
        kind = "throttled" if reason.endswith("LimitExceeded") else "refused"
        self._bus.hop(batch.messages[0].event_id, kind, batch.name, reason)
        self._scaling.failed()
        batch.backoff = min(batch.backoff * 2, LONGEST_BACKOFF) or FIRST_BACKOFF
        when = self._timeline.now + batch.backoff
        if when < batch.deadline:
            self._timeline.at(when, self._invoke, batch)
        else:
            self._timeline.at(batch.deadline, self._give_up, batch)

    def _give_up(self, batch: QueueBatch) -> None:
        self._leave(batch, "returned", "throttled until its visibility timeout was over")
        self._settled(batch)
