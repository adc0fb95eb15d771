"""Buckets, and what is set for a whole one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from simbus.aws.s3.common import api, bucket_of, owner_of
from simbus.aws.table import Response
from simbus.errors import AwsError
from simbus.sources.s3.access import ENFORCED, Access
from simbus.sources.s3.acl import checked_acl
from simbus.sources.s3.objects import read_token, token

if TYPE_CHECKING:
    from simbus.resources import Resources
    from simbus.sources.s3.bucket import Bucket

_OLDEST = "us-east-1"  # has no location constraint, and its own rule for a bucket that is there already


@api.operation
def create_bucket(
    account: Resources,
    *,
    Bucket: str,
    ACL: str | None = None,
    CreateBucketConfiguration: Mapping[str, Any] | None = None,
    ObjectOwnership: str | None = None,
) -> Response:
    """A bucket of one's own that is there already: an error, but not in us-east-1, where the answer is the same again.

    The Region of the request is that of the account: the endpoint of another one is not played.
    """
    configuration = dict(CreateBucketConfiguration or {})
    location = _location(account, configuration.get("LocationConstraint"))
    found = account.find("s3", Bucket)
    if found is None:
        ownership = ENFORCED if ObjectOwnership is None else ObjectOwnership
        acl = checked_acl(ACL or "private")
        Access(account.world, account.world.arn("s3", Bucket), ownership).check_new_bucket(acl)
        bucket = account.bucket(Bucket, location_constraint=location, object_ownership=ownership)
        if configuration.get("Tags"):
            bucket.put_bucket_tagging(configuration["Tags"])
        if ACL is not None and ownership != ENFORCED:
            bucket.put_bucket_acl(acl)
    elif (location or account.world.account.region) != _OLDEST:
        raise AwsError(
            "BucketAlreadyOwnedByYou",
            "Your previous request to create the named bucket succeeded and you already own it.",
            409,
            BucketName=Bucket,
        )
    return {"Location": f"/{Bucket}" if location in (None, _OLDEST) else f"http://{Bucket}.s3.amazonaws.com/"}


def _location(account: Resources, constraint: str | None) -> str | None:
    """Where a bucket is to be. Raises AwsError IllegalLocationConstraintException, InvalidLocationConstraint."""
    region = account.world.account.region
    if region == _OLDEST:
        if constraint == _OLDEST:
            raise AwsError(
                "InvalidLocationConstraint",
                "The specified location-constraint is not valid",
                LocationConstraint=constraint,
            )
        return constraint
    if constraint != region:
        what = "unspecified" if constraint is None else constraint
        raise AwsError(
            "IllegalLocationConstraintException",
            f"The {what} location constraint is incompatible for the region specific endpoint this request was sent "
            "to.",
        )
    return constraint


@api.operation
def delete_bucket(account: Resources, *, Bucket: str, ExpectedBucketOwner: str | None = None) -> None:
    bucket = bucket_of(account, Bucket, ExpectedBucketOwner)
    bucket.delete_bucket()
    account.remove(bucket)


@api.operation
def head_bucket(account: Resources, *, Bucket: str, ExpectedBucketOwner: str | None = None) -> Response:
    try:
        bucket = bucket_of(account, Bucket, ExpectedBucketOwner)
    except AwsError as error:
        raise AwsError(str(error.status), "Not Found" if error.status == 404 else "Forbidden", error.status) from None
    return {"BucketRegion": bucket.location_constraint or account.world.account.region, "AccessPointAlias": False}


@api.operation
def list_buckets(
    account: Resources,
    *,
    MaxBuckets: int | None = None,
    ContinuationToken: str | None = None,
    Prefix: str | None = None,
    BucketRegion: str | None = None,
) -> Response:
    """In the order of their names; a page has all of them unless MaxBuckets says less."""
    after = read_token(ContinuationToken) if ContinuationToken else ""
    if after is None:
        raise AwsError("InvalidArgument", "The continuation token provided is incorrect")
    region = account.world.account.region
    buckets: list[Bucket] = sorted(account.resources("s3"), key=lambda bucket: str(bucket.resource))
    shown: list[dict[str, Any]] = [
        {
            "Name": bucket.resource,
            "CreationDate": account.world.datetime(bucket.creation_date).replace(microsecond=0),
            "BucketRegion": bucket.location_constraint or region,
        }
        for bucket in buckets
        if bucket.resource > after
        and bucket.resource.startswith(Prefix or "")
        and BucketRegion in (None, bucket.location_constraint or region)
    ]
    if not (MaxBuckets or BucketRegion or Prefix or ContinuationToken):
        for each in shown:
            del each["BucketRegion"]  # only a request with parameters is answered with it
    found: Response = {"Buckets": shown[:MaxBuckets], "Owner": owner_of(account)}
    if Prefix is not None:
        found["Prefix"] = Prefix
    if MaxBuckets and len(shown) > MaxBuckets:
        found["ContinuationToken"] = token(shown[MaxBuckets - 1]["Name"])
    return found


@api.operation
def get_bucket_location(account: Resources, *, Bucket: str, ExpectedBucketOwner: str | None = None) -> Response:
    """None for us-east-1."""
    bucket = bucket_of(account, Bucket, ExpectedBucketOwner)
    region = bucket.location_constraint or account.world.account.region
    return {"LocationConstraint": None if region == _OLDEST else region}


@api.operation
def put_bucket_versioning(
    account: Resources,
    *,
    Bucket: str,
    VersioningConfiguration: Mapping[str, Any],
    ContentMD5: str | None = None,  # checked with the document: simbus.sdk.integrity
    ChecksumAlgorithm: str | None = None,  # of the document: simbus.sdk.integrity
    ExpectedBucketOwner: str | None = None,
) -> None:
    """Without MFA delete."""
    if VersioningConfiguration.get("MFADelete") == "Enabled":
        raise AwsError("AccessDenied", "MFA Authentication must be used for this request", 403)
    bucket_of(account, Bucket, ExpectedBucketOwner).put_bucket_versioning(VersioningConfiguration.get("Status", ""))


@api.operation
def get_bucket_versioning(account: Resources, *, Bucket: str, ExpectedBucketOwner: str | None = None) -> Response:
    return dict(bucket_of(account, Bucket, ExpectedBucketOwner).get_bucket_versioning())


@api.operation
def put_bucket_notification_configuration(
    account: Resources,
    *,
    Bucket: str,
    NotificationConfiguration: Mapping[str, Any],
    ExpectedBucketOwner: str | None = None,
    SkipDestinationValidation: bool = False,
) -> None:
    bucket = bucket_of(account, Bucket, ExpectedBucketOwner)
    bucket.put_bucket_notification_configuration(
        NotificationConfiguration, skip_destination_validation=SkipDestinationValidation
    )


@api.operation
def get_bucket_notification_configuration(
    account: Resources, *, Bucket: str, ExpectedBucketOwner: str | None = None
) -> Response:
    return bucket_of(account, Bucket, ExpectedBucketOwner).get_bucket_notification_configuration()


@api.operation
def put_bucket_tagging(
    account: Resources,
    *,
    Bucket: str,
    Tagging: Mapping[str, Any],
    ContentMD5: str | None = None,  # checked with the document: simbus.sdk.integrity
    ChecksumAlgorithm: str | None = None,  # of the document: simbus.sdk.integrity
    ExpectedBucketOwner: str | None = None,
) -> Response:
    bucket_of(account, Bucket, ExpectedBucketOwner).put_bucket_tagging(Tagging["TagSet"])
    return {"ResponseMetadata": {"HTTPStatusCode": 204}}


@api.operation
def get_bucket_tagging(account: Resources, *, Bucket: str, ExpectedBucketOwner: str | None = None) -> Response:
    return bucket_of(account, Bucket, ExpectedBucketOwner).get_bucket_tagging()


@api.operation
def delete_bucket_tagging(account: Resources, *, Bucket: str, ExpectedBucketOwner: str | None = None) -> None:
    bucket_of(account, Bucket, ExpectedBucketOwner).delete_bucket_tagging()
