"""What a topic accepts and refuses, and its administration."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sns_stubs import Stage

from simbus.errors import AwsError, UsageError
from simbus.kernel import SECOND
from simbus.world import Delivery

LIMITS = "docs.aws.amazon.com/sns/latest/api/API_Publish.html"


def refusal(call: Any, *args: Any, **kwargs: Any) -> tuple[str, str, int]:
    with pytest.raises(AwsError) as caught:
        call(*args, **kwargs)
    return caught.value.code, caught.value.message, caught.value.status


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"message": ""}, "Empty message"),
        ({"message": "x" * 262_145}, "Message too long"),
        ({"message": "é" * 131_073}, "Message too long"),
        ({"message": "m", "subject": "x" * 101}, "Subject"),
        ({"message": "m", "subject": "two\nlines"}, "Subject"),
        (
            {"message": "{}", "message_structure": "json"},
            "Message Structure - No default entry in JSON message body",
        ),
        (
            {"message": "no", "message_structure": "json"},
            "Message Structure - JSON message body failed to parse",
        ),
    ],
)
def test_messages_that_are_refused(given: dict[str, Any], text: str) -> None:
    """Publish answers InvalidParameter with these texts (reference 7.4, `LS:sns`)."""
    expected = ("InvalidParameter", f"Invalid parameter: {text}", 400)
    assert refusal(Stage().topic().publish, given.pop("message"), **given) == expected


def test_attributes_count_against_the_limit() -> None:
    """256 KB hold the message with names, types and values of its attributes (API_Publish)."""
    topic = Stage().topic()
    attributes = {"ab": {"DataType": "String", "StringValue": "x" * 10}}
    topic.publish("x" * (262_144 - 18), message_attributes=attributes)
    with pytest.raises(AwsError, match="Message too long"):
        topic.publish("x" * (262_144 - 17), message_attributes=attributes)


@pytest.mark.parametrize(
    ("name", "attribute", "text"),
    [
        ("a", {"DataType": "Strings", "StringValue": "x"}, "has an invalid message attribute type"),
        ("a", {"DataType": "String", "StringValue": ""}, "must contain non-empty message attribute value"),
        ("a", {"DataType": "String", "BinaryValue": b"x"}, "with type 'String' must use field 'String'."),
        ("a", {"DataType": "Number", "StringValue": "x"}, "Could not cast message attribute 'a' value to number."),
        (".a", {"DataType": "String", "StringValue": "x"}, "starting with character '.'"),
        ("a..b", {"DataType": "String", "StringValue": "x"}, "successive '.' character"),
        ("a b", {"DataType": "String", "StringValue": "x"}, "'#x20' was found"),
    ],
)
def test_attributes_that_are_refused(name: str, attribute: dict[str, Any], text: str) -> None:
    """A wrong message attribute answers ParameterValueInvalid (sns-message-attributes.html)."""
    code, message, _ = refusal(Stage().topic().publish, "m", message_attributes={name: attribute})
    assert code == "ParameterValueInvalid"
    assert text in message


def test_batch_limits() -> None:
    """At most 10 entries of 256 KB together, with distinct ids (reference 7.4, `LS:sns`)."""
    topic = Stage().topic()
    big = [{"Id": str(n), "Message": "x" * 100_000} for n in range(3)]
    assert refusal(topic.publish_batch, big)[0] == "BatchRequestTooLong"
    assert refusal(topic.publish_batch, [])[0] == "EmptyBatchRequest"
    assert refusal(topic.publish_batch, [{"Id": "not ok", "Message": "m"}])[0] == "InvalidBatchEntryId"
    with pytest.raises(UsageError, match="unknown key 'Massage'"):
        topic.publish_batch([{"Id": "1", "Massage": "m"}])


def test_fifo_rules_of_publish() -> None:
    """A FIFO topic wants a group and a deduplication id; a standard topic no deduplication id (`LS:sns`)."""
    strict = Stage().fifo_topic(content_based_deduplication=False)
    assert "The MessageGroupId parameter is required" in refusal(strict.publish, "m")[1]
    assert "ContentBasedDeduplication enabled" in refusal(strict.publish, "m", message_group_id="g")[1]
    assert "SequenceNumber" in strict.publish("m", message_group_id="g", message_deduplication_id="d")
    code, text, _ = refusal(Stage().topic().publish, "m", message_deduplication_id="d")
    assert (code, text.startswith("Invalid parameter: MessageDeduplicationId Reason")) == ("InvalidParameter", True)


def test_topic_names() -> None:
    """A FIFO topic's name ends in .fifo, a standard topic's has no dot (CreateTopic)."""
    assert "Fifo Topic names must end with .fifo" in refusal(Stage().topic, "orders", fifo_topic=True)[1]
    assert refusal(Stage().topic, "orders.fifo")[1].startswith("Invalid parameter: Topic names must be")
    assert "only be set for FIFO" in refusal(Stage().topic, "o", content_based_deduplication=True)[1]


def test_what_may_be_subscribed() -> None:
    """FIFO queues and functions and topics that don't go together are refused (`LS:sns`; terraform issue 28632)."""
    topic, fifo = Stage().topic(), Stage().fifo_topic()
    text = "Invalid parameter: Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard"
    assert refusal(topic.subscribe, "sqs:q.fifo")[1] == f"{text} SNS topics"
    assert refusal(fifo.subscribe, "lambda:f")[1] == "Invalid parameter: Invalid protocol type: lambda"
    assert refusal(topic.subscribe, "lambda:f", protocol="sqs")[1] == "Invalid parameter: SQS endpoint ARN"
    with pytest.raises(UsageError, match="protocol 'email' is not built"):
        topic.subscribe("me@example.com", protocol="email")
    with pytest.raises(UsageError, match="can't be subscribed"):
        topic.subscribe("s3:bucket")


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"raw_message_delivery": True}, "Delivery protocol [lambda] does not support raw message delivery."),
        ({"raw_message_delivery": "maybe"}, "RawMessageDelivery: Invalid value [maybe]. Must be true or false."),
        (
            {"filter_policy_scope": "Body"},
            "FilterPolicyScope: Invalid value [Body]. Please use either MessageBody or MessageAttributes",
        ),
        ({"redrive_policy": {"x": "y"}}, "RedrivePolicy: deadLetterTargetArn is an invalid arn"),
        ({"redrive_policy": "{"}, "RedrivePolicy: failed to parse JSON."),
        (
            {"filter_policy": {"a": {"b": ["c"]}}},
            "FilterPolicy: Filter policy scope MessageAttributes does not support nested filter policy",
        ),
    ],
)
def test_settings_that_are_refused(given: dict[str, Any], text: str) -> None:
    """Subscribe says `Attributes Reason:` before these texts (`LS:sns`)."""
    assert refusal(Stage().topic().subscribe, "lambda:f", **given)[1] == f"Invalid parameter: Attributes Reason: {text}"


def test_a_fifo_subscription_needs_a_fifo_dead_letter_queue() -> None:
    """A FIFO subscription's DLQ must be a FIFO queue (`LS:sns`)."""
    topic = Stage().fifo_topic()
    text = refusal(topic.subscribe, "sqs:q.fifo", redrive_policy={"dead_letter_target_arn": "sqs:dlq"})[1]
    assert "must use a FIFO queue as DLQ" in text
    assert topic.subscribe("sqs:q.fifo", redrive_policy={"dead_letter_target_arn": "sqs:dlq.fifo"})


def test_subscribing_twice() -> None:
    """The same attributes return the same ARN, others are an error (`LS:sns`)."""
    topic = Stage().topic()
    arn = topic.subscribe("sqs:q", filter_policy={"a": ["b"]})
    assert topic.subscribe("sqs:q", filter_policy={"a": ["b"]}) == arn
    text = refusal(topic.subscribe, "sqs:q")[1]
    assert text == "Invalid parameter: Attributes Reason: Subscription already exists with different attributes"
    assert [each["SubscriptionArn"] for each in topic.list_subscriptions()] == [arn]


@pytest.mark.parametrize(
    ("arn", "text"),
    [
        ("random", "SubscriptionArn Reason: An ARN must have at least 6 elements, not 1"),
        ("arn:aws:sns:us-east-1:random", "SubscriptionArn Reason: An ARN must have at least 6 elements, not 5"),
        ("arn:aws:sns:us-east-1:111111111111:random", "SubscriptionId"),
    ],
)
def test_unsubscribing_what_is_no_subscription(arn: str, text: str) -> None:
    """The texts of test_unsubscribe_wrong_arn_format (LocalStack, validated on AWS)."""
    assert refusal(Stage().topic().unsubscribe, arn) == ("InvalidParameter", f"Invalid parameter: {text}", 400)


def test_unsubscribing() -> None:
    """Unsubscribe ends the deliveries and is idempotent; the attributes of what is gone answer NotFound 404."""
    stage = Stage()
    box, topic = stage.box("sqs:q"), stage.topic()
    arn = topic.subscribe(box)
    topic.unsubscribe(arn)
    topic.unsubscribe(arn)
    topic.publish("m")
    assert box.deliveries == []
    assert refusal(topic.get_subscription_attributes, arn) == ("NotFound", "Subscription does not exist", 404)
    counts = topic.get_topic_attributes()
    assert (counts["SubscriptionsConfirmed"], counts["SubscriptionsDeleted"]) == ("0", "1")


def test_changing_a_subscription() -> None:
    """SetSubscriptionAttributes: its own wording, an unknown name, and {} that takes the policy away (`LS:sns`)."""
    topic = Stage().topic()
    arn = topic.subscribe("sqs:q", filter_policy={"a": ["b"]})
    change = topic.set_subscription_attributes
    assert refusal(change, arn, "FilterPolicy", '{"a":[]}')[1].startswith("Invalid parameter: FilterPolicy: Empty")
    assert refusal(change, arn, "Colour", "red")[1] == "Invalid parameter: AttributeName"
    with pytest.raises(UsageError, match="DeliveryPolicy is not built"):
        change(arn, "DeliveryPolicy", "{}")
    change(arn, "FilterPolicy", "{}")
    assert "FilterPolicy" not in topic.get_subscription_attributes(arn)


def test_a_changed_signature_version_holds_for_old_subscriptions() -> None:
    """SignatureVersion is an attribute of the topic (sns-verify-signature-of-message.html)."""
    stage = Stage()
    box, topic = stage.box("sqs:q"), stage.topic()
    topic.subscribe(box)
    topic.set_topic_attributes("SignatureVersion", "2")
    topic.publish("m")
    assert box.bodies[0]["SignatureVersion"] == "2"
    assert topic.get_topic_attributes()["SignatureVersion"] == "2"


def test_an_outage() -> None:
    """A topic out of service answers 503, to callers and to other services, until the outage is over."""
    stage = Stage()
    topic = stage.topic()
    topic.outage(SECOND)
    assert refusal(topic.publish, "m")[2] == 503
    assert refusal(topic.accept, Delivery("m", "s3.amazonaws.com", "arn"))[2] == 503
    stage.timeline.run(SECOND)
    assert topic.publish("m")["MessageId"]


def test_the_async_twin_publishes() -> None:
    """apublish does what publish does."""
    stage = Stage()
    box, topic = stage.box("sqs:q"), stage.topic()
    topic.subscribe(box)
    asyncio.run(topic.apublish("m"))
    assert box.texts == ["m"]
