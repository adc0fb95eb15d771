"""The provisioned units of a table or a global index, as DescribeTable tells them, and how often they may fall.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html: four decreases a day (UTC) at any
time, afterwards one an hour. What is told when, and the text, was measured on AWS in October 2026 by the public notes
ack-api-quirks (DDB-TABLE-058, 157, 184, 185, 326): UpdateTable's answer has the old units and count with the new date;
a table and each of its indexes count for themselves; a change of both units counts once, a mixed one is a decrease.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, Final

import msgspec

from simbus.errors import AwsError

FREE_DECREASES: Final = 4
HOUR: Final = timedelta(hours=1)
Units = Mapping[str, int]


class Provision(msgspec.Struct):
    """`units`: those that are there (None: on demand); a change of them begins, and is done some time later."""

    units: Units | None = None
    increased: datetime | None = None
    decreased: datetime | None = None
    decreases: int = 0  # on `day`
    day: date | None = None

    def check(self, units: Units | None, now: datetime) -> None:
        """Raise AwsError LimitExceededException for a decrease too many."""
        if not self._falls(units) or self._today(now) < FREE_DECREASES or self.decreased is None:
            return
        midnight = datetime.combine(now.date() + timedelta(days=1), time(), now.tzinfo)
        allowed = min(self.decreased + HOUR, midnight)
        if now < allowed:
            raise AwsError(
                "LimitExceededException",
                "Subscriber limit exceeded: Provisioned throughput decreases are limited within a given UTC day. After "
                f"the first {FREE_DECREASES} decreases, each subsequent decrease in the same UTC day can be performed "
                f"at most once every 3600 seconds. Number of decreases today: {self._today(now)}. Last decrease at "
                f"{_told(self.decreased)}. Next decrease can be made at {_told(allowed)}.",
            )

    def begin(self, units: Units | None, now: datetime) -> None:
        """The change is asked for: its date is there, its units are not."""
        if self._rises(units):
            self.increased = now
        if self._falls(units):
            self.decreased = now

    def finish(self, units: Units | None, now: datetime) -> None:
        """The change is done."""
        self.begin(units, now)
        if self._falls(units):
            self.decreases, self.day = self._today(now) + 1, now.date()
        self.units = units

    def shown(self, now: datetime) -> dict[str, Any]:
        """AWS's ProvisionedThroughputDescription: on demand, 0 and 0."""
        given = self.units or {}
        found: dict[str, Any] = {
            "NumberOfDecreasesToday": self._today(now),
            "ReadCapacityUnits": given.get("ReadCapacityUnits", 0),
            "WriteCapacityUnits": given.get("WriteCapacityUnits", 0),
        }
        if self.increased is not None:
            found["LastIncreaseDateTime"] = self.increased
        if self.decreased is not None:
            found["LastDecreaseDateTime"] = self.decreased
        return found

    def _today(self, now: datetime) -> int:
        return self.decreases if self.day == now.date() else 0

    def _rises(self, units: Units | None) -> bool:
        return _any_above(units, self.units)

    def _falls(self, units: Units | None) -> bool:
        return _any_above(self.units, units)


def _any_above(units: Units | None, others: Units | None) -> bool:
    """Whether one of the units is above its counterpart; no change of the billing mode is a rise or a fall."""
    return units is not None and others is not None and any(units[name] > others[name] for name in units)


def _told(at: datetime) -> str:
    """`Friday, October 9, 2026 at 1:21:34 AM Coordinated Universal Time`."""
    day = f"{at:%A}, {at:%B} {at.day}, {at.year}"
    return f"{day} at {at.hour % 12 or 12}:{at:%M:%S} {'AM' if at.hour < 12 else 'PM'} Coordinated Universal Time"
