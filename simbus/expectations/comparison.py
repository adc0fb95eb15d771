"""What an expectation compares with: `0`, `">= 100"`, `"<= 0.01"`, `"< 1s"`, `"< $0.05"`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, Literal, NamedTuple

from simbus.errors import UsageError
from simbus.kernel import MILLISECOND
from simbus.kernel.durations import format_duration, parse_duration

Kind = Literal["count", "share", "duration", "usd"]
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_LITERAL = re.compile(r"\s*(==|!=|>=|<=|>|<|)\s*(\S.*?)\s*", re.DOTALL)
_NUMBER = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})?", re.ASCII)
_WHAT: Final = {"count": "a whole number", "share": "a number", "duration": "a duration", "usd": "a sum in USD"}
_EXAMPLES: Final = {"count": '0 or ">= 100"', "share": '0 or "<= 0.01"', "duration": '"< 1s"', "usd": '"< $0.05"'}


class Comparison(NamedTuple):
    """A comparison with one value: a count, a share, USD, or a duration in ms. `text` is how it was written."""

    symbol: str
    value: float
    text: str

    def holds(self, found: float) -> bool:
        return _OPERATORS[self.symbol](found, self.value)

    @property
    def lower(self) -> bool:
        """Whether it is a lower bound: the smallest of several values decides."""
        return self.symbol in (">", ">=")


def parse_comparison(value: object, kind: Kind) -> Comparison:
    """The comparison that a literal stands for; a bare value means ==. Raises UsageError ("is 'x'; ...")."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _refused(value, kind)
    written = f"{Decimal(repr(value)):f}" if isinstance(value, float) else str(value)
    match = _LITERAL.fullmatch(written)
    if match is None:
        raise _refused(value, kind)
    symbol, literal = match[1] or "==", match[2]
    text = f"{symbol} {literal}" if match[1] else literal
    if kind == "duration":
        try:
            return Comparison(symbol, parse_duration(literal) / MILLISECOND, text)
        except UsageError:
            raise _refused(value, kind) from None
    number = literal.removeprefix("$") if kind == "usd" else literal
    if not _NUMBER.fullmatch(number) or (kind == "count" and "." in number):
        raise _refused(value, kind)
    return Comparison(symbol, float(number) if "." in number else int(number), text)


def shown(found: float, kind: Kind) -> str:
    """A figure for people: `3`, `0.25`, `535.054727 ms`, `1h 2m`, `$0.000127`."""
    if kind == "duration":
        return format_duration(round(found * MILLISECOND))
    return f"${found:.6f}" if kind == "usd" else f"{found:.10g}"


def _refused(value: object, kind: Kind) -> UsageError:
    return UsageError(
        f"is {value!r}; a comparison is {_WHAT[kind]}, alone or after one of {' '.join(_OPERATORS)}. "
        f"Write for example {_EXAMPLES[kind]}."
    )
