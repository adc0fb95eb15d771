"""Messages through boto3: send, receive, delete and hide them; the move of dead letters."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import md5
from typing import Any

import pytest

from simbus import Simulation

boto3 = pytest.importorskip("boto3", reason="needs the extra boto3")
ClientError = pytest.importorskip("botocore.exceptions").ClientError

TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


@pytest.fixture
def sim() -> Iterator[Simulation]:
    with Simulation(seed=1) as simulation:
        yield simulation


@pytest.fixture
def sqs(sim: Simulation) -> Any:
    return sim.client("sqs")


def make(sqs: Any, name: str = "jobs", **attributes: str) -> str:
    """A queue; its URL."""
    url: str = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url


def fifo(sqs: Any, **attributes: str) -> str:
    return make(sqs, "jobs.fifo", FifoQueue="true", **attributes)


def refusal(call: Any, **params: Any) -> tuple[str, str, str, int]:
    """Code, the name of the shape, message and HTTP status of an error."""
    with pytest.raises(ClientError) as caught:
        call(**params)
    response = caught.value.response
    error = response["Error"]
    return (
        error["Code"],
        error["QueryErrorCode"],
        error["Message"],
        response["ResponseMetadata"]["HTTPStatusCode"],
    )


def digest(attributes: dict[str, dict[str, Any]]) -> str:
    """The MD5 of message attributes, as the developer guide describes it."""
    packed = b""
    for name, attribute in sorted(attributes.items()):
        for part in (name.encode(), attribute["DataType"].encode()):
            packed += len(part).to_bytes(4, "big") + part
        binary = "BinaryValue" in attribute
        value = attribute["BinaryValue"] if binary else attribute["StringValue"].encode()
        packed += (b"\x02" if binary else b"\x01") + len(value).to_bytes(4, "big") + value
    return md5(packed).hexdigest()


ATTRIBUTES = {
    "foo.one": {"DataType": "String", "StringValue": "1"},
    "foo.two": {"DataType": "Number.int", "StringValue": "2"},
    "bar": {"DataType": "Binary", "BinaryValue": b"\x00\x01"},
}


def test_a_message_there_and_back(sim: Simulation, sqs: Any) -> None:
    """Digests of body and attributes are AWS's; no attribute comes back that was not asked for."""
    url = make(sqs)
    sent = sqs.send_message(
        QueueUrl=url,
        MessageBody="grüß",
        MessageAttributes=ATTRIBUTES,
        MessageSystemAttributes={"AWSTraceHeader": {"DataType": "String", "StringValue": TRACE}},
    )
    body = md5("grüß".encode()).hexdigest()
    header = {"AWSTraceHeader": {"DataType": "String", "StringValue": TRACE}}
    expected = {
        "MessageId": sim["sqs:jobs"].messages[0].message_id,
        "MD5OfMessageBody": body,
        "MD5OfMessageAttributes": digest(ATTRIBUTES),
        "MD5OfMessageSystemAttributes": digest(header),
    }
    assert {key: value for key, value in sent.items() if key != "ResponseMetadata"} == expected
    [message] = sqs.receive_message(QueueUrl=url)["Messages"]
    handle = message.pop("ReceiptHandle")
    assert message == {"MessageId": sent["MessageId"], "MD5OfBody": body, "Body": "grüß"}
    sqs.delete_message(QueueUrl=url, ReceiptHandle=handle)
    assert "Messages" not in sqs.receive_message(QueueUrl=url)


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["All"], ["bar", "foo.one", "foo.two"]),
        ([".*"], ["bar", "foo.one", "foo.two"]),
        (["foo.*"], ["foo.one", "foo.two"]),
        (["bar", "absent"], ["bar"]),
        (["foo"], []),
    ],
)
def test_message_attributes_that_were_asked_for(sqs: Any, names: list[str], found: list[str]) -> None:
    """MessageAttributeNames: All, a prefix with `.*`, names; the digest is over the ones that are returned."""
    url = make(sqs)
    sqs.send_message(QueueUrl=url, MessageBody="a", MessageAttributes=ATTRIBUTES)
    [message] = sqs.receive_message(QueueUrl=url, MessageAttributeNames=names)["Messages"]
    wanted = {name: ATTRIBUTES[name] for name in found}
    assert message.get("MessageAttributes", {}) == wanted
    assert message.get("MD5OfMessageAttributes") == (digest(wanted) if wanted else None)


def test_system_attributes_that_were_asked_for(sqs: Any) -> None:
    """By their new parameter and by the old one, AttributeNames."""
    url = fifo(sqs, ContentBasedDeduplication="true")
    sent = sqs.send_message(QueueUrl=url, MessageBody="a", MessageGroupId="g")
    receive = {"QueueUrl": url, "VisibilityTimeout": 0}
    [message] = sqs.receive_message(MessageSystemAttributeNames=["All"], **receive)["Messages"]
    sender = message["Attributes"].pop("SenderId")
    assert sender.startswith("AIDA")
    assert message["Attributes"] == {
        "ApproximateReceiveCount": "1",
        "ApproximateFirstReceiveTimestamp": "1767225600000",
        "SentTimestamp": "1767225600000",
        "SequenceNumber": sent["SequenceNumber"],
        "MessageGroupId": "g",
        "MessageDeduplicationId": "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
    }
    [message] = sqs.receive_message(
        AttributeNames=["SenderId"],
        MessageSystemAttributeNames=["AWSTraceHeader", "ApproximateReceiveCount"],
        **receive,
    )["Messages"]
    assert message["Attributes"] == {"SenderId": sender, "ApproximateReceiveCount": "2"}
    [message] = sqs.receive_message(AttributeNames=["AWSTraceHeader"], **receive)["Messages"]
    assert "Attributes" not in message


def test_a_batch_succeeds_in_part(sqs: Any) -> None:
    """Each entry has its own answer; the list that would be empty is not there."""
    url = make(sqs)
    entries = [{"Id": "a", "MessageBody": "1"}, {"Id": "b", "MessageBody": "2", "DelaySeconds": 901}]
    found = sqs.send_message_batch(QueueUrl=url, Entries=entries)
    assert [entry["Id"] for entry in found["Successful"]] == ["a"]
    assert found["Failed"] == [
        {
            "Id": "b",
            "SenderFault": True,
            "Code": "InvalidParameterValue",
            "Message": "Value 901 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.",
        }
    ]
    assert "Failed" not in sqs.send_message_batch(QueueUrl=url, Entries=entries[:1])
    handles = [
        message["ReceiptHandle"] for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    ]
    hide = [{"Id": str(n), "ReceiptHandle": handle, "VisibilityTimeout": 9} for n, handle in enumerate(handles)]
    assert len(sqs.change_message_visibility_batch(QueueUrl=url, Entries=hide)["Successful"]) == 2
    drop = [{"Id": "0", "ReceiptHandle": handles[0]}, {"Id": "1", "ReceiptHandle": "nonsense"}]
    found = sqs.delete_message_batch(QueueUrl=url, Entries=drop)
    assert found["Successful"] == [{"Id": "0"}]
    assert (found["Failed"][0]["Id"], found["Failed"][0]["Code"]) == ("1", "ReceiptHandleIsInvalid")


def entries(*names: str) -> list[dict[str, str]]:
    return [{"Id": name, "MessageBody": "x"} for name in names]


SERVICE = "AWS.SimpleQueueService."


@pytest.mark.parametrize(
    ("call", "params", "error"),
    [
        (
            "send_message_batch",
            {"Entries": []},
            (
                f"{SERVICE}EmptyBatchRequest",
                "EmptyBatchRequest",
                "There should be at least one SendMessageBatchRequestEntry in the request.",
                400,
            ),
        ),
        (
            "send_message_batch",
            {"Entries": entries("a", "a")},
            (f"{SERVICE}BatchEntryIdsNotDistinct", "BatchEntryIdsNotDistinct", "Id a repeated.", 400),
        ),
        (
            "send_message_batch",
            {"Entries": entries(*"abcdefghijk")},
            (
                f"{SERVICE}TooManyEntriesInBatchRequest",
                "TooManyEntriesInBatchRequest",
                "Maximum number of entries per request are 10. You have sent 11.",
                400,
            ),
        ),
        (
            "send_message_batch",
            {"Entries": entries("a b")},
            (
                f"{SERVICE}InvalidBatchEntryId",
                "InvalidBatchEntryId",
                "A batch entry id can only contain alphanumeric characters, hyphens and underscores. "
                "It can be at most 80 letters long.",
                400,
            ),
        ),
        (
            "send_message_batch",
            {"Entries": [{"Id": "a", "MessageBody": "x" * 1_048_577}]},
            (
                f"{SERVICE}BatchRequestTooLong",
                "BatchRequestTooLong",
                "Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes.",
                400,
            ),
        ),
        (
            "send_message",
            {"MessageBody": ""},
            (
                "MissingParameter",
                "MissingRequiredParameterException",
                "The request must contain the parameter MessageBody.",
                400,
            ),
        ),
        (
            "receive_message",
            {"MaxNumberOfMessages": 11},
            (
                "InvalidParameterValue",
                "InvalidParameterValueException",
                "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.",
                400,
            ),
        ),
        (
            "receive_message",
            {"WaitTimeSeconds": 21},
            (
                "InvalidParameterValue",
                "InvalidParameterValueException",
                "Value 21 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided.",
                400,
            ),
        ),
        (
            "delete_message",
            {"ReceiptHandle": "x"},
            (
                "ReceiptHandleIsInvalid",
                "ReceiptHandleIsInvalid",
                'The input receipt handle "x" is not a valid receipt handle.',
                404,
            ),
        ),
    ],
)
def test_refusals(sqs: Any, call: str, params: dict[str, Any], error: tuple[str, str, str, int]) -> None:
    """Code, shape, text and status of SQS's errors (semantics reference 7.5, SQS API reference)."""
    url = make(sqs)
    assert refusal(getattr(sqs, call), QueueUrl=url, **params) == error


def test_modelled_exceptions(sqs: Any) -> None:
    """`client.exceptions.X` catches each error that botocore's model of SQS has."""
    url = make(sqs)
    with pytest.raises(sqs.exceptions.EmptyBatchRequest):
        sqs.delete_message_batch(QueueUrl=url, Entries=[])
    with pytest.raises(sqs.exceptions.ReceiptHandleIsInvalid):
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle="x", VisibilityTimeout=1)
    with pytest.raises(sqs.exceptions.InvalidMessageContents):
        sqs.send_message(QueueUrl=url, MessageBody="\x00")
    sqs.purge_queue(QueueUrl=url)
    with pytest.raises(sqs.exceptions.PurgeQueueInProgress) as caught:
        sqs.purge_queue(QueueUrl=url)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        sqs.send_message(QueueUrl=url + "x", MessageBody="a")


def test_a_long_poll_waits_in_virtual_time(sim: Simulation) -> None:
    """A handler that polls for 20 s gets the message of another one, at the instant at which that was sent."""
    sim.queue("jobs")

    def poll(event: Any, context: Any) -> list[Any]:
        sqs = boto3.client("sqs")
        begin = time.time()
        url = sqs.get_queue_url(QueueName="jobs")["QueueUrl"]
        got = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)
        waited = time.time() - begin
        empty = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=2)
        bodies = [m["Body"] for m in got["Messages"]]
        return [
            bodies,
            round(waited, 2),
            "Messages" in empty,
            round(time.time() - begin, 2),
        ]

    def send(event: Any, context: Any) -> None:
        time.sleep(5)
        boto3.resource("sqs").get_queue_by_name(QueueName="jobs").send_message(MessageBody="late")

    poller = sim.function("poll", handler=poll, timeout=60, simulate={"init_duration": "0s"})
    sender = sim.function("send", handler=send, timeout=60, simulate={"init_duration": "0s"})
    sender.invoke({}, invocation_type="Event")
    assert poller.invoke({}).json() == [["late"], 5.02, False, 7.03]


def test_a_long_poll_of_a_queue_that_is_deleted(sim: Simulation, sqs: Any) -> None:
    """The queue is gone when the poll is answered."""
    url = make(sqs)
    sim.at("1s", lambda: sqs.delete_queue(QueueUrl=url))
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        sqs.receive_message(QueueUrl=url, WaitTimeSeconds=2)


def test_threads_of_a_handler_call_beside_a_long_poll(sim: Simulation) -> None:
    """The poll of one thread waits; what another one calls meanwhile takes its own latency."""
    sim.queue("jobs")

    def handler(event: Any, context: Any) -> list[float]:
        sqs = boto3.client("sqs")
        url = sqs.get_queue_url(QueueName="jobs")["QueueUrl"]
        with ThreadPoolExecutor() as pool:
            begin = time.time()
            poll = pool.submit(sqs.receive_message, QueueUrl=url, WaitTimeSeconds=2)
            for _ in range(3):
                sqs.list_queues()
            called = time.time()
            poll.result()
        return [round(called - begin, 3), round(time.time() - begin, 3)]

    assert sim.function("f", handler=handler, timeout=9).invoke({}).json() == [0.03, 2.01]


def test_the_sender_of_a_handlers_message(sim: Simulation) -> None:
    """SenderId is the UserId of GetCallerIdentity: role and session of the function, or a user (API reference)."""
    queue = sim.queue("jobs")

    def handler(event: Any, context: Any) -> str:
        boto3.client("sqs").send_message(QueueUrl=queue.url, MessageBody="a")
        return str(boto3.client("sts").get_caller_identity()["UserId"])

    caller = sim.function("f", handler=handler, timeout=9).invoke({}).json()
    assert queue.messages[0].attributes["SenderId"] == caller
    assert caller.endswith(":f")


def test_a_receive_is_repeated(sim: Simulation, sqs: Any) -> None:
    """ReceiveRequestAttemptId: the same messages and handles, hidden anew, until one of them is changed."""
    url = fifo(sqs, VisibilityTimeout="10")
    for n in range(3):
        sqs.send_message(QueueUrl=url, MessageBody=str(n), MessageGroupId="g", MessageDeduplicationId=str(n))
    receive = {"QueueUrl": url, "MaxNumberOfMessages": 2, "ReceiveRequestAttemptId": "try"}
    first = sqs.receive_message(**receive)["Messages"]
    assert [message["Body"] for message in first] == ["0", "1"]
    sim.run(until="8s")
    assert sqs.receive_message(**receive)["Messages"] == first
    sim.run(until="15s")
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    sqs.delete_message(QueueUrl=url, ReceiptHandle=first[0]["ReceiptHandle"])
    assert "Messages" not in sqs.receive_message(**receive)
    sim.run(until="20s")
    assert [message["Body"] for message in sqs.receive_message(**receive)["Messages"]] == ["1", "2"]
    standard = make(sqs)
    error = refusal(sqs.receive_message, QueueUrl=standard, ReceiveRequestAttemptId="try")
    assert error[0] == "InvalidParameterValue"
    assert error[2].endswith("The request include parameter that is not valid for this queue type.")


def test_the_resource(sim: Simulation) -> None:
    """boto3.resource: queues, their messages, batches, attributes."""
    sqs = sim.resource("sqs")
    queue = sqs.create_queue(QueueName="jobs", Attributes={"DelaySeconds": "0"})
    assert [each.url for each in sqs.queues.all()] == [queue.url]
    queue.send_message(MessageBody="a", MessageAttributes={"k": {"DataType": "String", "StringValue": "v"}})
    queue.send_messages(Entries=entries("b", "c"))
    queue.load()
    assert queue.attributes["ApproximateNumberOfMessages"] == "3"
    [message] = queue.receive_messages(MessageAttributeNames=["k"])
    assert (message.body, message.message_attributes["k"]["StringValue"]) == ("a", "v")
    message.change_visibility(VisibilityTimeout=5)
    message.delete()
    for message in queue.receive_messages(MaxNumberOfMessages=10):
        message.delete()
    assert queue.receive_messages() == []
    queue.set_attributes(Attributes={"DelaySeconds": "3"})
    queue.reload()
    assert queue.attributes["DelaySeconds"] == "3"
    queue.delete()
    with pytest.raises(sqs.meta.client.exceptions.QueueDoesNotExist):
        sqs.get_queue_by_name(QueueName="jobs")


def dead_letters(sqs: Any, count: int) -> tuple[str, str]:
    """A queue with so many messages in its dead-letter queue; both URLs."""
    dead = make(sqs, "dead")
    policy = {"deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:dead", "maxReceiveCount": 1}
    url = make(sqs, RedrivePolicy=json.dumps(policy), VisibilityTimeout="0")
    for n in range(count):
        sqs.send_message(QueueUrl=url, MessageBody=str(n))
    for _ in range(2):
        sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    return url, dead


DEAD = "arn:aws:sqs:us-east-1:000000000000:dead"


def test_dead_letters_are_moved_back(sim: Simulation, sqs: Any) -> None:
    """StartMessageMoveTask, its state while it runs and afterwards; ListDeadLetterSourceQueues."""
    url, dead = dead_letters(sqs, 4)
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == [url]
    assert sqs.list_dead_letter_source_queues(QueueUrl=url)["queueUrls"] == []
    [message] = sqs.receive_message(QueueUrl=dead, AttributeNames=["All"], VisibilityTimeout=0)["Messages"]
    assert message["Attributes"]["DeadLetterQueueSourceArn"].endswith(":jobs")
    handle = sqs.start_message_move_task(SourceArn=DEAD, MaxNumberOfMessagesPerSecond=1)["TaskHandle"]
    with pytest.raises(sqs.exceptions.UnsupportedOperation):
        sqs.start_message_move_task(SourceArn=DEAD)
    sim.run(until="1.5s")
    [task] = sqs.list_message_move_tasks(SourceArn=DEAD)["Results"]
    assert task == {
        "TaskHandle": handle,
        "Status": "RUNNING",
        "SourceArn": DEAD,
        "MaxNumberOfMessagesPerSecond": 1,
        "ApproximateNumberOfMessagesMoved": 2,
        "ApproximateNumberOfMessagesToMove": 4,
        "StartedTimestamp": 1767225600000,
    }
    assert sqs.cancel_message_move_task(TaskHandle=handle)["ApproximateNumberOfMessagesMoved"] == 2
    sqs.start_message_move_task(SourceArn=DEAD, DestinationArn=DEAD.replace("dead", "jobs"))
    sim.run(until="5s")
    tasks = sqs.list_message_move_tasks(SourceArn=DEAD, MaxResults=10)["Results"]
    assert [(task["Status"], "TaskHandle" in task) for task in tasks] == [("COMPLETED", False), ("CANCELLED", False)]
    assert len(sim["sqs:jobs"].messages) == 4


def test_move_tasks_that_are_refused(sqs: Any) -> None:
    """ResourceNotFoundException, UnsupportedOperation and InvalidParameterValue, each where AWS has it."""
    url, _ = dead_letters(sqs, 1)
    absent = DEAD.replace("dead", "absent")
    for params in ({"SourceArn": absent}, {"SourceArn": DEAD, "DestinationArn": absent}, {"SourceArn": "dead"}):
        with pytest.raises(sqs.exceptions.ResourceNotFoundException):
            sqs.start_message_move_task(**params)
    code, _, message, _ = refusal(sqs.start_message_move_task, SourceArn=DEAD.replace("dead", "jobs"))
    assert (code, message) == ("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.")
    assert refusal(sqs.cancel_message_move_task, TaskHandle="x")[0] == "InvalidParameterValue"
    handle = sqs.start_message_move_task(SourceArn=DEAD)["TaskHandle"]
    sqs.cancel_message_move_task(TaskHandle=handle)
    with pytest.raises(sqs.exceptions.UnsupportedOperation, match="Only active tasks can be cancelled"):
        sqs.cancel_message_move_task(TaskHandle=handle)
    assert url
