"""Reading objects: GetObject, HeadObject, GetObjectAttributes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from simbus.errors import AwsError
from simbus.sources.base import operation, twin
from simbus.sources.s3.conditions import check_read, read_range
from simbus.sources.s3.details import Details
from simbus.sources.s3.errors import argument
from simbus.sources.s3.objects import StoredObject

ATTRIBUTES: Final = ("ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize")
_REASONS: Final = {
    304: "Not Modified",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    412: "Precondition Failed",
    416: "Requested Range Not Satisfiable",
}


class Reading(Details):
    """What an object is. Nothing here has an event."""

    @operation
    def get_object(
        self,
        key: str,
        version_id: str | None = None,
        *,
        range: str | None = None,
        part_number: int | None = None,
        if_match: str | None = None,
        if_none_match: str | None = None,
        if_modified_since: datetime | None = None,
        if_unmodified_since: datetime | None = None,
        checksum_mode: str | None = None,
    ) -> dict[str, Any]:
        """The object with its `Body` (bytes); `ContentRange` where `range` (`bytes=0-9`) or a part of it is wanted.

        `checksum_mode="ENABLED"` gives its checksum. Raises AwsError NoSuchKey, NoSuchVersion, InvalidObjectState,
        PreconditionFailed (412), 304, InvalidRange (416), InvalidPartNumber (416).
        """
        stored = self._find(key, version_id)
        self._check_readable(stored)
        if if_match or if_none_match or if_modified_since or if_unmodified_since:
            modified = self._modified(stored)
            check_read(stored.etag, modified, if_match, if_none_match, if_modified_since, if_unmodified_since)
        head = self._head(stored)
        span = None
        if range is not None or part_number is not None:
            span = _narrow(stored, head, range, part_number)
        if checksum_mode == "ENABLED" and span is None:
            _show_checksum(stored, head)
        return {"Body": stored.content() if span is None else stored.slice(*span), **head}

    aget_object = twin(get_object)

    @operation
    def head_object(
        self,
        key: str,
        version_id: str | None = None,
        *,
        range: str | None = None,
        part_number: int | None = None,
        if_match: str | None = None,
        if_none_match: str | None = None,
        if_modified_since: datetime | None = None,
        if_unmodified_since: datetime | None = None,
        checksum_mode: str | None = None,
    ) -> dict[str, Any]:
        """The object without its body. Raises AwsError `404` Not Found (a HEAD has no error document), `412`, `304`."""
        try:
            stored = self._find(key, version_id)
            modified = self._modified(stored)
            check_read(stored.etag, modified, if_match, if_none_match, if_modified_since, if_unmodified_since)
            head = self._head(stored)
            span = _narrow(stored, head, range, part_number)
        except AwsError as error:
            raise AwsError(str(error.status), _REASONS.get(error.status, "Bad Request"), error.status) from None
        if checksum_mode == "ENABLED" and span is None:
            _show_checksum(stored, head)
        return head

    ahead_object = twin(head_object)

    @operation
    def get_object_attributes(
        self,
        key: str,
        object_attributes: Sequence[str],
        version_id: str | None = None,
        *,
        max_parts: int = 1000,
        part_number_marker: int = 0,
    ) -> dict[str, Any]:
        """Those of `ETag`, `Checksum`, `ObjectParts`, `StorageClass`, `ObjectSize` that are asked for.

        Raises AwsError NoSuchKey, NoSuchVersion, InvalidArgument.
        """
        for name in object_attributes:
            if name not in ATTRIBUTES:
                raise argument("Invalid attribute name specified.", "x-amz-object-attributes", name)
        stored = self._find(key, version_id)
        found: dict[str, Any] = {"LastModified": self._modified(stored)}
        if self._versioning is not None:
            found["VersionId"] = stored.version_id
        checksum = stored.full_checksum() if "Checksum" in object_attributes else None
        if checksum is not None:
            found["Checksum"] = checksum.shown()
        if "ObjectParts" in object_attributes and stored.parts:
            found["ObjectParts"] = _object_parts(stored, max_parts, part_number_marker)
        plain = {"ETag": stored.etag, "StorageClass": stored.storage_class, "ObjectSize": stored.size}
        return found | {name: value for name, value in plain.items() if name in object_attributes}

    aget_object_attributes = twin(get_object_attributes)

    def _head(self, stored: StoredObject) -> dict[str, Any]:
        found: dict[str, Any] = {
            "AcceptRanges": "bytes",
            "ContentLength": stored.size,
            "ContentType": stored.content_type,
            "ETag": f'"{stored.etag}"',
            "LastModified": self._modified(stored),
            "Metadata": dict(stored.metadata or {}),
            "ServerSideEncryption": "AES256",
        }
        if stored.encryption is not None:
            found |= stored.encryption.shown()
        if stored.headers:
            found |= stored.headers
        if self._versioning is not None:
            found["VersionId"] = stored.version_id
        if stored.storage_class != "STANDARD":
            found["StorageClass"] = stored.storage_class
        if stored.tags:
            found["TagCount"] = len(stored.tags)
        if stored.restore is not None:
            found["Restore"] = self._restore_header(stored)
        return found


def _narrow(
    stored: StoredObject, head: dict[str, Any], range_: str | None, part_number: int | None
) -> tuple[int, int] | None:
    """First and last byte of what is wanted of an object, said in its head; None: all of it."""
    if range_ is not None and part_number is not None:
        raise AwsError("InvalidRequest", "Cannot specify both Range header and partNumber query parameter")
    if part_number is not None:
        span: tuple[int, int] | None = _part(stored, part_number)
        if stored.parts:
            head["PartsCount"] = len(stored.parts)
    else:
        span = None if range_ is None else read_range(range_, stored.size)
    if span is None or span[1] < span[0]:
        return None
    head["ContentLength"] = span[1] - span[0] + 1
    head["ContentRange"] = f"bytes {span[0]}-{span[1]}/{stored.size}"
    return span


def _part(stored: StoredObject, number: int) -> tuple[int, int]:
    """An object that was not uploaded in parts is one part."""
    sizes = [part.size for part in stored.parts] or [stored.size]
    if not 1 <= number <= len(sizes):
        raise AwsError(
            "InvalidPartNumber",
            "The requested partnumber is not satisfiable",
            416,
            PartNumberRequested=str(number),
            ActualPartCount=str(len(sizes)),
        )
    first = sum(sizes[: number - 1])
    return first, first + sizes[number - 1] - 1


def _show_checksum(stored: StoredObject, head: dict[str, Any]) -> None:
    checksum = stored.full_checksum()
    if checksum is not None:
        head |= checksum.shown()


def _object_parts(stored: StoredObject, most: int, marker: int) -> dict[str, Any]:
    """Parts are listed where they have checksums; else only counted."""
    found: dict[str, Any] = {"TotalPartsCount": len(stored.parts)}
    behind = [part for part in stored.parts if part.number > marker]
    if not any(part.checksum for part in stored.parts):
        return found
    parts = [{"PartNumber": part.number, "Size": part.size, **_part_checksum(part.checksum)} for part in behind[:most]]
    return found | {
        "PartNumberMarker": marker,
        "NextPartNumberMarker": parts[-1]["PartNumber"] if parts else 0,
        "MaxParts": most,
        "IsTruncated": len(behind) > most,
        "Parts": parts,
    }


def _part_checksum(checksum: Any) -> dict[str, str]:
    return {} if checksum is None else {f"Checksum{checksum.algorithm}": checksum.value}
