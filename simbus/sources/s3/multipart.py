"""Multipart uploads: parts become one object, and one ObjectCreated:CompleteMultipartUpload event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import md5
from itertools import pairwise
from typing import Any, Final

from simbus.bus import Bus
from simbus.errors import AwsError, UsageError
from simbus.sources.base import operation, twin
from simbus.sources.s3.base import BucketBase
from simbus.sources.s3.errors import argument, check_key, malformed, no_such_upload
from simbus.sources.s3.objects import StoredObject
from simbus.world import World

LEAST_PART_BYTES: Final = 5 * 1024**2
MOST_PARTS: Final = 10_000


class Upload:
    """An upload under way: its parts by number."""

    def __init__(self, key: str, metadata: Mapping[str, str] | None, content_type: str | None) -> None:
        self.key = key
        self.metadata = metadata
        self.content_type = content_type
        self.parts: dict[int, StoredObject] = {}


class Multipart(BucketBase):
    """CreateMultipartUpload, UploadPart, CompleteMultipartUpload, AbortMultipartUpload."""

    def __init__(self, world: World, bus: Bus, name: str, *, versioning: bool = False) -> None:
        super().__init__(world, bus, name, versioning=versioning)
        self._uploads: dict[str, Upload] = {}

    @operation
    def create_multipart_upload(
        self, key: str, *, metadata: Mapping[str, str] | None = None, content_type: str | None = None
    ) -> dict[str, str]:
        """Begin: `{"Bucket", "Key", "UploadId"}`. Raises AwsError KeyTooLongError."""
        check_key(key)
        upload_id = self._version_id() * 4
        self._uploads[upload_id] = Upload(key, metadata, content_type)
        return {"Bucket": self.resource, "Key": key, "UploadId": upload_id}

    acreate_multipart_upload = twin(create_multipart_upload)

    @operation
    def upload_part(
        self, key: str, upload_id: str, part_number: int, body: bytes | str = b"", *, size: int | None = None
    ) -> dict[str, str]:
        """Part 1 to 10,000; `size` instead of a body models one. `{"ETag", ...}`. Raises AwsError NoSuchUpload."""
        upload = self._upload(key, upload_id)
        if not 1 <= part_number <= MOST_PARTS:
            raise argument(
                f"Part number must be an integer between 1 and {MOST_PARTS}, inclusive", "partNumber", str(part_number)
            )
        content = body.encode() if isinstance(body, str) else bytes(body)
        if size is not None and (content or size < 0):
            raise UsageError(
                f"{self.name}: part {part_number} of {key!r} has size {size} and a body of {len(content)} bytes; a "
                "modelled part has a size of 0 bytes or more and no body. Give one of both."
            )
        part = self._new(key, None if size is not None else content, len(content) if size is None else size)
        upload.parts[part_number] = part
        return {"ETag": f'"{part.etag}"', "ServerSideEncryption": "AES256"}

    aupload_part = twin(upload_part)

    @operation
    def complete_multipart_upload(self, key: str, upload_id: str, parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Make one object of `[{"PartNumber", "ETag"}]`; its ETag is the MD5 of the parts' MD5s and their number.

        Raises AwsError NoSuchUpload, InvalidPart, InvalidPartOrder, EntityTooSmall (a part other than the last has
        less than 5 MiB), MalformedXML (no parts).
        """
        upload = self._upload(key, upload_id)
        if not parts:
            raise malformed()
        numbers = [part["PartNumber"] for part in parts]
        if any(after <= before for before, after in pairwise(numbers)):
            raise AwsError(
                "InvalidPartOrder",
                "The list of parts was not in ascending order. Parts must be ordered by part number.",
                UploadId=upload_id,
            )
        chosen = [self._part(upload, upload_id, part) for part in parts]
        for number, part in zip(numbers[:-1], chosen[:-1], strict=True):
            if part.size < LEAST_PART_BYTES:
                raise AwsError(
                    "EntityTooSmall",
                    "Your proposed upload is smaller than the minimum allowed size",
                    ETag=part.etag,
                    MinSizeAllowed=str(LEAST_PART_BYTES),
                    PartNumber=str(number),
                    ProposedSize=str(part.size),
                )
        del self._uploads[upload_id]
        answer = self._created("ObjectCreated:CompleteMultipartUpload", self._joined(upload, chosen))
        location = f"https://{self.resource}.s3.{self._world.account.region}.amazonaws.com/{key}"
        return {"Bucket": self.resource, "Key": key, "Location": location, **answer}

    acomplete_multipart_upload = twin(complete_multipart_upload)

    @operation
    def abort_multipart_upload(self, key: str, upload_id: str) -> None:
        """Give the upload up; it has no event. Raises AwsError NoSuchUpload."""
        self._upload(key, upload_id)
        del self._uploads[upload_id]

    aabort_multipart_upload = twin(abort_multipart_upload)

    def _upload(self, key: str, upload_id: str) -> Upload:
        upload = self._uploads.get(upload_id)
        if upload is None or upload.key != key:
            raise no_such_upload(upload_id)
        return upload

    def _part(self, upload: Upload, upload_id: str, named: Mapping[str, Any]) -> StoredObject:
        number, etag = named["PartNumber"], str(named.get("ETag", "")).strip('"')
        part = upload.parts.get(number)
        if part is None or part.etag != etag:
            raise AwsError(
                "InvalidPart",
                "One or more of the specified parts could not be found.  The part may not have been uploaded, or the "
                "specified entity tag may not match the part's entity tag.",
                ETag=etag,
                PartNumber=str(number),
                UploadId=upload_id,
            )
        return part

    def _joined(self, upload: Upload, parts: Sequence[StoredObject]) -> StoredObject:
        digest = md5(b"".join(bytes.fromhex(part.etag) for part in parts), usedforsecurity=False).hexdigest()
        modelled = any(part.body is None for part in parts)
        body = None if modelled else b"".join(part.content() for part in parts)
        size = sum(part.size for part in parts)
        joined = StoredObject(upload.key, body, size, f"{digest}-{len(parts)}", self._timeline.now)
        joined.metadata = dict(upload.metadata or {})
        if upload.content_type is not None:
            joined.content_type = upload.content_type
        return joined
