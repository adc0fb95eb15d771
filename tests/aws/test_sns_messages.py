"""Publishing through boto3, from handlers and tests; chains of topics, queues and functions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from simbus import Simulation

boto3 = pytest.importorskip("boto3", reason="needs the extra boto3")


@pytest.fixture
def sim() -> Iterator[Simulation]:
    with Simulation(seed=1) as simulation:
        yield simulation


@pytest.fixture
def sns(sim: Simulation) -> Any:
    return sim.client("sns")


def bodies(sim: Simulation, queue: str = "jobs") -> list[str]:
    return [message.body for message in sim[f"sqs:{queue}"].messages]


def subscribed(sim: Simulation, sns: Any, **attributes: str) -> str:
    """A topic with a queue `jobs`; its ARN."""
    queue = sim.queue("jobs")
    topic: str = sns.create_topic(Name="orders")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn, Attributes=attributes)
    return topic


def test_a_message_arrives_as_it_was_published(sim: Simulation, sns: Any) -> None:
    """Subject, attributes (binary ones as base64) and the id that Publish answered with."""
    topic = subscribed(sim, sns)
    attributes = {
        "level": {"DataType": "String", "StringValue": "high"},
        "raw": {"DataType": "Binary", "BinaryValue": b"\x00"},
    }
    sent = sns.publish(TargetArn=topic, Message="hi", Subject="s", MessageAttributes=attributes)
    assert "SequenceNumber" not in sent
    [body] = map(json.loads, bodies(sim))
    assert (body["MessageId"], body["Message"], body["Subject"]) == (sent["MessageId"], "hi", "s")
    assert body["MessageAttributes"] == {
        "level": {"Type": "String", "Value": "high"},
        "raw": {"Type": "Binary", "Value": "AA=="},
    }


def test_raw_attributes_reach_the_receiver(sim: Simulation, sns: Any) -> None:
    """With raw delivery SQS's own message attributes are those of the publish; the filter policy has its say."""
    topic = subscribed(sim, sns, RawMessageDelivery="true", FilterPolicy='{"level": ["high"]}')
    for level in ("low", "high"):
        attributes = {"level": {"DataType": "String", "StringValue": level}}
        sns.publish(TopicArn=topic, Message=level, MessageAttributes=attributes)
    sqs = sim.client("sqs")
    received = sqs.receive_message(QueueUrl=sim["sqs:jobs"].url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
    [message] = received["Messages"]
    assert message["Body"] == "high"
    assert message["MessageAttributes"] == {"level": {"DataType": "String", "StringValue": "high"}}


def test_a_message_for_each_protocol(sim: Simulation, sns: Any) -> None:
    """MessageStructure json: the queue gets its own text, the function the default one."""
    topic = subscribed(sim, sns, RawMessageDelivery="true")
    seen: list[str] = []
    function = sim.function("f", handler=lambda event, context: seen.append(event["Records"][0]["Sns"]["Message"]))
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=function.arn)
    sns.publish(TopicArn=topic, MessageStructure="json", Message=json.dumps({"default": "d", "sqs": "q"}))
    sim.run()
    assert (bodies(sim), seen) == (["q"], ["d"])


def test_a_batch(sim: Simulation, sns: Any) -> None:
    """Ids and MessageIds of the entries; an empty list of failures is there; errors are of the request."""
    topic = subscribed(sim, sns, RawMessageDelivery="true")
    entries = [{"Id": "1", "Message": "a"}, {"Id": "2", "Message": "b", "Subject": "s"}]
    found = sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
    assert ([each["Id"] for each in found["Successful"]], found["Failed"]) == (["1", "2"], [])
    assert bodies(sim) == ["a", "b"]
    for entries, name in (
        ([], "EmptyBatchRequestException"),
        ([{"Id": "1", "Message": "a"}] * 2, "BatchEntryIdsNotDistinctException"),
        ([{"Id": "a b", "Message": "a"}], "InvalidBatchEntryIdException"),
        ([{"Id": str(n), "Message": "a"} for n in range(11)], "TooManyEntriesInBatchRequestException"),
        ([{"Id": str(n), "Message": "x" * 200_000} for n in range(2)], "BatchRequestTooLongException"),
        ([{"Id": "1", "Message": ""}], "InvalidParameterException"),
    ):
        with pytest.raises(getattr(sns.exceptions, name)):
            sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
    for wrong in ({"DataType": "Text", "StringValue": "x"}, {"DataType": "Number", "StringValue": "x"}):
        with pytest.raises(sns.exceptions.InvalidParameterValueException):
            sns.publish(TopicArn=topic, Message="a", MessageAttributes={"a": wrong})


@pytest.mark.parametrize(("scope", "arrived"), [("Topic", ["a"]), ("MessageGroup", ["a", "b"])])
def test_a_fifo_topic_deduplicates_within_its_scope(sim: Simulation, sns: Any, scope: str, arrived: list[str]) -> None:
    """FifoThroughputScope: the same deduplication id in another group is a copy, or it is not."""
    sqs = sim.client("sqs")
    settings = {"FifoQueue": "true", "DeduplicationScope": "messageGroup"}
    sqs.create_queue(QueueName="jobs.fifo", Attributes=settings)
    topic = sns.create_topic(Name="o.fifo", Attributes={"FifoTopic": "true", "FifoThroughputScope": scope})["TopicArn"]
    endpoint = sim["sqs:jobs.fifo"].arn
    raw = {"RawMessageDelivery": "true"}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=endpoint, Attributes=raw)
    for group in ("a", "b"):
        sent = sns.publish(TopicArn=topic, Message=group, MessageGroupId=group, MessageDeduplicationId="1")
        assert len(sent["SequenceNumber"]) == 20
    assert bodies(sim, "jobs.fifo") == arrived


def test_the_resource(sim: Simulation) -> None:
    """boto3.resource: topics and subscriptions."""
    sns = sim.resource("sns")
    queue = sim.queue("jobs")
    topic = sns.create_topic(Name="orders")
    subscription = topic.subscribe(Protocol="sqs", Endpoint=queue.arn, Attributes={"RawMessageDelivery": "true"})
    topic.publish(Message="hi")
    topic.set_attributes(AttributeName="DisplayName", AttributeValue="Orders")
    assert topic.attributes["SubscriptionsConfirmed"] == "1"
    subscription.set_attributes(AttributeName="RawMessageDelivery", AttributeValue="false")
    assert subscription.attributes["RawMessageDelivery"] == "false"
    assert [each.arn for each in sns.topics.all()] == [topic.arn]
    assert [each.arn for each in topic.subscriptions.all()] == [subscription.arn]
    subscription.delete()
    topic.delete()
    assert list(sns.topics.all()) == []
    assert bodies(sim) == ["hi"]


def test_a_chain_of_handlers(sim: Simulation) -> None:
    """SQS -> Lambda -> SNS -> SQS -> Lambda, each handler with a client of its own; every call takes its latency."""
    seen: list[Any] = []
    jobs, results = sim.queue("jobs"), sim.queue("results")
    done = sim.topic("done")
    done.subscribe(results, raw_message_delivery=True)

    def work(event: Any, context: Any) -> None:
        for record in event["Records"]:
            boto3.client("sns").publish(TopicArn=done.arn, Message=record["body"] + "!")

    sim.function("work", handler=work)
    sim.function("collect", handler=lambda event, context: seen.append(event["Records"][0]["body"]))
    sim.event_source_mapping(jobs, "lambda:work")
    sim.event_source_mapping(results, "lambda:collect")
    sim.client("sqs").send_message(QueueUrl=jobs.url, MessageBody="job")
    sim.run()
    assert seen == ["job!"]


def test_a_subscription_to_a_queue_that_was_deleted(sim: Simulation, sns: Any) -> None:
    """A client-side error: SNS does not retry, the message goes to the subscription's dead-letter queue at once."""
    dead = sim.queue("dead")
    topic = subscribed(sim, sns, RedrivePolicy=json.dumps({"deadLetterTargetArn": dead.arn}))
    sim.client("sqs").delete_queue(QueueUrl=sim["sqs:jobs"].url)
    sns.publish(TopicArn=topic, Message="late")
    assert [json.loads(body)["Message"] for body in bodies(sim, "dead")] == ["late"]
    assert sim.now == 0


def test_a_mapping_of_a_queue_that_was_deleted(sim: Simulation) -> None:
    """It stays enabled and finds nothing; a queue of that name that is made later is polled by it again."""
    seen: list[str] = []
    queue = sim.queue("jobs")
    url = queue.url

    def handler(event: Any, context: Any) -> None:
        seen.extend(record["body"] for record in event["Records"])
        if seen == ["first"]:
            boto3.client("sqs").delete_queue(QueueUrl=url)

    sim.function("f", handler=handler, timeout=9)
    mapping = sim.event_source_mapping(queue, "lambda:f")
    sqs = sim.client("sqs")
    sqs.send_message(QueueUrl=url, MessageBody="first")
    sim.run()
    assert (seen, mapping.state) == (["first"], "Enabled")
    with sim.reader() as reader:
        details = [row["detail"] for row in reader.query("SELECT detail FROM hops WHERE kind = 'not_deleted'")]
    assert [detail.partition(", ")[2] for detail in details] == ["but the queue does not exist any more"]
    sim.run(until="2m")
    sqs.create_queue(QueueName="jobs")
    sqs.send_message(QueueUrl=url, MessageBody="second")
    sim.run()
    assert seen == ["first", "second"]
    assert sim["sqs:jobs"].messages == []


def test_a_dead_letter_queue_that_was_deleted_takes_nothing(sim: Simulation) -> None:
    """simbus's reading: the messages stay in their queue, and are received again."""
    dead = sim.queue("dead")
    jobs = sim.queue("jobs", redrive_policy={"dead_letter_target_arn": dead.arn, "max_receive_count": 1})
    jobs.send_message("a")
    dead.delete_queue()
    assert [jobs.receive_messages(visibility_timeout=0)[0].receive_count for _ in range(3)] == [1, 2, 3]
