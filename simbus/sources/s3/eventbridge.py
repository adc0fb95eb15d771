"""A bucket's events as EventBridge gets them: all of them, on the default bus.

Sources: S3 user guide, "Using EventBridge" (which event is which) and "EventBridge event message structure";
recordings TestS3NotificationsToEventBridge::* (21/01/2025; no `event-version` yet). The key is not URL-encoded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import unquote_plus

import msgspec

from simbus.bus import Bus
from simbus.model import ChangeEvent
from simbus.sources.delivery import Sender
from simbus.sources.s3.delivery import SERVICE
from simbus.sources.s3.objects import StoredObject
from simbus.world import Delivery, World

_TYPES: Final = {
    "ObjectCreated": "Object Created",
    "ObjectRemoved": "Object Deleted",
    "ObjectRestore:Post": "Object Restore Initiated",
    "ObjectRestore:Completed": "Object Restore Completed",
    "ObjectRestore:Delete": "Object Restore Expired",
    "ObjectTagging:Put": "Object Tags Added",
    "ObjectTagging:Delete": "Object Tags Deleted",
    "ObjectAcl:Put": "Object ACL Updated",
}
_REASONS: Final = {
    "ObjectCreated:Put": "PutObject",
    "ObjectCreated:Post": "POST Object",
    "ObjectCreated:Copy": "CopyObject",
    "ObjectCreated:CompleteMultipartUpload": "CompleteMultipartUpload",
    "ObjectRemoved:Delete": "DeleteObject",
    "ObjectRemoved:DeleteMarkerCreated": "DeleteObject",
}
_DELETIONS: Final = {
    "ObjectRemoved:Delete": "Permanently Deleted",
    "ObjectRemoved:DeleteMarkerCreated": "Delete Marker Created",
}
_BY_S3: Final = ("ObjectRestore:Completed", "ObjectRestore:Delete")

Find = Callable[[str, str | None], StoredObject | None]


class EventBridgeConfiguration(Sender):
    """A subscription of the bucket's change events that sends each to the default event bus.

    `find(key, version_id)` looks an object up: events of a restore name its storage class.
    """

    def __init__(self, world: World, bus: Bus, arn: str, bucket: str, find: Find) -> None:
        super().__init__(world, bus, world.arn("events", "default"), "events:default", settles=True)
        self._arn = arn
        self._bucket = bucket
        self._find = find

    def offer(self, event: ChangeEvent) -> None:
        """Send the event on."""
        detail_type = _TYPES.get(event.type) or _TYPES[event.type.partition(":")[0]]
        delivery = Delivery(
            msgspec.json.encode(self._detail(event)).decode(),
            SERVICE,
            self._arn,
            event=event,
            subscription=self.name,
            subject=detail_type,
        )
        self.send(delivery, event)

    def _detail(self, event: ChangeEvent) -> dict[str, Any]:
        """The keys in AWS's order."""
        record = msgspec.json.decode(event.data)
        about = record["s3"]["object"]
        restored = event.type.startswith("ObjectRestore")
        key, version_id = unquote_plus(about["key"]), about.get("versionId")
        found = {
            "key": key,
            "size": about.get("size"),
            "etag": about.get("eTag"),
            "version-id": version_id,
            "sequencer": None if restored else about.get("sequencer"),
        }
        by_s3 = event.type in _BY_S3
        stored = self._find(key, version_id) if restored else None
        glacier = record.get("glacierEventData", {}).get("restoreEventData", {})
        expiry = glacier.get("lifecycleRestorationExpiryTime")
        detail = {
            "version": "0",
            "bucket": {"name": self._bucket},
            "object": {name: value for name, value in found.items() if value is not None},
            "request-id": record["responseElements"]["x-amz-request-id"],
            "requester": "s3.amazonaws.com" if by_s3 else self._world.account.id,
            "source-ip-address": None if by_s3 else record["requestParameters"]["sourceIPAddress"],
            "reason": _REASONS.get(event.type),
            "deletion-type": _DELETIONS.get(event.type),
            "restore-expiry-time": None if expiry is None else expiry.replace(".000Z", "Z"),
            "source-storage-class": None if stored is None else stored.storage_class,
        }
        return {name: value for name, value in detail.items() if value is not None}
