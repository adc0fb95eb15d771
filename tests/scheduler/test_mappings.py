"""Lambda's operations on event source mappings: what they answer and refuse, and the states a mapping goes through."""

from __future__ import annotations

from typing import Any

import pytest

from simbus import AwsError, Simulation, UsageError
from simbus.kernel import SECOND
from simbus.scheduler.mappings.table import EventSourceMappings

QUEUE = "arn:aws:sqs:us-east-1:000000000000:jobs"
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:work"


@pytest.fixture
def api(sim: Simulation) -> EventSourceMappings:
    """A queue `jobs` and a function `work` with version 1 and alias `live`."""
    sim.queue("jobs")
    sim.function("work", aliases={"live": {"function_version": "1"}})
    return sim.event_source_mappings


def error(call: Any, code: str, status: int = 400) -> str:
    with pytest.raises(AwsError) as caught:
        call()
    assert (caught.value.code, caught.value.status) == (code, status)
    return caught.value.message


def test_the_life_of_a_mapping(sim: Simulation, api: EventSourceMappings) -> None:
    """Recorded (test_event_source_mapping_lifecycle): Creating, Enabled, Updating, Deleting, and then it is gone."""
    created = api.create_event_source_mapping(event_source_arn=QUEUE, function_name="work", batch_size=5)
    uuid = created["UUID"]
    assert created == {
        "BatchSize": 5,
        "EventSourceArn": QUEUE,
        "EventSourceMappingArn": f"arn:aws:lambda:us-east-1:000000000000:event-source-mapping:{uuid}",
        "FunctionArn": FUNCTION,
        "FunctionResponseTypes": [],
        "LastModified": 1_767_225_600.0,
        "MaximumBatchingWindowInSeconds": 0,
        "State": "Creating",
        "StateTransitionReason": "USER_INITIATED",
        "UUID": uuid,
    }
    assert api.get_event_source_mapping(uuid) == {**created, "State": "Enabled"}
    sim.run(for_="10s")
    updated = api.update_event_source_mapping(uuid=uuid, maximum_batching_window_in_seconds=3, batch_size=20)
    changed = {"MaximumBatchingWindowInSeconds": 3, "BatchSize": 20, "LastModified": 1_767_225_610.0}
    assert updated == {**created, **changed, "State": "Updating"}
    assert api.list_event_source_mappings() == {"EventSourceMappings": [{**updated, "State": "Enabled"}]}
    assert api.delete_event_source_mapping(uuid) == {**updated, "State": "Deleting"}
    message = error(lambda: api.get_event_source_mapping(uuid), "ResourceNotFoundException", 404)
    assert message == "The resource you requested does not exist."
    assert api.list_event_source_mappings() == {"EventSourceMappings": []}


def test_disabled_and_enabled(api: EventSourceMappings) -> None:
    """Recorded (test_fifo_message_group_parallelism): Disabled at once when made so; Enabling, Disabling in updates."""
    made = api.create_event_source_mapping(event_source_arn=QUEUE, function_name="work", enabled=False)
    assert made["State"] == "Disabled"
    states = []
    for enabled in (True, True, False, False):
        states.append(api.update_event_source_mapping(uuid=made["UUID"], enabled=enabled)["State"])
        states.append(api.get_event_source_mapping(made["UUID"])["State"])
    assert states == ["Enabling", "Enabled", "Updating", "Enabled", "Disabling", "Disabled", "Updating", "Disabled"]


def test_a_mapping_that_changes_can_not_be_changed(sim: Simulation, api: EventSourceMappings) -> None:
    """botocore, ResourceInUseException: an update in the state Creating, a deletion while it is Updating."""
    mapping = sim.event_source_mapping("sqs:jobs", "work", simulate={"transition_delay": "5s"})
    sim["sqs:jobs"].send_message("a")
    assert mapping.state == "Creating"
    message = error(lambda: api.update_event_source_mapping(uuid=mapping.uuid, batch_size=1), "ResourceInUseException")
    assert message == "Cannot update the event source mapping because it is in use."
    error(lambda: api.delete_event_source_mapping(mapping.uuid), "ResourceInUseException")
    sim.run()
    assert mapping.state == "Enabled"
    assert [row.queued_at - 1_767_225_600_000 for row in sim["lambda:work"].invocations] == [5000]
    assert api.delete_event_source_mapping(mapping.uuid)["State"] == "Deleting"
    sim.run(for_="4s")
    assert api.get_event_source_mapping(mapping.uuid)["State"] == "Deleting"
    sim.run(for_="2s")
    error(lambda: api.get_event_source_mapping(mapping.uuid), "ResourceNotFoundException", 404)
    assert sim.now >= 11 * SECOND


def test_what_does_not_exist(api: EventSourceMappings) -> None:
    """Recorded: test_event_source_mapping_exceptions, test_esm_with_not_existing_sqs_queue, ..._kinesis_stream."""
    gone = "30c3a4f2-0000-4000-8000-000000000000"
    for call in (
        lambda: api.get_event_source_mapping(gone),
        lambda: api.delete_event_source_mapping(gone),
        lambda: api.update_event_source_mapping(uuid=gone, enabled=True),
    ):
        assert error(call, "ResourceNotFoundException", 404) == "The resource you requested does not exist."

    def create(source: str | None, function: str = "work", **more: Any) -> str:
        given = {} if source is None else {"event_source_arn": source}
        return error(
            lambda: api.create_event_source_mapping(function_name=function, **given, **more),
            "InvalidParameterValueException",
        )

    assert create(None) == "Unrecognized event source."
    assert create("arn:aws:sns:us-east-1:000000000000:topic") == "Unrecognized event source."
    assert create(QUEUE, "nope") == "Function does not exist"
    assert create(QUEUE, "work:nope") == "Function does not exist"
    assert create(QUEUE, "arn:aws:lambda:us-east-1:111111111111:function:work") == "Function does not exist"
    no_queue = (
        "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. SQS Error "
        "Message: The specified queue does not exist."
    )
    assert create(f"{QUEUE}2") == no_queue
    assert create(QUEUE.replace("000000000000", "111111111111")) == no_queue
    stream = "arn:aws:kinesis:us-east-1:000000000000:stream/nope"
    assert create(stream, starting_position="LATEST") == f"Stream not found: {stream}"


def test_a_consumer_with_enhanced_fan_out_is_refused_by_name(sim: Simulation, api: EventSourceMappings) -> None:
    """AWS takes "the ARN of the data stream or a stream consumer" (API reference); the latter is not built."""
    consumer = f"{sim.stream('clicks', shard_count=1).arn}/consumer/fast:1700000000"
    with pytest.raises(UsageError, match="is a stream consumer; enhanced fan-out is not built"):
        api.create_event_source_mapping(event_source_arn=consumer, function_name="work", starting_position="LATEST")


NAMES = [
    ("work", FUNCTION),
    ("000000000000:function:work", FUNCTION),
    (FUNCTION, FUNCTION),
    (f"{FUNCTION}:$LATEST", FUNCTION),
    ("000000000000:function:work:$LATEST", f"{FUNCTION}:$LATEST"),
    ("work:1", f"{FUNCTION}:1"),
    ("000000000000:function:work:live", f"{FUNCTION}:live"),
    (f"{FUNCTION}:live", f"{FUNCTION}:live"),
    ("lambda:work:live", f"{FUNCTION}:live"),
]


@pytest.mark.parametrize(("name", "arn"), NAMES)
def test_the_ways_to_name_a_function(api: EventSourceMappings, name: str, arn: str) -> None:
    """Recorded (test_function_name_variations): a full ARN loses `:$LATEST`, a partial one keeps it."""
    created = api.create_event_source_mapping(event_source_arn=QUEUE, function_name=name)
    assert created["FunctionArn"] == arn


def test_duplicates(sim: Simulation, api: EventSourceMappings) -> None:
    """Recorded (test_duplicate_event_source_mappings): 409, blanks inside of the quotes; an alias is another one."""
    uuid = api.create_event_source_mapping(event_source_arn=QUEUE, function_name="work")["UUID"]
    message = error(
        lambda: api.create_event_source_mapping(event_source_arn="sqs:jobs", function_name=FUNCTION),
        "ResourceConflictException",
        409,
    )
    assert message == (
        f'An event source mapping with SQS arn (" {QUEUE} ") and function (" work ") already exists. Please update or '
        f"delete the existing mapping with UUID {uuid}"
    )
    api.create_event_source_mapping(event_source_arn=QUEUE, function_name="work:live")
    api.delete_event_source_mapping(uuid)
    api.create_event_source_mapping(event_source_arn=QUEUE, function_name="work")
    sim.function("other")
    other = api.create_event_source_mapping(event_source_arn=QUEUE, function_name="other")["UUID"]
    error(lambda: api.update_event_source_mapping(uuid=other, function_name="work"), "ResourceConflictException", 409)
    assert api.update_event_source_mapping(uuid=other, function_name="other")["State"] == "Updating"


def test_filter_criteria(api: EventSourceMappings) -> None:
    """Recorded (test_create_event_filter_criteria_validation): empty filters are accepted and not shown."""
    made = api.create_event_source_mapping(
        event_source_arn=QUEUE, function_name="work", filter_criteria={"filters": []}
    )
    assert "FilterCriteria" not in made
    pattern = '{"body": {"a": [1]}}'
    shown = api.update_event_source_mapping(uuid=made["UUID"], filter_criteria={"filters": [{"pattern": pattern}]})
    assert shown["FilterCriteria"] == {"Filters": [{"Pattern": pattern}]}
    for bad in ({"pattern": "wrong"}, {"pattern": ""}, {}, {"pattern": "null"}):
        message = error(
            lambda b=bad: api.update_event_source_mapping(uuid=made["UUID"], filter_criteria={"filters": [b]}),
            "InvalidParameterValueException",
        )
        assert message == "Invalid filter pattern definition."
    assert api.get_event_source_mapping(made["UUID"])["FilterCriteria"] == {"Filters": [{"Pattern": pattern}]}
    assert "FilterCriteria" not in api.update_event_source_mapping(uuid=made["UUID"], filter_criteria={})


def test_the_rest_of_the_configuration_is_shown(api: EventSourceMappings) -> None:
    """botocore, EventSourceMappingConfiguration."""
    made = api.create_event_source_mapping(
        event_source_arn=QUEUE,
        function_name="work",
        function_response_types=["ReportBatchItemFailures"],
        provisioned_poller_config={"minimum_pollers": 3},
        metrics_config={"metrics": ["EventCount"]},
        kms_key_arn="arn:aws:kms:us-east-1:000000000000:key/1",
    )
    assert made["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert made["ProvisionedPollerConfig"] == {"MinimumPollers": 3, "MaximumPollers": 200}
    assert made["MetricsConfig"] == {"Metrics": ["EventCount"]}
    assert made["KMSKeyArn"] == "arn:aws:kms:us-east-1:000000000000:key/1"


def test_the_visibility_timeout_is_checked_at_create_and_update(sim: Simulation, api: EventSourceMappings) -> None:
    """Developer Guide: the function's timeout must not exceed the queue's visibility timeout; that of its version."""
    message = "Queue visibility timeout: 30 seconds is less than Function timeout: 31 seconds"
    sim.function("slow", timeout=31)
    assert message == error(
        lambda: api.create_event_source_mapping(event_source_arn=QUEUE, function_name="slow"),
        "InvalidParameterValueException",
    )
    uuid = api.create_event_source_mapping(event_source_arn=QUEUE, function_name="work")["UUID"]
    assert message == error(
        lambda: api.update_event_source_mapping(uuid=uuid, function_name="slow"), "InvalidParameterValueException"
    )
    sim["sqs:jobs"].set_queue_attributes(visibility_timeout=2)
    assert "Queue visibility timeout: 2 seconds" in error(
        lambda: api.update_event_source_mapping(uuid=uuid, batch_size=1), "InvalidParameterValueException"
    )


def test_listing_by_source_and_function_and_in_pages(sim: Simulation, api: EventSourceMappings) -> None:
    """ListEventSourceMappings: EventSourceArn, FunctionName, MaxItems (1 to 10,000 in botocore's model) and Marker."""
    sim.queue("more")
    sim.function("other")
    for source, function in (("jobs", "work"), ("jobs", "other"), ("more", "work")):
        api.create_event_source_mapping(event_source_arn=f"sqs:{source}", function_name=function)

    def found(**given: Any) -> list[tuple[str, str]]:
        listed = api.list_event_source_mappings(**given)["EventSourceMappings"]
        return [(each["EventSourceArn"][-4:], each["FunctionArn"].rpartition(":")[2]) for each in listed]

    assert found() == [("jobs", "work"), ("jobs", "other"), ("more", "work")]
    assert found(event_source_arn=QUEUE) == [("jobs", "work"), ("jobs", "other")]
    assert found(function_name="work") == [("jobs", "work"), ("more", "work")]
    error(lambda: api.list_event_source_mappings(function_name="nope"), "ResourceNotFoundException", 404)
    first = api.list_event_source_mappings(max_items=2)
    assert len(first["EventSourceMappings"]) == 2
    assert found(marker=first["NextMarker"]) == [("more", "work")]
    message = error(lambda: api.list_event_source_mappings(max_items=0), "ValidationException")
    assert message == (
        "1 validation error detected: Value '0' at 'maxItems' failed to satisfy constraint: Member must have value "
        "greater than or equal to 1"
    )


def test_on_failure_destinations(sim: Simulation, api: EventSourceMappings) -> None:
    """A standard queue, a standard topic or a bucket that exists; short names become ARNs, in either form."""
    sim.stream("clicks", shard_count=1)
    sim.queue("failed")
    sim.queue("failed.fifo", fifo_queue=True)

    def create(target: str) -> dict[str, Any]:
        return api.create_event_source_mapping(
            event_source_arn="kinesis:clicks", function_name="work", starting_position="LATEST", on_failure=target
        )

    for target in ("sqs:nope", "lambda:work", "sqs:failed.fifo"):
        assert "is invalid" in error(lambda t=target: create(t), "InvalidParameterValueException")
    made = create("sqs:failed")
    arn = "arn:aws:sqs:us-east-1:000000000000:failed"
    assert made["DestinationConfig"] == {"OnFailure": {"Destination": arn}}
    nested = {"OnFailure": {"Destination": arn}}
    shown = api.update_event_source_mapping(uuid=made["UUID"], destination_config=nested)
    assert shown["DestinationConfig"] == {"OnFailure": {"Destination": arn}}
    assert shown["StateTransitionReason"] == "User action"
    assert shown["LastProcessingResult"] == "No records processed"


def test_what_can_not_be_updated(api: EventSourceMappings) -> None:
    """UpdateEventSourceMapping has no source and no starting position."""
    uuid = api.create_event_source_mapping(event_source_arn=QUEUE, function_name="work")["UUID"]
    error(lambda: api.update_event_source_mapping(uuid=uuid, event_source_arn=QUEUE), "InvalidParameterValueException")


def test_the_short_ways_in_python(sim: Simulation) -> None:
    """Objects, short names and ARNs mean the same."""
    queue = sim.queue("jobs")
    work = sim.function("work", simulate={"init_duration": "0s"})
    mapping = sim.event_source_mapping(queue, work)
    assert (mapping.source_arn, mapping.target.arn) == (queue.arn, work.arn)
    assert repr(mapping).endswith("function:work Enabled>")
    with pytest.raises(UsageError, match="simulate of an event source mapping has delay; it has transition_delay"):
        sim.event_source_mapping(queue, work, simulate={"delay": "1s"})
