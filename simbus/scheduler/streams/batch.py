"""One batch of a shard's records on its way to the function, with the text that the function will get."""

from __future__ import annotations

from typing import Any, Final

from simbus.kernel import MILLISECOND, MINUTE
from simbus.scheduler.mappings.port import FunctionPort
from simbus.scheduler.payload import SYNCHRONOUS_LIMIT, records_event
from simbus.scheduler.streams.source import Record

ENVELOPE: Final = len('{"Records":[]}')

# AWS does not document how long a failed batch waits. The only fact: with a record age of 60 s and no limit of retries
# one record was tried 8 times (recorded: test_kinesis_maximum_record_age_exceeded[expire-while-retrying]). A quarter of
# a second that doubles does just that; it ends at 5 minutes, as the back-off of Lambda's asynchronous queue does.
FIRST_BACKOFF: Final = 250 * MILLISECOND
LONGEST_BACKOFF: Final = 5 * MINUTE


class Batch:
    """Records of one lane, oldest first, and the JSON text of each. `size` is that of the texts in bytes.

    `tries` counts the invocations that failed, `request_id` is that of the last one ("": none yet), `port` the way that
    it went, `backoff` how long it waits after the next failure or throttle (nanoseconds). `window` is the number of the
    tumbling window that all records belong to; a batch with `final` set has no records: it ends its window.
    """

    __slots__ = ("backoff", "final", "port", "records", "request_id", "size", "texts", "tries", "window")

    def __init__(self, records: list[Any] | None = None, texts: list[str] | None = None, window: int = 0) -> None:
        self.records: list[Any] = records or []
        self.texts = texts or []
        self.size = 0
        self.tries = 0
        self.request_id = ""
        self.port: FunctionPort | None = None
        self.backoff = FIRST_BACKOFF
        self.window = window
        self.final = False

    def __repr__(self) -> str:
        return f"<Batch records={len(self.records)} tries={self.tries}>"

    def add(self, record: Record, text: str, size: int) -> None:
        """Take a record up, with its text and the size of that in bytes."""
        self.records.append(record)
        self.texts.append(text)
        self.size += size + 1

    def fits(self, size: int, envelope: int = ENVELOPE) -> bool:
        """Whether a record may be added: 6 MB hold the records and all that stands around them."""
        return not self.records or envelope + self.size + size <= SYNCHRONOUS_LIMIT

    def too_large(self) -> bool:
        """A record that can't be sent even alone."""
        return len(self.records) == 1 and ENVELOPE + self.size - 1 > SYNCHRONOUS_LIMIT

    def payload(self) -> str:
        return records_event(self.texts)

    def cut(self, count: int) -> Batch:
        """Take the first `count` records away, as a batch of their own; this one keeps its tries."""
        head = Batch(self.records[:count], self.texts[:count], self.window)
        head.tries = self.tries
        head.request_id = self.request_id
        head.port = self.port
        head.size = sum(map(size_of, head.texts)) + count
        del self.records[:count], self.texts[:count]
        self.size -= head.size
        return head

    def renew(self) -> None:
        """Count and back off from the beginning: it is another batch than the one that failed."""
        self.tries = 0
        self.backoff = FIRST_BACKOFF

    def pause(self) -> int:
        """How long to wait now (nanoseconds); the next time it is twice as long."""
        pause = self.backoff
        self.backoff = min(pause * 2, LONGEST_BACKOFF)
        return pause

    def older(self, horizon: int) -> int:
        """How many of the records arrived at `horizon` or before: they are the first ones."""
        count = 0
        for record in self.records:
            if record.arrival > horizon:
                break
            count += 1
        return count

    def places(self) -> dict[str, int]:
        """Where each of the records stands, by its sequence number."""
        return {record.sequence_number: place for place, record in enumerate(self.records)}

    def done(self, failed: list[str] | None) -> int:
        """How many records stand before the first of the failed ones; None: the whole batch failed."""
        if failed is None:
            return 0
        places = self.places()
        return min((places[each] for each in failed), default=len(self.records))


def size_of(text: str) -> int:
    """Bytes of a text in UTF-8."""
    return len(text) if text.isascii() else len(text.encode())
