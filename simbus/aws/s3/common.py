"""What the operations of S3 share: the bucket that a request names, and the parts of an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote_plus

from simbus.aws.table import Api, Response
from simbus.errors import AwsError
from simbus.sources.s3.errors import argument
from simbus.sources.s3.record import canonical_user

if TYPE_CHECKING:
    from simbus.resources import Resources
    from simbus.sources.s3.bucket import Bucket

api = Api("s3")
_NAMES: Final = ("Delimiter", "Prefix", "StartAfter", "Marker", "NextMarker", "KeyMarker", "NextKeyMarker")


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
    return {"ID": canonical_user(account.world.account.id)}


def encoded(found: Response, encoding: str | None) -> Response:
    """Keys and what is made of them URL-encoded, where that is asked for (botocore does, and decodes them)."""
    if encoding is None:
        return found
    if encoding != "url":
        raise argument("Invalid Encoding Method specified in Request", "encoding-type", encoding)
    found["EncodingType"] = "url"
    for name in _NAMES:
        if name in found:
            found[name] = _quoted(found[name])
    for group, name in (
        ("Contents", "Key"),
        ("Versions", "Key"),
        ("DeleteMarkers", "Key"),
        ("Uploads", "Key"),
        ("CommonPrefixes", "Prefix"),
    ):
        for entry in found.get(group, ()):
            entry[name] = _quoted(entry[name])
    return found


def _quoted(text: str) -> str:
    return quote_plus(text, safe="/*")
