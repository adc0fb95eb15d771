"""DynamoDB's typed values: `{"S": "text"}`, `{"N": "1.5"}`, `{"L": [...]}` ... checked, in one canonical form, weighed.

Canonical: numbers without superfluous digits, sets sorted, binaries as bytes. So two items are the same for DynamoDB
exactly when their dictionaries are equal. Rules and limits:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Iterable, Mapping
from decimal import Context, Decimal
from functools import lru_cache
from typing import Any

from simbus.errors import AwsError
from simbus.sources.dynamodb.errors import bad_parameter, invalid, wire_error

Value = dict[str, Any]
Item = dict[str, Value]
Stored = tuple[Item, int]  # a canonical item, never changed in place, and its size in bytes

MAXIMUM_DEPTH = 32
NAME_LIMIT = 65_535  # bytes
SET_KINDS = {"SS": "S", "NS": "N", "BS": "B"}
KINDS = ("B", "NULL", "SS", "BOOL", "L", "BS", "N", "NS", "S", "M")
NUMBERS = Context(prec=60, Emax=1000, Emin=-1000)
_PLAIN = re.compile(r"-?[1-9][0-9]{0,37}|0", re.ASCII)
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,5})?", re.ASCII)
_SET_NAMES = {"SS": "An string set ", "NS": "An number set ", "BS": "Binary sets should not be empty"}


def clean_item(item: Mapping[str, Any]) -> Stored:
    """An item's canonical copy, its attributes in AWS's order, and its size in bytes. Raises AwsError."""
    if type(item) is not dict and not isinstance(item, Mapping):  # the check of an abstract class is dear
        raise wire_error("Unexpected value type in payload")
    result: Item = {}
    size = 0
    for name in attribute_order(tuple(item)):
        value, weight = clean(item[name])
        result[name] = value
        size += weight + (len(name) if name.isascii() else utf8_size(name))
    return result, size


def clean(value: Any, depth: int = 0) -> tuple[Value, int]:
    """The canonical copy of a value and its size in bytes. Raises AwsError."""
    if type(value) is not dict and not isinstance(value, Mapping):
        raise wire_error("Unexpected value type in payload")
    if len(value) != 1:
        found = "has more than one datatypes set" if value else "is empty"
        raise invalid(f"Supplied AttributeValue {found}, must contain exactly one of the supported datatypes")
    ((kind, given),) = value.items()
    if kind == "S" and isinstance(given, str):
        return {"S": given}, len(given) if given.isascii() else utf8_size(given)
    checked = _CLEAN.get(kind)
    if checked is None:
        raise invalid("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
    content, size = checked(given, kind, depth)
    return {kind: content}, size


def _string(given: Any, _kind: str, _depth: int) -> tuple[str, int]:
    if not isinstance(given, str):
        raise wire_error(f"{_json_type(given)} cannot be converted to String")
    return given, utf8_size(given)


def _number(given: Any, _kind: str, _depth: int) -> tuple[str, int]:
    if not isinstance(given, str):
        raise wire_error(f"{_json_type(given)} cannot be converted to String")
    text = given if _PLAIN.fullmatch(given) else canonical_number(given)
    return text, number_size(text)


def number_size(text: str) -> int:
    """The bytes of a canonical number: two significant digits a byte on either side of the point, a byte, the sign.

    Measured on AWS by paritysuite/dynamodb-conformance; the developer guide's rule is coarser.
    """
    whole, _, fraction = text.lstrip("-").partition(".")
    if whole == "0":
        fraction = fraction.lstrip("0")
    digits = 0 if whole == "0" else len(whole if fraction else whole.rstrip("0"))
    return 1 + (digits + 1) // 2 + (len(fraction) + 1) // 2 + (text[0] == "-")


def canonical_number(text: str) -> str:
    """A number as DynamoDB gives it back: no exponent, no zeros in front or behind.

    Up to 38 significant digits, magnitude 1E-130 to 9.99...E+125. Raises AwsError ValidationException.
    """
    if not _NUMBER.fullmatch(text):
        raise invalid(f"The parameter cannot be converted to a numeric value: {text}")
    return number_text(NUMBERS.create_decimal(text) if len(text) <= 60 else Decimal(text))


def number_text(number: Decimal) -> str:
    """The canonical text of a number. Raises AwsError where DynamoDB cannot hold it."""
    if not number:
        return "0"
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    significant = "".join(map(str, digits)).strip("0")
    if len(significant) > 38:
        raise invalid("Attempting to store more than 38 significant digits in a Number")
    if number.adjusted() > 125:
        raise invalid("Number overflow. Attempting to store a number with magnitude larger than supported range")
    if number.adjusted() < -130:
        raise invalid("Number underflow. Attempting to store a number with magnitude smaller than supported range")
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _binary(given: Any, _kind: str, _depth: int) -> tuple[bytes, int]:
    """Bytes as an SDK takes them, or base64 text as the wire does."""
    if isinstance(given, bytes | bytearray):
        return bytes(given), len(given)
    if not isinstance(given, str):
        raise wire_error(f"{_json_type(given)} cannot be converted to Blob")
    try:
        content = b64decode(given, validate=True)
    except (Base64Error, ValueError):
        raise wire_error(f"{given!r} is not base64; give bytes, or base64 text.") from None
    return content, len(content)


def _boolean(given: Any, kind: str, _depth: int) -> tuple[bool, int]:
    if not isinstance(given, bool):
        raise wire_error(f"{_json_type(given)} cannot be converted to Boolean")
    if kind == "NULL" and not given:
        raise bad_parameter("Null attribute value types must have the value of true")
    return given, 1


def _set(given: Any, kind: str, depth: int) -> tuple[list[Any], int]:
    if not isinstance(given, list | tuple | set | frozenset):
        raise wire_error(f"{_json_type(given)} cannot be converted to a set")
    if not given:
        raise bad_parameter(_SET_NAMES[kind] + ("" if kind == "BS" else " may not be empty"))
    one = _CLEAN[SET_KINDS[kind]]
    cleaned = [one(each, SET_KINDS[kind], depth) for each in given]
    contents = sorted_set(kind, {content for content, _ in cleaned})
    if len(contents) != len(cleaned):
        raise _duplicates(kind, given)
    return contents, sum(size for _, size in cleaned)


def _duplicates(kind: str, given: Iterable[Any]) -> AwsError:
    """AWS has three ways to say it (recorded by paritysuite/dynamodb-conformance; newer ones quote the members)."""
    if kind == "NS":
        return invalid("Input collection contains duplicates")
    if kind == "SS":
        return bad_parameter(f"Input collection [{', '.join(given)}] contains duplicates.")
    shown = ", ".join(each if isinstance(each, str) else b64encode(each).decode() for each in given)
    return bad_parameter(f"Input collection [{shown}]of type BS contains duplicates.")


def sorted_set(kind: str, members: Iterable[Any]) -> list[Any]:
    """The members of a set in their canonical order (AWS promises none)."""
    return sorted(members, key=Decimal) if kind == "NS" else sorted(members)


def _list(given: Any, _kind: str, depth: int) -> tuple[list[Value], int]:
    if not isinstance(given, list | tuple):
        raise wire_error(f"{_json_type(given)} cannot be converted to a list")
    _check_depth(depth)
    cleaned = [clean(each, depth + 1) for each in given]
    return [value for value, _ in cleaned], 3 + sum(1 + size for _, size in cleaned)


def _map(given: Any, _kind: str, depth: int) -> tuple[Item, int]:
    if not isinstance(given, Mapping):
        raise wire_error(f"{_json_type(given)} cannot be converted to a map")
    _check_depth(depth)
    result: Item = {}
    size = 3
    for name in attribute_order(tuple(given)):
        result[name], weight = clean(given[name], depth + 1)
        size += 1 + weight + utf8_size(name)
    return result, size


def _check_depth(depth: int) -> None:
    if depth >= MAXIMUM_DEPTH - 1:  # the attribute itself is the first level, what is in the list or map the last
        raise invalid(
            "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported "
            "limit"
        )


_CLEAN: dict[str, Callable[[Any, str, int], tuple[Any, int]]] = {
    "S": _string,
    "N": _number,
    "B": _binary,
    "BOOL": _boolean,
    "NULL": _boolean,
    "SS": _set,
    "NS": _set,
    "BS": _set,
    "L": _list,
    "M": _map,
}


def _json_type(given: Any) -> str:
    """What AWS's deserialiser calls a JSON value."""
    if isinstance(given, bool):
        return "TRUE_VALUE" if given else "FALSE_VALUE"
    if isinstance(given, int | float | Decimal):
        return "NUMBER_VALUE"
    return "STRING_VALUE" if isinstance(given, str) else "Start of structure or map found where not expected"


# --- order, copies, sizes -------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def attribute_order(names: tuple[str, ...]) -> tuple[str, ...]:
    """The order in which DynamoDB returns attributes: that of a Java HashMap of their names.

    Three recorded images tell it from the order of the request and from the alphabet: (id, presentKey), (id2, id) and
    (prefix, id) in TestDynamoDBEventSourceMapping::test_dynamodb_event_filter. Within one bucket the alphabet decides
    (binary_key, my_partition_key in test_dynamodb_event_source_mapping).
    """
    for name in names:
        if not isinstance(name, str):
            raise wire_error("Unexpected attribute name in payload")
        check_name_size(name)
    buckets = 16
    while len(names) > buckets * 3 // 4:
        buckets *= 2
    return tuple(sorted(names, key=lambda name: (_java_hash(name) & (buckets - 1), name)))


def check_name_size(name: str) -> None:
    """Raise AwsError for an attribute's name of over 65,535 bytes (measured: ExtendDB/extenddb#365)."""
    if len(name) > NAME_LIMIT // 4 and utf8_size(name) > NAME_LIMIT:
        raise invalid("1 validation error detected: Attribute name is too large, must be less than 65536 bytes")


def _java_hash(text: str) -> int:
    """java.lang.String.hashCode, spread as java.util.HashMap does it."""
    units = text.encode("utf-16-be", "surrogatepass")
    value = 0
    for high, low in zip(units[::2], units[1::2], strict=True):
        value = (value * 31 + (high << 8 | low)) & 0xFFFFFFFF
    return value ^ value >> 16


def copy_item(item: Mapping[str, Value]) -> Item:
    """A copy that shares nothing which can change."""
    return {name: copy_value(value) for name, value in item.items()}


def copy_value(value: Value) -> Value:
    ((kind, content),) = value.items()
    if kind == "M":
        return {"M": copy_item(content)}
    if kind == "L":
        return {"L": [copy_value(each) for each in content]}
    return {kind: list(content) if kind in SET_KINDS else content}


def utf8_size(text: str) -> int:
    """Bytes of a text in UTF-8. Raises AwsError for half a surrogate pair, which UTF-8 cannot carry."""
    if text.isascii():
        return len(text)
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        raise wire_error(f"{text!r} holds half a surrogate pair; send whole characters.") from None


def comparable(value: Value) -> Any:
    """What orders values of one kind: the text, the number, the bytes (strings in the order of their UTF-8 bytes)."""
    ((kind, content),) = value.items()
    return Decimal(content) if kind == "N" else content
