"""The mappings that read one queue: they share its messages, and what becomes of each message is written down once."""

from __future__ import annotations

from typing import Protocol

from simbus.bus import Bus
from simbus.kernel import Timeline
from simbus.kernel.timeline import FOREVER, NANOSECOND
from simbus.sources.sqs.message import Message, State
from simbus.sources.sqs.queue import Queue


class Reader(Protocol):
    """The poller of one mapping."""

    @property
    def name(self) -> str:
        """The short name of its function: what the rows call this reader."""

    def receive(self) -> bool:
        """Receive once if it may; whether there was a message."""


class Claim:
    """Who received a message last, for which invocation, and whether that has been answered."""

    __slots__ = ("event_id", "expired", "in_hand", "name", "request_id")

    def __init__(self, name: str, event_id: str) -> None:
        self.name = name
        self.event_id = event_id
        self.request_id: str | None = None
        self.in_hand = True
        self.expired = False


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
        self._readers: list[Reader] = []
        self._claims: dict[str, Claim] = {}
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
        first = self._turn % len(self._readers) if self._readers else 0
        waiting = self._readers[first:] + self._readers[:first]
        while waiting:
            waiting = [reader for reader in waiting if reader.receive()]

    # --- claims ----------------------------------------------------------------------------------------------------

    def claim(self, message: Message, name: str) -> None:
        """A reader has received it."""
        self._claims[message.message_id] = Claim(name, message.event_id)

    def invoked(self, message: Message, name: str, request_id: str) -> None:
        """It is on its way to the function."""
        claim = self._claims.get(message.message_id)
        if claim is not None and claim.name == name:
            claim.request_id = request_id

    def released(self, message: Message, request_id: str | None) -> None:
        """The function did not process it: it stays in the queue, unless that had to give it up meanwhile."""
        claim = self._claims.get(message.message_id)
        if claim is None or claim.request_id != request_id:
            return
        claim.in_hand = False
        if claim.expired:
            del self._claims[message.message_id]
            self._settle(claim, "dropped")

    def processed(self, message: Message, name: str, request_id: str | None) -> None:
        """The function processed it: to be called before it is deleted, or when it has gone meanwhile."""
        claim = self._claims.pop(message.message_id, None)
        earlier, message.processed_by = message.processed_by, request_id
        if claim is not None:
            self._bus.settle_id(message.event_id, name, "ok", request_id)
        elif earlier is None:
            self._bus.hop(message.event_id, "processed_late", name, f"by {request_id}, when it had left the queue")
        elif earlier != request_id:
            self._bus.hop(message.event_id, "duplicate", name, f"processed by {request_id}, and by {earlier} before")

    def filtered(self, message: Message) -> None:
        """No filter matched it: to be called before it is deleted."""
        claim = self._claims.pop(message.message_id)
        self._bus.hop(message.event_id, "filtered", claim.name, "no filter of the mapping matches")

    def _ended(self, message: Message, state: State) -> None:
        claim = self._claims.pop(message.message_id, None)
        if self._queue.settings.fifo_queue and self._queue.store.counts["visible"]:
            self.wake()  # what stood behind it in its group may be receivable now
        if state == "deleted":
            if claim is not None and claim.in_hand and claim.request_id is not None:
                message.processed_by = claim.request_id
                self._settle(claim, "ok")
            return
        if claim is None:
            if not self._readers:
                return
            claim = Claim(self._readers[0].name, message.event_id)
        elif claim.in_hand and state == "expired":
            claim.expired = True
            self._claims[message.message_id] = claim  # the function has it still: its answer decides
            return
        self._settle(claim, "dropped" if state == "expired" else "dead_letter")

    def _settle(self, claim: Claim, outcome: str) -> None:
        self._bus.settle_id(claim.event_id, claim.name, outcome, claim.request_id)

    def finish(self) -> None:
        """The run has ended: what stands in the queue, or is in a function's hands, is held. Once is enough."""
        if self._finished:
            return
        self._finished = True
        for message in self._queue.messages:
            claim = self._claims.pop(message.message_id, None)
            if claim is not None:
                self._settle(claim, "held")
            elif self._readers:
                self._bus.settle_id(message.event_id, self._readers[0].name, "held")
        for claim in self._claims.values():
            self._settle(claim, "held")
