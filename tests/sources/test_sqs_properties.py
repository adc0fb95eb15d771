"""What holds for every history of a queue: order per group, nothing lost, counts that only grow."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import Worldlet

from simbus.errors import AwsError
from simbus.kernel import SECOND

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.integers(0, 3), st.integers(0, 5)),
        st.tuples(st.just("receive"), st.integers(1, 10), st.integers(0, 20)),
        st.tuples(st.just("delete"), st.integers(0, 30), st.just(0)),
        st.tuples(st.just("hide"), st.integers(0, 30), st.integers(0, 20)),
        st.tuples(st.just("wait"), st.integers(1, 40), st.just(0)),
    ),
    max_size=60,
)


class History:
    """Plays steps on a queue with a DLQ and notes what was sent and received."""

    def __init__(self, fifo: bool, ties: int | None) -> None:
        self.w = Worldlet(ties=ties)
        suffix = ".fifo" if fifo else ""
        self.fifo = fifo
        self.dead = self.w.queue(f"dead{suffix}", fifo_queue=fifo)
        self.queue = self.w.queue(
            f"jobs{suffix}",
            fifo_queue=fifo,
            message_retention_period=60,
            redrive_policy={"dead_letter_target_arn": f"sqs:dead{suffix}", "max_receive_count": 3},
        )
        self.sent: list[str] = []
        self.received = []
        self.refusals: list[str] = []
        self.counts: dict[str, list[int]] = defaultdict(list)
        self.in_order: dict[str, list[int]] = defaultdict(list)

    def play(self, steps) -> None:
        for number, (verb, a, b) in enumerate(steps):
            getattr(self, verb)(number, a, b)

    def send(self, number, group, delay) -> None:
        if self.fifo:
            more = {"message_group_id": str(group), "message_deduplication_id": str(number)}
        else:
            more = {"delay_seconds": delay}
        self.sent.append(self.queue.send_message(str(number), **more)["MessageId"])

    def receive(self, number, most, visibility) -> None:
        hidden = {}
        for message in self.queue.messages:
            if message.state != "visible":
                hidden.setdefault(message.group_id, int(message.body))
        got = self.queue.receive_messages(most, visibility_timeout=visibility)
        assert len(got) <= most
        for each in got:
            self.received.append(each)
            self.counts[each.message_id].append(each.receive_count)
            if self.fifo:
                group = each.attributes["MessageGroupId"]
                assert group not in hidden or int(each.body) < hidden[group]
        if self.fifo:
            for group in {each.attributes["MessageGroupId"] for each in got}:
                batch = [int(each.body) for each in got if each.attributes["MessageGroupId"] == group]
                assert batch == sorted(batch)

    def delete(self, number, which, _) -> None:
        self._quietly(lambda each: self.queue.delete_message(each.receipt_handle), which)

    def hide(self, number, which, seconds) -> None:
        self._quietly(lambda each: self.queue.change_message_visibility(each.receipt_handle, seconds), which)

    def _quietly(self, call, which) -> None:
        if self.received:
            try:
                call(self.received[which % len(self.received)])
            except AwsError as error:
                self.refusals.append(error.code)

    def wait(self, number, seconds, _) -> None:
        self.w.timeline.run(until=self.w.timeline.now + seconds * SECOND)


@settings(max_examples=150, deadline=None)
@given(steps=STEPS, fifo=st.booleans(), ties=st.one_of(st.none(), st.integers(0, 3)))
def test_every_message_is_in_exactly_one_place(steps, fifo, ties):
    """SQS loses nothing: a message is visible, delayed, in flight, deleted, expired or redriven, exactly once."""
    history = History(fifo, ties)
    history.play(steps)
    history.queue.final_rows()
    rows = [row for row in history.w.rows.messages if row[0] == history.queue.resource]
    assert sorted(row[1] for row in rows) == sorted(history.sent)
    states = {"visible", "delayed", "in_flight", "deleted", "expired", "redriven"}
    assert {row[7] for row in rows} <= states
    assert set(history.refusals) <= {"InvalidParameterValue"}
    redriven = [row[1] for row in rows if row[7] == "redriven"]
    assert sorted(redriven) == sorted(message.message_id for message in history.dead.messages)
    counts = history.queue.store.counts
    standing = [message.state for message in history.queue.messages]
    assert counts == {state: standing.count(state) for state in ("visible", "delayed", "in_flight")}
    for seen in history.counts.values():
        assert seen == list(range(1, len(seen) + 1))
        assert len(seen) <= 3


@settings(max_examples=50, deadline=None)
@given(steps=STEPS, fifo=st.booleans())
def test_the_same_seed_gives_the_same_history(steps, fifo):
    """Determinism: rows, ids and hops are equal."""
    one, other = History(fifo, 1), History(fifo, 1)
    one.play(steps)
    other.play(steps)
    assert lists(one.w.rows) == lists(other.w.rows)


def lists(rows):
    return {name: value for name, value in vars(rows).items() if isinstance(value, list)}


@settings(max_examples=50, deadline=None)
@given(groups=st.lists(st.integers(0, 4), min_size=1, max_size=40), batch=st.integers(1, 10))
def test_a_fifo_group_is_consumed_in_order(groups, batch):
    """Receive, then delete: every group comes out in the order in which it went in, and all of it."""
    w = Worldlet()
    queue = w.queue("q.fifo", fifo_queue=True, content_based_deduplication=True)
    for number, group in enumerate(groups):
        queue.send_message(str(number), message_group_id=str(group))
    seen: dict[str, list[int]] = defaultdict(list)
    while got := queue.receive_messages(batch):
        for each in got:
            seen[each.attributes["MessageGroupId"]].append(int(each.body))
            queue.delete_message(each.receipt_handle)
    expected: dict[str, list[int]] = defaultdict(list)
    for number, group in enumerate(groups):
        expected[str(group)].append(number)
    assert seen == expected
