"""The parameters of event source mappings: defaults, ranges, and what AWS answers to a wrong one."""

from __future__ import annotations

from typing import Any

import pytest

from simbus.errors import AwsError, UsageError
from simbus.scheduler.mappings.request import read
from simbus.scheduler.mappings.settings import Kind, MappingSettings, PollerConfig
from simbus.scheduler.mappings.validation import check_constraints, check_visibility, settings_of

ARN = "arn:aws:x:us-east-1:111111111111:y"
START = {"starting_position": "LATEST"}
UNSUPPORTED = "Unsupported {} parameter for given event source mapping type."


def settings(kind: Kind, *, fifo: bool = False, before: MappingSettings | None = None, **given: Any) -> MappingSettings:
    flat = read(given)
    check_constraints(flat)
    return settings_of(kind, ARN, fifo, flat, now=1000.0, before=before)


def test_defaults_are_those_that_aws_returns() -> None:
    """Recorded create responses: batches of 10 and 100, no window, factor 1, retries and age -1 (no limit)."""
    assert settings("sqs") == MappingSettings(batch_size=10)
    kinesis = settings("kinesis", **START)
    assert kinesis == MappingSettings(batch_size=100, starting_position="LATEST")
    assert (kinesis.maximum_retry_attempts, kinesis.maximum_record_age_in_seconds) == (-1, -1)
    assert kinesis.parallelization_factor == 1
    assert settings("dynamodb", **START) == kinesis
    assert settings("sqs", provisioned_poller_config={"minimum_pollers": 5}).provisioned_poller_config == PollerConfig(
        5, 200
    )


RANGES: list[tuple[Kind, str, Any, str]] = [
    ("sqs", "batch_size", 0, "'0' at 'batchSize' .* greater than or equal to 1$"),
    ("sqs", "batch_size", 10_001, "'10001' at 'batchSize' .* less than or equal to 10000$"),
    ("sqs", "maximum_batching_window_in_seconds", 301, "'301' at 'maximumBatchingWindowInSeconds' .* equal to 300$"),
    ("sqs", "scaling_config", {"maximum_concurrency": 1}, "'1' at 'scalingConfig.maximumConcurrency' .* equal to 2$"),
    ("sqs", "scaling_config", {"maximum_concurrency": 1001}, "'1001' at 'scalingConfig.maxi.* less than .* 1000$"),
    ("sqs", "provisioned_poller_config", {"minimum_pollers": 201}, "'201' at 'provisionedPollerConfig.minimumPollers'"),
    ("sqs", "provisioned_poller_config", {"maximum_pollers": 1}, "'1' at 'provisionedPollerConfig.maximumPollers'"),
    ("kinesis", "parallelization_factor", 11, "'11' at 'parallelizationFactor' .* less than or equal to 10$"),
    ("kinesis", "maximum_retry_attempts", -2, "'-2' at 'maximumRetryAttempts' .* greater than or equal to -1$"),
    ("kinesis", "maximum_record_age_in_seconds", 604_801, "at 'maximumRecordAgeInSeconds' .* equal to 604800$"),
    ("kinesis", "tumbling_window_in_seconds", 901, "'901' at 'tumblingWindowInSeconds' .* less than or equal to 900$"),
    ("kinesis", "starting_position", "NOW", r"enum value set: \[LATEST, AT_TIMESTAMP, TRIM_HORIZON\]$"),
    ("sqs", "function_response_types", ["X"], r"'\[X\]' at 'functionResponseTypes' .*\[ReportBatchItemFailures\]\]$"),
    ("sqs", "function_response_types", ["ReportBatchItemFailures"] * 2, "ItemFailures.' .* less than or equal to 1$"),
    (
        "sqs",
        "kms_key_arn",
        "key",
        r"'key' at 'kMSKeyArn' .* pattern: \(arn:\(aws\[a-zA-Z-\]\*\)\?:\[a-z0-9-.\]\+:\.\*\)\|\(\)$",
    ),
    ("sqs", "metrics_config", {"metrics": ["X"]}, r"'\[X\]' at 'metricsConfig.metrics'"),
    ("sqs", "filter_criteria", {"filters": [{"pattern": "x" * 4097}]}, "length less than or equal to 4096$"),
]


@pytest.mark.parametrize(("kind", "name", "value", "message"), RANGES)
def test_a_value_out_of_its_range_is_a_validation_exception(kind: Kind, name: str, value: Any, message: str) -> None:
    """botocore's model of CreateEventSourceMapping; the form of the message is recorded for startingPosition."""
    with pytest.raises(AwsError, match=f"1 validation error detected: Value .*{message}") as caught:
        settings(kind, **{**(START if kind != "sqs" else {}), name: value})
    assert caught.value.code == "ValidationException"


def test_all_values_out_of_range_are_named_in_one_answer() -> None:
    """AWS's services count the errors of a request at the front of the message."""
    with pytest.raises(
        AwsError, match=r"^ValidationException: 2 validation errors detected: Value '0' .*; Value '301'"
    ):
        settings("sqs", batch_size=0, maximum_batching_window_in_seconds=301)


QUEUE_ERRORS = [
    (
        {"batch_size": 11},
        "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10",
    ),
    ({"starting_position": "LATEST"}, "StartingPosition is not valid for SQS event sources."),
    ({"parallelization_factor": 1}, UNSUPPORTED.format("ParallelizationFactor")),
    ({"maximum_retry_attempts": -1}, UNSUPPORTED.format("MaximumRetryAttempts")),
    ({"maximum_record_age_in_seconds": 60}, UNSUPPORTED.format("MaximumRecordAgeInSeconds")),
    ({"bisect_batch_on_function_error": False}, UNSUPPORTED.format("BisectBatchOnFunctionError")),
    ({"tumbling_window_in_seconds": 0}, UNSUPPORTED.format("TumblingWindowInSeconds")),
    ({"on_failure": ARN}, UNSUPPORTED.format("DestinationConfig")),
    ({"destination_config": {"on_success": {"destination": ARN}}}, UNSUPPORTED.format("DestinationConfig")),
    ({"metrics_config": {"metrics": ["KafkaMetrics"]}}, "Unsupported metric KafkaMetrics for given event source"),
    (
        {"scaling_config": {"maximum_concurrency": 2}, "provisioned_poller_config": {"minimum_pollers": 2}},
        "ScalingConfig and ProvisionedPollerConfig cannot be specified together.",
    ),
    ({"provisioned_poller_config": {"minimum_pollers": 9, "maximum_pollers": 8}}, "MinimumPollers 9 cannot be greater"),
    (
        {"filter_criteria": {"filters": [{"pattern": {"body": ["x"]}}] * 6}},
        "has 6 filters; by AWS's quota a mapping has 5 at most",
    ),
]


@pytest.mark.parametrize(("given", "message"), QUEUE_ERRORS)
def test_what_a_mapping_of_a_queue_does_not_take(given: dict[str, Any], message: str) -> None:
    """Retries, ages and positions belong to streams: a queue has its visibility timeout and its redrive policy."""
    with pytest.raises(AwsError, match=message.replace("(", r"\(")) as caught:
        settings("sqs", **given)
    assert caught.value.code == "InvalidParameterValueException"
    assert caught.value.extra == {"Type": "User"}


def test_a_fifo_queue_takes_batches_of_10_and_no_window() -> None:
    """Developer Guide, "Using Lambda with Amazon SQS": batches of at most 10 messages, no batching window."""
    assert settings("sqs", fifo=True, batch_size=10, maximum_batching_window_in_seconds=0).batch_size == 10
    with pytest.raises(AwsError, match="Maximum batch size must be between 1 and 10 inclusive"):
        settings("sqs", fifo=True, batch_size=11, maximum_batching_window_in_seconds=1)
    with pytest.raises(AwsError, match="Batching window is not supported for FIFO queues"):
        settings("sqs", fifo=True, maximum_batching_window_in_seconds=1)


STREAM_ERRORS: list[tuple[Kind, dict[str, Any], str]] = [
    ("kinesis", {}, "Value null at 'startingPosition' failed to satisfy constraint: Member must not be null."),
    ("dynamodb", {"starting_position": "AT_TIMESTAMP"}, f"Unsupported starting position for arn type: {ARN}"),
    ("kinesis", {"starting_position": "AT_TIMESTAMP"}, "Need to specify a timestamp"),
    ("kinesis", {**START, "starting_position_timestamp": 5}, "StartingPositionTimestamp is only valid with"),
    (
        "kinesis",
        {"starting_position": "AT_TIMESTAMP", "starting_position_timestamp": "2030-01-01T00:00:00Z"},
        "StartingPositionTimestamp cannot be in the future.",
    ),
    ("kinesis", {**START, "maximum_record_age_in_seconds": 59}, "either -1 \\(forever\\) or between 60 and 604800"),
    (
        "dynamodb",
        {**START, "parallelization_factor": 2, "tumbling_window_in_seconds": 1},
        "^InvalidParameterValueException: Parallelization factor must be equal to 1 when tumbling window period is "
        "configured$",
    ),
    ("kinesis", {**START, "scaling_config": {"maximum_concurrency": 2}}, UNSUPPORTED.format("ScalingConfig")),
    ("dynamodb", {**START, "provisioned_poller_config": {"minimum_pollers": 2}}, "Unsupported ProvisionedPollerConfig"),
]


@pytest.mark.parametrize(("kind", "given", "message"), STREAM_ERRORS)
def test_what_a_mapping_of_a_stream_does_not_take(kind: Kind, given: dict[str, Any], message: str) -> None:
    """Recorded in test_lambda_api (positions); MaximumRecordAgeInSeconds as quoted in terraform-provider-aws#16113.

    "When using a tumbling window the parallelization factor must be equal to 1" (terraform-aws-lambda#619); the words
    are those that users quote from AWS's answer.
    """
    with pytest.raises(AwsError, match=message) as caught:
        settings(kind, **given)
    assert caught.value.code == "InvalidParameterValueException"


def test_an_update_is_checked_together_with_what_stays() -> None:
    """Recorded: UpdateEventSourceMapping with BatchSize 11 is refused because the window is 0."""
    before = settings("sqs", batch_size=5)
    with pytest.raises(AwsError, match="Maximum batch window in seconds must be greater than 0"):
        settings("sqs", before=before, batch_size=11)
    after = settings("sqs", before=before, batch_size=11, maximum_batching_window_in_seconds=1)
    assert settings("sqs", before=after, enabled=False).batch_size == 11
    lanes = settings("kinesis", **START, parallelization_factor=2)
    with pytest.raises(AwsError, match="Parallelization factor must be equal to 1 when tumbling window"):
        settings("kinesis", before=lanes, tumbling_window_in_seconds=60)
    windows = settings("kinesis", before=lanes, parallelization_factor=1, tumbling_window_in_seconds=60)
    assert settings("kinesis", before=windows, tumbling_window_in_seconds=0, parallelization_factor=10)


def test_an_empty_structure_takes_a_setting_back() -> None:
    """botocore: `ScalingConfig={}` removes the maximum concurrency, empty FilterCriteria the filters."""
    before = settings(
        "sqs", scaling_config={"maximum_concurrency": 5}, filter_criteria={"filters": [{"pattern": '{"body":["x"]}'}]}
    )
    after = settings("sqs", before=before, scaling_config={}, filter_criteria={})
    assert (after.maximum_concurrency, after.filters) == (None, ())
    stream = settings("kinesis", **START, on_failure="arn:aws:sqs:us-east-1:111111111111:q")
    assert settings("kinesis", before=stream, destination_config={"on_failure": {}}).on_failure is None


def test_the_names_inside_may_be_those_of_botocore() -> None:
    """What boto3 was given can be handed on with its outer names in snake_case."""
    assert settings(
        "sqs",
        scaling_config={"MaximumConcurrency": 7},
        filter_criteria={"Filters": [{"Pattern": '{"body": {"a": [1]}}'}]},
        metrics_config={"Metrics": ["EventCount"]},
    ) == MappingSettings(
        batch_size=10, maximum_concurrency=7, filters=('{"body": {"a": [1]}}',), metrics=("EventCount",)
    )
    assert settings("kinesis", **START, destination_config={"OnFailure": {"Destination": ARN}}) == settings(
        "kinesis", **START, on_failure=ARN
    )


USAGE = [
    ({"batchsize": 5}, "no parameter batchsize.*Did you mean batch_size"),
    ({"batch_size": "5"}, "batch_size is '5'; a whole number is expected"),
    ({"batch_size": True}, "a whole number is expected"),
    ({"enabled": 1}, "true or false is expected"),
    ({"topics": ["x"]}, "belongs to Kafka, MQ or DocumentDB"),
    ({"tags": {"a": "b"}}, "not built"),
    ({"scaling_config": {"maximum": 5}}, "scaling_config has no maximum; it has maximum_concurrency"),
    ({"starting_position_timestamp": "soon"}, "a time like"),
    ({"on_failure": ARN, "destination_config": {"on_failure": {"destination": ARN}}}, "says on_failure a second time"),
]


@pytest.mark.parametrize(("given", "message"), USAGE)
def test_names_and_types_are_checked(given: dict[str, Any], message: str) -> None:
    """Refuse, never ignore."""
    with pytest.raises(UsageError, match=message):
        settings("sqs", **given)


def test_a_message_must_stay_hidden_as_long_as_the_function_may_run() -> None:
    """Developer Guide, "Configuring an Amazon SQS queue": function timeout <= visibility timeout."""
    check_visibility(30, 30)
    with pytest.raises(AwsError) as caught:
        check_visibility(3, 30)
    assert caught.value.message == "Queue visibility timeout: 3 seconds is less than Function timeout: 30 seconds"
