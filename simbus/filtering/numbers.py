"""Numbers as AWS's engine compares them: by value where a double holds them exactly, otherwise by their text.

`300` and `300.0` are equal (recording `number_comparison_float`). Source of the rest: class ComparableNumber of
github.com/aws/event-ruler.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Final

_EXACT: Final = 2**53
_MAX_BITS: Final = 1100


def key_of_text(text: str) -> float | str:
    """The double that `text`, a JSON number, stands for; the text itself where no double is equal to it."""
    value = float(text)
    try:
        same = isfinite(value) and Decimal(repr(value)) == Decimal(text)
    except InvalidOperation:
        return text
    return value if same else text


def key_of_value(value: object) -> float | str:
    """The same for a number of a decoded event; some text for everything that is not a number."""
    if type(value) is float:
        return value if isfinite(value) else repr(value)
    if type(value) is int:
        if -_EXACT <= value <= _EXACT:
            return float(value)
        return key_of_text(str(value)) if value.bit_length() < _MAX_BITS else hex(value)
    return key_of_text(str(value)) if isinstance(value, Decimal) else repr(value)
