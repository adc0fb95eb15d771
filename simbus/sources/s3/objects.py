"""What a bucket holds: objects, their versions and delete markers, and how they are listed."""

from __future__ import annotations

from base64 import b64decode, b64encode
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import msgspec

from simbus.sources.s3.checksums import DEFAULT, MOST_BYTES_OF_DEFAULT, Checksum, checksum_of

NULL: Final = "null"  # the version id of what was put while versioning was off


class Encryption(msgspec.Struct, frozen=True):
    """How an object is encrypted at rest. Its content is the same; with KMS its ETag is no MD5."""

    algorithm: str = "AES256"
    key_id: str | None = None
    bucket_key: bool | None = None

    def shown(self) -> dict[str, Any]:
        """The members of an answer."""
        found: dict[str, Any] = {"ServerSideEncryption": self.algorithm}
        if self.key_id is not None:
            found["SSEKMSKeyId"] = self.key_id
        if self.bucket_key:
            found["BucketKeyEnabled"] = True
        return found


class Part(NamedTuple):
    """One part that an object was uploaded in."""

    number: int
    size: int
    checksum: Checksum | None


class StoredObject(msgspec.Struct, eq=False):
    """One version of one object. `body` is None for a modelled one, which has a size only."""

    key: str
    body: bytes | None
    size: int
    etag: str
    last_modified: int  # nanoseconds of virtual time
    version_id: str = NULL
    metadata: dict[str, str] | None = None
    content_type: str = "binary/octet-stream"
    storage_class: str = "STANDARD"
    tags: dict[str, str] | None = None
    acl: Any = "private"
    is_delete_marker: bool = False
    deleted: bool = False
    restore: int | None = None  # -1: under way; else when the restored copy expires
    headers: dict[str, Any] | None = None  # CacheControl, Expires ... by the names that an answer has for them
    checksum: Checksum | None = None
    encryption: Encryption | None = None  # None: AES256, S3's own
    parts: tuple[Part, ...] = ()  # of a multipart upload

    def __repr__(self) -> str:
        return f"<StoredObject {self.key} {self.version_id} {self.size} bytes>"

    def content(self) -> bytes:
        """Its bytes; those of a modelled object are zeros."""
        return bytes(self.size) if self.body is None else self.body

    def slice(self, first: int, last: int) -> bytes:
        """Its bytes from `first` to `last`, both included."""
        return bytes(last - first + 1) if self.body is None else bytes(self.body[first : last + 1])

    def like(self, other: StoredObject) -> None:
        """Take over the headers of another one."""
        self.metadata, self.content_type, self.headers = other.metadata, other.content_type, other.headers

    def full_checksum(self) -> Checksum | None:
        """Its checksum; computed now where the upload named none. None for a modelled object, and a very large one."""
        if self.checksum is None and self.body is not None and self.size <= MOST_BYTES_OF_DEFAULT:
            self.checksum = checksum_of(DEFAULT, self.body)
        return self.checksum


class Objects:
    """The current version of each key, and the older ones of a versioned bucket (oldest first)."""

    def __init__(self) -> None:
        self.current: dict[str, StoredObject] = {}
        self._older: dict[str, list[StoredObject]] = {}
        self._sorted: list[str] | None = None

    def put(self, stored: StoredObject, keep: bool) -> None:
        """Make it the current version of its key; the one before stays where versions are kept."""
        key = stored.key
        before = self.current.get(key)
        if before is None:
            self._sorted = None
        elif keep:
            self._older.setdefault(key, []).append(before)
            if stored.version_id == NULL:
                self._drop_null(key)
        else:
            before.deleted = True
        self.current[key] = stored

    def _drop_null(self, key: str) -> None:
        """There is one version `null` of a key at most: another one replaces it."""
        older = self._older[key]
        null = next((stored for stored in older if stored.version_id == NULL), None)
        if null is not None:
            null.deleted = True
            older.remove(null)
        if not older:
            del self._older[key]

    def remove(self, key: str) -> StoredObject | None:
        """Take the only version of a key away (a bucket that never had versioning)."""
        self._sorted = None
        return self.current.pop(key, None)

    def find(self, key: str, version_id: str) -> StoredObject | None:
        return next((stored for stored in self.versions(key) if stored.version_id == version_id), None)

    def remove_version(self, stored: StoredObject) -> None:
        """Take one version away; where it was the current one, the one before is current again."""
        key = stored.key
        older = self._older.get(key, [])
        if self.current[key] is stored:
            if older:
                self.current[key] = older.pop()
            else:
                self.remove(key)
        else:
            older.remove(stored)
        if not older:
            self._older.pop(key, None)

    def versions(self, key: str) -> Iterator[StoredObject]:
        """Every version of a key, the current one first."""
        if key in self.current:
            yield self.current[key]
            yield from reversed(self._older.get(key, ()))

    def keys(self) -> list[str]:
        """Every key in UTF-8 order, those with a delete marker as well."""
        if self._sorted is None:
            self._sorted = sorted(self.current)
        return self._sorted

    def after(self, start: str, prefix: str) -> Iterator[str]:
        """The keys behind `start` that begin with `prefix`, in order."""
        keys = self.keys()
        for index in range(max(bisect_right(keys, start), bisect_left(keys, prefix)), len(keys)):
            if not keys[index].startswith(prefix):
                return
            yield keys[index]


class Page:
    """One page of a listing: entries (key, version id), and the common prefixes up to a delimiter.

    It has `most` of both together. `last` is the entry behind which the next page begins; for a prefix it has no
    version.
    """

    def __init__(self, entries: Iterator[tuple[str, str]], prefix: str, delimiter: str, after: str, most: int) -> None:
        self.entries: list[tuple[str, str]] = []
        self.common_prefixes: list[str] = []
        self.truncated = False
        self.last = (after, "")
        for entry in entries:
            common = _common_prefix(entry[0], prefix, delimiter)
            if common and self._stands(common, after):
                continue
            if self.count == most:
                self.truncated = most > 0
                return
            if common:
                self.common_prefixes.append(common)
                self.last = (common, "")
            else:
                self.entries.append(entry)
                self.last = entry

    def _stands(self, common: str, after: str) -> bool:
        """It is on this page already, or was the last of the page before."""
        return common == after or (bool(self.common_prefixes) and self.common_prefixes[-1] == common)

    @property
    def count(self) -> int:
        return len(self.entries) + len(self.common_prefixes)


def _common_prefix(key: str, prefix: str, delimiter: str) -> str | None:
    end = key.find(delimiter, len(prefix)) if delimiter else -1
    return None if end < 0 else key[: end + len(delimiter)]


def token(last: str) -> str:
    """The continuation token behind the last key or prefix of a page."""
    return b64encode(last.encode()).decode()


def read_token(text: str) -> str | None:
    """What a continuation token stands for; None for what is no token."""
    try:
        return b64decode(text, validate=True).decode()
    except ValueError:
        return None
