"""The arguments of an operation as JSON, and back: what JSON can't say is an object with one key that begins with $.

{"$base64": "AAE="}      bytes                {"$decimal": "1.5"}                     a Decimal
{"$set": ["a", "b"]}     a set, sorted        {"$time": "2026-01-01T00:00:00+00:00"}  a datetime
{"$float": "nan"}        nan, inf, -inf       {"$resource": "sqs:failed"}             a resource, by its name
{"$text": "7aCA"}        a text that UTF-8 can't say (base64; lone surrogates)
{"$plain": {...}}        an object that looks like one of these and is none
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from decimal import Decimal
from math import isfinite
from typing import Any

from simbus.errors import UsageError

Resolve = Callable[[str], Any]
_PLAIN = (int, bool, type(None))


def encoded(value: Any) -> Any:
    """The value as what JSON can say. Raises UsageError for a value that no recording can hold."""
    if isinstance(value, str):
        return value if value.isascii() else _text(value)
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, float):
        return value if isfinite(value) else {"$float": repr(value)}
    if isinstance(value, Mapping):
        found = {_key(key): encoded(each) for key, each in value.items()}
        return {"$plain": found} if len(found) == 1 and next(iter(found)).startswith("$") else found
    if isinstance(value, bytes | bytearray | memoryview):
        return {"$base64": b64encode(value).decode()}
    if isinstance(value, Sequence):
        return [encoded(each) for each in value]
    return _tagged(value)


def _text(value: str) -> Any:
    try:
        value.encode()
    except UnicodeEncodeError:
        return {"$text": b64encode(value.encode("utf-8", "surrogatepass")).decode()}
    return value


def _key(key: Any) -> str:
    """JSON's form of a key: AWS's APIs have texts only, the payload of a function may have been made of others."""
    if isinstance(key, str):
        return key
    return {True: "true", False: "false", None: "null"}[key] if key is None or key is True or key is False else str(key)


def _tagged(value: Any) -> dict[str, Any]:
    if isinstance(value, Decimal):
        return {"$decimal": str(value)}
    if isinstance(value, AbstractSet):
        return {"$set": sorted((encoded(each) for each in value), key=repr)}
    if isinstance(value, datetime):
        return {"$time": value.isoformat()}
    name = getattr(value, "name", None)
    if isinstance(name, str) and hasattr(value, "arn"):
        return {"$resource": name}
    raise UsageError(
        f"a value is {type(value).__name__}; a recording holds what JSON can say, bytes, decimals, sets, datetimes and "
        "resources. Pass one of these, or don't record the run."
    )


def decoded(value: Any, resolve: Resolve) -> Any:
    """The value that `encoded` made this of. `resolve` finds a resource. Raises ValueError for a bad one."""
    if isinstance(value, dict):
        if len(value) == 1:
            [(key, content)] = value.items()
            if key.startswith("$"):
                return _untagged(key, content, resolve)
        return {key: decoded(each, resolve) for key, each in value.items()}
    if isinstance(value, list):
        return [decoded(each, resolve) for each in value]
    return value


def _untagged(key: str, content: Any, resolve: Resolve) -> Any:
    if key == "$plain" and isinstance(content, dict):
        return {name: decoded(each, resolve) for name, each in content.items()}
    if key == "$set" and isinstance(content, list):
        return {decoded(each, resolve) for each in content}
    read = _READ.get(key)
    if isinstance(content, str) and (read is not None or key == "$resource"):
        return resolve(content) if read is None else read(content)
    raise ValueError(f"{key} is no value of a recording")


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except ArithmeticError:
        raise ValueError(f"{text!r} is no decimal") from None


_READ: dict[str, Callable[[str], Any]] = {
    "$base64": lambda text: b64decode(text, validate=True),
    "$decimal": _decimal,
    "$time": datetime.fromisoformat,
    "$float": float,
    "$text": lambda text: b64decode(text, validate=True).decode("utf-8", "surrogatepass"),
}
