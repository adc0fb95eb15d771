"""What a bucket is configured with: kept and given back.

No effect here have CORS and website (no browser asks); policy and ACL keep nobody out who signs, and let everybody in
where they are public. Encryption, ownership controls and public access block have their effect in the source. What
would do something that is not built is refused: lifecycle rules, replication, object lock, logging, inventory,
analytics, metrics, accelerate, requester pays. Asked for them a bucket answers that it has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Unpack

from simbus.aws.s3.common import api, bucket_of, given
from simbus.aws.s3.settings import Grants, access
from simbus.aws.table import Response
from simbus.sources.s3.policies import is_public_policy

if TYPE_CHECKING:
    from simbus.resources import Resources


# --- cross-origin requests and website -------------------------------------------------------------------------------


@api.operation
def put_bucket_cors(
    account: Resources,
    *,
    Bucket: str,
    CORSConfiguration: Mapping[str, Any],
    ContentMD5: str | None = None,  # checked with the document: simbus.sdk.integrity
    ChecksumAlgorithm: str | None = None,  # of the document: simbus.sdk.integrity
    ExpectedBucketOwner: str | None = None,
) -> None:
    bucket_of(account, Bucket, ExpectedBucketOwner).put_bucket_configuration("cors", CORSConfiguration)


@api.operation
def get_bucket_cors(account: Resources, *, Bucket: str, ExpectedBucketOwner: str | None = None) -> Response:
    return dict(bucket_of(account, Bucket, ExpectedBucketOwner).get_bucket_configuration("cors"))


@api.operation
def delete_bucket_cors(account: Resources, *, Bucket: str, ExpectedBucketOwner: str | None = None) -> None:
    bucket_of(account, Bucket, ExpectedBucketOwner).delete_bucket_configuration("cors")


@api.operation
def put_bucket_website(
    account: Resources,
    *,
    Bucket: str,
    WebsiteConfiguration: Mapping[str, Any],
    ContentMD5: str | None = None,  # checked with the document: simbus.sdk.integrity
    ChecksumAlgorithm: str | None = None,  # of the document: simbus.sdk.integrity
    ExpectedBucketOwner: str | None = None,
) -> None:
    bucket_of(account, Bucket, ExpectedBucketOwner).put_bucket_configuration("website", WebsiteConfiguration)


@api.operation
def get_bucket_website(account: Resources, *, Bucket: str, ExpectedBucketOwner: str | None = None) -> Response:
    return dict(bucket_of(account, Bucket, ExpectedBucketOwner).get_bucket_configuration("website"))


@api.operation
def delete_bucket_website(account: Resources, *, Bucket: str, ExpectedBucketOwner: str | None = None) -> None:
    bucket_of(account, Bucket, ExpectedBucketOwner).delete_bucket_configuration("website")


# --- who may ---------------------------------------------------------------------------------------------------------


@api.operation
def put_bucket_policy(
    account: Resources,
    *,
    Bucket: str,
    Policy: str,
    ContentMD5: str | None = None,  # checked with the document: simbus.sdk.integrity
    ChecksumAlgorithm: str | None = None,  # of the document: simbus.sdk.integrity
    ConfirmRemoveSelfBucketAccess: bool | None = None,  # nobody who signs is kept out
    ExpectedBucketOwner: str | None = None,
) -> Response:
    bucket_of(account, Bucket, ExpectedBucketOwner).put_bucket_configuration("policy", Policy)
    return {"ResponseMetadata": {"HTTPStatusCode": 204}}


@api.operation
def get_bucket_policy(account: Resources, *, Bucket: str, ExpectedBucketOwner: str | None = None) -> Response:
    return {"Policy": bucket_of(account, Bucket, ExpectedBucketOwner).get_bucket_configuration("policy")}


@api.operation
def delete_bucket_policy(account: Resources, *, Bucket: str, ExpectedBucketOwner: str | None = None) -> None:
    bucket_of(account, Bucket, ExpectedBucketOwner).delete_bucket_configuration("policy")


@api.operation
def get_bucket_policy_status(account: Resources, *, Bucket: str, ExpectedBucketOwner: str | None = None) -> Response:
    """Public as S3 understands it: see `is_public_policy`."""
    policy = bucket_of(account, Bucket, ExpectedBucketOwner).get_bucket_configuration("policy")
    return {"PolicyStatus": {"IsPublic": is_public_policy(policy)}}


@api.operation
def put_public_access_block(
    account: Resources,
    *,
    Bucket: str,
    PublicAccessBlockConfiguration: Mapping[str, Any],
    ContentMD5: str | None = None,  # checked with the document: simbus.sdk.integrity
    ChecksumAlgorithm: str | None = None,  # of the document: simbus.sdk.integrity
    ExpectedBucketOwner: str | None = None,
) -> None:
    bucket = bucket_of(account, Bucket, ExpectedBucketOwner)
    bucket.put_bucket_configuration("public_access_block", PublicAccessBlockConfiguration)


@api.operation
def get_public_access_block(account: Resources, *, Bucket: str, ExpectedBucketOwner: str | None = None) -> Response:
    bucket = bucket_of(account, Bucket, ExpectedBucketOwner)
    return {"PublicAccessBlockConfiguration": bucket.get_bucket_configuration("public_access_block")}


@api.operation
def delete_public_access_block(account: Resources, *, Bucket: str, ExpectedBucketOwner: str | None = None) -> None:
    bucket_of(account, Bucket, ExpectedBucketOwner).delete_bucket_configuration("public_access_block")


@api.operation
def put_bucket_acl(
    account: Resources,
    *,
    Bucket: str,
    ACL: str | None = None,
    AccessControlPolicy: Mapping[str, Any] | None = None,
    ContentMD5: str | None = None,  # checked with the document: simbus.sdk.integrity
    ChecksumAlgorithm: str | None = None,  # of the document: simbus.sdk.integrity
    ExpectedBucketOwner: str | None = None,
    **settings: Unpack[Grants],
) -> None:
    acl = access({**given(ACL=ACL), **settings}) or AccessControlPolicy or "private"
    bucket_of(account, Bucket, ExpectedBucketOwner).put_bucket_acl(acl)


@api.operation
def get_bucket_acl(account: Resources, *, Bucket: str, ExpectedBucketOwner: str | None = None) -> Response:
    return bucket_of(account, Bucket, ExpectedBucketOwner).get_bucket_acl()


@api.operation
def put_bucket_ownership_controls(
    account: Resources,
    *,
    Bucket: str,
    OwnershipControls: Mapping[str, Any],
    ContentMD5: str | None = None,  # checked with the document: simbus.sdk.integrity
    ChecksumAlgorithm: str | None = None,  # of the document: simbus.sdk.integrity
    ExpectedBucketOwner: str | None = None,
) -> None:
    bucket = bucket_of(account, Bucket, ExpectedBucketOwner)
    bucket.put_bucket_configuration("ownership_controls", OwnershipControls)


@api.operation
def get_bucket_ownership_controls(
    account: Resources, *, Bucket: str, ExpectedBucketOwner: str | None = None
) -> Response:
    bucket = bucket_of(account, Bucket, ExpectedBucketOwner)
    return {"OwnershipControls": bucket.get_bucket_configuration("ownership_controls")}


@api.operation
def delete_bucket_ownership_controls(
    account: Resources, *, Bucket: str, ExpectedBucketOwner: str | None = None
) -> None:
    bucket_of(account, Bucket, ExpectedBucketOwner).delete_bucket_configuration("ownership_controls")


# --- encryption ------------------------------------------------------------------------------------------------------


@api.operation
def put_bucket_encryption(
    account: Resources,
    *,
    Bucket: str,
    ServerSideEncryptionConfiguration: Mapping[str, Any],
    ContentMD5: str | None = None,  # checked with the document: simbus.sdk.integrity
    ChecksumAlgorithm: str | None = None,  # of the document: simbus.sdk.integrity
    ExpectedBucketOwner: str | None = None,
) -> None:
    bucket = bucket_of(account, Bucket, ExpectedBucketOwner)
    bucket.put_bucket_configuration("encryption", ServerSideEncryptionConfiguration)


@api.operation
def get_bucket_encryption(account: Resources, *, Bucket: str, ExpectedBucketOwner: str | None = None) -> Response:
    bucket = bucket_of(account, Bucket, ExpectedBucketOwner)
    return {"ServerSideEncryptionConfiguration": bucket.get_bucket_configuration("encryption")}


@api.operation
def delete_bucket_encryption(account: Resources, *, Bucket: str, ExpectedBucketOwner: str | None = None) -> None:
    bucket_of(account, Bucket, ExpectedBucketOwner).delete_bucket_configuration("encryption")


# --- what no bucket has here -----------------------------------------------------------------------------------------


@api.operation
def get_bucket_lifecycle_configuration(
    account: Resources, *, Bucket: str, ExpectedBucketOwner: str | None = None
) -> Response:
    return dict(bucket_of(account, Bucket, ExpectedBucketOwner).get_bucket_configuration("lifecycle"))


@api.operation
def delete_bucket_lifecycle(account: Resources, *, Bucket: str, ExpectedBucketOwner: str | None = None) -> None:
    bucket_of(account, Bucket, ExpectedBucketOwner).delete_bucket_configuration("lifecycle")


@api.operation
def get_bucket_replication(account: Resources, *, Bucket: str, ExpectedBucketOwner: str | None = None) -> Response:
    return dict(bucket_of(account, Bucket, ExpectedBucketOwner).get_bucket_configuration("replication"))


@api.operation
def get_object_lock_configuration(
    account: Resources, *, Bucket: str, ExpectedBucketOwner: str | None = None
) -> Response:
    return dict(bucket_of(account, Bucket, ExpectedBucketOwner).get_bucket_configuration("object_lock"))


@api.operation
def get_bucket_logging(account: Resources, *, Bucket: str, ExpectedBucketOwner: str | None = None) -> Response:
    bucket_of(account, Bucket, ExpectedBucketOwner)
    return {}


@api.operation
def get_bucket_accelerate_configuration(
    account: Resources,
    *,
    Bucket: str,
    ExpectedBucketOwner: str | None = None,
    RequestPayer: str | None = None,  # the owner pays: requester pays is refused
) -> Response:
    bucket_of(account, Bucket, ExpectedBucketOwner)
    return {}


@api.operation
def get_bucket_request_payment(account: Resources, *, Bucket: str, ExpectedBucketOwner: str | None = None) -> Response:
    bucket_of(account, Bucket, ExpectedBucketOwner)
    return {"Payer": "BucketOwner"}
