"""The settings of an event source mapping: what a poller goes by.

Names are those of CreateEventSourceMapping in snake_case, with AWS's nesting taken flat. Defaults: the answers of
CreateEventSourceMapping in the recordings sqs_esm, kinesis_esm and dynamodb_esm; ranges: botocore's model and the
Developer Guide, "Amazon SQS / Kinesis / DynamoDB event source mapping API".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from simbus.errors import UsageError
from simbus.kernel.durations import parse_duration

Kind = Literal["sqs", "kinesis", "dynamodb"]

BATCH_SIZES = {"sqs": 10, "kinesis": 100, "dynamodb": 100}
"""The default of `batch_size` per kind of source."""

POLLERS = (2, 200)
"""The defaults of `minimum_pollers` and `maximum_pollers` in provisioned mode."""

REPORT_BATCH_ITEM_FAILURES = "ReportBatchItemFailures"


class PollerConfig(msgspec.Struct, frozen=True):
    """ProvisionedPollerConfig of a queue's mapping: 2 to 200, and 2 to 2,000 event pollers."""

    minimum_pollers: int = POLLERS[0]
    maximum_pollers: int = POLLERS[1]


class MappingSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a mapping was told, completed with AWS's defaults and checked.

    Times are in seconds. `maximum_retry_attempts` and `maximum_record_age_in_seconds` are -1 where there is no limit.
    `starting_position_timestamp` is seconds since 1970. `filters` are patterns as JSON text, of which a record must
    match one (none: all pass). `on_failure` is the ARN of a queue, topic or bucket. `maximum_concurrency` None is no
    limit of the mapping's own; `provisioned_poller_config` None is on-demand mode. `kms_key_arn` encrypts the filters
    on AWS, here it is only shown. `metrics` are the groups of MetricsConfig.
    """

    batch_size: int
    maximum_batching_window_in_seconds: int = 0
    starting_position: Literal["TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"] | None = None
    starting_position_timestamp: float | None = None
    parallelization_factor: int = 1
    maximum_retry_attempts: int = -1
    maximum_record_age_in_seconds: int = -1
    bisect_batch_on_function_error: bool = False
    tumbling_window_in_seconds: int = 0
    on_failure: str | None = None
    report_batch_item_failures: bool = False
    filters: tuple[str, ...] = ()
    maximum_concurrency: int | None = None
    provisioned_poller_config: PollerConfig | None = None
    metrics: tuple[str, ...] = ()
    enabled: bool = True
    kms_key_arn: str | None = None

    def shown(self, kind: Kind) -> dict[str, Any]:
        """The settings as the answers of AWS's operations show them, in botocore's names."""
        types = [REPORT_BATCH_ITEM_FAILURES] if self.report_batch_item_failures else []
        found: dict[str, Any] = {
            "BatchSize": self.batch_size,
            "MaximumBatchingWindowInSeconds": self.maximum_batching_window_in_seconds,
            "FunctionResponseTypes": types,
        }
        if kind != "sqs":
            found |= self._shown_of_stream()
        if self.filters:
            found["FilterCriteria"] = {"Filters": [{"Pattern": pattern} for pattern in self.filters]}
        if self.maximum_concurrency is not None:
            found["ScalingConfig"] = {"MaximumConcurrency": self.maximum_concurrency}
        if self.provisioned_poller_config is not None:
            found["ProvisionedPollerConfig"] = {
                "MinimumPollers": self.provisioned_poller_config.minimum_pollers,
                "MaximumPollers": self.provisioned_poller_config.maximum_pollers,
            }
        if self.metrics:
            found["MetricsConfig"] = {"Metrics": list(self.metrics)}
        if self.kms_key_arn is not None:
            found["KMSKeyArn"] = self.kms_key_arn
        return found

    def _shown_of_stream(self) -> dict[str, Any]:
        on_failure = {} if self.on_failure is None else {"Destination": self.on_failure}
        found: dict[str, Any] = {
            "BisectBatchOnFunctionError": self.bisect_batch_on_function_error,
            "DestinationConfig": {"OnFailure": on_failure},
            "MaximumRecordAgeInSeconds": self.maximum_record_age_in_seconds,
            "MaximumRetryAttempts": self.maximum_retry_attempts,
            "ParallelizationFactor": self.parallelization_factor,
            "StartingPosition": self.starting_position,
            "TumblingWindowInSeconds": self.tumbling_window_in_seconds,
        }
        if self.starting_position_timestamp is not None:
            found["StartingPositionTimestamp"] = self.starting_position_timestamp
        return found


def transition_delay(simulate: Mapping[str, Any] | None) -> int:
    """`simulate` of an event source mapping, in nanoseconds. Raises UsageError."""
    given = dict(simulate or {})
    delay = given.pop("transition_delay", 0)
    if given:
        raise UsageError(
            f"simulate of an event source mapping has {', '.join(given)}; it has transition_delay. Correct it."
        )
    return parse_duration(delay) if isinstance(delay, str) else int(delay)
