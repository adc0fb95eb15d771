"""What a FIFO topic remembers: the messages of the last 5 minutes by deduplication id, and the sequence number."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from simbus.kernel import MINUTE
from simbus.sources.sns.message import Message

DEDUPLICATION_WINDOW: Final = 5 * MINUTE
_FIRST_SEQUENCE_NUMBER: Final = 10**19


class FifoMemory:
    """Deduplicates over the whole topic, whatever the group (recording test_..._deduplication_on_topic_level).

    The window starts with the first message of an id; repeating it does not prolong it
    (https://docs.aws.amazon.com/sns/latest/dg/fifo-message-dedup.html).
    """

    def __init__(self) -> None:
        self._recent: OrderedDict[str, tuple[int, Message]] = OrderedDict()
        self._sequence = _FIRST_SEQUENCE_NUMBER

    def earlier(self, deduplication_id: str, now: int) -> Message | None:
        """The message that had this id within the window before `now` (nanoseconds)."""
        recent = self._recent
        while recent and next(iter(recent.values()))[0] <= now:
            recent.popitem(last=False)
        found = recent.get(deduplication_id)
        return None if found is None else found[1]

    def remember(self, deduplication_id: str, now: int, message: Message) -> None:
        """Start the window of an id."""
        self._recent[deduplication_id] = (now + DEDUPLICATION_WINDOW, message)

    def next_sequence_number(self) -> str:
        """20 digits, greater than all before."""
        self._sequence += 1
        return str(self._sequence)
