"""ReceiveRequestAttemptId: a receive of a FIFO queue that may be repeated, because its answer got lost.

For five minutes the same id gets the same messages with the same receipt handles, and their visibility timeout begins
again, as long as none of them was deleted or had its visibility changed (SQS API reference, ReceiveMessage).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from simbus.kernel import MINUTE
from simbus.sources.sqs.message import Message, ReceivedMessage

INTERVAL = 5 * MINUTE


class Attempt:
    """One receive: when it is forgotten, what it got, and the timer that hid each message."""

    __slots__ = ("expires", "messages", "timers")

    def __init__(self, expires: int, messages: list[ReceivedMessage]) -> None:
        self.expires = expires
        self.messages = messages
        self.note()

    def note(self) -> None:
        """The messages are hidden by these timers: who changes the visibility makes others."""
        self.timers = [received.message.timer for received in self.messages]

    @property
    def unchanged(self) -> bool:
        return all(
            received.message.state == "in_flight"
            and received.message.receive_count == received.receive_count
            and received.message.timer == timer
            for received, timer in zip(self.messages, self.timers, strict=True)
        )


class Attempts:
    """The receives of the last five minutes by their ids."""

    def __init__(self) -> None:
        self._recent: OrderedDict[str, Attempt] = OrderedDict()

    def again(self, attempt_id: str, now: int, hide: Callable[[Message], None]) -> list[ReceivedMessage] | None:
        """What the receive of that id got, hidden anew; None where it is to receive now."""
        recent = self._recent
        while recent and next(iter(recent.values())).expires <= now:
            recent.popitem(last=False)
        attempt = recent.get(attempt_id)
        if attempt is None or not attempt.unchanged:
            return None
        for received in attempt.messages:
            hide(received.message)
        attempt.note()
        return attempt.messages

    def keep(self, attempt_id: str, now: int, messages: list[ReceivedMessage]) -> None:
        """It got these."""
        self._recent.pop(attempt_id, None)
        if messages:
            self._recent[attempt_id] = Attempt(now + INTERVAL, messages)
