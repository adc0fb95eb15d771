"""Schedule expressions of EventBridge rules: `rate(5 minutes)`, `cron(0 3 * * ? *)`; when each is due, by arithmetic.

Sources: user guide, "Creating an Amazon EventBridge rule that runs on a schedule" (fields, wildcards, examples; UTC; a
range may wrap around as in `20-2`); recordings TestScheduleRate::*, TestScheduleCron::* (what is refused, always with
the same message). What the guide leaves open is read as in Quartz, whose language this is: L, W and # stand alone in
their field, 15W takes the nearest weekday of the same month, a step is not longer than its field.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from calendar import monthrange
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple, Protocol

from simbus.errors import AwsError
from simbus.kernel import HOUR, MINUTE, SECOND
from simbus.sources.eventbridge.errors import validation

_RATE: Final = re.compile(r"rate\((\d+) (minute|hour|day)(s?)\)", re.ASCII)
_UNITS: Final = {"minute": MINUTE, "hour": HOUR, "day": 24 * HOUR}
_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_ITEM: Final = re.compile(r"(?:(\*)|(\w+)(?:-(\w+))?)(?:/(\d+))?", re.ASCII)
_NEAREST: Final = re.compile(r"(\d{1,2})W", re.ASCII)
_LAST_OF_WEEKDAY: Final = re.compile(r"([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)L", re.ASCII)
_NTH: Final = re.compile(r"([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)#([1-5])", re.ASCII)

DaysOf = Callable[[int, int], Sequence[int]]


class Schedule(Protocol):
    """When something is due. Times are nanoseconds since 1970."""

    def next_after(self, now: int, since: int) -> int | None:
        """The first instant after `now`, of a schedule that began at `since`; None where there is none any more."""


class Rate(NamedTuple):
    """Every so many nanoseconds, for the first time one period after the rule was made.

    "A rate expression starts when you create the scheduled event rule, and then it runs on a defined schedule."
    """

    period: int

    def next_after(self, now: int, since: int) -> int:
        return since + ((now - since) // self.period + 1) * self.period


class Cron(NamedTuple):
    """The values of each field, in ascending order; `days_of` gives the days of a month (year, month)."""

    minutes: Sequence[int]
    hours: Sequence[int]
    days_of: DaysOf
    months: Sequence[int]
    years: Sequence[int]

    def next_after(self, now: int, since: int) -> int | None:
        after = datetime.fromtimestamp(now // SECOND, UTC).replace(second=0) + timedelta(minutes=1)
        first = (after.year, after.month, after.day, after.hour, after.minute)
        found = self._search(first)
        return None if found is None else int(datetime(*found, tzinfo=UTC).timestamp()) * SECOND

    def _search(self, first: tuple[int, int, int, int, int]) -> tuple[int, int, int, int, int] | None:
        """The earliest instant that is not before `first`: the first day that has one, and the first one in it."""
        year, month, day, hour, minute = first
        for y in self.years[bisect_left(self.years, year) :]:
            for m in self.months if y > year else self.months[bisect_left(self.months, month) :]:
                for d in self.days_of(y, m):
                    if (y, m, d) > (year, month, day):
                        return y, m, d, self.hours[0], self.minutes[0]
                    if (y, m, d) == (year, month, day) and (rest := self._in_day(hour, minute)) is not None:
                        return y, m, d, *rest
        return None

    def _in_day(self, hour: int, minute: int) -> tuple[int, int] | None:
        for h in self.hours[bisect_left(self.hours, hour) :]:
            if h > hour:
                return h, self.minutes[0]
            later = bisect_left(self.minutes, minute)
            if later < len(self.minutes):
                return h, self.minutes[later]
        return None


def parse_schedule(expression: str) -> Schedule:
    """The schedule of an expression. Raises AwsError ValidationException."""
    rate = _RATE.fullmatch(expression)
    if rate is not None:
        count = int(rate[1])
        if count < 1 or (count == 1) != (rate[3] == ""):
            raise not_valid()
        return Rate(count * _UNITS[rate[2]])
    if not (expression.startswith("cron(") and expression.endswith(")")):
        raise not_valid()
    inner = expression[5:-1]
    fields = inner.upper().split()
    if len(fields) != 6 or inner != inner.strip():
        raise not_valid()
    minutes, hours, day, month, weekday, year = fields
    if (day == "?") == (weekday == "?"):
        raise not_valid()
    return Cron(
        _values(minutes, 0, 59, 59),
        _values(hours, 0, 23, 23),
        _days_of_month(day) if weekday == "?" else _days_of_week(weekday),
        _values(month, 1, 12, 12, _MONTHS),
        _values(year, 1970, 2199, 229, wraps=False),
    )


def not_valid() -> AwsError:
    """AWS's only answer to a bad expression."""
    return validation("Parameter ScheduleExpression is not valid.")


def _values(
    text: str, low: int, high: int, longest_step: int, names: Sequence[str] = (), *, wraps: bool = True
) -> list[int]:
    """The values of a field: lists, ranges, steps, names."""
    found: set[int] = set()
    for item in text.split(","):
        match = _ITEM.fullmatch(item)
        if match is None:
            raise not_valid()
        every, begin, end, step = match.groups()
        first = low if every else _number(begin, low, high, names)
        last = _number(end, low, high, names) if end else high if every or step else first
        values = list(range(first, last + 1))
        if last < first:
            if not wraps:
                raise not_valid()
            values = [*range(first, high + 1), *range(low, last + 1)]
        if step is not None and not 1 <= int(step) <= longest_step:
            raise not_valid()
        found.update(values[:: int(step or 1)])
    return sorted(found)


def _number(text: str, low: int, high: int, names: Sequence[str]) -> int:
    if text in names:
        return low + names.index(text)
    if not text.isdigit() or not low <= int(text) <= high:
        raise not_valid()
    return int(text)


def _days_of_month(text: str) -> DaysOf:
    if text == "L":
        return lambda year, month: (monthrange(year, month)[1],)
    if text == "LW":
        return lambda year, month: (_nearest_weekday(year, month, monthrange(year, month)[1]),)
    nearest = _NEAREST.fullmatch(text)
    if nearest is not None:
        wanted = _number(nearest[1], 1, 31, ())
        return lambda year, month: (
            () if wanted > monthrange(year, month)[1] else (_nearest_weekday(year, month, wanted),)
        )
    days = _values(text, 1, 31, 31)
    return lambda year, month: days[: bisect_left(days, monthrange(year, month)[1] + 1)]


def _nearest_weekday(year: int, month: int, day: int) -> int:
    """Monday to Friday nearest to the day, within the month."""
    weekday = date(year, month, day).weekday()
    if weekday == 5:
        return day - 1 if day > 1 else day + 2
    if weekday == 6:
        return day + 1 if day < monthrange(year, month)[1] else day - 2
    return day


def _days_of_week(text: str) -> DaysOf:
    """Days of the week count from 1, Sunday; `6L` is the last Friday of the month, `3#2` its second Tuesday."""
    if text == "L":
        text = "7"
    last = _LAST_OF_WEEKDAY.fullmatch(text)
    if last is not None:
        weekday = _number(last[1], 1, 7, _DAYS)
        return lambda year, month: _weekdays(year, month, (weekday,))[-1:]
    nth = _NTH.fullmatch(text)
    if nth is not None:
        weekday, number = _number(nth[1], 1, 7, _DAYS), int(nth[2])
        return lambda year, month: _weekdays(year, month, (weekday,))[number - 1 : number]
    if "/" in text:
        raise not_valid()
    weekdays = _values(text, 1, 7, 7, _DAYS)
    return lambda year, month: _weekdays(year, month, weekdays)


def _weekdays(year: int, month: int, wanted: Sequence[int]) -> list[int]:
    first, length = monthrange(year, month)  # Monday is 0
    return [day for day in range(1, length + 1) if (first + day) % 7 + 1 in wanted]
