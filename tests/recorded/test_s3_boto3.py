"""The recordings of S3 notifications once more, through boto3: each request as it was sent, each answer as it came.

Case by case (s3_notifications.json): every one is equal. `test_s3_notifications.py` has the same through Python.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from aws_recorded import ACCOUNT, equal, fill, load_case

from simbus import Simulation

pytest.importorskip("boto3", reason="needs the extra boto3")
from botocore import xform_name
from botocore.exceptions import ClientError

FILE = "s3_notifications"


class Replay:
    """Sends the requests of a case with boto3 and keeps the answers."""

    def __init__(self, sim: Simulation, name: str, file: str = "") -> None:
        self.sim = sim
        self.case = load_case(FILE, name)
        self.file = file
        self.answers: list[dict[str, Any]] = []
        self.upload_id = ""

    def setup(self) -> Replay:
        for request in fill(self.case["setup"].get("resource", [])):
            self.send(request["op"], request["params"])
        return self

    def feed(self) -> Replay:
        for request in fill(self.case["inputs"]):
            for _ in range(request.get("times", 1)):
                self.send(request["op"], request["params"])
        self.sim.run()
        return self

    def send(self, op: str, params: dict[str, Any]) -> dict[str, Any]:
        """The answer, or that of the error; with HTTP headers left out, as in the recordings."""
        service, _, operation = op.partition(":")
        if op == "sqs:SetQueueAttributes":
            return {}  # policies only: simbus lets services send
        if params.get("Body") == "ReadFileChunk":
            params = {**params, "Body": self.file}
        if "UploadId" in params:
            params = {**params, "UploadId": self.upload_id}
        try:
            answer = getattr(self.sim.client(service), xform_name(operation))(**params)
        except ClientError as error:
            answer = error.response
        self.upload_id = answer.get("UploadId", self.upload_id)
        status = answer["ResponseMetadata"]["HTTPStatusCode"]
        answer["ResponseMetadata"] = {"HTTPHeaders": {}, "HTTPStatusCode": status}
        self.answers.append(answer)
        return answer

    def records(self) -> list[Any]:
        """The records in the queue, without S3's test events."""
        bodies = [json.loads(message.body) for message in self.sim["sqs:queue-1"].messages]
        return [body["Records"][0] for body in bodies if "Records" in body]


@pytest.fixture
def sim() -> Iterator[Simulation]:
    with Simulation(account={"id": ACCOUNT}) as sim:
        yield sim


@pytest.mark.parametrize(
    ("name", "is_sorted"),
    [
        ("test_object_created_put", False),
        ("test_object_created_and_object_removed", True),
        ("test_object_created_complete_multipart_upload", False),
        ("test_key_encoding", False),
        ("test_object_tagging_delete_event", False),
        ("test_delete_objects", False),
        ("test_restore_object", False),
    ],
)
def test_messages_in_the_queue(sim: Simulation, name: str, is_sorted: bool) -> None:
    """TestS3NotificationsToSQS: what the requests of the case put into its queue."""
    records = Replay(sim, f"TestS3NotificationsToSQS::{name}", "1" * 6144).setup().feed().records()
    if is_sorted:
        records.sort(key=lambda record: record["eventName"])
    equal(load_case(FILE, f"TestS3NotificationsToSQS::{name}")["recorded"]["receive_messages"], {"messages": records})


@pytest.mark.parametrize("name", ["test_invalid_lambda_arn", "test_invalid_sqs_arn", "test_multiple_invalid_sqs_arns"])
def test_invalid_destinations(sim: Simulation, name: str) -> None:
    """The error documents of PutBucketNotificationConfiguration, as botocore shows them."""
    replay = Replay(sim, name).setup()
    recorded = {**replay.case["recorded_api"], **replay.case["recorded"]}
    kept = recorded.pop("skip_destination_validation", None)
    errors = [answer for answer in replay.answers if "Error" in answer]
    for expected, error in zip(recorded.values(), errors, strict=True):
        equal(expected, error)
    if kept is not None:
        equal(kept, replay.send("s3:GetBucketNotificationConfiguration", {"Bucket": "bucket-1"}))


def test_a_bucket_that_does_not_exist(sim: Simulation) -> None:
    """TestS3NotificationsToSns::test_bucket_not_exist."""
    replay = Replay(sim, "test_bucket_not_exist").setup()
    equal(replay.case["recorded_api"]["bucket_not_exists"], replay.answers[0])


def test_versions(sim: Simulation) -> None:
    """TestS3NotificationsToSQS::test_object_created_put_versioned: the answers of puts and deletes."""
    replay = Replay(sim, "test_object_created_put_versioned")
    *requests, suspend = fill(replay.case["setup"]["resource"])
    for request in requests:
        replay.send(request["op"], request["params"])
    inputs = [(each["op"], each["params"]) for each in fill(replay.case["inputs"])]

    def delete(version_id: str) -> dict[str, Any]:
        return replay.send("s3:DeleteObject", {"Bucket": "bucket-1", "Key": "test-key", "VersionId": version_id})

    one, two, marker = (replay.send(*each) for each in inputs[:3])
    deleted = delete(one["VersionId"])
    replay.send(suspend["op"], suspend["params"])
    null = replay.send(*inputs[4])
    unmarked = delete(marker["VersionId"])
    recorded, api = replay.case["recorded"], replay.case["recorded_api"]
    puts = {name: recorded[name] for name in ("obj-ver1", "obj-ver2", "del-delete-marker")}
    found = {"obj-ver1": one, "obj-ver2": two, "del-delete-marker": unmarked, "delete-marker": marker}
    equal({**puts, **api}, {**found, "delete-version": deleted, "add-null-version": null})


def test_configurations(sim: Simulation) -> None:
    """TestS3NotificationsToSQS::test_notifications_with_filter and test_filter_rules_empty_value."""
    replay = Replay(sim, "TestS3NotificationsToSQS::test_notifications_with_filter")
    found = []
    for request in fill(replay.case["setup"]["resource"]):
        replay.send(request["op"], request["params"])
        if request["op"] == "s3:PutBucketNotificationConfiguration":
            found.append(replay.send("s3:GetBucketNotificationConfiguration", {"Bucket": "bucket-1"}))
    recorded = replay.case["recorded_api"]
    for name, shown in zip(("config", "config_empty", "config_updated", "config_updated_filter"), found, strict=True):
        equal(recorded[name], shown)


def test_a_presigned_url(sim: Simulation) -> None:
    """TestS3NotificationsToSQS::test_object_created_put_with_presigned_url_upload: a PUT over HTTP is the same."""
    requests = pytest.importorskip("requests")
    replay = Replay(sim, "test_object_created_put_with_presigned_url_upload")
    queue = sim.queue("queue-1")
    bucket = sim.bucket("bucket-1", notifications=[{"queue": "queue-1", "events": ["s3:ObjectCreated:*"]}])
    params = {"Bucket": bucket.resource, "Key": "key-by-hostname"}
    url = sim.client("s3").generate_presigned_url("put_object", Params=params)
    assert requests.put(url, data="something", timeout=5).status_code == 200
    sim.run()
    assert len(queue.messages) == 2
    equal(replay.case["recorded"]["receive_messages"], {"messages": replay.records()})
