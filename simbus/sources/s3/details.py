"""Tags, access control list and archive of an object: what changes without a new version of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from simbus.errors import AwsError
from simbus.kernel import HOUR, MINUTE, SECOND
from simbus.sources.base import operation, twin
from simbus.sources.s3.acl import checked_acl
from simbus.sources.s3.base import BucketBase
from simbus.sources.s3.delivery import SERVICE
from simbus.sources.s3.errors import malformed
from simbus.sources.s3.objects import StoredObject
from simbus.sources.s3.settings import checked_tags

_UNDER_WAY: Final = -1

# How long a restore takes: the upper end of what S3 promises (S3 user guide, "Archive retrieval options").
RESTORE_DELAYS: Final = {
    ("GLACIER", "Expedited"): 5 * MINUTE,
    ("GLACIER", "Standard"): 5 * HOUR,
    ("GLACIER", "Bulk"): 12 * HOUR,
    ("DEEP_ARCHIVE", "Standard"): 12 * HOUR,
    ("DEEP_ARCHIVE", "Bulk"): 48 * HOUR,
}


class Details(BucketBase):
    """Events of version 2.3 (tags, ACL) have neither size nor sequencer (test_object_tagging_delete_event)."""

    # --- tags and ACL ----------------------------------------------------------------------------------------------

    @operation
    def put_object_tagging(self, key: str, tags: Any, version_id: str | None = None) -> dict[str, str]:
        """Replace the tags, up to 10: `{"a": "b"}` or AWS's TagSet; the event is ObjectTagging:Put.

        Raises AwsError NoSuchKey, BadRequest, InvalidTag.
        """
        stored = self._find(key, version_id)
        stored.tags = checked_tags(tags)
        return self._changed("ObjectTagging:Put", stored)

    aput_object_tagging = twin(put_object_tagging)

    @operation
    def delete_object_tagging(self, key: str, version_id: str | None = None) -> dict[str, str]:
        """Remove all tags; the event is ObjectTagging:Delete. Raises AwsError NoSuchKey."""
        stored = self._find(key, version_id)
        stored.tags = None
        return self._changed("ObjectTagging:Delete", stored)

    adelete_object_tagging = twin(delete_object_tagging)

    @operation
    def get_object_tagging(self, key: str, version_id: str | None = None) -> dict[str, Any]:
        """`{"TagSet": [{"Key", "Value"}]}`, with VersionId in a versioned bucket. Raises AwsError NoSuchKey."""
        stored = self._find(key, version_id)
        found: dict[str, Any] = {
            "TagSet": [{"Key": name, "Value": value} for name, value in (stored.tags or {}).items()]
        }
        return found if self._versioning is None else {**found, "VersionId": stored.version_id}

    aget_object_tagging = twin(get_object_tagging)

    @operation
    def put_object_acl(self, key: str, acl: Any, version_id: str | None = None) -> None:
        """Set a canned ACL (`public-read`), AWS's AccessControlPolicy, or grants (`{"GrantRead": 'uri="..."'}`).

        The event is ObjectAcl:Put; an ACL that changes nothing has none (test_object_put_acl: three events for four
        calls, the first of which sets `private` again). Raises AwsError NoSuchKey, InvalidArgument,
        AccessControlListNotSupported.
        """
        stored = self._find(key, version_id)
        checked_acl(acl)
        self._access.check_acl(acl, "PutObjectAcl", key)
        if stored.acl != acl:
            stored.acl = acl
            self._changed("ObjectAcl:Put", stored)

    aput_object_acl = twin(put_object_acl)

    @operation
    def get_object_acl(self, key: str, version_id: str | None = None) -> dict[str, Any]:
        """`{"Owner": {"ID"}, "Grants": [...]}`. Raises AwsError NoSuchKey."""
        return self._access.shown(self._find(key, version_id).acl)

    aget_object_acl = twin(get_object_acl)

    def _changed(self, event_type: str, stored: StoredObject) -> dict[str, str]:
        version_id = self._shown_version(stored)
        self._emit(event_type, stored.key, etag=stored.etag, version_id=version_id, sequenced=False)
        return {} if version_id is None else {"VersionId": version_id}

    # --- archive ---------------------------------------------------------------------------------------------------

    @operation
    def restore_object(self, key: str, days: int = 1, *, tier: str = "Standard", version_id: str | None = None) -> bool:
        """Restore an archived object for `days`: ObjectRestore:Post now, Completed after `RESTORE_DELAYS`.

        When the days are over, at midnight UTC, the copy expires: ObjectRestore:Delete. Asking again for a restored
        object moves its end, and is answered with False (HTTP 200 instead of 202). Raises AwsError NoSuchKey,
        InvalidObjectState (403), RestoreAlreadyInProgress (409), MalformedXML.
        """
        stored = self._find(key, version_id)
        delay = RESTORE_DELAYS.get((stored.storage_class, tier))
        if stored.storage_class not in ("GLACIER", "DEEP_ARCHIVE"):
            message = "Restore is not allowed for the object's current storage class"
            raise AwsError("InvalidObjectState", message, 403, StorageClass=stored.storage_class)
        if type(days) is not int or days < 1 or delay is None:
            raise malformed()
        if stored.restore == _UNDER_WAY:
            raise AwsError("RestoreAlreadyInProgress", "Object restore is already in progress", 409)
        if stored.restore is not None:
            self._keep_until(stored, days)
            return False
        stored.restore = _UNDER_WAY
        self._restored("ObjectRestore:Post", stored)
        parent, lineage = self._cause
        self._timeline.after(delay, self._complete, (stored, days, (parent or SERVICE, lineage)))
        return True

    arestore_object = twin(restore_object)

    def _complete(self, work: tuple[StoredObject, int, tuple[str | None, Any]]) -> None:
        stored, days, cause = work
        if stored.deleted:
            return
        expiry = self._keep_until(stored, days)
        more = (
            f',"glacierEventData":{{"restoreEventData":{{"lifecycleRestorationExpiryTime":"{self._world.iso(expiry)}",'
            f'"lifecycleRestoreStorageClass":"{stored.storage_class}"}}}}'
        )
        self._restored("ObjectRestore:Completed", stored, more, service=True, cause=cause)

    def _keep_until(self, stored: StoredObject, days: int) -> int:
        """The copy expires at the midnight that follows so many days from now."""
        now = self._world.datetime()
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=days + 1)
        expiry = self._timeline.now + int((midnight - now) / timedelta(microseconds=1)) * 1000
        stored.restore = expiry
        self._timeline.background(expiry, self._expire, stored)
        return expiry

    def _expire(self, stored: StoredObject) -> None:
        if not stored.deleted and stored.restore == self._timeline.now:
            stored.restore = None
            self._restored("ObjectRestore:Delete", stored, service=True, cause=(SERVICE, None))

    def _restored(
        self,
        event_type: str,
        stored: StoredObject,
        more: str = "",
        *,
        service: bool = False,
        cause: tuple[str | None, Any] | None = None,
    ) -> None:
        version_id = self._shown_version(stored)
        self._emit(
            event_type, stored.key, size=stored.size, etag=stored.etag, version_id=version_id,
            service=service, more=more, cause=cause,
        )  # fmt: skip

    def _restore_header(self, stored: StoredObject) -> str:
        if stored.restore is None or stored.restore == _UNDER_WAY:
            return 'ongoing-request="true"'
        expiry = self._world.datetime(stored.restore // SECOND * SECOND)
        return f'ongoing-request="false", expiry-date="{expiry:%a, %d %b %Y %H:%M:%S} GMT"'

    def _restore_status(self, stored: StoredObject) -> dict[str, Any]:
        if stored.restore is None or stored.restore == _UNDER_WAY:
            return {"IsRestoreInProgress": True}
        expiry = self._world.datetime(stored.restore // SECOND * SECOND)
        return {"IsRestoreInProgress": False, "RestoreExpiryDate": expiry}

    def _check_readable(self, stored: StoredObject) -> None:
        """An archived object must be restored first."""
        archived = stored.storage_class in ("GLACIER", "DEEP_ARCHIVE")
        if archived and (stored.restore is None or stored.restore == _UNDER_WAY):
            raise AwsError(
                "InvalidObjectState",
                "The operation is not valid for the object's storage class",
                403,
                StorageClass=stored.storage_class,
            )

    def _gone(self, stored: StoredObject | None) -> None:
        """It has been deleted: nothing happens to it any more."""
        if stored is not None:
            stored.deleted = True
