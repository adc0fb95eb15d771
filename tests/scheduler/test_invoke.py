"""Invoke: its three types, its answers, its errors."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import anyio
import pytest

from simbus import AwsError, Simulation
from simbus.kernel import SECOND

ARN = "arn:aws:lambda:us-east-1:000000000000:function:f"


def echo(event: Any, context: Any) -> Any:
    return event


def test_request_response_waits_for_the_answer(sim: Simulation) -> None:
    """200 with the payload, the executed version and the request id (recorded: test_request_id_invoke)."""
    function = sim.function("f", handler=lambda event, context: context.aws_request_id, simulate={"duration": "1s"})
    response = function.invoke({})
    assert (response.status_code, response.executed_version, response.function_error) == (200, "$LATEST", None)
    assert response.json() == response.request_id == function.invocations[0].request_id
    assert sim.now >= 1 * SECOND


def test_event_returns_at_once(sim: Simulation) -> None:
    """202, an empty body, no executed version (recorded: test_invocation_type_event)."""
    function = sim.function("f", handler=echo)
    response = function.invoke({"a": 1}, invocation_type="Event")
    assert (response.status_code, response.payload, response.executed_version) == (202, "", None)
    assert response.json() is None
    assert (sim.now, function.invocations) == (0, [])
    sim.run()
    [row] = function.invocations
    assert (row.request_id, row.invocation_type, row.payload) == (response.request_id, "Event", '{"a": 1}')


def test_dry_run_only_checks(sim: Simulation) -> None:
    """204, nothing runs (recorded: test_invocation_type_dry_run)."""
    function = sim.function("f", handler=echo)
    assert function.invoke({}, invocation_type="DryRun")[:2] == (204, "")
    sim.run()
    assert function.invocations == []


def test_a_bad_type_is_refused(sim: Simulation) -> None:
    """botocore InvocationType."""
    with pytest.raises(AwsError, match="Member must satisfy enum value set"):
        sim.function("f").invoke({}, invocation_type="Later")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("payload", "text"), [(None, "{}"), ({"a": "é"}, '{"a": "\\u00e9"}'), (b"[1, 2]", "[1, 2]"), (b"", "{}"), (0, "0")]
)
def test_payloads(sim: Simulation, payload: Any, text: str) -> None:
    """A missing payload is `{}` (recorded: test_recreate_function); bytes are JSON text already."""
    function = sim.function("f", handler=echo)
    assert function.invoke(payload).json() == json.loads(text)
    assert function.invocations[0].payload == text


def test_no_return_value_is_null(sim: Simulation) -> None:
    """Recorded: test_invocation_type_no_return_payload."""
    assert sim.function("f", handler=lambda event, context: None).invoke({}).payload == "null"


@pytest.mark.parametrize("payload", [b"{", b"nope", b"\x99\xeb", b'{"a": }'])
def test_payloads_that_are_no_json(sim: Simulation, payload: bytes) -> None:
    """400 in the words of AWS's parser (recorded: test_lambda_invoke_payload_encoding_error)."""
    function = sim.function("f", handler=echo)
    with pytest.raises(AwsError) as caught:
        function.invoke(payload)
    assert (caught.value.code, caught.value.status) == ("InvalidRequestContentException", 400)
    assert caught.value.message.startswith(
        "Could not parse request body into json: Could not parse payload into json: Un"
    )
    assert function.invocations == []


@pytest.mark.parametrize(("kind", "limit"), [("RequestResponse", 6_291_456), ("Event", 1_048_576)])
def test_the_largest_payload(sim: Simulation, kind: Any, limit: int) -> None:
    """6 MB synchronous, 1 MB asynchronous (Lambda quotas, since late 2025); one byte more is 413."""
    function = sim.function("f", handler=lambda event, context: len(event))
    assert function.invoke("x" * (limit - 2), invocation_type=kind).status_code in (200, 202)
    with pytest.raises(AwsError) as caught:
        function.invoke("x" * (limit - 1), invocation_type=kind)
    assert (caught.value.code, caught.value.status) == ("RequestEntityTooLargeException", 413)
    assert caught.value.message == (f"Request must be smaller than {limit} bytes for the InvokeFunction operation")


def test_payload_size_is_counted_in_bytes(sim: Simulation) -> None:
    """Two bytes a letter in UTF-8."""
    function = sim.function("f")
    text = json.dumps("é" * 524_287, ensure_ascii=False).encode()
    assert function.invoke(text, invocation_type="Event").status_code == 202
    with pytest.raises(AwsError, match="1048576 bytes"):
        function.invoke(json.dumps("é" * 524_288, ensure_ascii=False).encode(), invocation_type="Event")


def test_log_type_tail_has_the_last_4_kb(sim: Simulation) -> None:
    """START, the function's lines, END, REPORT, no INIT_START (recorded: test_invocation_with_logs)."""

    def handler(event: Any, context: Any) -> None:
        for n in range(event):
            print(f"line {n}")

    function = sim.function("f", handler=handler, simulate={"init_duration": "100ms", "duration": "1ms"})
    response = function.invoke(1, log_type="Tail")
    assert response.log_result == (
        f"START RequestId: {response.request_id} Version: $LATEST\nline 0\nEND RequestId: {response.request_id}\n"
        f"REPORT RequestId: {response.request_id}\tDuration: 1.00 ms\tBilled Duration: 101 ms\tMemory Size: 128 MB\t"
        "Max Memory Used: 38 MB\tInit Duration: 100.00 ms\t\n"
    )
    assert function.invoke(1).log_result is None
    long = function.invoke(1000, log_type="Tail").log_result
    assert long is not None
    assert len(long.encode()) == 4096
    assert "line 0\n" not in long
    assert "\nREPORT" in long


def test_client_context_reaches_the_handler(sim: Simulation) -> None:
    """`custom`, `env` and `client` of the caller, what is missing is None (runtime interface client). Invoke takes
    it as base64 of JSON (botocore InvocationRequest.ClientContext); the JSON itself will do."""

    def handler(event: Any, context: Any) -> Any:
        given = context.client_context
        return [given.custom, given.env, given.client and given.client.app_title]

    function = sim.function("f", handler=handler)
    given = json.dumps({"custom": {"a": 1}, "client": {"app_title": "shop"}})
    for text in (given, base64.b64encode(given.encode()).decode()):
        assert function.invoke({}, client_context=text).json() == [{"a": 1}, None, "shop"]


def test_a_function_error_is_200_unhandled(sim: Simulation) -> None:
    """FunctionError Unhandled with message, type, request id and trace (recorded: test_lambda_handler_error)."""

    def handler(event: Any, context: Any) -> None:
        raise LookupError("Handler fails")

    response = sim.function("f", handler=handler).invoke({})
    assert (response.status_code, response.function_error) == (200, "Unhandled")
    payload = response.json()
    assert list(payload) == ["errorMessage", "errorType", "requestId", "stackTrace"]
    assert payload["errorMessage"] == "Handler fails"
    assert payload["errorType"] == "LookupError"
    assert payload["requestId"] == response.request_id
    assert len(payload["stackTrace"]) == 1
    assert payload["stackTrace"][0].endswith('in handler\n    raise LookupError("Handler fails")\n')


def test_a_handler_invokes_another_function(sim: Simulation) -> None:
    """The caller parks until the answer is there; both run at once, cause and effect are joined in the rows."""
    inner = sim.function("inner", handler=lambda event, context: event + 1, simulate={"duration": "2s"}, timeout=9)
    outer = sim.function("outer", handler=lambda event, context: inner.invoke(event).json(), timeout=9)
    response = outer.invoke(41)
    assert response.json() == 42
    assert outer.invocations[0].duration_ms > 2000
    with sim.reader() as reader:
        [row] = reader.query("SELECT parent FROM events WHERE source = 'lambda:inner'")
    assert row["parent"] == response.request_id


def test_a_throttled_caller_gets_429_and_may_catch_it(sim: Simulation) -> None:
    """TooManyRequestsException is an error of the call, not of the function (recorded: test_reserved_concurrency)."""
    inner = sim.function("inner", reserved_concurrent_executions=0)

    def handler(event: Any, context: Any) -> str:
        try:
            inner.invoke({})
        except AwsError as error:
            return f"{error.code} {error.status}"
        return "not throttled"

    assert sim.function("outer", handler=handler).invoke({}).json() == "TooManyRequestsException 429"


def test_a_call_in_flight_when_the_caller_times_out_goes_on(sim: Simulation) -> None:
    """The called function does not know that nobody waits any more."""
    inner = sim.function("inner", handler=lambda event, context: time.sleep(5) or "late", timeout=9)
    outer = sim.function("outer", handler=lambda event, context: inner.invoke({}).json(), timeout=1)
    assert outer.invoke({}).json()["errorType"] == "Sandbox.Timedout"
    sim.run()
    assert [row.status for row in inner.invocations] == ["ok"]


def test_what_a_synchronous_call_came_to_is_a_row(sim: Simulation) -> None:
    """ok, error or throttled; none of them is lost, it is the caller's business."""

    def handler(event: Any, context: Any) -> None:
        if event:
            raise ValueError("no")

    function = sim.function("f", handler=handler)
    function.invoke(0), function.invoke(1)
    function.put_function_concurrency(0)
    with pytest.raises(AwsError):
        function.invoke(0)
    with sim.reader() as reader:
        rows = [(row["subscription"], row["outcome"]) for row in reader.query("SELECT * FROM deliveries")]
    assert rows == [("lambda:f", "ok"), ("lambda:f", "error"), ("lambda:f", "throttled")]


def test_start_invoke_tells_a_bad_payload_to_its_callback(sim: Simulation) -> None:
    """Whoever does not wait is told, too."""
    seen: list[Any] = []
    sim.function("f").start_invoke(b"{", seen.append)
    assert [error.code for error in seen] == ["InvalidRequestContentException"]


def test_the_async_twin(sim: Simulation) -> None:
    """`await function.ainvoke(...)` inside async code."""
    function = sim.function("f", handler=echo, simulate={"duration": "2s"}, timeout=9)

    async def main() -> Any:
        response = await function.ainvoke({"a": 1})
        return response.json()

    assert sim.run_async(main()) == {"a": 1}


def test_bytes_go_through(sim: Simulation) -> None:
    """Base64 in JSON is what people send; the event is untouched."""
    text = base64.b64encode(bytes(range(256))).decode()
    assert sim.function("f", handler=echo).invoke({"data": text}).json() == {"data": text}


def test_the_async_twin_lets_other_tasks_go_on(sim: Simulation) -> None:
    """Two invocations of 2 s that are awaited together take 2 s, and a sleep of 1 s ends after 1 s."""
    function = sim.function("f", simulate={"init_duration": "0s", "duration": "2s"}, timeout=9)
    seen: list[tuple[str, int]] = []

    async def call() -> None:
        response = await function.ainvoke({}, log_type="Tail")
        assert response.log_result is not None
        seen.append(("answer", sim.now // SECOND))

    async def tick() -> None:
        await anyio.sleep(1)
        seen.append(("tick", sim.now // SECOND))

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            for task in (call, call, tick):
                tasks.start_soon(task)

    sim.run_async(main())
    assert seen == [("tick", 1), ("answer", 2), ("answer", 2)]


def test_the_async_twin_raises_what_aws_answers(sim: Simulation) -> None:
    """A throttle reaches the awaiting task as TooManyRequestsException; the other types answer at once."""
    function = sim.function("f", reserved_concurrent_executions=0)

    async def main() -> None:
        with pytest.raises(AwsError, match="TooManyRequestsException"):
            await function.ainvoke({})
        assert (await function.ainvoke({}, invocation_type="Event")).status_code == 202
        assert (await function.ainvoke({}, invocation_type="DryRun")).status_code == 204

    sim.run_async(main())


def test_a_caller_that_gives_up_waiting_leaves_the_invocation_running(sim: Simulation) -> None:
    """A cancelled await ends the waiting, not the function."""
    function = sim.function("f", simulate={"init_duration": "0s", "duration": "2s"}, timeout=9)

    async def main() -> None:
        with anyio.move_on_after(1):
            await function.ainvoke({})
        assert sim.now == SECOND
        await anyio.sleep(5)

    sim.run_async(main())
    assert [row.status for row in function.invocations] == ["ok"]


def test_a_function_out_of_service(sim: Simulation) -> None:
    """While Lambda itself is down every way of invoking answers 503."""
    function = sim.function("f")
    function.outage(SECOND)
    seen: list[Any] = []
    function.start_invoke({}, seen.append)
    with pytest.raises(AwsError) as caught:
        function.invoke({})
    assert (seen[0].status, caught.value.status) == (503, 503)
    sim.run(for_="1s")
    assert function.invoke({}).status_code == 200
