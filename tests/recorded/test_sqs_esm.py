"""Every recorded case of sqs_esm.json against simbus, field for field (see aws_recorded.py)."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from aws_recorded import ACCOUNT, REGION, equal, fill, load_case, load_cases
from recorded_lambda import Stage, invoke, message, metadata, refusal

from simbus import Account, Simulation
from simbus.scheduler.mappings.request import snake
from simbus.sources.sqs.queue import Queue


class Case(NamedTuple):
    """`verdict`: equal, different or not applicable, and why."""

    verdict: str = "equal"
    why: str = ""


ESM = "TestSQSEventSourceMapping::"
FILTERS = ("numeric-bigger", "single", "or", "and", "exists", "valid-json-filter")
INVALID_FILTERS = ("simple string", "invalid_filter2", "invalid_filter3")
CASES = {
    "test_failing_lambda_retries_after_visibility_timeout": Case(),
    "test_redrive_policy_with_failing_lambda": Case(),
    "test_sqs_queue_as_lambda_dead_letter_queue": Case(),
    "test_report_batch_item_failures": Case(),
    "test_report_batch_item_failures_empty_json_batch_succeeds": Case(),
    "test_fifo_message_group_parallelism": Case(),
    f"{ESM}test_event_source_mapping_default_batch_size": Case(),
    f"{ESM}test_duplicate_event_source_mappings": Case(),
    f"{ESM}test_sqs_event_source_mapping_batch_size[15]": Case(),
    f"{ESM}test_sqs_event_source_mapping_batching_reserved_concurrency": Case(
        why="here 20 and 10 messages; the recording has no split"
    ),
    **{f"{ESM}test_sqs_event_filter[{name}]": Case() for name in FILTERS},
    **{f"{ESM}test_sqs_invalid_event_filter[{name}]": Case() for name in INVALID_FILTERS},
}


def test_every_recorded_case_is_in_the_table() -> None:
    """The table names every case of sqs_esm.json and nothing else."""
    names = [case["name"] for case in load_cases("sqs_esm")]
    assert not names or sorted(names) == sorted(CASES)


class Play:
    """One recorded case: its queues, functions and mappings, and what the functions were given (`events`)."""

    def __init__(self, name: str) -> None:
        self.case = load_case("sqs_esm", name)
        self.sim = Simulation(seed=1, account=Account(id=ACCOUNT, region=REGION))
        text = json.dumps(self.case["setup"])
        fifo = {f"queue-{n}": f"queue-{n}.fifo" for n in (1, 2, 3)} if '"FifoQueue": "true"' in text else {}
        if name == "test_report_batch_item_failures":
            del fifo["queue-1"]
        self.setup: dict[str, list[dict[str, Any]]] = fill(self.case["setup"], fifo)
        self.inputs: list[dict[str, Any]] = fill(self.case["inputs"], fifo)
        self.events: list[Any] = []
        self.answers: dict[str, Any] = {}
        self.queues = [self._queue(each["params"]) for each in self.setup["resource"]]

    def __enter__(self) -> Play:
        return self

    def __exit__(self, *_: object) -> None:
        self.sim.close()

    def _queue(self, params: dict[str, Any]) -> Queue:
        attributes = {snake(key): _value(value) for key, value in params.get("Attributes", {}).items()}
        return self.sim.queue(params["QueueName"], **attributes)

    def functions(self, handler: Callable[[Any, Any], Any]) -> None:
        def keep(event: Any, context: Any) -> Any:
            self.events.append(event)
            return handler(event, context)

        for each in self.setup["function"]:
            params = each["params"]
            variables = params["Environment"]["Variables"]
            concurrency = self.setup.get("concurrency", [{"params": {}}])[0]["params"]
            self.sim.function(
                params["FunctionName"],
                handler=keep,
                timeout=params["Timeout"],
                environment=variables,
                reserved_concurrent_executions=concurrency.get("ReservedConcurrentExecutions"),
            )

    def create(self, number: int = 0) -> dict[str, Any]:
        """The answer of the recorded CreateEventSourceMapping."""
        params = {snake(key): value for key, value in self.setup["mapping"][number]["params"].items()}
        return {**self.sim.event_source_mappings.create_event_source_mapping(**params), **metadata(202)}

    def get(self, uuid: str) -> dict[str, Any]:
        return {**self.sim.event_source_mappings.get_event_source_mapping(uuid), **metadata(200)}

    def send(self) -> list[dict[str, Any]]:
        """The recorded sends; their answers."""
        answers = []
        for each in self.inputs:
            params = dict(each["params"])
            queue = self.sim[f"sqs:{params.pop('QueueUrl').rpartition('/')[2]}"]
            if each["op"] == "sqs:SendMessage":
                answers.append(queue.send_message(**{snake(key): value for key, value in params.items()}))
            else:
                sent = queue.send_message_batch(params["Entries"])
                answers.append({"Successful": sent["Successful"], **metadata(200)})
        return answers


def _value(value: str) -> Any:
    if value in ("true", "false"):
        return value == "true"
    if value.startswith("{"):
        return {snake(key): item for key, item in json.loads(value).items()}
    return int(value)


def received(queue: Queue) -> dict[str, Any]:
    """A receive that waits, and its answer; the message is deleted, so that the next one follows."""
    got = queue.receive_messages(wait_time_seconds=20)
    for each in got:
        queue.delete_message(each.receipt_handle)
    return {"Messages": [message(each) for each in got], **metadata(200)}


def failing(sim: Simulation) -> Callable[[Any, Any], Any]:
    """Fails as often as its message says, and tells the queue that its message names."""

    def handler(event: Any, _: Any) -> None:
        [record] = event["Records"]
        body = json.loads(record["body"])
        error = (
            "failed attempt" if int(record["attributes"]["ApproximateReceiveCount"]) <= body["fail_attempts"] else None
        )
        destination = sim[f"sqs:{body['destination'].rpartition('/')[2]}"]
        destination.send_message(json.dumps({"error": error, "event": event}))
        if error:
            raise Exception(error)

    return handler


def test_a_failed_message_comes_again_after_its_visibility_timeout() -> None:
    """Two receives 5 s apart, ApproximateReceiveCount 1 and 2, another receipt handle; the first receive stays."""
    with Play("test_failing_lambda_retries_after_visibility_timeout") as play:
        play.functions(failing(play.sim))
        created = play.create()
        equal(play.case["recorded_api"], {"event_source_mapping": play.get(created["UUID"])})
        play.send()
        first = received(play.queues[0])
        before = play.sim.now
        second = received(play.queues[0])
        equal(play.case["recorded"], {"first_attempt": first, "second_attempt": second})
        assert 4_500_000_000 < play.sim.now - before <= 5_000_000_000
        play.sim.run()
        assert play.queues[1].messages == []


def test_after_max_receive_count_attempts_it_goes_to_the_dead_letter_queue() -> None:
    """maxReceiveCount 2: two attempts, then the message itself, with its id, in the DLQ."""
    with Play("test_redrive_policy_with_failing_lambda") as play:
        play.functions(failing(play.sim))
        play.create()
        play.send()
        actual = {
            "first_attempt": received(play.queues[0]),
            "second_attempt": received(play.queues[0]),
            "dlq_response": received(play.queues[1]),
        }
        equal(play.case["recorded"], actual)
        assert len(play.events) == 2


def test_a_queue_as_dead_letter_queue_of_a_function(tmp_path: Path) -> None:
    """An asynchronous event that failed, with RequestID, ErrorCode 200 and ErrorMessage."""
    case = load_case("sqs_esm", "test_sqs_queue_as_lambda_dead_letter_queue")
    with Stage(case, tmp_path) as stage:
        queue = stage.queue()
        function = stage.function(event_invoke_config=stage.event_invoke_config())
        invoke(function, stage.inputs[0])
        stage.sim.run()
        equal(case["recorded"], {"messages": {"Messages": [message(queue.receive_messages()[0])], **metadata(200)}})
        equal(case["recorded_api"], {"lambda-response-dlq-config": {"TargetArn": function.config.dead_letter_arn}})


def reporting(play: Play) -> Callable[[Any, Any], Any]:
    """Reports the messages as failed that say so, or returns what its environment says."""
    variables = play.setup["function"][0]["params"]["Environment"]["Variables"]

    def handler(event: Any, _: Any) -> Any:
        failed = [
            {"itemIdentifier": record["messageId"]}
            for record in event["Records"]
            if int(record["attributes"]["ApproximateReceiveCount"]) <= json.loads(record["body"])["fail_attempts"]
        ]
        result = {"batchItemFailures": failed}
        if "OVERWRITE_RESULT" in variables:
            result = json.loads(variables["OVERWRITE_RESULT"])
        name = variables["DESTINATION_QUEUE_URL"].rpartition("/")[2]
        play.sim[f"sqs:{name}"].send_message(json.dumps({"event": event, "result": result}))
        return result

    return handler


def test_only_what_was_reported_comes_again() -> None:
    """FIFO: messages 2, 3 and 4 failed and come again together; 4 fails once more and goes to the FIFO DLQ."""
    with Play("test_report_batch_item_failures") as play:
        play.functions(reporting(play))
        created = play.create()
        [sent] = play.send()
        equal(play.case["recorded_api"], {"send_message_batch": sent, "create_event_source_mapping": created})
        destination, dead = play.queues[0], play.queues[1]
        actual = {
            "first_invocation": received(destination),
            "second_invocation": received(destination),
            "dlq_response": received(dead),
        }
        equal(play.case["recorded"], actual)
        play.sim.run()
        assert play.queues[2].messages == []


def test_an_empty_object_reports_full_success() -> None:
    """`{}` is success: nothing comes again, though maxReceiveCount is 1 and a failure would be in the DLQ."""
    with Play("test_report_batch_item_failures_empty_json_batch_succeeds") as play:
        play.functions(reporting(play))
        play.create()
        play.send()
        equal(play.case["recorded"], {"first_invocation": received(play.queues[0])})
        play.sim.run()
        assert play.queues[1].messages == play.queues[2].messages == []


def test_the_answers_and_the_batch_size_rule() -> None:
    """BatchSize 10 by default; 11 needs a batching window, also in an update."""
    with Play(f"{ESM}test_event_source_mapping_default_batch_size") as play:
        play.functions(lambda event, _: event)
        created = play.create()
        update = {**play.setup["mapping_update"][0]["params"], "UUID": created["UUID"]}
        recorded = play.case["recorded_api"]
        mappings = play.sim.event_source_mappings
        actual = {
            "create-event-source-mapping": created,
            "invalid-update-event-source-mapping": refusal(
                recorded["invalid-update-event-source-mapping"],
                lambda: mappings.update_event_source_mapping(**{snake(key): item for key, item in update.items()}),
            ),
            "invalid-create-event-source-mapping": refusal(
                recorded["invalid-create-event-source-mapping"], lambda: play.create(1)
            ),
        }
        equal(recorded, actual)


def test_a_queue_and_a_function_are_mapped_once() -> None:
    """409 with the arn and the name in quotes and blanks; another function may be mapped to the same queue."""
    with Play(f"{ESM}test_duplicate_event_source_mappings") as play:
        play.functions(lambda event, _: event)
        recorded = play.case["recorded_api"]
        created = play.create()
        equal(recorded, {"create": created, "error": refusal(recorded["error"], lambda: play.create(1))})
        assert play.create(2)["State"] == "Creating"


@pytest.mark.parametrize("name", INVALID_FILTERS)
def test_what_is_no_filter_pattern(name: str) -> None:
    """`Invalid filter pattern definition.`"""
    with Play(f"{ESM}test_sqs_invalid_event_filter[{name}]") as play:
        play.functions(lambda event, _: event)
        recorded = play.case["recorded_api"]
        equal(recorded, {key: refusal(error, play.create) for key, error in recorded.items()})


@pytest.mark.parametrize("name", FILTERS)
def test_only_what_matches_reaches_the_function(name: str) -> None:
    """The other message is deleted at once: the queue is empty afterwards. With a window the digest is null."""
    with Play(f"{ESM}test_sqs_event_filter[{name}]") as play:
        play.functions(lambda event, _: event)
        equal(play.case["recorded_api"], {"create_event_source_mapping_response": play.create()})
        play.send()
        play.sim.run()
        equal(play.case["recorded"], {"invocation_events": play.events})
        assert play.queues[0].messages == []


def by_body(events: list[Any]) -> list[Any]:
    """The records of all events in the order of the recording."""
    return sorted((record for event in events for record in event["Records"]), key=lambda record: record["body"])


def test_a_batch_of_more_than_ten() -> None:
    """15 messages of two requests are one batch within the window of 2 seconds."""
    with Play(f"{ESM}test_sqs_event_source_mapping_batch_size[15]") as play:
        play.functions(lambda event, _: {"count": len(event["Records"])})
        created = play.create()
        [ten, five] = play.send()
        api = {
            "create-event-source-mapping-response": created,
            "send-message-batch-result-10": ten,
            "send-message-batch-result-5": five,
        }
        recorded = dict(play.case["recorded_api"])
        # The window is masked in the recording; the tests of LocalStack give it as 2, as the setup does.
        recorded["create-event-source-mapping-response"]["MaximumBatchingWindowInSeconds"] = 2
        equal(recorded, api)
        play.sim.run()
        assert len(play.events) == 1
        equal(play.case["recorded"], {"Records": by_body(play.events)})


def test_thirty_messages_in_batches_of_twenty_with_two_at_once() -> None:
    """BatchSize 20, window 1, MaximumConcurrency 2, reserved concurrency 2: exactly two invocations."""
    with Play(f"{ESM}test_sqs_event_source_mapping_batching_reserved_concurrency") as play:
        play.functions(lambda event, _: {"count": len(event["Records"])})
        recorded = dict(play.case["recorded_api"])
        del recorded["put_concurrency_resp"]
        equal(recorded, {"create-event-source-mapping-response": play.create()})
        play.send()
        play.sim.run()
        actual = {"batch_info": {"total_batches_received": len(play.events)}, "Records": by_body(play.events)}
        equal(play.case["recorded"], actual)


def test_one_batch_in_flight_for_each_message_group() -> None:
    """Made disabled, enabled later; five messages of one group run one after the other, 5 s each."""
    with Play("test_fifo_message_group_parallelism") as play:
        spans: list[tuple[int, int]] = []

        def sleep(_: Any, __: Any) -> Any:
            import time

            begin = play.sim.now
            time.sleep(5)
            spans.append((begin, play.sim.now))
            return {"status": "ok"}

        play.functions(sleep)
        created = play.create()
        play.send()
        play.sim.run()
        assert play.events == []
        mappings = play.sim.event_source_mappings
        uuid = created["UUID"]
        enabling = {**mappings.update_event_source_mapping(uuid=uuid, enabled=True), **metadata(202)}
        actual = {"create_esm_disabled": created, "update_esm_enabling": enabling, "get_esm_enabled": play.get(uuid)}
        equal(play.case["recorded_api"], actual)
        play.sim.run()
        assert [event["Records"][0]["body"] for event in play.events] == [f"message-{n}" for n in range(5)]
        assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))
