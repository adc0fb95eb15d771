"""Which message a receive gets next: the order of a standard queue, and that of a FIFO queue with its groups.

A standard queue promises no order; here it is the order in which messages became visible, so that a run repeats.
A FIFO queue keeps each group's order: hiding a message hides it and every later message of its group, earlier ones
stay receivable (recordings test_fifo_message_group_visibility and others).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Protocol

from simbus.kernel import MINUTE, SECOND
from simbus.sources.sqs.message import STANDING, Message

DEDUPLICATION_INTERVAL = 5 * MINUTE


class Order(Protocol):
    """Holds the messages of one queue in order. What a message's state is the queue itself decides."""

    def add(self, message: Message) -> None:
        """It has been put into the queue, in whatever state."""

    def show(self, message: Message) -> None:
        """It has become visible."""

    def end(self, message: Message) -> None:
        """It has left the queue."""

    def candidates(self, limit: int) -> Iterator[Message]:
        """Visible messages to hand out, one after the other; each one's state has changed before the next is asked."""


class StandardOrder:
    """First visible, first out. A message that ended while visible is dropped when its turn comes."""

    def __init__(self) -> None:
        self._visible: deque[Message] = deque()

    def add(self, message: Message) -> None:
        if message.state == "visible":
            self._visible.append(message)

    def show(self, message: Message) -> None:
        self._visible.append(message)

    def end(self, message: Message) -> None:
        while self._visible and self._visible[0].state != "visible":
            self._visible.popleft()

    def candidates(self, limit: int) -> Iterator[Message]:
        while self._visible:
            message = self._visible.popleft()
            if message.state == "visible":
                yield message


class _Group:
    __slots__ = ("messages", "ready")

    def __init__(self) -> None:
        self.messages: deque[Message] = deque()
        self.ready = False

    def leading(self, limit: int) -> list[Message]:
        """The visible messages before the first hidden one, `limit` at most."""
        messages = self.messages
        while messages and messages[0].state not in STANDING:
            messages.popleft()
        found = []
        for message in messages:
            if message.state == "visible":
                found.append(message)
                if len(found) == limit:
                    break
            elif message.state in STANDING:
                break
        return found


class FifoOrder:
    """Groups in the order in which they became receivable; as many messages of one group as possible first."""

    def __init__(self) -> None:
        self._groups: dict[str, _Group] = {}
        self._ready: deque[str] = deque()

    def add(self, message: Message) -> None:
        group_id = message.group_id or ""
        group = self._groups.get(group_id)
        if group is None:
            group = self._groups[group_id] = _Group()
        group.messages.append(message)
        self._offer(group_id, group)

    def show(self, message: Message) -> None:
        group_id = message.group_id or ""
        self._offer(group_id, self._groups[group_id])

    def end(self, message: Message) -> None:
        group_id = message.group_id or ""
        group = self._groups[group_id]
        if group.leading(1):
            self._offer(group_id, group)
        elif not group.messages and not group.ready:
            del self._groups[group_id]

    def _offer(self, group_id: str, group: _Group) -> None:
        if not group.ready:
            group.ready = True
            self._ready.append(group_id)

    def candidates(self, limit: int) -> Iterator[Message]:
        while self._ready:
            group_id = self._ready.popleft()
            group = self._groups[group_id]
            group.ready = False
            while run := group.leading(limit):
                yield from run
            if not group.messages and not group.ready and self._groups.get(group_id) is group:
                del self._groups[group_id]  # a redrive of its last message may have done so


class Deduplication:
    """What was sent in the last five minutes: a copy is accepted, but not put into the queue again."""

    def __init__(self) -> None:
        self._sent: dict[tuple[str, str], Message] = {}
        self._expiries: deque[tuple[int, tuple[str, str]]] = deque()

    def find(self, scope: str, deduplication_id: str, now: int) -> Message | None:
        """The first copy, if it was sent less than five minutes ago."""
        expiries = self._expiries
        while expiries and expiries[0][0] <= now:
            del self._sent[expiries.popleft()[1]]
        return self._sent.get((scope, deduplication_id))

    def note(self, scope: str, deduplication_id: str, now: int, sent: Message) -> None:
        self._sent[scope, deduplication_id] = sent
        self._expiries.append((now + DEDUPLICATION_INTERVAL, (scope, deduplication_id)))


class Rate:
    """A FIFO queue without high throughput takes 300 calls a second of each action (SQS developer guide, quotas)."""

    CALLS_PER_SECOND = 300

    def __init__(self) -> None:
        self._calls: dict[str, tuple[int, int]] = {}

    def admits(self, action: str, now: int) -> bool:
        """Count a call; False where it is above the limit of the current second."""
        second = now // SECOND
        counted_second, count = self._calls.get(action, (second, 0))
        count = count + 1 if counted_second == second else 1
        self._calls[action] = (second, count)
        return count <= self.CALLS_PER_SECOND
