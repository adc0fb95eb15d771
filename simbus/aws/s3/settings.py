"""What an object is told: the parameters that PutObject, CopyObject and CreateMultipartUpload share."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, TypedDict

from simbus.errors import AwsError


class Checksums(TypedDict, total=False):
    """A checksum of the content, base64."""

    ChecksumCRC32: str
    ChecksumCRC32C: str
    ChecksumCRC64NVME: str
    ChecksumMD5: str
    ChecksumSHA1: str
    ChecksumSHA256: str
    ChecksumSHA512: str


class Grants(TypedDict, total=False):
    """Access by header."""

    GrantFullControl: str
    GrantRead: str
    GrantReadACP: str
    GrantWrite: str
    GrantWriteACP: str


class Settings(Grants, total=False):
    """Headers, metadata, tags, access and encryption."""

    ACL: str
    BucketKeyEnabled: bool
    CacheControl: str
    ContentDisposition: str
    ContentEncoding: str
    ContentLanguage: str
    ContentType: str
    Expires: datetime
    Metadata: Mapping[str, str]
    SSEKMSKeyId: str
    ServerSideEncryption: str
    StorageClass: str
    Tagging: str
    WebsiteRedirectLocation: str


class PutSettings(Settings, Checksums, total=False):
    """Both."""


class Overrides(TypedDict, total=False):
    """The headers of a response that a GET or HEAD asks for."""

    ResponseCacheControl: str
    ResponseContentDisposition: str
    ResponseContentEncoding: str
    ResponseContentLanguage: str
    ResponseContentType: str
    ResponseExpires: datetime


_NAMES: Final = {
    "ACL": "acl",
    "BucketKeyEnabled": "bucket_key_enabled",
    "CacheControl": "cache_control",
    "ContentDisposition": "content_disposition",
    "ContentEncoding": "content_encoding",
    "ContentLanguage": "content_language",
    "ContentType": "content_type",
    "Expires": "expires",
    "Metadata": "metadata",
    "SSEKMSKeyId": "ssekms_key_id",
    "ServerSideEncryption": "server_side_encryption",
    "StorageClass": "storage_class",
    "Tagging": "tagging",
    "WebsiteRedirectLocation": "website_redirect_location",
}


def of_object(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings by the names that the source has for them."""
    found = {_NAMES[name]: value for name, value in settings.items() if name in _NAMES}
    acl = access(settings)
    if acl is not None:
        found["acl"] = acl
    return found


def access(settings: Mapping[str, Any]) -> Any:
    """A canned ACL or grants by header, not both; None without any. Raises AwsError InvalidRequest."""
    grants = {name: value for name, value in settings.items() if name.startswith("Grant")}
    acl = settings.get("ACL")
    if acl is not None and grants:
        raise AwsError("InvalidRequest", "Specifying both Canned ACLs and Header Grants is not allowed")
    return acl or grants or None


def checksums(settings: Mapping[str, Any]) -> dict[str, str]:
    """The checksums that are given, by algorithm."""
    return {name.removeprefix("Checksum"): value for name, value in settings.items() if name.startswith("Checksum")}


def overrides(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What takes the place of the object's own headers."""
    return {name.removeprefix("Response"): value for name, value in settings.items()}
