"""Tags, access control list and archive of an object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Unpack

from simbus.aws.s3.common import api, bucket_of, given
from simbus.aws.s3.settings import Grants, access
from simbus.aws.table import Response, not_built
from simbus.sources.s3.errors import malformed

if TYPE_CHECKING:
    from simbus.resources import Resources


@api.operation
def put_object_tagging(
    account: Resources,
    *,
    Bucket: str,
    Key: str,
    Tagging: Mapping[str, Any],
    VersionId: str | None = None,
    ContentMD5: str | None = None,  # checked with the document: simbus.sdk.integrity
    ChecksumAlgorithm: str | None = None,  # of the document: simbus.sdk.integrity
    ExpectedBucketOwner: str | None = None,
    RequestPayer: str | None = None,  # the owner pays: requester pays is refused
) -> Response:
    bucket = bucket_of(account, Bucket, ExpectedBucketOwner)
    return dict(bucket.put_object_tagging(Key, Tagging["TagSet"], VersionId))


@api.operation
def get_object_tagging(
    account: Resources,
    *,
    Bucket: str,
    Key: str,
    VersionId: str | None = None,
    ExpectedBucketOwner: str | None = None,
    RequestPayer: str | None = None,  # the owner pays: requester pays is refused
) -> Response:
    return bucket_of(account, Bucket, ExpectedBucketOwner).get_object_tagging(Key, VersionId)


@api.operation
def delete_object_tagging(
    account: Resources, *, Bucket: str, Key: str, VersionId: str | None = None, ExpectedBucketOwner: str | None = None
) -> Response:
    return dict(bucket_of(account, Bucket, ExpectedBucketOwner).delete_object_tagging(Key, VersionId))


@api.operation
def put_object_acl(
    account: Resources,
    *,
    Bucket: str,
    Key: str,
    ACL: str | None = None,
    AccessControlPolicy: Mapping[str, Any] | None = None,
    VersionId: str | None = None,
    ContentMD5: str | None = None,  # checked with the document: simbus.sdk.integrity
    ChecksumAlgorithm: str | None = None,  # of the document: simbus.sdk.integrity
    RequestPayer: str | None = None,  # the owner pays: requester pays is refused
    ExpectedBucketOwner: str | None = None,
    **settings: Unpack[Grants],
) -> None:
    acl = access({**given(ACL=ACL), **settings}) or AccessControlPolicy or "private"
    bucket_of(account, Bucket, ExpectedBucketOwner).put_object_acl(Key, acl, VersionId)


@api.operation
def get_object_acl(
    account: Resources,
    *,
    Bucket: str,
    Key: str,
    VersionId: str | None = None,
    RequestPayer: str | None = None,  # the owner pays: requester pays is refused
    ExpectedBucketOwner: str | None = None,
) -> Response:
    return bucket_of(account, Bucket, ExpectedBucketOwner).get_object_acl(Key, VersionId)


@api.operation
def restore_object(
    account: Resources,
    *,
    Bucket: str,
    Key: str,
    RestoreRequest: Mapping[str, Any] | None = None,
    VersionId: str | None = None,
    RequestPayer: str | None = None,  # the owner pays: requester pays is refused
    ChecksumAlgorithm: str | None = None,  # of the document: simbus.sdk.integrity
    ExpectedBucketOwner: str | None = None,
) -> Response:
    """Of an archived object; a SELECT request is not built. 202, or 200 where it is restored already."""
    request = dict(RestoreRequest or {})
    for name in request.keys() - {"Days", "GlacierJobParameters", "Tier"}:
        raise not_built(f"s3 RestoreObject with RestoreRequest.{name}")
    if "Days" not in request:
        raise malformed()
    tier = request.get("GlacierJobParameters", {}).get("Tier") or request.get("Tier", "Standard")
    bucket = bucket_of(account, Bucket, ExpectedBucketOwner)
    begun = bucket.restore_object(Key, request["Days"], tier=tier, version_id=VersionId)
    return {"ResponseMetadata": {"HTTPStatusCode": 202 if begun else 200}}
