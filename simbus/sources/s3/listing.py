"""Listing a bucket: ListObjectsV2 and ListObjectVersions."""

from __future__ import annotations

from typing import Any

from simbus.sources.base import operation, twin
from simbus.sources.s3.base import BucketBase
from simbus.sources.s3.errors import argument
from simbus.sources.s3.objects import Page, StoredObject, read_token, token


class Listing(BucketBase):
    """Keys in UTF-8 order, up to 1,000 a page."""

    @operation
    def list_objects(
        self,
        prefix: str = "",
        *,
        delimiter: str = "",
        max_keys: int = 1000,
        start_after: str = "",
        continuation_token: str | None = None,
    ) -> dict[str, Any]:
        """ListObjectsV2: `Contents`, `CommonPrefixes`, `KeyCount`, `IsTruncated`, `NextContinuationToken`.

        `max_keys` 0 to 1,000 (more is taken as 1,000). Raises AwsError InvalidArgument.
        """
        most = _checked(max_keys)
        after = start_after
        if continuation_token is not None:
            after = read_token(continuation_token) or ""
            if not after:
                raise argument("The continuation token provided is incorrect", "continuation-token", continuation_token)
        current = self._objects.current
        keys = (key for key in self._objects.after(after, prefix) if not current[key].is_delete_marker)
        page = Page(keys, prefix, delimiter, after, most)
        found: dict[str, Any] = {
            "Name": self.resource,
            "Prefix": prefix,
            "MaxKeys": max_keys,
            "KeyCount": page.count,
            "IsTruncated": page.truncated,
        }
        if page.keys:
            found["Contents"] = [self._entry(current[key]) for key in page.keys]
        if page.common_prefixes:
            found["CommonPrefixes"] = [{"Prefix": common} for common in page.common_prefixes]
        if delimiter:
            found["Delimiter"] = delimiter
        if start_after:
            found["StartAfter"] = start_after
        if continuation_token is not None:
            found["ContinuationToken"] = continuation_token
        if page.truncated:
            found["NextContinuationToken"] = token(page.last)
        return found

    alist_objects = twin(list_objects)

    @operation
    def list_object_versions(
        self, prefix: str = "", *, delimiter: str = "", max_keys: int = 1000, key_marker: str = ""
    ) -> dict[str, Any]:
        """`Versions` and `DeleteMarkers`, newest first for each key. A page ends between two keys.

        Raises AwsError InvalidArgument.
        """
        most = _checked(max_keys)
        page = Page(self._objects.after(key_marker, prefix), prefix, delimiter, key_marker, most)
        found: dict[str, Any] = {
            "Name": self.resource,
            "Prefix": prefix,
            "KeyMarker": key_marker,
            "MaxKeys": max_keys,
            "IsTruncated": page.truncated,
        }
        versions = [(stored, n == 0) for key in page.keys for n, stored in enumerate(self._objects.versions(key))]
        for group, markers in (("Versions", False), ("DeleteMarkers", True)):
            entries = [
                self._version(stored, latest) for stored, latest in versions if stored.is_delete_marker is markers
            ]
            if entries:
                found[group] = entries
        if page.common_prefixes:
            found["CommonPrefixes"] = [{"Prefix": common} for common in page.common_prefixes]
        if page.truncated:
            found["NextKeyMarker"] = page.last
        return found

    alist_object_versions = twin(list_object_versions)

    def _entry(self, stored: StoredObject) -> dict[str, Any]:
        return {
            "Key": stored.key,
            "LastModified": self._modified(stored),
            "ETag": f'"{stored.etag}"',
            "Size": stored.size,
            "StorageClass": stored.storage_class,
        }

    def _version(self, stored: StoredObject, latest: bool) -> dict[str, Any]:
        named = {"VersionId": stored.version_id, "IsLatest": latest}
        if stored.is_delete_marker:
            return {"Key": stored.key, "LastModified": self._modified(stored), **named}
        return {**self._entry(stored), **named}


def _checked(max_keys: int) -> int:
    if max_keys < 0:
        raise argument("Argument maxKeys must be an integer between 0 and 2147483647", "maxKeys", str(max_keys))
    return min(max_keys, 1000)
