"""Versions and aliases: what is frozen, who is invoked, what belongs to which."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from simbus import AwsError, Simulation
from simbus.functions.settings import changed, function_config

QUICK = {"init_duration": "0s", "duration": "0s"}


def answers(sim: Simulation, **settings: Any) -> Any:
    """A function whose versions 1 and 2 answer "v1" and "v2"."""
    function = sim.function("f", simulate={**QUICK, "response": "v1"}, **settings)
    function.publish_version()
    function.update_function(function_config("f", simulate={**QUICK, "response": "v2"}))
    function.publish_version()
    return function


def test_a_version_stays_as_it_was_published(sim: Simulation) -> None:
    """PublishVersion freezes code and configuration (recorded: test_lambda_versions_with_code_changes)."""
    function = answers(sim)
    function.update_function(function_config("f", simulate={**QUICK, "response": "latest"}))
    assert function.invoke({}).json() == "latest"
    assert function.invoke({}, qualifier="$LATEST").json() == "latest"
    for number in ("1", "2"):
        response = function.invoke({}, qualifier=number)
        assert (response.json(), response.executed_version) == (f"v{number}", number)


def test_publishing_without_a_change_returns_the_same_version(sim: Simulation) -> None:
    """Recorded: test_publish_version_on_create."""
    function = sim.function("f")
    assert [function.publish_version(), function.publish_version()] == ["1", "1"]
    function.update_function(changed(function.config, {"timeout": 9}))
    assert [function.publish_version(), function.publish_version()] == ["2", "2"]


def test_versions_have_log_streams_of_their_own(sim: Simulation) -> None:
    """YYYY/MM/DD/[<version>]<32 hex>: environments belong to a version (Developer Guide)."""
    function = answers(sim)
    for qualifier in (None, "1", "2"):
        function.invoke({}, qualifier=qualifier)
    streams = [row.log_stream.split("]")[0] for row in function.invocations]
    assert streams == ["2026/01/01/[$LATEST", "2026/01/01/[1", "2026/01/01/[2"]
    assert [row.version for row in function.invocations] == ["$LATEST", "1", "2"]


def test_an_alias_names_a_version(sim: Simulation) -> None:
    """context.invoked_function_arn has the alias, function_version the number (recorded: test_lambda_alias_moving)."""

    def handler(event: Any, context: Any) -> list[str]:
        return [context.invoked_function_arn, context.function_version]

    function = sim.function("f", handler=handler, versions={"1": {}}, aliases={"live": {"function_version": "1"}})
    arn = "arn:aws:lambda:us-east-1:000000000000:function:f"
    assert function.invoke({}, qualifier="live").json() == [f"{arn}:live", "1"]
    assert function.invoke({}, qualifier="1").json() == [f"{arn}:1", "1"]
    assert function.invoke({}, qualifier="$LATEST").json() == [f"{arn}:$LATEST", "$LATEST"]
    assert function.invoke({}).json() == [arn, "$LATEST"]


def test_an_alias_can_be_moved(sim: Simulation) -> None:
    """UpdateAlias takes effect with the next invocation (recorded: test_lambda_alias_moving)."""
    function = answers(sim)
    function.create_alias("live", "1")
    assert function.invoke({}, qualifier="live").json() == "v1"
    function.update_alias("live", "2")
    assert function.invoke({}, qualifier="live").json() == "v2"


def shares(seed: int, weight: float) -> list[str]:
    with Simulation(seed=seed) as sim:
        function = answers(sim)
        function.create_alias("live", "1", {"2": weight})
        seen = []
        for _ in range(1000):
            seen.append(function.invoke({}, qualifier="live").executed_version)
            sim.run(for_="1ms")
        return seen


def test_a_weighted_alias_draws_for_each_invocation() -> None:
    """AdditionalVersionWeights is a probability, not sticky (recorded: test_alias_routingconfig); the seed decides."""
    seen = shares(7, 0.1)
    assert 70 <= seen.count("2") <= 130
    assert seen == shares(7, 0.1)
    assert seen != shares(8, 0.1)


@pytest.mark.parametrize(("weight", "only"), [(0.0, "1"), (1.0, "2")])
def test_the_ends_of_a_weight(weight: float, only: str) -> None:
    """0.0 is never, 1.0 always (botocore Weight)."""
    assert set(shares(1, weight)) == {only}


ARN = "arn:aws:lambda:us-east-1:000000000000:function:f"
CONSTRAINT = (
    "1 validation error detected: Value '{}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: "
)


@pytest.mark.parametrize(
    ("version", "weights", "code", "message"),
    [
        ("1", {"1": 0.5}, "InvalidParameterValueException",
         "Invalid function version 1. Function version 1 is already included in routing configuration."),
        ("1", {"2": 0.5, "1": 0.1}, "InvalidParameterValueException",
         "Number of items in AdditionalVersionWeights cannot be greater than 1"),
        ("$LATEST", {"1": 0.5}, "InvalidParameterValueException",
         "$LATEST is not supported for an alias pointing to more than 1 version"),
        ("1", {"$LATEST": 0.5}, "ValidationException",
         f"{CONSTRAINT.format('{$LATEST=0.5}')}Map keys must satisfy constraint: [Member must have length less than or "
         "equal to 1024, Member must have length greater than or equal to 1, Member must satisfy regular expression "
         "pattern: [0-9]+, Member must not be null]"),
        ("1", {"2": 2.0}, "ValidationException",
         f"{CONSTRAINT.format('{2=2.0}')}Map value must satisfy constraint: [Member must have value less than or equal "
         "to 1.0, Member must have value greater than or equal to 0.0, Member must not be null]"),
        ("10", None, "ResourceNotFoundException", f"Function not found: {ARN}:10"),
        ("1", {"10": 0.5}, "ResourceNotFoundException", f"Function not found: {ARN}:10"),
    ],
)  # fmt: skip
def test_bad_routing(sim: Simulation, version: str, weights: Any, code: str, message: str) -> None:
    """The exact texts (recorded: test_notfound_and_invalid_routingconfigs); keys and values of the weights are
    checked against botocore's model (AdditionalVersion, Weight) first."""
    function = answers(sim)
    with pytest.raises(AwsError) as caught:
        function.create_alias("bad", version, weights)
    assert (caught.value.code, caught.value.message) == (code, message)
    with pytest.raises(AwsError, match="Cannot find alias arn"):
        function.update_alias("bad", "1")


@pytest.mark.parametrize("name", ["1", "a b", "", "a" * 129])
def test_alias_names(sim: Simulation, name: str) -> None:
    """No number, which would hide a version, and 1 to 128 of a-zA-Z0-9-_ (botocore Alias)."""
    with pytest.raises(AwsError, match=r"Value '.*' at 'name' failed to satisfy constraint: Member must") as caught:
        answers(sim).create_alias(name, "1")
    assert caught.value.code == "ValidationException"


def test_alias_names_are_unique(sim: Simulation) -> None:
    """409 (recorded: test_notfound_and_invalid_routingconfigs)."""
    function = answers(sim)
    function.create_alias("live", "1")
    with pytest.raises(AwsError) as caught:
        function.create_alias("live", "2")
    assert (caught.value.status, caught.value.message) == (409, f"Alias already exists: {ARN}:live")


def test_an_unknown_qualifier_is_not_found(sim: Simulation) -> None:
    """404 with the qualifier in the ARN (recorded: test_invoke_exceptions)."""
    function = sim.function("f")
    for kind in ("RequestResponse", "Event", "DryRun"):
        with pytest.raises(AwsError) as caught:
            function.invoke({}, qualifier="nope", invocation_type=kind)
        assert (caught.value.status, caught.value.message) == (404, f"Function not found: {ARN}:nope")


# --- what belongs to which ------------------------------------------------------------------------------------------


def fails(event: Any, context: Any) -> None:
    raise ValueError("no")


@pytest.mark.parametrize("reserved", [None, 0])
def test_the_dead_letter_queue_belongs_to_the_version(sim: Simulation, reserved: int | None) -> None:
    """DeadLetterConfig is part of the version; a weighted alias uses that of the one that ran (Developer Guide); an
    event that never ran, that of the version it would have run on."""
    old, new = sim.queue("old"), sim.queue("new")
    function = sim.function("f", handler=fails, dead_letter_config=old)
    function.publish_version()
    function.create_alias("live", "1")
    function.update_function(function_config("f", handler=fails, dead_letter_arn=new.arn))
    if reserved is not None:
        function.put_function_concurrency(reserved)
    for qualifier in ("1", "live", None):
        function.invoke({"to": qualifier}, invocation_type="Event", qualifier=qualifier)
    sim.run()
    assert sorted(json.loads(message.body)["to"] for message in old.messages) == ["1", "live"]
    assert [json.loads(message.body)["to"] for message in new.messages] == [None]


def test_destinations_belong_to_a_qualifier_and_are_not_inherited(sim: Simulation) -> None:
    """The unqualified EventInvokeConfig belongs to $LATEST; a version has none (recorded:
    test_lambda_eventinvokeconfig_lifecycle), so it retries twice and tells nobody."""
    latest, live = sim.queue("latest"), sim.queue("live")
    function = sim.function(
        "f",
        handler=fails,
        versions={"1": {}},
        aliases={"live": {"function_version": "1"}},
        event_invoke_config={"maximum_retry_attempts": 0, "on_failure": latest},
    )
    function.put_function_event_invoke_config(qualifier="live", maximum_retry_attempts=1, on_failure=live)
    for qualifier in (None, "live", "1"):
        function.invoke({"to": qualifier}, invocation_type="Event", qualifier=qualifier)
    sim.run()
    records = [json.loads(message.body) for message in (*latest.messages, *live.messages)]
    seen = [(record["requestPayload"]["to"], record["requestContext"]["approximateInvokeCount"]) for record in records]
    assert seen == [(None, 1), ("live", 2)]
    assert [record["requestContext"]["functionArn"] for record in records] == [f"{ARN}:$LATEST", f"{ARN}:live"]
    assert [record["responseContext"]["executedVersion"] for record in records] == ["$LATEST", "1"]
    assert len(function.invocations) == 1 + 2 + 3


# --- update and delete ----------------------------------------------------------------------------------------------


def test_an_update_does_not_interrupt_what_runs(sim: Simulation) -> None:
    """The running invocation ends on the old code, the next one gets a new environment (recorded:
    test_function_update_during_invoke)."""
    function = sim.function("f", handler=lambda event, context: time.sleep(2) or "old", simulate=QUICK)
    seen: list[Any] = []
    function.start_invoke({}, seen.append)
    new = function_config("f", handler=lambda event, context: "new", simulate=QUICK)
    sim.at("1s", lambda: function.update_function(new))
    sim.at("1500ms", lambda: function.start_invoke({}, seen.append))
    sim.run()
    assert [response.json() for response in seen] == ["new", "old"]
    assert function.invoke({}).json() == "new"
    rows = function.invocations
    assert rows[0].log_stream != rows[1].log_stream == rows[2].log_stream


def test_an_update_ends_idle_environments(sim: Simulation) -> None:
    """Environments belong to a configuration: the next invocation is a cold start (Developer Guide)."""
    function = sim.function("f", simulate={"init_duration": "1s"})
    function.invoke({})
    function.update_function(changed(function.config, {"memory_size": 256}))
    function.invoke({})
    assert [row.init_duration_ms for row in function.invocations] == [1000, 1000]
    assert [row.memory_size for row in function.invocations] == [128, 256]


def test_deleting_a_function_lets_a_synchronous_invocation_complete(sim: Simulation) -> None:
    """Recorded: test_delete_lambda_during_sync_invoke. Later ones do not find it."""
    function = sim.function("f", handler=lambda event, context: time.sleep(2) or "done", simulate=QUICK)
    seen: list[Any] = []
    function.start_invoke({}, seen.append)
    sim.at("1s", function.delete_function)
    sim.run()
    assert [response.json() for response in seen] == ["done"]
    with pytest.raises(AwsError, match=f"Function not found: {ARN}"):
        function.invoke({})
    function.start_invoke({}, seen.append)
    assert seen[1].status == 404


def test_a_function_that_is_deleted_at_the_instant_of_its_invocation(sim: Simulation) -> None:
    """Whoever waits for the answer gets ResourceNotFoundException, nothing stalls."""
    function = sim.function("f")
    seen: list[Any] = []
    function.start_invoke({}, seen.append)
    function.delete_function()
    sim.run()
    assert [error.code for error in seen] == ["ResourceNotFoundException"]


def test_deleting_a_function_gives_its_concurrency_back(sim: Simulation) -> None:
    """A reservation and provisioned concurrency end with their function."""
    function = sim.function("f", reserved_concurrent_executions=900, versions={"1": {}})
    function.put_provisioned_concurrency_config("1", 10)
    sim.run()
    function.delete_function()
    assert sim.function("g", reserved_concurrent_executions=900).invoke({}).status_code == 200


def test_provisioned_concurrency_of_latest_follows_an_update(sim: Simulation) -> None:
    """simbus allows it on $LATEST (a scenario's `provisioned_concurrent_executions`); it goes on with the new code."""
    function = sim.function("f", provisioned_concurrent_executions=1, simulate={"init_duration": "1s"})
    sim.run()
    function.update_function(changed(function.config, {"timeout": 5}))
    sim.run()
    function.invoke({})
    assert function.invocations[0].init_duration_ms is None
