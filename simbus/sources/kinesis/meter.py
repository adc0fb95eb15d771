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
LARGEST_KEY: Final = 1_024  # 256 characters of up to 4 bytes


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

        A blob of 1 MiB fills its second, whatever its partition key adds. A larger record needs a second of its own and
        is paid off by those that follow ("bursts up to 10 MiB while averaging 1 MiB per second", developer guide,
        "Handle large records").
        """
        second = now // SECOND
        if second != self._second:
            self._turn(second)
        share = self._bytes_a_second
        if share < size <= share + LARGEST_KEY:
            size = share
        if self._calls >= self._calls_a_second or (self._bytes and self._bytes + size > share):
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
