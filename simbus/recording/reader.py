"""Reading a recording back: its head and its operations, line by line."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from simbus.errors import UsageError
from simbus.kernel import SECOND
from simbus.recording.file import HEADER_TYPE
from simbus.recording.operations import Operation, is_known
from simbus.services import SERVICES


class Head(NamedTuple):
    """The first line of a recording: seed, scenario and order of simultaneous events of the run that wrote it.

    `start` is what its calendar began with, in nanoseconds since 1970.
    """

    seed: int | str
    start: int
    scenario: str | None
    ties: str | None


class _Data(msgspec.Struct):
    seed: int | str
    start: str
    scenario: str | None = None
    ties: str | None = None


class _HeadLine(msgspec.Struct):
    type: str
    data: _Data


class _Line(msgspec.Struct, gc=False):
    source: str
    type: str
    time: str
    data: Any = None
    client: str | None = None
    position: int = 0
    meanwhile: bool = False
    parent: str | None = None


_decode_line = msgspec.json.Decoder(_Line).decode
_decode_head = msgspec.json.Decoder(_HeadLine).decode


def read_head(path: Path, line: bytes) -> Head:
    """The head of a recording, from its first line. Raises UsageError."""
    try:
        found = _decode_head(line)
        if found.type != HEADER_TYPE:
            raise ValueError(f"type is {found.type}")
        return Head(found.data.seed, nanoseconds(found.data.start), found.data.scenario, found.data.ties)
    except ValueError as error:
        raise UsageError(
            f"{path}:1: {error}; the first line of a recording has type {HEADER_TYPE}, with seed, start and scenario "
            "as data. Record the run again."
        ) from None


def read_operation(line: bytes, number: int) -> Operation | None:
    """The operation of one line; None for a line that has a parent. Its `when` is in nanoseconds since 1970.

    Raises ValueError for a line that is no operation.
    """
    try:
        found = _decode_line(line)
    except msgspec.ValidationError:
        raise
    except ValueError:
        found = msgspec.convert(json.loads(line), _Line)  # whole numbers of more than 64 bits
    if found.parent is not None:
        return None
    service, _, verb = found.type.partition(".")
    if service not in SERVICES or not is_known(service, verb):
        raise ValueError(f"type is {found.type}, which is no operation that a recording holds")
    if not found.source.startswith(f"{service}:"):
        raise ValueError(f"source is {found.source}, and type {found.type}")
    if not isinstance(found.data, dict):
        raise ValueError("data is no object of arguments")
    return Operation(
        nanoseconds(found.time), found.source, verb, found.data, found.client, found.position, found.meanwhile, number
    )


def nanoseconds(text: str) -> int:
    """Nanoseconds since 1970 of an ISO time with up to nine decimals. Raises ValueError."""
    head, dot, tail = text.partition(".")
    if dot and tail.endswith("Z") and tail[:-1].isdigit():
        return _second(head) * SECOND + int(tail[:-1].ljust(9, "0")[:9])
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no time, which is written like 2026-01-01T00:00:00Z") from None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * SECOND + since.microseconds * 1_000


@lru_cache(maxsize=4)
def _second(text: str) -> int:
    """Seconds since 1970 of `2026-01-01T00:00:00`. Lines come in order, so few answers need be kept."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())
