"""S3's error answers, and the checks of names.

Source: S3 API reference, "Error responses"; S3 user guide, "Bucket naming rules" and "Object key naming guidelines".
"""

from __future__ import annotations

import re
from typing import Final

from simbus.errors import AwsError

_BUCKET = re.compile(r"(?!.*\.\.)(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_RESERVED_STARTS: Final = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_ENDS: Final = ("-s3alias", "--ols-s3", ".mrap", "--x-s3", "--table-s3")
_VERSION_ID = re.compile(r"null|[A-Za-z0-9._-]{32}")
MAXIMUM_KEY_BYTES: Final = 1024


def check_bucket_name(name: str) -> None:
    """3 to 63 of a-z, 0-9, `.` and `-`. Raises AwsError InvalidBucketName."""
    if not _BUCKET.fullmatch(name) or name.startswith(_RESERVED_STARTS) or name.endswith(_RESERVED_ENDS):
        raise AwsError("InvalidBucketName", "The specified bucket is not valid.", BucketName=name)


def check_key(key: str) -> None:
    """1 to 1,024 bytes of UTF-8. Raises AwsError KeyTooLongError, InvalidArgument."""
    if not key:
        raise argument("The key must not be empty.", "Key", key)
    if len(key) > MAXIMUM_KEY_BYTES // 4:
        size = len(key.encode())
        if size > MAXIMUM_KEY_BYTES:
            raise AwsError(
                "KeyTooLongError", "Your key is too long", Size=str(size), MaxSizeAllowed=str(MAXIMUM_KEY_BYTES)
            )


def check_version_id(version_id: str) -> None:
    """`null`, or 32 characters of URL-safe base64. Raises AwsError InvalidArgument."""
    if not _VERSION_ID.fullmatch(version_id):
        raise argument("Invalid version id specified", "versionId", version_id)


def argument(message: str, name: str, value: str) -> AwsError:
    """InvalidArgument, as S3 names the argument and its value."""
    return AwsError("InvalidArgument", message, ArgumentName=name, ArgumentValue=value)


def no_such_bucket(name: str) -> AwsError:
    return AwsError("NoSuchBucket", "The specified bucket does not exist", 404, BucketName=name)


def no_such_key(key: str) -> AwsError:
    return AwsError("NoSuchKey", "The specified key does not exist.", 404, Key=key)


def no_such_version(key: str, version_id: str) -> AwsError:
    return AwsError("NoSuchVersion", "The specified version does not exist.", 404, Key=key, VersionId=version_id)


def no_such_upload(upload_id: str) -> AwsError:
    return AwsError(
        "NoSuchUpload",
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or "
        "completed.",
        404,
        UploadId=upload_id,
    )


def method_not_allowed() -> AwsError:
    return AwsError("MethodNotAllowed", "The specified method is not allowed against this resource.", 405)


def malformed() -> AwsError:
    return AwsError(
        "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema"
    )
