"""`event_source_mappings`: AWS's CreateEventSourceMapping. Which kind of source takes what AWS itself says."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from simbus.scenario.schema.base import (
    Check,
    Duration,
    FunctionName,
    Model,
    Unwrap,
    between,
    one_of,
    reference,
    refuse,
    same,
)

_IN_BETWEEN = "Choose a number in between"
_TUMBLING = between(0, 900, "Lambda allows 0 to 900 seconds", _IN_BETWEEN)


class Filter(Model):
    """One filter: its pattern as a mapping, or as the JSON text that AWS wants."""

    pattern: dict[str, Any] | str


class FilterCriteria(Model):
    """FilterCriteria: a record passes that matches one of the filters."""

    filters: list[Filter] = Field(default=[])


class ScalingConfig(Model):
    """ScalingConfig of a queue's mapping."""

    maximum_concurrency: Annotated[int, between(2, 1_000, "Lambda allows 2 to 1000", _IN_BETWEEN)] | None = None


class ProvisionedPollerConfig(Model):
    """ProvisionedPollerConfig of a queue's mapping."""

    minimum_pollers: Annotated[int, between(2, 200, "Lambda allows 2 to 200 pollers", _IN_BETWEEN)] = 2
    maximum_pollers: Annotated[int, between(2, 2_000, "Lambda allows 2 to 2000 pollers", _IN_BETWEEN)] = 200


class MetricsConfig(Model):
    """MetricsConfig: the metrics that are asked for besides the usual ones."""

    metrics: list[Annotated[str, one_of(("EventCount",), "the metrics of a mapping are")]] = Field(default=[])


class OnFailure(Model):
    """DestinationConfig of a stream's mapping."""

    on_failure: Annotated[str, reference("sqs", "sns", "s3"), Unwrap("destination")] | None = None


class SimulatedMapping(Model):
    """What AWS does not say."""

    transition_delay: Duration = Field(
        default=0, description="From Creating to Enabled, and for each change later on. AWS takes seconds to a minute."
    )


def _timestamp(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise refuse("is no time. Write it like 2026-01-01T00:00:00Z, or as seconds since 1970.")
    return value


class EventSourceMapping(OnFailure):
    """A mapping of a queue, a stream or a table's stream to a function, a version or an alias."""

    event_source: Annotated[str, reference("sqs", "kinesis", "dynamodb")] = same("event_source_arn", "event_source")
    function: FunctionName = same("function_name", "function")
    enabled: bool = True
    batch_size: Annotated[int, between(1, 10_000, "Lambda allows batches of 1 to 10000", _IN_BETWEEN)] | None = Field(
        default=None, description="Left out: 10 for a queue, 100 for a stream."
    )
    maximum_batching_window_in_seconds: Annotated[
        int, between(0, 300, "Lambda allows 0 to 300 seconds", _IN_BETWEEN)
    ] = 0
    filter_criteria: FilterCriteria | None = None
    function_response_types: list[
        Annotated[str, one_of(("ReportBatchItemFailures",), "the function response types are")]
    ] = Field(default=[])
    metrics_config: MetricsConfig | None = None
    kms_key_arn: str | None = None
    scaling_config: ScalingConfig | None = Field(default=None, description="Queues only.")
    provisioned_poller_config: ProvisionedPollerConfig | None = Field(default=None, description="Queues only.")
    starting_position: (
        Annotated[str, one_of(("TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"), "the starting positions are")] | None
    ) = Field(default=None, description="Streams need it, queues don't take it; AT_TIMESTAMP for Kinesis only.")
    starting_position_timestamp: Annotated[Any, Check(_timestamp, {"type": ["string", "number"]})] = None
    parallelization_factor: Annotated[int, between(1, 10, "Lambda allows 1 to 10", _IN_BETWEEN)] | None = Field(
        default=None, description="Streams only; 1 if left out."
    )
    maximum_retry_attempts: Annotated[int, between(-1, 10_000, "Lambda allows -1 to 10000", _IN_BETWEEN)] | None = (
        Field(default=None, description="Streams only; -1 (without end) if left out.")
    )
    maximum_record_age_in_seconds: (
        Annotated[int, between(-1, 604_800, "Lambda allows -1, or 60 to 604800 seconds", _IN_BETWEEN)] | None
    ) = Field(default=None, description="Streams only; -1 (without end) if left out.")
    bisect_batch_on_function_error: bool | None = Field(default=None, description="Streams only; false if left out.")
    tumbling_window_in_seconds: Annotated[int, _TUMBLING] | None = Field(
        default=None, description="Streams only; 0 (none) if left out."
    )
    destination_config: OnFailure | None = Field(default=None, description="AWS's nesting of on_failure.")
    simulate: SimulatedMapping = Field(default_factory=lambda: SimulatedMapping.model_validate({}))

    @model_validator(mode="after")
    def _once(self) -> EventSourceMapping:
        nested = self.destination_config
        if nested is not None and nested.on_failure is not None and self.on_failure is not None:
            raise refuse("gives on_failure twice, also in destination_config; both mean the same. Keep one of them.")
        return self

    def settings(self) -> dict[str, Any]:
        """What the file sets, as the arguments of `Simulation.event_source_mapping`."""
        return self.model_dump(exclude_unset=True, exclude={"event_source", "function", "simulate"})
