"""How an on-demand stream follows its traffic.

An on-demand stream starts with 4 shards and "accommodates up to double the peak write throughput observed in the
previous 30 days" (developer guide, "Choose the right mode"). Here the peak is that of a whole minute, and the number of
shards never falls: it would only after 30 days.
"""

from __future__ import annotations

from typing import Final

from simbus.kernel import MINUTE
from simbus.sources.kinesis.meter import WRITE_BYTES, WRITE_RECORDS

_SECONDS: Final = 60


class Demand:
    """Counts what is written in each minute."""

    __slots__ = ("_bytes", "_minute", "_records")

    def __init__(self) -> None:
        self._minute = 0
        self._bytes = 0
        self._records = 0

    def note(self, now: int, size: int) -> int:
        """Count a record. Returns how many shards the minute before asks for; 0 while a minute lasts."""
        minute = now // MINUTE
        wanted = 0
        if minute != self._minute:
            by_bytes = -(-2 * self._bytes // (_SECONDS * WRITE_BYTES))
            by_records = -(-2 * self._records // (_SECONDS * WRITE_RECORDS))
            wanted = max(by_bytes, by_records)
            self._minute, self._bytes, self._records = minute, 0, 0
        self._bytes += size
        self._records += 1
        return wanted
