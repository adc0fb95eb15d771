"""Multipart uploads: parts become one object, and one ObjectCreated:CompleteMultipartUpload event.

Sources: S3 user guide, "Uploading and copying objects using multipart upload" and "Checking object integrity".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import md5
from itertools import pairwise
from typing import Any, Final, Unpack

from simbus.bus import Bus
from simbus.errors import AwsError, UsageError
from simbus.sources.base import operation, twin
from simbus.sources.s3.base import find_bucket
from simbus.sources.s3.checksums import COMPOSITE, FULL_OBJECT, Checksum, check_md5, checksum_of, composite, verified
from simbus.sources.s3.conditions import check_copy_source, check_write, read_copy_range
from simbus.sources.s3.details import Details
from simbus.sources.s3.errors import argument, check_key, malformed, no_such_upload
from simbus.sources.s3.objects import Encryption, Part, StoredObject
from simbus.sources.s3.settings import ObjectSettings
from simbus.sources.s3.writing import copy_source_parts
from simbus.world import World

LEAST_PART_BYTES: Final = 5 * 1024**2
MOST_PARTS: Final = 10_000


class Upload:
    """An upload under way: its parts by number, and what the object will be (`template`)."""

    def __init__(
        self, upload_id: str, template: StoredObject, algorithm: str | None, checksum_type: str | None
    ) -> None:
        self.id = upload_id
        self.key = template.key
        self.template = template
        self.initiated = template.last_modified
        self.algorithm = algorithm
        self.checksum_type = checksum_type
        self.parts: dict[int, StoredObject] = {}
        encryption = template.encryption or Encryption()
        self.encryption = encryption.shown()
        self.has_digests = encryption.algorithm == "AES256"


class Multipart(Details):
    """CreateMultipartUpload, UploadPart, UploadPartCopy, CompleteMultipartUpload, AbortMultipartUpload and lists."""

    def __init__(self, world: World, bus: Bus, name: str, **settings: Any) -> None:
        super().__init__(world, bus, name, **settings)
        self._uploads: dict[str, Upload] = {}

    @operation
    def create_multipart_upload(
        self,
        key: str,
        *,
        checksum_algorithm: str | None = None,
        checksum_type: str | None = None,
        **settings: Unpack[ObjectSettings],
    ) -> dict[str, Any]:
        """Begin: `{"Bucket", "Key", "UploadId"}`. `checksum_algorithm`: each part has it, the object too.

        `checksum_type` is COMPOSITE (the checksum of the parts' checksums) or FULL_OBJECT (a CRC of the whole).
        Raises AwsError KeyTooLongError, InvalidRequest, and what PutObject raises for its settings.
        """
        check_key(key)
        kind = _checksum_type(checksum_algorithm, checksum_type)
        template = StoredObject(key, None, 0, "", self._timeline.now)
        self._settle(template, settings)
        upload = Upload(self._version_id() * 4, template, checksum_algorithm, kind)
        self._uploads[upload.id] = upload
        found = {"Bucket": self.resource, "Key": key, "UploadId": upload.id, **upload.encryption}
        if checksum_algorithm is not None:
            found |= {"ChecksumAlgorithm": checksum_algorithm, "ChecksumType": str(kind)}
        return found

    acreate_multipart_upload = twin(create_multipart_upload)

    @operation
    def upload_part(
        self,
        key: str,
        upload_id: str,
        part_number: int,
        body: bytes | str = b"",
        *,
        size: int | None = None,
        checksum_algorithm: str | None = None,
        checksums: Mapping[str, str] | None = None,
        content_md5: str | None = None,
    ) -> dict[str, Any]:
        """Part 1 to 10,000; `size` instead of a body models one. `{"ETag", ...}`.

        Raises AwsError NoSuchUpload, InvalidRequest (another checksum algorithm than the upload's), BadDigest.
        """
        upload = self._upload(key, upload_id)
        _check_number(part_number)
        content = body.encode() if isinstance(body, str) else bytes(body)
        if size is not None and (content or size < 0):
            raise UsageError(
                f"{self.name}: part {part_number} of {key!r} has size {size} and a body of {len(content)} bytes; a "
                "modelled part has a size of 0 bytes or more and no body. Give one of both."
            )
        part = self._new(key, None if size is not None else content, len(content) if size is None else size)
        if content_md5 is not None:
            check_md5(content_md5, part.etag)
        if size is None:
            algorithm = _part_algorithm(upload, checksum_algorithm, checksums)
            part.checksum = verified(algorithm, checksums, content)
        self._keep(upload, part_number, part)
        return {"ETag": f'"{part.etag}"', **upload.encryption, **shown(part.checksum)}

    aupload_part = twin(upload_part)

    @operation
    def upload_part_copy(
        self,
        key: str,
        upload_id: str,
        part_number: int,
        copy_source: str | Mapping[str, str],
        *,
        copy_source_range: str | None = None,
        copy_source_if_match: str | None = None,
        copy_source_if_none_match: str | None = None,
        copy_source_if_modified_since: datetime | None = None,
        copy_source_if_unmodified_since: datetime | None = None,
    ) -> dict[str, Any]:
        """A part of bytes that are in an object already, all or `bytes=0-9` of them. `{"CopyPartResult": {"ETag"}}`.

        Raises AwsError NoSuchUpload, NoSuchBucket, NoSuchKey, PreconditionFailed, InvalidArgument (the range).
        """
        upload = self._upload(key, upload_id)
        _check_number(part_number)
        bucket, from_key, version_id = copy_source_parts(copy_source)
        source = find_bucket(self._world, bucket)
        original = source._find(from_key, version_id)
        if isinstance(source, Details):
            source._check_readable(original)
        check_copy_source(
            original.etag, source._modified(original), copy_source_if_match, copy_source_if_none_match,
            copy_source_if_modified_since, copy_source_if_unmodified_since,
        )  # fmt: skip
        if copy_source_range is None:
            body, size = original.body, original.size
        else:
            first, last = read_copy_range(copy_source_range, original.size)
            body, size = (None if original.body is None else original.slice(first, last)), last - first + 1
        part = self._new(key, body, size)
        if upload.algorithm is not None and body is not None:
            part.checksum = checksum_of(upload.algorithm, body)
        self._keep(upload, part_number, part)
        result = {"ETag": f'"{part.etag}"', "LastModified": self._modified(part), **shown(part.checksum)}
        found: dict[str, Any] = {"CopyPartResult": result, **upload.encryption}
        return found if source._versioning is None else {**found, "CopySourceVersionId": original.version_id}

    aupload_part_copy = twin(upload_part_copy)

    @operation
    def complete_multipart_upload(
        self,
        key: str,
        upload_id: str,
        parts: Sequence[Mapping[str, Any]],
        *,
        checksums: Mapping[str, str] | None = None,
        checksum_type: str | None = None,
        mpu_object_size: int | None = None,
        if_match: str | None = None,
        if_none_match: str | None = None,
    ) -> dict[str, Any]:
        """Make one object of `[{"PartNumber", "ETag"}]`; its ETag is the MD5 of the parts' MD5s and their number.

        Raises AwsError NoSuchUpload, InvalidPart, InvalidPartOrder, EntityTooSmall (a part other than the last has
        less than 5 MiB), MalformedXML (no parts), InvalidRequest, BadDigest, PreconditionFailed.
        """
        upload = self._upload(key, upload_id)
        if not parts:
            raise malformed()
        if if_match is not None or if_none_match is not None:
            check_write(key, self._objects.current.get(key), if_match, if_none_match)
        numbers = [part["PartNumber"] for part in parts]
        if any(after <= before for before, after in pairwise(numbers)):
            raise AwsError(
                "InvalidPartOrder",
                "The list of parts was not in ascending order. Parts must be ordered by part number.",
                UploadId=upload_id,
            )
        chosen = {part["PartNumber"]: _part(upload, part) for part in parts}
        _check_sizes(chosen)
        if checksum_type not in (None, upload.checksum_type):
            raise AwsError(
                "InvalidRequest",
                f"The upload was created using the {upload.checksum_type} checksum mode. The complete request must use "
                "the same checksum mode.",
            )
        joined = self._joined(upload, chosen)
        if mpu_object_size not in (None, joined.size):
            raise AwsError(
                "InvalidRequest",
                f"The provided 'x-amz-mp-object-size' header value {mpu_object_size} does not match what was computed: "
                f"{joined.size}",
            )
        for algorithm, value in (checksums or {}).items():
            if joined.checksum is None or joined.checksum.value.partition("-")[0] != value.partition("-")[0]:
                raise AwsError("BadDigest", f"The {algorithm} you specified did not match the calculated checksum.")
        del self._uploads[upload_id]
        answer = self._created("ObjectCreated:CompleteMultipartUpload", joined)
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

    def _keep(self, upload: Upload, number: int, part: StoredObject) -> None:
        """It is a part of the upload now; with KMS its ETag is no MD5."""
        if not upload.has_digests:
            part.etag = self._other_etag()
        upload.parts[number] = part

    def _joined(self, upload: Upload, chosen: Mapping[int, StoredObject]) -> StoredObject:
        """The object: the parts' bytes, the settings that the upload began with."""
        parts = list(chosen.values())
        digest = md5(b"".join(bytes.fromhex(part.etag) for part in parts), usedforsecurity=False).hexdigest()
        modelled = any(part.body is None for part in parts)
        joined = upload.template
        joined.body = None if modelled else b"".join(part.content() for part in parts)
        joined.size = sum(part.size for part in parts)
        joined.etag = f"{digest}-{len(parts)}"
        joined.last_modified = self._timeline.now
        joined.parts = tuple(Part(number, part.size, part.checksum) for number, part in chosen.items())
        if upload.algorithm is not None and joined.body is not None:
            if upload.checksum_type == COMPOSITE:
                joined.checksum = composite(upload.algorithm, [part.checksum for part in parts if part.checksum])
            else:
                joined.checksum = checksum_of(upload.algorithm, joined.body)
        return joined


def _checksum_type(algorithm: str | None, wanted: str | None) -> str | None:
    """What kind of checksum the object gets. Raises AwsError InvalidRequest, InvalidArgument."""
    if algorithm is None:
        if wanted is not None:
            message = "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."
            raise AwsError("InvalidRequest", message)
        return None
    checksum_of(algorithm, b"")
    found = wanted or (FULL_OBJECT if algorithm == "CRC64NVME" else COMPOSITE)
    if found not in (FULL_OBJECT, COMPOSITE):
        raise argument("Value for x-amz-checksum-type header is invalid.", "x-amz-checksum-type", found)
    impossible = algorithm == "CRC64NVME" if found == COMPOSITE else not algorithm.startswith("CRC")
    if impossible:
        name = algorithm.lower()
        raise AwsError(
            "InvalidRequest", f"The {found} checksum type cannot be used with the {name} checksum algorithm."
        )
    return found


def _check_number(number: int) -> None:
    if not 1 <= number <= MOST_PARTS:
        raise argument(
            f"Part number must be an integer between 1 and {MOST_PARTS}, inclusive", "partNumber", str(number)
        )


def _part_algorithm(upload: Upload, named: str | None, given: Mapping[str, str] | None) -> str | None:
    """The algorithm of a part: that of its upload. Raises AwsError InvalidRequest for another one."""
    algorithm = next(iter(given), named) if given else named
    if upload.algorithm is not None and algorithm not in (None, upload.algorithm):
        raise AwsError(
            "InvalidRequest",
            f"Checksum Type mismatch occurred, expected checksum Type: {upload.algorithm.lower()}, actual checksum "
            f"Type: {str(algorithm).lower()}",
        )
    return algorithm or upload.algorithm


def _part(upload: Upload, named: Mapping[str, Any]) -> StoredObject:
    """The part that a request to complete names. Raises AwsError InvalidPart, InvalidRequest."""
    number, etag = named["PartNumber"], str(named.get("ETag", "")).strip('"')
    part = upload.parts.get(number)
    checksum = None if part is None else part.checksum
    shown = None if checksum is None else named.get(f"Checksum{checksum.algorithm}")
    if part is None or part.etag != etag or (checksum and shown not in (None, checksum.value)):
        raise AwsError(
            "InvalidPart",
            "One or more of the specified parts could not be found.  The part may not have been uploaded, or the "
            "specified entity tag may not match the part's entity tag.",
            ETag=etag,
            PartNumber=str(number),
            UploadId=upload.id,
        )
    if upload.algorithm is not None and upload.checksum_type == COMPOSITE and checksum is not None and shown is None:
        raise AwsError(
            "InvalidRequest",
            f"The upload was created using a {upload.algorithm.lower()} checksum. The complete request must include "
            f"the checksum for each part. It was missing for part {number} in the request.",
        )
    return part


def _check_sizes(chosen: Mapping[int, StoredObject]) -> None:
    """Every part but the last has 5 MiB. Raises AwsError EntityTooSmall."""
    for number, part in list(chosen.items())[:-1]:
        if part.size < LEAST_PART_BYTES:
            raise AwsError(
                "EntityTooSmall",
                "Your proposed upload is smaller than the minimum allowed size",
                ETag=part.etag,
                MinSizeAllowed=str(LEAST_PART_BYTES),
                PartNumber=str(number),
                ProposedSize=str(part.size),
            )


def shown(checksum: Checksum | None) -> dict[str, str]:
    """The member that a part's checksum has in an answer."""
    return {} if checksum is None else {f"Checksum{checksum.algorithm}": checksum.value}
