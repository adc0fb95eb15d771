"""The mappings that read one queue: they share its messages, and what becomes of each message is written down once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from simbus.bus import Bus
from simbus.kernel import Timeline
from simbus.kernel.timeline import FOREVER, NANOSECOND
from simbus.scheduler.queues.batch import Claim
from simbus.sources.sqs.message import Message, State
from simbus.sources.sqs.queue import Queue


class Reader(Protocol):
    """The poller of one mapping."""

    @property
    def name(self) -> str:
        """The short name of its function: what the rows call this reader."""

    def receive(self) -> bool:
        """Receive once if it may; whether it got something and there is more."""


class QueueLedger:
    """Wakes the readers of one queue in turn, and settles the change events of its messages, each of them once.

    `ok` for what a function processed, or deleted itself while it had it; `dead_letter` for what the queue redrove;
    `dropped` for what was too old; `held` for what stands in the queue at the end. A message that somebody else deleted
    was that one's business, and one that was filtered out was not wanted: neither has a row. What a function processes
    once more, or when it has left the queue already, is a row of hops.
    """

    def __init__(self, timeline: Timeline, bus: Bus, queue: Queue) -> None:
        self._timeline = timeline
        self._bus = bus
        self._queue = queue
        self._fifo = queue.settings.fifo_queue
        self._readers: list[Reader] = []
        self._expired: dict[str, Message] = {}  # out of the queue, but in a function's hands: its answer decides
        self._turn = 0
        self._woken = False
        self._finished = False
        queue.listen(self.wake, self._ended)

    def join(self, reader: Reader) -> None:
        """A mapping that was made: its function wants the queue's messages, also while it is disabled."""
        self._readers.append(reader)

    def leave(self, reader: Reader) -> None:
        """A mapping that was deleted."""
        self._readers.remove(reader)

    # --- turns -----------------------------------------------------------------------------------------------------

    def wake(self) -> None:
        """Let the readers receive when all is done that happens at this instant: they see every message of it."""
        if not self._woken and self._readers:
            self._woken = True
            self._timeline.after(NANOSECOND, self._round)

    def _round(self, _: None) -> None:
        """One receive each until nobody gets anything; another reader begins each time."""
        self._woken = False
        out_until = self._queue.out_until
        if self._timeline.now < out_until:
            self._woken = True
            (self._timeline.at if out_until < FOREVER else self._timeline.background)(out_until, self._round)
            return
        self._turn += 1
        waiting = self._readers
        if len(waiting) > 1:
            first = self._turn % len(waiting)
            waiting = waiting[first:] + waiting[:first]
        while waiting:
            waiting = [reader for reader in waiting if reader.receive()]

    # --- claims ----------------------------------------------------------------------------------------------------

    def invoked(self, messages: Sequence[Message], claim: Claim, request_id: str) -> None:
        """They are on their way to the function, also those that the same function has received once more since."""
        claim.request_id = request_id
        for message in messages:
            if message.claim is not claim and message.claim is not None and message.claim.name == claim.name:
                message.claim = claim

    def released(self, message: Message, claim: Claim) -> None:
        """The function did not process it: it stays in the queue, unless that had to give it up meanwhile."""
        if message.claim is not claim:
            return
        if self._expired.pop(message.message_id, None) is None:
            message.claim = Claim(claim.name, claim.request_id, in_hand=False)
        else:
            self._settle(message, claim, "dropped")

    def processed(self, messages: Sequence[Message], claim: Claim) -> None:
        """The function processed them: to be called before they are deleted, or when they have gone meanwhile."""
        ids = []
        for message in messages:
            if message.claim is None:
                self._processed_again(message, claim)
            else:
                message.claim = None
                ids.append(message.event_id)
            message.processed_by = claim.request_id
            if self._expired:
                self._expired.pop(message.message_id, None)
        self._bus.settle_ids(ids, claim.name, "ok", claim.request_id)

    def _processed_again(self, message: Message, claim: Claim) -> None:
        """It has been settled already, or had left the queue."""
        name, request_id, earlier = claim.name, claim.request_id, message.processed_by
        if earlier is None:
            self._bus.hop(message.event_id, "processed_late", name, f"by {request_id}, when it had left the queue")
        elif earlier != request_id:
            self._bus.hop(message.event_id, "duplicate", name, f"processed by {request_id}, and by {earlier} before")

    def filtered(self, message: Message, name: str) -> None:
        """No filter of that function's mapping matched it: to be called before it is deleted."""
        message.claim = None
        self._bus.hop(message.event_id, "filtered", name, "no filter of the mapping matches")

    def _ended(self, message: Message, state: State) -> None:
        claim, message.claim = message.claim, None
        if self._fifo and self._queue.store.counts["visible"]:
            self.wake()  # what stood behind it in its group may be receivable now
        if state == "deleted":
            if claim is not None and claim.in_hand and claim.request_id is not None:
                message.processed_by = claim.request_id
                self._settle(message, claim, "ok")
            return
        if claim is None:
            if not self._readers:
                return
            claim = Claim(self._readers[0].name)
        elif claim.in_hand and state == "expired":
            message.claim = claim
            self._expired[message.message_id] = message
            return
        self._settle(message, claim, "dropped" if state == "expired" else "dead_letter")

    def _settle(self, message: Message, claim: Claim, outcome: str) -> None:
        message.claim = None
        self._bus.settle_id(message.event_id, claim.name, outcome, claim.request_id)

    def finish(self) -> None:
        """The run has ended: what stands in the queue, or is in a function's hands, is held. Once is enough."""
        if self._finished:
            return
        self._finished = True
        for message in self._queue.messages:
            if message.claim is not None:
                self._settle(message, message.claim, "held")
            elif self._readers:
                self._bus.settle_id(message.event_id, self._readers[0].name, "held")
        for message in self._expired.values():
            self._settle(message, message.claim, "held")
