"""What the operations of S3 share: the bucket that a request names, and the parts of an answer."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from simbus.aws.table import Api
from simbus.errors import AwsError

if TYPE_CHECKING:
    from simbus.resources import Resources
    from simbus.sources.s3.bucket import Bucket

api = Api("s3")


def bucket_of(account: Resources, name: str, owner: str | None = None) -> Bucket:
    """The bucket, if `owner` (ExpectedBucketOwner) is its account. Raises AwsError NoSuchBucket, AccessDenied (403)."""
    found = account.find("s3", name)
    if found is None:
        raise AwsError("NoSuchBucket", "The specified bucket does not exist", 404, BucketName=name)
    if owner is not None and owner != account.world.account.id:
        raise AwsError("AccessDenied", "Access Denied", 403)
    bucket: Bucket = found
    return bucket


def given(**settings: Any) -> dict[str, Any]:
    """The settings that a request has."""
    return {name: value for name, value in settings.items() if value is not None}


def owner_of(account: Resources) -> dict[str, str]:
    """The canonical user: 64 hex digits, always the same for an account."""
    return {"ID": sha256(f"canonical/{account.world.account.id}".encode()).hexdigest()}
