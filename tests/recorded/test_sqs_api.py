"""What SQS answers in the recordings of other services, through boto3: whole answers of sends and receives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from aws_recorded import equal, load_case, whole
from recorded_lambda import Stage, invoke
from test_async_destinations import sent
from test_sqs_esm import ESM, Play, failing, reporting

from simbus import Simulation
from simbus.sources.sqs.queue import Queue

pytest.importorskip("boto3", reason="needs the extra boto3")


def received(sim: Simulation, queue: Queue, **asked: Any) -> dict[str, Any]:
    """The whole answer of a receive that waits; its messages are deleted."""
    sqs = sim.client("sqs")
    answer = whole(sqs.receive_message(QueueUrl=queue.url, WaitTimeSeconds=20, **asked))
    for message in answer["Messages"]:
        sqs.delete_message(QueueUrl=queue.url, ReceiptHandle=message["ReceiptHandle"])
    return answer


def send(play: Play) -> list[dict[str, Any]]:
    """The recorded sends through boto3; their whole answers."""
    sqs = play.sim.client("sqs")
    calls = {"sqs:SendMessage": sqs.send_message, "sqs:SendMessageBatch": sqs.send_message_batch}
    return [whole(calls[each["op"]](**each["params"])) for each in play.inputs]


def test_a_batch_and_what_became_of_it() -> None:
    """SendMessageBatch on a FIFO queue; the two reports and the dead letters (test_report_batch_item_failures)."""
    with Play("test_report_batch_item_failures") as play:
        play.functions(reporting(play))
        play.create()
        [answer] = send(play)
        equal(play.case["recorded_api"]["send_message_batch"], answer)
        destination, dead = play.queues[0], play.queues[1]
        actual = {
            "first_invocation": received(play.sim, destination),
            "second_invocation": received(play.sim, destination),
            "dlq_response": received(play.sim, dead),
        }
        equal(play.case["recorded"], actual)


def test_batches_of_ten_and_five() -> None:
    """A batch has no `Failed` where nothing failed (test_sqs_event_source_mapping_batch_size[15])."""
    with Play(f"{ESM}test_sqs_event_source_mapping_batch_size[15]") as play:
        recorded = play.case["recorded_api"]
        names = [f"send-message-batch-result-{count}" for count in (10, 5)]
        equal({name: recorded[name] for name in names}, dict(zip(names, send(play), strict=True)))


def test_a_message_that_fails_and_its_dead_letter() -> None:
    """Receives of test_redrive_policy_with_failing_lambda."""
    with Play("test_redrive_policy_with_failing_lambda") as play:
        play.functions(failing(play.sim))
        play.create()
        send(play)
        actual = {
            "first_attempt": received(play.sim, play.queues[0]),
            "second_attempt": received(play.sim, play.queues[0]),
            "dlq_response": received(play.sim, play.queues[1]),
        }
        equal(play.case["recorded"], actual)


@pytest.mark.parametrize(
    ("file", "name", "key", "asked"),
    [
        ("sqs_esm", "test_sqs_queue_as_lambda_dead_letter_queue", "messages", {"MessageAttributeNames": ["All"]}),
        ("async_destinations", "test_assess_lambda_destination_invocation[payload1]", "receive_message_result", {}),
        ("async_destinations", "test_dead_letter_queue", "receive_result", {"MessageAttributeNames": ["All"]}),
        ("async_destinations", "test_retries", "queue_destination_payload", {"AttributeNames": ["All"]}),
    ],
)
def test_what_lambda_sends_to_a_queue(tmp_path: Path, file: str, name: str, key: str, asked: dict[str, Any]) -> None:
    """Dead letters and destination records, as a receive shows them (recording: the case's name)."""
    case = load_case(file, name)
    with Stage(case, tmp_path) as stage:
        queue = stage.queue()
        config = {"event_invoke_config": stage.event_invoke_config()} if "async_config" in stage.setup else {}
        function = stage.function(**config)
        params = stage.inputs[0]
        invoke(function, sent(params) if "Payload" in params and name == "test_retries" else params)
        stage.sim.run()
        recorded = case["recorded"][key]
        if recorded["Messages"][0].get("Attributes", {}).get("ApproximateReceiveCount") == "2":
            queue.receive_messages(10, visibility_timeout=0)
        equal(recorded, received(stage.sim, queue, **asked))
