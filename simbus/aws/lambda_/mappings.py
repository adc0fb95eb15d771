"""Event source mappings. https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html

One that is made here takes the account's `mapping_transition_delay` from each state to the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from simbus.aws.lambda_.checks import ARN, DESTINATION, matches
from simbus.aws.lambda_.names import api
from simbus.aws.table import Response
from simbus.scheduler.mappings.request import snake

if TYPE_CHECKING:
    from simbus.resources import Resources


@api.operation
def create_event_source_mapping(
    account: Resources,
    *,
    FunctionName: str,
    EventSourceArn: str | None = None,
    Enabled: bool | None = None,
    BatchSize: int | None = None,
    FilterCriteria: Mapping[str, Any] | None = None,
    KMSKeyArn: str | None = None,
    MetricsConfig: Mapping[str, Any] | None = None,
    ScalingConfig: Mapping[str, Any] | None = None,
    MaximumBatchingWindowInSeconds: int | None = None,
    ParallelizationFactor: int | None = None,
    StartingPosition: str | None = None,
    StartingPositionTimestamp: datetime | None = None,
    DestinationConfig: Mapping[str, Any] | None = None,
    MaximumRecordAgeInSeconds: int | None = None,
    BisectBatchOnFunctionError: bool | None = None,
    MaximumRetryAttempts: int | None = None,
    TumblingWindowInSeconds: int | None = None,
    FunctionResponseTypes: list[str] | None = None,
    ProvisionedPollerConfig: Mapping[str, Any] | None = None,
) -> Response:
    given = _given(locals())
    matches("eventSourceArn", EventSourceArn, ARN)
    _check_destination(DestinationConfig)
    delay = account.world.account.mapping_transition_delay
    return _shown(account.event_source_mappings.create_event_source_mapping(transition_delay=delay, **given))


@api.operation
def update_event_source_mapping(
    account: Resources,
    *,
    UUID: str,
    FunctionName: str | None = None,
    Enabled: bool | None = None,
    BatchSize: int | None = None,
    FilterCriteria: Mapping[str, Any] | None = None,
    KMSKeyArn: str | None = None,
    MetricsConfig: Mapping[str, Any] | None = None,
    ScalingConfig: Mapping[str, Any] | None = None,
    MaximumBatchingWindowInSeconds: int | None = None,
    ParallelizationFactor: int | None = None,
    DestinationConfig: Mapping[str, Any] | None = None,
    MaximumRecordAgeInSeconds: int | None = None,
    BisectBatchOnFunctionError: bool | None = None,
    MaximumRetryAttempts: int | None = None,
    TumblingWindowInSeconds: int | None = None,
    FunctionResponseTypes: list[str] | None = None,
    ProvisionedPollerConfig: Mapping[str, Any] | None = None,
) -> Response:
    given = _given(locals())
    _check_destination(DestinationConfig)
    return _shown(account.event_source_mappings.update_event_source_mapping(**given))


@api.operation
def delete_event_source_mapping(account: Resources, *, UUID: str) -> Response:
    return _shown(account.event_source_mappings.delete_event_source_mapping(UUID))


@api.operation
def get_event_source_mapping(account: Resources, *, UUID: str) -> Response:
    return _shown(account.event_source_mappings.get_event_source_mapping(UUID))


@api.operation
def list_event_source_mappings(
    account: Resources,
    *,
    EventSourceArn: str | None = None,
    FunctionName: str | None = None,
    Marker: str | None = None,
    MaxItems: int = 100,
) -> Response:
    found = account.event_source_mappings.list_event_source_mappings(
        event_source_arn=EventSourceArn, function_name=FunctionName, marker=Marker, max_items=MaxItems
    )
    return {**found, "EventSourceMappings": [_shown(each) for each in found["EventSourceMappings"]]}


def _check_destination(config: Mapping[str, Any] | None) -> None:
    destination = ((config or {}).get("OnFailure") or {}).get("Destination")
    matches("destinationConfig.onFailure.destination", destination, DESTINATION, 350)


def _given(parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a request that are given, under the names that EventSourceMappings takes them."""
    return {snake(name): value for name, value in parameters.items() if name != "account" and value is not None}


def _shown(mapping: dict[str, Any]) -> Response:
    """A description with its times as datetimes."""
    times: dict[str, Any] = {
        name: datetime.fromtimestamp(mapping[name], UTC)
        for name in ("LastModified", "StartingPositionTimestamp")
        if name in mapping
    }
    return {**mapping, **times}
