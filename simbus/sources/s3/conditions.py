"""Conditional requests and ranges: If-Match and its kin, and bytes=a-b.

Sources: S3 API reference, GetObject, CopyObject and "Error responses"; S3 user guide, "Conditional requests"; RFC 7232.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from simbus.errors import AwsError
from simbus.sources.s3.errors import argument, no_such_key
from simbus.sources.s3.objects import StoredObject

_RANGE: Final = re.compile(r"bytes=(\d*)-(\d*)")
_COPY: Final = "x-amz-copy-source-"


def check_read(
    etag: str,
    modified: datetime,
    if_match: str | None = None,
    if_none_match: str | None = None,
    if_modified_since: datetime | None = None,
    if_unmodified_since: datetime | None = None,
) -> None:
    """Raise AwsError PreconditionFailed (412) or 304 where a condition does not hold.

    An entity tag goes before a date: If-Unmodified-Since counts only without If-Match, If-Modified-Since only without
    If-None-Match.
    """
    failed = _failed(etag, modified, if_match, if_unmodified_since)
    if failed:
        raise precondition_failed(failed)
    if not _is_new(etag, modified, if_none_match, if_modified_since):
        raise AwsError("304", "Not Modified", 304)


def check_copy_source(
    etag: str,
    modified: datetime,
    if_match: str | None = None,
    if_none_match: str | None = None,
    if_modified_since: datetime | None = None,
    if_unmodified_since: datetime | None = None,
) -> None:
    """The same conditions of a copy's source: each that does not hold is PreconditionFailed (412)."""
    failed = _failed(etag, modified, if_match, if_unmodified_since)
    if not failed and not _is_new(etag, modified, if_none_match, if_modified_since):
        failed = "If-None-Match" if if_none_match is not None else "If-Modified-Since"
    if failed:
        raise precondition_failed(_COPY + failed)


def check_write(key: str, current: StoredObject | None, if_match: str | None, if_none_match: str | None) -> None:
    """The conditions of a put. Raises AwsError PreconditionFailed, NoSuchKey, NotImplemented."""
    there = current is not None and not current.is_delete_marker
    if if_none_match is not None:
        if if_none_match != "*":
            raise AwsError(
                "NotImplemented",
                "A header you provided implies functionality that is not implemented",
                501,
                Header="If-None-Match",
            )
        if there:
            raise precondition_failed("If-None-Match")
    if if_match is not None:
        if current is None or not there:
            raise no_such_key(key)
        if not _same(if_match, current.etag):
            raise precondition_failed("If-Match")


def precondition_failed(condition: str) -> AwsError:
    return AwsError(
        "PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412, Condition=condition
    )


def read_range(text: str, size: int) -> tuple[int, int] | None:
    """First and last byte of `bytes=a-b`, `bytes=a-` or `bytes=-n`; None for what is no such range: it is ignored.

    Raises AwsError InvalidRange (416) where the object has none of these bytes.
    """
    found = _RANGE.fullmatch(text.strip())
    if found is None or found[0] == "bytes=-":
        return None
    if not found[1]:
        first, last = max(size - int(found[2]), 0), size - 1
        empty = found[2].strip("0") == "" or not size
    else:
        first, last = int(found[1]), min(int(found[2] or size), size - 1)
        if found[2] and int(found[2]) < first:
            return None
        empty = first >= size
    if empty:
        raise AwsError(
            "InvalidRange",
            "The requested range is not satisfiable",
            416,
            RangeRequested=text,
            ActualObjectSize=str(size),
        )
    return first, last


def read_copy_range(text: str, size: int) -> tuple[int, int]:
    """First and last byte of `bytes=a-b` of a part's copy. Raises AwsError InvalidArgument."""
    found = _RANGE.fullmatch(text)
    if found is None or not found[1] or not found[2] or int(found[1]) > int(found[2]):
        raise argument(
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the "
            "zero-based offsets of the first and last bytes to copy",
            "x-amz-copy-source-range",
            text,
        )
    first, last = int(found[1]), int(found[2])
    if last >= size:
        raise argument(
            f"Range specified is not valid for source object of size: {size}", "x-amz-copy-source-range", text
        )
    return first, last


def _failed(etag: str, modified: datetime, if_match: str | None, if_unmodified_since: datetime | None) -> str:
    """The condition that wants an object to be still the same, and finds another one."""
    if if_match is not None:
        return "" if _same(if_match, etag) else "If-Match"
    if if_unmodified_since is not None and modified > if_unmodified_since:
        return "If-Unmodified-Since"
    return ""


def _is_new(etag: str, modified: datetime, if_none_match: str | None, if_modified_since: datetime | None) -> bool:
    if if_none_match is not None:
        return not _same(if_none_match, etag)
    return if_modified_since is None or modified > if_modified_since


def _same(given: str, etag: str) -> bool:
    return given == "*" or given.strip().strip('"') == etag
