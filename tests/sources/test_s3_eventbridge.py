"""A bucket's events on the default event bus: which event is which, and what its detail says."""

from __future__ import annotations

import json
from typing import Any

from worlds import Worldlet

from simbus import AwsError
from simbus.kernel import HOUR, SECOND


class Stage(Worldlet):
    """A bucket that sends to EventBridge, and a rule that puts everything of it into a queue."""

    def __init__(self, *, versioning: bool = False) -> None:
        super().__init__()
        self.eventbus = self.event_bus()
        self.eventbus.put_rule("all", event_pattern={"source": ["aws.s3"]})
        self.got = self.stub("sqs:q")
        self.eventbus.put_targets("all", ["sqs:q"])
        self.box = self.bucket("box", versioning=versioning)
        self.box.put_bucket_notification_configuration({"EventBridgeConfiguration": {}})

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(delivery.payload) for delivery in self.got.deliveries]

    @property
    def details(self) -> list[tuple[str, dict[str, Any]]]:
        """Type and detail of each event, without what is of every detail."""
        found = []
        for event in self.events:
            detail = event["detail"]
            assert (detail.pop("version"), detail.pop("bucket")) == ("0", {"name": "box"})
            assert len(detail.pop("request-id")) == 16
            detail["object"].pop("sequencer", None)
            found.append((event["detail-type"], detail))
        return found


CALLER = {"requester": "111111111111", "source-ip-address": "192.0.2.1"}


def test_reasons_and_deletions() -> None:
    """Which operation made an object, and how it was deleted (S3 user guide, "Using EventBridge")."""
    stage = Stage(versioning=True)
    version = stage.box.put_object("a b/é", "data")["VersionId"]
    stage.box.copy_object("copy", {"Bucket": "box", "Key": "a b/é"})
    upload = stage.box.create_multipart_upload("big")["UploadId"]
    part = stage.box.upload_part("big", upload, 1, "x")
    stage.box.complete_multipart_upload("big", upload, [{"PartNumber": 1, "ETag": part["ETag"]}])
    marker = stage.box.delete_object("a b/é")["VersionId"]
    stage.box.delete_object("a b/é", version)
    details = stage.details
    types = ["Object Created"] * 3 + ["Object Deleted"] * 2
    reasons = ["PutObject", "CopyObject", "CompleteMultipartUpload", "DeleteObject", "DeleteObject"]
    assert [(kind, detail["reason"]) for kind, detail in details] == list(zip(types, reasons, strict=True))
    assert details[0][1] == {
        "object": {
            "key": "a b/é",
            "size": 4,
            "etag": "8d777f385d3dfec8815d20f7496026dc",
            "version-id": version,
        },
        **CALLER,
        "reason": "PutObject",
    }
    deleted = [(detail["object"]["version-id"], detail["deletion-type"]) for _, detail in details[3:]]
    assert deleted == [(marker, "Delete Marker Created"), (version, "Permanently Deleted")]


def test_tags_and_acls() -> None:
    """No size, no sequencer, no reason (recording test_object_put_acl)."""
    stage = Stage()
    stage.box.delete_bucket_configuration("ownership_controls")
    stage.box.delete_bucket_configuration("public_access_block")
    etag = stage.box.put_object("k", "data")["ETag"].strip('"')
    stage.box.put_object_tagging("k", {"a": "b"})
    stage.box.delete_object_tagging("k")
    stage.box.put_object_acl("k", "public-read")
    expected = {"object": {"key": "k", "etag": etag}, **CALLER}
    names = ("Object Tags Added", "Object Tags Deleted", "Object ACL Updated")
    assert stage.details[1:] == [(name, expected) for name in names]


def test_a_restore() -> None:
    """Initiated by the caller; S3 itself completes it and lets the copy expire (schemas of these events in the CDK)."""
    stage = Stage()
    stage.box.put_object("k", "data", storage_class="GLACIER")
    stage.box.restore_object("k", 1, tier="Expedited")
    stage.timeline.run(72 * HOUR)
    details = stage.details[1:]
    names = ["Object Restore Initiated", "Object Restore Completed", "Object Restore Expired"]
    assert [kind for kind, _ in details] == names
    about = {"key": "k", "size": 4, "etag": "8d777f385d3dfec8815d20f7496026dc"}
    storage = {"source-storage-class": "GLACIER"}
    by_s3 = {"requester": "s3.amazonaws.com"}
    expiry = {"restore-expiry-time": "2026-01-03T00:00:00Z"}
    assert [detail for _, detail in details] == [
        {"object": about, **CALLER, **storage},
        {"object": about, **by_s3, **expiry, **storage},
        {"object": about, **by_s3, **storage},
    ]


def test_notifications_and_event_bridge_together() -> None:
    """Both get the event; the configuration shows both, and replacing it ends both."""
    stage = Stage()
    queue = stage.queue("direct")
    configuration = {
        "QueueConfigurations": [{"Id": "x", "QueueArn": queue.arn, "Events": ["s3:ObjectCreated:*"]}],
        "EventBridgeConfiguration": {},
    }
    stage.box.put_bucket_notification_configuration(configuration)
    assert stage.box.get_bucket_notification_configuration() == configuration
    stage.box.put_object("k", "data")
    assert (len(stage.events), len(queue.messages)) == (1, 2)  # the queue has S3's test event as well
    outcomes = {(row[2], row[4]) for row in stage.rows.deliveries}
    assert outcomes == {("sqs:direct", "ok"), ("events:default", "ok"), ("sqs:q", "ok")}
    stage.box.put_bucket_notification_configuration({})
    stage.box.put_object("k", "data")
    assert (len(stage.events), len(queue.messages)) == (1, 2)


def test_a_bus_that_is_out_of_service() -> None:
    """S3 tries again, as with its other targets."""
    stage = Stage()
    stage.eventbus.outage(10 * SECOND)
    stage.box.put_object("k", "data")
    stage.timeline.run()
    assert len(stage.events) == 1
    stage.eventbus.outage(SECOND)
    assert isinstance(stage.world.hand_over(stage.eventbus.arn, stage.got.deliveries[0]), AwsError)
