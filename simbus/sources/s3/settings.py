"""What a new object is told besides its body: headers, metadata, storage class, tags, ACL and encryption.

Source: S3 API reference, PutObject, CopyObject, CreateMultipartUpload.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, TypedDict
from urllib.parse import parse_qsl

from simbus.errors import AwsError
from simbus.sources.s3.acl import checked_acl
from simbus.sources.s3.objects import StoredObject

STORAGE_CLASSES: Final = (
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER",
    "DEEP_ARCHIVE",
    "GLACIER_IR",
)
MAXIMUM_METADATA_BYTES: Final = 2048


class ObjectSettings(TypedDict, total=False):
    """The parameters that the operations share which make an object; None is as if it were not given."""

    metadata: Mapping[str, str] | None
    content_type: str | None
    cache_control: str | None
    content_disposition: str | None
    content_encoding: str | None
    content_language: str | None
    expires: datetime | None
    website_redirect_location: str | None
    storage_class: str | None
    tagging: Any
    acl: str | None
    server_side_encryption: str | None
    ssekms_key_id: str | None
    bucket_key_enabled: bool | None


HEADERS: Final = {
    "cache_control": "CacheControl",
    "content_disposition": "ContentDisposition",
    "content_encoding": "ContentEncoding",
    "content_language": "ContentLanguage",
    "expires": "Expires",
    "website_redirect_location": "WebsiteRedirectLocation",
}
"""The headers that S3 keeps and gives back, by their names here and in an answer."""
_ENCRYPTION: Final = ("server_side_encryption", "ssekms_key_id", "bucket_key_enabled")


def apply(stored: StoredObject, settings: ObjectSettings) -> None:
    """Check the settings and put them into the object, encryption aside.

    Raises AwsError InvalidStorageClass, InvalidTag, BadRequest, InvalidArgument, MetadataTooLarge; TypeError for a name
    that is none.
    """
    for name, value in settings.items():
        if value is None or name in _ENCRYPTION:
            continue
        header = HEADERS.get(name)
        if header is not None:
            stored.headers = {**(stored.headers or {}), header: value}
        elif name in _SETTERS:
            _SETTERS[name](stored, value)
        else:
            raise TypeError(f"an object has no setting {name}; it has {', '.join(ObjectSettings.__annotations__)}")


def checked_class(storage_class: str) -> str:
    if storage_class not in STORAGE_CLASSES:
        raise AwsError("InvalidStorageClass", "The storage class you specified is not valid")
    return storage_class


def checked_tags(tags: Any, most: int = 10) -> dict[str, str]:
    """`a=b&c=d`, `{"a": "b"}` or AWS's `[{"Key": "a", "Value": "b"}]` as a dict. Raises AwsError for bad ones."""
    if isinstance(tags, str):
        pairs = parse_qsl(tags, keep_blank_values=True)
    elif isinstance(tags, Mapping):
        pairs = list(tags.items())
    else:
        pairs = [(tag["Key"], tag["Value"]) for tag in tags]
    found = dict(pairs)
    if len(found) < len(pairs):
        raise AwsError("InvalidTag", "Cannot provide multiple Tags with the same key")
    if len(found) > most:
        what = "Object" if most == 10 else "Bucket"
        raise AwsError("BadRequest", f"{what} tags cannot be greater than {most}")
    for key, value in found.items():
        if not 1 <= len(key) <= 128:
            raise AwsError("InvalidTag", "The TagKey you have provided is invalid", TagKey=key)
        if len(value) > 256:
            raise AwsError("InvalidTag", "The TagValue you have provided is invalid", TagKey=key, TagValue=value)
        if key.startswith("aws:"):
            raise AwsError("InvalidTag", "System tags cannot be added/updated by requester", TagKey=key)
    return found


def _set_metadata(stored: StoredObject, value: Mapping[str, str]) -> None:
    """Names travel as headers, so they come back in lower case."""
    stored.metadata = {name.lower(): text for name, text in value.items()}
    size = sum(len(name.encode()) + len(text.encode()) for name, text in stored.metadata.items())
    if size > MAXIMUM_METADATA_BYTES:
        raise AwsError(
            "MetadataTooLarge",
            "Your metadata headers exceed the maximum allowed metadata size",
            Size=str(size),
            MaxSizeAllowed=str(MAXIMUM_METADATA_BYTES),
        )


def _set_content_type(stored: StoredObject, value: str) -> None:
    stored.content_type = value


def _set_storage_class(stored: StoredObject, value: str) -> None:
    stored.storage_class = checked_class(value)


def _set_tagging(stored: StoredObject, value: Any) -> None:
    stored.tags = checked_tags(value) or None


def _set_acl(stored: StoredObject, value: Any) -> None:
    stored.acl = checked_acl(value)


_SETTERS: Final[dict[str, Callable[[StoredObject, Any], None]]] = {
    "metadata": _set_metadata,
    "content_type": _set_content_type,
    "storage_class": _set_storage_class,
    "tagging": _set_tagging,
    "acl": _set_acl,
}
