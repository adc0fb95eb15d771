"""Every recorded case of kinesis_esm.json (25/11/2025) against simbus, field for field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aws_recorded import equal, load_case, load_cases
from recorded_streams import StreamStage, created

FILE = "kinesis_esm"
CLASS = "TestKinesisSource::"
SUCCESS = [case["name"] for case in load_cases(FILE) if "report_batch_item_success" in case["name"]]
FAILURE = [case["name"] for case in load_cases(FILE) if "report_batch_item_failure_" in case["name"]]


def two_batches(stage: StreamStage) -> dict[str, Any]:
    stage.map()
    stage.play()
    return {"invocation_events": stage.functions[0].answers}


def disabled(stage: StreamStage) -> dict[str, Any]:
    [mapping] = stage.map()
    stage.put(0)
    stage.sim.run()
    mapping.update(enabled=False)
    stage.put(1)
    stage.sim.run(for_="1m")
    return {"invocation_events": stage.functions[0].events}


def to_a_queue(stage: StreamStage) -> dict[str, Any]:
    stage.map()
    stage.play()
    return {"sqs_payload": stage.received("queue-1")}


def to_a_topic(stage: StreamStage) -> dict[str, Any]:
    stage.map()
    stage.play()
    return {"failure_sns_message": stage.body("queue-1")}


def to_a_bucket(stage: StreamStage) -> dict[str, Any]:
    stage.map()
    stage.play()
    return {"record_body": stage.stored("bucket-1")}


def two_functions(stage: StreamStage) -> dict[str, Any]:
    stage.map()
    stage.play()
    return {f"kinesis_records-{name}": f.events[0] for name, f in zip("ab", stage.functions, strict=True)}


def events(stage: StreamStage) -> dict[str, Any]:
    stage.map()
    stage.play()
    return {"kinesis_events": stage.functions[0].events}


def events_and_failure(stage: StreamStage) -> dict[str, Any]:
    return events(stage) | {"sqs_payload": stage.received("queue-1")}


def old_records(stage: StreamStage) -> dict[str, Any]:
    """The test waits for more than a minute between its inputs, and makes the mapping after both."""
    stage.put(0)
    stage.sim.run(until="65s")
    stage.put(1)
    stage.map()
    stage.sim.run()
    return {"record_age_exceeded_payload": stage.received("queue-2"), "Records": stage.body("queue-1")}


def refused(stage: StreamStage) -> dict[str, Any]:
    return {"error": stage.refused(0)}


CASES: dict[str, Callable[[StreamStage], dict[str, Any]]] = {
    CLASS + "test_kinesis_event_source_mapping_with_async_invocation": two_batches,
    CLASS + "test_disable_kinesis_event_source_mapping": disabled,
    CLASS + "test_kinesis_event_source_mapping_with_on_failure_destination_config": to_a_queue,
    CLASS + "test_create_kinesis_event_source_mapping_multiple_lambdas_single_kinesis_event_stream": two_functions,
    CLASS + "test_kinesis_event_source_mapping_with_sns_on_failure_destination_config": to_a_topic,
    CLASS + "test_kinesis_event_source_mapping_with_s3_on_failure_destination": to_a_bucket,
    CLASS + "test_kinesis_maximum_record_age_exceeded_discard_records": old_records,
    **dict.fromkeys(SUCCESS, events),
    **dict.fromkeys(FAILURE, events_and_failure),
    CLASS + "test_esm_with_not_existing_kinesis_stream": refused,
}


def test_every_recorded_case_is_in_the_table() -> None:
    """A case that appears in the recordings must be tried, or say why not."""
    cases = load_cases(FILE)
    if not cases:
        pytest.skip("the AWS recordings (../shared/data/aws-recorded) are not at hand")
    assert {case["name"] for case in cases} == CASES.keys()


@pytest.mark.parametrize("name", CASES)
def test_recorded(name: str) -> None:
    """What the functions were handed, what reached the destinations, and what the operations answered."""
    case, play = load_case(FILE, name), CASES[name]
    with StreamStage(case) as stage:
        equal(case["recorded"] | case["recorded_api"], play(stage) | created(stage, case))
