"""Durations as people write them (`250ms`, `1h30m`) and as the timeline counts them: whole nanoseconds."""

from __future__ import annotations

import re
from datetime import timedelta
from fractions import Fraction

from simbus.errors import UsageError

NANOSECONDS = {
    "d": 86_400_000_000_000,
    "h": 3_600_000_000_000,
    "m": 60_000_000_000,
    "s": 1_000_000_000,
    "ms": 1_000_000,
    "us": 1_000,
    "ns": 1,
}
"""Nanoseconds of each unit, from the longest to the shortest."""

LONGEST = 36_500 * NANOSECONDS["d"]
"""The longest duration that is accepted, in nanoseconds: a hundred years."""

_UNITS = ", ".join(reversed(NANOSECONDS))
_PART = re.compile(r"\s*([0-9]{1,30}(?:\.[0-9]{1,30})?)\s*(ns|us|ms|s|m|h|d)", re.ASCII)
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?", re.ASCII)


def parse_duration(value: object) -> int:
    """The nanoseconds that a text such as `500us`, `250ms`, `1.5s`, `10m`, `6h`, `1d` or `1h30m` stands for.

    A duration is one or more numbers, each with its unit (ns, us, ms, s, m, h, d), the longer unit first, zero up to
    36500d. The result is exact. Raises UsageError, whose text goes on where the caller's "file:line: path" ends:
    "is 10; ...".
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _refused(value, "Write a text such as 250ms, 5s, 10m or 6h")
    text = str(value).strip()
    if _NUMBER.fullmatch(text):
        raise _refused(value, f"Write {text}s for seconds or {text}ms for milliseconds")
    if text.startswith("-"):
        raise _refused(value, "It can't be negative: write a duration of zero or more")
    total = _sum_of_parts(value, text)
    if total.denominator != 1:
        raise _refused(value, "simbus counts whole nanoseconds: write fewer decimals")
    if total > LONGEST:
        raise _refused(value, f"Write at most {LONGEST // NANOSECONDS['d']}d")
    return int(total)


def read_duration(value: str | timedelta, name: str) -> int:
    """The nanoseconds of a duration that Python code gives as `name`, as a text or a timedelta. Raises UsageError."""
    if isinstance(value, timedelta):
        return round(value / timedelta(microseconds=1)) * 1000
    try:
        return parse_duration(value)
    except UsageError as error:
        raise UsageError(f"{name} {error}") from None


def format_duration(ns: int) -> str:
    """A duration of `ns` nanoseconds for a message: `1h 30m`, `1m 2.5s`, `1.5 s`, `250 ms`.

    Exact: `parse_duration` gives the same number back (a negative one gets a minus sign, which it refuses).
    """
    if ns < 0:
        return f"-{format_duration(-ns)}"
    if ns < NANOSECONDS["m"]:
        unit = next((u for u in ("s", "ms", "us", "ns") if ns >= NANOSECONDS[u]), "s")
        return f"{_decimal(ns, NANOSECONDS[unit])} {unit}"
    parts = []
    for unit in ("d", "h", "m"):
        count, ns = divmod(ns, NANOSECONDS[unit])
        if count:
            parts.append(f"{count}{unit}")
    if ns:
        parts.append(f"{_decimal(ns, NANOSECONDS['s'])}s")
    return " ".join(parts)


def format_seconds(ns: int) -> str:
    """A duration of `ns` nanoseconds as one number of seconds without a blank: `62.5s`. Exact, as `format_duration`."""
    return f"{_decimal(ns, NANOSECONDS['s'])}s"


def _sum_of_parts(value: object, text: str) -> Fraction:
    """The sum of "number unit" pairs, the longer unit first, each unit at most once."""
    total, position, shortest = Fraction(0), 0, LONGEST
    while position < len(text):
        part = _PART.match(text, position)
        if part is None:
            raise _refused(value, "Write for example 250ms, 5s, 10m, 6h or 1h30m")
        scale = NANOSECONDS[part[2]]
        if scale >= shortest:
            raise _refused(value, "Write each unit once, the longer one first, as in 1h30m")
        total += Fraction(part[1]) * scale
        position, shortest = part.end(), scale
    if position == 0:
        raise _refused(value, "Write for example 250ms, 5s, 10m, 6h or 1h30m")
    return total


def _decimal(ns: int, scale: int) -> str:
    """ns / scale as a decimal number without trailing zeros; scale is a power of ten."""
    whole, rest = divmod(ns, scale)
    if not rest:
        return str(whole)
    digits = str(rest).rjust(len(str(scale)) - 1, "0").rstrip("0")
    return f"{whole}.{digits}"


def _refused(value: object, remedy: str) -> UsageError:
    found = repr(value)
    shown = found if len(found) <= 80 else f"{found[:77]}..."
    return UsageError(f"is {shown}; a duration is a number with a unit ({_UNITS}). {remedy}.")
