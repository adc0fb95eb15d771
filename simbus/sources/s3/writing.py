"""Putting objects: PutObject, a browser's POST, CopyObject."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Unpack
from urllib.parse import unquote

from simbus.errors import AwsError, UsageError
from simbus.sources.base import operation, twin
from simbus.sources.s3.base import find_bucket
from simbus.sources.s3.checksums import check_md5, checksum_of, verified
from simbus.sources.s3.conditions import check_copy_source, check_write
from simbus.sources.s3.details import Details
from simbus.sources.s3.errors import argument, check_key
from simbus.sources.s3.objects import NULL, StoredObject
from simbus.sources.s3.settings import HEADERS, ObjectSettings, checked_class

_SELF_COPY: Final = (
    "This copy request is illegal because it is trying to copy an object to itself without changing the object's "
    "metadata, storage class, website redirect location or encryption attributes."
)
MAXIMUM_COPY_BYTES: Final = 5 * 1024**3


class Writing(Details):
    """Every new object is one ObjectCreated event."""

    @operation
    def put_object(
        self,
        key: str,
        body: bytes | str = b"",
        *,
        size: int | None = None,
        checksum_algorithm: str | None = None,
        checksums: Mapping[str, str] | None = None,
        content_md5: str | None = None,
        if_match: str | None = None,
        if_none_match: str | None = None,
        trace_duration: int | None = None,
        **settings: Unpack[ObjectSettings],
    ) -> dict[str, Any]:
        """Put an object: `{"ETag", "ServerSideEncryption", "VersionId"}`; the event is ObjectCreated:Put.

        `size` (bytes) instead of a body makes a modelled object: it has a size, and zeros for content. A text is
        UTF-8. `checksum_algorithm` is computed; `checksums` (`{"SHA256": base64}`) and `content_md5` must be right.
        `if_none_match="*"`: only where there is no object of that key; `if_match`: only over the one of that ETag.
        `trace_duration` (ns) is the recorded duration of the invocation that the event causes.
        Raises AwsError KeyTooLongError, EntityTooLarge, InvalidStorageClass, InvalidTag, MetadataTooLarge, BadDigest,
        InvalidDigest, InvalidRequest, PreconditionFailed (412), NoSuchKey (`if_match` where there is none).
        """
        check_key(key)
        if if_match is not None or if_none_match is not None:
            check_write(key, self._objects.current.get(key), if_match, if_none_match)
        stored = self._object(key, body, size)
        if content_md5 is not None:
            check_md5(content_md5, stored.etag)
        if checksum_algorithm is not None or checksums:
            stored.checksum = verified(checksum_algorithm, checksums, stored.content())
        self._settle(stored, settings)
        return self._created("ObjectCreated:Put", stored, trace_duration)

    aput_object = twin(put_object)

    @operation
    def post_object(self, key: str, body: bytes | str = b"", **settings: Unpack[ObjectSettings]) -> dict[str, Any]:
        """What a browser's form with a presigned POST does; the event is ObjectCreated:Post."""
        check_key(key)
        stored = self._object(key, body, None)
        self._settle(stored, settings)
        return self._created("ObjectCreated:Post", stored)

    apost_object = twin(post_object)

    def _object(self, key: str, body: bytes | str, size: int | None) -> StoredObject:
        if isinstance(body, str):
            body = body.encode()
        elif not isinstance(body, bytes | bytearray | memoryview):
            raise UsageError(
                f"{self.name}: put_object of {key!r} has a body that is {type(body).__name__}; S3 takes bytes, or text "
                "as UTF-8. Pass one of them, for example json.dumps(...)."
            )
        if size is None:
            return self._new(key, body, len(body))
        if body or type(size) is not int or size < 0:
            raise UsageError(
                f"{self.name}: put_object of {key!r} has size {size} and a body of {len(body)} bytes; a modelled "
                "object has a size of 0 bytes or more and no body. Give one of both."
            )
        return self._new(key, None, size)

    @operation
    def copy_object(
        self,
        key: str,
        copy_source: str | Mapping[str, str],
        *,
        metadata_directive: str = "COPY",
        tagging_directive: str = "COPY",
        checksum_algorithm: str | None = None,
        copy_source_if_match: str | None = None,
        copy_source_if_none_match: str | None = None,
        copy_source_if_modified_since: datetime | None = None,
        copy_source_if_unmodified_since: datetime | None = None,
        if_match: str | None = None,
        if_none_match: str | None = None,
        **settings: Unpack[ObjectSettings],
    ) -> dict[str, Any]:
        """Copy `{"Bucket", "Key", "VersionId"}` or `bucket/key` here; the event is ObjectCreated:Copy.

        The metadata and headers in `settings` count with metadata_directive REPLACE only, the tags with
        tagging_directive REPLACE; storage class, ACL and encryption are the copy's own. Raises AwsError NoSuchBucket,
        NoSuchKey, PreconditionFailed (412), InvalidRequest (onto itself without a change), InvalidObjectState.
        """
        check_key(key)
        bucket, from_key, version_id = copy_source_parts(copy_source)
        source = find_bucket(self._world, bucket)
        original = source._find(from_key, version_id)
        if isinstance(source, Details):
            source._check_readable(original)
        check_copy_source(
            original.etag, source._modified(original), copy_source_if_match, copy_source_if_none_match,
            copy_source_if_modified_since, copy_source_if_unmodified_since,
        )  # fmt: skip
        if if_match is not None or if_none_match is not None:
            check_write(key, self._objects.current.get(key), if_match, if_none_match)
        _check_directives(metadata_directive, tagging_directive)
        if source is self and from_key == key and version_id is None and "encryption" not in self._configurations:
            _check_self_copy(original, metadata_directive, settings)
        copied = self._copied(key, original, checksum_algorithm)
        self._settle(copied, _for_copy(settings, metadata_directive, tagging_directive))
        if metadata_directive == "COPY":
            copied.like(original)
        if tagging_directive == "COPY":
            copied.tags = original.tags
        return self._copy_answer(copied, original, source._versioning is not None)

    acopy_object = twin(copy_object)

    def _copied(self, key: str, original: StoredObject, algorithm: str | None) -> StoredObject:
        """A copy has one part, and its own checksum of the same algorithm."""
        if original.size > MAXIMUM_COPY_BYTES:
            raise AwsError(
                "InvalidRequest",
                "The specified copy source is larger than the maximum allowable size for a copy source: "
                f"{MAXIMUM_COPY_BYTES}",
            )
        copied = StoredObject(key, original.body, original.size, original.etag, self._timeline.now)
        if "-" in copied.etag or original.encryption is not None:
            copied.etag = self._new(key, original.body, original.size).etag
        before = original.checksum
        wanted = algorithm or (None if before is None else before.algorithm)
        if wanted is not None and original.body is not None:
            same = before is not None and before.algorithm == wanted and not original.parts
            copied.checksum = before if same else checksum_of(wanted.upper(), original.body)
        return copied

    def _copy_answer(self, copied: StoredObject, original: StoredObject, versioned: bool) -> dict[str, Any]:
        answer = self._created("ObjectCreated:Copy", copied)
        result = {"ETag": answer.pop("ETag"), "LastModified": self._modified(copied)}
        if copied.checksum is not None:
            for name in copied.checksum.shown():
                result[name] = answer.pop(name)
        found = {"CopyObjectResult": result, **answer}
        if versioned:
            found["CopySourceVersionId"] = original.version_id or NULL
        return found


def copy_source_parts(given: str | Mapping[str, str]) -> tuple[str, str, str | None]:
    """Bucket, key and version of a copy source; the text form is URL-encoded, as the x-amz-copy-source header."""
    if isinstance(given, str):
        path, _, version_id = given.removeprefix("/").partition("?versionId=")
        bucket, _, key = unquote(path).partition("/")
        return bucket, key, version_id or None
    return given["Bucket"], given["Key"], given.get("VersionId")


def _check_directives(metadata: str, tagging: str) -> None:
    for what, value in (("metadata", metadata), ("tagging", tagging)):
        if value not in ("COPY", "REPLACE"):
            raise argument(f"Unknown {what} directive.", f"x-amz-{what}-directive", value)


def _check_self_copy(original: StoredObject, metadata_directive: str, settings: ObjectSettings) -> None:
    """An object may be copied onto itself where something of it changes.

    In a bucket whose encryption has been set, whatever it is, S3 does not look (getmoto/moto#6300).
    """
    storage_class = checked_class(settings.get("storage_class") or "STANDARD")
    changes = (
        metadata_directive == "REPLACE"
        or storage_class != original.storage_class
        or settings.get("server_side_encryption") is not None
        or settings.get("website_redirect_location") is not None
    )
    if not changes:
        raise AwsError("InvalidRequest", _SELF_COPY)


def _for_copy(settings: ObjectSettings, metadata_directive: str, tagging_directive: str) -> ObjectSettings:
    """The settings that count."""
    left_out = set()
    if metadata_directive == "COPY":
        left_out |= {"metadata", "content_type", *HEADERS}
    if tagging_directive == "COPY":
        left_out.add("tagging")
    return {name: value for name, value in settings.items() if name not in left_out}  # type: ignore[return-value]
