"""The context object (awslambdaric 4.0.1, lambda_context.py; recorded: test_introspection_invoke)."""

import json
import time
from typing import Any

import pytest
from aws_recorded import load_case
from sandboxes import ARN, REQUEST, Lab

from simbus.arn import Account
from simbus.functions.config import FunctionConfig
from simbus.functions.runtime import runtime_environ


def attributes(event: Any, context: Any) -> dict[str, Any]:
    names = ("aws_request_id", "function_name", "function_version", "invoked_function_arn", "log_group_name")
    names += ("log_stream_name", "memory_limit_in_mb", "client_context", "tenant_id")  # type: ignore[assignment]
    return {name: getattr(context, name) for name in names}


def test_attributes(lab: Lab) -> None:
    """What the context says of invocation and function; memory_limit_in_mb is text."""
    assert lab.result(lab.sandbox(attributes, memory_size=1024)) == {
        "aws_request_id": REQUEST,
        "function_name": "resize",
        "function_version": "$LATEST",
        "invoked_function_arn": ARN,
        "log_group_name": "/aws/lambda/resize",
        "log_stream_name": "2026/01/01/[$LATEST]abc",
        "memory_limit_in_mb": "1024",
        "client_context": None,
        "tenant_id": None,
    }


@pytest.mark.parametrize("qualifier", ["$LATEST", "live", "7"])
def test_the_arn_is_the_one_that_was_invoked(lab: Lab, qualifier: str) -> None:
    """A qualifier is kept as the caller named it (recorded: test_lambda_alias_moving)."""
    found = lab.result(lab.sandbox(attributes), qualifier=qualifier)
    assert found["invoked_function_arn"] == f"{ARN}:{qualifier}"


def test_client_context_and_identity(lab: Lab) -> None:
    """ClientContext becomes an object whose missing parts are None; the identity is always there."""

    def handler(event: Any, context: Any) -> list[Any]:
        given = context.client_context
        client = given.client
        who = context.identity
        return [
            *(given.custom, given.env, client.installation_id, client.app_title, str(client)),
            *(who.cognito_identity_id, who.cognito_identity_pool_id, str(given).startswith("ClientContext([custom={")),
        ]

    text = json.dumps({"custom": {"a": 1}, "client": {"installation_id": "i-1"}})
    shown = (
        "Client([installation_id=i-1,app_title=None,app_version_name=None,app_version_code=None,app_package_name=None])"
    )
    found = lab.result(lab.sandbox(handler), client_context=text)
    assert found == [{"a": 1}, None, "i-1", None, shown, None, None, True]


def test_client_context_that_is_no_json(lab: Lab) -> None:
    """Runtime.LambdaContextUnmarshalError, before the handler is called."""
    outcome = lab.call(lab.sandbox(attributes), client_context="{no")
    assert outcome.error_type == "Runtime.LambdaContextUnmarshalError"
    assert (outcome.error_message or "").startswith("Unable to parse Client Context JSON: Expecting property name")


def test_remaining_time(lab: Lab) -> None:
    """It counts down in milliseconds of virtual time, also where a handler keeps the context."""
    kept: list[Any] = []

    def handler(event: Any, context: Any) -> int:
        kept.append(context)
        time.sleep(0.25)
        return int(context.get_remaining_time_in_millis())

    assert lab.result(lab.sandbox(handler, timeout=1)) == 750
    assert kept[0].get_remaining_time_in_millis() == 750
    lab.timeline.run(until=5_000_000_000)
    assert kept[0].get_remaining_time_in_millis() == 0


def test_attributes_can_be_set_and_shown(lab: Lab) -> None:
    """The context is an ordinary object: users set attributes, print it and log with it."""

    def handler(event: Any, context: Any) -> str:
        context.own = 1
        context.log("raw text")
        return f"{context.own} {context}"

    shown = lab.result(lab.sandbox(handler))
    assert shown.startswith(f"1 LambdaContext([aws_request_id={REQUEST},log_group_name=/aws/lambda/resize,")
    assert shown.endswith(",tenant_id=None])")
    assert [message for message, _, __ in lab.log] == ["raw text"]


@pytest.mark.parametrize("runtime", ["python3.8", "python3.10", "python3.13", "python3.14"])
def test_variables_as_recorded(runtime: str) -> None:
    """The environment variables have the recorded names, and the recorded values where these are not masked."""
    case = load_case("runtimes", f"test_introspection_invoke[{runtime}]")
    recorded = case["recorded"]["invocation_result_payload"]["environment"]
    config = FunctionConfig(
        "f", "handler.handler", runtime=runtime, memory_size=1024, environment={"TEST_KEY": "TEST_VAL"}
    )
    found = runtime_environ(config, Account(), version="$LATEST", log_stream="s")
    assert set(found) | {"_X_AMZN_TRACE_ID"} == set(recorded)
    plain = {name: value for name, value in recorded.items() if "<" not in value}
    assert {name: found[name] for name in plain} == plain
