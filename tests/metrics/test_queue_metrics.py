"""AWS/SQS in table `metrics`: what CloudWatch would show of a queue, minute by minute.

Source of the facts, where no other is named: SQS Developer Guide, "Available CloudWatch metrics for Amazon SQS".
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simbus import Simulation
from simbus.metrics import Datapoint

START = 1_767_225_600_000  # 2026-01-01T00:00:00Z
NAMES = {
    "visible": "ApproximateNumberOfMessagesVisible",
    "in_flight": "ApproximateNumberOfMessagesNotVisible",
    "delayed": "ApproximateNumberOfMessagesDelayed",
    "age": "ApproximateAgeOfOldestMessage",
    "sent": "NumberOfMessagesSent",
    "received": "NumberOfMessagesReceived",
    "deleted": "NumberOfMessagesDeleted",
}


def metric(queue: Any, name: str) -> dict[int, float]:
    return {(point.time - START) // 60_000: point.value for point in queue.metric(NAMES[name])}


def test_what_stands_in_a_queue_has_a_row_in_every_minute(sim: Simulation) -> None:
    """Queue metrics are reported every minute while the queue is active; here: while something stands in it."""
    queue = sim.queue("q")
    sim.at("30s", lambda: queue.send_message("a"))
    sim.run(until="4m30s")
    queue.delete_message(queue.receive_messages()[0].receipt_handle)
    sim.run(until="1h")
    assert metric(queue, "visible") == {0: 1, 1: 1, 2: 1, 3: 1, 4: 1}
    assert metric(queue, "in_flight") == {4: 1}
    assert metric(queue, "age") == {0: 30, 1: 90, 2: 150, 3: 210, 4: 240}
    assert metric(queue, "sent") == {0: 1}
    assert metric(queue, "received") == metric(queue, "deleted") == {4: 1}
    assert queue.metric(NAMES["age"])[0] == Datapoint(START, NAMES["age"], "QueueName=q", 30.0, "Seconds")


def test_delayed_messages(sim: Simulation) -> None:
    """ApproximateNumberOfMessagesDelayed: in the queue, and not available for reading immediately."""
    queue = sim.queue("q", delay_seconds=70)
    queue.send_message("a")
    sim.run()
    assert metric(queue, "delayed") == {0: 1, 1: 1}
    assert metric(queue, "visible") == {1: 1}


def test_a_message_that_comes_back_is_received_again(sim: Simulation) -> None:
    """NumberOfMessagesReceived counts each receive."""
    queue = sim.queue("q", visibility_timeout=10)
    queue.send_message("a")
    for _ in range(4):
        assert len(queue.receive_messages()) == 1
        sim.run()
    assert metric(queue, "received") == {0: 4}
    assert metric(queue, "sent") == {0: 1}


def test_a_poison_pill_has_no_age(sim: Simulation) -> None:
    """A message that was received three times is not in ApproximateAgeOfOldestMessage, which then is that of the next
    one."""
    queue = sim.queue("q", visibility_timeout=5)
    queue.send_message("poison")
    for when in (10, 20, 30):
        sim.run(until=f"{when}s")
        assert len(queue.receive_messages()) == 1
    sim.run(until="50s")
    queue.send_message("good")
    sim.run(until="150s")
    assert metric(queue, "age") == {0: 30, 1: 70, 2: 100}


def test_a_fifo_queue_keeps_its_order_and_the_age_of_what_blocks(sim: Simulation) -> None:
    """For FIFO queues the message is not moved to the back of the queue: it blocks its group, and its age grows."""
    queue = sim.queue("q.fifo", fifo_queue=True, visibility_timeout=60)
    for body in ("poison", "good"):
        queue.send_message(body, message_group_id="g", message_deduplication_id=body)
    for minute in range(1, 5):
        sim.run(until=f"{minute}m")
        assert [message.body for message in queue.receive_messages()] == ["poison"]
    sim.run(until="5m")
    assert metric(queue, "age") == {0: 60, 1: 120, 2: 180, 3: 240, 4: 300, 5: 300}


def test_a_dead_letter_is_as_old_as_its_move_and_was_not_sent(sim: Simulation) -> None:
    """In a dead-letter queue the age counts from the move; a message that comes there after failed processing isn't
    captured by NumberOfMessagesSent, one that is sent there is (developer guide, "dead-letter queues")."""
    dead = sim.queue("dead")
    policy = {"dead_letter_target_arn": "sqs:dead", "max_receive_count": 4}
    queue = sim.queue("q", visibility_timeout=30, redrive_policy=policy)
    queue.send_message("a")
    for when in range(0, 150, 30):
        sim.run(until=f"{when}s")
        queue.receive_messages()
    assert len(dead.messages) == 1
    sim.run(until="4m")
    dead.send_message("by hand")
    assert metric(dead, "age") == {2: 60, 3: 120, 4: 120}
    assert metric(dead, "sent") == {4: 1}
    assert metric(dead, "visible") == {2: 1, 3: 1, 4: 2}


@pytest.mark.parametrize("again", ["same handle", "other handle"])
def test_a_second_delete_counts(sim: Simulation, again: str) -> None:
    """NumberOfMessagesDeleted can be higher than expected: for other receipt handles of a message, and the same one."""
    queue = sim.queue("q", visibility_timeout=1)
    queue.send_message("a")
    handles = [queue.receive_messages()[0].receipt_handle]
    sim.run()
    handles.append(queue.receive_messages()[0].receipt_handle)
    queue.delete_message(handles[1])
    queue.delete_message(handles[1 if again == "same handle" else 0])
    assert metric(queue, "deleted") == {0: 2}


def test_a_purge_deletes_without_a_receipt_handle(sim: Simulation) -> None:
    """NumberOfMessagesDeleted is emitted for each deletion that uses a valid receipt handle."""
    queue = sim.queue("q")
    queue.send_message("a")
    queue.purge_queue()
    sim.run(until="5m")
    assert metric(queue, "deleted") == {}
    assert metric(queue, "visible") == {0: 1}


def test_a_mapping_deletes_what_its_function_processed(sim: Simulation) -> None:
    """Lambda receives and deletes as anybody else; a duplicate is deleted twice."""
    queue = sim.queue("q", visibility_timeout=60)
    function = sim.function("f", timeout=60, simulate={"init_duration": "0s", "duration": "1s"})
    sim.event_source_mapping(event_source="sqs:q", function=function)
    for body in "abc":
        queue.send_message(body)
    sim.run()
    assert metric(queue, "received") == metric(queue, "deleted") == {0: 3}
    assert metric(queue, "in_flight") == {0: 3}


VISIBILITY, DELAY, END = 45, 50, 480
actions = st.lists(
    st.tuples(
        st.integers(0, END), st.sampled_from(["send", "delayed", "receive", "receive", "delete", "show", "hide"])
    ),
    max_size=30,
)


@settings(max_examples=100)
@given(actions=actions, fifo=st.booleans())
def test_the_rows_are_those_of_a_model(actions: list[tuple[int, str]], fifo: bool) -> None:
    """The maximum of a minute is what a model finds that looks before and after every change; the sums agree, too."""
    with Simulation(5) as sim:
        queue = sim.queue("q.fifo" if fifo else "q", fifo_queue=fifo, visibility_timeout=VISIBILITY)
        model = Model(queue, fifo)
        for second, action in [*sorted(actions), (END, "nothing")]:
            sim.run(until=f"{second}s")
            model.go_to(second)
            getattr(model, action)()
            model.look()
        assert {name: metric(queue, name) for name in NAMES} == {
            name: {minute: value for minute, value in model.rows[name].items() if value} for name in NAMES
        }


class Sent:
    """A message in the model: `due` is when it becomes visible by itself."""

    def __init__(self, now: int, state: str, due: int) -> None:
        self.arrived = now
        self.state = state
        self.due = due
        self.receives = 0
        self.handle = ""


class Model:
    """Does each operation on the queue, and keeps the metrics in the simplest way, second by second."""

    def __init__(self, queue: Any, fifo: bool) -> None:
        self.queue, self.fifo, self.now = queue, fifo, 0
        self.messages: dict[str, Sent] = {}
        self.rows: dict[str, Counter[int]] = {name: Counter() for name in NAMES}

    def look(self) -> None:
        """Note what stands now for this minute."""
        levels = Counter(message.state for message in self.messages.values())
        aged = [m.arrived for m in self.messages.values() if self.fifo or m.receives < 3]
        levels["age"] = self.now - min(aged, default=self.now)
        for name in ("visible", "in_flight", "delayed", "age"):
            row = self.rows[name]
            row[self.now // 60] = max(row[self.now // 60], levels[name])
            if name == "age" and self.now % 60 == 0 and self.now:
                row[self.now // 60 - 1] = max(row[self.now // 60 - 1], levels[name])

    def go_to(self, second: int) -> None:
        """Time passes: what is due becomes visible."""
        while True:
            self.look()
            for message in self.messages.values():
                if message.state in ("in_flight", "delayed") and message.due == self.now:
                    message.state = "visible"
            self.look()
            if self.now == second:
                return
            self.now += 1

    def count(self, name: str) -> None:
        self.rows[name][self.now // 60] += 1

    def send(self, delay: int = 0) -> None:
        options: dict[str, Any] = {"delay_seconds": delay} if delay else {}
        if self.fifo:
            options = {"message_group_id": "g", "message_deduplication_id": str(self.rows["sent"].total())}
        answer = self.queue.send_message("x", **options)
        delayed = bool(delay) and not self.fifo
        self.messages[answer["MessageId"]] = Sent(self.now, "delayed" if delayed else "visible", self.now + delay)
        self.count("sent")

    def delayed(self) -> None:
        self.send(DELAY)

    def receive(self) -> None:
        for received in self.queue.receive_messages():
            message = self.messages[received.message_id]
            message.state, message.due, message.handle = "in_flight", self.now + VISIBILITY, received.receipt_handle
            message.receives += 1
            self.count("received")

    def _in_flight(self) -> list[tuple[str, Sent]]:
        return [(name, message) for name, message in self.messages.items() if message.state == "in_flight"]

    def delete(self) -> None:
        for name, message in self._in_flight()[:1]:
            self.queue.delete_message(message.handle)
            del self.messages[name]
            self.count("deleted")

    def show(self) -> None:
        for _, message in self._in_flight()[-1:]:
            self.queue.change_message_visibility(message.handle, 0)
            message.state = "visible"

    def hide(self) -> None:
        for _, message in self._in_flight()[:1]:
            self.queue.change_message_visibility(message.handle, 100)
            message.due = self.now + 100

    def nothing(self) -> None:
        """The end."""
