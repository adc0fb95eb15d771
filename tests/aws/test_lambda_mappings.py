"""Event source mappings through boto3."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from simbus import Simulation
from simbus.errors import UsageError
from simbus.scenario.build import build
from simbus.scenario.loader import load

boto3 = pytest.importorskip("boto3", reason="needs the extra boto3")


@pytest.fixture
def sim() -> Iterator[Simulation]:
    with Simulation(seed=1) as sim:
        yield sim


def echo(event: Any, context: Any) -> Any:
    return event


def test_a_mapping_from_its_creation_to_its_end(sim: Simulation) -> None:
    """Creating, Enabled, Disabling, Disabled, Deleting, and then it is gone (API_CreateEventSourceMapping and others).

    It polls once it is Enabled. How long AWS stays in each state is not documented: `mapping_transition_delay`, 5 s.
    """
    queue, function = sim.queue("jobs"), sim.function("work", handler=echo)
    client = boto3.client("lambda")
    made = client.create_event_source_mapping(EventSourceArn=queue.arn, FunctionName="work", BatchSize=2)
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert (made["State"], made["BatchSize"], made["FunctionArn"]) == ("Creating", 2, function.arn)
    assert made["LastModified"] == datetime(2026, 1, 1, tzinfo=UTC)
    uuid = made["UUID"]
    assert client.get_event_source_mapping(UUID=uuid)["State"] == "Creating"
    for n in range(3):
        queue.send_message(str(n))
    sim.run(for_="4999ms")
    assert function.invocations == []
    sim.run()
    assert client.get_event_source_mapping(UUID=uuid)["State"] == "Enabled"
    assert len(function.invocations) == 2
    assert client.update_event_source_mapping(UUID=uuid, Enabled=False)["State"] == "Disabling"
    sim.run()
    assert client.get_event_source_mapping(UUID=uuid)["State"] == "Disabled"
    assert client.delete_event_source_mapping(UUID=uuid)["State"] == "Deleting"
    assert client.get_event_source_mapping(UUID=uuid)["State"] == "Deleting"
    sim.run()
    with pytest.raises(client.exceptions.ResourceNotFoundException) as caught:
        client.get_event_source_mapping(UUID=uuid)
    assert caught.value.response["Message"] == "The resource you requested does not exist."
    assert caught.value.response["Type"] == "User"


def test_a_mapping_that_changes_can_not_be_changed(sim: Simulation) -> None:
    """400 ResourceInUseException: "you tried to update an event source mapping in the CREATING state, or you tried to
    delete an event source mapping currently UPDATING" (botocore's model); the text as users of AWS quote it.
    """
    queue = sim.queue("jobs")
    sim.function("work", handler=echo)
    client = sim.client("lambda")
    uuid = client.create_event_source_mapping(EventSourceArn=queue.arn, FunctionName="work")["UUID"]

    def refused(call: Any, action: str, **given: Any) -> None:
        message = f"Cannot {action} the event source mapping because it is in use."
        with pytest.raises(client.exceptions.ResourceInUseException) as caught:
            call(UUID=uuid, **given)
        assert caught.value.response["Error"]["Message"] == message
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400

    refused(client.update_event_source_mapping, "update", BatchSize=3)
    refused(client.delete_event_source_mapping, "delete")
    sim.run()
    assert client.update_event_source_mapping(UUID=uuid, BatchSize=3)["State"] == "Updating"
    refused(client.update_event_source_mapping, "update", BatchSize=4)
    refused(client.delete_event_source_mapping, "delete")
    sim.run()
    assert client.get_event_source_mapping(UUID=uuid)["BatchSize"] == 3
    assert client.delete_event_source_mapping(UUID=uuid)["State"] == "Deleting"
    refused(client.delete_event_source_mapping, "delete")


def test_how_long_a_mapping_changes_is_a_setting_of_the_account(tmp_path: Path) -> None:
    """`mapping_transition_delay`; mappings of a scenario and of `sim.event_source_mapping` are Enabled at once."""
    with Simulation(account={"mapping_transition_delay": "20s"}) as sim:
        queue, later = sim.queue("jobs"), sim.queue("later")
        sim.function("work", handler=echo)
        assert sim.event_source_mapping(queue, "lambda:work").state == "Enabled"
        client = sim.client("lambda")
        uuid = client.create_event_source_mapping(EventSourceArn=later.arn, FunctionName="work")["UUID"]
        sim.run(for_="19999ms")
        assert client.get_event_source_mapping(UUID=uuid)["State"] == "Creating"
        sim.run(for_="1ms")
        assert client.get_event_source_mapping(UUID=uuid)["State"] == "Enabled"
    with Simulation(account={"mapping_transition_delay": 0}) as sim:
        queue = sim.queue("jobs")
        sim.function("work", handler=echo)
        made = sim.client("lambda").create_event_source_mapping(EventSourceArn=queue.arn, FunctionName="work")
        assert sim.client("lambda").get_event_source_mapping(UUID=made["UUID"])["State"] == "Enabled"
    (tmp_path / "app.yaml").write_text("account: {mapping_transition_delay: 3s}\nqueues: {jobs: {}}\n")
    sim, _ = build(load(tmp_path / "app.yaml"))
    with sim:
        assert sim.world.account.mapping_transition_delay == 3_000_000_000


def test_every_parameter_of_a_stream(sim: Simulation) -> None:
    """What was asked for is what Get shows, in the types of botocore's model."""
    stream, failed = sim.stream("clicks", shard_count=1), sim.queue("failed")
    sim.function("work", handler=echo)
    sim.run(for_="1h")
    given = {
        "EventSourceArn": stream.arn,
        "BatchSize": 7,
        "MaximumBatchingWindowInSeconds": 3,
        "ParallelizationFactor": 2,
        "StartingPosition": "AT_TIMESTAMP",
        "StartingPositionTimestamp": datetime(2026, 1, 1, 0, 30, tzinfo=UTC),
        "DestinationConfig": {"OnFailure": {"Destination": failed.arn}},
        "MaximumRecordAgeInSeconds": 600,
        "BisectBatchOnFunctionError": True,
        "MaximumRetryAttempts": 3,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "FilterCriteria": {"Filters": [{"Pattern": '{"data": {"page": ["/"]}}'}]},
        "MetricsConfig": {"Metrics": ["EventCount"]},
    }
    client = sim.client("lambda")
    uuid = client.create_event_source_mapping(FunctionName="work", **given)["UUID"]
    shown = client.get_event_source_mapping(UUID=uuid)
    assert {name: shown[name] for name in given} == given
    assert shown["LastProcessingResult"] == "No records processed"
    sim.run()
    changed = client.update_event_source_mapping(UUID=uuid, FilterCriteria={}, DestinationConfig={"OnFailure": {}})
    assert "FilterCriteria" not in changed
    assert changed["DestinationConfig"] == {"OnFailure": {}}


def test_the_mappings_of_a_function_or_a_source_in_pages(sim: Simulation) -> None:
    """ListEventSourceMappings with MaxItems and Marker; botocore's paginator goes through them."""
    queues = [sim.queue(f"q{n}") for n in range(5)]
    sim.function("work", handler=echo)
    sim.function("other", handler=echo)
    client = boto3.client("lambda")
    made = [
        client.create_event_source_mapping(EventSourceArn=queue.arn, FunctionName="work")["UUID"] for queue in queues
    ]
    other = client.create_event_source_mapping(EventSourceArn=queues[0].arn, FunctionName="other")["UUID"]
    pages = list(
        client.get_paginator("list_event_source_mappings").paginate(
            FunctionName="work", PaginationConfig={"PageSize": 2}
        )
    )
    assert [len(page["EventSourceMappings"]) for page in pages] == [2, 2, 1]
    assert [each["UUID"] for page in pages for each in page["EventSourceMappings"]] == made
    of_first = client.list_event_source_mappings(EventSourceArn=queues[0].arn)["EventSourceMappings"]
    assert {each["UUID"] for each in of_first} == {made[0], other}
    with pytest.raises(client.exceptions.ResourceNotFoundException, match="Function not found"):
        client.list_event_source_mappings(FunctionName="absent")


def test_what_is_refused(sim: Simulation) -> None:
    """AWS's own refusals are its errors; what simbus does not play is named."""
    queue = sim.queue("jobs")
    sim.function("work", handler=echo)
    client = boto3.client("lambda")
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="Function does not exist"):
        client.create_event_source_mapping(EventSourceArn=queue.arn, FunctionName="absent")
    client.create_event_source_mapping(EventSourceArn=queue.arn, FunctionName="work")
    with pytest.raises(client.exceptions.ResourceConflictException, match="already exists") as caught:
        client.create_event_source_mapping(EventSourceArn=queue.arn, FunctionName="work")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 409
    with pytest.raises(UsageError, match="CreateEventSourceMapping with Topics"):
        client.create_event_source_mapping(EventSourceArn=queue.arn, FunctionName="work", Topics=["t"])


def test_a_handler_makes_a_mapping_and_it_is_served(sim: Simulation) -> None:
    """A mapping that a handler makes polls as soon as it is Enabled."""
    queue, work = sim.queue("jobs"), sim.function("work", handler=echo)
    queue.send_message("early")

    def handler(event: Any, context: Any) -> str:
        made = boto3.client("lambda").create_event_source_mapping(EventSourceArn=queue.arn, FunctionName="work")
        return str(made["State"])

    assert sim.function("maker", handler=handler).invoke({}).json() == "Creating"
    sim.run()
    assert len(work.invocations) == 1
