"""Topics and subscriptions through boto3: attributes, tags, permissions, pages, and what SNS refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from simbus import Simulation
from simbus.errors import UsageError

pytest.importorskip("boto3", reason="needs the extra boto3")
ClientError = pytest.importorskip("botocore.exceptions").ClientError


@pytest.fixture
def sim() -> Iterator[Simulation]:
    with Simulation(seed=1) as simulation:
        yield simulation


@pytest.fixture
def sns(sim: Simulation) -> Any:
    return sim.client("sns")


def refusal(call: Any, **params: Any) -> tuple[str, str, int]:
    """Code, message and HTTP status of an error of AWS's."""
    with pytest.raises(ClientError) as caught:
        call(**params)
    response = caught.value.response
    assert response["Error"]["Type"] == "Sender"
    return response["Error"]["Code"], response["Error"]["Message"], response["ResponseMetadata"]["HTTPStatusCode"]


def arn(name: str, service: str = "sns") -> str:
    return f"arn:aws:{service}:us-east-1:000000000000:{name}"


def test_a_topic_is_made_once(sim: Simulation, sns: Any) -> None:
    """CreateTopic again answers with its ARN, unless an attribute or the tags differ."""
    tags = [{"Key": "team", "Value": "a"}]
    made = sns.create_topic(Name="orders", Attributes={"DisplayName": "Orders"}, Tags=tags)
    assert made["TopicArn"] == arn("orders") == sim["sns:orders"].arn
    for more in (
        {},
        {"Attributes": {"DisplayName": "Orders"}},
        {"Tags": tags},
        {"Attributes": {"SignatureVersion": "1"}},
    ):
        assert sns.create_topic(Name="orders", **more)["TopicArn"] == arn("orders")
    differing = "Invalid parameter: {0} Reason: Topic already exists with different {1}"
    assert refusal(sns.create_topic, Name="orders", Attributes={"DisplayName": "x"}) == (
        "InvalidParameter",
        differing.format("Attributes", "attributes"),
        400,
    )
    assert refusal(sns.create_topic, Name="orders", Tags=[])[1] == differing.format("Tags", "tags")


def test_a_fifo_topic(sns: Any) -> None:
    """FifoTopic and the suffix .fifo go together."""
    attributes = {"FifoTopic": "true", "ContentBasedDeduplication": "true", "FifoThroughputScope": "MessageGroup"}
    made = sns.create_topic(Name="orders.fifo", Attributes=attributes)
    shown = sns.get_topic_attributes(TopicArn=made["TopicArn"])["Attributes"]
    assert attributes.items() <= shown.items()
    for name, given in (("orders", {"FifoTopic": "true"}), ("more.fifo", {}), ("a b", {}), ("", {})):
        code, message, _ = refusal(sns.create_topic, Name=name, Attributes=given)
        assert (code, message[:24]) == ("InvalidParameter", "Invalid parameter: " + ("Fifo " if given else "Topic"))


def test_topic_attributes(sns: Any) -> None:
    """Policies and keys are kept and shown; the delivery policy goes into the effective one."""
    topic = sns.create_topic(Name="orders")["TopicArn"]
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    delivery = json.dumps({"http": {"disableSubscriptionOverrides": True}})
    given = {
        "DisplayName": "Orders",
        "Policy": policy,
        "DeliveryPolicy": delivery,
        "KmsMasterKeyId": "alias/aws/sns",
        "TracingConfig": "Active",
        "SignatureVersion": "2",
    }
    for name, value in given.items():
        sns.set_topic_attributes(TopicArn=topic, AttributeName=name, AttributeValue=value)
    shown = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert given.items() <= shown.items()
    effective = json.loads(shown["EffectiveDeliveryPolicy"])["http"]
    assert (effective["disableSubscriptionOverrides"], effective["defaultHealthyRetryPolicy"]["numRetries"]) == (
        True,
        3,
    )
    sns.set_topic_attributes(TopicArn=topic, AttributeName="KmsMasterKeyId", AttributeValue="")
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy")
    shown = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert "KmsMasterKeyId" not in shown
    assert json.loads(shown["Policy"])["Id"] == "__default_policy_ID"


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("Colour", "x", "AttributeName"),
        ("FifoTopic", "true", "AttributeName"),
        ("SignatureVersion", "3", "SignatureVersion"),
        ("TracingConfig", "On", "TracingConfig"),
        ("Policy", "{", "Policy Error: null"),
        ("DisplayName", "x" * 101, "DisplayName"),
        ("ContentBasedDeduplication", "true", "Content-based deduplication can only be set for FIFO topics"),
    ],
)
def test_a_wrong_topic_attribute(sns: Any, name: str, value: str, text: str) -> None:
    """InvalidParameter, on CreateTopic and on SetTopicAttributes; a topic that could not be made is not there."""
    topic = sns.create_topic(Name="orders")["TopicArn"]
    expected = ("InvalidParameter", f"Invalid parameter: {text}", 400)
    assert refusal(sns.set_topic_attributes, TopicArn=topic, AttributeName=name, AttributeValue=value) == expected
    if name != "FifoTopic":
        assert refusal(sns.create_topic, Name="more", Attributes={name: value}) == expected
    assert [each["TopicArn"] for each in sns.list_topics()["Topics"]] == [topic]


def test_what_is_not_built_says_so(sns: Any) -> None:
    """Archives, logs of deliveries, telephones and web hooks: one clear error instead of an option without effect."""
    topic = sns.create_topic(Name="orders")["TopicArn"]
    with pytest.raises(UsageError, match="ArchivePolicy is not built"):
        sns.set_topic_attributes(TopicArn=topic, AttributeName="ArchivePolicy", AttributeValue="{}")
    with pytest.raises(UsageError, match="sns Publish with PhoneNumber"):
        sns.publish(PhoneNumber="+15550100", Message="hi")
    with pytest.raises(UsageError, match="protocol 'https' is not built"):
        sns.subscribe(TopicArn=topic, Protocol="https", Endpoint="https://example.com")
    with pytest.raises(UsageError, match="ReplayPolicy is not built"):
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn("q", "sqs"), Attributes={"ReplayPolicy": "{}"})


def test_a_deleted_topic(sim: Simulation, sns: Any) -> None:
    """Deleting is idempotent; the subscriptions go with the topic; its name is free at once."""
    sim.queue("jobs")
    topic = sns.create_topic(Name="orders")["TopicArn"]
    subscription = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn("jobs", "sqs"))["SubscriptionArn"]
    for _ in range(2):
        sns.delete_topic(TopicArn=topic)
    for call, params in (
        (sns.publish, {"TopicArn": topic, "Message": "a"}),
        (sns.get_topic_attributes, {"TopicArn": topic}),
        (sns.list_subscriptions_by_topic, {"TopicArn": topic}),
    ):
        assert refusal(call, **params) == ("NotFound", "Topic does not exist", 404)
    with pytest.raises(sns.exceptions.NotFoundException, match="Subscription does not exist"):
        sns.get_subscription_attributes(SubscriptionArn=subscription)
    sns.unsubscribe(SubscriptionArn=subscription)
    assert sns.list_subscriptions()["Subscriptions"] == []
    with pytest.raises(sns.exceptions.ResourceNotFoundException):
        sns.list_tags_for_resource(ResourceArn=topic)
    assert sns.create_topic(Name="orders")["TopicArn"] == topic
    assert sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == []


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("orders", "TopicArn Reason: An ARN must have at least 6 elements, not 1"),
        ("arn:aws:sns:eu-west-1:000000000000:orders", "TopicArn"),
        ("arn:aws:sqs:us-east-1:000000000000:orders", "TopicArn"),
    ],
)
def test_what_is_no_topic_of_this_region(sns: Any, given: str, text: str) -> None:
    """InvalidParameter for what is no ARN of a topic here, NotFound for one of a topic that is not there."""
    assert refusal(sns.publish, TopicArn=given, Message="a")[1] == f"Invalid parameter: {text}"
    with pytest.raises(sns.exceptions.InvalidParameterException):
        sns.get_topic_attributes(TopicArn=given)
    assert refusal(sns.publish, TopicArn=arn("absent"), Message="a")[0] == "NotFound"


def test_a_subscription(sim: Simulation, sns: Any) -> None:
    """Subscribing again with the same attributes gives the same ARN; attributes are changed one by one."""
    sim.queue("jobs")
    sim.queue("dead")
    topic = sns.create_topic(Name="orders")["TopicArn"]
    wanted = {"TopicArn": topic, "Protocol": "sqs", "Endpoint": arn("jobs", "sqs")}
    attributes = {"RawMessageDelivery": "true", "FilterPolicy": '{"level": ["high"]}'}
    made = sns.subscribe(**wanted, Attributes=attributes, ReturnSubscriptionArn=True)["SubscriptionArn"]
    assert made.startswith(f"{topic}:")
    assert sns.subscribe(**wanted, Attributes=attributes)["SubscriptionArn"] == made
    text = "Invalid parameter: Attributes Reason: Subscription already exists with different attributes"
    assert refusal(sns.subscribe, **wanted) == ("InvalidParameter", text, 400)
    redrive = json.dumps({"deadLetterTargetArn": arn("dead", "sqs")})
    for name, value in (("RedrivePolicy", redrive), ("FilterPolicyScope", "MessageBody")):
        sns.set_subscription_attributes(SubscriptionArn=made, AttributeName=name, AttributeValue=value)
    shown = sns.get_subscription_attributes(SubscriptionArn=made)["Attributes"]
    assert {**attributes, "RedrivePolicy": redrive, "FilterPolicyScope": "MessageBody"}.items() <= shown.items()
    sns.set_subscription_attributes(SubscriptionArn=made, AttributeName="RedrivePolicy")
    assert "RedrivePolicy" not in sns.get_subscription_attributes(SubscriptionArn=made)["Attributes"]
    listed = sns.list_subscriptions()["Subscriptions"]
    assert listed == [{**wanted, "SubscriptionArn": made, "Owner": "000000000000"}]
    sns.unsubscribe(SubscriptionArn=made)
    sns.unsubscribe(SubscriptionArn=made)
    assert sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == []


def test_subscriptions_that_are_refused(sns: Any) -> None:
    """Errors of Subscribe, ConfirmSubscription and of a wrong SubscriptionArn (recordings, API reference)."""
    topic = sns.create_topic(Name="orders")["TopicArn"]
    queue = arn("jobs", "sqs")
    for params, text in (
        ({"Protocol": "sqs"}, "Endpoint"),
        ({"Protocol": "sqs", "Endpoint": "https://sqs.us-east-1.amazonaws.com/0/jobs"}, "SQS endpoint ARN"),
        ({"Protocol": "carrier", "Endpoint": queue}, "Amazon SNS does not support this protocol string: carrier"),
        ({"Protocol": "sqs", "Endpoint": queue, "Attributes": {"Colour": "x"}}, "AttributeName"),
    ):
        assert refusal(sns.subscribe, TopicArn=topic, **params)[1] == f"Invalid parameter: {text}"
    assert refusal(sns.confirm_subscription, TopicArn=topic, Token="x")[1] == "Invalid parameter: Token"
    short = "Invalid parameter: SubscriptionArn Reason: An ARN must have at least 6 elements, not 1"
    assert refusal(sns.unsubscribe, SubscriptionArn="x")[1] == short
    assert refusal(sns.get_subscription_attributes, SubscriptionArn=topic)[1] == "Invalid parameter: SubscriptionId"
    absent = {"SubscriptionArn": f"{topic}:0", "AttributeName": "FilterPolicy"}
    assert refusal(sns.set_subscription_attributes, **absent) == ("NotFound", "Subscription does not exist", 404)


def test_lists_come_in_pages_of_a_hundred(sim: Simulation, sns: Any) -> None:
    """ListTopics, ListSubscriptions and ListSubscriptionsByTopic; the paginators of boto3 go through them."""
    for n in range(101):
        sns.create_topic(Name=f"t{n}")
        sns.subscribe(TopicArn=arn("t0"), Protocol="sqs", Endpoint=arn(f"q{n}", "sqs"))
    first = sns.list_topics()
    assert len(first["Topics"]) == 100
    assert sns.list_topics(NextToken=first["NextToken"])["Topics"] == [{"TopicArn": arn("t100")}]
    for name, member, params in (
        ("list_topics", "Topics", {}),
        ("list_subscriptions", "Subscriptions", {}),
        ("list_subscriptions_by_topic", "Subscriptions", {"TopicArn": arn("t0")}),
    ):
        pages = list(sns.get_paginator(name).paginate(**params))
        assert [len(found[member]) for found in pages] == [100, 1]
    assert refusal(sns.list_topics, NextToken="?")[1] == "Invalid parameter: NextToken"


def test_tags(sns: Any) -> None:
    """Up to 50, under distinct keys."""
    topic = sns.create_topic(Name="orders")["TopicArn"]
    sns.tag_resource(ResourceArn=topic, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    sns.untag_resource(ResourceArn=topic, TagKeys=["a", "absent"])
    assert sns.list_tags_for_resource(ResourceArn=topic)["Tags"] == [{"Key": "b", "Value": "2"}]
    many = [{"Key": str(n), "Value": ""} for n in range(50)]
    with pytest.raises(sns.exceptions.TagLimitExceededException, match="tag quota of per resource exceeded"):
        sns.tag_resource(ResourceArn=topic, Tags=many)
    assert refusal(sns.tag_resource, ResourceArn=topic, Tags=many[:1] * 2)[0] == "InvalidParameter"
    with pytest.raises(sns.exceptions.ResourceNotFoundException, match="Resource does not exist"):
        sns.tag_resource(ResourceArn=arn("absent"), Tags=many[:1])


def test_permissions(sns: Any) -> None:
    """AddPermission writes a statement beside the default one; RemovePermission takes it out by its label."""
    topic = sns.create_topic(Name="orders")["TopicArn"]

    def statements() -> list[Any]:
        policy = json.loads(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"])
        return list(policy["Statement"])

    given = {"TopicArn": topic, "Label": "one", "AWSAccountId": ["1" * 12]}
    sns.add_permission(**given, ActionName=["Publish"])
    assert statements()[1:] == [
        {
            "Sid": "one",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{'1' * 12}:root"},
            "Action": "SNS:Publish",
            "Resource": topic,
        }
    ]
    assert refusal(sns.add_permission, **given, ActionName=["Publish"])[1].endswith("Statement already exists")
    text = "Invalid parameter: Policy statement action out of service scope!"
    assert refusal(sns.add_permission, **{**given, "Label": "two"}, ActionName=["Dance"])[1] == text
    sns.remove_permission(TopicArn=topic, Label="one")
    assert len(statements()) == 1
