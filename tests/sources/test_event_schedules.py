"""Schedule expressions and the rules that they fire: which are valid, when they are due, what is sent."""

from __future__ import annotations

import calendar
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbus import AwsError, Simulation
from simbus.kernel import HOUR, MINUTE, SECOND
from simbus.sources.eventbridge.cron import parse_schedule

VALID = [
    "rate(1 minute)",
    "rate(5 minutes)",
    "rate(1 hour)",
    "rate(24 hours)",
    "rate(1 day)",
    "rate(365 days)",
    "cron(0 10 * * ? *)",
    "cron(15 12 * * ? *)",
    "cron(0 18 ? * MON-FRI *)",
    "cron(0 8 1 * ? *)",
    "cron(0/15 * * * ? *)",
    "cron(0/10 * ? * MON-FRI *)",
    "cron(0/5 8-17 ? * MON-FRI *)",
    "cron(0/30 20-2 ? * MON-FRI *)",
    "cron(5,35 14 * * ? *)",
    "cron(15 10 ? * 6L 2019-2022)",
    "cron(0 9 ? * 3#2 *)",
    "cron(0 9 ? * TUE#2 *)",
    "cron(0 9 L * ? *)",
    "cron(0 9 LW * ? *)",
    "cron(0 9 3W * ? *)",
    "cron(0 9 ? JAN,JUL FRI-MON 2026/2)",
    "cron(0 07 1/7 * ? *)",
]
INVALID = [
    "rate(10 seconds)",
    "rate(1 minutes)",
    "rate(10 minute)",
    "rate(0 minutes)",
    "rate(-1 minutes)",
    "rate(1.5 minutes)",
    "rate(10 MINUTES)",
    "rate( 10 minutes )",
    " rate(10 minutes)",
    "rate(10 minutes) ",
    "rate(10minutes)",
    "rate(minute)",
    "rate(5 weeks)",
    "rate(10  minutes)",
    "10 minutes",
    "at(2026-01-01T00:00:00)",
    "cron(0 1 * * * *)",
    "cron(0 1 ? * ? *)",
    "cron(0 1 1 * MON *)",
    "cron(60 1 * * ? *)",
    "cron(0 24 * * ? *)",
    "cron(0 1 0 * ? *)",
    "cron(0 1 32 * ? *)",
    "cron(0 1 * 13 ? *)",
    "cron(0 1 * 0 ? *)",
    "cron(0 1 ? * 8 *)",
    "cron(0 1 ? * 0 *)",
    "cron(0 1 * * ? 1969)",
    "cron(0 1 * * ? 2200)",
    "cron(0 1 * * ? 2030-2026)",
    "cron(7 20 * * NOT *)",
    "cron(INVALID)",
    "cron(0 dummy ? * MON-FRI *)",
    "cron(0 1 * * ?)",
    "cron(0 1 * * ? * *)",
    "cron(0 1,,2 * * ? *)",
    "cron(0/0 1 * * ? *)",
    "cron(0/60 1 * * ? *)",
    "cron(? 1 * * ? *)",
    "cron(0 1 ? * 3#6 *)",
    "cron(0 1 ? * 3#1,6#3 *)",
    "cron(0 1 ? * MON/2 *)",
    "cron(0 1 1W,15W * ? *)",
    "cron(0 1 ? * 1W *)",
    "cron(0 L * * ? *)",
    "cron(0 MON * * ? *)",
    "cron( 0 1 * * ? * )",
    "Cron(0 1 * * ? *)",
    "cron()",
    "",
]


@pytest.mark.parametrize("expression", VALID)
def test_what_is_a_schedule(expression: str) -> None:
    """Examples and wildcards of the user guide, "Creating an Amazon EventBridge rule that runs on a schedule"."""
    parse_schedule(expression)


@pytest.mark.parametrize("expression", INVALID)
def test_what_is_none(expression: str) -> None:
    """Always the same message (recordings of test_events_schedule; the fields' ranges in the user guide)."""
    with pytest.raises(AwsError) as caught:
        parse_schedule(expression)
    assert (caught.value.code, caught.value.message) == (
        "ValidationException",
        "Parameter ScheduleExpression is not valid.",
    )


def ns(moment: datetime) -> int:
    return int(moment.timestamp()) * SECOND


def due(expression: str, after: str, count: int = 3) -> list[str]:
    """The next instants of a cron expression, in ISO form to the minute."""
    schedule, now = parse_schedule(expression), ns(datetime.fromisoformat(after).replace(tzinfo=UTC))
    found = []
    for _ in range(count):
        following = schedule.next_after(now, now)
        if following is None:
            break
        now = following
        found.append(datetime.fromtimestamp(now // SECOND, UTC).strftime("%Y-%m-%dT%H:%M"))
    return found


@pytest.mark.parametrize(
    ("expression", "after", "expected"),
    [
        ("cron(15 10 ? * 6L 2026)", "2026-01-01", ["2026-01-30T10:15", "2026-02-27T10:15", "2026-03-27T10:15"]),
        ("cron(0 9 ? * 3#2 *)", "2026-01-01", ["2026-01-13T09:00", "2026-02-10T09:00", "2026-03-10T09:00"]),
        ("cron(0 9 3W * ? *)", "2026-01-01", ["2026-01-02T09:00", "2026-02-03T09:00", "2026-03-03T09:00"]),
        ("cron(0 9 1W * ? *)", "2026-08-01", ["2026-08-03T09:00", "2026-09-01T09:00", "2026-10-01T09:00"]),
        ("cron(0 9 LW * ? *)", "2026-01-01", ["2026-01-30T09:00", "2026-02-27T09:00", "2026-03-31T09:00"]),
        ("cron(0 9 ? * L *)", "2026-01-01", ["2026-01-03T09:00", "2026-01-10T09:00", "2026-01-17T09:00"]),
        ("cron(0/30 23-0 ? * FRI *)", "2026-01-01", ["2026-01-02T00:00", "2026-01-02T00:30", "2026-01-02T23:00"]),
        ("cron(0 0 29 2 ? *)", "2026-01-01", ["2028-02-29T00:00", "2032-02-29T00:00", "2036-02-29T00:00"]),
        ("cron(0 0 31 * ? *)", "2026-01-31", ["2026-03-31T00:00", "2026-05-31T00:00", "2026-07-31T00:00"]),
        ("cron(0 0 30 2 ? *)", "2026-01-01", []),
        ("cron(15 10 ? * 6L 2019-2022)", "2026-01-01", []),
        ("cron(0 3 * * ? *)", "2026-01-01T03:00", ["2026-01-02T03:00", "2026-01-03T03:00", "2026-01-04T03:00"]),
    ],
)
def test_when_it_is_due(expression: str, after: str, expected: list[str]) -> None:
    """Worked out by hand on a calendar, by the meanings of the user guide."""
    assert due(expression, after) == expected


# --- against a walk, minute by minute and day by day ------------------------------------------------------------------

Field = tuple[str, frozenset[int]]


def numbers(low: int, high: int) -> st.SearchStrategy[Field]:
    """A field of plain numbers with the values that it means, worked out in another way."""
    value = st.integers(low, high)

    def stepped(begin: int, step: int) -> Field:
        return f"{begin}/{step}", frozenset(v for v in range(low, high + 1) if v >= begin and (v - begin) % step == 0)

    def ranged(begin: int, end: int) -> Field:
        inside = (begin <= v <= end if begin <= end else v >= begin or v <= end for v in range(low, high + 1))
        return f"{begin}-{end}", frozenset(v for v, wanted in zip(range(low, high + 1), inside, strict=True) if wanted)

    one = st.one_of(
        value.map(lambda v: (str(v), frozenset({v}))),
        st.builds(stepped, value, st.integers(1, high - low)),
        st.builds(ranged, value, value),
    )
    several = st.lists(one, min_size=1, max_size=3).map(
        lambda parts: (",".join(text for text, _ in parts), frozenset().union(*(values for _, values in parts)))
    )
    return st.one_of(st.just(("*", frozenset(range(low, high + 1)))), several)


def sunday_first(day: date) -> int:
    return (day.weekday() + 1) % 7 + 1


def nearest(day: date, wanted: int) -> bool:
    """Whether the day is the weekday nearest to a day of its month, found by trying outwards."""
    length = calendar.monthrange(day.year, day.month)[1]
    for distance in (0, -1, 1, 2, -2):
        tried = wanted + distance
        if wanted <= length and 1 <= tried <= length and day.replace(day=tried).weekday() < 5:
            return day.day == tried
    return False


Days = tuple[str, str, Callable[[date], bool]]
DAYS: st.SearchStrategy[Days] = st.one_of(
    numbers(1, 31).map(lambda f: (f[0], "?", lambda day: day.day in f[1])),
    numbers(1, 7).filter(lambda f: "/" not in f[0]).map(lambda f: ("?", f[0], lambda day: sunday_first(day) in f[1])),
    st.just(("L", "?", lambda day: (day + timedelta(days=1)).day == 1)),
    st.integers(1, 31).map(lambda n: (f"{n}W", "?", lambda day: nearest(day, n))),
    st.integers(1, 7).map(
        lambda n: ("?", f"{n}L", lambda day: sunday_first(day) == n and (day + timedelta(days=7)).month != day.month)
    ),
    st.tuples(st.integers(1, 7), st.integers(1, 5)).map(
        lambda f: ("?", f"{f[0]}#{f[1]}", lambda day: sunday_first(day) == f[0] and (day.day + 6) // 7 == f[1])
    ),
)
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC))
WALK = 2 * 24 * 60


@given(numbers(0, 59), numbers(0, 23), DAYS, numbers(1, 12), MOMENTS)
def test_the_next_minute_is_that_of_a_walk(minutes: Field, hours: Field, days: Days, months: Field, now: Any) -> None:
    """Every field must hold at once; the first such minute after now is due."""
    found = parse_schedule(f"cron({minutes[0]} {hours[0]} {days[0]} {months[0]} {days[1]} *)").next_after(ns(now), 0)
    walked = now.replace(second=0, microsecond=0)
    for _ in range(WALK):
        walked += timedelta(minutes=1)
        in_time = walked.minute in minutes[1] and walked.hour in hours[1]
        if in_time and walked.month in months[1] and days[2](walked.date()):
            assert found == ns(walked)
            return
    assert found is None or found > ns(walked)


@given(DAYS, numbers(1, 12), MOMENTS)
def test_the_next_day_is_that_of_a_walk(days: Days, months: Field, now: Any) -> None:
    """The same over six years, day by day, for the fields of the date."""
    found = parse_schedule(f"cron(0 0 {days[0]} {months[0]} {days[1]} *)").next_after(ns(now), 0)
    walked = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for _ in range(6 * 366):
        walked += timedelta(days=1)
        if walked.month in months[1] and days[2](walked.date()):
            assert found == ns(walked)
            return
    assert found is None or found > ns(walked)


# --- rules at work ----------------------------------------------------------------------------------------------------


def test_a_scheduled_event() -> None:
    """Its shape, and only the rule itself sees it (recording test_events_schedule; reference 15.4)."""
    seen: list[Any] = []
    with Simulation(seed=1) as sim:
        function = sim.function("report", handler=lambda event, context: seen.append(event))
        bus = sim.event_bus("default")
        bus.put_rule("nightly", schedule_expression="cron(0 3 * * ? *)")
        bus.put_targets("nightly", [function])
        bus.put_rule("others", event_pattern={"source": ["aws.events"]})
        bus.put_targets("others", [function])
        bus.create_archive("all")
        sim.run(for_="2d")
        assert bus.describe_archive("all")["EventCount"] == 0
    first, second = seen
    assert second.pop("id") != first["id"]
    arn = "arn:aws:events:us-east-1:000000000000:rule/nightly"
    assert second == {
        "version": "0",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "000000000000",
        "time": "2026-01-02T03:00:00Z",
        "region": "us-east-1",
        "resources": [arn],
        "detail": {},
    }


def fired(sim: Simulation) -> list[int]:
    with sim.reader() as reader:
        return [time for (time,) in reader.query("SELECT time - 1767225600000 FROM events ORDER BY time")]


def test_a_rate_begins_when_the_rule_is_made() -> None:
    """The first event comes one period after PutRule ("a rate expression starts when you create the rule")."""
    with Simulation(seed=1) as sim:
        bus = sim.event_bus("default")
        sim.at("7s", lambda: bus.put_rule("often", schedule_expression="rate(5 minutes)"))
        sim.run(for_="16m")
        assert fired(sim) == [307_000, 607_000, 907_000]


def test_a_schedule_does_not_hold_a_run_open() -> None:
    """`run` ends when nothing is pending; nobody waits for a schedule."""
    with Simulation(seed=1) as sim:
        sim.event_bus("default", rules={"often": {"schedule_expression": "rate(1 minute)"}})
        sim.run()
        assert sim.now == 0


def test_disabled_deleted_and_replaced_rules_do_not_fire() -> None:
    """DisableRule, DeleteRule and PutRule stop what was there; EnableRule begins a rate anew."""
    with Simulation(seed=1) as sim:
        bus = sim.event_bus("default", rules={"often": {"schedule_expression": "rate(1 minute)", "state": "DISABLED"}})
        sim.at("10m30s", lambda: bus.enable_rule("often"))
        sim.at("12m", lambda: bus.disable_rule("often"))
        sim.at("20m", lambda: bus.put_rule("often", schedule_expression="rate(2 minutes)"))
        sim.at("21m", lambda: bus.enable_rule("often"))
        sim.at("23m", lambda: bus.delete_rule("often"))
        sim.run(for_="1h")
        assert fired(sim) == [(11 * 60 + 30) * 1000, 22 * 60 * 1000]


@pytest.mark.parametrize("unit", ["minute", "hour", "day"])
def test_the_periods_of_a_rate(unit: str) -> None:
    """Minutes, hours and days, in one and in several."""
    period = {"minute": MINUTE, "hour": HOUR, "day": 24 * HOUR}[unit]
    assert parse_schedule(f"rate(1 {unit})").next_after(5, 5) == 5 + period
    assert parse_schedule(f"rate(3 {unit}s)").next_after(5 + 3 * period, 5) == 5 + 6 * period


def test_schedules_are_for_the_default_bus() -> None:
    """AWS's words for a custom bus; a rule needs a pattern or a schedule."""
    with Simulation(seed=1) as sim:
        with pytest.raises(AwsError, match=r"ScheduleExpression is supported only on the default event bus\."):
            sim.event_bus("orders").put_rule("x", schedule_expression="rate(1 day)")
        with pytest.raises(AwsError, match=r"Parameter\(s\) EventPattern or ScheduleExpression must be specified\."):
            sim["events:orders"].put_rule("x")
