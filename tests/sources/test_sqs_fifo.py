"""SQS FIFO queues: reference section 7.5, recordings test_fifo_*."""

from __future__ import annotations

import pytest
from worlds import Worldlet

from simbus.errors import AwsError
from simbus.kernel import MINUTE, SECOND
from simbus.sources.sqs.queue import Queue
from simbus.world import Delivery


def fifo(w: Worldlet, **settings) -> Queue:
    return w.queue("jobs.fifo", fifo_queue=True, **{"content_based_deduplication": True, **settings})


def send(queue: Queue, body: str, group: str = "g", **more):
    return queue.send_message(body, message_group_id=group, **more)


def bodies(queue: Queue, number: int = 10, **more) -> list[str]:
    return [m.body for m in queue.receive_messages(number, **more)]


def test_system_attributes():
    """FIFO messages have SequenceNumber, MessageGroupId and MessageDeduplicationId besides the four standard ones."""
    queue = fifo(Worldlet())
    first = send(queue, "a", message_deduplication_id="d1")
    second = send(queue, "b", message_deduplication_id="d2")
    assert int(second["SequenceNumber"]) > int(first["SequenceNumber"])
    assert len(first["SequenceNumber"]) == 20
    got = queue.receive_messages()[0]
    assert got.attributes["MessageGroupId"] == "g"
    assert got.attributes["MessageDeduplicationId"] == "d1"
    assert got.attributes["SequenceNumber"] == first["SequenceNumber"]


def test_a_group_waits_for_its_first_message():
    """Strict order: while a message of a group is in flight, no later one is handed out; other groups go on."""
    w = Worldlet()
    queue = fifo(w)
    for body, group in [("a1", "a"), ("a2", "a"), ("b1", "b"), ("a3", "a")]:
        send(queue, body, group)
    (first,) = queue.receive_messages(1)
    assert first.body == "a1"
    assert bodies(queue) == ["b1"]
    queue.delete_message(first.receipt_handle)
    assert bodies(queue) == ["a2", "a3"]


def test_hiding_a_message_hides_the_later_ones_of_its_group():
    """LS:sqs::test_fifo_*: earlier messages stay receivable."""
    w = Worldlet()
    queue = fifo(w)
    for n in range(4):
        send(queue, str(n))
    got = queue.receive_messages(10)
    assert [m.body for m in got] == ["0", "1", "2", "3"]
    for index in (0, 2, 3):
        queue.change_message_visibility(got[index].receipt_handle, 0)
    assert bodies(queue) == ["0"]  # 1 is hidden, so are 2 and 3
    w.timeline.run(until=30 * SECOND)
    assert bodies(queue) == ["0", "1", "2", "3"]


def test_order_survives_the_visibility_timeout():
    """Messages that come back are handed out in the order of their group again."""
    w = Worldlet()
    queue = fifo(w, visibility_timeout=10)
    for n in range(3):
        send(queue, str(n))
    assert bodies(queue, 2) == ["0", "1"]
    w.timeline.run(until=10 * SECOND)
    assert bodies(queue) == ["0", "1", "2"]


def test_deduplication_within_five_minutes():
    """A copy is accepted with the answer of the first, even after that was deleted; five minutes later it counts."""
    w = Worldlet()
    queue = fifo(w)
    first = send(queue, "a")
    assert send(queue, "a") == first
    assert send(queue, "a", "other") == first  # scope queue: the group does not matter
    queue.delete_message(queue.receive_messages()[0].receipt_handle)
    assert send(queue, "a") == first
    assert queue.messages == []
    w.timeline.run(until=5 * MINUTE - 1)
    assert send(queue, "a") == first
    w.timeline.run(until=5 * MINUTE)
    assert send(queue, "a") != first
    assert len(queue.messages) == 1


def test_deduplication_per_group():
    """With DeduplicationScope messageGroup both arrive."""
    queue = fifo(Worldlet(), deduplication_scope="messageGroup")
    send(queue, "a", "g1")
    send(queue, "a", "g2")
    send(queue, "a", "g2")
    assert len(queue.messages) == 2


def test_parameters_of_the_wrong_queue_type():
    """LS:sqs::test_fifo_*: DelaySeconds, missing group, missing deduplication id; a standard queue takes no id."""
    w = Worldlet()
    queue = fifo(w, delay_seconds=7, content_based_deduplication=False)
    with pytest.raises(AwsError) as caught:
        send(queue, "a", message_deduplication_id="1", delay_seconds=2)
    assert caught.value.message == (
        "Value 2 for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid for "
        "this queue type."
    )
    send(queue, "a", message_deduplication_id="1", delay_seconds=0)
    assert queue.messages[0].state == "delayed"
    with pytest.raises(AwsError, match="The request must contain the parameter MessageGroupId"):
        queue.send_message("a", message_deduplication_id="2")
    with pytest.raises(AwsError, match="ContentBasedDeduplication enabled or MessageDeduplicationId provided"):
        send(queue, "b")
    with pytest.raises(AwsError, match="1 to 128 in length"):
        send(queue, "b", "g" * 129, message_deduplication_id="3")
    standard = w.queue("plain")
    standard.send_message("a", message_group_id="tenant")  # fair queues, 08/2025
    with pytest.raises(AwsError, match="not valid for this queue type"):
        standard.send_message("a", message_deduplication_id="1")
    w.timeline.run()
    assert w.timeline.now == 7 * SECOND


def test_an_expired_receipt_handle_does_not_delete():
    """LS:sqs::test_fifo_delete_after_visibility_timeout[_extended]."""
    w = Worldlet()
    queue = fifo(w, visibility_timeout=1)
    send(queue, "a")
    handle = queue.receive_messages()[0].receipt_handle
    w.timeline.run(until=2 * SECOND)
    with pytest.raises(AwsError) as caught:
        queue.delete_message(handle)
    assert caught.value.message == (
        f"Value {handle} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired."
    )
    handle = queue.receive_messages()[0].receipt_handle
    queue.change_message_visibility(handle, 10)
    w.timeline.run(until=4 * SECOND)
    queue.delete_message(handle)
    assert queue.messages == []


def test_redrive_unblocks_the_group():
    """The message goes to a FIFO DLQ and the next of its group is handed out by the same receive."""
    w = Worldlet()
    dead = w.queue("dead.fifo", fifo_queue=True)
    queue = fifo(w, redrive_policy={"dead_letter_target_arn": "sqs:dead.fifo", "max_receive_count": 1})
    send(queue, "poison")
    send(queue, "good")
    assert bodies(queue, 1, visibility_timeout=0) == ["poison"]
    assert bodies(queue, 1) == ["good"]
    assert [(m.body, m.group_id) for m in dead.messages] == [("poison", "g")]
    assert bodies(queue) == []


def test_fifo_and_standard_do_not_redrive_to_each_other():
    """Dead-letter queue must be of the same type (SQS developer guide)."""
    w = Worldlet()
    w.queue("dead")
    with pytest.raises(AwsError, match="same type"):
        fifo(w, redrive_policy={"dead_letter_target_arn": "sqs:dead", "max_receive_count": 1})


def test_deliveries_carry_group_and_deduplication_id():
    """SNS FIFO topics pass both on; a delivery without a group is refused."""
    queue = fifo(Worldlet())
    arn = "arn:aws:sns:us-east-1:111111111111:t.fifo"
    queue.accept(Delivery("a", "sns.amazonaws.com", arn, group_id="g", deduplication_id="d"))
    queue.accept(Delivery("a", "sns.amazonaws.com", arn, group_id="g", deduplication_id="d"))
    assert [(m.group_id, m.deduplication_id) for m in queue.messages] == [("g", "d")]
    with pytest.raises(AwsError, match="MessageGroupId"):
        queue.accept(Delivery("a", "s3.amazonaws.com", "arn:aws:s3:::b"))


def test_throughput_of_300_calls_a_second():
    """SQS quotas: 300 calls a second of each action without high throughput, which removes the limit here."""
    w = Worldlet()
    queue = fifo(w)
    for n in range(300):
        send(queue, str(n))
    with pytest.raises(AwsError) as caught:
        send(queue, "300")
    assert caught.value.code == "RequestThrottled"
    queue.receive_messages()
    w.timeline.run(until=SECOND)
    send(queue, "300")
    fast = w.queue(
        "fast.fifo",
        fifo_queue=True,
        content_based_deduplication=True,
        deduplication_scope="messageGroup",
        fifo_throughput_limit="perMessageGroupId",
    )
    for n in range(301):
        send(fast, str(n))


def test_the_last_message_of_a_group_is_redriven_by_the_receive_that_is_too_many() -> None:
    """The group ends with it; a receive that goes on to other groups does not stumble over it."""
    world = Worldlet()
    dead = world.queue("dead.fifo", fifo_queue=True)
    queue = world.queue(
        "q.fifo", fifo_queue=True, redrive_policy={"dead_letter_target_arn": "sqs:dead.fifo", "max_receive_count": 1}
    )
    queue.send_message("a", message_group_id="1", message_deduplication_id="a")
    assert len(queue.receive_messages(visibility_timeout=0)) == 1
    queue.send_message("b", message_group_id="2", message_deduplication_id="b")
    assert [message.body for message in queue.receive_messages(10)] == ["b"]
    assert [message.body for message in dead.messages] == ["a"]


@pytest.mark.parametrize(
    ("entry", "code", "text"),
    [
        (
            {"MessageGroupId": "g"},
            "InvalidParameterValue",
            "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided "
            "explicitly",
        ),
        (
            {"MessageDeduplicationId": "2"},
            "MissingParameter",
            "The request must contain the parameter MessageGroupId.",
        ),
    ],
)
def test_one_entry_without_its_ids_fails_the_whole_batch(entry: dict[str, str], code: str, text: str):
    """LocalStack, validated on AWS: test_send_batch_missing_deduplication_id_for_fifo_queue and
    test_send_batch_missing_message_group_id_for_fifo_queue. Nothing of the batch is sent."""
    queue = fifo(Worldlet(), content_based_deduplication=False)
    good = {"Id": "1", "MessageBody": "a", "MessageGroupId": "g", "MessageDeduplicationId": "1"}
    with pytest.raises(AwsError) as caught:
        queue.send_message_batch([good, {"Id": "2", "MessageBody": "b", **entry}])
    assert (caught.value.code, caught.value.message) == (code, text)
    assert bodies(queue) == []
