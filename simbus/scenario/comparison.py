"""What an expectation compares with: `0`, `">= 100"`, `"<= 0.01"`, `"< 1s"`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from simbus.errors import UsageError
from simbus.kernel import MILLISECOND
from simbus.kernel.durations import parse_duration

Kind = Literal["count", "share", "duration"]
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
_EXAMPLES = {"count": '0 or ">= 100"', "share": '0 or "<= 0.01"', "duration": '"< 1s"'}


class Comparison(NamedTuple):
    """A comparison with one value: a count, a share, or a duration in milliseconds. `text` is how it was written."""

    symbol: str
    value: float
    text: str

    def holds(self, found: float) -> bool:
        return _OPERATORS[self.symbol](found, self.value)


def parse_comparison(value: object, kind: Kind) -> Comparison:
    """The comparison that a literal stands for; a bare value means ==. Raises UsageError ("is 'x'; ...")."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _refused(value, kind)
    match = _LITERAL.fullmatch(str(value))
    if match is None:
        raise _refused(value, kind)
    symbol, literal = match[1] or "==", match[2]
    text = f"{symbol} {literal}" if match[1] else literal
    if kind == "duration":
        try:
            return Comparison(symbol, parse_duration(literal) / MILLISECOND, text)
        except UsageError:
            raise _refused(value, kind) from None
    if not _NUMBER.fullmatch(literal) or (kind == "count" and "." in literal):
        raise _refused(value, kind)
    return Comparison(symbol, float(literal) if "." in literal else int(literal), text)


def _refused(value: object, kind: Kind) -> UsageError:
    what = {"count": "a whole number", "share": "a number", "duration": "a duration"}[kind]
    return UsageError(
        f"is {value!r}; a comparison is {what}, alone or after one of {' '.join(_OPERATORS)}. "
        f"Write for example {_EXAMPLES[kind]}."
    )
