"""Time inside a handler is the timeline's. Its zone is UTC, as in Lambda, or what the environment variable TZ says.

TZ counts at once (in Python, after `time.tzset()`); a zone that this machine does not know is UTC, as the C library has
it. `time.tzname` and its like stay those of this machine.

The methods of `datetime` and `date` are replaced in the types themselves, so that `from datetime import datetime`
needs no care. Functions of `time` that somebody imported by name before are found by `scan`.
"""

from __future__ import annotations

import calendar
import math
import operator
import os
import select
import time
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from simbus.functions.sandbox.dispatch import Patch, patch, type_dict
from simbus.functions.sandbox.state import alive_here, outside

if TYPE_CHECKING:
    from simbus.functions.sandbox.process import Sandbox

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_environ: Any = os.environ
_zones: dict[bytes, tzinfo] = dict.fromkeys((b"", b":UTC", b"UTC"), UTC)
_gmtime, _strftime, _asctime = time.gmtime, time.strftime, time.asctime


def _sleep(sandbox: Sandbox, seconds: Any, /) -> None:
    if isinstance(seconds, float):
        if math.isnan(seconds):
            raise ValueError("Invalid value NaN (not a number)")
        delay = round(seconds * 1e9) if math.isfinite(seconds) else 1 << 62
    else:
        delay = operator.index(seconds) * 1_000_000_000
    if delay < 0 or seconds == -math.inf:
        raise ValueError("sleep length must be non-negative")
    if delay:
        sandbox.pause(delay)
    elif seconds:  # so that who sleeps for what is left does not do so for ever
        sandbox.pause(1)
    elif sandbox.threads:
        sandbox.running.spin(step_aside=True)


def _time(sandbox: Sandbox) -> float:
    return (sandbox.epoch_ns + sandbox.timeline.now) / 1e9


def _time_ns(sandbox: Sandbox) -> int:
    return sandbox.epoch_ns + sandbox.timeline.now


def _monotonic(sandbox: Sandbox) -> float:
    return sandbox.timeline.now / 1e9


def _monotonic_ns(sandbox: Sandbox) -> int:
    return sandbox.timeline.now


def _clock_gettime(sandbox: Sandbox, clock: int, /) -> float:
    return _time(sandbox) if clock == time.CLOCK_REALTIME else _monotonic(sandbox)


def _clock_gettime_ns(sandbox: Sandbox, clock: int, /) -> int:
    return _time_ns(sandbox) if clock == time.CLOCK_REALTIME else sandbox.timeline.now


def _calendar_time(sandbox: Sandbox, seconds: float | None = None, /) -> time.struct_time:
    return _gmtime(_time(sandbox) if seconds is None else seconds)


def _zone() -> tzinfo:
    """The time zone of the environment that runs."""
    name = _environ._data.get(b"TZ", b"")
    found = _zones.get(name)
    if found is None:
        with outside():
            found = _zones[name] = _zone_named(name.decode("ascii", "replace").removeprefix(":"))
    return found


def _zone_named(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def _local_time(sandbox: Sandbox, seconds: float | None = None, /) -> time.struct_time:
    seconds = _time(sandbox) if seconds is None else seconds
    zone = _zone()
    if zone is UTC:
        return _gmtime(seconds)
    at = (_EPOCH + timedelta(seconds=math.floor(seconds))).astimezone(zone)
    offset = at.utcoffset() or timedelta()
    return time.struct_time((*at.timetuple(), at.tzname(), int(offset.total_seconds())))


def _format(sandbox: Sandbox, form: str, at: Any = None, /) -> str:
    return _strftime(form, _local_time(sandbox) if at is None else at)


def _as_text(sandbox: Sandbox, at: Any = None, /) -> str:
    return _asctime(_local_time(sandbox) if at is None else at)


def _seconds_as_text(sandbox: Sandbox, seconds: float | None = None, /) -> str:
    return _asctime(_local_time(sandbox, seconds))


def _mktime(_: Sandbox, at: Any, /) -> float:
    zone = _zone()
    if zone is UTC:
        return float(calendar.timegm(at))
    naive = _EPOCH + timedelta(seconds=calendar.timegm(at))
    return _real_timestamp(naive.replace(tzinfo=zone, fold=int(at[8] == 0)))  # type: ignore[no-any-return]


def _tzset(_: Sandbox) -> None:
    """The process that the simulation runs in keeps its zone."""


def _select(sandbox: Sandbox, reads: Any, writes: Any, excepts: Any, timeout: float | None = None, /) -> Any:
    """Waiting for nothing but the time is a sleep; what is ready at once is said at once."""
    if not (reads or writes or excepts) and timeout is not None:
        _sleep(sandbox, timeout)
        return [], [], []
    return _real_select(reads, writes, excepts, 0)


_real_select = select.select


def patches() -> list[Patch]:
    """The functions of `time` (and `select.select`, which people sleep with)."""
    table: dict[str, Any] = {
        "sleep": _sleep,
        "time": _time,
        "time_ns": _time_ns,
        "gmtime": _calendar_time,
        "localtime": _local_time,
        "tzset": _tzset,
        "strftime": _format,
        "asctime": _as_text,
        "ctime": _seconds_as_text,
        "mktime": _mktime,
        "clock_gettime": _clock_gettime,
        "clock_gettime_ns": _clock_gettime_ns,
    }
    for name in ("monotonic", "perf_counter", "process_time", "thread_time"):
        table[name] = _monotonic
        table[name + "_ns"] = _monotonic_ns
    found = [p for name, virtual in table.items() for p in patch(time, name, virtual)]
    return found + patch(select, "select", _select)


# --- datetime and date ---------------------------------------------------------------------------------------------

_real = type_dict(datetime)
_real_now, _real_utcnow = _real["now"], _real["utcnow"]
_real_from, _real_timestamp, _real_astimezone = _real["fromtimestamp"], _real["timestamp"], _real["astimezone"]
_real_today, _real_date_from = type_dict(date)["today"], type_dict(date)["fromtimestamp"]


def _instant(sandbox: Sandbox) -> datetime:
    return _EPOCH + timedelta(microseconds=(sandbox.epoch_ns + sandbox.timeline.now) // 1000)


def _here(at: datetime) -> datetime:
    """The same instant in the environment's zone."""
    zone = _zone()
    return at if at.tzinfo is zone else _real_astimezone(at, zone)


def _as_class(cls: type[datetime], at: datetime) -> datetime:
    """The same instant as an instance of the user's own subclass."""
    if cls is datetime:
        return at
    return cls(at.year, at.month, at.day, at.hour, at.minute, at.second, at.microsecond, at.tzinfo)


def _now(cls: type[datetime], tz: Any = None) -> datetime:
    sandbox = alive_here()
    if sandbox is None:
        return _real_now.__get__(None, cls)(tz)  # type: ignore[no-any-return]
    at = _instant(sandbox)
    return _as_class(cls, _here(at).replace(tzinfo=None) if tz is None else at.astimezone(tz))


def _utcnow(cls: type[datetime]) -> datetime:
    sandbox = alive_here()
    if sandbox is None:
        return _real_utcnow.__get__(None, cls)()  # type: ignore[no-any-return]
    return _as_class(cls, _instant(sandbox).replace(tzinfo=None))


def _fromtimestamp(cls: type[datetime], timestamp: float, tz: Any = None) -> datetime:
    real = _real_from.__get__(None, cls)
    if tz is not None or alive_here() is None:
        return real(timestamp, tz)  # type: ignore[no-any-return]
    return real(timestamp, _zone()).replace(tzinfo=None)  # type: ignore[no-any-return]


def _timestamp(self: datetime) -> float:
    if self.tzinfo is None and alive_here() is not None:
        self = self.replace(tzinfo=_zone())
    return _real_timestamp(self)  # type: ignore[no-any-return]


def _astimezone(self: datetime, tz: Any = None) -> datetime:
    if alive_here() is not None:
        if self.tzinfo is None:
            self = self.replace(tzinfo=_zone())
        if tz is None:
            local = _here(self)
            tz = UTC if local.tzinfo is UTC else timezone(local.utcoffset() or timedelta(), local.tzname() or "")
    return _real_astimezone(self, tz)  # type: ignore[no-any-return]


def _today(cls: type[date]) -> date:
    sandbox = alive_here()
    if sandbox is None:
        return _real_today.__get__(None, cls)()  # type: ignore[no-any-return]
    at = _here(_instant(sandbox))
    if issubclass(cls, datetime):
        return _as_class(cls, at.replace(tzinfo=None))
    return cls(at.year, at.month, at.day)


def _date_fromtimestamp(cls: type[date], timestamp: float, /) -> date:
    if alive_here() is None:
        return _real_date_from.__get__(None, cls)(timestamp)  # type: ignore[no-any-return]
    at = _real_from.__get__(None, datetime)(timestamp, _zone())
    return cls(at.year, at.month, at.day)


def type_patches() -> list[tuple[type, str, Any, Any]]:
    """(type, name, new, old) for the methods of datetime and date that look at the clock or at the time zone."""
    return [
        (datetime, "now", classmethod(_now), _real_now),
        (datetime, "utcnow", classmethod(_utcnow), _real_utcnow),
        (datetime, "fromtimestamp", classmethod(_fromtimestamp), _real_from),
        (datetime, "timestamp", _timestamp, _real_timestamp),
        (datetime, "astimezone", _astimezone, _real_astimezone),
        (date, "today", classmethod(_today), _real_today),
        (date, "fromtimestamp", classmethod(_date_fromtimestamp), _real_date_from),
    ]
