"""Concurrency, asynchronous events, recursive loops, policies and tags of functions, through boto3."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from simbus import Simulation
from simbus.errors import UsageError

boto3 = pytest.importorskip("boto3", reason="needs the extra boto3")

ARN = "arn:aws:lambda:us-east-1:000000000000:function:f"


@pytest.fixture
def sim() -> Iterator[Simulation]:
    with Simulation(seed=1) as sim:
        live = {"live": {"function_version": "1"}}
        sim.function("f", handler=lambda event, context: event, aliases=live, simulate={"init_duration": "2s"})
        yield sim


@pytest.fixture
def client(sim: Simulation) -> Any:
    return sim.client("lambda")


def test_reserved_concurrency(client: Any) -> None:
    """Recorded: test_lambda_concurrency_update, test_reserved_provisioned_overlap."""
    assert "ReservedConcurrentExecutions" not in client.get_function_concurrency(FunctionName="f")
    client.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=3)
    assert client.get_function_concurrency(FunctionName="f")["ReservedConcurrentExecutions"] == 3
    assert client.get_function(FunctionName="f")["Concurrency"] == {"ReservedConcurrentExecutions": 3}
    answer = client.delete_function_concurrency(FunctionName="f")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert "Concurrency" not in client.get_function(FunctionName="f")
    with pytest.raises(client.exceptions.InvalidParameterValueException, match=r"below its minimum value of \[100\]"):
        client.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=901)


def test_provisioned_concurrency(client: Any, sim: Simulation) -> None:
    """202 IN_PROGRESS, after the init READY; of an alias; deleted (recorded: test_provisioned_concurrency)."""
    put = client.put_provisioned_concurrency_config(
        FunctionName="f", Qualifier="live", ProvisionedConcurrentExecutions=2
    )
    assert put["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert (put["Status"], put["LastModified"]) == ("IN_PROGRESS", "2026-01-01T00:00:00+0000")
    sim.run(for_="5s")
    found = client.get_provisioned_concurrency_config(FunctionName="f:live", Qualifier="live")
    assert (found["Status"], found["AvailableProvisionedConcurrentExecutions"]) == ("READY", 2)
    [listed] = client.list_provisioned_concurrency_configs(FunctionName="f")["ProvisionedConcurrencyConfigs"]
    assert listed["FunctionArn"] == f"{ARN}:live"
    client.delete_provisioned_concurrency_config(FunctionName="f", Qualifier="live")
    with pytest.raises(client.exceptions.ProvisionedConcurrencyConfigNotFoundException, match="No Provisioned Concurr"):
        client.get_provisioned_concurrency_config(FunctionName="f", Qualifier="live")
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="unpublished function versions"):
        client.put_provisioned_concurrency_config(
            FunctionName="f", Qualifier="$LATEST", ProvisionedConcurrentExecutions=1
        )


def test_the_configuration_of_asynchronous_events(client: Any, sim: Simulation) -> None:
    """Only what was given is shown; put replaces, update adds (recorded: test_reserved_concurrency)."""
    failed = sim.queue("failed").arn
    missing = client.exceptions.ResourceNotFoundException
    with pytest.raises(missing, match=r"function:f:\$LATEST doesn't have an EventInvokeConfig"):
        client.get_function_event_invoke_config(FunctionName="f")
    put = client.put_function_event_invoke_config(FunctionName="f", MaximumRetryAttempts=0)
    assert (put["FunctionArn"], put["MaximumRetryAttempts"]) == (f"{ARN}:$LATEST", 0)
    assert put["LastModified"] == datetime(2026, 1, 1, tzinfo=UTC)
    assert put["DestinationConfig"] == {"OnSuccess": {}, "OnFailure": {}}
    assert "MaximumEventAgeInSeconds" not in put
    updated = client.update_function_event_invoke_config(
        FunctionName="f", DestinationConfig={"OnFailure": {"Destination": failed}}, MaximumEventAgeInSeconds=60
    )
    assert (updated["MaximumRetryAttempts"], updated["MaximumEventAgeInSeconds"]) == (0, 60)
    assert updated["DestinationConfig"] == {"OnSuccess": {}, "OnFailure": {"Destination": failed}}
    replaced = client.put_function_event_invoke_config(FunctionName="f", Qualifier="live", MaximumRetryAttempts=1)
    assert replaced["FunctionArn"] == f"{ARN}:live"
    listed = client.list_function_event_invoke_configs(FunctionName="f")["FunctionEventInvokeConfigs"]
    assert [each["FunctionArn"] for each in listed] == [f"{ARN}:$LATEST", f"{ARN}:live"]
    client.delete_function_event_invoke_config(FunctionName="f", Qualifier="live")
    with pytest.raises(missing):
        client.update_function_event_invoke_config(FunctionName="f", Qualifier="live", MaximumRetryAttempts=1)
    refused = client.exceptions.InvalidParameterValueException
    with pytest.raises(refused, match="You must specify at least one"):
        client.put_function_event_invoke_config(FunctionName="f")
    with pytest.raises(refused, match="You can't specify the function as a destination for itself"):
        client.put_function_event_invoke_config(FunctionName="f", DestinationConfig={"OnFailure": {"Destination": ARN}})


def test_a_recursive_loop_may_be_allowed(client: Any, sim: Simulation) -> None:
    """Terminate by default; the environments of the function stay (API_PutFunctionRecursionConfig)."""
    assert client.get_function_recursion_config(FunctionName="f")["RecursiveLoop"] == "Terminate"
    client.invoke(FunctionName="f")
    assert client.put_function_recursion_config(FunctionName="f", RecursiveLoop="Allow")["RecursiveLoop"] == "Allow"
    assert client.get_function_recursion_config(FunctionName="f")["RecursiveLoop"] == "Allow"
    client.invoke(FunctionName="f")
    assert [row.init_duration_ms for row in sim["lambda:f"].invocations] == [2_000, None]


def test_statements_of_a_policy(client: Any) -> None:
    """Recorded: test_add_lambda_permission_aws; ArnLike for the source, StringEquals for its account."""
    before = client.get_function_configuration(FunctionName="f")["RevisionId"]
    answer = client.add_permission(
        FunctionName="f",
        StatementId="s3",
        Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
        SourceArn="arn:aws:s3:::uploads",
        SourceAccount="111122223333",
    )
    statement = {
        "Sid": "s3",
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": ARN,
        "Condition": {
            "StringEquals": {"AWS:SourceAccount": "111122223333"},
            "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::uploads"},
        },
    }
    assert json.loads(answer["Statement"]) == statement
    client.add_permission(
        FunctionName="f", StatementId="all", Action="lambda:*", Principal="111122223333", RevisionId=_now(client)
    )
    found = client.get_policy(FunctionName="f")
    policy = json.loads(found["Policy"])
    assert (policy["Version"], policy["Id"], policy["Statement"][0]) == ("2012-10-17", "default", statement)
    assert policy["Statement"][1]["Principal"] == {"AWS": "arn:aws:iam::111122223333:root"}
    assert found["RevisionId"] == _now(client) != before
    client.remove_permission(FunctionName="f", StatementId="s3")
    assert len(json.loads(client.get_policy(FunctionName="f")["Policy"])["Statement"]) == 1


def _now(client: Any) -> str:
    revision: str = client.get_function_configuration(FunctionName="f")["RevisionId"]
    return revision


def test_what_is_no_statement(client: Any) -> None:
    """Recorded: test_permission_exceptions; a version and an alias have policies of their own."""
    given = {"FunctionName": "f", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}
    missing, refused = client.exceptions.ResourceNotFoundException, client.exceptions.InvalidParameterValueException
    with pytest.raises(missing, match="The resource you requested does not exist"):
        client.get_policy(FunctionName="f")
    with pytest.raises(missing, match="No policy is associated with the given resource"):
        client.remove_permission(FunctionName="f", StatementId="x")
    client.add_permission(**given, StatementId="x")
    client.add_permission(**given, StatementId="x", Qualifier="live")
    assert json.loads(client.get_policy(FunctionName="f:live")["Policy"])["Statement"][0]["Resource"] == f"{ARN}:live"
    with pytest.raises(
        client.exceptions.ResourceConflictException, match=r"statement id \(x\) provided already exists"
    ):
        client.add_permission(**given, StatementId="x")
    with pytest.raises(missing, match="Statement y is not found in resource policy"):
        client.remove_permission(FunctionName="f", StatementId="y")
    with pytest.raises(refused, match=r"do not support adding policies for \$LATEST"):
        client.add_permission(**given, StatementId="y", Qualifier="$LATEST")
    with pytest.raises(refused, match="provided principal was invalid"):
        client.add_permission(**{**given, "Principal": "nobody"}, StatementId="y")
    with pytest.raises(UsageError, match="FunctionUrlAuthType"):
        client.add_permission(**given, StatementId="y", FunctionUrlAuthType="NONE")


def test_tags(client: Any) -> None:
    """Of functions only, 50 at most (recorded: test_tag_limits, test_tag_versions)."""
    client.tag_resource(Resource=ARN, Tags={"a": "1", "b": "2"})
    client.tag_resource(Resource=ARN, Tags={"b": "3"})
    client.untag_resource(Resource=ARN, TagKeys=["a", "absent"])
    assert client.list_tags(Resource=ARN)["Tags"] == {"b": "3"}
    refused = client.exceptions.InvalidParameterValueException
    with pytest.raises(refused, match="Number of tags exceeds resource tag limit"):
        client.tag_resource(Resource=ARN, Tags={str(n): "" for n in range(50)})
    with pytest.raises(refused, match="Tags on function aliases and versions are not supported"):
        client.list_tags(Resource=f"{ARN}:live")


def test_function_urls_are_refused(client: Any) -> None:
    """No URL that nothing listens at."""
    with pytest.raises(UsageError, match="lambda CreateFunctionUrlConfig: simbus does not play this"):
        client.create_function_url_config(FunctionName="f", AuthType="NONE")
