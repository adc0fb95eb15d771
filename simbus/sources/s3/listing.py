"""Listing a bucket: ListObjectsV2 and ListObjectVersions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from simbus.sources.base import operation, twin
from simbus.sources.s3.details import Details
from simbus.sources.s3.errors import argument
from simbus.sources.s3.objects import Page, StoredObject, read_token, token


class Listing(Details):
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
        optional_object_attributes: Sequence[str] = (),
    ) -> dict[str, Any]:
        """ListObjectsV2: `Contents`, `CommonPrefixes`, `KeyCount`, `IsTruncated`, `NextContinuationToken`.

        `max_keys` 0 to 1,000 (more is taken as 1,000). `optional_object_attributes=["RestoreStatus"]` says how the
        restore of an archived object stands. Raises AwsError InvalidArgument.
        """
        most = _checked(max_keys)
        after = start_after
        if continuation_token is not None:
            after = read_token(continuation_token) or ""
            if not after:
                raise argument("The continuation token provided is incorrect", "continuation-token", continuation_token)
        current = self._objects.current
        keys = ((key, "") for key in self._objects.after(after, prefix) if not current[key].is_delete_marker)
        page = Page(keys, prefix, delimiter, after, most)
        found: dict[str, Any] = {
            "Name": self.resource,
            "Prefix": prefix,
            "MaxKeys": max_keys,
            "KeyCount": page.count,
            "IsTruncated": page.truncated,
        }
        restores = _wants_restores(optional_object_attributes)
        if page.entries:
            found["Contents"] = [self._entry(current[key], restores) for key, _ in page.entries]
        if page.common_prefixes:
            found["CommonPrefixes"] = [{"Prefix": common} for common in page.common_prefixes]
        if delimiter:
            found["Delimiter"] = delimiter
        if start_after:
            found["StartAfter"] = start_after
        if continuation_token is not None:
            found["ContinuationToken"] = continuation_token
        if page.truncated:
            found["NextContinuationToken"] = token(page.last[0])
        return found

    alist_objects = twin(list_objects)

    @operation
    def list_object_versions(
        self,
        prefix: str = "",
        *,
        delimiter: str = "",
        max_keys: int = 1000,
        key_marker: str = "",
        version_id_marker: str = "",
        optional_object_attributes: Sequence[str] = (),
    ) -> dict[str, Any]:
        """`Versions` and `DeleteMarkers`, newest first for each key. A page counts each of them.

        The next one begins behind `NextKeyMarker` and `NextVersionIdMarker`. Raises AwsError InvalidArgument.
        """
        most = _checked(max_keys)
        if version_id_marker and not key_marker:
            raise argument(
                "A version-id marker cannot be specified without a key marker.", "version-id-marker", version_id_marker
            )
        pairs = self._pairs_after(key_marker, version_id_marker, prefix)
        page = Page(pairs, prefix, delimiter, key_marker, most)
        found: dict[str, Any] = {
            "Name": self.resource,
            "Prefix": prefix,
            "KeyMarker": key_marker,
            "VersionIdMarker": version_id_marker,
            "MaxKeys": max_keys,
            "IsTruncated": page.truncated,
        }
        restores = _wants_restores(optional_object_attributes)
        for key, version_id in page.entries:
            stored = self._objects.find(key, version_id)
            if stored is not None:
                group = "DeleteMarkers" if stored.is_delete_marker else "Versions"
                found.setdefault(group, []).append(self._version(stored, restores))
        if page.common_prefixes:
            found["CommonPrefixes"] = [{"Prefix": common} for common in page.common_prefixes]
        if delimiter:
            found["Delimiter"] = delimiter
        if page.truncated:
            found["NextKeyMarker"], version_id = page.last
            if version_id:
                found["NextVersionIdMarker"] = version_id
        return found

    alist_object_versions = twin(list_object_versions)

    def _pairs_after(self, key_marker: str, version_id_marker: str, prefix: str) -> Iterator[tuple[str, str]]:
        """Key and version id of every version behind the markers."""
        if version_id_marker and key_marker.startswith(prefix):
            ids = [stored.version_id for stored in self._objects.versions(key_marker)]
            if version_id_marker in ids:
                yield from ((key_marker, each) for each in ids[ids.index(version_id_marker) + 1 :])
        for key in self._objects.after(key_marker, prefix):
            for stored in self._objects.versions(key):
                yield key, stored.version_id

    def _entry(self, stored: StoredObject, restores: bool) -> dict[str, Any]:
        found = {
            "Key": stored.key,
            "LastModified": self._modified(stored),
            "ETag": f'"{stored.etag}"',
            "Size": stored.size,
            "StorageClass": stored.storage_class,
        }
        if stored.checksum is not None:
            found["ChecksumAlgorithm"] = [stored.checksum.algorithm]
            found["ChecksumType"] = stored.checksum.type
        if restores and stored.restore is not None:
            found["RestoreStatus"] = self._restore_status(stored)
        return found

    def _version(self, stored: StoredObject, restores: bool) -> dict[str, Any]:
        named = {"VersionId": stored.version_id, "IsLatest": self._objects.current[stored.key] is stored}
        if stored.is_delete_marker:
            return {"Key": stored.key, "LastModified": self._modified(stored), **named}
        return {**self._entry(stored, restores), **named}


def _checked(max_keys: int) -> int:
    if max_keys < 0:
        raise argument("Argument maxKeys must be an integer between 0 and 2147483647", "maxKeys", str(max_keys))
    return min(max_keys, 1000)


def _wants_restores(attributes: Sequence[str]) -> bool:
    for name in attributes:
        if name != "RestoreStatus":
            raise argument("Invalid attribute name specified.", "x-amz-optional-object-attributes", name)
    return bool(attributes)
