"""Concurrency, reserved and provisioned; how asynchronous events are retried; recursive loops."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from simbus.aws.lambda_.checks import DESTINATION, matches, one_of
from simbus.aws.lambda_.functions import bad_marker
from simbus.aws.lambda_.names import api, located
from simbus.aws.paging import given, page
from simbus.aws.table import Response
from simbus.functions.function import LATEST
from simbus.scheduler.validation import in_range

if TYPE_CHECKING:
    from simbus.resources import Resources

Json = Mapping[str, Any]

# --- reserved and provisioned concurrency ----------------------------------------------------------------------------


@api.operation
def put_function_concurrency(account: Resources, *, FunctionName: str, ReservedConcurrentExecutions: int) -> Response:
    located(account, FunctionName)[0].put_function_concurrency(ReservedConcurrentExecutions)
    return {"ReservedConcurrentExecutions": ReservedConcurrentExecutions}


@api.operation
def get_function_concurrency(account: Resources, *, FunctionName: str) -> Response:
    function, _ = located(account, FunctionName)
    return given(ReservedConcurrentExecutions=function.core.concurrency.reserved)


@api.operation
def delete_function_concurrency(account: Resources, *, FunctionName: str) -> None:
    located(account, FunctionName)[0].delete_function_concurrency()


@api.operation
def put_provisioned_concurrency_config(
    account: Resources, *, FunctionName: str, Qualifier: str, ProvisionedConcurrentExecutions: int
) -> Response:
    """IN_PROGRESS until the environments are initialised, which takes their init."""
    function, qualifier = located(account, FunctionName, Qualifier)
    function.put_provisioned_concurrency_config(str(qualifier), ProvisionedConcurrentExecutions)
    return function.get_provisioned_concurrency_config(str(qualifier))


@api.operation
def get_provisioned_concurrency_config(account: Resources, *, FunctionName: str, Qualifier: str) -> Response:
    function, qualifier = located(account, FunctionName, Qualifier)
    return function.get_provisioned_concurrency_config(str(qualifier))


@api.operation
def delete_provisioned_concurrency_config(account: Resources, *, FunctionName: str, Qualifier: str) -> None:
    function, qualifier = located(account, FunctionName, Qualifier)
    function.delete_provisioned_concurrency_config(str(qualifier))


@api.operation
def list_provisioned_concurrency_configs(
    account: Resources, *, FunctionName: str, Marker: str | None = None, MaxItems: int = 50
) -> Response:
    function, _ = located(account, FunctionName)
    found, following = _page(function.list_provisioned_concurrency_configs(), Marker, MaxItems)
    return given(ProvisionedConcurrencyConfigs=found, NextMarker=following)


# --- asynchronous events ---------------------------------------------------------------------------------------------


@api.operation
def put_function_event_invoke_config(
    account: Resources,
    *,
    FunctionName: str,
    Qualifier: str | None = None,
    MaximumRetryAttempts: int | None = None,
    MaximumEventAgeInSeconds: int | None = None,
    DestinationConfig: Json | None = None,
) -> Response:
    function, qualifier = located(account, FunctionName, Qualifier)
    settings = _event_invoke(MaximumRetryAttempts, MaximumEventAgeInSeconds, DestinationConfig)
    return function.event_invoke_configs.put(qualifier or LATEST, settings)


@api.operation
def update_function_event_invoke_config(
    account: Resources,
    *,
    FunctionName: str,
    Qualifier: str | None = None,
    MaximumRetryAttempts: int | None = None,
    MaximumEventAgeInSeconds: int | None = None,
    DestinationConfig: Json | None = None,
) -> Response:
    function, qualifier = located(account, FunctionName, Qualifier)
    settings = _event_invoke(MaximumRetryAttempts, MaximumEventAgeInSeconds, DestinationConfig)
    return function.event_invoke_configs.update(qualifier or LATEST, settings)


@api.operation
def get_function_event_invoke_config(
    account: Resources, *, FunctionName: str, Qualifier: str | None = None
) -> Response:
    function, qualifier = located(account, FunctionName, Qualifier)
    return function.event_invoke_configs.get(qualifier or LATEST)


@api.operation
def delete_function_event_invoke_config(account: Resources, *, FunctionName: str, Qualifier: str | None = None) -> None:
    function, qualifier = located(account, FunctionName, Qualifier)
    function.event_invoke_configs.delete(qualifier or LATEST)


@api.operation
def list_function_event_invoke_configs(
    account: Resources, *, FunctionName: str, Marker: str | None = None, MaxItems: int = 50
) -> Response:
    function, _ = located(account, FunctionName)
    found, following = _page(function.event_invoke_configs.every(), Marker, MaxItems)
    return given(FunctionEventInvokeConfigs=found, NextMarker=following)


def _event_invoke(retries: int | None, age: int | None, destinations: Json | None) -> dict[str, Any]:
    where = destinations or {}
    for name in ("OnSuccess", "OnFailure"):
        path = f"destinationConfig.o{name[1:]}.destination"
        matches(path, where.get(name, {}).get("Destination"), DESTINATION, 350)
    return {
        "maximum_retry_attempts": retries,
        "maximum_event_age_in_seconds": age,
        "on_success": where.get("OnSuccess", {}).get("Destination"),
        "on_failure": where.get("OnFailure", {}).get("Destination"),
    }


# --- recursion -------------------------------------------------------------------------------------------------------


@api.operation
def get_function_recursion_config(account: Resources, *, FunctionName: str) -> Response:
    return {"RecursiveLoop": located(account, FunctionName)[0].config.recursive_loop}


@api.operation
def put_function_recursion_config(account: Resources, *, FunctionName: str, RecursiveLoop: str) -> Response:
    one_of("recursiveLoop", RecursiveLoop, ("Allow", "Terminate"))
    function, _ = located(account, FunctionName)
    function.put_function_recursion_config(RecursiveLoop)
    return {"RecursiveLoop": RecursiveLoop}


def _page(entries: list[dict[str, Any]], marker: str | None, most: int) -> tuple[list[dict[str, Any]], str | None]:
    """A page of what belongs to the qualifiers of one function, by ARN."""
    in_range("maxItems", most, 1, 50)
    entries.sort(key=_arn)
    return page(entries, _arn, most, marker, bad_marker)


def _arn(entry: dict[str, Any]) -> str:
    return str(entry["FunctionArn"])
