"""S3 notifications against the recordings of AWS: s3_notifications.json, recorded 21/01/2025 and 02/09/2025.

Each case is built from its `setup`, fed with its `inputs`, and what reached the queue is compared field for field.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from aws_recorded import equal, fill, load_case, load_cases
from worlds import Worldlet

from simbus.errors import AwsError
from simbus.sources.s3.base import find_bucket
from simbus.sources.s3.bucket import Bucket
from simbus.sources.sns.topic import Topic
from simbus.sources.sqs.queue import Queue

FILE = "s3_notifications"

# case -> "equal", or why it is not tried
CASES = {
    "TestS3NotificationsToEventBridge::test_object_created_put": "equal",
    "TestS3NotificationsToEventBridge::test_object_put_acl": "equal",
    "TestS3NotificationsToEventBridge::test_object_created_put_in_different_region": (
        "equal: the test puts into two buckets from two Regions, both are recorded from one"
    ),
    "TestS3NotificationsToLambda::test_invalid_lambda_arn": "equal",
    "TestS3NotificationsToSQS::test_object_created_put": "equal",
    "TestS3NotificationsToSQS::test_object_created_and_object_removed": "equal",
    "TestS3NotificationsToSQS::test_object_created_complete_multipart_upload": "equal",
    "TestS3NotificationsToSQS::test_key_encoding": "equal",
    "TestS3NotificationsToSQS::test_object_created_put_with_presigned_url_upload": (
        "equal, each Region on its own: one simulation has one Region, so the two are two worlds"
    ),
    "TestS3NotificationsToSQS::test_object_tagging_delete_event": "equal",
    "TestS3NotificationsToSQS::test_notifications_with_filter": "equal",
    "TestS3NotificationsToSQS::test_invalid_sqs_arn": "equal",
    "TestS3NotificationsToSQS::test_delete_objects": "equal",
    "TestS3NotificationsToSQS::test_multiple_invalid_sqs_arns": "equal",
    "TestS3NotificationsToSQS::test_restore_object": "equal",
    "TestS3NotificationsToSQS::test_object_created_put_versioned": "equal",
    "TestS3NotificationsToSQS::test_filter_rules_empty_value": "equal",
    "TestS3NotificationsToSns::test_bucket_notifications_with_filter": "equal",
    "TestS3NotificationsToSns::test_bucket_not_exist": "equal",
}

# The captures hold no bodies of files; these have the recorded sizes and MD5s.
FILES = {
    "test_object_created_complete_multipart_upload": "1" * 6144,
    "test_notifications_with_filter": '{"test": "bucket_notification2"}',
    "test_bucket_notifications_with_filter": '{"test": "bucket_notification one"}',
}


def test_every_recorded_case_is_in_the_table():
    """A case that appears in the recordings must be tried, or say why not."""
    cases = load_cases(FILE)
    assert not cases or [case["name"] for case in cases] == list(CASES)


class Replay:
    """Plays a case's set-up and inputs, and collects what AWS's caller would see."""

    def __init__(self, name: str) -> None:
        self.case = load_case(FILE, name)
        self.w = Worldlet()
        self.file = FILES.get(name, "")
        self.upload: dict[str, Any] = {}
        self.errors: list[dict[str, Any]] = []
        self.configurations: list[dict[str, Any]] = []

    def setup(self, only: str = "") -> Replay:
        for request in fill(self.case["setup"].get("resource", [])):
            if only in request["op"]:
                self.call(request["op"], request["params"])
        return self

    def feed(self) -> Replay:
        for request in fill(self.case["inputs"]):
            for _ in range(request.get("times", 1)):
                self.call(request["op"], request["params"])
        self.w.timeline.run()
        return self

    def call(self, op: str, params: dict[str, Any]) -> Any:
        return getattr(self, "_" + op.replace(":", "_"))(**params)

    # --- the requests ----------------------------------------------------------------------------------------------

    def bucket(self, name: str) -> Bucket:
        return find_bucket(self.w.world, name)

    def queue(self, name: str = "queue-1") -> Queue:
        found = self.w.world.find(f"sqs:{name}")
        assert isinstance(found, Queue)
        return found

    def _s3_CreateBucket(self, Bucket: str, **_: Any) -> None:
        self.w.bucket(Bucket)

    def _sqs_CreateQueue(self, QueueName: str) -> None:
        self.w.queue(QueueName)

    def _sqs_SetQueueAttributes(self, **_: Any) -> None:
        """Policies only: simbus lets services send."""

    def _sns_CreateTopic(self, Name: str) -> None:
        self.w.world.register(Topic(self.w.world, self.w.bus, Name))

    def _sns_SetTopicAttributes(self, **_: Any) -> None:
        """Policies only."""

    def _sns_Subscribe(self, TopicArn: str, Protocol: str, Endpoint: str) -> None:
        topic = self.w.world.find(TopicArn)
        assert isinstance(topic, Topic)
        topic.subscribe(Endpoint)

    def _s3_PutBucketNotificationConfiguration(
        self, Bucket: str, NotificationConfiguration: dict[str, Any], SkipDestinationValidation: bool = False
    ) -> None:
        try:
            bucket = self.bucket(Bucket)
            bucket.put_bucket_notification_configuration(
                NotificationConfiguration, skip_destination_validation=SkipDestinationValidation
            )
        except AwsError as error:
            details = {"Code": error.code, "Message": error.message, **error.extra}
            self.errors.append({"Error": details, **metadata(error.status)})
            return
        self.configurations.append({**bucket.get_bucket_notification_configuration(), **metadata(200)})

    def _s3_PutBucketVersioning(self, Bucket: str, VersioningConfiguration: dict[str, str]) -> None:
        self.bucket(Bucket).put_bucket_versioning(VersioningConfiguration["Status"])

    def _s3_PutObject(
        self, Bucket: str, Key: str, Body: str, StorageClass: str = "STANDARD", ChecksumAlgorithm: str | None = None
    ) -> dict[str, Any]:
        body = self.file if Body == "ReadFileChunk" else Body
        return self.bucket(Bucket).put_object(
            Key, body, storage_class=StorageClass, checksum_algorithm=ChecksumAlgorithm
        )

    def _s3_CopyObject(self, Bucket: str, CopySource: dict[str, str], Key: str) -> None:
        self.bucket(Bucket).copy_object(Key, CopySource)

    def _s3_DeleteObject(self, Bucket: str, Key: str, VersionId: str | None = None) -> dict[str, Any]:
        return self.bucket(Bucket).delete_object(Key, VersionId)

    def _s3_DeleteObjects(self, Bucket: str, Delete: dict[str, Any]) -> None:
        self.bucket(Bucket).delete_objects(Delete["Objects"], quiet=Delete["Quiet"])

    def _events_PutRule(self, Name: str, EventBusName: str, EventPattern: str, ScheduleExpression: str) -> None:
        assert EventBusName == "default"
        self.w.event_bus().put_rule(Name, event_pattern=EventPattern, schedule_expression=ScheduleExpression)

    def _events_PutTargets(self, Rule: str, Targets: list[Any]) -> None:
        self.w.event_bus().put_targets(Rule, Targets)

    def _s3_PutObjectAcl(self, Bucket: str, Key: str, **acl: Any) -> None:
        self.bucket(Bucket).put_object_acl(Key, acl.get("ACL", acl))

    def _s3_PutObjectTagging(self, Bucket: str, Key: str, Tagging: dict[str, Any]) -> None:
        self.bucket(Bucket).put_object_tagging(Key, Tagging["TagSet"])

    def _s3_DeleteObjectTagging(self, Bucket: str, Key: str) -> None:
        self.bucket(Bucket).delete_object_tagging(Key)

    def _s3_RestoreObject(self, Bucket: str, Key: str, RestoreRequest: dict[str, Any]) -> None:
        tier = RestoreRequest["GlacierJobParameters"]["Tier"]
        self.bucket(Bucket).restore_object(Key, RestoreRequest["Days"], tier=tier)

    def _s3_CreateMultipartUpload(self, Bucket: str, Key: str, ChecksumAlgorithm: str) -> None:
        self.upload = self.bucket(Bucket).create_multipart_upload(Key)

    def _s3_UploadPart(self, Bucket: str, Key: str, PartNumber: int, **_: Any) -> None:
        self.bucket(Bucket).upload_part(Key, self.upload["UploadId"], PartNumber, self.file)

    def _s3_CompleteMultipartUpload(self, Bucket: str, Key: str, MultipartUpload: dict[str, Any], **_: Any) -> None:
        self.bucket(Bucket).complete_multipart_upload(Key, self.upload["UploadId"], MultipartUpload["Parts"])

    # --- what arrived ----------------------------------------------------------------------------------------------

    def received(self) -> list[dict[str, Any]]:
        """The bodies in the queue, without S3's test events, which the recorded tests read away."""
        bodies = [json.loads(message.body) for message in self.queue().messages]
        return [body for body in bodies if body.get("Event") != "s3:TestEvent" and "TestEvent" not in str(body)]

    def records(self, order: Callable[[dict[str, Any]], Any] | None = None) -> list[dict[str, Any]]:
        """The records, each message's one; the recorded tests sort them."""
        found = []
        for body in self.received():
            (record,) = body["Records"]
            found.append(record)
        return sorted(found, key=order) if order is not None else found


def metadata(status: int) -> dict[str, Any]:
    return {"ResponseMetadata": {"HTTPHeaders": {}, "HTTPStatusCode": status}}


def by_name(record: dict[str, Any]) -> Any:
    return record["eventName"]


@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("test_object_created_put", None),
        ("test_object_created_and_object_removed", by_name),
        ("test_object_created_complete_multipart_upload", None),
        ("test_key_encoding", None),
        ("test_object_tagging_delete_event", None),
        ("test_delete_objects", None),
        ("test_restore_object", None),
    ],
)
def test_messages_in_the_queue(name, order):
    """The records that S3 puts into a queue, one a message, field for field."""
    replay = Replay(f"TestS3NotificationsToSQS::{name}").setup()
    replay.file = FILES.get(name, "")
    replay.feed()
    equal(replay.case["recorded"]["receive_messages"], {"messages": replay.records(order)})


@pytest.mark.parametrize(
    "name", ["test_object_created_put", "test_object_put_acl", "test_object_created_put_in_different_region"]
)
def test_events_on_the_default_event_bus(name):
    """What a rule on the default bus gets of a bucket with EventBridgeConfiguration, field for field."""
    replay = Replay(f"TestS3NotificationsToEventBridge::{name}").setup()
    if name == "test_object_put_acl":  # of 2025: a bucket takes public ACLs only after these two calls
        for kind in ("ownership_controls", "public_access_block"):
            replay.bucket("bucket-1").delete_bucket_configuration(kind)
    replay.feed()
    events = [json.loads(message.body) for message in replay.queue().messages]
    recorded = replay.case["recorded"]
    if name == "test_object_created_put":
        created, deleted = events
        equal(recorded, {"object_created": created, "object_deleted": deleted})
        return
    (expected,) = recorded.values()
    events.sort(key=lambda event: event["detail-type"])
    equal(expected, {"messages": events})


@pytest.mark.parametrize("part", ["receive_messages", "receive_messages_region_2"])
def test_put_by_presigned_url(part):
    """TestS3NotificationsToSQS::test_object_created_put_with_presigned_url_upload: a PUT to a presigned URL is
    ObjectCreated:Put. The inputs went over HTTP and are not captured; one Region is one world."""
    replay = Replay("test_object_created_put_with_presigned_url_upload")
    bucket, queue = replay.w.bucket("bucket-1"), replay.w.queue("queue-1")
    bucket.put_bucket_notification_configuration(
        {"QueueConfigurations": [{"QueueArn": queue.arn, "Events": ["s3:ObjectCreated:*"]}]}
    )
    bucket.put_object("key-by-hostname", "something")
    equal(replay.case["recorded"][part], {"messages": replay.records()})


def test_notifications_with_a_filter():
    """TestS3NotificationsToSQS::test_notifications_with_filter: one of two keys passes; filter names are capitalised;
    an empty configuration clears. The recorder replaced the first configuration's id by a placeholder."""
    replay = Replay("TestS3NotificationsToSQS::test_notifications_with_filter")
    replay.file = FILES["test_notifications_with_filter"]
    requests = fill(replay.case["setup"]["resource"])
    configure = [each for each in requests if each["op"] == "s3:PutBucketNotificationConfiguration"]
    for each in requests:
        if each not in configure[1:]:
            replay.call(each["op"], each["params"])
    replay.feed()
    (record,) = replay.records()
    equal(replay.case["recorded"]["message"], record)
    for each in configure[1:]:
        replay.call(each["op"], each["params"])
    names = ("config", "config_empty", "config_updated", "config_updated_filter")
    for name, configuration in zip(names, replay.configurations, strict=True):
        equal(replay.case["recorded_api"][name], configuration)


def test_the_configuration_of_an_empty_filter_value():
    """TestS3NotificationsToSQS::test_filter_rules_empty_value: kept, with the name capitalised."""
    replay = Replay("test_filter_rules_empty_value")
    for request in fill(replay.case["setup"]["resource"], {"queue-1": "my-queue-1"}):
        replay.call(request["op"], request["params"])
    (configuration,) = replay.configurations
    equal(replay.case["recorded_api"]["bucket_notification_configuration"], configuration)


def test_versioned_bucket():
    """TestS3NotificationsToSQS::test_object_created_put_versioned: markers, versions, and Suspended without them."""
    replay = Replay("test_object_created_put_versioned")
    requests = fill(replay.case["setup"]["resource"])
    for request in requests[:-1]:
        replay.call(request["op"], request["params"])
    bucket, recorded, api = replay.bucket("bucket-1"), replay.case["recorded"], replay.case["recorded_api"]
    bodies = [each["params"].get("Body") for each in replay.case["inputs"]]

    def put(body: str) -> dict[str, Any]:
        return {**bucket.put_object("test-key", body, checksum_algorithm="CRC32"), **metadata(200)}

    answers = {"obj-ver1": put(bodies[0]), "obj-ver2": put(bodies[1])}
    marker = {**bucket.delete_object("test-key"), **metadata(204)}
    deleted = {**bucket.delete_object("test-key", answers["obj-ver1"]["VersionId"]), **metadata(204)}
    active = replay.records()
    replay.call(requests[-1]["op"], requests[-1]["params"])
    null = put(bodies[4])
    unmarked = {**bucket.delete_object("test-key", marker["VersionId"]), **metadata(204)}
    # numbered within one part: all answers of the API together
    expected = {**{name: recorded[name] for name in answers}, "del-delete-marker": recorded["del-delete-marker"], **api}
    equal(
        expected,
        {
            **answers,
            "del-delete-marker": unmarked,
            "delete-marker": marker,
            "delete-version": deleted,
            "add-null-version": null,
        },
    )
    etags = {"6869c34ca384e0ed836d49214f881e87": 0, "8d777f385d3dfec8815d20f7496026dc": 1}
    active.sort(key=lambda record: (record["eventName"], etags.get(record["s3"]["object"].get("eTag"), 2)))
    equal(recorded["message-versioning-active"], active)
    equal(recorded["message-versioning-suspended"], replay.records()[4:])


@pytest.mark.parametrize("name", ["test_invalid_lambda_arn", "test_invalid_sqs_arn"])
def test_an_invalid_destination(name):
    """An ARN that is none is refused always; a destination that does not exist only when it is validated."""
    replay = Replay(name).setup()
    case = replay.case
    recorded = {**case["recorded_api"], **case["recorded"]}
    kept = recorded.pop("skip_destination_validation")
    for (part, expected), error in zip(recorded.items(), replay.errors, strict=True):
        assert part in {*case["recorded"], *case["recorded_api"]}
        equal(expected, error)
    equal(kept, replay.configurations[-1])


def test_several_invalid_destinations():
    """TestS3NotificationsToSQS::test_multiple_invalid_sqs_arns: structure first, then all destinations together."""
    replay = Replay("test_multiple_invalid_sqs_arns").setup()
    for expected, error in zip(replay.case["recorded"].values(), replay.errors, strict=True):
        equal(expected, error)


def test_a_bucket_that_does_not_exist():
    """TestS3NotificationsToSns::test_bucket_not_exist."""
    replay = Replay("test_bucket_not_exist").setup()
    equal(replay.case["recorded_api"]["bucket_not_exists"], replay.errors[0])


def test_a_notification_through_a_topic():
    """TestS3NotificationsToSns::test_bucket_notifications_with_filter: SNS's envelope around S3's record."""
    replay = Replay("TestS3NotificationsToSns::test_bucket_notifications_with_filter")
    replay.file = FILES["test_bucket_notifications_with_filter"]
    replay.setup().feed()
    (message,) = replay.received()
    equal(replay.case["recorded"]["message"], message)


def test_the_key_order_of_a_record_is_that_of_aws():
    """One recorded case keeps AWS's own order of the keys; the text of a record must have it too."""
    replay = Replay("test_object_created_put_versioned")
    (recorded, *_) = replay.case["recorded"]["message-versioning-active"]
    bucket, queue = replay.w.bucket("bucket-1", versioning=True), replay.w.queue("queue-1")
    bucket.put_bucket_notification_configuration(
        {"QueueConfigurations": [{"QueueArn": queue.arn, "Events": ["s3:ObjectCreated:*"]}]}
    )
    bucket.put_object("test-key", "data-version2")
    (record,) = replay.records()
    assert keys(record) == keys(recorded)
    body = queue.messages[-1].body
    assert re.sub(r'\s(?=["{\[\d])', "", json.dumps(json.loads(body))) == body


def keys(value: Any) -> Any:
    return [(key, keys(item)) for key, item in value.items()] if isinstance(value, dict) else None
