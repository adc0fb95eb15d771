"""Every recorded case of async_destinations.json against simbus, field for field (see aws_recorded.py)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from aws_recorded import equal, load_case, load_cases
from recorded_lambda import Stage, answer, invoke, laid_out, message, metadata, shaped

from simbus.kernel import SECOND


class Case(NamedTuple):
    """`verdict`: equal, different or not applicable, and why. `known`: the fields that differ, each with its reason."""

    verdict: str = "equal"
    why: str = ""
    known: Mapping[str, str] = {}


CASES = {
    "TestLambdaDestinationSqs::test_assess_lambda_destination_invocation[payload1]": Case(),
    "TestLambdaDLQ::test_dead_letter_queue": Case(),
    "TestLambdaDestinationSqs::test_retries": Case(),
    "TestLambdaDestinationSqs::test_maxeventage": Case(
        "different",
        "one field: the SenderId of the second message",
        {
            "$.single_retry_failure_message.Attributes.SenderId": "Lambda's role session has another name "
            "from delivery to delivery; here it is the function's"
        },
    ),
    "TestLambdaDestinationEventbridge::test_invoke_lambda_eventbridge": Case(),
}
SENT = "0b07a424-26c0-4d5e-8f6a-1d2c3b4a5968"  # the recordings have `<test-msg-id>`, a UUID, for the text that was sent
_MESSAGE = re.compile(r"retry-msg-\w+")


def test_every_recorded_case_is_in_the_table() -> None:
    """The table names every case of async_destinations.json and nothing else."""
    names = [case["name"] for case in load_cases("async_destinations")]
    assert not names or sorted(names) == sorted(CASES)


def received(messages: list[Any], *, attributes: bool = False) -> dict[str, Any]:
    return {"Messages": [message(each, attributes=attributes) for each in messages], **metadata(200)}


def sent(params: Mapping[str, Any]) -> dict[str, Any]:
    return {**params, "Payload": _MESSAGE.sub(SENT, params["Payload"])}


def test_a_failure_reaches_the_destination_after_the_only_attempt(tmp_path: Path) -> None:
    """With MaximumRetryAttempts 0 the condition is RetriesExhausted all the same, the invoke count 1."""
    case = load_case("async_destinations", "test_assess_lambda_destination_invocation[payload1]")
    with Stage(case, tmp_path) as stage:
        queue = stage.queue()
        function = stage.function(event_invoke_config=stage.event_invoke_config())
        invoke(function, stage.inputs[0])
        stage.sim.run()
        equal(case["recorded"], {"receive_message_result": received(queue.receive_messages(10))})


def test_a_dead_letter_is_the_event_with_three_attributes(tmp_path: Path) -> None:
    """Body: the event unchanged; RequestID, ErrorCode 200, ErrorMessage. Then the log tail of the same error."""
    case = load_case("async_destinations", "test_dead_letter_queue")
    with Stage(case, tmp_path) as stage:
        queue = stage.queue()
        function = stage.function()
        invoke(function, stage.inputs[0])
        stage.sim.run()
        dead = received(queue.receive_messages(10))
        function.update_function(msgspec.structs.replace(function.config, dead_letter_arn=None))
        failed = invoke(function, stage.inputs[1])
        assert failed.log_result is not None
        tail = [line for line in failed.log_result.splitlines() if not line.startswith("REPORT")]
        # The recording has one request id more, that of the answer's metadata, which is not recorded.
        actual = {"receive_result": dead, "invoke_result": answer(failed), "log_result": {"result": tail}}
        equal(shaped(case["recorded"]), actual)


def test_two_retries_and_then_the_record(tmp_path: Path) -> None:
    """Attempts after 1 and 2 minutes, one request id; the message bears the trace header. Received twice."""
    case = load_case("async_destinations", "test_retries")
    with Stage(case, tmp_path) as stage:
        queue = stage.queue()
        function = stage.function(event_invoke_config=stage.event_invoke_config())
        invoke(function, sent(stage.inputs[0]))
        stage.sim.run()
        queue.receive_messages(10, visibility_timeout=0)
        actual = {"queue_destination_payload": received(queue.receive_messages(10), attributes=True)}
        equal(case["recorded"], actual)
        starts = [row.started_at for row in function.invocations]
        assert [round((start - starts[0]) / 1000) for start in starts] == [0, 60, 180]


def test_an_event_that_would_be_too_old_is_not_retried(tmp_path: Path) -> None:
    """The age is checked before a retry is scheduled: 60 s allow none, 90 s one; nothing is waited for."""
    case = load_case("async_destinations", "test_maxeventage")
    with Stage(case, tmp_path) as stage:
        queue = stage.queue()
        function = stage.function()
        messages = []
        for number, age in enumerate((60, 90)):
            config = stage.event_invoke_config(number)
            assert config["maximum_event_age_in_seconds"] == age
            function.put_function_event_invoke_config(**config)
            before = stage.sim.now
            invoke(function, sent(stage.inputs[number]))
            while not (got := queue.receive_messages(10, wait_time_seconds=20)):
                assert stage.sim.now - before < age * SECOND
            queue.delete_message(got[0].receipt_handle)
            messages += got
        first, second = (message(each, attributes=True) for each in messages)
        actual = {"no_retry_failure_message": first, "single_retry_failure_message": second}
        equal(case["recorded"], actual, known=CASES[case["name"]].known)


MODES = """\
def handler(event, context):
    if event["mode"] == "success":
        return {"hello": "world", "test": "abc", "val": 5, "success": True}
    raise Exception("intentional failure!")  #@ 4
"""


def test_the_events_that_a_bus_gets(tmp_path: Path) -> None:
    """The record of a success and of a failure as an event: source `lambda`, the bus and the function as resources."""
    case = load_case("async_destinations", "test_invoke_lambda_eventbridge")
    (tmp_path / "index.py").write_text(laid_out(MODES))
    with Stage(case, tmp_path) as stage:
        queue = stage.queue()
        bus = stage.sim.event_bus("results")
        bus.put_rule("all", event_pattern={"source": ["lambda"]})
        bus.put_targets("all", [queue])
        function = stage.sim.function(
            "input",
            handler="index.handler",
            code=tmp_path,
            event_invoke_config={"maximum_retry_attempts": 0, "on_success": bus, "on_failure": bus},
        )
        for mode in ("success", "failure"):
            function.invoke({"mode": mode}, invocation_type="Event")
            stage.sim.run()
        success, failure = (json.loads(message.body) for message in queue.messages)
        actual = {"lambda_destination_event_bus_success": success, "lambda_destination_event_bus_failure": failure}
        equal(case["recorded"], actual)
