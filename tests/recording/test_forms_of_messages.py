"""Messages of a queue, and records of invocations: each goes back where it came from."""

from __future__ import annotations

import json
from pathlib import Path

from recording.forms import GAVE_UP, KINESIS, PUT, broken, done, message, read, times

from simbus import Simulation


def test_the_dlq_of_a_function(shop: Simulation, tmp_path: Path) -> None:
    """Developer guide, "Adding a dead-letter queue": the event itself, with RequestID, ErrorCode and ErrorMessage; it
    does not name the function: the only one with a DLQ is invoked, asynchronously, as it was."""
    dump = {"Messages": [message({"id": 1}, GAVE_UP), message({"id": 2}, GAVE_UP, sent=1500)]}
    source = read(shop, tmp_path / "dlq.json", dump)
    assert source.format.name == "sqs-messages"
    assert done(source) == [
        ("lambda:work", "invoke", {"payload": {"id": 1}, "invocation_type": "Event"}),
        ("lambda:work", "invoke", {"payload": {"id": 2}, "invocation_type": "Event"}),
    ]
    assert times(source) == [0, 1.5]


def test_the_dlq_of_two_functions_needs_a_target(shop: Simulation, tmp_path: Path) -> None:
    """The error names the candidates, the option says which."""
    shop.function("third", dead_letter_config="sqs:dead")
    dump = {"Messages": [message({"id": 1}, GAVE_UP)]}
    assert broken(shop, tmp_path / "dlq.json", dump) == (
        ":1: the message does not name the function that gave it up; candidates are lambda:work, lambda:third. Say "
        "which one is meant: --target RESOURCE, or leave such entries out with --skip-invalid."
    )
    assert done(read(shop, tmp_path / "dlq.json", dump, targets=["lambda:third"]))[0][0] == "lambda:third"


def test_the_dlq_of_a_queue(shop: Simulation, tmp_path: Path) -> None:
    """API reference, ReceiveMessage: DeadLetterQueueSourceArn is the queue that gave it up; the account is another."""
    arn = "arn:aws:sqs:eu-west-1:999999999999:jobs"
    dump = message("hello", {"kind": "a"}, DeadLetterQueueSourceArn=arn)
    dump["MessageAttributes"]["raw"] = {"DataType": "Binary", "BinaryValue": "AAE="}
    assert done(read(shop, tmp_path / "dlq.json", dump)) == [
        (
            "sqs:jobs",
            "send_message",
            {
                "message_body": "hello",
                "message_attributes": {
                    "kind": {"DataType": "String", "StringValue": "a"},
                    "raw": {"DataType": "Binary", "BinaryValue": "AAE="},
                },
            },
        )
    ]


def test_messages_without_attributes_go_to_the_queue_that_has_a_dlq(shop: Simulation, tmp_path: Path) -> None:
    """As `aws sqs receive-message` prints without options; several dumps in one file; an empty one between."""
    plain = {"Messages": [{"MessageId": "a", "ReceiptHandle": "b", "MD5OfBody": "c", "Body": "hello"}]}
    text = "\n".join([json.dumps(plain, indent=4), "{}", json.dumps(plain, indent=4)])
    assert done(read(shop, tmp_path / "a.json", text)) == [("sqs:jobs", "send_message", {"message_body": "hello"})] * 2


def test_fifo_messages_keep_their_group(shop: Simulation, tmp_path: Path) -> None:
    """MessageGroupId and MessageDeduplicationId of a FIFO queue."""
    arn = "arn:aws:sqs:eu-west-1:999999999999:jobs.fifo"
    dump = message("a", DeadLetterQueueSourceArn=arn, MessageGroupId="g", MessageDeduplicationId="d")
    [(resource, _, arguments)] = done(read(shop, tmp_path / "dlq.json", dump))
    assert resource == "sqs:jobs.fifo"
    assert (arguments["message_group_id"], arguments["message_deduplication_id"]) == ("g", "d")


def test_the_dlq_of_a_rule(shop: Simulation, tmp_path: Path) -> None:
    """EventBridge user guide, "Using dead-letter queues": RULE_ARN says on which bus the event was."""
    attributes = {
        "RULE_ARN": "arn:aws:events:us-east-1:9:rule/shop/big",
        "TARGET_ARN": "x",
        "ERROR_CODE": "NO_RESOURCE",
    }
    event = {"version": "0", "id": "a", "source": "shop", "detail-type": "order", "detail": {"n": 1}, "resources": []}
    [(resource, verb, arguments)] = done(read(shop, tmp_path / "dlq.json", message(event, attributes)))
    assert (resource, verb) == ("events:shop", "put_events")
    assert arguments == {"entries": [{"source": "shop", "detail_type": "order", "detail": {"n": 1}}]}


CONTEXT = {
    "requestId": "a",
    "functionArn": "arn:aws:lambda:us-east-1:9:function:work:live",
    "condition": "RetriesExhausted",
    "approximateInvokeCount": 3,
}
RECORD = {
    "version": "1.0",
    "timestamp": "2024-05-01T10:00:00.000Z",
    "requestContext": CONTEXT,
    "requestPayload": {"id": 1},
    "responseContext": {"statusCode": 200, "executedVersion": "1", "functionError": "Unhandled"},
    "responsePayload": {"errorType": "KeyError", "errorMessage": "'city'"},
}
INVOKED = ("lambda:work", "invoke", {"payload": {"id": 1}, "invocation_type": "Event", "qualifier": "live"})


def test_records_of_invocations(shop: Simulation, tmp_path: Path) -> None:
    """Developer guide, "Capturing records of Lambda asynchronous invocations": requestPayload, and which function; in a
    file of their own (an S3 destination), or as the body of a message (an SQS destination)."""
    source = read(shop, tmp_path / "record.json", RECORD)
    assert source.format.name == "destination"
    assert done(source) == [INVOKED]
    assert done(read(shop, tmp_path / "queue.json", {"Messages": [message(RECORD)]})) == [INVOKED]


BATCH = {
    "shardId": "shardId-000000000000",
    "startSequenceNumber": "49",
    "endSequenceNumber": "50",
    "batchSize": 2,
    "streamArn": "arn:aws:kinesis:us-east-1:9:stream/clicks",
}


def test_a_streams_failure_without_its_records(shop: Simulation, tmp_path: Path) -> None:
    """Developer guide, "Retaining discarded batch records": it says where they were, not what they held."""
    failure = {"version": "1.0", "requestContext": CONTEXT, "KinesisBatchInfo": BATCH}
    text = broken(shop, tmp_path / "dlq.json", {"Messages": [message(failure)]})
    assert text.startswith(
        ":1: the record says where 2 records were (shardId-000000000000, from 49 on) and not what they"
    )
    assert "only an on-failure destination in S3 keeps them" in text


def test_a_streams_failure_in_s3_has_its_records(shop: Simulation, tmp_path: Path) -> None:
    """The same page: `payload` is the invocation's event, as a text."""
    failure = {"requestContext": CONTEXT, "KinesisBatchInfo": BATCH, "payload": json.dumps({"Records": [KINESIS] * 2})}
    assert done(read(shop, tmp_path / "failure.json", failure)) == [PUT, PUT]
    function = read(shop, tmp_path / "failure.json", failure, targets=["lambda:other"])
    assert [(each[0], each[1]) for each in done(function)] == [("lambda:other", "invoke")]


ARN = "arn:aws:sns:us-east-1:9:alerts"
NOTIFICATION = {
    "Type": "Notification",
    "MessageId": "5f1e",
    "TopicArn": ARN,
    "Message": "hello",
    "Timestamp": "2023-11-14T22:13:20.000Z",
    "SignatureVersion": "1",
    "Signature": "E==",
    "SigningCertURL": "https://sns/x.pem",
    "UnsubscribeURL": f"https://sns/?Action=Unsubscribe&SubscriptionArn={ARN}:6b0e71bd",
}


def test_a_notification_goes_to_its_topic_or_as_it_is_to_a_queue(shop: Simulation, tmp_path: Path) -> None:
    """SNS developer guide, "Amazon SNS dead-letter queues": the body is the notification. Without a target it is
    published again; on a queue that is the target it is put as a subscription puts it there."""
    dump = {"Messages": [message(NOTIFICATION)]}
    assert done(read(shop, tmp_path / "a.json", dump)) == [("sns:alerts", "publish", {"message": "hello"})]
    for target in ("sqs:jobs", "alerts=sqs:jobs"):
        sent = [("sqs:jobs", "send_message", {"message_body": json.dumps(NOTIFICATION)})]
        assert done(read(shop, tmp_path / "a.json", dump, targets=[target])) == sent
    record = {"EventSource": "aws:sns", "Sns": {**NOTIFICATION, "Subject": None, "MessageAttributes": {}}}
    [(_, _, given)] = done(read(shop, tmp_path / "e.json", {"Records": [record]}, targets=["sqs:jobs"]))
    assert json.loads(given["message_body"]) == NOTIFICATION


def test_a_notification_for_a_function_is_the_event_of_its_topic(shop: Simulation, tmp_path: Path) -> None:
    """Developer guide, "Using Lambda with Amazon SNS": Subject and MessageAttributes are always there, the URLs are
    written SigningCertUrl and UnsubscribeUrl."""
    for text in ({"Messages": [message(NOTIFICATION)]}, NOTIFICATION):
        [(resource, verb, given)] = done(read(shop, tmp_path / "a.json", text, targets=["lambda:other"]))
        assert (resource, verb, given["invocation_type"]) == ("lambda:other", "invoke", "Event")
        [record] = given["payload"]["Records"]
        assert (record["EventSource"], record["EventSubscriptionArn"]) == ("aws:sns", f"{ARN}:6b0e71bd")
        assert (
            record["Sns"].items()
            >= {"Message": "hello", "Subject": None, "SigningCertUrl": "https://sns/x.pem"}.items()
        )
        assert "SigningCertURL" not in record["Sns"]
        assert record["Sns"]["MessageAttributes"] == {}


def test_a_message_for_a_function_is_the_event_of_its_queue(shop: Simulation, tmp_path: Path) -> None:
    """Developer guide, "Using Lambda with Amazon SQS"; the queue that gave it up, or that the function reads."""
    arn = "arn:aws:sqs:eu-west-1:999999999999:jobs"
    dump = message("hello", {"kind": "a"}, DeadLetterQueueSourceArn=arn, ApproximateReceiveCount="4")
    [(resource, verb, given)] = done(read(shop, tmp_path / "a.json", dump, targets=["lambda:other"]))
    assert (resource, verb, given["invocation_type"]) == ("lambda:other", "invoke", "Event")
    [record] = given["payload"]["Records"]
    assert record["attributes"]["ApproximateReceiveCount"] == "4"
    assert record["messageAttributes"]["kind"] == {
        "stringValue": "a", "stringListValues": [], "binaryListValues": [], "dataType": "String"
    }  # fmt: skip
    assert (record["body"], record["md5OfBody"]) == ("hello", "5d41402abc4b2a76b9719d911017c592")
    assert (record["eventSource"], record["eventSourceARN"], record["awsRegion"]) == ("aws:sqs", arn, "eu-west-1")

    plain = {"Messages": [message("hello")]}
    text = broken(shop, tmp_path / "b.json", plain, targets=["lambda:other"])
    assert text.startswith(":1: the message does not name its queue, and lambda:other reads 0 queues. Name the queue ")
    shop.event_source_mapping("sqs:jobs", "lambda:other")
    [(_, _, given)] = done(read(shop, tmp_path / "b.json", plain, targets=["lambda:other"]))
    assert given["payload"]["Records"][0]["eventSourceARN"] == "arn:aws:sqs:us-east-1:000000000000:jobs"


def test_every_message_goes_to_the_queue_that_is_the_target(shop: Simulation, tmp_path: Path) -> None:
    """Whatever gave it up: a message is put on a queue as it is."""
    dump = {"Messages": [message({"id": 1}, GAVE_UP), message(RECORD), message("a", DeadLetterQueueSourceArn="x")]}
    found = done(read(shop, tmp_path / "a.json", dump, targets=["sqs:dead"]))
    assert [(resource, verb) for resource, verb, _ in found] == [("sqs:dead", "send_message")] * 3
    assert found[0][2]["message_attributes"]["ErrorMessage"]["StringValue"] == "no city"
