"""Deleting objects: DeleteObject and DeleteObjects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from simbus.errors import AwsError
from simbus.sources.base import operation, twin
from simbus.sources.s3.conditions import check_write
from simbus.sources.s3.details import Details
from simbus.sources.s3.errors import check_key, check_version_id, malformed
from simbus.sources.s3.objects import NULL, StoredObject

_EMPTY_ETAG: Final = "d41d8cd98f00b204e9800998ecf8427e"


class Deleting(Details):
    """Every delete is one ObjectRemoved event."""

    @operation
    def delete_object(self, key: str, version_id: str | None = None, *, if_match: str | None = None) -> dict[str, Any]:
        """Delete an object, or one version of it for good.

        In a versioned bucket a delete without `version_id` puts a delete marker on top (ObjectRemoved:
        DeleteMarkerCreated). A key that is not there is no error, and has its event too (test_delete_objects).
        `if_match`: only the object of that ETag (`*`: any). Raises AwsError PreconditionFailed (412), NoSuchKey.
        """
        check_key(key)
        return self._delete(key, version_id, if_match)

    adelete_object = twin(delete_object)

    @operation
    def delete_objects(self, objects: Iterable[str | Mapping[str, str]], *, quiet: bool = False) -> dict[str, Any]:
        """Delete up to 1,000 keys or `{"Key", "VersionId", "ETag"}`; one event for each key.

        What can't be deleted is named under `Errors`. Raises AwsError MalformedXML.
        """
        entries = [{"Key": each} if isinstance(each, str) else dict(each) for each in objects]
        if not 1 <= len(entries) <= 1000:
            raise malformed()
        deleted: list[dict[str, Any]] = []
        errors: list[dict[str, Any]] = []
        for entry in entries:
            named: dict[str, Any] = {name: entry[name] for name in ("Key", "VersionId") if name in entry}
            try:
                check_key(entry["Key"])
                answer = self._delete(entry["Key"], entry.get("VersionId"), entry.get("ETag"))
            except AwsError as error:
                errors.append({**named, "Code": error.code, "Message": error.message})
                continue
            if "DeleteMarker" in answer:
                answer["DeleteMarkerVersionId"] = answer["VersionId"]
            deleted.append({**answer, **named} if "VersionId" in named else {**named, **_without_version(answer)})
        found: dict[str, Any] = {} if quiet else {"Deleted": deleted}
        return {**found, "Errors": errors} if errors else found

    adelete_objects = twin(delete_objects)

    def _delete(self, key: str, version_id: str | None, if_match: str | None = None) -> dict[str, Any]:
        if version_id is not None:
            check_version_id(version_id)
        if if_match is not None:
            self._check_delete(key, version_id, if_match)
        if version_id is not None:
            return self._delete_version(key, version_id)
        if self._versioning is not None:
            return self._mark_deleted(key)
        self._gone(self._objects.remove(key))
        self._emit("ObjectRemoved:Delete", key)
        return {}

    def _check_delete(self, key: str, version_id: str | None, if_match: str) -> None:
        stored = self._objects.current.get(key) if version_id is None else self._objects.find(key, version_id)
        check_write(key, stored, if_match, None)

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


def _without_version(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "VersionId"}
