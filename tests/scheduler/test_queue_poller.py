"""The poller of a queue: batches, visibility, failures, throttles, and what becomes of each message."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from simbus import Simulation
from simbus.kernel import MILLISECOND, SECOND
from simbus.sources.sqs.queue import Queue

FAST = {"init_duration": "0s", "duration": "1ms"}
Handler = Callable[[Any, Any], Any]


class Bench:
    """A queue `jobs` mapped to `work`; `events` are what it was given, each with its time in seconds."""

    def __init__(self, sim: Simulation, handler: Handler | None = None, **queue: Any) -> None:
        self.sim = sim
        self.events: list[tuple[float, Any]] = []
        self.handler = handler
        self.failed = sim.queue(
            "failed.fifo" if queue.get("fifo_queue") else "failed", fifo_queue="fifo_queue" in queue
        )
        self.queue = sim.queue("jobs.fifo" if queue.get("fifo_queue") else "jobs", **queue)

    def work(self, name: str = "work", **settings: Any) -> Any:
        simulate = {**FAST, **settings.pop("simulate", {})}
        return self.sim.function(name, handler=self._handle, simulate=simulate, **settings)

    def _handle(self, event: Any, context: Any) -> Any:
        self.events.append((round(self.sim.now / SECOND, 3), event))
        return None if self.handler is None else self.handler(event, context)

    @property
    def bodies(self) -> list[list[str]]:
        return [[record["body"] for record in event["Records"]] for _, event in self.events]

    @property
    def times(self) -> list[float]:
        return [when for when, _ in self.events]

    def send(self, *bodies: str, **more: Any) -> None:
        for body in bodies:
            self.queue.send_message(body, **more)

    def outcomes(self) -> Counter[tuple[str, str]]:
        self.sim.finish()
        return Counter(rows(self.sim, "SELECT subscription, outcome FROM deliveries"))

    def hops(self, kind: str) -> list[Any]:
        return rows(self.sim, f"SELECT time - 1767225600000, detail FROM hops WHERE kind = '{kind}' ORDER BY rowid")


def rows(sim: Simulation, sql: str) -> list[Any]:
    with sim.reader() as reader:
        return [tuple(row) for row in reader.query(sql)]


def fail(event: Any, _: Any) -> None:
    raise ValueError("intentional")


REDRIVE = {"dead_letter_target_arn": "sqs:failed", "max_receive_count": 2}

# --- batches ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "batches"), [(10, [10, 10, 5]), (1, [1] * 25), (7, [7, 7, 7, 4])])
def test_a_batch_has_at_most_batch_size_messages(sim: Simulation, size: int, batches: list[int]) -> None:
    """CreateEventSourceMapping, BatchSize; without a window a batch goes as soon as messages are there."""
    bench = Bench(sim)
    bench.work()
    sim.event_source_mapping(bench.queue, "work", batch_size=size)
    bench.send(*(str(n) for n in range(25)))
    sim.run()
    assert sorted(map(len, bench.bodies), reverse=True) == batches
    assert sorted(body for batch in bench.bodies for body in batch) == sorted(str(n) for n in range(25))


def test_a_window_begins_with_the_first_message_and_ends_early_when_the_batch_is_full(sim: Simulation) -> None:
    """MaximumBatchingWindowInSeconds: the invocation comes when the window is over, or the batch is full."""
    bench = Bench(sim, visibility_timeout=60)
    bench.work()
    sim.event_source_mapping("sqs:jobs", "work", batch_size=12, maximum_batching_window_in_seconds=5)
    for second in range(4):
        sim.at(f"{second + 1}s", lambda: bench.send("a", "b"))
    sim.at("20s", lambda: bench.send(*"abcdefghijklmno"))
    sim.run()
    assert [(when, len(event["Records"])) for when, event in bench.events] == [(6.0, 8), (20.0, 12), (25.0, 3)]


def test_a_batch_stays_below_6_mb_with_its_metadata(sim: Simulation) -> None:
    """Lambda quotas: 6 MB synchronous payload; what does not fit begins the next batch."""
    bench = Bench(sim, visibility_timeout=60)
    work = bench.work()
    sim.event_source_mapping("sqs:jobs", "work", batch_size=100, maximum_batching_window_in_seconds=1)
    bench.send(*[str(n) * 1_048_576 for n in range(8)])
    sim.run()
    assert [len(batch) for batch in bench.bodies] == [5, 3]
    sizes = [len(row.payload) for row in work.invocations]
    assert 5 * 1_048_576 < max(sizes) <= 6_291_456
    assert bench.queue.messages == []


def test_what_one_receive_brings_too_much_waits_for_its_place(sim: Simulation) -> None:
    """Ten messages of 1 MiB are two batches; with two at once, twenty-two are 5, 5, 5, 5 and 2, each received once."""
    bench = Bench(sim, visibility_timeout=60)
    work = bench.work(timeout=10, simulate={"duration": "3s"})
    settings = {"batch_size": 100, "maximum_batching_window_in_seconds": 1}
    sim.event_source_mapping("sqs:jobs", "work", **settings, scaling_config={"maximum_concurrency": 2})
    bench.send(*[chr(97 + n) * 1_048_576 for n in range(22)])
    sim.run()
    assert [len(batch) for batch in bench.bodies] == [5, 5, 5, 5, 2]
    assert bench.times == [0.0, 0.0, 3.0, 3.0, 7.0]  # the last two are received at 6, and have a window of their own
    assert len({body for batch in bench.bodies for body in batch}) == 22
    assert all(row.status == "ok" for row in work.invocations)
    assert bench.outcomes() == {("lambda:work", "ok"): 22}


def large_fifo(sim: Simulation, handler: Handler, letters: str, groups: str) -> tuple[Bench, list[str]]:
    """A run with messages of 1 MiB in a FIFO queue, a function that works for 3 s, and the letters of its batches."""
    bench = Bench(sim, handler, fifo_queue=True, content_based_deduplication=True)
    bench.work(timeout=10, simulate={"duration": "3s"})
    sim.event_source_mapping("sqs:jobs.fifo", "work", function_response_types=["ReportBatchItemFailures"])
    for letter, group in zip(letters, groups, strict=True):
        bench.send(letter * 1_048_576, message_group_id=group)
    sim.run()
    return bench, ["".join(body[0] for body in batch) for batch in bench.bodies]


def test_no_fifo_group_is_in_two_hands_where_one_receive_is_two_batches(sim: Simulation) -> None:
    """Developer Guide, "Configuring scaling behavior for SQS event source mappings": a function that fails has all
    retries of the affected messages before Lambda receives more of their group. Ten messages of 1 MiB are two batches.
    """
    runs: list[int] = []

    def fail_first(event: Any, context: Any) -> None:
        runs.append(1)
        if len(runs) == 1:
            fail(event, context)

    bench, batches = large_fifo(sim, fail_first, "abcdefghij", "xxxxxxxxxx")
    assert batches == ["abcde", "abcde", "fghij"]
    assert bench.times == [0.0, 30.0, 33.0]
    assert len(bench.hops("returned")) == 5
    assert bench.outcomes() == {("lambda:work", "ok"): 10}


def test_a_fifo_group_that_did_not_fail_goes_on(sim: Simulation) -> None:
    """The same page: a batch may hold several groups; one that fails (here y, by `e`) holds up itself only."""
    runs: list[int] = []

    def report(event: Any, _: Any) -> Any:
        runs.append(1)
        failed = [record["messageId"] for record in event["Records"] if record["body"][0] == "e" and len(runs) == 1]
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}

    bench, batches = large_fifo(sim, report, "abcdefghi", "xxxxyyyzz")
    assert batches == ["abcde", "hi", "efg"]
    assert bench.times == [0.0, 3.0, 30.0]
    assert [detail[:24] for _, detail in bench.hops("returned")] == ["its group waits for what"] * 2
    assert bench.outcomes() == {("lambda:work", "ok"): 9}


def test_a_batch_that_waited_does_not_take_the_place_of_the_one_that_is_open(sim: Simulation) -> None:
    """17 messages of 1 MiB and 6 small ones, two batches at once: the last batch goes on filling while another goes."""
    bench = Bench(sim, visibility_timeout=60)
    bench.work(simulate={"duration": "500ms"})
    settings = {"batch_size": 100, "maximum_batching_window_in_seconds": 1}
    sim.event_source_mapping("sqs:jobs", "work", **settings, scaling_config={"maximum_concurrency": 2})
    bench.send(*["x" * 1_048_576] * 17, *"abcdef")
    sim.run()
    assert [len(batch) for batch in bench.bodies] == [5, 5, 5, 8]
    assert bench.times == [0.0, 0.0, 0.5, 1.0]


def test_a_window_makes_the_visibility_long_enough_for_itself(sim: Simulation) -> None:
    """Developer Guide: where window + function timeout exceed the visibility timeout, it is their sum and 30 s more."""
    bench = Bench(sim, fail, visibility_timeout=10, redrive_policy=REDRIVE)
    bench.work(timeout=10)
    sim.event_source_mapping("sqs:jobs", "work", maximum_batching_window_in_seconds=20)
    bench.send("a")
    sim.run()
    assert bench.times == [20.0, 80.0 + 0.0]
    assert [message.body for message in bench.failed.messages] == ["a"]


def test_messages_of_one_instant_are_seen_together_in_any_order_of_ties() -> None:
    """A poll answers at the end of an instant; another order of simultaneous events makes no other batches."""
    for ties in (None, 1, 2, 3):
        with Simulation(1, ties=ties) as sim:
            bench = Bench(sim)
            bench.work()
            sim.event_source_mapping("sqs:jobs", "work")
            for _ in range(4):
                sim.at("1s", lambda b=bench: b.send("a"))  # type: ignore[misc]
            sim.run()
            assert bench.bodies == [["a"] * 4]


# --- the record ------------------------------------------------------------------------------------------------------

ATTRIBUTES = {
    "n": {"DataType": "Number", "StringValue": "6"},
    "b": {"DataType": "Binary", "BinaryValue": b"\x00\x01"},
}


@pytest.mark.parametrize("window", [0, 1])
def test_message_attributes_in_the_event(sim: Simulation, window: int) -> None:
    """Recorded (test_message_body_and_attributes_passed_correctly): camel case, two empty lists, base64; the digest."""
    bench = Bench(sim)
    bench.work()
    sim.event_source_mapping("sqs:jobs", "work", maximum_batching_window_in_seconds=window)
    sent = bench.queue.send_message("x", message_attributes=ATTRIBUTES)
    sim.run()
    [(_, event)] = bench.events
    [record] = event["Records"]
    empty = {"stringListValues": [], "binaryListValues": []}
    assert record["messageAttributes"] == {
        "n": {"stringValue": "6", **empty, "dataType": "Number"},
        "b": {"binaryValue": "AAE=", **empty, "dataType": "Binary"},
    }
    assert record["md5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    assert record["md5OfBody"] == sent["MD5OfMessageBody"]
    assert list(record) == [
        *("messageId", "receiptHandle", "body", "attributes", "messageAttributes", "md5OfMessageAttributes"),
        *("md5OfBody", "eventSource", "eventSourceARN", "awsRegion"),
    ]


@pytest.mark.parametrize(("window", "there"), [(0, False), (1, True)])
def test_without_attributes_the_digest_is_absent_or_null(sim: Simulation, window: int, there: bool) -> None:
    """All recorded events agree: with window 0 the key is absent, with a window it is there and null."""
    bench = Bench(sim)
    bench.work()
    sim.event_source_mapping("sqs:jobs", "work", maximum_batching_window_in_seconds=window)
    bench.send('ü "quoted" \n {}')
    sim.run()
    [record] = bench.events[0][1]["Records"]
    assert record["body"] == 'ü "quoted" \n {}'
    assert ("md5OfMessageAttributes" in record) is there
    assert record.get("md5OfMessageAttributes") is None
    assert list(record["attributes"]) == [
        *("ApproximateReceiveCount", "SentTimestamp", "SenderId", "ApproximateFirstReceiveTimestamp")
    ]


def test_a_fifo_record_has_its_group_its_number_and_its_deduplication_id(sim: Simulation) -> None:
    """Recorded (test_report_batch_item_failures): three more system attributes; a trace header where there is one."""
    bench = Bench(sim, fifo_queue=True)
    bench.work()
    sim.event_source_mapping(bench.queue, "work")
    bench.send(
        "a",
        message_group_id="g",
        message_deduplication_id="d",
        message_system_attributes={"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-5e3d83c1-0"}},
    )
    sim.run()
    attributes = bench.events[0][1]["Records"][0]["attributes"]
    assert attributes["MessageGroupId"] == "g"
    assert attributes["MessageDeduplicationId"] == "d"
    assert attributes["SequenceNumber"].isdecimal()
    assert attributes["AWSTraceHeader"] == "Root=1-5e3d83c1-0"


# --- failures --------------------------------------------------------------------------------------------------------


def test_a_failed_batch_comes_again_as_a_whole_until_it_is_redriven(sim: Simulation) -> None:
    """Function error: nothing is deleted; the same messages after the visibility timeout, then the DLQ."""
    bench = Bench(sim, fail, visibility_timeout=30, redrive_policy=REDRIVE)
    bench.work()
    sim.event_source_mapping("sqs:jobs", "work")
    bench.send("good", "bad")
    sim.run()
    assert bench.bodies == [["good", "bad"]] * 2
    assert bench.times == [0.0, 30.0]
    counts = [event["Records"][0]["attributes"]["ApproximateReceiveCount"] for _, event in bench.events]
    assert counts == ["1", "2"]
    assert [message.body for message in bench.failed.messages] == ["good", "bad"]
    assert bench.outcomes() == {("lambda:work", "dead_letter"): 2}
    assert [detail.partition(" in ")[0] for _, detail in bench.hops("failed")] == ["error"] * 4


def test_a_timeout_leaves_the_messages_too(sim: Simulation) -> None:
    """Whatever the outcome, only `ok` deletes."""
    bench = Bench(sim, visibility_timeout=5, redrive_policy=REDRIVE)
    bench.work(timeout=2, simulate={"duration": "10s"})
    sim.event_source_mapping("sqs:jobs", "work")
    bench.send("a")
    sim.run()
    assert bench.times == [0.0, 5.0]
    assert bench.outcomes() == {("lambda:work", "dead_letter"): 1}


def report(*bodies: str) -> Handler:
    def handler(event: Any, _: Any) -> Any:
        failed = [record for record in event["Records"] if record["body"] in bodies]
        return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in failed]}

    return handler


def test_reported_items_come_again_and_the_others_are_deleted(sim: Simulation) -> None:
    """ReportBatchItemFailures; without it the same response is ignored."""
    bench = Bench(sim, report("bad"), redrive_policy=REDRIVE)
    bench.work()
    sim.event_source_mapping("sqs:jobs", "work", function_response_types=["ReportBatchItemFailures"])
    bench.send("good", "bad", "fine")
    sim.run()
    assert bench.bodies == [["good", "bad", "fine"], ["bad"]]
    assert [message.body for message in bench.failed.messages] == ["bad"]
    assert bench.outcomes() == {("lambda:work", "ok"): 2, ("lambda:work", "dead_letter"): 1}


def test_a_response_means_nothing_without_report_batch_item_failures(sim: Simulation) -> None:
    """Developer Guide: partial batch responses forgotten in FunctionResponseTypes lose messages silently."""
    bench = Bench(sim, report("bad"))
    bench.work()
    sim.event_source_mapping("sqs:jobs", "work")
    bench.send("good", "bad")
    sim.run()
    assert bench.bodies == [["good", "bad"]]
    assert bench.outcomes() == {("lambda:work", "ok"): 2}


@pytest.mark.parametrize(
    "response", [{"batchItemFailures": [{"itemIdentifier": ""}]}, {"batchItemFailures": [{"x": 1}]}, 5]
)
def test_a_response_that_can_not_be_read_fails_the_batch(sim: Simulation, response: Any) -> None:
    """Recorded for Kinesis and documented for SQS: a bad identifier is the failure of all."""
    bench = Bench(sim, lambda event, _: response, redrive_policy=REDRIVE)
    bench.work()
    sim.event_source_mapping("sqs:jobs", "work", function_response_types=["ReportBatchItemFailures"])
    bench.send("a", "b")
    sim.run()
    assert bench.bodies == [["a", "b"]] * 2
    assert len(bench.failed.messages) == 2


def test_a_run_that_outlives_the_visibility_makes_duplicates(sim: Simulation) -> None:
    """The message is visible again while the first run goes on; an old receipt still deletes on a standard queue."""
    bench = Bench(sim, visibility_timeout=10)
    bench.work(timeout=10, simulate={"duration": "7s"})
    sim.event_source_mapping("sqs:jobs", "work")
    bench.queue.set_queue_attributes(visibility_timeout=3)  # AWS checks it with the mapping, not here
    bench.send("a")
    sim.run()
    assert bench.times == [0.0, 3.0, 6.0]
    assert bench.outcomes() == {("lambda:work", "ok"): 1}


def test_a_fifo_queue_does_not_take_the_receipt_of_a_lapsed_receive(sim: Simulation) -> None:
    """Recorded (test_fifo_delete_after_visibility_timeout): the receipt has expired; the message comes again."""
    bench = Bench(sim, visibility_timeout=10, fifo_queue=True)
    runs = iter([5, 1])

    def handler(event: Any, _: Any) -> None:
        import time

        time.sleep(next(runs))

    bench.handler = handler
    bench.work(timeout=10)
    sim.event_source_mapping(bench.queue, "work")
    bench.queue.set_queue_attributes(visibility_timeout=3)
    bench.send("a", message_group_id="g", message_deduplication_id="d")
    sim.run()
    assert bench.times == [0.0, 3.0]
    assert bench.outcomes() == {("lambda:work", "ok"): 1}
    assert bench.queue.messages == []


def test_a_handler_that_deletes_its_message_has_processed_it(sim: Simulation) -> None:
    """DeleteMessage by the function itself; its failure afterwards brings nothing back."""
    bench = Bench(sim)

    def handler(event: Any, _: Any) -> None:
        bench.queue.delete_message(event["Records"][0]["receiptHandle"])
        raise ValueError("too late")

    bench.handler = handler
    bench.work()
    sim.event_source_mapping("sqs:jobs", "work")
    bench.send("a")
    sim.run()
    assert len(bench.events) == 1
    assert bench.outcomes() == {("lambda:work", "ok"): 1}


def test_a_message_that_is_never_processed_is_dropped_by_retention(sim: Simulation) -> None:
    """Without a redrive policy a poison message comes again until it is too old: the run ends, the event is lost."""
    bench = Bench(sim, fail, visibility_timeout=30, message_retention_period=100)
    bench.work()
    sim.event_source_mapping("sqs:jobs", "work")
    bench.send("a")
    sim.run()
    assert bench.times == [0.0, 30.0, 60.0, 90.0]
    assert bench.outcomes() == {("lambda:work", "dropped"): 1}


@pytest.mark.parametrize(("error_rate", "outcome"), [(0, "ok"), (1, "dropped")])
def test_what_becomes_too_old_in_the_hands_of_a_function_is_settled_by_its_answer(
    sim: Simulation, error_rate: int, outcome: str
) -> None:
    """Retention deletes in-flight messages as well; the run that had the message decides whether the event is lost."""
    queue = sim.queue("jobs", visibility_timeout=120, message_retention_period=60)
    sim.function("work", timeout=100, simulate={**FAST, "duration": "90s", "error_rate": error_rate})
    sim.event_source_mapping("sqs:jobs", "work")
    queue.send_message("a")
    sim.run()
    sim.finish()
    assert rows(sim, "SELECT subscription, outcome FROM deliveries") == [("lambda:work", outcome)]
    assert rows(sim, "SELECT state FROM messages") == [("expired",)]


def test_a_purge_takes_messages_from_a_batch_that_is_being_filled(sim: Simulation) -> None:
    """They are gone: the batch goes without them, and nobody lost them but who purged."""
    bench = Bench(sim)
    bench.work()
    sim.event_source_mapping("sqs:jobs", "work", maximum_batching_window_in_seconds=5)
    bench.send("a", "b")
    sim.at("2s", bench.queue.purge_queue)
    sim.at("3s", lambda: bench.send("c"))
    sim.run()
    assert bench.bodies == [["c"]]
    assert bench.outcomes() == {("lambda:work", "ok"): 1}


# --- filters ---------------------------------------------------------------------------------------------------------


def test_what_no_filter_matches_is_deleted_at_once_and_not_lost(sim: Simulation) -> None:
    """Recorded (test_sqs_event_filter): the queue is empty afterwards; a hop says why, the event has no delivery."""
    bench = Bench(sim)
    bench.work()
    pattern = json.dumps({"body": {"a": ["x"]}})
    sim.event_source_mapping("sqs:jobs", "work", filter_criteria={"filters": [{"pattern": pattern}]})
    bench.send('{"a": "x"}', '{"a": "y"}', "plain")
    sim.run()
    assert bench.bodies == [['{"a": "x"}']]
    assert bench.queue.messages == []
    assert bench.outcomes() == {("lambda:work", "ok"): 1}
    assert [when for when, _ in bench.hops("filtered")] == [0, 0]


# --- throttles -------------------------------------------------------------------------------------------------------


def test_a_throttle_longer_than_the_visibility_timeout_is_a_receive(sim: Simulation) -> None:
    """Developer Guide: Lambda retries while the message is hidden, then it returns; so good messages reach the DLQ."""
    bench = Bench(sim, visibility_timeout=30, redrive_policy=REDRIVE)
    work = bench.work(reserved_concurrent_executions=0)
    sim.event_source_mapping("sqs:jobs", "work")
    bench.send("a")
    sim.run()
    assert work.invocations == []
    assert [message.receive_count for message in bench.failed.messages] == [2]
    throttled = [when / 1000 for when, _ in bench.hops("throttled")]
    assert throttled == [0, 1, 3, 7, 15, 30, 31, 33, 37, 45]
    assert [when for when, _ in bench.hops("returned")] == [30_000, 60_000]
    assert bench.outcomes() == {("lambda:work", "dead_letter"): 1}


def test_a_throttled_batch_runs_when_there_is_room_again(sim: Simulation) -> None:
    """The same payload, the same receipt handles: the message was received once."""
    bench = Bench(sim, visibility_timeout=30)
    work = bench.work(reserved_concurrent_executions=0)
    sim.event_source_mapping("sqs:jobs", "work")
    bench.send("a")
    sim.at("2s", lambda: work.put_function_concurrency(1))
    sim.run()
    assert bench.times == [3.0]
    assert bench.events[0][1]["Records"][0]["attributes"]["ApproximateReceiveCount"] == "1"
    assert bench.outcomes() == {("lambda:work", "ok"): 1}


def test_a_deleted_function_leaves_the_mapping_and_the_messages(sim: Simulation) -> None:
    """Recorded (test_event_source_mapping_lifecycle_delete_function): State stays Enabled; the messages return."""
    bench = Bench(sim, visibility_timeout=30, redrive_policy=REDRIVE)
    work = bench.work()
    mapping = sim.event_source_mapping("sqs:jobs", "work")
    work.delete_function()
    assert mapping.describe()["State"] == "Enabled"
    bench.send("a")
    sim.run()
    assert {detail for _, detail in bench.hops("refused")} == {"ResourceNotFoundException"}
    assert [message.body for message in bench.failed.messages] == ["a"]


def test_a_loop_through_a_queue_is_stopped_and_ends_in_the_dead_letter_queue(sim: Simulation) -> None:
    """Loop detection: the function runs 16 times, the 17th is not begun; receives go on until maxReceiveCount."""
    bench = Bench(sim, visibility_timeout=5, redrive_policy=REDRIVE)
    bench.handler = lambda event, _: bench.queue.send_message(event["Records"][0]["body"])
    bench.work()
    sim.event_source_mapping("sqs:jobs", "work")
    bench.send("again")
    sim.run()
    assert len(bench.events) == 16
    assert [message.receive_count for message in bench.failed.messages] == [2]
    assert len(bench.hops("recursion")) == 2
    assert bench.outcomes() == {("lambda:work", "ok"): 16, ("lambda:work", "dead_letter"): 1}


def test_an_outage_of_the_queue_is_waited_for(sim: Simulation) -> None:
    """ReceiveMessage answers 503: the poller comes back; what can't be deleted comes again."""
    bench = Bench(sim, visibility_timeout=30)
    bench.work(simulate={"duration": "2s"})
    sim.event_source_mapping("sqs:jobs", "work")
    bench.send("a")
    sim.at("1s", lambda: bench.queue.outage(60 * SECOND))
    sim.run()
    assert bench.times == [0.0, 61.0]
    assert bench.outcomes() == {("lambda:work", "ok"): 1}


# --- several readers -------------------------------------------------------------------------------------------------


def test_functions_on_one_queue_share_its_messages(sim: Simulation) -> None:
    """Each message goes to one of them; they take turns here."""
    bench = Bench(sim)
    first, second = bench.work("first"), bench.work("second")
    for function in ("first", "second"):
        sim.event_source_mapping("sqs:jobs", function, batch_size=1)
    bench.send(*(str(n) for n in range(8)))
    sim.run()
    assert len(first.invocations) == len(second.invocations) == 4
    assert sorted(body for batch in bench.bodies for body in batch) == [str(n) for n in range(8)]
    assert bench.outcomes() == {("lambda:first", "ok"): 4, ("lambda:second", "ok"): 4}


def test_a_dead_letter_queue_has_a_function_of_its_own(sim: Simulation) -> None:
    """A redriven message keeps its id; for the second function the change event is settled once more."""
    bench = Bench(sim, visibility_timeout=5, redrive_policy=REDRIVE)
    bench.handler = lambda event, context: fail(event, context) if context.function_name == "work" else None
    bench.work()
    bench.work("repair")
    sim.event_source_mapping("sqs:jobs", "work")
    sim.event_source_mapping(bench.failed, "repair")
    bench.send("a")
    sim.run()
    record = bench.events[-1][1]["Records"][0]
    assert record["messageId"] == bench.events[0][1]["Records"][0]["messageId"]
    assert record["attributes"]["ApproximateReceiveCount"] == "3"
    assert record["attributes"]["DeadLetterQueueSourceArn"] == bench.queue.arn
    assert bench.failed.messages == []
    assert bench.outcomes() == {("lambda:work", "dead_letter"): 1, ("lambda:repair", "ok"): 1}


# --- life ------------------------------------------------------------------------------------------------------------


def in_flight_then(sim: Simulation, change: Callable[[Any], object]) -> Bench:
    bench = Bench(sim)
    bench.work(simulate={"duration": "2s"})
    mapping = sim.event_source_mapping("sqs:jobs", "work", batch_size=1)
    bench.send("a")
    sim.at("1s", lambda: change(mapping))
    sim.at("1500ms", lambda: bench.send("b"))
    sim.run()
    return bench


def test_disabling_finishes_what_is_in_flight_and_takes_no_more(sim: Simulation) -> None:
    """What is visible then does not hold a run open; it is held by the queue, not lost."""
    bench = in_flight_then(
        sim, lambda mapping: sim.event_source_mappings.update_event_source_mapping(uuid=mapping.uuid, enabled=False)
    )
    assert bench.bodies == [["a"]]
    assert [message.body for message in bench.queue.messages] == ["b"]
    assert bench.outcomes() == {("lambda:work", "ok"): 1, ("lambda:work", "held"): 1}


def test_enabling_goes_on(sim: Simulation) -> None:
    """Enabled=false and true again: nothing is lost in between."""
    bench = Bench(sim)
    bench.work()
    mapping = sim.event_source_mapping("sqs:jobs", "work", enabled=False)
    bench.send("a")
    sim.run()
    assert bench.events == []
    sim.event_source_mappings.update_event_source_mapping(uuid=mapping.uuid, enabled=True)
    sim.run()
    assert bench.bodies == [["a"]]


def test_deleting_finishes_what_is_in_flight(sim: Simulation) -> None:
    """Afterwards the queue is no function's: what stands there has no subscription."""
    bench = in_flight_then(sim, lambda mapping: sim.event_source_mappings.delete_event_source_mapping(mapping.uuid))
    assert bench.bodies == [["a"]]
    assert bench.outcomes() == {("lambda:work", "ok"): 1}


def test_settings_change_while_it_runs(sim: Simulation) -> None:
    """UpdateEventSourceMapping: another batch size, another function, other filters, from then on."""
    bench = Bench(sim)
    bench.work()
    bench.work("other")
    mapping = sim.event_source_mapping("sqs:jobs", "work", batch_size=1)
    bench.send("a", "b")
    sim.run()
    sim.event_source_mappings.update_event_source_mapping(
        uuid=mapping.uuid,
        batch_size=5,
        function_name="other",
        filter_criteria={"filters": [{"pattern": '{"body": ["c", "d"]}'}]},
    )
    bench.send("c", "d", "e")
    sim.run()
    assert bench.bodies == [["a"], ["b"], ["c", "d"]]
    assert bench.outcomes() == {("lambda:work", "ok"): 2, ("lambda:other", "ok"): 2}


def test_a_batch_that_is_being_filled_goes_when_the_mapping_is_disabled(sim: Simulation) -> None:
    """What was received is processed, not hidden for nothing."""
    bench = Bench(sim)
    bench.work()
    mapping = sim.event_source_mapping("sqs:jobs", "work", maximum_batching_window_in_seconds=20)
    bench.send("a")
    sim.at("5s", mapping.disable)
    sim.at("8s", lambda: bench.send("b"))
    sim.at("9s", mapping.enable)
    sim.at("10s", mapping.delete)
    sim.run()
    assert bench.times == [5.0, 10.0]
    assert sim.now < 11 * SECOND


def test_an_empty_queue_does_not_hold_a_run_open(sim: Simulation) -> None:
    """Polls of empty sources are nothing that a run waits for."""
    bench = Bench(sim)
    bench.work()
    sim.event_source_mapping("sqs:jobs", "work", maximum_batching_window_in_seconds=20)
    sim.run()
    assert sim.now < MILLISECOND


def test_a_run_that_is_cut_holds_what_is_unfinished(sim: Simulation) -> None:
    """In flight, in back-off and visible: all of it is held, nothing is lost."""
    bench = Bench(sim)
    bench.work(simulate={"duration": "3s"})
    sim.event_source_mapping("sqs:jobs", "work", batch_size=1, scaling_config={"maximum_concurrency": 2})
    bench.send("a", "b", "c")
    sim.run(until="2s")
    assert bench.outcomes() == {("lambda:work", "held"): 3}


def test_delayed_messages_are_read_when_their_delay_is_over(sim: Simulation) -> None:
    """News wakes the poller: nothing polls in between."""
    bench = Bench(sim)
    bench.work()
    sim.event_source_mapping("sqs:jobs", "work")
    bench.send("a", delay_seconds=900)
    sim.run()
    assert bench.times == [900.0]
    assert sim.timeline.played < 30


def test_a_version_or_an_alias_is_invoked(sim: Simulation) -> None:
    """FunctionName with a qualifier: the version that the alias names runs."""
    queue: Queue = sim.queue("jobs")
    work = sim.function("work", simulate=FAST, aliases={"live": {"function_version": "1"}})
    sim.event_source_mapping(queue, "work:live")
    queue.send_message("a")
    sim.run()
    assert [(row.version, row.invocation_type, row.source_arn) for row in work.invocations] == [
        ("1", "RequestResponse", queue.arn)
    ]


def test_the_same_seed_repeats_a_run_and_another_one_does_not() -> None:
    """Failures, throttles, filters, two functions on a queue: the digest is the same, row for row."""

    def digest(seed: int) -> str:
        with Simulation(seed) as sim:
            queue = sim.queue("jobs", visibility_timeout=5, message_retention_period=60)
            for name in ("first", "second"):
                simulate = {"error_rate": 0.3, "duration": {"exponential": "300ms"}}
                sim.function(name, reserved_concurrent_executions=2, simulate=simulate)
                sim.event_source_mapping(queue, name, batch_size=3, maximum_batching_window_in_seconds=1)
            for n in range(50):
                sim.at(f"{n * 37}ms", lambda n=n: queue.send_message(str(n)))  # type: ignore[misc]
            sim.run()
            sim.finish()
            return sim.digest()

    assert digest(1) == digest(1)
    assert digest(1) != digest(2)
