"""Amazon S3: a bucket."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import unquote

from simbus.errors import AwsError, UsageError
from simbus.sources.base import operation, twin
from simbus.sources.s3.base import checked_class, checked_tags, checksum
from simbus.sources.s3.details import Details
from simbus.sources.s3.errors import argument, check_key, malformed, no_such_bucket
from simbus.sources.s3.listing import Listing
from simbus.sources.s3.multipart import Multipart
from simbus.sources.s3.notifying import Notifying
from simbus.sources.s3.objects import NULL, StoredObject
from simbus.world import World

_EMPTY_ETAG: Final = "d41d8cd98f00b204e9800998ecf8427e"
_SELF_COPY: Final = (
    "This copy request is illegal because it is trying to copy an object to itself without changing the object's "
    "metadata, storage class, website redirect location or encryption attributes."
)


class Bucket(Notifying, Listing, Multipart, Details):
    """An S3 bucket. https://docs.aws.amazon.com/AmazonS3/latest/userguide/Welcome.html

    `versioning` switches versioning on from the start. Names have 3 to 63 of a-z, 0-9, `.` and `-`, keys up to 1,024
    bytes of UTF-8. Answers are AWS's, as dicts. Raises AwsError InvalidBucketName.
    """

    # --- put -------------------------------------------------------------------------------------------------------

    @operation
    def put_object(
        self,
        key: str,
        body: bytes | str = b"",
        *,
        size: int | None = None,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
        tagging: Any = None,
        storage_class: str = "STANDARD",
        checksum_algorithm: str | None = None,
        trace_duration: int | None = None,
    ) -> dict[str, Any]:
        """Put an object: `{"ETag", "ServerSideEncryption", "VersionId"}`; the event is ObjectCreated:Put.

        `size` (bytes) instead of a body makes a modelled object: it has a size, and zeros for content. A text is
        UTF-8. `trace_duration` (ns) is the recorded duration of the invocation that the event causes.
        Raises AwsError KeyTooLongError, EntityTooLarge, InvalidStorageClass, InvalidTag.
        """
        return self._put(
            "ObjectCreated:Put", key, body, size, metadata, content_type, tagging, storage_class, checksum_algorithm,
            trace_duration,
        )  # fmt: skip

    aput_object = twin(put_object)

    @operation
    def post_object(
        self, key: str, body: bytes | str = b"", *, content_type: str | None = None, tagging: Any = None
    ) -> dict[str, Any]:
        """What a browser's form with a presigned POST does; the event is ObjectCreated:Post."""
        return self._put("ObjectCreated:Post", key, body, None, None, content_type, tagging, "STANDARD", None, None)

    apost_object = twin(post_object)

    def _put(
        self,
        event_type: str,
        key: str,
        body: bytes | str,
        size: int | None,
        metadata: Mapping[str, str] | None,
        content_type: str | None,
        tagging: Any,
        storage_class: str,
        checksum_algorithm: str | None,
        trace_duration: int | None,
    ) -> dict[str, Any]:
        check_key(key)
        if isinstance(body, str):
            body = body.encode()
        elif not isinstance(body, bytes | bytearray | memoryview):
            raise UsageError(
                f"{self.name}: put_object of {key!r} has a body that is {type(body).__name__}; S3 takes bytes, or text "
                "as UTF-8. Pass one of them, for example json.dumps(...)."
            )
        stored = self._new(key, body, len(body)) if size is None else self._modelled(key, body, size)
        if metadata is not None:
            stored.metadata = dict(metadata)
        if content_type is not None:
            stored.content_type = content_type
        if storage_class != "STANDARD":
            stored.storage_class = checked_class(storage_class)
        if tagging is not None:
            stored.tags = checked_tags(tagging)
        extra = None if checksum_algorithm is None else checksum(checksum_algorithm, stored)
        answer = self._created(event_type, stored, trace_duration)
        return answer if extra is None else {**extra, **answer}

    def _modelled(self, key: str, body: bytes, size: int) -> StoredObject:
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
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
        storage_class: str = "STANDARD",
    ) -> dict[str, Any]:
        """Copy `{"Bucket", "Key", "VersionId"}` or `bucket/key` here; the event is ObjectCreated:Copy.

        `metadata` and `content_type` need metadata_directive REPLACE. Raises AwsError NoSuchBucket, NoSuchKey,
        InvalidRequest (onto itself without a change), InvalidObjectState (archived).
        """
        check_key(key)
        bucket, from_key, version_id = _copy_source(copy_source)
        if metadata_directive not in ("COPY", "REPLACE"):
            raise argument("Unknown metadata directive.", "x-amz-metadata-directive", metadata_directive)
        source = find_bucket(self._world, bucket)
        original = source._find(from_key, version_id)
        source._check_readable(original)
        replaced = metadata_directive == "REPLACE"
        same = source is self and from_key == key and version_id is None
        if same and not replaced and checked_class(storage_class) == original.storage_class:
            raise AwsError("InvalidRequest", _SELF_COPY)
        copied = StoredObject(key, original.body, original.size, original.etag, self._timeline.now)
        if "-" in copied.etag:
            copied.etag = self._new(key, original.body, original.size).etag  # a copy is one part again
        copied.tags = original.tags
        copied.storage_class = checked_class(storage_class)
        copied.like(original)
        if replaced:
            copied.metadata = dict(metadata or {})
            copied.content_type = content_type or "binary/octet-stream"
        answer = self._created("ObjectCreated:Copy", copied)
        etag = answer.pop("ETag")
        return {"CopyObjectResult": {"ETag": etag, "LastModified": self._modified(copied)}, **answer}

    acopy_object = twin(copy_object)

    # --- get -------------------------------------------------------------------------------------------------------

    @operation
    def get_object(self, key: str, version_id: str | None = None) -> dict[str, Any]:
        """The object with its `Body` (bytes). Raises AwsError NoSuchKey, NoSuchVersion, InvalidObjectState."""
        stored = self._find(key, version_id)
        self._check_readable(stored)
        return {"Body": stored.content(), **self._head(stored)}

    aget_object = twin(get_object)

    @operation
    def head_object(self, key: str, version_id: str | None = None) -> dict[str, Any]:
        """The object without its body. Raises AwsError `404` Not Found (a HEAD has no error document)."""
        try:
            stored = self._find(key, version_id)
        except AwsError as error:
            message = {404: "Not Found", 405: "Method Not Allowed"}[error.status]
            raise AwsError(str(error.status), message, error.status) from None
        return self._head(stored)

    ahead_object = twin(head_object)

    def _head(self, stored: StoredObject) -> dict[str, Any]:
        found: dict[str, Any] = {
            "ContentLength": stored.size,
            "ContentType": stored.content_type,
            "ETag": f'"{stored.etag}"',
            "LastModified": self._modified(stored),
            "Metadata": dict(stored.metadata or {}),
            "ServerSideEncryption": "AES256",
        }
        if self._versioning is not None:
            found["VersionId"] = stored.version_id
        if stored.storage_class != "STANDARD":
            found["StorageClass"] = stored.storage_class
        if stored.tags:
            found["TagCount"] = len(stored.tags)
        if stored.restore is not None:
            found["Restore"] = self._restore_header(stored)
        return found

    # --- delete ----------------------------------------------------------------------------------------------------

    @operation
    def delete_object(self, key: str, version_id: str | None = None) -> dict[str, Any]:
        """Delete an object, or one version of it for good.

        In a versioned bucket a delete without `version_id` puts a delete marker on top (ObjectRemoved:
        DeleteMarkerCreated). A key that is not there is no error, and has its event too (test_delete_objects).
        """
        check_key(key)
        return self._delete(key, version_id)

    adelete_object = twin(delete_object)

    @operation
    def delete_objects(self, objects: Iterable[str | Mapping[str, str]], *, quiet: bool = False) -> dict[str, Any]:
        """Delete up to 1,000 keys or `{"Key", "VersionId"}`; one event for each key. Raises AwsError MalformedXML."""
        entries = [{"Key": each} if isinstance(each, str) else dict(each) for each in objects]
        if not 1 <= len(entries) <= 1000:
            raise malformed()
        deleted = []
        for entry in entries:
            check_key(entry["Key"])
            answer = self._delete(entry["Key"], entry.get("VersionId"))
            if "DeleteMarker" in answer and "VersionId" not in entry:
                answer = {"DeleteMarker": True, "DeleteMarkerVersionId": answer["VersionId"]}
            deleted.append({**entry, **answer})
        return {} if quiet else {"Deleted": deleted}

    adelete_objects = twin(delete_objects)

    def _delete(self, key: str, version_id: str | None) -> dict[str, Any]:
        if version_id is not None:
            return self._delete_version(key, version_id)
        if self._versioning is not None:
            return self._mark_deleted(key)
        self._gone(self._objects.remove(key))
        self._emit("ObjectRemoved:Delete", key)
        return {}

    def _delete_version(self, key: str, version_id: str) -> dict[str, Any]:
        stored = self._objects.find(key, version_id)
        answer: dict[str, Any] = {"VersionId": version_id}
        if stored is not None:
            self._objects.remove_version(stored)
            self._gone(stored)
            self._emit("ObjectRemoved:Delete", key, version_id=version_id)
            if stored.is_delete_marker:
                answer["DeleteMarker"] = True
        return answer

    def _mark_deleted(self, key: str) -> dict[str, Any]:
        marker = StoredObject(key, b"", 0, _EMPTY_ETAG, self._timeline.now)
        marker.is_delete_marker = True
        version_id = self._store(marker)
        self._emit("ObjectRemoved:DeleteMarkerCreated", key, etag=_EMPTY_ETAG, version_id=version_id)
        return {"DeleteMarker": True, "VersionId": version_id or NULL}


def find_bucket(world: World, name: str) -> Bucket:
    """The bucket of that name. Raises AwsError NoSuchBucket (404)."""
    found = world.targets.get(world.arn("s3", name))
    if not isinstance(found, Bucket):
        raise no_such_bucket(name)
    return found


def _copy_source(given: str | Mapping[str, str]) -> tuple[str, str, str | None]:
    """Bucket, key and version of a copy source; the text form is URL-encoded, as the x-amz-copy-source header."""
    if isinstance(given, str):
        path, _, version_id = given.removeprefix("/").partition("?versionId=")
        bucket, _, key = unquote(path).partition("/")
        return bucket, key, version_id or None
    return given["Bucket"], given["Key"], given.get("VersionId")
