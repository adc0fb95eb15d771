"""Versions and aliases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from simbus.aws.lambda_.functions import bad_marker, paged
from simbus.aws.lambda_.names import api, located
from simbus.aws.paging import given, page
from simbus.aws.table import Response
from simbus.functions.function import LATEST
from simbus.scheduler.lambda_function import LambdaFunction
from simbus.scheduler.validation import in_range, invalid

if TYPE_CHECKING:
    from simbus.resources import Resources

Json = Mapping[str, Any]


@api.operation
def publish_version(
    account: Resources,
    *,
    FunctionName: str,
    CodeSha256: str | None = None,
    Description: str | None = None,
    RevisionId: str | None = None,
) -> Response:
    """Freeze $LATEST; where nothing has changed since the last version, that one is answered.

    https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html
    """
    function, _ = located(account, FunctionName)
    function.state.check_settled()
    function.revisions.check(LATEST, RevisionId)
    current = function.package().code_sha256
    if CodeSha256 is not None and CodeSha256 != current:
        raise invalid(
            f"CodeSHA256 ({CodeSha256}) is different from current CodeSHA256 in $LATEST ({current}). Please try again "
            "with the CodeSHA256 in $LATEST."
        )
    return function.get_function_configuration(function.publish_version(description=Description))


@api.operation
def list_versions_by_function(
    account: Resources, *, FunctionName: str, Marker: str | None = None, MaxItems: int = 50
) -> Response:
    function, _ = located(account, FunctionName)
    found = [function.get_function_configuration(number) for number in function.core.versions]
    return paged("Versions", found, Marker, MaxItems)


@api.operation
def create_alias(
    account: Resources,
    *,
    FunctionName: str,
    Name: str,
    FunctionVersion: str,
    Description: str = "",
    RoutingConfig: Json | None = None,
) -> Response:
    function, _ = located(account, FunctionName)
    return function.create_alias(Name, FunctionVersion, _weights(RoutingConfig), Description)


@api.operation
def update_alias(
    account: Resources,
    *,
    FunctionName: str,
    Name: str,
    FunctionVersion: str | None = None,
    Description: str | None = None,
    RoutingConfig: Json | None = None,
    RevisionId: str | None = None,
) -> Response:
    """What is not given stays; an empty RoutingConfig takes the second version away."""
    function, _ = located(account, FunctionName)
    function.alias(Name)
    function.revisions.check(Name, RevisionId)
    return function.update_alias(Name, FunctionVersion, _weights(RoutingConfig), Description)


@api.operation
def get_alias(account: Resources, *, FunctionName: str, Name: str) -> Response:
    return located(account, FunctionName)[0].describe_alias(Name)


@api.operation
def delete_alias(account: Resources, *, FunctionName: str, Name: str) -> None:
    located(account, FunctionName)[0].delete_alias(Name)


@api.operation
def list_aliases(
    account: Resources,
    *,
    FunctionName: str,
    FunctionVersion: str | None = None,
    Marker: str | None = None,
    MaxItems: int = 50,
) -> Response:
    """By name, those of one version or of all."""
    in_range("maxItems", MaxItems, 1, 10_000)
    function: LambdaFunction = located(account, FunctionName)[0]
    names = sorted(
        name
        for name, alias in function.core.aliases.items()
        if FunctionVersion in (None, alias.function_version, alias.other_version)
    )
    found, following = page(names, lambda name: name, min(MaxItems, 50), Marker, bad_marker)
    return given(Aliases=[function.describe_alias(name) for name in found], NextMarker=following)


def _weights(routing: Json | None) -> Mapping[str, float] | None:
    return None if routing is None else routing.get("AdditionalVersionWeights") or {}
