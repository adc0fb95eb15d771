"""Parameters in the types of botocore's service model.

A caller of boto3 may give a blob as text, as bytes or as a file, and a timestamp as a datetime, a number or a text. The
table of operations is handed bytes and datetimes in UTC only. A time without a zone is one in UTC, as in Lambda: the
zone of the machine must not decide what a run comes to.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from weakref import WeakKeyDictionary

from dateutil.parser import parse

Converter = Callable[[Any], Any]
_known: WeakKeyDictionary[Any, dict[str, Converter | None]] = WeakKeyDictionary()  # of each service model, by shape


def convert(params: dict[str, Any], shape: Any) -> dict[str, Any]:
    """The parameters of a request, each value in its own type. What the caller gave stays as it is."""
    converter = None if shape is None else _converter(shape)
    found: dict[str, Any] = dict(params) if converter is None else converter(params)
    return found


def _converter(shape: Any) -> Converter | None:
    """What converts a value of that shape; None where nothing in it ever needs it."""
    known = _known.setdefault(shape._shape_resolver, {})
    if shape.name in known:
        return known[shape.name]
    holder: list[Converter | None] = [None]

    def later(value: Any) -> Any:  # a shape may contain itself
        return value if holder[0] is None else holder[0](value)

    known[shape.name] = later
    holder[0] = known[shape.name] = _make(shape)
    return holder[0]


def _make(shape: Any) -> Converter | None:
    kind = shape.type_name
    if kind == "blob":
        return _blob
    if kind == "timestamp":
        return _timestamp
    if kind == "structure":
        return _structure({name: made for name, member in shape.members.items() if (made := _converter(member))})
    if kind == "list":
        return _list(_converter(shape.member))
    if kind == "map":
        return _map(_converter(shape.value))
    return None


def _timestamp(value: Any) -> datetime:
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    if isinstance(value, str):
        try:
            return datetime.fromtimestamp(float(value), UTC)
        except ValueError:
            value = parse(value, tzinfos={"GMT": UTC})
    found: datetime = value
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _blob(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode()
    if hasattr(value, "read"):
        data = value.read()
        return data.encode() if isinstance(data, str) else bytes(data)
    return bytes(value)


def _structure(members: dict[str, Converter]) -> Converter | None:
    if not members:
        return None

    def convert(value: dict[str, Any]) -> dict[str, Any]:
        found = dict(value)
        for name in members.keys() & found.keys():
            found[name] = members[name](found[name])
        return found

    return convert


def _list(member: Converter | None) -> Converter | None:
    return None if member is None else lambda value: [member(item) for item in value]


def _map(member: Converter | None) -> Converter | None:
    return None if member is None else lambda value: {key: member(item) for key, item in value.items()}
