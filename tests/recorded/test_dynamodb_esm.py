"""Every recorded case of dynamodb_esm.json (25/11/2025) against simbus, field for field.

The records themselves are compared by test_dynamodb_stream_records.py, too; here they come through a mapping.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aws_recorded import equal, load_case, load_cases
from recorded_streams import StreamStage, created, unlabelled

FILE = "dynamodb_esm"
CLASS = "TestDynamoDBEventSourceMapping::"


def named(part: str) -> list[str]:
    return [case["name"] for case in load_cases(FILE) if part in case["name"]]


def logged(stage: StreamStage) -> dict[str, Any]:
    stage.map()
    stage.play()
    return {"event_logs": stage.functions[0].events}


def to_a_queue(stage: StreamStage) -> dict[str, Any]:
    stage.map()
    stage.play()
    return {"destination_queue_messages": stage.received("queue-1")}


def to_a_topic(stage: StreamStage) -> dict[str, Any]:
    stage.map()
    stage.play()
    return {"failure_sns_message": stage.body("queue-1")}


def filtered(stage: StreamStage) -> dict[str, Any]:
    """What the function got after the first item, and in all."""
    stage.map()
    stage.put(0)
    stage.sim.run()
    first = list(stage.functions[0].events)
    for number in range(1, len(stage.inputs)):
        stage.put(number)
        stage.sim.run()
    return {"lambda-log-events": first, "lambda-multiple-log-events": stage.functions[0].events}


def events(stage: StreamStage) -> dict[str, Any]:
    stage.map()
    stage.play()
    return {"dynamodb_events": stage.functions[0].events}


def events_and_failure(stage: StreamStage) -> dict[str, Any]:
    return events(stage) | {"destination_queue_messages": stage.received("queue-1")}


def invalid_filter(stage: StreamStage) -> dict[str, Any]:
    return {"exception_event_source_creation": stage.refused(0)}


def duplicate(stage: StreamStage) -> dict[str, Any]:
    """The second is refused; the third maps the same stream to another function."""
    stage.map(0)
    error = stage.refused(1)
    stage.map(2)
    return {"create": stage.answers[0], "error": error}


CASES: dict[str, Callable[[StreamStage], dict[str, Any]]] = {
    CLASS + "test_dynamodb_event_source_mapping": logged,
    CLASS + "test_dynamodb_event_source_mapping_with_on_failure_destination_config": to_a_queue,
    CLASS + "test_dynamodb_event_source_mapping_with_sns_on_failure_destination_config": to_a_topic,
    **dict.fromkeys(named("test_dynamodb_event_filter"), filtered),
    **dict.fromkeys(named("report_batch_item_success"), events),
    **dict.fromkeys(named("report_batch_item_failure"), events_and_failure),
    **dict.fromkeys(named("test_dynamodb_invalid_event_filter"), invalid_filter),
    CLASS + "test_duplicate_event_source_mappings": duplicate,
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
        equal(case["recorded"] | case["recorded_api"], unlabelled(play(stage) | created(stage, case)))
