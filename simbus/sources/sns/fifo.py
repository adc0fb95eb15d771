"""What a FIFO topic remembers: the messages of the last 5 minutes by deduplication id, and the sequence number."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from simbus.kernel import MINUTE
from simbus.sources.sns.message import Message

DEDUPLICATION_WINDOW: Final = 5 * MINUTE
_FIRST_SEQUENCE_NUMBER: Final = 10**19

Key = tuple[str | None, str]


class FifoMemory:
    """Deduplicates over the whole topic, whatever the group (recording test_..._deduplication_on_topic_level).

    A key is a deduplication id within a scope: None for the topic, else the group (FifoThroughputScope MessageGroup).

    The window starts with the first message of an id; repeating it does not prolong it
    (https://docs.aws.amazon.com/sns/latest/dg/fifo-message-dedup.html).
    """

    def __init__(self) -> None:
        self._recent: OrderedDict[Key, tuple[int, Message]] = OrderedDict()
        self._sequence = _FIRST_SEQUENCE_NUMBER

    def earlier(self, key: Key, now: int) -> Message | None:
        """The message that had this key within the window before `now` (nanoseconds)."""
        recent = self._recent
        while recent and next(iter(recent.values()))[0] <= now:
            recent.popitem(last=False)
        found = recent.get(key)
        return None if found is None else found[1]

    def remember(self, key: Key, now: int, message: Message) -> None:
        """Start the window of a key."""
        self._recent[key] = (now + DEDUPLICATION_WINDOW, message)

    def next_sequence_number(self) -> str:
        """20 digits, greater than all before."""
        self._sequence += 1
        return str(self._sequence)
