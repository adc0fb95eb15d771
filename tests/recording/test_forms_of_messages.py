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
        "which one is meant: --target RESOURCE. Correct it, or leave out what is broken with --skip-invalid."
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
