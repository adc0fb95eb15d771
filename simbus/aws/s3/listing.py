"""Listing a bucket: ListObjectsV2, ListObjects and ListObjectVersions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from simbus.aws.s3.common import api, bucket_of, encoded, owner_of
from simbus.aws.table import Response

if TYPE_CHECKING:
    from simbus.resources import Resources


@api.operation
def list_objects_v2(
    account: Resources,
    *,
    Bucket: str,
    Delimiter: str = "",
    EncodingType: str | None = None,
    MaxKeys: int = 1000,
    Prefix: str = "",
    ContinuationToken: str | None = None,
    FetchOwner: bool = False,
    StartAfter: str = "",
    RequestPayer: str | None = None,  # the owner pays: requester pays is refused
    ExpectedBucketOwner: str | None = None,
    OptionalObjectAttributes: Sequence[str] = (),
) -> Response:
    found = bucket_of(account, Bucket, ExpectedBucketOwner).list_objects(
        Prefix,
        delimiter=Delimiter,
        max_keys=MaxKeys,
        start_after=StartAfter,
        continuation_token=ContinuationToken,
        optional_object_attributes=OptionalObjectAttributes,
    )
    if FetchOwner:
        _own(account, found.get("Contents", ()))
    return encoded(found, EncodingType)


@api.operation
def list_objects(
    account: Resources,
    *,
    Bucket: str,
    Delimiter: str = "",
    EncodingType: str | None = None,
    Marker: str = "",
    MaxKeys: int = 1000,
    Prefix: str = "",
    RequestPayer: str | None = None,  # the owner pays: requester pays is refused
    ExpectedBucketOwner: str | None = None,
    OptionalObjectAttributes: Sequence[str] = (),
) -> Response:
    """The older form: a page begins behind a Marker, and says NextMarker where there is a delimiter."""
    found = bucket_of(account, Bucket, ExpectedBucketOwner).list_objects(
        Prefix,
        delimiter=Delimiter,
        max_keys=MaxKeys,
        start_after=Marker,
        optional_object_attributes=OptionalObjectAttributes,
    )
    for name in ("KeyCount", "StartAfter", "NextContinuationToken"):
        found.pop(name, None)
    found["Marker"] = Marker
    contents, prefixes = found.get("Contents", []), found.get("CommonPrefixes", [])
    _own(account, contents)
    if Delimiter and found["IsTruncated"]:
        last = [*(each["Key"] for each in contents[-1:]), *(each["Prefix"] for each in prefixes[-1:])]
        found["NextMarker"] = max(last)
    return encoded(found, EncodingType)


@api.operation
def list_object_versions(
    account: Resources,
    *,
    Bucket: str,
    Delimiter: str = "",
    EncodingType: str | None = None,
    KeyMarker: str = "",
    MaxKeys: int = 1000,
    Prefix: str = "",
    VersionIdMarker: str = "",
    RequestPayer: str | None = None,  # the owner pays: requester pays is refused
    ExpectedBucketOwner: str | None = None,
    OptionalObjectAttributes: Sequence[str] = (),
) -> Response:
    found = bucket_of(account, Bucket, ExpectedBucketOwner).list_object_versions(
        Prefix,
        delimiter=Delimiter,
        max_keys=MaxKeys,
        key_marker=KeyMarker,
        version_id_marker=VersionIdMarker,
        optional_object_attributes=OptionalObjectAttributes,
    )
    for group in ("Versions", "DeleteMarkers"):
        _own(account, found.get(group, ()))
    return encoded(found, EncodingType)


def _own(account: Resources, entries: Sequence[dict[str, Any]]) -> None:
    owner = owner_of(account) if entries else {}
    for entry in entries:
        entry["Owner"] = owner
