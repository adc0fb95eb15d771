"""Events of Lambda, EventBridge, CloudTrail, exports of DynamoDB, test events: done again at their sources."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from recording.forms import KINESIS, PUT, done, read, times

from simbus import Simulation, UsageError
from simbus.recording.source import open_input


def test_records_of_s3(shop: Simulation, tmp_path: Path) -> None:
    """User guide, "Event message structure": the key is URL-encoded, the content is not there."""

    def record(name: str, key: str, **more: Any) -> dict[str, Any]:
        about = {"bucket": {"name": "uploads"}, "object": {"key": key, **more}}
        return {"eventSource": "aws:s3", "eventTime": "2024-01-01T00:00:00.000Z", "eventName": name, "s3": about}

    event = {
        "Records": [
            record("ObjectCreated:Put", "a+b/%C3%A9.jpg", size=123),
            record("ObjectRemoved:Delete", "c"),
            record("s3:ObjectRestore:Completed", "d"),
        ]
    }
    source = read(shop, tmp_path / "s3.json", event)
    assert done(source) == [
        ("s3:uploads", "put_object", {"key": "a b/é.jpg", "size": 123}),
        ("s3:uploads", "delete_object", {"key": "c"}),
    ]
    assert list(source.notes()) == [
        "1 entry left out: an event of S3 that no operation causes again: ObjectRestore:Completed."
    ]


def test_records_of_sns_sqs_and_dynamodb(shop: Simulation, tmp_path: Path) -> None:
    """Developer guide, the events of each; a REMOVE deletes, what else happened is put as it was then."""
    sns = {
        "EventSource": "aws:sns",
        "Sns": {
            "TopicArn": "arn:aws:sns:us-east-1:9:alerts",
            "Message": "m",
            "Subject": None,
            "Timestamp": "2024-01-01T00:00:00.000Z",
            "MessageAttributes": {"a": {"Type": "String", "Value": "b"}, "c": {"Type": "Binary", "Value": "AA=="}},
        },
    }
    sqs = {
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:9:jobs",
        "body": "hello",
        "attributes": {"SentTimestamp": "1545082649183"},
        "messageAttributes": {"n": {"stringValue": "1", "dataType": "Number"}},
    }
    images = {"Keys": {"id": {"S": "1"}}, "NewImage": {"id": {"S": "1"}, "b": {"B": "AA=="}}}
    arn = "arn:aws:dynamodb:us-east-1:9:table/orders/stream/2024"
    rows = [
        {"eventSource": "aws:dynamodb", "eventSourceARN": arn, "eventName": "MODIFY", "dynamodb": images},
        {"eventSource": "aws:dynamodb", "eventSourceARN": arn, "eventName": "REMOVE", "dynamodb": images},
    ]
    lines = "\n".join(json.dumps({"Records": records}) for records in ([sns], [sqs], rows, [KINESIS]))
    texts = {"a": {"DataType": "String", "StringValue": "b"}, "c": {"DataType": "Binary", "BinaryValue": "AA=="}}
    number = {"n": {"DataType": "Number", "StringValue": "1"}}
    assert done(read(shop, tmp_path / "events.jsonl", lines)) == [  # in the order of their times
        PUT,
        ("sqs:jobs", "send_message", {"message_body": "hello", "message_attributes": number}),
        ("dynamodb:orders", "put_item", {"item": images["NewImage"]}),
        ("dynamodb:orders", "delete_item", {"key": images["Keys"]}),
        ("sns:alerts", "publish", {"message": "m", "message_attributes": texts}),
    ]


def test_a_notification_as_http_endpoints_get_it(shop: Simulation, tmp_path: Path) -> None:
    """SNS developer guide, "HTTP/HTTPS notification JSON format"."""
    posted = {"Type": "Notification", "MessageId": "a", "TopicArn": "arn:aws:sns:us-east-1:9:alerts", "Message": "m"}
    assert done(read(shop, tmp_path / "sns.json", posted)) == [("sns:alerts", "publish", {"message": "m"})]


def test_a_function_as_the_target_gets_the_event_whole(shop: Simulation, tmp_path: Path) -> None:
    """`--target lambda:name`: nothing is taken apart, nothing need be in the scenario."""
    event = {"Records": [{**KINESIS, "eventSourceARN": "arn:aws:kinesis:us-east-1:9:stream/nowhere"}]}
    found = done(read(shop, tmp_path / "event.json", event, targets=["lambda:other"]))
    assert found == [("lambda:other", "invoke", {"payload": event, "invocation_type": "Event"})]


def test_events_of_an_archive(shop: Simulation, tmp_path: Path) -> None:
    """User guide, "EventBridge event structure": one a line, or one after the other as Firehose writes them. They go to
    the one bus that has rules; what has a source of AWS is put as AWS puts it."""
    order = {"version": "0", "id": "a", "source": "shop", "detail-type": "order", "time": "2024-01-01T00:00:00Z",
             "resources": ["arn:x"], "detail": {"n": 1}}  # fmt: skip
    instance = {
        **order,
        "source": "aws.ec2",
        "detail-type": "EC2 Instance State-change",
        "time": "2024-01-01T00:01:00Z",
    }
    text = json.dumps(order) + json.dumps(instance) + "\n"
    source = read(shop, tmp_path / "archive.jsonl", text)
    assert source.format.name == "eventbridge"
    entry = {
        "source": "shop",
        "detail_type": "order",
        "detail": {"n": 1},
        "resources": ["arn:x"],
        "time": order["time"],
    }
    assert done(source) == [
        ("events:default", "put_events", {"entries": [entry]}),
        ("events:default", "put_aws_event", {"event": instance}),
    ]
    assert times(source) == [0, 60]


def test_events_of_aws_reach_their_rules(sim: Simulation, tmp_path: Path) -> None:
    """PutEvents refuses sources that begin with aws.; a replay puts them as the service did."""
    queue = sim.queue("jobs")
    sim.event_bus("default", rules={"ec2": {"event_pattern": {"source": ["aws.ec2"]}, "targets": [queue]}})
    event: dict[str, Any] = {"id": "a", "source": "aws.ec2", "detail-type": "stopped", "time": "2024-01-01T00:00:00Z"}
    event |= {"detail": {"n": 1}, "resources": ["arn:i"]}
    (tmp_path / "a.json").write_text(json.dumps(event))
    sim.replay(tmp_path / "a.json")
    sim.run()
    [found] = [json.loads(each.body) for each in queue.messages]
    assert {key: found[key] for key in ("source", "detail-type", "time", "detail", "resources")} == {
        key: event[key] for key in ("source", "detail-type", "time", "detail", "resources")
    }


def trail(source: str, name: str, when: int = 0, **more: Any) -> dict[str, Any]:
    """A record of CloudTrail ("CloudTrail record contents")."""
    return {
        "eventVersion": "1.09",
        "userIdentity": {"type": "IAMUser"},
        "eventTime": f"2024-01-01T00:00:{when:02}Z",
        "eventSource": f"{source}.amazonaws.com",
        "eventName": name,
        "eventID": "a",
        "managementEvent": False,
        "eventCategory": "Data",
        **more,
    }


def test_a_log_file_of_cloudtrail(shop: Simulation, tmp_path: Path) -> None:
    """Data events as far as they say what was done; what AWS did by itself happens again by itself; management events
    and what CloudTrail does not tell are counted. The files are .json.gz."""
    about = {"bucketName": "uploads", "key": "a b.jpg"}
    arn = "arn:aws:lambda:us-east-1:9:function:work"
    key = {"id": {"S": "1"}}
    records = [
        trail("s3", "PutObject", requestParameters=about, additionalEventData={"bytesTransferredIn": 10.0}),
        trail("s3", "DeleteObject", 1, requestParameters=about),
        trail("lambda", "Invoke", 2, requestParameters={"functionName": arn, "invocationType": "Event"}),
        trail(
            "lambda",
            "Invoke",
            3,
            requestParameters={"functionName": arn},
            userIdentity={"invokedBy": "s3.amazonaws.com"},
        ),
        trail("dynamodb", "PutItem", 4, requestParameters={"tableName": "orders", "key": key}),
        trail("dynamodb", "DeleteItem", 5, requestParameters={"tableName": "orders", "key": key}),
        trail("s3", "CreateBucket", 6, managementEvent=True, eventCategory="Management"),
        trail("s3", "ListBuckets", 6, managementEvent=True, eventCategory="Management"),
        trail("sns", "Publish", 7, requestParameters={"topicArn": "x", "message": "HIDDEN_DUE_TO_SECURITY_REASONS"}),
        trail("s3", "PutObject", 8, requestParameters=about, errorCode="AccessDenied"),
    ]
    source = read(shop, tmp_path / "trail.json.gz", gzip.compress(json.dumps({"Records": records}).encode()))
    assert source.format.name == "cloudtrail"
    assert done(source) == [
        ("s3:uploads", "put_object", {"key": "a b.jpg", "size": 10}),
        ("s3:uploads", "delete_object", {"key": "a b.jpg"}),
        ("lambda:work", "invoke", {"payload": {}, "invocation_type": "Event"}),
        ("dynamodb:orders", "put_item", {"item": key}),
        ("dynamodb:orders", "delete_item", {"key": key}),
    ]
    assert times(source) == [0, 1, 2, 4, 5]
    assert list(source.notes()) == [
        "1 entry left out: CloudTrail does not say enough of it: sns:Publish.",
        "2 entries left out: a management event.",
        "1 entry left out: a request that AWS refused.",
        "1 entry left out: done by a service of AWS: it happens again by itself.",
    ]


def test_a_file_of_a_dynamodb_export(shop: Simulation, tmp_path: Path) -> None:
    """Developer guide, "DynamoDB table export output format": lines of {"Item"}, in gzip; the only table is meant."""
    items = [{"id": {"S": str(n)}, "tags": {"SS": ["a", "b"]}} for n in range(3)]
    text = gzip.compress("\n".join(json.dumps({"Item": item}) for item in items).encode())
    source = read(shop, tmp_path / "part.json.gz", text)
    assert source.format.name == "dynamodb-export"
    assert done(source) == [("dynamodb:orders", "put_item", {"item": item}) for item in items]


def test_a_whole_export(shop: Simulation, tmp_path: Path) -> None:
    """The same page: the manifests name the table and the data files, which have keys of the bucket."""
    folder = tmp_path / "01234-abcd"
    (folder / "data").mkdir(parents=True)
    shop.table("items", hash_key="id")
    arn = "arn:aws:dynamodb:us-east-1:9:table/items"
    (folder / "manifest-summary.json").write_text(json.dumps({"tableArn": arn, "outputFormat": "DYNAMODB_JSON"}))
    lines = []
    for name in ("b.json.gz", "a.json.gz"):
        item = {"id": {"S": name}}
        (folder / "data" / name).write_bytes(gzip.compress(json.dumps({"Item": item}).encode()))
        lines.append(json.dumps({"itemCount": 1, "dataFileS3Key": f"prefix/AWSDynamoDB/01234-abcd/data/{name}"}))
    (folder / "manifest-files.json").write_text("\n".join(lines))
    assert [(each[0], each[2]["item"]["id"]["S"]) for each in done(open_input(folder, shop))] == [
        ("dynamodb:items", "b.json.gz"),
        ("dynamodb:items", "a.json.gz"),
    ]
    (folder / "data" / "b.json.gz").unlink()
    with pytest.raises(UsageError, match=r"01234-abcd/manifest-files.json:1: .*b.json.gz does not exist"):
        open_input(folder, shop)


def test_an_incremental_export(shop: Simulation, tmp_path: Path) -> None:
    """The same page: the time of the write in microseconds; no new image is a delete."""

    def line(second: int, **images: Any) -> str:
        micros = str((1_700_000_000 + second) * 1_000_000)
        return json.dumps({"Metadata": {"WriteTimestampMicros": {"N": micros}}, "Keys": {"id": {"S": "1"}}, **images})

    text = "\n".join([line(0, NewImage={"id": {"S": "1"}}), line(30, OldImage={"id": {"S": "1"}})])
    source = read(shop, tmp_path / "part.json", text)
    assert [each[1] for each in done(source)] == ["put_item", "delete_item"]
    assert times(source) == [0, 30]


def test_a_directory_of_test_events(shop: Simulation, tmp_path: Path) -> None:
    """Each is what a function is invoked with, in the order of names; a folder may bear the name of its function."""
    folder = tmp_path / "events"
    (folder / "other").mkdir(parents=True)
    (folder / "b.json").write_text('{"n": 2}')
    (folder / "a.json").write_text("[1]")
    (folder / "other" / "c.json").write_text('"text"')
    source = open_input(folder, shop, targets=["lambda:work"])
    assert source.format.name == "test-events"
    assert [(each[0], each[2]["payload"]) for each in done(source)] == [
        ("lambda:work", [1]),
        ("lambda:work", {"n": 2}),
        ("lambda:other", "text"),
    ]
    (folder / "b.json").write_text("{")
    with pytest.raises(UsageError, match=r"events/b.json: "):
        open_input(folder, shop, targets=["lambda:work"])
