"""Lambda's Invoke through boto3, from a test and from handlers."""

from __future__ import annotations

import json
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator
from typing import Any

import pytest

from simbus import Simulation
from simbus.errors import UsageError

boto3 = pytest.importorskip("boto3", reason="needs the extra boto3")
botocore = pytest.importorskip("botocore")


@pytest.fixture
def sim() -> Iterator[Simulation]:
    with Simulation(seed=1) as sim:
        yield sim


def echo(event: Any, context: Any) -> Any:
    print("seen")
    return event


def failing(event: Any, context: Any) -> Any:
    raise ValueError("no")


def test_a_synchronous_invocation_answers_with_a_stream(sim: Simulation) -> None:
    """Payload is a stream of the function's JSON, StatusCode 200, ExecutedVersion $LATEST (API_Invoke)."""
    sim.function("f", handler=echo)
    answer = boto3.client("lambda").invoke(FunctionName="f", Payload=json.dumps({"n": 1}))
    assert answer["Payload"].read() == b'{"n": 1}'
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert not {"FunctionError", "LogResult"} & answer.keys()
    assert answer["ResponseMetadata"]["RequestId"] == sim["lambda:f"].invocations[0].request_id


def test_a_failed_function_is_no_failed_request(sim: Simulation) -> None:
    """200 with FunctionError Unhandled; the payload is the error (recorded: test_lambda_handler_error)."""
    sim.function("f", handler=failing)
    answer = boto3.client("lambda").invoke(FunctionName="f")
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert json.load(answer["Payload"])["errorMessage"] == "no"


def test_the_log_tail_is_base64_of_the_last_4_kb(sim: Simulation) -> None:
    """LogType Tail: "the last 4 KB of the execution log, which is base64-encoded" (API_Invoke)."""

    def handler(event: Any, context: Any) -> None:
        for _ in range(200):
            print("x" * 60)

    sim.function("f", handler=handler)
    sim.function("g", handler=echo)
    client = boto3.client("lambda")
    tail = b64decode(client.invoke(FunctionName="f", LogType="Tail")["LogResult"])
    assert len(tail) == 4_096
    assert tail.rstrip().rpartition(b"\n")[2].startswith(b"REPORT RequestId:")
    assert b"\nseen\n" in b64decode(client.invoke(FunctionName="g", LogType="Tail")["LogResult"])


def test_event_and_dry_run(sim: Simulation) -> None:
    """202 and 204, with no payload; the event runs later (recorded: test_invocation_type_event, ..._dry_run)."""
    function = sim.function("f", handler=echo)
    client = boto3.client("lambda")
    for kind, status in (("Event", 202), ("DryRun", 204)):
        answer = client.invoke(FunctionName="f", InvocationType=kind)
        assert (answer["StatusCode"], answer["Payload"].read()) == (status, b"")
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == status
    assert client.invoke_async(FunctionName="f", InvokeArgs=b'{"old": true}')["Status"] == 202
    assert function.invocations == []
    sim.run()
    ran = sorted((row.invocation_type, row.payload) for row in function.invocations)
    assert ran == [("Event", '{"old": true}'), ("Event", "{}")]


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("f", "$LATEST"),
        ("f:1", "1"),
        ("f:live", "1"),
        ("function:f", "$LATEST"),
        ("000000000000:function:f:live", "1"),
        ("arn:aws:lambda:us-east-1:000000000000:function:f", "$LATEST"),
        ("arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST", "$LATEST"),
        ("arn:aws:lambda:us-east-1:000000000000:function:f:live", "1"),
    ],
)
def test_every_form_of_a_function_name(sim: Simulation, name: str, version: str) -> None:
    """Name, partial ARN, ARN, each with or without a qualifier (API_Invoke, FunctionName)."""
    sim.function("f", handler=echo, aliases={"live": {"function_version": "1"}})
    assert boto3.client("lambda").invoke(FunctionName=name)["ExecutedVersion"] == version


def test_the_qualifier(sim: Simulation) -> None:
    """A qualifier in the name and another one beside it are refused (Lambda's own text)."""
    sim.function("f", handler=echo, aliases={"live": {"function_version": "1"}})
    client = boto3.client("lambda")
    assert client.invoke(FunctionName="f", Qualifier="live")["ExecutedVersion"] == "1"
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="derived qualifier from the function"):
        client.invoke(FunctionName="f:1", Qualifier="live")


def test_what_is_not_there(sim: Simulation) -> None:
    """ResourceNotFoundException, 404, with the qualified ARN (recorded: test_invoke_exceptions)."""
    sim.function("f", handler=echo)
    client = boto3.client("lambda")
    arn = "arn:aws:lambda:us-east-1:000000000000:function"
    for name, text in (("absent", f"{arn}:absent:$LATEST"), ("f:7", f"{arn}:f:7")):
        with pytest.raises(client.exceptions.ResourceNotFoundException) as caught:
            client.invoke(FunctionName=name)
        response = caught.value.response
        assert response["Error"] == {"Message": f"Function not found: {text}", "Code": "ResourceNotFoundException"}
        assert (response["Message"], response["Type"]) == (response["Error"]["Message"], "User")
        assert response["ResponseMetadata"]["HTTPStatusCode"] == 404
    with pytest.raises(client.exceptions.ResourceNotFoundException, match="not reachable in this region"):
        client.invoke(FunctionName="arn:aws:lambda:eu-west-1:000000000000:function:f")
    with pytest.raises(client.exceptions.ClientError, match=r"ValidationException.*functionName"):
        client.invoke(FunctionName="f f")


def test_payloads_that_are_refused(sim: Simulation) -> None:
    """No JSON: 400 InvalidRequestContentException; over 6 MB: 413 RequestEntityTooLargeException (Lambda quotas)."""
    sim.function("f", handler=echo)
    client = boto3.client("lambda")
    with pytest.raises(client.exceptions.InvalidRequestContentException, match="Could not parse request body"):
        client.invoke(FunctionName="f", Payload=b"{")
    with pytest.raises(client.exceptions.ClientError, match="RequestEntityTooLargeException") as caught:
        client.invoke(FunctionName="f", Payload=b'"' + b"x" * 6_291_455 + b'"')
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413


def test_a_throttle_has_its_reason_and_is_retried_in_virtual_time(sim: Simulation) -> None:
    """TooManyRequestsException, Reason beside it (recorded: test_reserved_concurrency); botocore tries five times."""
    sim.function("f", handler=echo, reserved_concurrent_executions=0)
    retries = {"total_max_attempts": 5, "mode": "standard"}
    client = boto3.client("lambda", config=botocore.config.Config(retries=retries))
    with pytest.raises(client.exceptions.TooManyRequestsException) as caught:
        client.invoke(FunctionName="f")
    response = caught.value.response
    assert (response["Reason"], response["Type"]) == ("ReservedFunctionConcurrentInvocationLimitExceeded", "User")
    assert response["ResponseMetadata"]["RetryAttempts"] == 4
    assert 0 < sim.now < 30_000_000_000
    assert sim["lambda:f"].metric("Throttles")[0].value == 5


def test_client_context(sim: Simulation) -> None:
    """Up to 3,583 bytes of base64-encoded JSON, shown in the context (API_Invoke)."""

    def handler(event: Any, context: Any) -> Any:
        return context.client_context.custom

    sim.function("f", handler=handler)
    given = b64encode(b'{"custom": {"a": "b"}}').decode()
    assert json.load(boto3.client("lambda").invoke(FunctionName="f", ClientContext=given)["Payload"]) == {"a": "b"}


def test_a_handler_waits_for_the_function_that_it_invokes(sim: Simulation) -> None:
    """It is parked until the other one has answered; what it waited is its own duration."""

    def outer(event: Any, context: Any) -> Any:
        before = time.time()
        answer = boto3.client("lambda").invoke(FunctionName="inner", Payload=b'{"deep": 1}')
        return json.load(answer["Payload"]), round(time.time() - before, 3)

    def inner(event: Any, context: Any) -> Any:
        time.sleep(2)
        return event

    sim.function("inner", handler=inner, simulate={"init_duration": "100ms", "duration": "0s"})
    function = sim.function("outer", handler=outer, timeout=10, simulate={"aws_latency": "5ms"})
    assert function.invoke({}).json() == [{"deep": 1}, 2.105]


def test_a_handler_whose_time_is_up_waits_no_more(sim: Simulation) -> None:
    """The outer function times out, the inner one runs to its end."""

    def outer(event: Any, context: Any) -> Any:
        boto3.client("lambda").invoke(FunctionName="inner")

    def inner(event: Any, context: Any) -> Any:
        time.sleep(5)

    sim.function("inner", handler=inner, timeout=10)
    sim.function("outer", handler=outer, timeout=3)
    sim["lambda:outer"].invoke({}, invocation_type="Event")
    sim.run(until="10s")
    assert [row.status for row in sim["lambda:outer"].invocations] == ["timeout"]
    assert [row.status for row in sim["lambda:inner"].invocations] == ["ok"]


def test_an_invocation_of_itself_is_stopped_as_a_loop(sim: Simulation) -> None:
    """Lambda's recursive loop detection: about 16 invocations in one chain (Developer Guide)."""

    def handler(event: Any, context: Any) -> None:
        boto3.client("lambda").invoke(FunctionName="f", InvocationType="Event")

    function = sim.function("f", handler=handler)
    boto3.client("lambda").invoke(FunctionName="f", InvocationType="Event")
    sim.run()
    assert len(function.invocations) == 16


def test_what_is_not_built_says_so(sim: Simulation) -> None:
    """A streamed response is refused, not answered with something else."""
    sim.function("f", handler=echo)
    client = boto3.client("lambda")
    with pytest.raises(UsageError, match="lambda InvokeWithResponseStream: simbus does not play this"):
        client.invoke_with_response_stream(FunctionName="f")
    with pytest.raises(UsageError, match="lambda Invoke with TenantId"):
        client.invoke(FunctionName="f", TenantId="one")
