"""What AWS refuses of an event source mapping's parameters, in AWS's words.

Sources: the recordings sqs_esm, kinesis_esm, dynamodb_esm and those of test_lambda_api; botocore's model for the
ranges; for the rest error texts that users of AWS quote (serverless/serverless#7049, motdotla/node-lambda#466,
pulumi/pulumi-aws-serverless#20, aws/aws-lambda-dotnet#1758, hashicorp/terraform-provider-aws#16113,
awsdocs/aws-cloudformation-user-guide#334; terraform-aws-modules/terraform-aws-lambda#619 for the lanes of a tumbling
window). Where nobody quotes one the words are simbus's own, and marked so here. Of too many filters the Developer
Guide ("Lambda event filtering") says only that "Lambda will return an error": code and text are a choice, and say so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec.structs import replace

from simbus.errors import AwsError
from simbus.scheduler.mappings.settings import (
    BATCH_SIZES,
    REPORT_BATCH_ITEM_FAILURES,
    Kind,
    MappingSettings,
    PollerConfig,
)

LONGEST_PATTERN: Final = 4_096
MOST_FILTERS: Final = 5

# Parameter: where AWS's message says it stands, and its range.
_RANGES: Final = {
    "batch_size": ("batchSize", 1, 10_000),
    "maximum_concurrency": ("scalingConfig.maximumConcurrency", 2, 1_000),
    "maximum_batching_window_in_seconds": ("maximumBatchingWindowInSeconds", 0, 300),
    "parallelization_factor": ("parallelizationFactor", 1, 10),
    "maximum_record_age_in_seconds": ("maximumRecordAgeInSeconds", -1, 604_800),
    "maximum_retry_attempts": ("maximumRetryAttempts", -1, 10_000),
    "tumbling_window_in_seconds": ("tumblingWindowInSeconds", 0, 900),
}
_MINIMUM_POLLERS: Final = ("provisionedPollerConfig.minimumPollers", 2, 200)
_MAXIMUM_POLLERS: Final = ("provisionedPollerConfig.maximumPollers", 2, 2_000)
_KEY_ARN: Final = "(arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()"
_POSITIONS: Final = ("LATEST", "AT_TIMESTAMP", "TRIM_HORIZON")
_METRICS: Final = ("EventCount", "ErrorCount", "KafkaMetrics")
_OF_STREAMS: Final = {
    "parallelization_factor": "ParallelizationFactor",
    "maximum_retry_attempts": "MaximumRetryAttempts",
    "maximum_record_age_in_seconds": "MaximumRecordAgeInSeconds",
    "bisect_batch_on_function_error": "BisectBatchOnFunctionError",
    "tumbling_window_in_seconds": "TumblingWindowInSeconds",
    "on_failure": "DestinationConfig",
}
_OF_QUEUES: Final = {"maximum_concurrency": "ScalingConfig", "provisioned_poller_config": "ProvisionedPollerConfig"}


def refused(message: str) -> AwsError:
    """InvalidParameterValueException, as the operations of event source mappings answer it."""
    return AwsError("InvalidParameterValueException", message, Type="User")


def check_constraints(given: Mapping[str, Any]) -> None:
    """What AWS checks first, of each value alone. Raises AwsError ValidationException naming all of them."""
    _refuse(list(_constraints(given)))


def check_max_items(max_items: int) -> None:
    """MaxItems of ListEventSourceMappings: 1 to 10,000. Raises AwsError ValidationException."""
    _refuse(list(_range("maxItems", max_items, 1, 10_000)))


def _refuse(found: list[str]) -> None:
    if found:
        noun = "error" if len(found) == 1 else "errors"
        raise AwsError("ValidationException", f"{len(found)} validation {noun} detected: {'; '.join(found)}")


def _constraints(given: Mapping[str, Any]) -> Iterator[str]:
    for name, (path, low, high) in _RANGES.items():
        yield from _range(path, given.get(name), low, high)
    pollers = given.get("provisioned_poller_config")
    if pollers is not None:
        yield from _range(_MINIMUM_POLLERS[0], pollers.minimum_pollers, *_MINIMUM_POLLERS[1:])
        yield from _range(_MAXIMUM_POLLERS[0], pollers.maximum_pollers, *_MAXIMUM_POLLERS[1:])
    for number, pattern in enumerate(given.get("filters", ()), 1):
        if len(pattern) > LONGEST_PATTERN:
            yield _failed(
                pattern,
                f"filterCriteria.filters.{number}.member.pattern",
                f"Member must have length less than or equal to {LONGEST_PATTERN}",
            )
    position = given.get("starting_position")
    if position is not None and position not in _POSITIONS:
        yield _failed(position, "startingPosition", f"Member must satisfy enum value set: [{', '.join(_POSITIONS)}]")
    types = given.get("function_response_types") or ()
    yield from _members("functionResponseTypes", types, (REPORT_BATCH_ITEM_FAILURES,))
    if len(types) > 1:
        yield _failed(
            f"[{', '.join(types)}]", "functionResponseTypes", "Member must have length less than or equal to 1"
        )
    key = given.get("kms_key_arn")
    if key is not None and not re.fullmatch(_KEY_ARN, key):
        yield _failed(key, "kMSKeyArn", f"Member must satisfy regular expression pattern: {_KEY_ARN}")
    yield from _members("metricsConfig.metrics", given.get("metrics", ()), _METRICS)


def _range(path: str, value: int | None, low: int, high: int) -> Iterator[str]:
    if value is not None and not low <= value <= high:
        bound, limit = ("greater", low) if value < low else ("less", high)
        yield _failed(value, path, f"Member must have value {bound} than or equal to {limit}")


def _members(path: str, values: tuple[str, ...] | None, allowed: tuple[str, ...]) -> Iterator[str]:
    if values and any(value not in allowed for value in values):
        rule = f"Member must satisfy enum value set: [{', '.join(allowed)}]"
        yield _failed(f"[{', '.join(values)}]", path, f"Member must satisfy constraint: [{rule}]")


def _failed(value: object, path: str, rule: str) -> str:
    return f"Value '{value}' at '{path}' failed to satisfy constraint: {rule}"


def settings_of(
    kind: Kind, source_arn: str, fifo: bool, given: Mapping[str, Any], now: float, before: MappingSettings | None = None
) -> MappingSettings:
    """The settings of a new mapping, or (`before`) of one that is updated; `given` as `mapping_request.read` made it.

    `now` is the time in seconds since 1970. Raises AwsError.
    """
    _check_kind(kind, given)
    if before is None:
        _check_position(kind, source_arn, given, now)
        before = MappingSettings(batch_size=BATCH_SIZES[kind])
    changes: dict[str, Any] = {name: given[name] for name in MappingSettings.__struct_fields__ if name in given}
    if "function_response_types" in given:
        changes["report_batch_item_failures"] = bool(given["function_response_types"])
    settings = replace(before, **changes)
    if kind == "sqs":
        _check_queue(settings, fifo)
    if settings.tumbling_window_in_seconds and settings.parallelization_factor > 1:
        raise refused("Parallelization factor must be equal to 1 when tumbling window period is configured")
    if 0 <= settings.maximum_record_age_in_seconds < 60:
        raise refused("MaximumRecordAgeInSeconds must be either -1 (forever) or between 60 and 604800 (inclusive)")
    if len(settings.filters) > MOST_FILTERS:
        raise refused(
            f"simbus: filter_criteria has {len(settings.filters)} filters; by AWS's quota a mapping has "
            f"{MOST_FILTERS} at most, 10 on request. Leave some out. AWS refuses this in words that are not "
            "known to simbus."
        )
    return settings


def _check_kind(kind: Kind, given: Mapping[str, Any]) -> None:
    """Parameters that this kind of source does not take; also with the value that is the default of the others."""
    if "on_success" in given:
        raise refused("Unsupported DestinationConfig parameter for given event source mapping type.")
    for name, aws in (_OF_STREAMS if kind == "sqs" else _OF_QUEUES).items():
        if given.get(name) is not None:
            raise refused(f"Unsupported {aws} parameter for given event source mapping type.")
    if kind == "sqs" and (given.get("starting_position") or given.get("starting_position_timestamp")):
        raise refused("StartingPosition is not valid for SQS event sources.")
    for metric in given.get("metrics", ()):
        if metric != "EventCount":  # own words
            raise refused(f"Unsupported metric {metric} for given event source mapping type.")


def _check_position(kind: Kind, source_arn: str, given: Mapping[str, Any], now: float) -> None:
    if kind == "sqs":
        return
    position, timestamp = given.get("starting_position"), given.get("starting_position_timestamp")
    if position is None:
        raise refused(
            "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must "
            "not be null."
        )
    if kind == "dynamodb" and position == "AT_TIMESTAMP":
        raise refused(f"Unsupported starting position for arn type: {source_arn}")
    if position == "AT_TIMESTAMP" and timestamp is None:
        raise refused("Need to specify a timestamp")
    if position != "AT_TIMESTAMP" and timestamp is not None:  # own words
        raise refused(f"StartingPositionTimestamp is only valid with AT_TIMESTAMP, not with {position}.")
    if timestamp is not None and timestamp > now:  # own words; the API reference: "cannot be in the future"
        raise refused("StartingPositionTimestamp cannot be in the future.")


def _check_queue(settings: MappingSettings, fifo: bool) -> None:
    window = settings.maximum_batching_window_in_seconds
    if fifo and settings.batch_size > 10:
        raise refused("Maximum batch size must be between 1 and 10 inclusive")
    if fifo and window > 0:
        raise refused("Batching window is not supported for FIFO queues")
    if settings.batch_size > 10 and window == 0:
        raise refused("Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10")
    pollers = settings.provisioned_poller_config
    if pollers is None:
        return
    if settings.maximum_concurrency is not None:  # own words; the Developer Guide says that one excludes the other
        raise refused("ScalingConfig and ProvisionedPollerConfig cannot be specified together.")
    _check_pollers(pollers)


def _check_pollers(pollers: PollerConfig) -> None:
    if pollers.minimum_pollers > pollers.maximum_pollers:  # own words
        raise refused(
            f"MinimumPollers {pollers.minimum_pollers} cannot be greater than MaximumPollers {pollers.maximum_pollers}."
        )


def check_visibility(visibility_timeout: int, function_timeout: int) -> None:
    """A message must stay hidden for as long as the function may run. Both in seconds."""
    if visibility_timeout < function_timeout:
        raise refused(
            f"Queue visibility timeout: {visibility_timeout} seconds is less than Function timeout: "
            f"{function_timeout} seconds"
        )
