"""Queues through boto3: make, find and delete them, their attributes, tags and permissions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from simbus import Simulation

pytest.importorskip("boto3", reason="needs the extra boto3")
ClientError = pytest.importorskip("botocore.exceptions").ClientError


@pytest.fixture
def sim() -> Iterator[Simulation]:
    with Simulation(seed=1) as simulation:
        yield simulation


@pytest.fixture
def sqs(sim: Simulation) -> Any:
    return sim.client("sqs")


def refusal(call: Any, **params: Any) -> dict[str, Any]:
    """What a client shows of an answer of AWS's that is an error."""
    with pytest.raises(ClientError) as caught:
        call(**params)
    response = caught.value.response
    return {**response["Error"], "Status": response["ResponseMetadata"]["HTTPStatusCode"]}


def arn(name: str) -> str:
    return f"arn:aws:sqs:us-east-1:000000000000:{name}"


def test_a_new_queue_has_the_attributes_of_aws(sim: Simulation, sqs: Any) -> None:
    """The defaults of CreateQueue, all of them texts; what does not apply to a standard queue is not there."""
    url = sqs.create_queue(QueueName="jobs")["QueueUrl"]
    assert url == "https://sqs.us-east-1.amazonaws.com/000000000000/jobs"
    assert sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"] == {
        "QueueArn": arn("jobs"),
        "ApproximateNumberOfMessages": "0",
        "ApproximateNumberOfMessagesNotVisible": "0",
        "ApproximateNumberOfMessagesDelayed": "0",
        "CreatedTimestamp": "1767225600",
        "LastModifiedTimestamp": "1767225600",
        "VisibilityTimeout": "30",
        "DelaySeconds": "0",
        "MessageRetentionPeriod": "345600",
        "MaximumMessageSize": "1048576",
        "ReceiveMessageWaitTimeSeconds": "0",
        "SqsManagedSseEnabled": "true",
    }
    assert "Attributes" not in sqs.get_queue_attributes(QueueUrl=url)
    assert sim["sqs:jobs"].url == url


def test_every_attribute_is_set_and_shown(sqs: Any) -> None:
    """SetQueueAttributes and CreateQueue take texts; policies are JSON, an empty text takes one away."""
    sqs.create_queue(QueueName="dead.fifo", Attributes={"FifoQueue": "true"})
    given = {
        "FifoQueue": "true",
        "ContentBasedDeduplication": "true",
        "DeduplicationScope": "messageGroup",
        "FifoThroughputLimit": "perMessageGroupId",
        "VisibilityTimeout": "0",
        "DelaySeconds": "900",
        "MaximumMessageSize": "1024",
        "MessageRetentionPeriod": "60",
        "ReceiveMessageWaitTimeSeconds": "20",
        "KmsMasterKeyId": "alias/aws/sqs",
        "KmsDataKeyReusePeriodSeconds": "60",
        "Policy": json.dumps({"Version": "2012-10-17", "Statement": []}),
        "RedrivePolicy": json.dumps({"deadLetterTargetArn": arn("dead.fifo"), "maxReceiveCount": "3"}),
        "RedriveAllowPolicy": json.dumps({"redrivePermission": "byQueue", "sourceQueueArns": [arn("a.fifo")]}),
    }
    url = sqs.create_queue(QueueName="jobs.fifo", Attributes=given)["QueueUrl"]
    shown = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert json.loads(shown.pop("RedrivePolicy")) == {"deadLetterTargetArn": arn("dead.fifo"), "maxReceiveCount": 3}
    assert json.loads(shown.pop("RedriveAllowPolicy")) == json.loads(given.pop("RedriveAllowPolicy"))
    del given["RedrivePolicy"]
    assert given.items() <= shown.items()
    assert shown["SqsManagedSseEnabled"] == "false"
    sqs.set_queue_attributes(
        QueueUrl=url, Attributes={"RedrivePolicy": "", "Policy": "", "KmsMasterKeyId": "", "DelaySeconds": "1"}
    )
    shown = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert not {"RedrivePolicy", "Policy", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds"} & shown.keys()
    assert (shown["DelaySeconds"], shown["SqsManagedSseEnabled"]) == ("1", "true")
    names = ["QueueArn", "FifoQueue"]
    assert sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"] == {
        "QueueArn": arn("jobs.fifo"),
        "FifoQueue": "true",
    }


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("VisibilityTimeout", "43201"),
        ("VisibilityTimeout", "ten"),
        ("DelaySeconds", "-1"),
        ("MessageRetentionPeriod", "59"),
        ("MaximumMessageSize", "1048577"),
        ("ReceiveMessageWaitTimeSeconds", "21"),
        ("KmsDataKeyReusePeriodSeconds", "59"),
        ("SqsManagedSseEnabled", "maybe"),
        ("Policy", "{"),
        ("Policy", '{"Statement": [1]}'),
        ("RedriveAllowPolicy", '{"redrivePermission": "some"}'),
        ("RedriveAllowPolicy", '{"redrivePermission": "byQueue"}'),
    ],
)
def test_a_wrong_value(sqs: Any, name: str, text: str) -> None:
    """InvalidAttributeValue: `Invalid value for the parameter X.` (SQS API reference for the ranges)."""
    url = sqs.create_queue(QueueName="jobs")["QueueUrl"]
    with pytest.raises(sqs.exceptions.InvalidAttributeValue, match=rf"Invalid value for the parameter {name}\."):
        sqs.set_queue_attributes(QueueUrl=url, Attributes={name: text})
    with pytest.raises(sqs.exceptions.InvalidAttributeValue):
        sqs.create_queue(QueueName="others", Attributes={name: text})


def test_unknown_attributes(sqs: Any) -> None:
    """InvalidAttributeName; for a standard queue that of a FIFO queue is unknown, even `FifoQueue: false`."""
    url = sqs.create_queue(QueueName="jobs")["QueueUrl"]
    calls = [
        (sqs.create_queue, {"QueueName": "q", "Attributes": {"FifoQueue": "false"}}, "FifoQueue"),
        (sqs.set_queue_attributes, {"QueueUrl": url, "Attributes": {"QueueArn": "x"}}, "QueueArn"),
        (sqs.set_queue_attributes, {"QueueUrl": url, "Attributes": {"Colour": "x"}}, "Colour"),
        (sqs.get_queue_attributes, {"QueueUrl": url, "AttributeNames": ["Colour"]}, "Colour"),
        (sqs.get_queue_attributes, {"QueueUrl": url, "AttributeNames": ["FifoQueue"]}, "FifoQueue"),
        (sqs.receive_message, {"QueueUrl": url, "AttributeNames": ["Colour"]}, "Colour"),
    ]
    for call, params, name in calls:
        assert refusal(call, **params) == {
            "Code": "InvalidAttributeName",
            "QueryErrorCode": "InvalidAttributeName",
            "Message": f"Unknown Attribute {name}.",
            "Type": "Sender",
            "Status": 400,
        }


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        ("nothing", "Redrive policy is not a valid JSON map."),
        ('{"maxReceiveCount":1}', "Redrive policy does not contain mandatory attribute: deadLetterTargetArn."),
        (f'{{"deadLetterTargetArn":"{arn("dead")}"}}', "Redrive policy does not contain mandatory attribute: maxRece"),
        ('{"deadLetterTargetArn":"dead","maxReceiveCount":1}', "Invalid value for deadLetterTargetArn."),
        (f'{{"deadLetterTargetArn":"{arn("x")}","maxReceiveCount":1}}', "Dead letter target does not exist."),
        (
            f'{{"deadLetterTargetArn":"{arn("dead")}","maxReceiveCount":1001}}',
            "Invalid value for maxReceiveCount: 1001",
        ),
        (f'{{"deadLetterTargetArn":"{arn("dead")}","maxReceiveCount":"a"}}', "Invalid value for maxReceiveCount: a"),
    ],
)
def test_a_wrong_redrive_policy(sqs: Any, policy: str, reason: str) -> None:
    """InvalidParameterValue, with the reason; a queue that could not be made is not there."""
    sqs.create_queue(QueueName="dead")
    for call, params in (
        (sqs.create_queue, {"QueueName": "jobs"}),
        (sqs.set_queue_attributes, {"QueueUrl": sqs.get_queue_url(QueueName="dead")["QueueUrl"]}),
    ):
        error = refusal(call, Attributes={"RedrivePolicy": policy}, **params)
        assert (error["Code"], error["QueryErrorCode"]) == ("InvalidParameterValue", "InvalidParameterValueException")
        assert error["Message"].startswith(f"Value {policy} for parameter RedrivePolicy is invalid. Reason: {reason}")
    assert [url.rpartition("/")[2] for url in sqs.list_queues()["QueueUrls"]] == ["dead"]


def test_one_kind_of_encryption(sqs: Any) -> None:
    """SSE-SQS and SSE-KMS exclude each other."""
    both = {"KmsMasterKeyId": "alias/k", "SqsManagedSseEnabled": "true"}
    error = refusal(sqs.create_queue, QueueName="jobs", Attributes=both)
    assert (error["Code"], error["Message"][:43]) == (
        "InvalidAttributeValue",
        "You can use one type of server-side encrypt",
    )


def test_create_queue_is_idempotent(sim: Simulation, sqs: Any) -> None:
    """The same attributes, or none, give the URL; another value is QueueNameExists (code QueueAlreadyExists)."""
    url = sqs.create_queue(QueueName="jobs", Attributes={"DelaySeconds": "5"}, tags={"a": "1"})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="kept")
    for attributes in ({}, {"DelaySeconds": "5"}, {"VisibilityTimeout": "30", "SqsManagedSseEnabled": "true"}):
        assert sqs.create_queue(QueueName="jobs", Attributes=attributes)["QueueUrl"] == url
    assert [message.body for message in sim["sqs:jobs"].messages] == ["kept"]
    with pytest.raises(sqs.exceptions.QueueNameExists):
        sqs.create_queue(QueueName="jobs", Attributes={"DelaySeconds": "0"})
    assert refusal(sqs.create_queue, QueueName="jobs", Attributes={"DelaySeconds": "0"}) == {
        "Code": "QueueAlreadyExists",
        "QueryErrorCode": "QueueNameExists",
        "Message": "A queue already exists with the same name and a different value for attribute DelaySeconds",
        "Type": "Sender",
        "Status": 400,
    }


@pytest.mark.parametrize(
    ("name", "attributes", "message"),
    [
        ("a b", {}, "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"),
        ("x" * 81, {}, "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"),
        ("x.fifo", {}, "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"),
        ("x", {"FifoQueue": "true"}, "The name of a FIFO queue can only include alphanumeric characters, hyphens, or "),
    ],
)
def test_a_wrong_name(sqs: Any, name: str, attributes: dict[str, str], message: str) -> None:
    """A FIFO queue needs both, FifoQueue and the suffix .fifo (SQS API reference, CreateQueue)."""
    error = refusal(sqs.create_queue, QueueName=name, Attributes=attributes)
    assert error["Code"] == "InvalidParameterValue"
    assert error["Message"].startswith(message)


def test_delete_queue(sim: Simulation, sqs: Any) -> None:
    """Its messages are gone; its name is free after 60 seconds, for an empty queue (QueueDeletedRecently)."""
    url = sqs.create_queue(QueueName="jobs", Attributes={"DelaySeconds": "5"}, tags={"a": "1"})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="gone")
    held = sim["sqs:jobs"]
    sqs.delete_queue(QueueUrl=url)
    for call in (sqs.delete_queue, sqs.receive_message, sqs.get_queue_attributes, sqs.list_queue_tags):
        assert refusal(call, QueueUrl=url) == {
            "Code": "AWS.SimpleQueueService.NonExistentQueue",
            "QueryErrorCode": "QueueDoesNotExist",
            "Message": "The specified queue does not exist.",
            "Type": "Sender",
            "Status": 400,
        }
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        sqs.get_queue_url(QueueName="jobs")
    assert "QueueUrls" not in sqs.list_queues()
    with pytest.raises(KeyError):
        sim["sqs:jobs"]
    sim.run(until="59.9s")
    with pytest.raises(sqs.exceptions.QueueDeletedRecently, match="You must wait 60 seconds after deleting a queue"):
        sqs.create_queue(QueueName="jobs")
    sim.run(until="60s")
    assert sqs.create_queue(QueueName="jobs")["QueueUrl"] == url
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (attributes["DelaySeconds"], attributes["CreatedTimestamp"]) == ("0", "1767225660")
    assert "Tags" not in sqs.list_queue_tags(QueueUrl=url)
    assert sim["sqs:jobs"] is held
    assert held.messages == []


def test_queues_are_listed_in_pages(sqs: Any) -> None:
    """By prefix; a next token only where MaxResults was given; the paginator of boto3 goes through all pages."""
    urls = [sqs.create_queue(QueueName=f"jobs-{n}")["QueueUrl"] for n in range(5)]
    sqs.create_queue(QueueName="other")
    first = sqs.list_queues(QueueNamePrefix="jobs", MaxResults=2)
    assert first["QueueUrls"] == urls[:2]
    second = sqs.list_queues(QueueNamePrefix="jobs", MaxResults=2, NextToken=first["NextToken"])
    assert second["QueueUrls"] == urls[2:4]
    pages = sqs.get_paginator("list_queues").paginate(QueueNamePrefix="jobs", PaginationConfig={"PageSize": 2})
    assert [url for found in pages for url in found["QueueUrls"]] == urls
    assert "NextToken" not in sqs.list_queues(QueueNamePrefix="jobs")
    assert refusal(sqs.list_queues, MaxResults=2, NextToken="x")["Code"] == "InvalidParameterValue"
    assert refusal(sqs.list_queues, MaxResults=1001)["Code"] == "InvalidParameterValue"


def test_urls(sqs: Any) -> None:
    """The last part of a URL names the queue; a bare name is no URL; another account has none of these queues."""
    sqs.create_queue(QueueName="jobs")
    sqs.send_message(QueueUrl="http://localhost:9324/123456789012/jobs", MessageBody="a")
    error = refusal(sqs.send_message, QueueUrl="jobs", MessageBody="a")
    assert (error["Code"], error["Status"]) == ("InvalidAddress", 404)
    assert sqs.get_queue_url(QueueName="jobs", QueueOwnerAWSAccountId="000000000000")
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        sqs.get_queue_url(QueueName="jobs", QueueOwnerAWSAccountId="123456789012")


def test_tags(sqs: Any) -> None:
    """TagQueue adds and replaces, UntagQueue takes away; 50 at most."""
    url = sqs.create_queue(QueueName="jobs", tags={"team": "a", "stage": "x"})["QueueUrl"]
    sqs.tag_queue(QueueUrl=url, Tags={"team": "b"})
    sqs.untag_queue(QueueUrl=url, TagKeys=["stage", "absent"])
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"team": "b"}
    many = {f"k{n}": "" for n in range(50)}
    assert refusal(sqs.tag_queue, QueueUrl=url, Tags=many)["Message"] == "Too many tags added for queue jobs."
    assert refusal(sqs.tag_queue, QueueUrl=url, Tags={})["Code"] == "MissingParameter"
    assert refusal(sqs.untag_queue, QueueUrl=url, TagKeys=[])["QueryErrorCode"] == "MissingRequiredParameterException"
    assert refusal(sqs.create_queue, QueueName="more", tags={"": "x"})["Code"] == "InvalidParameterValue"
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"team": "b"}


def test_permissions(sqs: Any) -> None:
    """AddPermission writes a statement of the queue's policy, RemovePermission takes it out by its label."""
    url = sqs.create_queue(QueueName="jobs")["QueueUrl"]
    sqs.add_permission(QueueUrl=url, Label="one", AWSAccountIds=["111122223333"], Actions=["SendMessage"])
    sqs.add_permission(QueueUrl=url, Label="two", AWSAccountIds=["1" * 12, "2" * 12], Actions=["*", "GetQueueUrl"])
    policy = json.loads(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"])
    assert policy["Statement"] == [
        {
            "Sid": "one",
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
            "Action": "SQS:SendMessage",
            "Resource": arn("jobs"),
        },
        {
            "Sid": "two",
            "Effect": "Allow",
            "Principal": {"AWS": [f"arn:aws:iam::{'1' * 12}:root", f"arn:aws:iam::{'2' * 12}:root"]},
            "Action": ["SQS:*", "SQS:GetQueueUrl"],
            "Resource": arn("jobs"),
        },
    ]
    again = {"QueueUrl": url, "Label": "one", "AWSAccountIds": ["1" * 12]}
    message = "Value one for parameter Label is invalid. Reason: Already exists."
    assert refusal(sqs.add_permission, Actions=["SendMessage"], **again)["Message"] == message
    assert refusal(sqs.add_permission, Actions=["CreateQueue"], **again)["Code"] == "InvalidParameterValue"
    with pytest.raises(sqs.exceptions.OverLimit):
        sqs.add_permission(Actions=["SendMessage"] * 8, **again)
    for label in ("one", "two"):
        sqs.remove_permission(QueueUrl=url, Label=label)
    assert "Attributes" not in sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])
    assert refusal(sqs.remove_permission, QueueUrl=url, Label="one")["Message"].endswith("Reason: can't find label.")
