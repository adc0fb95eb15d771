"""What a topic delivers, retries, gives up and settles."""

from __future__ import annotations

import json

import pytest
from sns_stubs import Box, Stage

from simbus.kernel import MINUTE, SECOND
from simbus.sources.sns.retry import RETRIES, delay_before
from simbus.world import Delivery

DAY = 86_400 * SECOND
PAGE = "https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html"


def test_lambda_event_to_the_byte() -> None:
    """The event of a function: Subject null, MessageAttributes {}, one record (reference section 7.4, `LS:sns`)."""
    stage = Stage()
    box = stage.box("lambda:charge")
    topic = stage.topic()
    arn = topic.subscribe(box)
    message_id = topic.publish('say "hi"\n')["MessageId"]
    (text,) = box.payloads
    sns = json.loads(text)["Records"][0]["Sns"]
    domain = "https://sns.us-east-1.amazonaws.com/"
    assert text == (
        f'{{"Records":[{{"EventSource":"aws:sns","EventVersion":"1.0","EventSubscriptionArn":"{arn}","Sns":{{'
        f'"Type":"Notification","MessageId":"{message_id}","TopicArn":"{topic.arn}","Subject":null,'
        f'"Message":"say \\"hi\\"\\n","Timestamp":"2026-01-01T00:00:00.000Z","SignatureVersion":"1",'
        f'"Signature":"{sns["Signature"]}","SigningCertUrl":"{sns["SigningCertUrl"]}",'
        f'"UnsubscribeUrl":"{domain}?Action=Unsubscribe&SubscriptionArn={arn}","MessageAttributes":{{}}}}}}]}}'
    )
    assert len(sns["Signature"]) == 344


def test_queue_body_to_the_byte() -> None:
    """The body of an SQS message, blanks included (AWS page sns-message-and-json-formats.html)."""
    stage = Stage()
    box = stage.box("sqs:jobs")
    topic = stage.topic(signature_version="2")
    arn = topic.subscribe("sqs:jobs")
    attributes = {"a": {"DataType": "String", "StringValue": "x"}, "b": {"DataType": "Binary", "BinaryValue": b"\x01"}}
    message_id = topic.publish("hello", subject="S", message_attributes=attributes)["MessageId"]
    (text,) = box.payloads
    body = json.loads(text)
    assert text == (
        f'{{\n  "Type" : "Notification",\n  "MessageId" : "{message_id}",\n  "TopicArn" : "{topic.arn}",\n'
        '  "Subject" : "S",\n  "Message" : "hello",\n  "Timestamp" : "2026-01-01T00:00:00.000Z",\n'
        f'  "SignatureVersion" : "2",\n  "Signature" : "{body["Signature"]}",\n'
        f'  "SigningCertURL" : "{body["SigningCertURL"]}",\n  "UnsubscribeURL" : "{body["UnsubscribeURL"]}",\n'
        '  "MessageAttributes" : {\n    "a" : {"Type":"String","Value":"x"},\n'
        '    "b" : {"Type":"Binary","Value":"AQ=="}\n  }\n}'
    )
    assert body["UnsubscribeURL"].endswith(arn)


def test_raw_delivery_keeps_binary_attributes() -> None:
    """Raw delivery sends the message as the body and its attributes as those of the SQS message (`LS:sns`)."""
    stage = Stage()
    box = stage.box("sqs:jobs")
    topic = stage.topic()
    topic.subscribe(box, raw_message_delivery=True)
    topic.publish("m", message_attributes={"b": {"DataType": "Binary.png", "BinaryValue": b"\x02\x03"}})
    assert box.payloads == ["m"]
    assert box.deliveries[0].attributes == {"b": {"DataType": "Binary.png", "BinaryValue": b"\x02\x03"}}


def test_each_protocol_gets_its_own_text() -> None:
    """MessageStructure json: the entry of the protocol, else `default` (test_message_structure_json_to_sqs)."""
    stage = Stage()
    function, queue = stage.box("lambda:f"), stage.box("sqs:q")
    topic = stage.topic()
    topic.subscribe(function)
    topic.subscribe(queue)
    topic.publish('{"default": "d", "sqs": "s", "email": "e"}', message_structure="json")
    assert function.texts == ["d"]
    assert queue.texts == ["s"]


def test_one_publish_is_one_event_and_one_settlement_per_queue() -> None:
    """A function settles its delivery itself, later; SNS is done when Lambda has accepted (202)."""
    stage = Stage()
    topic = stage.topic()
    topic.subscribe(stage.box("lambda:f"))
    topic.subscribe(stage.box("sqs:q"))
    message_id = topic.publish("m", subject="S")["MessageId"]
    ((event_id, time, source, kind, subject, parent, data),) = stage.rows.events
    assert (event_id, time, source, kind, subject, parent) == (
        message_id,
        1767225600000,
        "sns:orders",
        "Notification",
        "S",
        None,
    )
    assert json.loads(data)["Message"] == "m"
    assert stage.outcomes == [("sqs:q", "ok")]


def test_a_qualified_function_stays_qualified() -> None:
    """A subscription of an alias invokes that alias: EventSubscriptionArn and Endpoint keep the qualified ARN."""
    stage = Stage()
    plain, live = stage.box("lambda:f"), stage.box("lambda:f:live")
    topic = stage.topic()
    arn = topic.subscribe("lambda:f:live")
    topic.publish("m")
    assert (len(plain.deliveries), len(live.deliveries)) == (0, 1)
    assert topic.get_subscription_attributes(arn)["Endpoint"].endswith(":function:f:live")
    assert live.deliveries[0].subscription == "lambda:f"


def test_a_filtered_message_is_a_hop_and_no_delivery() -> None:
    """A message that a filter policy refuses is not delivered; the row names the key that refused it."""
    stage = Stage()
    topic = stage.topic()
    topic.subscribe(stage.box("sqs:q"), filter_policy={"kind": ["a"], "level": ["high"]})
    kind = {"DataType": "String", "StringValue": "a"}
    topic.publish("m", message_attributes={"kind": kind, "level": {"DataType": "String", "StringValue": "low"}})
    assert stage.outcomes == []
    assert stage.hops == [("filtered", "sqs:q", "MessageAttributes: level")]


def test_retry_schedule() -> None:
    """3 retries at once, 2 after 1 s, 10 from 1 to 20 s, then 100,000 every 20 s: 100,015 over 23 days (AWS's page)."""
    delays = [delay_before(retry) for retry in range(1, RETRIES + 2)]
    seconds = [round(delay / SECOND, 2) for delay in delays[:17] if delay is not None]
    assert seconds == [0, 0, 0, 1, 1, 1, 1.39, 1.95, 2.71, 3.79, 5.28, 7.37, 10.28, 14.34, 20, 20, 20]
    assert delays.pop() is None
    assert len(delays) == 100_015
    assert sum(delay or 0 for delay in delays) // DAY == 23


def test_a_server_side_failure_is_retried_until_the_endpoint_is_back() -> None:
    """Server-side failures are retried on the schedule; the message arrives once."""
    stage = Stage()
    box = stage.box("sqs:q")
    box.refuse = 503
    topic = stage.topic()
    topic.subscribe(box)
    topic.publish("m")
    stage.timeline.at(2 * SECOND + 1, lambda _: setattr(box, "refuse", None))
    stage.timeline.run()
    assert [round(at / SECOND) for at in box.tried_at] == [0, 0, 0, 0, 1, 2, 3]
    assert len(box.deliveries) == 1
    assert stage.outcomes == [("sqs:q", "ok")]
    assert [hop[0] for hop in stage.hops] == ["delivery_retry"] * 6


@pytest.mark.parametrize("dead_letters", [True, False])
def test_after_the_last_retry_a_message_is_a_dead_letter_or_dropped(dead_letters: bool) -> None:
    """When the 100,015 retries are used up SNS discards the message, unless the subscription has a DLQ (AWS's page)."""
    stage = Stage()
    box, failed = stage.box("sqs:q"), stage.box("sqs:failed")
    box.refuse = 500
    topic = stage.topic()
    topic.subscribe(box, redrive_policy={"dead_letter_target_arn": "sqs:failed"} if dead_letters else None)
    topic.publish("m")
    stage.timeline.run()
    assert len(box.tried_at) == RETRIES + 1
    assert stage.timeline.now // DAY == 23
    assert stage.outcomes == [("sqs:q", "dead_letter" if dead_letters else "dropped")]
    assert failed.texts == (["m"] if dead_letters else [])
    assert len(stage.rows.hops) < 20


@pytest.mark.parametrize("protocol", ["sqs", "lambda"])
def test_a_client_side_failure_is_not_retried(protocol: str) -> None:
    """A deleted endpoint or a 4xx answer goes to the DLQ at once, in the SQS form (test_redrive_policy_...)."""
    stage = Stage()
    box, failed = stage.box(f"{protocol}:x"), stage.box("sqs:failed")
    box.refuse = 403
    topic = stage.topic()
    topic.subscribe(box, redrive_policy={"deadLetterTargetArn": failed.arn})
    topic.publish("refused")
    stage.remove(box)
    topic.publish("gone")
    assert failed.texts == ["refused", "gone"]
    assert [body["Type"] for body in failed.bodies] == ["Notification", "Notification"]
    assert stage.timeline.pending == 0
    assert stage.outcomes == [(f"{protocol}:x", "dead_letter")] * 2


def test_without_a_dead_letter_queue_it_is_dropped() -> None:
    """No redrive policy: the message is lost, and the rows say why."""
    stage = Stage()
    topic = stage.topic()
    topic.subscribe("sqs:nowhere")
    topic.publish("m")
    arn = stage.world.arn("sqs", "nowhere")
    assert stage.outcomes == [("sqs:nowhere", "dropped")]
    assert stage.hops == [("dropped", "sqs:nowhere", f"ResourceNotFoundException: {arn} does not exist")]


def test_a_missing_dead_letter_queue_loses_the_message() -> None:
    """A DLQ that is gone takes nothing: dropped, also where the endpoint is its own DLQ."""
    stage = Stage()
    topic = stage.topic()
    topic.subscribe("sqs:x", redrive_policy={"dead_letter_target_arn": "sqs:x"})
    topic.publish("m")
    assert stage.outcomes == [("sqs:x", "dropped")]


def test_a_fifo_group_waits_behind_a_message_that_is_retried() -> None:
    """Within a message group the order holds while a delivery is retried; other groups go on
    (docs.aws.amazon.com/sns/latest/dg/fifo-message-delivery.html)."""
    stage = Stage()
    box = stage.box("sqs:q.fifo")
    topic = stage.fifo_topic()
    topic.subscribe(box)
    box.refuse = 503
    topic.publish("a1", message_group_id="a")
    topic.publish("a2", message_group_id="a")
    box.refuse = None
    topic.publish("a3", message_group_id="a")
    topic.publish("b1", message_group_id="b")
    stage.timeline.run()
    assert box.texts == ["b1", "a1", "a2", "a3"]


def test_a_fifo_duplicate_within_five_minutes() -> None:
    """The topic remembers a deduplication id for 5 minutes and answers as the first time (recorded)."""
    stage = Stage()
    box = stage.box("sqs:q.fifo")
    topic = stage.fifo_topic()
    topic.subscribe(box)
    first = topic.publish("m", message_group_id="a")
    stage.timeline.run(5 * MINUTE - 1)
    assert topic.publish("m", message_group_id="b") == first
    stage.timeline.run(5 * MINUTE)
    later = topic.publish("m", message_group_id="a")
    assert later["SequenceNumber"] > first["SequenceNumber"]
    assert box.texts == ["m", "m"]
    assert [hop[0] for hop in stage.hops] == ["duplicate"]


def test_a_group_of_a_standard_topic_reaches_standard_queues() -> None:
    """On a standard topic MessageGroupId is optional and is forwarded to SQS standard queues only (Publish API)."""
    stage = Stage()
    queue, function = stage.box("sqs:q"), stage.box("lambda:f")
    topic = stage.topic()
    topic.subscribe(queue)
    topic.subscribe(function)
    topic.publish("m", message_group_id="tenant")
    assert (queue.deliveries[0].group_id, function.deliveries[0].group_id) == ("tenant", None)


def accepted(service: str, **given: str) -> Box:
    stage = Stage()
    box = stage.box("sqs:q")
    topic = stage.topic()
    topic.subscribe(box)
    topic.accept(Delivery("{}", service, "arn", parent="request-1", **given))  # type: ignore[arg-type]
    assert stage.rows.events[0][5] == "request-1"
    return box


def test_a_topic_takes_what_other_services_send() -> None:
    """S3 sends the subject `Amazon S3 Notification`; Lambda's dead letters have none (`LS:sns`)."""
    assert accepted("s3.amazonaws.com").bodies[0]["Subject"] == "Amazon S3 Notification"
    assert "Subject" not in accepted("lambda.amazonaws.com").bodies[0]
    assert accepted("events.amazonaws.com", subject="mine").bodies[0]["Subject"] == "mine"
