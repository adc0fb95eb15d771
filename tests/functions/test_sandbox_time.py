"""Time inside a handler is virtual time, whichever way its module got hold of the clock."""

import datetime as datetime_module
import os
import pickle
import sys
import time
from datetime import UTC, date, datetime, timedelta
from datetime import datetime as moment
from functools import partial
from time import monotonic, sleep
from time import time as wall
from types import SimpleNamespace

import pytest
from sandboxes import EPOCH, Lab, laboratory

from simbus.functions.sandbox import install, uninstall
from simbus.kernel import SECOND

ORIGINALS = {
    name: getattr(time, name)
    for name in ("time", "time_ns", "monotonic", "perf_counter", "sleep", "gmtime", "localtime", "strftime", "ctime")
}


class Cache:
    """What a library does: it keeps the clock as a default argument and as a class attribute."""

    clock = time.monotonic

    def __init__(self, timer=time.monotonic):
        self.timer = timer


class Day(datetime):
    """A user's own subclass."""


def test_clocks_tell_virtual_time(lab: Lab) -> None:
    """Every clock of `time` and `datetime` tells the timeline's now, and sleeping lets that time pass."""

    def handler(event, context):
        sleep(90.5)
        return [
            time.time(),
            time.time_ns(),
            time.monotonic(),
            time.monotonic_ns(),
            time.perf_counter(),
            time.clock_gettime(time.CLOCK_REALTIME),
            time.strftime("%Y-%m-%d %H:%M:%S"),
            time.ctime(),
            time.gmtime().tm_sec,
            time.localtime().tm_min,
            datetime.now().isoformat(),
            datetime.now(UTC).isoformat(),
            datetime.today().isoformat(),
            date.today().isoformat(),
        ]

    t = EPOCH / 1e9 + 90.5
    assert lab.result(lab.sandbox(handler, timeout=900)) == [
        *(t, EPOCH + 90_500_000_000, 90.5, 90_500_000_000, 90.5, t),
        *("2026-01-01 00:01:30", "Thu Jan  1 00:01:30 2026", 30, 1),
        *("2026-01-01T00:01:30.500000", "2026-01-01T00:01:30.500000+00:00"),
        *("2026-01-01T00:01:30.500000", "2026-01-01"),
    ]


def test_names_imported_before_the_simulation(lab: Lab) -> None:
    """`from time import sleep, time` and `from datetime import datetime` at the top of a test file count too."""

    def handler(event, context):
        before = wall(), monotonic()
        sleep(2)
        return [wall() - before[0], monotonic() - before[1], moment.now().second, Cache().timer(), Cache().clock()]

    assert lab.result(lab.sandbox(handler)) == [2.0, 2.0, 2, 2.0, 2.0]


def test_closures_and_defaults_of_the_handler(lab: Lab) -> None:
    """A clock that the callable holds in its closure, its defaults or a partial is found as well."""
    clock = time.time

    def handler(event, context, *, now=time.time, nap=sleep):
        nap(1)
        return [clock() - EPOCH / 1e9, now() - EPOCH / 1e9]

    uninstall()
    install()
    assert lab.result(lab.sandbox(partial(handler))) == [1.0, 1.0]


def test_modules_of_code_and_remaining_time(lab: Lab) -> None:
    """`get_remaining_time_in_millis()` counts down in virtual time (awslambdaric lambda_context.py)."""
    sandbox = lab.app(
        """
        from datetime import datetime
        from time import sleep, time
        loaded = datetime.now()
        def handler(event, context):
            left = [context.get_remaining_time_in_millis()]
            sleep(1.2345)
            left.append(context.get_remaining_time_in_millis())
            return [left, loaded.isoformat(), time()]
        """
    )
    assert lab.result(sandbox) == [[3000, 1766], "2026-01-01T00:00:00", (EPOCH + 1_234_500_000) / 1e9]


def test_the_time_zone_is_utc(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """TZ is :UTC in Lambda (recorded: test_introspection_invoke), whatever the zone of this machine."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()

    def handler(event, context):
        at = datetime(2026, 1, 1)
        return [
            time.localtime(0).tm_hour,
            datetime.fromtimestamp(0).hour,
            date.fromtimestamp(86_399).day,
            at.timestamp(),
            at.astimezone().isoformat(),
            time.mktime((2026, 1, 1, 0, 0, 0, 0, 0, 0)),
        ]

    try:
        assert lab.result(lab.sandbox(handler)) == [
            *(0, 0, 1, EPOCH / 1e9, "2026-01-01T00:00:00+00:00", EPOCH / 1e9),
        ]
        assert datetime.fromtimestamp(0).hour == 9
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_variable_sets_the_time_zone(lab: Lab) -> None:
    """TZ is not reserved: a function may set it, in its configuration or in its code (Developer Guide, "Defined runtime
    environment variables")."""

    def handler(zone, context):
        os.environ["TZ"] = zone
        time.tzset()
        now = datetime.now()
        return [
            now.isoformat(),
            abs(now.timestamp() - time.time()) < 1e-5,
            time.mktime(time.localtime()) == int(time.time()),
            datetime(2026, 7, 1).astimezone().isoformat(),
            datetime(2026, 7, 1, tzinfo=UTC).astimezone().isoformat(),
            datetime.fromtimestamp(0).hour,
            [date.today().day, date.fromtimestamp(86_399).day, datetime.today().hour],
            [time.localtime(0).tm_hour, time.strftime("%H %Z"), time.ctime(0)],
            [datetime.now(UTC).hour, time.gmtime().tm_hour],
        ]

    sandbox = lab.sandbox(handler)
    assert lab.result(sandbox, "Asia/Tokyo") == [
        *("2026-01-01T09:00:00", True, True, "2026-07-01T00:00:00+09:00", "2026-07-01T09:00:00+09:00", 9),
        *([1, 2, 9], [9, "09 JST", "Thu Jan  1 09:00:00 1970"], [0, 0]),
    ]
    berlin = lab.result(sandbox, "Europe/Berlin")
    assert berlin[3:5] == ["2026-07-01T00:00:00+02:00", "2026-07-01T02:00:00+02:00"]
    assert lab.result(sandbox, "no/zone")[0] == "2026-01-01T00:00:00"


def test_datetime_stays_itself(lab: Lab) -> None:
    """isinstance, pickle, arithmetic, comparison and subclasses of datetime keep working inside a handler."""
    outside = datetime(2025, 1, 1)

    def handler(event, context):
        now = datetime.now()
        own = Day.now()
        return [
            type(now) is datetime and isinstance(now, date),
            datetime_module.datetime is datetime,
            pickle.loads(pickle.dumps(now)) == now,
            now - outside > timedelta(days=364),
            type(own) is Day and own == now,
            type(Day.today()) is Day,
            type(Day.now(UTC)) is Day,
            type(now + timedelta(1)) is datetime,
        ]

    assert lab.result(lab.sandbox(handler)) == [True] * 8


def test_nothing_leaks_outside(tmp_path) -> None:
    """After the last `uninstall`, also after an exception and nested simulations, everything is what it was."""
    clocks = (datetime.__dict__["now"], date.__dict__["today"], Cache.clock, Cache.__init__.__defaults__)
    path, modules, hook = list(sys.path), set(sys.modules), sys.meta_path[0]

    def fail() -> None:
        with laboratory(tmp_path), laboratory(tmp_path) as lab:
            assert time.time is not ORIGINALS["time"]
            lab.app("import helper\n")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert {name: getattr(time, name) for name in ORIGINALS} == ORIGINALS
    assert (sleep, wall, monotonic) == (ORIGINALS["sleep"], ORIGINALS["time"], ORIGINALS["monotonic"])
    assert (datetime.__dict__["now"], date.__dict__["today"], Cache.clock, Cache.__init__.__defaults__) == clocks
    assert (list(sys.path), sys.meta_path[0]) == (path, hook)
    assert not {name for name in set(sys.modules) - modules if name in ("app", "helper")}


def test_outside_a_handler_time_is_real(lab: Lab) -> None:
    """The patched functions fall through wherever no handler runs."""
    before = ORIGINALS["time"]()
    assert before <= time.time() <= ORIGINALS["time"]()
    assert abs(datetime.now().timestamp() - before) < 60


def test_simulations_after_one_another(tmp_path) -> None:
    """A second simulation of the same process begins at its own time 0."""

    def handler(event, context):
        sleep(1)
        return wall()

    for _ in range(2):
        with laboratory(tmp_path) as lab:
            assert lab.result(lab.sandbox(handler)) == EPOCH / 1e9 + 1
            assert lab.timeline.now == SECOND


@pytest.mark.parametrize("seconds", [-1, -0.5])
def test_negative_sleep(lab: Lab, seconds: float) -> None:
    """time.sleep refuses a negative length with Python's own words."""
    outcome = lab.call(lab.sandbox(lambda event, context: sleep(seconds)))
    assert (outcome.error_type, outcome.error_message) == ("ValueError", "sleep length must be non-negative")


def test_sleep_wants_a_number(lab: Lab) -> None:
    """A text is no length."""
    assert lab.call(lab.sandbox(lambda event, context: sleep("1"))).error_type == "TypeError"


def test_other_ways_to_wait(lab: Lab) -> None:
    """`select.select` without files, `Event.wait` and `Queue.get` with a timeout park too."""
    import queue
    import select
    import threading

    def handler(event, context):
        select.select([], [], [], 0.5)
        waited = threading.Event().wait(1)
        lock = threading.Lock()
        with lock:
            got = lock.acquire(timeout=0.25)
        try:
            queue.Queue().get(timeout=1)
        except queue.Empty:
            return [waited, got, time.monotonic()]

    assert lab.result(lab.sandbox(handler)) == [False, False, 2.75]


def test_concurrent_handlers_interleave(lab: Lab) -> None:
    """Two environments that read, sleep and write the same state lose an update, as on AWS."""
    shared = SimpleNamespace(total=0)

    def handler(event, context):
        read = shared.total
        time.sleep(0.1)
        shared.total = read + 1
        return shared.total

    first, second = lab.sandbox(handler), lab.sandbox(handler)
    outcomes = lab.begin(first) + lab.begin(second)
    assert outcomes == []
    lab.timeline.run()
    assert shared.total == 1
    assert lab.result(first) == 2
