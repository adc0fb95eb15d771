"""Multipart uploads."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Unpack

from simbus.aws.s3.common import api, bucket_of, encoded, owner_of
from simbus.aws.s3.settings import Checksums, Settings, checksums, of_object
from simbus.aws.table import Response
from simbus.sources.s3.checksums import DEFAULT, MOST_BYTES_OF_DEFAULT

if TYPE_CHECKING:
    from simbus.resources import Resources


@api.operation
def create_multipart_upload(
    account: Resources,
    *,
    Bucket: str,
    Key: str,
    ChecksumAlgorithm: str | None = None,
    ChecksumType: str | None = None,
    RequestPayer: str | None = None,  # the owner pays: requester pays is refused
    ExpectedBucketOwner: str | None = None,
    **settings: Unpack[Settings],
) -> Response:
    return bucket_of(account, Bucket, ExpectedBucketOwner).create_multipart_upload(
        Key,
        checksum_algorithm=ChecksumAlgorithm,
        checksum_type=ChecksumType,
        **of_object(settings),
    )


@api.operation
def upload_part(
    account: Resources,
    *,
    Bucket: str,
    Key: str,
    PartNumber: int,
    UploadId: str,
    Body: bytes = b"",
    ContentLength: int | None = None,  # that of the body
    ContentMD5: str | None = None,
    ChecksumAlgorithm: str | None = None,
    RequestPayer: str | None = None,  # the owner pays: requester pays is refused
    ExpectedBucketOwner: str | None = None,
    **settings: Unpack[Checksums],
) -> Response:
    return bucket_of(account, Bucket, ExpectedBucketOwner).upload_part(
        Key,
        UploadId,
        PartNumber,
        Body,
        checksum_algorithm=ChecksumAlgorithm or (DEFAULT if len(Body) <= MOST_BYTES_OF_DEFAULT else None),
        checksums=checksums(settings),
        content_md5=ContentMD5,
    )


@api.operation
def upload_part_copy(
    account: Resources,
    *,
    Bucket: str,
    Key: str,
    CopySource: str,
    PartNumber: int,
    UploadId: str,
    CopySourceIfMatch: str | None = None,
    CopySourceIfModifiedSince: datetime | None = None,
    CopySourceIfNoneMatch: str | None = None,
    CopySourceIfUnmodifiedSince: datetime | None = None,
    CopySourceRange: str | None = None,
    RequestPayer: str | None = None,  # the owner pays: requester pays is refused
    ExpectedBucketOwner: str | None = None,
    ExpectedSourceBucketOwner: str | None = None,
) -> Response:
    if ExpectedSourceBucketOwner is not None:
        bucket_of(account, CopySource.lstrip("/").partition("/")[0], ExpectedSourceBucketOwner)
    return bucket_of(account, Bucket, ExpectedBucketOwner).upload_part_copy(
        Key,
        UploadId,
        PartNumber,
        CopySource,
        copy_source_range=CopySourceRange,
        copy_source_if_match=CopySourceIfMatch,
        copy_source_if_none_match=CopySourceIfNoneMatch,
        copy_source_if_modified_since=CopySourceIfModifiedSince,
        copy_source_if_unmodified_since=CopySourceIfUnmodifiedSince,
    )


@api.operation
def complete_multipart_upload(
    account: Resources,
    *,
    Bucket: str,
    Key: str,
    UploadId: str,
    MultipartUpload: Mapping[str, Any] | None = None,
    ChecksumType: str | None = None,
    MpuObjectSize: int | None = None,
    RequestPayer: str | None = None,  # the owner pays: requester pays is refused
    ExpectedBucketOwner: str | None = None,
    IfMatch: str | None = None,
    IfNoneMatch: str | None = None,
    **settings: Unpack[Checksums],
) -> Response:
    return bucket_of(account, Bucket, ExpectedBucketOwner).complete_multipart_upload(
        Key,
        UploadId,
        (MultipartUpload or {}).get("Parts", ()),
        checksums=checksums(settings),
        checksum_type=ChecksumType,
        mpu_object_size=MpuObjectSize,
        if_match=IfMatch,
        if_none_match=IfNoneMatch,
    )


@api.operation
def abort_multipart_upload(
    account: Resources,
    *,
    Bucket: str,
    Key: str,
    UploadId: str,
    RequestPayer: str | None = None,  # the owner pays: requester pays is refused
    ExpectedBucketOwner: str | None = None,
) -> None:
    bucket_of(account, Bucket, ExpectedBucketOwner).abort_multipart_upload(Key, UploadId)


@api.operation
def list_parts(
    account: Resources,
    *,
    Bucket: str,
    Key: str,
    UploadId: str,
    MaxParts: int = 1000,
    PartNumberMarker: int = 0,
    RequestPayer: str | None = None,  # the owner pays: requester pays is refused
    ExpectedBucketOwner: str | None = None,
) -> Response:
    found = bucket_of(account, Bucket, ExpectedBucketOwner).list_parts(
        Key, UploadId, max_parts=MaxParts, part_number_marker=PartNumberMarker
    )
    return {**found, "Owner": owner_of(account), "Initiator": owner_of(account)}


@api.operation
def list_multipart_uploads(
    account: Resources,
    *,
    Bucket: str,
    Delimiter: str = "",
    EncodingType: str | None = None,
    KeyMarker: str = "",
    MaxUploads: int = 1000,
    Prefix: str = "",
    UploadIdMarker: str = "",
    ExpectedBucketOwner: str | None = None,
    RequestPayer: str | None = None,  # the owner pays: requester pays is refused
) -> Response:
    found = bucket_of(account, Bucket, ExpectedBucketOwner).list_multipart_uploads(
        Prefix,
        delimiter=Delimiter,
        max_uploads=MaxUploads,
        key_marker=KeyMarker,
        upload_id_marker=UploadIdMarker,
    )
    for upload in found.get("Uploads", ()):
        upload |= {"Owner": owner_of(account), "Initiator": owner_of(account)}
    return encoded(found, EncodingType)
