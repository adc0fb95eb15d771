"""Provisioned capacity: what a table and each of its global indexes may take, and AWS's answer beyond it.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/burst-adaptive-capacity.html: up to five minutes of
unused capacity (300 s) are kept for bursts. A request is let in as long as anything is left, and then charged what it
took, so that one of many units is possible at a low rate and paid off by those after it ("Amazon DynamoDB: A Scalable,
Predictably Performant, and Fully Managed NoSQL Database Service", USENIX ATC 2022, token buckets). Limits of a single
partition, adaptive capacity and auto scaling are not played; a table of on-demand capacity has no limit here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

from simbus.errors import AwsError, UsageError
from simbus.kernel import SECOND, Timeline
from simbus.metrics import TableMeter
from simbus.sources.dynamodb.capacity import Consumed

BURST: Final = 300  # seconds
THROTTLED: Final = "ProvisionedThroughputExceededException"
Kind = Literal["Read", "Write"]
Units = Mapping[str, int]
# Both texts are in botocore's service model, under TransactionCanceledException.
_OF_TABLE: Final = (
    "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning "
    "level with the UpdateTable API."
)
_OF_INDEX: Final = (
    "The level of configured provisioned throughput for one or more global secondary indexes of the table was "
    "exceeded. Consider increasing your provisioning level for the under-provisioned global secondary indexes with the "
    "UpdateTable API"
)


def units_of(given: Mapping[str, Any], where: str) -> dict[str, int]:
    """A ProvisionedThroughput, in AWS's names or in snake_case. Raises UsageError."""
    names = {"read_capacity_units": "ReadCapacityUnits", "write_capacity_units": "WriteCapacityUnits"}
    found = {names.get(name, name): value for name, value in given.items()}
    fine = all(type(value) is int and value >= 1 for value in found.values())
    if sorted(found) != sorted(names.values()) or not fine:
        raise UsageError(
            f"provisioned_throughput of {where} is {dict(given)!r}; it has read_capacity_units and "
            "write_capacity_units, numbers of 1 or more. Write it like that."
        )
    return found


class _Bucket:
    """Units that are left, counted in units times nanoseconds."""

    __slots__ = ("_at", "_left", "_most", "_rate")

    def __init__(self, rate: int, now: int, *, full: bool) -> None:
        self._rate = rate
        self._most = rate * BURST * SECOND
        self._left = self._most if full else rate * SECOND
        self._at = now

    def has_any(self, now: int) -> bool:
        self._left = min(self._most, self._left + self._rate * (now - self._at))
        self._at = now
        return self._left > 0

    def take(self, units: float) -> None:
        self._left -= int(units * SECOND)

    def empty(self) -> None:
        """Nothing has been saved."""
        self._left = self._rate * SECOND

    def change(self, rate: int, now: int) -> None:
        """Another rate from now on; what was saved for bursts stays."""
        self.has_any(now)
        self._rate, self._most = rate, rate * BURST * SECOND


class Throughput:
    """The capacity of one table (`None` in `buckets`) and of its global indexes.

    A local index takes its table's. `full`: the last five minutes were idle; otherwise a second's share is there.
    """

    def __init__(self, timeline: Timeline, meter: TableMeter, arn: str) -> None:
        self._timeline = timeline
        self._meter = meter
        self._arn = arn
        self._buckets: dict[tuple[str | None, str], _Bucket] = {}

    def provide(self, index: str | None, units: Units, *, full: bool) -> None:
        """So many units a second for the table or an index, from now on."""
        for kind in ("Read", "Write"):
            rate, now = units[f"{kind}CapacityUnits"], self._timeline.now
            bucket = self._buckets.get((index, kind))
            if bucket is None:
                self._buckets[index, kind] = _Bucket(rate, now, full=full)
            else:
                bucket.change(rate, now)

    def begin(self) -> None:
        """The table has just been created: there is no unused capacity yet."""
        for bucket in self._buckets.values():
            bucket.empty()

    def forget(self, index: str) -> None:
        """An index is deleted."""
        for kind in ("Read", "Write"):
            self._buckets.pop((index, kind), None)

    def admit(self, kind: Kind, index: str | None = None) -> None:
        """Raise ProvisionedThroughputExceededException where nothing is left; a local index asks its table."""
        bucket = self._buckets.get((index, kind)) or self._buckets[None, kind]
        if not bucket.has_any(self._timeline.now):
            raise self._refused(kind, index if (index, kind) in self._buckets else None)

    def admit_indexes(self, names: Iterable[str]) -> None:
        """The same for the global indexes that a write changes: they hold back the table ("back pressure")."""
        for name in names:
            self.admit("Write", name)

    def take(self, kind: Kind, consumed: Consumed, times: float = 1.0) -> None:
        """Charge what an operation has taken."""
        own = consumed.table
        for name, units in consumed.of_index.items():
            bucket = self._buckets.get((name, kind))
            if bucket is None:
                own += units
            else:
                bucket.take(units * times)
        if own:
            self._buckets[None, kind].take(own * times)
            self._meter.count(f"Consumed{kind}CapacityUnits", own * times)

    def _refused(self, kind: Kind, index: str | None) -> AwsError:
        if index is None:
            self._meter.count(f"{kind}ThrottleEvents")
        what, arn = ("Table", self._arn) if index is None else ("Index", f"{self._arn}/index/{index}")
        error = AwsError(THROTTLED, _OF_TABLE if index is None else _OF_INDEX)
        reasons: Any = [{"reason": f"{what}{kind}ProvisionedThroughputExceeded", "resource": arn}]
        error.extra = {"ThrottlingReasons": reasons}
        return error
