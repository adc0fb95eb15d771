"""The tests that a pattern applies to one scalar of an event: text, number, true, false or null.

Each function returns a test `object -> bool`. Text operators never match a number, true, false or null.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from simbus.filtering.numbers import key_of_value
from simbus.filtering.rejection import PatternRejected

Test = Callable[[object], bool]

_LOOKS_LIKE_V4: Final = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+")
_LOOKS_LIKE_V6: Final = re.compile(r"[0-9a-fA-F:]*:[0-9a-fA-F:]*")
_WHOLE_NUMBER: Final = re.compile(r"[+-]?[0-9]+")
_MAX_INT: Final = 2**31


def always(value: object) -> bool:
    """True for every scalar: `exists: true`."""
    return True


def never(value: object) -> bool:
    """False for every scalar: a list that only asks for absence."""
    return False


def text_test(test: Callable[[str], bool]) -> Test:
    """Apply `test` to text, and refuse everything else."""
    return lambda value: isinstance(value, str) and test(value)


def one_of(texts: Iterable[str], literals: Iterable[bool | None], numbers: Iterable[float | str]) -> Test:
    """Equality with any of these; a number equals a number of the same value."""
    text_set, literal_set, number_set = frozenset(texts), frozenset(literals), frozenset(numbers)

    def test(value: object) -> bool:
        if isinstance(value, str):
            return value in text_set
        if value is None or value is True or value is False:
            return value in literal_set
        return key_of_value(value) in number_set

    return test


def any_of(tests: list[Test]) -> Test:
    """True where one of the tests is."""
    if not tests:
        return never
    if len(tests) == 1:
        return tests[0]
    if len(tests) == 2:
        first, second = tests
        return lambda value: first(value) or second(value)
    return lambda value: any(test(value) for test in tests)


def none_of(tests: list[Test]) -> Test:
    """`anything-but`: true for every scalar that no test accepts."""
    rejected = any_of(tests)
    return lambda value: not rejected(value)


def prefix(start: str) -> Test:
    """Text that begins with `start`."""
    return text_test(lambda value: value.startswith(start))


def suffix(end: str) -> Test:
    """Text that ends with `end`."""
    return text_test(lambda value: value.endswith(end))


def ignore_case(text: str) -> Test:
    """Text that is equal to `text` but for the case of its letters."""
    pattern = re.compile(_any_case(text))
    return text_test(lambda value: pattern.fullmatch(value) is not None)


def prefix_ignore_case(start: str) -> Test:
    """Text that begins with `start` in any case."""
    pattern = re.compile(_any_case(start))
    return text_test(lambda value: pattern.match(value) is not None)


def suffix_ignore_case(end: str) -> Test:
    """Text that ends with `end` in any case."""
    pattern = re.compile(_any_case(end) + r"\Z")
    return text_test(lambda value: pattern.search(value) is not None)


def between(low: float | None, low_open: bool, high: float | None, high_open: bool) -> Test:
    """Numbers in a range; None is no bound. Text is never a number, not even `"300"`."""

    def test(value: object) -> bool:
        number = key_of_value(value)
        if isinstance(number, str):
            return False
        if low is not None and (number <= low if low_open else number < low):
            return False
        return high is None or (number < high if high_open else number <= high)

    return test


def ip_address(text: str) -> Test | None:
    """A literal that is an IP address matches every spelling of that address; None where it is not one."""
    address = _address_or_none(text)
    return None if address is None else text_test(lambda value: _address_or_none(value) == address)


def cidr(text: str) -> Test:
    """Addresses inside a block such as `10.0.0.0/24`. Raises PatternRejected with AWS's words (class CIDR)."""
    parts = text.rstrip("/").split("/")
    if len(parts) != 2:
        raise PatternRejected("Malformed CIDR, one '/' required")
    mask = int(parts[1]) if _WHOLE_NUMBER.fullmatch(parts[1]) and len(parts[1]) < 20 else _MAX_INT
    if not -_MAX_INT <= mask < _MAX_INT:
        raise PatternRejected("Malformed CIDR, mask bits must be an integer")
    if mask < 0:
        raise PatternRejected("Malformed CIDR, mask bits must not be negative")
    address = _parse_address(parts[0])
    if mask >= address.max_prefixlen:
        raise PatternRejected(f"IPv{address.version} mask bits must be < {address.max_prefixlen}")
    return text_test(_in_block(address, address.max_prefixlen - mask))


def _in_block(address: IPv4Address | IPv6Address, free_bits: int) -> Callable[[str], bool]:
    version, block = address.version, int(address) >> free_bits

    def test(value: str) -> bool:
        found = _address_or_none(value)
        return found is not None and found.version == version and int(found) >> free_bits == block

    return test


def _parse_address(text: str) -> IPv4Address | IPv6Address:
    if not _LOOKS_LIKE_V4.fullmatch(text) and not _LOOKS_LIKE_V6.fullmatch(text):
        raise PatternRejected(f"Nonstandard IP address: {text}")
    address = _address_or_none(text)
    if address is None:
        raise PatternRejected(f"Invalid IP address: {text}")
    return address


def _address_or_none(text: str) -> IPv4Address | IPv6Address | None:
    try:
        if _LOOKS_LIKE_V4.fullmatch(text):
            return IPv4Address(text)
        if _LOOKS_LIKE_V6.fullmatch(text):
            address = IPv6Address(text)
            return address.ipv4_mapped or address
    except ValueError:
        return None
    return None


def _any_case(text: str) -> str:
    """A regular expression for `text` in which each letter may be in lower or in upper case.

    AWS folds one UTF-16 unit at a time (class EqualsIgnoreCaseParser), so characters beyond them have no case.
    """
    return "".join(_either_case(char) for char in text)


def _either_case(char: str) -> str:
    lower, upper = char.lower(), char.upper()
    if ord(char) > 0xFFFF or lower == upper:
        return re.escape(char)
    return f"(?:{re.escape(lower)}|{re.escape(upper)})"
