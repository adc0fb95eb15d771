"""Resource-based policies and tags: stored and shown, without any effect on who may invoke."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from simbus.aws.lambda_.checks import RESOURCE, STATEMENT_ID, matches
from simbus.aws.lambda_.names import api, located, parsed
from simbus.aws.table import Response, not_built
from simbus.functions.function import LATEST
from simbus.scheduler.lambda_function import LambdaFunction
from simbus.scheduler.permissions import compact
from simbus.scheduler.validation import invalid

if TYPE_CHECKING:
    from simbus.resources import Resources


@api.operation
def add_permission(
    account: Resources,
    *,
    FunctionName: str,
    StatementId: str,
    Action: str,
    Principal: str,
    SourceArn: str | None = None,
    SourceAccount: str | None = None,
    EventSourceToken: str | None = None,
    Qualifier: str | None = None,
    RevisionId: str | None = None,
    PrincipalOrgID: str | None = None,
) -> Response:
    """https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html"""
    matches("statementId", StatementId, STATEMENT_ID, 100)
    function, qualifier = located(account, FunctionName, Qualifier)
    function.revisions.check(qualifier or LATEST, RevisionId)
    statement = function.permissions.add(
        StatementId,
        Action,
        Principal,
        qualifier=qualifier,
        source_arn=SourceArn,
        source_account=SourceAccount,
        event_source_token=EventSourceToken,
        principal_org_id=PrincipalOrgID,
    )
    function.revisions.touch(qualifier or LATEST)
    return {"Statement": compact(statement)}


@api.operation
def remove_permission(
    account: Resources,
    *,
    FunctionName: str,
    StatementId: str,
    Qualifier: str | None = None,
    RevisionId: str | None = None,
) -> None:
    function, qualifier = located(account, FunctionName, Qualifier)
    function.revisions.check(qualifier or LATEST, RevisionId)
    function.permissions.remove(StatementId, qualifier)
    function.revisions.touch(qualifier or LATEST)


@api.operation
def get_policy(account: Resources, *, FunctionName: str, Qualifier: str | None = None) -> Response:
    function, qualifier = located(account, FunctionName, Qualifier)
    policy = function.permissions.policy(qualifier)
    return {"Policy": policy, "RevisionId": function.revisions[qualifier or LATEST].id}


@api.operation
def tag_resource(account: Resources, *, Resource: str, Tags: Mapping[str, str]) -> None:
    _tagged(account, Resource).tag_resource(Tags)


@api.operation
def untag_resource(account: Resources, *, Resource: str, TagKeys: Sequence[str]) -> None:
    _tagged(account, Resource).untag_resource(list(TagKeys))


@api.operation
def list_tags(account: Resources, *, Resource: str) -> Response:
    return {"Tags": dict(_tagged(account, Resource).tags)}


def _tagged(account: Resources, arn: str) -> LambdaFunction:
    """The function of an ARN; versions, aliases and event source mappings have no tags here."""
    matches("resource", arn, RESOURCE)
    if ":event-source-mapping:" in arn:
        raise not_built("tags of an event source mapping")
    if parsed(account, arn).qualifier is not None:
        raise invalid("Tags on function aliases and versions are not supported. Please specify a function ARN.")
    return located(account, arn)[0]
