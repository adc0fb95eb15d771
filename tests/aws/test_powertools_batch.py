"""AWS Lambda Powertools, unmodified: its batch processors behind event source mappings of queues.

https://docs.aws.amazon.com/powertools/python/latest/utilities/batch/
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simbus import Simulation

pytest.importorskip("aws_lambda_powertools", reason="needs AWS Lambda Powertools")
pytest.importorskip("boto3", reason="needs the extra boto3")

HANDLERS = Path(__file__).parents[1] / "handlers" / "queue_batch"
REPORTING = {"function_response_types": ["ReportBatchItemFailures"]}


@pytest.fixture
def sim() -> Iterator[Simulation]:
    with Simulation(seed=1) as simulation:
        yield simulation


def play(sim: Simulation, handler: str, amounts: list[int], *, groups: str = "", **mapping: Any) -> Any:
    """Send the amounts to a queue with a dead-letter queue after 2 receives; the function."""
    suffix, fifo = (".fifo", {"fifo_queue": True, "content_based_deduplication": True}) if groups else ("", {})
    sim.queue("done")
    sim.queue(f"dead{suffix}", **fifo)
    redrive = {"dead_letter_target_arn": f"sqs:dead{suffix}", "max_receive_count": 2}
    jobs = sim.queue(f"jobs{suffix}", visibility_timeout=60, redrive_policy=redrive, **fifo)
    function = sim.function("work", handler=f"app.{handler}", code=HANDLERS, timeout=30)
    for number, amount in enumerate(amounts):
        group = {"message_group_id": groups[number]} if groups else {}
        jobs.send_message(json.dumps({"amount": amount, "number": number}), **group)
    sim.event_source_mapping(jobs, function, **REPORTING, **mapping)
    sim.run()
    assert jobs.messages == []
    return function


def bodies(sim: Simulation, queue: str) -> list[Any]:
    return [json.loads(message.body) for message in sim[f"sqs:{queue}"].messages]


def failures(row: Any) -> list[str]:
    return [each["itemIdentifier"] for each in json.loads(row.response)["batchItemFailures"]]


@pytest.mark.parametrize("handler", ["handler", "async_handler"])
def test_only_the_bad_message_comes_again(sim: Simulation, handler: str) -> None:
    """It alone is reported, comes back after the visibility timeout, and ends in the dead-letter queue."""
    function = play(sim, handler, [1, -1, 3], batch_size=10)
    assert sorted(bodies(sim, "done")) == [1, 3]
    [bad] = sim["sqs:dead"].messages
    assert json.loads(bad.body)["amount"] == -1
    first, second = function.invocations
    assert failures(first) == [bad.message_id]
    assert second.status == "error"
    assert second.error_type == "BatchProcessingError"
    assert 59_000 < second.started_at - first.started_at < 61_000


def test_records_of_the_async_processor_run_side_by_side(sim: Simulation) -> None:
    """Three records that wait a second each take one second."""
    function = play(sim, "async_handler", [1, 2, 3])
    [row] = function.invocations
    assert 1000 <= row.duration_ms < 1200


def test_a_batch_that_fails_as_a_whole_is_an_error(sim: Simulation) -> None:
    """raise_on_entire_batch_failure: the handler raises, and every message comes again."""
    function = play(sim, "handler", [-1, -2])
    assert [row.status for row in function.invocations] == ["error", "error"]
    assert len(bodies(sim, "dead")) == 2


def test_the_fifo_processor_stops_at_the_first_failure(sim: Simulation) -> None:
    """What comes behind it in the batch is reported unprocessed, whatever its group: no message overtakes another."""
    function = play(sim, "fifo_handler", [1, -1, 3, 4], groups="aaab")
    first = function.invocations[0]
    assert len(failures(first)) == 3
    # -1 goes to the dead-letter queue at its third receive; 3 and 4 were received twice by then, and never processed
    assert bodies(sim, "done") == [1]
    assert [each["amount"] for each in bodies(sim, "dead.fifo")] == [-1, 3, 4]


def test_the_fifo_processor_skips_the_group_only(sim: Simulation) -> None:
    """With skip_group_on_error the other groups of the batch go on."""
    play(sim, "group_handler", [1, -1, 3, 4], groups="aaab")
    assert bodies(sim, "done") == [1, 4]
    assert [each["amount"] for each in bodies(sim, "dead.fifo")] == [-1, 3]


def test_the_loggers_keys(sim: Simulation) -> None:
    """Correlation id of each record; cold_start true once for each environment; the request id of the invocation."""
    function = play(sim, "handler", [1, -1, 3])
    with sim.reader() as reader:
        lines = [json.loads(row.message) for row in reader.log_events("work") if row.message.startswith("{")]
    rows = {row.request_id: row for row in function.invocations}
    [bad] = sim["sqs:dead"].messages
    assert [line["correlation_id"] for line in lines] == [bad.message_id] * 2
    assert [line["cold_start"] for line in lines] == [True, False]
    assert [line["function_request_id"] for line in lines] == list(rows)
    assert {line["service"] for line in lines} == {"orders"}
    assert lines[0]["timestamp"].startswith("2026-01-01 00:00:0")
