"""Every recorded case of sns.json against simbus, field for field (see aws_recorded.py).

The queue's own fields (receipt handle, MD5, timestamps) belong to the tests of SQS: compared is what SNS decides, the
body, the message attributes, group and deduplication id, the attributes of subscriptions and topics, and the errors.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest
from aws_recorded import ACCOUNT, REGION, equal, fill, load_case, load_cases
from recorded_sns import CASES, DELIVERIES, ERRORS, FIFO, FUNCTION, QUEUE
from sns_stubs import Box, Stage

from simbus.arn import Account
from simbus.errors import AwsError, UsageError
from simbus.sources.sns.topic import Topic


def test_every_recorded_case_is_in_the_table() -> None:
    """The table names every case of sns.json and nothing else."""
    names = [case["name"] for case in load_cases("sns")]
    assert not names or sorted(names) == sorted(CASES)


def snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


class Play:
    """Plays one recorded case: its set-up, its inputs, and what arrived."""

    def __init__(self, name: str) -> None:
        self.case = load_case("sns", name)
        self.table = CASES[name]
        self.stage = Stage(Account(id=ACCOUNT, region=REGION))
        self.topics: dict[str, Topic] = {}
        self.boxes: dict[str, Box] = {}
        self.subscriptions: list[str] = []
        self.errors: list[AwsError] = []
        self.answers: list[Any] = []
        self.attributes: list[dict[str, str]] = []
        self.topic_attributes: list[dict[str, str]] = []
        text = json.dumps(self.case["setup"])
        fifo = {f"queue-{n}": f"queue-{n}.fifo" for n in (1, 2)} if '"FifoQueue": "true"' in text else {}
        if '"FifoTopic": "true"' in text:
            fifo["topic-1"] = "topic-1.fifo"
        self.setup = fill(self.case["setup"], fifo)
        inputs = fill(self.case["inputs"], fifo)
        self.inputs = [each["params"] for each in inputs for _ in range(each.get("times", 1))]
        self._played = 0

    def run(self) -> None:
        for each in self.setup.get("function", ()):
            self._box(f"lambda:{each['params']['FunctionName']}")
        changes = 0
        for each in self.setup["resource"]:
            self._resource(each["op"], each["params"])
            if each["op"] == "sns:SetSubscriptionAttributes":
                changes += 1
                self._play_inputs((self.table.set_then or {}).get(changes, 0))
            if self.subscriptions:
                last = self.subscriptions[-1]
                self.attributes.append(self._topic(last.rpartition(":")[0]).get_subscription_attributes(last))
        if self.table.remove:
            self.stage.remove(self.boxes[self.table.remove])
        if not self.table.set_then:
            self._play_inputs(len(self.inputs))

    def _topic(self, arn: str | None = None) -> Topic:
        return self.topics[arn] if arn else next(iter(self.topics.values()))

    def _box(self, reference: str) -> None:
        self.boxes[reference] = self.stage.box(reference)

    def _resource(self, operation: str, params: dict[str, Any]) -> None:
        attributes = params.get("Attributes", {})
        if operation == "sns:CreateTopic":
            settings = {
                snake(key): {"true": True, "false": False}.get(value, value) for key, value in attributes.items()
            }
            topic = self.stage.topic(params["Name"], **settings)
            self.topics[topic.arn] = topic
            self.topic_attributes.append(topic.get_topic_attributes())
        elif operation == "sqs:CreateQueue":
            self._box(f"sqs:{params['QueueName']}")
        elif operation == "sns:Subscribe":
            self._subscribe(params, {snake(key): value for key, value in attributes.items()})
        elif operation == "sns:SetSubscriptionAttributes":
            topic = self._topic(params["SubscriptionArn"].rpartition(":")[0])
            topic.set_subscription_attributes(self.subscriptions[-1], params["AttributeName"], params["AttributeValue"])

    def _subscribe(self, params: dict[str, Any], attributes: dict[str, Any]) -> None:
        topic = self._topic(params["TopicArn"])
        try:
            self.subscriptions.append(topic.subscribe(params["Endpoint"], protocol=params["Protocol"], **attributes))
        except AwsError as error:
            self.errors.append(error)

    def _play_inputs(self, count: int) -> None:
        for each in self.inputs[self._played : self._played + count]:
            self._input(each)
        self._played += count
        self.stage.timeline.run()

    def _input(self, params: dict[str, Any]) -> None:
        topic = self.topics.get(params.get("TopicArn") or params["TargetArn"], self._topic())
        if topic.arn != (params.get("TopicArn") or params["TargetArn"]):
            topic.delete_topic()
        try:
            if "PublishBatchRequestEntries" in params:
                self.answers.append(topic.publish_batch(params["PublishBatchRequestEntries"]))
            else:
                given = {snake(key): value for key, value in params.items() if not key.endswith("Arn")}
                self.answers.append(topic.publish(given.pop("message"), **given))
        except AwsError as error:
            self.errors.append(error)

    @property
    def arrived(self) -> list[dict[str, Any]]:
        """What reached the queues, each once, as ReceiveMessage shows what SNS has decided."""
        boxes = (box for name, box in self.boxes.items() if name.startswith("sqs:"))
        messages = [shown(delivery) for box in boxes for delivery in box.deliveries]
        return sorted(messages, key=lambda each: str(each["Body"])) if self.table.sort else messages


def shown(delivery: Any) -> dict[str, Any]:
    message: dict[str, Any] = {"Body": delivery.payload}
    if delivery.attributes:
        message["MessageAttributes"] = delivery.attributes
    if delivery.group_id:
        ids = {"MessageDeduplicationId": delivery.deduplication_id, "MessageGroupId": delivery.group_id}
        message["Attributes"] = ids
    return message


def decided(message: dict[str, Any]) -> dict[str, Any]:
    """The part of a received message that SNS decides."""
    kept = {key: message[key] for key in ("Body", "MessageAttributes") if key in message}
    ids = {
        key: value
        for key, value in message.get("Attributes", {}).items()
        if key in ("MessageDeduplicationId", "MessageGroupId")
    }
    return {**kept, "Attributes": ids} if ids else kept


def errors_of(parts: Iterable[Any]) -> list[dict[str, Any]]:
    return [
        {
            **{key: part["Error"][key] for key in ("Code", "Message")},
            "Status": part["ResponseMetadata"]["HTTPStatusCode"],
        }
        for part in parts
    ]


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name: str) -> None:
    """SNS refuses with these codes, texts and statuses, one after the other (recording: the case's name)."""
    play = Play(name)
    play.run()
    recorded = errors_of([*play.case["recorded"].values(), *play.case["recorded_api"].values()])
    assert [{"Code": e.code, "Message": e.message, "Status": e.status} for e in play.errors] == recorded


@pytest.mark.parametrize("name", DELIVERIES)
def test_deliveries(name: str) -> None:
    """These messages reach the queue or the dead-letter queue, in this form (recording: the case's name)."""
    play = Play(name)
    play.run()
    parts = {**play.case["recorded"], **play.case["recorded_api"]}
    recorded = [decided(message) for key in play.table.messages for message in parts[key]["Messages"]]
    arrived = play.arrived
    if play.table.unasked:
        arrived = [{"Body": message["Body"]} for message in arrived if message.pop("MessageAttributes")]
    equal(recorded, arrived)
    assert [keys(message) for message in arrived] == [keys(message) for message in recorded]
    shown_attributes = [seen for n, seen in enumerate(play.attributes) if n == 0 or seen != play.attributes[n - 1]]
    for key, index in (play.table.attributes or {}).items():
        assert_attributes(parts[key], shown_attributes[index])


def keys(message: dict[str, Any]) -> list[Any]:
    """The keys of the body and of its attributes, in their order."""
    body = message["Body"]
    if isinstance(body, str):
        try:
            body = json.loads(body)
        except ValueError:
            return []
    return [list(body), list(body.get("MessageAttributes", ()))]


def assert_attributes(recorded: dict[str, Any], actual: dict[str, str]) -> None:
    equal(recorded.get("Attributes", recorded), actual)


def test_redriven_messages_are_settled_once() -> None:
    """A message whose endpoint is gone counts as dead-lettered (recording test_redrive_policy_lambda_subscription)."""
    play = Play(FUNCTION + "test_redrive_policy_lambda_subscription")
    play.run()
    assert play.stage.outcomes == [("lambda:function-1", "dead_letter")]


@pytest.mark.parametrize("name", [FIFO + "test_publish_batch_messages_from_fifo_topic_to_fifo_queue[True]"])
def test_answers_of_a_fifo_batch(name: str) -> None:
    """A repeated batch gets MessageIds and SequenceNumbers of the first one; the topic's attributes are these."""
    play = Play(name)
    play.run()
    recorded = play.case["recorded_api"]["publish-batch-response-fifo"]
    again = play.case["recorded"]["republish-batch-response-fifo"]
    expected = [{key: part[key] for key in ("Successful", "Failed")} for part in (recorded, again)]
    equal(expected, play.answers)
    assert_attributes(play.case["recorded_api"]["topic-attrs"], play.topic_attributes[0])


def test_answer_of_a_batch() -> None:
    """PublishBatch answers with the Id and MessageId of each entry (recording test_publish_batch_messages...)."""
    play = Play(QUEUE + "test_publish_batch_messages_from_sns_to_sqs")
    play.run()
    recorded = play.case["recorded_api"]["publish-batch"]
    equal({key: recorded[key] for key in ("Successful", "Failed")}, play.answers[0])


@pytest.mark.parametrize("version", ["1", "2"])
def test_lambda_event(version: str) -> None:
    """Lambda's event says SignatureVersion 1, whichever the topic signs with (test_publish_lambda_verify_signature)."""
    play = Play(f"{FUNCTION}test_publish_lambda_verify_signature[{version}]")
    play.run()
    (body,) = play.boxes["lambda:function-1"].bodies
    equal(play.case["recorded"]["notification"], body["Records"][0]["Sns"])


def test_topic_as_dead_letter_queue_of_a_function() -> None:
    """Lambda's three attributes arrive, there is no Subject (test_sns_topic_as_lambda_dead_letter_queue)."""
    play = Play(FUNCTION + "test_sns_topic_as_lambda_dead_letter_queue")
    play.run()
    dead_letter, topic = play.topics
    (delivery,) = play.boxes["lambda:function-1"].deliveries
    assert delivery.source_arn == topic
    delivery.service = "lambda.amazonaws.com"
    delivery.attributes = {
        "RequestID": {"DataType": "String", "StringValue": "8f507cfc-0000-4000-8000-000000000000"},
        "ErrorCode": {"DataType": "Number", "StringValue": "200"},
        "ErrorMessage": {"DataType": "String", "StringValue": "Test exception (this is intentional)"},
    }
    play.topics[dead_letter].accept(delivery)
    equal([decided(message) for message in play.case["recorded"]["messages"]["Messages"]], play.arrived)


def test_delivery_status_logging_is_refused() -> None:
    """The attributes of a new topic are these; feedback roles are refused by name (recording test_delivery_lambda)."""
    case = load_case("sns", "test_delivery_lambda")
    topic = Stage(Account(id=ACCOUNT, region=REGION)).topic("topic-1")
    assert_attributes(case["recorded_api"]["get-topic-attrs"], topic.get_topic_attributes())
    for each in case["setup"]["resource"]:
        if each["op"] == "sns:SetTopicAttributes":
            with pytest.raises(UsageError, match=f"{each['params']['AttributeName']} is not built"):
                topic.set_topic_attributes(each["params"]["AttributeName"], each["params"]["AttributeValue"])
