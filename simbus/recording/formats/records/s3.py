"""Records of S3: the object is put or deleted again. They don't hold its content: it has its size, and zeros.

Source: S3 user guide, "Event message structure" (the key is URL-encoded).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_plus

from simbus.recording.formats.access import field, optional
from simbus.recording.formats.base import Found, Skipped, operation, time_of
from simbus.recording.names import Names


def convert(record: dict[str, Any], line: int, names: Names) -> Iterator[Found]:
    """One record. Raises ValueError."""
    kind = field(record, "eventName").removeprefix("s3:")
    when = time_of(optional(record, "eventTime"))
    key = unquote_plus(field(record, "s3", "object", "key"))
    size = optional(record, "s3", "object", "size", kind=int)
    bucket = field(record, "s3", "bucket", "name")
    yield from change(kind, bucket, key, size, when, line, names)


def change(kind: str, bucket: str, key: str, size: int | None, when: int, line: int, names: Names) -> Iterator[Found]:
    """What makes an event of that kind happen again (`ObjectCreated:Put`)."""
    group = kind.partition(":")[0]
    if group == "ObjectCreated":
        yield operation(when, names.find("s3", bucket), "put_object", line, key=key, size=size or 0)
    elif group == "ObjectRemoved":
        yield operation(when, names.find("s3", bucket), "delete_object", line, key=key)
    else:
        yield Skipped(f"an event of S3 that no operation causes again: {kind}")
