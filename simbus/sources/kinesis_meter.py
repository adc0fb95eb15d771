"""The throughput of one shard, counted in seconds of virtual time.

Source: Kinesis developer guide, "Quotas and limits" and "Handle large records".
"""

from __future__ import annotations

from typing import Final

from simbus.kernel import SECOND

MIB: Final = 1_048_576
WRITE_BYTES: Final = MIB  # a second; partition keys count
WRITE_RECORDS: Final = 1_000
READ_BYTES: Final = 2 * MIB
READ_CALLS: Final = 5
LARGEST_RECORD: Final = 10 * MIB


class Meter:
    """Bytes and calls of the current second; bytes above a second's share are paid off by the seconds that follow."""

    __slots__ = ("_bytes", "_bytes_a_second", "_calls", "_calls_a_second", "_second")

    def __init__(self, bytes_a_second: int, calls_a_second: int) -> None:
        self._bytes_a_second = bytes_a_second
        self._calls_a_second = calls_a_second
        self._second = 0
        self._bytes = 0
        self._calls = 0

    def write(self, now: int, size: int) -> bool:
        """Count a record of `size` bytes, or say no.

        A record above 1 MiB may borrow up to 10 MiB from the seconds to come ("bursts up to 10 MiB while averaging
        1 MiB per second", developer guide, "Handle large records").
        """
        second = now // SECOND
        if second != self._second:
            self._turn(second)
        share = self._bytes_a_second
        most = share if size <= share else share + LARGEST_RECORD
        if self._calls >= self._calls_a_second or self._bytes + size > most:
            return False
        self._calls += 1
        self._bytes += size
        return True

    def may_read(self, now: int) -> bool:
        """Count a call of GetRecords, or say no. After 10 MiB the seconds that they are worth are refused."""
        second = now // SECOND
        if second != self._second:
            self._turn(second)
        if self._calls >= self._calls_a_second or self._bytes >= self._bytes_a_second:
            return False
        self._calls += 1
        return True

    def has_read(self, size: int) -> None:
        self._bytes += size

    def _turn(self, second: int) -> None:
        self._bytes = max(0, self._bytes - (second - self._second) * self._bytes_a_second)
        self._calls = 0
        self._second = second
