"""The recorded cases of sns.json through boto3: whole answers of SNS and SQS, with HTTP status and every member."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_recorded import ACCOUNT, REGION, equal, fill, load_case, whole
from recorded_sns import DELIVERIES, ERRORS, FIFO, FUNCTION, QUEUE

from simbus import Account, Simulation

pytest.importorskip("boto3", reason="needs the extra boto3")
xform_name = pytest.importorskip("botocore").xform_name
ClientError = pytest.importorskip("botocore.exceptions").ClientError


class Play:
    """Plays the set-up and the inputs of one case with boto3's clients, and keeps every answer."""

    def __init__(self, name: str) -> None:
        self.case = load_case("sns", name)
        self.sim = Simulation(seed=1, account=Account(id=ACCOUNT, region=REGION))
        self.clients = {service: self.sim.client(service) for service in ("sns", "sqs")}
        text = json.dumps(self.case["setup"])
        fifo = {f"queue-{n}": f"queue-{n}.fifo" for n in (1, 2)} if '"FifoQueue": "true"' in text else {}
        if '"FifoTopic": "true"' in text:
            fifo["topic-1"] = "topic-1.fifo"
        self.setup: dict[str, Any] = fill(self.case["setup"], fifo)
        inputs = fill(self.case["inputs"], fifo)
        self.inputs = [(each["op"], each["params"]) for each in inputs for _ in range(each.get("times", 1))]
        self.answers: list[dict[str, Any]] = []
        self.errors: list[dict[str, Any]] = []
        self.attributes: list[dict[str, Any]] = []
        self.subscription = ""

    def __enter__(self) -> Play:
        return self

    def __exit__(self, *_: object) -> None:
        self.sim.close()

    @property
    def parts(self) -> dict[str, Any]:
        """Everything recorded, by its key."""
        return {**self.case["recorded"], **self.case["recorded_api"]}

    def call(self, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        """One request; its answer, also where that is an error."""
        service, _, name = operation.partition(":")
        if "SubscriptionArn" in params:
            params = {**params, "SubscriptionArn": self.subscription}
        try:
            answer = whole(getattr(self.clients[service], xform_name(name))(**params))
        except ClientError as error:
            self.errors.append(whole(error.response))
            return self.errors[-1]
        if name == "Subscribe":
            self.subscription = answer["SubscriptionArn"]
        return answer

    def run(self, set_then: dict[int, int] | None = None, remove: str | None = None) -> None:
        """`set_then`: after which change of a subscription how many inputs are played; else all of them at the end."""
        for each in self.setup.get("function", ()):
            self.sim.function(each["params"]["FunctionName"])
        changes = 0
        for each in self.setup["resource"]:
            self.call(each["op"], each["params"])
            if each["op"] == "sns:SetSubscriptionAttributes":
                changes += 1
                self.play((set_then or {}).get(changes, 0))
            if self.subscription:
                shown = self.call("sns:GetSubscriptionAttributes", {"SubscriptionArn": ""})
                if not self.attributes or shown != self.attributes[-1]:
                    self.attributes.append(shown)
        if remove is not None and remove.startswith("sqs:"):
            self.sim[remove].delete_queue()
        elif remove is not None:
            self.sim.remove(self.sim[remove])
        self.play(0 if set_then else len(self.inputs))

    def play(self, count: int) -> None:
        for _ in range(count):
            self.answers.append(self.call(*self.inputs.pop(0)))
        self.sim.run()

    def receive(self, recorded: dict[str, Any], sort: bool) -> dict[str, Any]:
        """The answer of a receive that asks for what the recorded one has asked for; the messages are deleted."""
        first = recorded["Messages"][0]
        asked: dict[str, Any] = {"MaxNumberOfMessages": len(recorded["Messages"])}
        if "Attributes" in first:
            asked["AttributeNames"] = ["All"]
        if any("MessageAttributes" in message for message in recorded["Messages"]):
            asked["MessageAttributeNames"] = ["All"]
        url = self.filled
        answer = self.call("sqs:ReceiveMessage", {"QueueUrl": url, **asked})
        for message in answer["Messages"]:
            self.call("sqs:DeleteMessage", {"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]})
        if sort:
            answer["Messages"].sort(key=lambda message: str(message["Body"]))
        return answer if "ResponseMetadata" in recorded else {"Messages": answer["Messages"]}

    @property
    def filled(self) -> str:
        """The queue that has messages."""
        return str(next(queue.url for queue in self.sim.resources("sqs") if queue.messages))


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name: str) -> None:
    """The whole error answer: code, text, type, status (recording: the case's name)."""
    with Play(name) as play:
        play.run()
        recorded = list(play.parts.values())
        for part in recorded:
            part["Error"].pop("_normalized", None)
        equal(recorded, play.errors)


@pytest.mark.parametrize("name", DELIVERIES)
def test_deliveries(name: str) -> None:
    """What ReceiveMessage and GetSubscriptionAttributes answer, whole (recording: the case's name)."""
    table = DELIVERIES[name]
    with Play(name) as play:
        play.run(table.set_then, table.remove)
        parts = play.parts
        received = {key: play.receive(parts[key], table.sort) for key in table.messages}
        equal({key: parts[key] for key in table.messages}, received)
        for key, index in (table.attributes or {}).items():
            shown = play.attributes[index]
            equal(parts[key], shown if "ResponseMetadata" in parts[key] else shown["Attributes"])
        empty = {key: part for key, part in parts.items() if list(part) == ["ResponseMetadata"]}
        for part in empty.values():
            for queue in play.sim.resources("sqs"):
                equal(part, play.call("sqs:ReceiveMessage", {"QueueUrl": queue.url}))
        assert not play.errors


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        (QUEUE + "test_publish_batch_messages_from_sns_to_sqs", ["publish-batch"]),
        (
            FIFO + "test_publish_batch_messages_from_fifo_topic_to_fifo_queue[True]",
            ["publish-batch-response-fifo", "republish-batch-response-fifo"],
        ),
    ],
)
def test_answers_of_batches(name: str, keys: list[str]) -> None:
    """PublishBatch has both of its lists, the empty one too; a repeated FIFO batch gets the numbers of the first."""
    with Play(name) as play:
        play.run()
        equal([play.parts[key] for key in keys], play.answers)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        (FIFO + "test_publish_batch_messages_from_fifo_topic_to_fifo_queue[True]", "topic-attrs"),
        ("TestSNSPublishDelivery::test_delivery_lambda", "get-topic-attrs"),
    ],
)
def test_topic_attributes(name: str, key: str) -> None:
    """GetTopicAttributes of a new topic, and what Publish answers."""
    with Play(name) as play:
        [made] = [each for each in play.setup["resource"] if each["op"] == "sns:CreateTopic"]
        topic = play.call(made["op"], made["params"])["TopicArn"]
        equal(play.parts[key], play.call("sns:GetTopicAttributes", {"TopicArn": topic}))
        if "publish-no-logs" in play.parts:
            equal(play.parts["publish-no-logs"], play.call(*play.inputs[0]))


def test_a_topic_as_dead_letter_queue() -> None:
    """The recorded failure of a function reaches the queue by way of its topic; `messages` is the whole receive."""
    with Play(FUNCTION + "test_sns_topic_as_lambda_dead_letter_queue") as play:
        setup = play.setup["resource"]
        dead = play.call(setup[0]["op"], setup[0]["params"])["TopicArn"]

        def fail(event: Any, context: Any) -> None:
            raise Exception("Test exception (this is intentional)")

        params = play.setup["function"][0]["params"]
        play.sim.function(params["FunctionName"], handler=fail, dead_letter_config=dead)
        for each in setup[1:]:
            play.call(each["op"], each["params"])
        play.play(len(play.inputs))
        recorded = play.parts["messages"]
        equal(recorded, play.receive(recorded, sort=False))
