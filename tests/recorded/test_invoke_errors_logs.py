"""Every recorded case of invoke_errors_logs.json against simbus, field for field (see aws_recorded.py).

What is answered by the control plane (CreateFunction, PublishVersion ...) is not compared: simbus has no such answers.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from aws_recorded import equal, load_case, load_cases
from recorded_lambda import Stage, answer, invoke, lines, message, refusal, shaped

from simbus.kernel import SECOND
from simbus.scheduler.invoke import InvokeResponse

FILE = "invoke_errors_logs"


class Case(NamedTuple):
    """`verdict`: equal, different or not applicable, and why. `known`: the fields that differ, each with its reason.

    `keys`: the recorded answers, in the order of the inputs (for the cases that only invoke one function).
    """

    verdict: str = "equal"
    why: str = ""
    keys: tuple[str, ...] = ()
    known: Mapping[str, str] = {}


BASE = "TestLambdaBaseFeatures::"
FEATURES = "TestLambdaFeatures::"
ERRORS = "TestLambdaErrors::"
URL = "TestLambdaURL::"
CONCURRENCY = "TestLambdaConcurrency::"
NO_URL = Case("not applicable", "function URLs are not built")
CONTROL_PLANE = Case("not applicable", "only answers of the control plane are recorded")

ANSWERS = {
    FEATURES + "test_invocation_type_event[python3.10]": Case(keys=("invoke-result",)),
    FEATURES + "test_invocation_type_dry_run[python3.10]": Case(keys=("invoke-result",)),
    FEATURES + "test_invocation_type_no_return_payload[python-RequestResponse]": Case(keys=("invoke-result",)),
    FEATURES + "test_invocation_type_no_return_payload[python-Event]": Case(keys=("invoke-result",)),
    FEATURES + "test_upload_lambda_from_s3": Case(
        keys=("invocation-response",), why="the code is a directory: it is not put into a bucket first"
    ),
    BASE + "test_lambda_too_large_response": Case(keys=("invoke_result", "invoke_result_2")),
    ERRORS + "test_lambda_runtime_wrapper_not_found": Case(keys=("invocation_error",)),
    ERRORS + "test_lambda_runtime_exit": Case(keys=("invocation_error",)),
    ERRORS + "test_lambda_handler_exit": Case(keys=("invocation_error",)),
    ERRORS + "test_lambda_handler_error": Case(keys=("invocation_error",)),
}
OWN_TESTS = {
    FEATURES + "test_invocation_with_qualifier": Case(),
    FEATURES + "test_invoke_exceptions": Case(
        why="the function is deleted instead of never made: an object that does not exist has no operations"
    ),
    ERRORS + "test_lambda_invoke_payload_encoding_error[message-\\x99\\xeb,j\\x07\\xa1zYh]": Case(),
    CONCURRENCY + "test_lambda_concurrency_block": Case(why="without v1_result, an answer of the control plane"),
    CONCURRENCY + "test_reserved_concurrency": Case(),
    CONCURRENCY + "test_reserved_concurrency_async_queue": Case(why="the error of the synchronous Invoke"),
    CONCURRENCY + "test_reserved_provisioned_overlap": Case(why="the four errors, and the state of the configuration"),
    CONCURRENCY + "test_provisioned_concurrency": Case(why="the state of the configuration, without LastModified"),
    CONCURRENCY + "test_provisioned_concurrency_init_failure": Case(
        why="the state of the configuration, without LastModified"
    ),
    CONCURRENCY + "test_lambda_provisioned_concurrency_scheduling": Case(
        why="the state of the configuration, without LastModified"
    ),
    "TestLambdaVersions::test_lambda_versions_with_code_changes": Case(),
    "TestLambdaVersions::test_async_invoke_queue_upon_function_update": Case(
        why="the handler is a Python callable that notes what the original writes into a bucket"
    ),
    "TestLambdaAliases::test_lambda_alias_moving": Case(),
    "TestLambdaAliases::test_alias_routingconfig": CONTROL_PLANE._replace(
        why="only the answer of CreateAlias is recorded; that both versions are hit is tested"
    ),
    "TestLambdaBehavior::test_lambda_invoke_timed_out_environment_reuse": Case(
        "different",
        "the payload of a timeout is that of 2025 (test_lambda_invoke_with_timeout), recorded here in 2024",
        known={
            "$.invoke-result-timed-out.Payload.errorMessage": "2024: `<time> <request id> Task timed out after 1.00 "
            "seconds`; since 2025: `RequestId: <request id> Error: Task timed out after 1.00 seconds`",
            "$.invoke-result-timed-out.Payload.errorType": "2024: none; since 2025: Sandbox.Timedout",
        },
    ),
    "TestRequestIdHandling::test_request_id_invoke": Case(),
}
NOT_APPLICABLE = {
    BASE + "test_function_state": CONTROL_PLANE,
    CONCURRENCY + "test_lambda_concurrency_update": CONTROL_PLANE,
    "TestLambdaCleanup::test_recreate_function": CONTROL_PLANE,
    ERRORS + "test_lambda_runtime_exit_segfault": Case(
        "not applicable",
        "a handler runs in the process of simbus: a real stack overflow would end simbus, recursion without bound ends "
        "in Python's RecursionError",
    ),
    URL + "test_lambda_url_invocation_exception": NO_URL,
    **{
        URL + f"test_lambda_url_invocation[{name}]": NO_URL
        for name in ("dict", "http-response-json", "list-mixed", "string", "float", "boolean")
    },
    URL + "test_lambda_url_invalid_invoke_mode": NO_URL,
    URL + "test_lambda_url_echo_http_fixture_default": NO_URL,
    URL + "test_lambda_url_echo_http_fixture_trim_x_headers": NO_URL,
}
CASES = {**ANSWERS, **OWN_TESTS, **NOT_APPLICABLE}


def test_every_recorded_case_is_in_the_table() -> None:
    """The table names every case of invoke_errors_logs.json and nothing else."""
    names = [case["name"] for case in load_cases(FILE)]
    assert not names or sorted(names) == sorted(CASES)


@pytest.mark.parametrize("name", ANSWERS)
def test_answers_of_invoke(tmp_path: Path, name: str) -> None:
    """The inputs in order, one function: the answers of Invoke."""
    case = load_case(FILE, name)
    with Stage(case, tmp_path) as stage:
        function = stage.function()
        answers = [answer(invoke(function, params)) for params in stage.inputs]
        equal(case["recorded"], dict(zip(ANSWERS[name].keys, answers, strict=True)))


def test_the_log_tail_of_a_version(tmp_path: Path) -> None:
    """A qualifier is in the ARN and in START; a line that is printed and one that is logged."""
    case = load_case(FILE, "test_invocation_with_qualifier")
    with Stage(case, tmp_path) as stage:
        response = invoke(stage.function(), stage.inputs[0])
        assert response.log_result is not None
        tail = [line for line in response.log_result.splitlines() if not line.startswith("REPORT")]
        actual = {"log_result": {"log_result": tail}, "invocation-response": answer(response)}
        equal(shaped(case["recorded"]), actual)


def test_the_error_of_a_function_that_does_not_exist(tmp_path: Path) -> None:
    """ResourceNotFoundException names the ARN with $LATEST."""
    case = load_case(FILE, "test_invoke_exceptions")
    with Stage(case, tmp_path) as stage:
        function = stage.sim.function("doesnotexist")
        function.delete_function()
        [(key, recorded)] = case["recorded"].items()
        equal(case["recorded"], {key: refusal(recorded, lambda: invoke(function, stage.inputs[0]))})


def test_a_payload_that_is_no_json(tmp_path: Path) -> None:
    """Invoke answers with the words of the JSON parser that AWS uses."""
    case = load_case(FILE, r"test_lambda_invoke_payload_encoding_error[message-\x99\xeb,j\x07\xa1zYh]")
    with Stage(case, tmp_path) as stage:
        function = stage.function()
        [(key, recorded)] = case["recorded"].items()
        equal(case["recorded"], {key: refusal(recorded, lambda: invoke(function, stage.inputs[0]))})


def test_provisioned_concurrency_takes_all_that_is_reserved(tmp_path: Path) -> None:
    """Reserved 1 and provisioned 1 on version 1: $LATEST is throttled although nothing runs."""
    case = load_case(FILE, "test_lambda_concurrency_block")
    recorded = {key: value for key, value in case["recorded"].items() if key != "v1_result"}
    with Stage(case, tmp_path) as stage:
        function = stage.function()
        function.publish_version()
        first, second, third, fourth = stage.inputs
        actual = {"invoke_latest_before_block": answer(invoke(function, first))}
        function.put_function_concurrency(1)
        function.put_provisioned_concurrency_config("1", 1)
        stage.sim.run()
        key = "invoke_latest_first_exc"
        actual[key] = refusal(recorded[key], lambda: invoke(function, second))
        actual["invoke_v1_after_block"] = answer(invoke(function, third))
        key = "invoke_latest_second_exc"
        actual[key] = refusal(recorded[key], lambda: invoke(function, fourth))
        equal(recorded, actual)


def test_reserved_concurrency_of_zero(tmp_path: Path) -> None:
    """A synchronous Invoke is throttled; an asynchronous one gets 202 and its record goes to OnFailure at once."""
    case = load_case(FILE, "test_reserved_concurrency")
    error = "exc_no_cap_requestresponse"
    recorded = {error: case["recorded_api"][error], **case["recorded"]}
    with Stage(case, tmp_path) as stage:
        queue = stage.queue()
        function = stage.function()
        function.put_function_concurrency(0)
        actual = {error: refusal(recorded[error], lambda: invoke(function, stage.inputs[0]))}
        function.put_function_event_invoke_config(**stage.event_invoke_config())
        actual["invoke_result"] = answer(invoke(function, stage.inputs[1]))
        stage.sim.run()
        [received] = queue.receive_messages(10)
        equal(recorded, actual | {"msg": message(received, attributes=True)})


def test_a_throttled_asynchronous_event_waits_in_the_queue(tmp_path: Path) -> None:
    """Reserved 1 and one event running: the next one waits, Invoke is throttled; in the end all four have run."""
    case = load_case(FILE, "test_reserved_concurrency_async_queue")
    recorded = case["recorded_api"]["too_many_requests_exc"]
    with Stage(case, tmp_path) as stage:
        queue = stage.queue()

        def handler(event: Any, context: Any) -> None:
            if "notify" in event:
                queue.send_message(json.dumps({"request_id": context.aws_request_id, "timestamp": int(time.time())}))
            time.sleep(event.get("wait", 0))

        function = stage.function(handler=handler)
        function.put_function_concurrency(1)
        invoke(function, stage.inputs[0])
        for params in stage.inputs[1:3]:
            invoke(function, params)
        assert queue.receive_messages(10, wait_time_seconds=20)
        equal(recorded, refusal(recorded, lambda: invoke(function, stage.inputs[3])))
        function.put_function_concurrency(3)
        assert invoke(function, stage.inputs[4]).status_code == 200
        stage.sim.run()
        assert [row.status for row in function.invocations] == ["ok"] * 4


def provisioned_state(case: Mapping[str, Any], key: str) -> dict[str, Any]:
    """What GetProvisionedConcurrencyConfig was recorded to answer."""
    recorded: dict[str, Any] = case["recorded_api"][key]
    return {name: value for name, value in recorded.items() if name != "ResponseMetadata"}


def test_reserved_and_provisioned_concurrency_limit_each_other(tmp_path: Path) -> None:
    """Neither may be set beyond the other; with all of it provisioned on version 1, $LATEST is throttled."""
    case = load_case(FILE, "test_reserved_provisioned_overlap")
    api = case["recorded_api"]
    with Stage(case, tmp_path) as stage:
        function = stage.function()
        function.publish_version()
        function.put_provisioned_concurrency_config("1", 2)
        equal(provisioned_state(case, "get_provisioned_prewait"), function.get_provisioned_concurrency_config("1"))
        stage.sim.run()
        equal(provisioned_state(case, "get_provisioned_postwait"), function.get_provisioned_concurrency_config("1"))
        recorded = api["reserved_lower_than_provisioned_exc"]
        equal(recorded, refusal(recorded, lambda: function.put_function_concurrency(1)))
        function.put_function_concurrency(2)
        recorded = api["reserved_equals_provisioned_latest_invoke_exc"]
        equal(recorded, refusal(recorded, lambda: invoke(function, stage.inputs[0])))
        assert invoke(function, stage.inputs[1]).json() == "provisioned-concurrency"
        function.update_function(msgspec.structs.replace(function.config, timeout=15))
        assert function.publish_version() == "2"
        recorded = api["reserved_equals_provisioned_another_provisioned_exc"]
        equal(recorded, refusal(recorded, lambda: function.put_provisioned_concurrency_config("2", 1)))
        recorded = api["reserved_equals_provisioned_increase_provisioned_exc"]
        equal(recorded, refusal(recorded, lambda: function.put_provisioned_concurrency_config("1", 3)))


def test_provisioned_environments_serve_their_version_only(tmp_path: Path) -> None:
    """AWS_LAMBDA_INITIALIZATION_TYPE: provisioned-concurrency for version 1, on-demand for $LATEST."""
    case = load_case(FILE, "test_provisioned_concurrency")
    with Stage(case, tmp_path) as stage:
        function = stage.function()
        function.publish_version()
        function.put_provisioned_concurrency_config("1", 5)
        equal(provisioned_state(case, "get_provisioned_prewait"), function.get_provisioned_concurrency_config("1"))
        stage.sim.run()
        equal(provisioned_state(case, "get_provisioned_postwait"), function.get_provisioned_concurrency_config("1"))
        kinds = [invoke(function, params).json() for params in stage.inputs]
        assert kinds == ["provisioned-concurrency", "on-demand"]


def test_what_finds_no_provisioned_environment_runs_on_demand(tmp_path: Path) -> None:
    """Two at a time and one provisioned: the second spills over to an environment on demand."""
    case = load_case(FILE, "test_lambda_provisioned_concurrency_scheduling")
    with Stage(case, tmp_path) as stage:
        function = stage.function()
        function.publish_version()
        function.put_provisioned_concurrency_config("1", 1)
        stage.sim.run()
        equal(provisioned_state(case, "get_provisioned_postwait"), function.get_provisioned_concurrency_config("1"))
        assert invoke(function, stage.inputs[0]).json() == "provisioned-concurrency"
        busy: list[Any] = []
        function.start_invoke(stage.inputs[2]["Payload"].encode(), busy.append, qualifier="1")
        stage.sim.run(for_="2s")
        assert invoke(function, stage.inputs[1]).json() == "on-demand"
        stage.sim.run()
        [first] = busy
        assert isinstance(first, InvokeResponse)
        assert first.json() == "provisioned-concurrency"


def test_provisioned_concurrency_that_can_not_start(tmp_path: Path) -> None:
    """FAILED with FUNCTION_ERROR_INIT_FAILURE after six attempts; the version then runs on demand."""
    case = load_case(FILE, "test_provisioned_concurrency_init_failure")
    with Stage(case, tmp_path) as stage:
        function = stage.function()
        function.put_provisioned_concurrency_config("1", 1)
        equal(provisioned_state(case, "get_provisioned_prewait"), function.get_provisioned_concurrency_config("1"))
        during = invoke(function, stage.inputs[0]).json()
        stage.sim.run()
        equal(provisioned_state(case, "get_provisioned_postwait"), function.get_provisioned_concurrency_config("1"))
        assert [during, invoke(function, stage.inputs[1]).json()] == ["on-demand", "on-demand"]
        starts = [line for line in lines(stage.sim, function) if line.startswith("INIT_START")]
        assert len(starts) == 6 + 1


def test_a_version_keeps_its_code(tmp_path: Path) -> None:
    """Version n runs the code that was there when it was published; $LATEST the newest."""
    case = load_case(FILE, "test_lambda_versions_with_code_changes")
    first, second = (each["params"]["ZipFile"]["$zip"]["handler.py"] for each in case["setup"]["function_update"])
    with Stage(case, tmp_path) as stage:
        function = stage.function()
        assert function.publish_version() == "1"
        function.update_function(stage.updated(function, first))
        assert function.publish_version() == "2"
        answers = [answer(invoke(function, params)) for params in stage.inputs[:3]]
        function.update_function(stage.updated(function, second))
        assert function.publish_version() == "3"
        answers += [answer(invoke(function, params)) for params in stage.inputs[3:]]
        equal(case["recorded"], dict(zip(case["recorded"], answers, strict=True)))


def test_queued_events_run_on_the_new_variant(tmp_path: Path) -> None:
    """The event that runs when the function is updated ends on the old variant; those that wait get the new one."""
    case = load_case(FILE, "test_async_invoke_queue_upon_function_update")
    history: list[str] = []

    def handler(event: Any, context: Any) -> None:
        time.sleep(event.get("sleep_seconds", 0))
        history.append(f"{event['request_prefix']}--{os.environ['FUNCTION_VARIANT']}")

    with Stage(case, tmp_path) as stage:
        function = stage.sim.function("function-1", handler=handler, environment={"FUNCTION_VARIANT": "variant-1"})
        function.update_function(msgspec.structs.replace(function.config, timeout=30))
        function.put_function_concurrency(1)
        function.invoke({"request_prefix": "01-sleep", "sleep_seconds": 22}, invocation_type="Event")
        stage.sim.run(for_="2s")
        for number in range(2, 11):
            function.invoke({"request_prefix": f"{number:02}-before"}, invocation_type="Event")
        stage.sim.run(for_="1s")
        function.update_function(
            msgspec.structs.replace(function.config, environment={"FUNCTION_VARIANT": "variant-2"})
        )
        for number in range(11, 16):
            function.invoke({"request_prefix": f"{number:02}-after"}, invocation_type="Event")
        stage.sim.run()
        equal(case["recorded"], {"async_invoke_history_sorted": sorted(history)})


def test_an_alias_moves_when_it_is_updated(tmp_path: Path) -> None:
    """Neither new code nor a new version moves an alias; it is in the ARN that the handler is told."""
    case = load_case(FILE, "test_lambda_alias_moving")
    code = case["setup"]["function_update"][0]["params"]["ZipFile"]["$zip"]["handler.py"]
    with Stage(case, tmp_path) as stage:
        function = stage.function()
        function.publish_version()
        function.create_alias("alias1", "1")
        inputs = json.loads(json.dumps(stage.inputs).replace("alias-1", "alias1"))
        answers = [answer(invoke(function, params)) for params in inputs[:2]]
        function.update_function(stage.updated(function, code))
        answers.append(answer(invoke(function, inputs[2])))
        assert function.publish_version() == "2"
        answers.append(answer(invoke(function, inputs[3])))
        function.update_alias("alias1", "2")
        answers.append(answer(invoke(function, inputs[4])))
        recorded = case["recorded"]["invocation_exc_not_existent"]
        answers.append(refusal(recorded, lambda: invoke(function, inputs[5])))
        equal(case["recorded"], dict(zip(case["recorded"], answers, strict=True)))


def test_a_weighted_alias_hits_both_versions(tmp_path: Path) -> None:
    """With a weight of 0.5 twenty calls hit both."""
    case = load_case(FILE, "test_alias_routingconfig")
    code = case["setup"]["function_update"][0]["params"]["ZipFile"]["$zip"]["handler.py"]
    weights = case["setup"]["alias"][0]["params"]["RoutingConfig"]["AdditionalVersionWeights"]
    with Stage(case, tmp_path) as stage:
        function = stage.function()
        function.update_function(stage.updated(function, code))
        assert function.publish_version() == "2"
        function.create_alias("alias-1", "1", weights)
        hit = [invoke(function, stage.inputs[0]).json() for _ in range(20)]
        assert {(each["version_from_ctx"], each["version_id"]) for each in hit} == {
            ("1", "version1"),
            ("2", "version2"),
        }


def test_an_environment_after_a_timeout(tmp_path: Path) -> None:
    """After a timeout the files in /tmp are still there, the globals of the module are new."""
    name = "test_lambda_invoke_timed_out_environment_reuse"
    case = load_case(FILE, name)
    with Stage(case, tmp_path) as stage:
        function = stage.function()
        again = [stage.inputs[1], stage.inputs[3]]  # the captured inputs stop at the timeout
        answers = [answer(invoke(function, params)) for params in (*stage.inputs, *again)]
        actual = dict(zip(case["recorded"], answers, strict=True))
        equal(case["recorded"], actual, known=CASES[case["name"]].known)


def test_the_request_id_in_context_and_log(tmp_path: Path) -> None:
    """START, the line that the handler logs, END and REPORT bear the request id that the handler is told."""
    case = load_case(FILE, "test_request_id_invoke")
    with Stage(case, tmp_path) as stage:
        function = stage.function()
        result = answer(invoke(function, stage.inputs[0]))
        logs = [line.rstrip() for line in lines(stage.sim, function) if "RequestId" in line]
        equal(shaped(case["recorded"]), {"invoke_result": result, "log_entries": {"logs": logs}})
        assert stage.sim.now < 30 * SECOND
