"""Objects: put, get, head, delete, copy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Unpack

from simbus.aws.s3.common import api, bucket_of
from simbus.aws.s3.settings import Overrides, PutSettings, Settings, checksums, of_object, overrides
from simbus.aws.table import Response, not_built
from simbus.sources.s3.checksums import DEFAULT, MOST_BYTES_OF_DEFAULT

if TYPE_CHECKING:
    from simbus.resources import Resources


@api.operation
def put_object(
    account: Resources,
    *,
    Bucket: str,
    Key: str,
    Body: bytes = b"",
    ContentLength: int | None = None,  # that of the body
    ContentMD5: str | None = None,
    ChecksumAlgorithm: str | None = None,
    IfMatch: str | None = None,
    IfNoneMatch: str | None = None,
    RequestPayer: str | None = None,  # the owner pays: requester pays is refused
    ExpectedBucketOwner: str | None = None,
    **settings: Unpack[PutSettings],
) -> Response:
    """Where no checksum is named, S3 computes its own (CRC64NVME)."""
    return bucket_of(account, Bucket, ExpectedBucketOwner).put_object(
        Key,
        Body,
        checksum_algorithm=ChecksumAlgorithm or (DEFAULT if len(Body) <= MOST_BYTES_OF_DEFAULT else None),
        checksums=checksums(settings),
        content_md5=ContentMD5,
        if_match=IfMatch,
        if_none_match=IfNoneMatch,
        **of_object(settings),
    )


@api.operation
def post_object(account: Resources, *, Bucket: str, Key: str, Body: bytes, **settings: Unpack[Settings]) -> Response:
    """What a browser's form uploads; S3 has it for HTTP only, so it is in no service model."""
    return bucket_of(account, Bucket).post_object(Key, Body, **of_object(settings))


@api.operation
def get_object(
    account: Resources,
    *,
    Bucket: str,
    Key: str,
    VersionId: str | None = None,
    IfMatch: str | None = None,
    IfModifiedSince: datetime | None = None,
    IfNoneMatch: str | None = None,
    IfUnmodifiedSince: datetime | None = None,
    Range: str | None = None,
    PartNumber: int | None = None,
    ChecksumMode: str | None = None,
    RequestPayer: str | None = None,  # the owner pays: requester pays is refused
    ExpectedBucketOwner: str | None = None,
    **settings: Unpack[Overrides],
) -> Response:
    found = bucket_of(account, Bucket, ExpectedBucketOwner).get_object(
        Key,
        VersionId,
        range=Range,
        part_number=PartNumber,
        if_match=IfMatch,
        if_none_match=IfNoneMatch,
        if_modified_since=IfModifiedSince,
        if_unmodified_since=IfUnmodifiedSince,
        checksum_mode=ChecksumMode,
    )
    found |= overrides(settings)
    return _partial(found)


@api.operation
def head_object(
    account: Resources,
    *,
    Bucket: str,
    Key: str,
    VersionId: str | None = None,
    IfMatch: str | None = None,
    IfModifiedSince: datetime | None = None,
    IfNoneMatch: str | None = None,
    IfUnmodifiedSince: datetime | None = None,
    Range: str | None = None,
    PartNumber: int | None = None,
    ChecksumMode: str | None = None,
    RequestPayer: str | None = None,  # the owner pays: requester pays is refused
    ExpectedBucketOwner: str | None = None,
    **settings: Unpack[Overrides],
) -> Response:
    """An absent bucket answers as an absent object: a HEAD has no error document."""
    found = bucket_of(account, Bucket, ExpectedBucketOwner).head_object(
        Key,
        VersionId,
        range=Range,
        part_number=PartNumber,
        if_match=IfMatch,
        if_none_match=IfNoneMatch,
        if_modified_since=IfModifiedSince,
        if_unmodified_since=IfUnmodifiedSince,
        checksum_mode=ChecksumMode,
    )
    found |= overrides(settings)
    return _partial(found)


def _partial(found: Response) -> Response:
    """206 where it is a part of an object."""
    if "ContentRange" in found:
        found["ResponseMetadata"] = {"HTTPStatusCode": 206}
    return found


@api.operation
def get_object_attributes(
    account: Resources,
    *,
    Bucket: str,
    Key: str,
    ObjectAttributes: Sequence[str],
    VersionId: str | None = None,
    MaxParts: int = 1000,
    PartNumberMarker: int = 0,
    RequestPayer: str | None = None,  # the owner pays: requester pays is refused
    ExpectedBucketOwner: str | None = None,
) -> Response:
    return bucket_of(account, Bucket, ExpectedBucketOwner).get_object_attributes(
        Key, ObjectAttributes, VersionId, max_parts=MaxParts, part_number_marker=PartNumberMarker
    )


@api.operation
def delete_object(
    account: Resources,
    *,
    Bucket: str,
    Key: str,
    VersionId: str | None = None,
    IfMatch: str | None = None,
    RequestPayer: str | None = None,  # the owner pays: requester pays is refused
    BypassGovernanceRetention: bool | None = None,  # no object is locked
    ExpectedBucketOwner: str | None = None,
) -> Response:
    return bucket_of(account, Bucket, ExpectedBucketOwner).delete_object(Key, VersionId, if_match=IfMatch)


@api.operation
def delete_objects(
    account: Resources,
    *,
    Bucket: str,
    Delete: Mapping[str, Any],
    ChecksumAlgorithm: str | None = None,  # of the document: simbus.sdk.integrity
    RequestPayer: str | None = None,  # the owner pays: requester pays is refused
    BypassGovernanceRetention: bool | None = None,  # no object is locked
    ExpectedBucketOwner: str | None = None,
) -> Response:
    for entry in Delete["Objects"]:
        for name in ("LastModifiedTime", "Size"):  # for directory buckets only
            if name in entry:
                raise not_built(f"s3 DeleteObjects with {name}")
    bucket = bucket_of(account, Bucket, ExpectedBucketOwner)
    return bucket.delete_objects(Delete["Objects"], quiet=Delete.get("Quiet", False))


@api.operation
def copy_object(
    account: Resources,
    *,
    Bucket: str,
    Key: str,
    CopySource: str,
    ChecksumAlgorithm: str | None = None,
    CopySourceIfMatch: str | None = None,
    CopySourceIfModifiedSince: datetime | None = None,
    CopySourceIfNoneMatch: str | None = None,
    CopySourceIfUnmodifiedSince: datetime | None = None,
    IfMatch: str | None = None,
    IfNoneMatch: str | None = None,
    MetadataDirective: str = "COPY",
    TaggingDirective: str = "COPY",
    RequestPayer: str | None = None,  # the owner pays: requester pays is refused
    ExpectedBucketOwner: str | None = None,
    ExpectedSourceBucketOwner: str | None = None,
    **settings: Unpack[Settings],
) -> Response:
    if ExpectedSourceBucketOwner is not None:
        bucket_of(account, CopySource.lstrip("/").partition("/")[0], ExpectedSourceBucketOwner)
    return bucket_of(account, Bucket, ExpectedBucketOwner).copy_object(
        Key,
        CopySource,
        metadata_directive=MetadataDirective,
        tagging_directive=TaggingDirective,
        checksum_algorithm=ChecksumAlgorithm,
        copy_source_if_match=CopySourceIfMatch,
        copy_source_if_none_match=CopySourceIfNoneMatch,
        copy_source_if_modified_since=CopySourceIfModifiedSince,
        copy_source_if_unmodified_since=CopySourceIfUnmodifiedSince,
        if_match=IfMatch,
        if_none_match=IfNoneMatch,
        **of_object(settings),
    )
