"""The concurrency of the whole account: the two metrics without a dimension."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from simbus.metrics.meter import COUNT, Clock, Datapoint


class Pool(Protocol):
    """How many invocations run at once in the account, of them in the unreserved rest, and the most of each so far."""

    limit: int
    in_use: int
    elsewhere: int
    peak: int
    total_peak: int

    @property
    def unreserved(self) -> int: ...


class AccountMeter:
    """Reports the most of both in each minute."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    @property
    def stands(self) -> bool:
        return self._pool.in_use + self._pool.elsewhere > 0

    def close(self) -> Iterator[Datapoint]:
        yield from self.unwritten()
        pool = self._pool
        pool.peak = pool.in_use
        pool.total_peak = pool.in_use + pool.elsewhere

    def unwritten(self) -> Iterator[Datapoint]:
        time = self._clock.time_of(self._clock.begins)
        pool = self._pool
        if pool.total_peak:
            yield Datapoint(time, "ConcurrentExecutions", "", float(min(pool.total_peak, pool.limit)), COUNT)
        if pool.peak:
            peak = min(pool.peak, pool.unreserved)
            yield Datapoint(time, "UnreservedConcurrentExecutions", "", float(peak), COUNT)
