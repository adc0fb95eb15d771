"""SQS standard queues: reference section 7.5, SQS API reference and developer guide, recordings named per test."""

from __future__ import annotations

import asyncio
import json
from hashlib import md5
from typing import Any

import pytest
from worlds import Worldlet

from simbus import Simulation
from simbus.errors import AwsError, UsageError
from simbus.kernel import MINUTE, SECOND
from simbus.kernel.loop import run
from simbus.kernel.sleeping import sleep
from simbus.world import Delivery


def refused(code: str, message: str, call: Any, *args: Any, **kwargs: Any) -> AwsError:
    with pytest.raises(AwsError) as caught:
        call(*args, **kwargs)
    assert (caught.value.code, caught.value.message) == (code, message)
    return caught.value


def test_a_message_is_sent_received_and_deleted():
    """SendMessage and ReceiveMessage answer with the MD5 of the body (SQS API reference)."""
    w = Worldlet()
    queue = w.queue("jobs")
    sent = queue.send_message("hello")
    assert sent == {"MessageId": sent["MessageId"], "MD5OfMessageBody": md5(b"hello").hexdigest()}
    (got,) = queue.receive_messages()
    assert (got.message_id, got.body, got.md5_of_body) == (sent["MessageId"], "hello", sent["MD5OfMessageBody"])
    assert list(got.attributes) == [
        "ApproximateReceiveCount",
        "SentTimestamp",
        "SenderId",
        "ApproximateFirstReceiveTimestamp",
    ]
    assert got.attributes["SentTimestamp"] == "1767225600000"
    assert queue.receive_messages() == []
    queue.delete_message(got.receipt_handle)
    assert queue.messages == []
    queue.delete_message(got.receipt_handle)  # again is no error
    w.timeline.run()
    assert w.timeline.now == 0  # a deleted message holds no run open
    (row,) = w.rows.messages
    assert (row[0], row[1], row[3], row[4], row[5], row[7]) == ("jobs", got.message_id, 1, "hello", "{}", "deleted")
    assert json.loads(row[6])["ApproximateReceiveCount"] == "1"


def test_md5_of_message_attributes():
    """The digest of the attributes is AWS's: recorded in TestLambdaDLQ-like messages, checked here part by part."""
    queue = Worldlet().queue("jobs")
    attributes = {
        "n": {"DataType": "Number", "StringValue": "6"},
        "b": {"DataType": "Binary", "BinaryValue": b"\x01\x02"},
    }
    plain = (
        b"\0\0\0\1b\0\0\0\6Binary\2\0\0\0\2\1\2"  # names in order
        b"\0\0\0\1n\0\0\0\6Number\1\0\0\0\0016"
    )
    sent = queue.send_message("x", message_attributes=attributes)
    assert sent["MD5OfMessageAttributes"] == md5(plain).hexdigest()
    assert queue.receive_messages()[0].md5_of_message_attributes == md5(plain).hexdigest()
    assert queue.receive_messages() == []


def test_md5_of_message_system_attributes():
    """SendMessage answers the digest of AWSTraceHeader, too (API reference: MD5OfMessageSystemAttributes)."""
    queue = Worldlet().queue("jobs")
    header = {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-0"}}
    plain = b"\0\0\0\x0eAWSTraceHeader\0\0\0\6String\1\0\0\0\x08Root=1-0"
    digest = md5(plain).hexdigest()
    assert queue.send_message("x", message_system_attributes=header)["MD5OfMessageSystemAttributes"] == digest
    entry = {"id": "a", "message_body": "x", "message_system_attributes": header}
    assert queue.send_message_batch([entry])["Successful"][0]["MD5OfMessageSystemAttributes"] == digest
    assert "MD5OfMessageSystemAttributes" not in queue.send_message("x")


def test_a_message_reappears_after_the_visibility_timeout_and_counts_its_receives():
    """LS:esm-sqs::test_failing_lambda_retries_after_visibility_timeout: the count grows with each receive."""
    w = Worldlet()
    queue = w.queue("jobs", visibility_timeout=30)
    queue.send_message("a")
    first = queue.receive_messages()[0]
    w.timeline.run(until=30 * SECOND - 1)
    assert queue.receive_messages() == []
    w.timeline.run(until=30 * SECOND)
    second = queue.receive_messages(visibility_timeout=5)[0]
    assert second.message_id == first.message_id
    assert second.receipt_handle != first.receipt_handle
    assert (first.receive_count, second.receive_count) == (1, 2)
    assert second.attributes["ApproximateFirstReceiveTimestamp"] == first.attributes["ApproximateFirstReceiveTimestamp"]
    w.timeline.run()
    assert w.timeline.now == 35 * SECOND  # an in-flight message holds the run open, a visible one does not


def test_an_old_receipt_handle_still_deletes_on_a_standard_queue():
    """LS:sqs::test_delete_after_visibility_timeout."""
    w = Worldlet()
    queue = w.queue("jobs", visibility_timeout=1)
    queue.send_message("a")
    handle = queue.receive_messages()[0].receipt_handle
    w.timeline.run(until=2 * SECOND)
    queue.delete_message(handle)
    assert queue.messages == []
    assert queue.receive_messages() == []


def test_a_foreign_receipt_handle_is_invalid():
    """ReceiptHandleIsInvalid (SQS API reference)."""
    w = Worldlet()
    queue, other = w.queue("jobs"), w.queue("other")
    other.send_message("a")
    handle = other.receive_messages()[0].receipt_handle
    for bad in (handle, "nonsense", ""):
        refused(
            "ReceiptHandleIsInvalid",
            f'The input receipt handle "{bad}" is not a valid receipt handle.',
            queue.delete_message,
            bad,
        )


def test_change_message_visibility():
    """0 makes a message visible at once; a message that is not in flight can't be changed; 12 hours is the end."""
    w = Worldlet()
    queue = w.queue("jobs")
    queue.send_message("a")
    handle = queue.receive_messages()[0].receipt_handle
    queue.change_message_visibility(handle, 0)
    with pytest.raises(AwsError, match="not available for visibility timeout change"):
        queue.change_message_visibility(handle, 10)
    handle = queue.receive_messages()[0].receipt_handle
    queue.change_message_visibility(handle, 100)
    w.timeline.run(until=99 * SECOND)
    assert queue.messages[0].state == "in_flight"
    with pytest.raises(AwsError, match="beyond the limit"):
        queue.change_message_visibility(handle, 43_200)
    with pytest.raises(AwsError, match="Must be between 0 and 43200"):
        queue.change_message_visibility(handle, 43_201)
    w.timeline.run()
    assert (w.timeline.now, queue.messages[0].state) == (100 * SECOND, "visible")


def test_delays():
    """A message's own DelaySeconds goes before the queue's; a delayed message holds the run open."""
    w = Worldlet()
    queue = w.queue("jobs", delay_seconds=5)
    queue.send_message("queue")
    queue.send_message("own", delay_seconds=10)
    queue.send_message("none", delay_seconds=0)
    assert [m.state for m in queue.messages] == ["delayed", "delayed", "visible"]
    assert [m.body for m in queue.receive_messages(10, visibility_timeout=900)] == ["none"]
    w.timeline.run(until=5 * SECOND)
    assert [m.body for m in queue.receive_messages(10, visibility_timeout=900)] == ["queue"]
    w.timeline.run(until=10 * SECOND)
    assert [m.body for m in queue.receive_messages(10, visibility_timeout=900)] == ["own"]
    refused(
        "InvalidParameterValue",
        "Value 901 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.",
        queue.send_message,
        "x",
        delay_seconds=901,
    )


def test_retention():
    """A message leaves the queue when it is as old as the retention period, in flight or not; nobody waits for it."""
    w = Worldlet()
    queue = w.queue("jobs", message_retention_period=60)
    queue.send_message("a")
    w.timeline.run(until=30 * SECOND)
    queue.send_message("b")
    w.timeline.run()
    assert w.timeline.now == 30 * SECOND
    w.timeline.run(until=59 * SECOND)
    assert len(queue.messages) == 2
    queue.receive_messages(10, visibility_timeout=43_200)
    w.timeline.run(until=60 * SECOND)
    assert [m.body for m in queue.messages] == ["b"]
    w.timeline.run(until=90 * SECOND)
    assert queue.messages == []
    assert [(row[4], row[7]) for row in w.rows.messages] == [("a", "expired"), ("b", "expired")]
    w.timeline.run()
    assert w.timeline.now == 90 * SECOND


def test_retention_can_be_changed_for_standing_messages():
    """SetQueueAttributes: a new retention period holds for the messages in the queue (SQS API reference)."""
    w = Worldlet()
    queue = w.queue("jobs")
    queue.send_message("a")
    queue.set_queue_attributes(message_retention_period=60)
    w.timeline.run(until=61 * SECOND)
    assert queue.messages == []


def test_redrive_on_the_receive_that_would_exceed_max_receive_count():
    """LS:sqs::test_dead_letter_queue_max_receive_count: with 1 and visibility 0 the second receive finds nothing and
    the message is in the DLQ with the same id; LS:sqs::test_dead_letter_queue_message_attributes: the count goes on
    and DeadLetterQueueSourceArn appears."""
    w = Worldlet()
    dead = w.queue("dead")
    queue = w.queue("jobs", redrive_policy={"dead_letter_target_arn": "sqs:dead", "max_receive_count": 1})
    attributes = {"k": {"DataType": "String", "StringValue": "v"}}
    sent = queue.send_message("a", message_attributes=attributes)
    assert len(queue.receive_messages(visibility_timeout=0)) == 1
    assert len(queue.messages) == 1  # it moves at the next receive, not before
    assert queue.receive_messages() == []
    assert queue.messages == []
    (got,) = dead.receive_messages()
    assert (got.message_id, got.body, got.message_attributes) == (sent["MessageId"], "a", attributes)
    assert (got.receive_count, got.attributes["DeadLetterQueueSourceArn"]) == (2, queue.arn)
    dead.final_rows()
    queue.final_rows()
    assert [(row[0], row[3], row[7]) for row in w.rows.messages] == [("jobs", 1, "redriven"), ("dead", 2, "in_flight")]
    assert [hop[2:4] for hop in w.rows.hops] == [("redrive", "sqs:dead")]


def test_a_dead_letter_keeps_the_time_at_which_it_was_sent():
    """Standard queues: retention of a dead letter counts from the original enqueue time (SQS developer guide)."""
    w = Worldlet()
    dead = w.queue("dead", message_retention_period=100)
    queue = w.queue("jobs", redrive_policy={"dead_letter_target_arn": "sqs:dead", "max_receive_count": 1})
    queue.send_message("a")
    w.timeline.run(until=20 * SECOND)
    dead.send_message("younger")
    w.timeline.run(until=60 * SECOND)
    queue.receive_messages(visibility_timeout=0)
    queue.receive_messages()
    w.timeline.run(until=100 * SECOND)
    assert [m.body for m in dead.messages] == ["younger"]
    w.timeline.run(until=120 * SECOND)
    assert dead.messages == []


def test_redrive_policies_are_checked():
    """SQS API reference, SetQueueAttributes: the DLQ exists, has the same type and lets the source use it.

    GetQueueAttributes shows the queues of both policies by ARN, whatever they were called.
    """
    w = Worldlet()
    queue = w.queue("jobs")
    w.queue("dead.fifo", fifo_queue=True)
    w.queue("closed", redrive_allow_policy={"redrive_permission": "denyAll"})
    open_ = w.queue("open", redrive_allow_policy={"redrive_permission": "byQueue", "source_queue_arns": ["sqs:jobs"]})

    def policy(arn: str, count: int = 3) -> dict[str, Any]:
        return {"dead_letter_target_arn": arn, "max_receive_count": count}

    for arn, reason in [
        ("sqs:absent", "does not exist"),
        ("sqs:dead.fifo", "same type"),
        ("sqs:closed", "does not permit"),
        ("sqs:jobs", "its own"),
    ]:
        with pytest.raises(AwsError, match=reason):
            queue.set_queue_attributes(redrive_policy=policy(arn))
    with pytest.raises(AwsError, match="valid values are from 1 to 1000 both inclusive"):
        queue.set_queue_attributes(redrive_policy=policy("sqs:open", 0))
    queue.set_queue_attributes(redrive_policy=policy("sqs:open"))
    assert json.loads(queue.get_queue_attributes(["RedrivePolicy"])["RedrivePolicy"]) == {
        "deadLetterTargetArn": queue.arn.replace("jobs", "open"),
        "maxReceiveCount": 3,
    }
    allowed = json.loads(open_.get_queue_attributes()["RedriveAllowPolicy"])
    assert allowed["sourceQueueArns"] == [queue.arn]
    late = w.queue("late", redrive_policy=policy("sqs:never", 1))
    late.send_message("a")
    late.receive_messages(visibility_timeout=0)
    with pytest.raises(UsageError, match=":never; that must be another queue"):
        late.receive_messages()


def test_a_redrive_policy_that_is_refused_is_shown_as_json():
    """The answers that users quote (serverless/serverless#5215 and others): the policy as JSON; two full stops."""
    with Simulation() as sim:
        sim.queue("dead.fifo", fifo_queue=True)
        arn = "arn:aws:sqs:us-east-1:000000000000:dead.fifo"
        with pytest.raises(AwsError) as caught:
            sim.queue("jobs", redrive_policy={"dead_letter_target_arn": "sqs:dead.fifo", "max_receive_count": 3})
    assert (caught.value.code, caught.value.message) == (
        "InvalidParameterValue",
        f'Value {{"deadLetterTargetArn":"{arn}","maxReceiveCount":3}} for parameter RedrivePolicy is invalid. Reason: '
        "Dead-letter queue must be same type of queue as the source..",
    )


def test_long_poll_outside_a_handler_plays_the_timeline():
    """WaitTimeSeconds: the call returns as soon as a message is there, or empty when the time is over."""
    w = Worldlet()
    queue = w.queue("jobs", receive_message_wait_time_seconds=20)
    w.timeline.at(3 * SECOND, lambda _: queue.send_message("a"))
    assert [m.body for m in queue.receive_messages()] == ["a"]
    assert w.timeline.now == 3 * SECOND
    assert queue.receive_messages(wait_time_seconds=1) == []
    assert w.timeline.now == 4 * SECOND
    assert queue.receive_messages(wait_time_seconds=0) == []


def test_long_polls_in_handlers_wait_for_the_same_message():
    """Two consumers wait; one gets the message, the other waits until its time is over."""
    w = Worldlet()
    queue = w.queue("jobs")
    w.timeline.at(SECOND, lambda _: queue.send_message("a"))
    w.actor("r1")
    assert [m.body for m in queue.receive_messages(wait_time_seconds=5)] == ["a"]
    assert queue.receive_messages(wait_time_seconds=5) == []
    assert w.timeline.now == 6 * SECOND


def test_limits_of_a_receive():
    """LS:sqs: AWS's texts for MaxNumberOfMessages and WaitTimeSeconds."""
    queue = Worldlet().queue("jobs")
    refused(
        "InvalidParameterValue",
        "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.",
        queue.receive_messages,
        11,
    )
    refused(
        "InvalidParameterValue",
        "Value 21 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided.",
        queue.receive_messages,
        wait_time_seconds=21,
    )


def test_bodies_that_are_refused():
    """LS:sqs: too long, empty, characters that XML does not allow."""
    queue = Worldlet().queue("jobs")
    queue.send_message("x" * 1_048_576)
    refused(
        "InvalidParameterValue",
        "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes.",
        queue.send_message,
        "x" * 1_048_577,
    )
    with pytest.raises(AwsError, match="shorter than 1048576"):
        queue.send_message("é" * 524_288, message_attributes={"a": {"DataType": "String", "StringValue": "v"}})
    refused("MissingParameter", "The request must contain the parameter MessageBody.", queue.send_message, "")
    queue.send_message("tab\t newline\n 🎉")


@pytest.mark.parametrize("around", ["a", "é"])
def test_characters_of_a_body(around: str):
    """SQS API reference, SendMessage: #x9, #xA, #xD, #x20 to #xD7FF, #xE000 to #xFFFD, #x10000 to #x10FFFF."""
    queue = Worldlet().queue("jobs")
    allowed = {0x9, 0xA, 0xD, *range(0x20, 0x100), 0xD7FF, 0xE000, 0xFFFD, 0x10000, 0x10FFFF}
    for code in (*range(0x100), 0xD7FF, 0xD800, 0xDFFF, 0xE000, 0xFFFD, 0xFFFE, 0xFFFF, 0x10000, 0x10FFFF):
        body = f"{around}{chr(code)}{around}"
        if code in allowed:
            queue.send_message(body)
        else:
            with pytest.raises(AwsError, match="Invalid characters found") as caught:
                queue.send_message(body)
            assert caught.value.code == "InvalidMessageContents"


@pytest.mark.parametrize(
    ("attributes", "what"),
    [
        ({f"a{n}": {"DataType": "String", "StringValue": "v"} for n in range(11)}, "exceeds the allowed maximum"),
        ({"a": {"DataType": "Text", "StringValue": "v"}}, "supported type prefixes"),
        ({"a": {"DataType": "String", "StringValue": ""}}, "non-empty value"),
        ({"a": {"DataType": "Number", "StringValue": "x"}}, "cast"),
        ({"AWS.x": {"DataType": "String", "StringValue": "v"}}, "is not valid"),
        ({"a..b": {"DataType": "String", "StringValue": "v"}}, "is not valid"),
    ],
)
def test_attributes_that_are_refused(attributes, what):
    """SQS developer guide, "Message attribute components"."""
    with pytest.raises(AwsError, match=what):
        Worldlet().queue("jobs").send_message("x", message_attributes=attributes)


def test_send_batch():
    """LS:sqs: 10 entries, 1 MiB in all, distinct ids; a bad entry fails alone."""
    queue = Worldlet().queue("jobs")
    code = "AWS.SimpleQueueService."
    answer = queue.send_message_batch(
        [{"Id": "a", "MessageBody": "1"}, {"id": "b", "message_body": "2", "delay_seconds": 901}]
    )
    assert [entry["Id"] for entry in answer["Successful"]] == ["a"]
    assert [(entry["Id"], entry["Code"], entry["SenderFault"]) for entry in answer["Failed"]] == [
        ("b", "InvalidParameterValue", True)
    ]
    refused(
        f"{code}TooManyEntriesInBatchRequest",
        "Maximum number of entries per request are 10. You have sent 20.",
        queue.send_message_batch,
        [{"id": str(n), "message_body": "x"} for n in range(20)],
    )
    refused(
        f"{code}BatchRequestTooLong",
        "Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes.",
        queue.send_message_batch,
        [{"id": "a", "message_body": "x" * 1_048_576}, {"id": "b", "message_body": "x"}],
    )
    refused(
        f"{code}BatchEntryIdsNotDistinct",
        "Id a repeated.",
        queue.send_message_batch,
        [{"id": "a", "message_body": "x"}, {"id": "a", "message_body": "y"}],
    )
    for entries, name in [([], "EmptyBatchRequest"), ([{"id": "a b", "message_body": "x"}], "InvalidBatchEntryId")]:
        with pytest.raises(AwsError) as caught:
            queue.send_message_batch(entries)
        assert caught.value.code == code + name
    with pytest.raises(UsageError, match="body"):
        queue.send_message_batch([{"id": "a", "body": "x"}])


def test_delete_and_hide_in_batches():
    """DeleteMessageBatch and ChangeMessageVisibilityBatch answer for each entry."""
    queue = Worldlet().queue("jobs")
    for n in range(3):
        queue.send_message(str(n))
    got = queue.receive_messages(10)
    hidden = queue.change_message_visibility_batch(
        [{"id": "0", "receipt_handle": got[0].receipt_handle, "visibility_timeout": 0}]
    )
    assert hidden == {"Successful": [{"Id": "0"}], "Failed": []}
    answer = queue.delete_message_batch(
        [{"id": str(n), "receipt_handle": m.receipt_handle} for n, m in enumerate(got)]
        + [{"id": "bad", "receipt_handle": "zzz"}]
    )
    assert [entry["Id"] for entry in answer["Successful"]] == ["0", "1", "2"]
    assert [entry["Code"] for entry in answer["Failed"]] == ["ReceiptHandleIsInvalid"]
    assert queue.messages == []


def test_purge():
    """LS:sqs: a second purge within 60 seconds is refused with 403."""
    w = Worldlet()
    queue = w.queue("jobs")
    queue.send_message("a")
    queue.send_message("b", delay_seconds=900)
    queue.purge_queue()
    assert queue.messages == []
    assert {row[7] for row in w.rows.messages} == {"deleted"}
    with pytest.raises(AwsError) as caught:
        queue.purge_queue()
    assert (caught.value.code, caught.value.status) == ("AWS.SimpleQueueService.PurgeQueueInProgress", 403)
    w.timeline.run(until=60 * SECOND)
    assert w.timeline.pending == 0
    queue.purge_queue()


def test_default_attributes():
    """LS:sqs::test_set_queue_attributes_default_values, recorded 10/12/2025."""
    queue = Worldlet().queue("jobs")
    found = queue.get_queue_attributes()
    assert {
        name: found[name] for name in found if not name.startswith(("Queue", "Approximate", "Created", "Last"))
    } == {
        "DelaySeconds": "0",
        "MaximumMessageSize": "1048576",
        "MessageRetentionPeriod": "345600",
        "ReceiveMessageWaitTimeSeconds": "0",
        "VisibilityTimeout": "30",
        "SqsManagedSseEnabled": "true",
    }
    queue.send_message("a")
    queue.send_message("b")
    queue.send_message("c", delay_seconds=9)
    queue.receive_messages()
    names = [f"ApproximateNumberOfMessages{what}" for what in ("", "NotVisible", "Delayed")]
    assert queue.get_queue_attributes(names) == dict.fromkeys(names, "1")
    refused("InvalidAttributeName", "Unknown Attribute Foo.", queue.get_queue_attributes, ["Foo"])


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("jobs", {"visibility_timeout": 43_201}),
        ("jobs", {"delay_seconds": -1}),
        ("jobs", {"message_retention_period": 59}),
        ("jobs", {"maximum_message_size": 1_048_577}),
        ("jobs", {"receive_message_wait_time_seconds": 21}),
        ("jobs", {"content_based_deduplication": True}),
        ("jobs", {"fifo_queue": True}),
        ("jobs.fifo", {}),
        ("a b", {}),
        ("x" * 81, {}),
        ("j.fifo", {"fifo_queue": True, "fifo_throughput_limit": "perMessageGroupId"}),
    ],
)
def test_attributes_and_names_out_of_range(name, settings):
    """CreateQueue (SQS API reference)."""
    with pytest.raises(AwsError):
        Worldlet().queue(name, **settings)


def test_an_unknown_attribute_is_named():
    """simbus refuses what it does not know, with a suggestion."""
    with pytest.raises(UsageError, match="Did you mean visibility_timeout"):
        Worldlet().queue("jobs", visibilty_timeout=3)


def test_one_change_event_for_each_message():
    """Contract: source, type and the request's parameters; the parent is the invocation that sent it."""
    w = Worldlet()
    queue = w.queue("jobs")
    w.actor("request-1", {"f": 1})
    sent = queue.send_message("a", delay_seconds=4)
    w.timeline.actor = None
    (event,) = w.rows.events
    assert event[2:6] == ("sqs:jobs", "SendMessage", sent["MessageId"], "request-1")
    assert json.loads(event[6]) == {"MessageBody": "a", "DelaySeconds": 4}
    assert (queue.messages[0].event_id, queue.messages[0].lineage) == (event[0], {"f": 1})


def test_a_delivery_becomes_a_message():
    """TestLambdaDestinationSqs::test_retries: Lambda's messages bear an AWSTraceHeader and its role's SenderId."""
    w = Worldlet()
    queue = w.queue("jobs")
    arn = "arn:aws:lambda:us-east-1:111111111111:function:charge:$LATEST"
    attributes = {"ErrorCode": {"DataType": "Number", "StringValue": "200"}}
    queue.accept(Delivery("{}", "lambda.amazonaws.com", arn, parent="r", lineage={"charge": 3}, attributes=attributes))
    (got,) = queue.receive_messages()
    assert (got.body, got.message_attributes) == ("{}", attributes)
    assert got.attributes["SenderId"].startswith("AROA")
    assert got.attributes["SenderId"].endswith(":charge")
    assert got.attributes["AWSTraceHeader"].startswith("Root=1-6955b900-")
    assert (got.message.parent, got.message.lineage) == ("r", {"charge": 3})
    with pytest.raises(AwsError, match="shorter than"):
        queue.accept(Delivery("x" * 1_048_577, "lambda.amazonaws.com", arn))


def test_an_outage_refuses_operations_and_deliveries():
    """503 is what services try again on."""
    w = Worldlet()
    queue = w.queue("jobs")
    queue.outage(MINUTE)
    for call in (lambda: queue.send_message("a"), lambda: queue.accept(Delivery("a", "s3.amazonaws.com", "arn"))):
        with pytest.raises(AwsError) as caught:
            call()
        assert caught.value.status == 503
    w.timeline.run(until=MINUTE)
    queue.send_message("a")


def test_listeners_hear_of_visible_and_ended_messages():
    """What an event source mapping builds on."""
    w = Worldlet()
    queue = w.queue("jobs")
    heard: list[Any] = []
    shown, ended = (lambda: heard.append("shown")), (lambda message, state: heard.append((message.body, state)))
    queue.listen(shown, ended)
    queue.send_message("a", delay_seconds=3)
    assert heard == []
    w.timeline.run()
    queue.delete_message(queue.receive_messages()[0].receipt_handle)
    assert heard == ["shown", ("a", "deleted")]
    queue.unlisten(shown, ended)
    queue.send_message("b")
    assert len(heard) == 2


def test_a_move_task_brings_dead_letters_back():
    """SQS developer guide, DLQ redrive: a moved message is a new one, with id, time and count of its own."""
    w = Worldlet()
    dead = w.queue("dead")
    queue = w.queue("jobs", redrive_policy={"dead_letter_target_arn": "sqs:dead", "max_receive_count": 1})
    old = [queue.send_message(str(n))["MessageId"] for n in range(3)]
    queue.receive_messages(10, visibility_timeout=0)
    queue.receive_messages(10)
    task = dead.start_message_move_task(max_number_of_messages_per_second=1)
    with pytest.raises(AwsError, match="already a task"):
        dead.start_message_move_task()
    w.timeline.run()
    assert (task.status, task.approximate_number_of_messages_moved, w.timeline.now) == ("COMPLETED", 3, 3 * SECOND)
    assert dead.messages == []
    assert [m.body for m in queue.messages] == ["0", "1", "2"]
    assert not set(old) & {m.message_id for m in queue.messages}
    assert {m.receive_count for m in queue.messages} == {0}


def test_a_move_task_without_a_source_fails():
    """A message that never was dead-lettered has no source to go back to."""
    w = Worldlet()
    dead = w.queue("dead")
    dead.send_message("a")
    with pytest.raises(AwsError, match="must be configured as a Dead Letter Queue"):
        dead.start_message_move_task()
    w.queue("jobs", redrive_policy={"dead_letter_target_arn": "sqs:dead", "max_receive_count": 1})
    task = dead.start_message_move_task()
    w.timeline.run()
    assert (task.status, len(dead.messages)) == ("FAILED", 1)
    assert task.failure_reason == "CouldNotDetermineMessageSource"
    other = dead.start_message_move_task("sqs:dead")
    other.cancel()
    w.timeline.run()
    assert (other.status, len(dead.messages)) == ("CANCELLED", 1)
    with pytest.raises(AwsError, match="doesn't exist"):
        dead.start_message_move_task("sqs:absent")


def test_memory_stays_flat():
    """A message that is gone is a row and nothing else."""
    w = Worldlet()
    queue = w.queue("jobs")
    for n in range(5000):
        queue.send_message(str(n))
        queue.delete_message(queue.receive_messages()[0].receipt_handle)
    assert queue.messages == []
    assert len(w.rows.messages) == 5000
    assert len(queue.store._ages) <= 65
    assert w.timeline.pending <= 2100


def test_async_twins_wait_in_virtual_time():
    """`areceive_messages` long-polls beside other tasks, on the timeline's own loop."""
    w = Worldlet()
    queue = w.queue("jobs")

    async def consume() -> list[str]:
        return [m.body for m in await queue.areceive_messages(10, wait_time_seconds=5)]

    async def produce() -> None:
        await sleep(2 * SECOND)
        await queue.asend_message("a")

    async def main() -> list[str]:
        consumer = asyncio.create_task(consume())
        await produce()
        got = await consumer
        assert await queue.areceive_messages(wait_time_seconds=1) == []
        return got

    assert run(w.timeline, main()) == ["a"]
    assert 2 * SECOND <= w.timeline.now - SECOND <= 2 * SECOND + 100_000_000


def test_characters_of_attribute_values():
    """Control characters are refused there as in a body, but with another code (LocalStack, validated on AWS:
    test_send_message_with_invalid_string_attributes)."""
    queue = Worldlet().queue("jobs")
    for kind, value in (("String", "a\x01"), ("String.x", "\ufffe")):
        attributes = {"a": {"DataType": kind, "StringValue": value}}
        text = (
            "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | "
            "#xE000 to #xFFFD | #x10000 to #x10FFFF"
        )
        refused("InvalidParameterValue", text, queue.send_message, "m", message_attributes=attributes)
    queue.send_message("m", message_attributes={"a": {"DataType": "Binary", "BinaryValue": b"\x01"}})
