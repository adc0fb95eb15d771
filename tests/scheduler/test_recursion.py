"""Recursive loop detection: a chain of requests in which a function would run for the 17th time is stopped there.

Source of the facts: Developer Guide, "Use Lambda recursive loop detection to prevent infinite loops".
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from simbus import AwsError, Simulation
from simbus.scheduler.recursion import LONGEST_CHAIN

QUICK = {"init_duration": "0s", "duration": "1ms"}


def loop_over_s3(sim: Simulation, **settings: Any) -> Any:
    """A function that writes to the bucket that triggers it."""

    def handler(event: Any, context: Any) -> None:
        key = event["Records"][0]["s3"]["object"]["key"]
        bucket.put_object(f"{key}x")

    function = sim.function("f", handler=handler, simulate=QUICK, **settings)
    bucket = sim.bucket("uploads", notifications=[{"function": function, "events": ["s3:ObjectCreated:*"]}])
    bucket.put_object("x")
    return function


def test_a_function_that_triggers_itself_over_s3_is_stopped_after_16(sim: Simulation) -> None:
    """The 17th event goes to the dead-letter queue and to the OnFailure destination."""
    dead, records = sim.queue("dead"), sim.queue("records")
    function = loop_over_s3(sim, dead_letter_config=dead, event_invoke_config={"on_failure": records})
    sim.run()
    assert len(function.invocations) == LONGEST_CHAIN == 16
    [message] = dead.messages
    assert json.loads(message.body)["Records"][0]["s3"]["object"]["key"] == "x" * 17
    record = json.loads(records.messages[0].body)
    assert record["requestContext"]["approximateInvokeCount"] == 0
    assert record["requestPayload"] == json.loads(message.body)
    with sim.reader() as reader:
        outcomes = [row["outcome"] for row in reader.query("SELECT outcome FROM deliveries ORDER BY rowid")]
    assert sorted(outcomes) == ["dead_letter"] + ["ok"] * 16


def test_without_a_place_to_go_the_event_is_dropped(sim: Simulation) -> None:
    """Lambda deletes it; that is a loss, and the rows say so."""
    loop_over_s3(sim)
    sim.run()
    with sim.reader() as reader:
        assert [row["outcome"] for row in reader.query("SELECT outcome FROM deliveries WHERE outcome != 'ok'")] == [
            "dropped"
        ]


def test_allow_goes_on(sim: Simulation) -> None:
    """RecursiveLoop Allow switches the detection off for the function."""
    function = loop_over_s3(sim, recursive_loop="Allow")
    sim.run(until="6s")
    assert len(function.invocations) > 90


def test_a_loop_over_a_topic_and_two_functions_is_stopped(sim: Simulation) -> None:
    """The chain is followed through SNS, and each function is counted by itself."""
    dead = sim.queue("dead")
    one = sim.function("one", handler=lambda event, context: ping.publish("x"), dead_letter_config=dead)
    two = sim.function("two", handler=lambda event, context: pong.publish("x"))
    ping, pong = sim.topic("ping"), sim.topic("pong")
    ping.subscribe(two), pong.subscribe(one)
    pong.publish("start")
    sim.run()
    assert (len(one.invocations), len(two.invocations), len(dead.messages)) == (16, 16, 1)


def test_many_events_that_are_no_chain_are_not_stopped(sim: Simulation) -> None:
    """Only the requests of one chain count."""
    function = sim.function("f", simulate=QUICK)
    for _ in range(40):
        function.invoke({}, invocation_type="Event")
    sim.run()
    assert len(function.invocations) == 40


def test_a_synchronous_caller_is_told(sim: Simulation) -> None:
    """RecursiveInvocationException, 400 (botocore); the caller is the function itself, and fails with it."""
    seen: list[str] = []

    def handler(event: Any, context: Any) -> int:
        try:
            return 1 + int(function.invoke(event).json())
        except AwsError as error:
            seen.append(f"{error.code} {error.status}")
            return 1

    function = sim.function("f", handler=handler, timeout=60, simulate=QUICK)
    assert function.invoke({}).json() == 16
    assert seen == ["RecursiveInvocationException 400"]
    with sim.reader() as reader:
        rows = list(reader.query("SELECT outcome FROM deliveries WHERE outcome != 'ok'"))
    assert [row["outcome"] for row in rows] == ["error"], "the caller was told, nothing is lost"


def test_start_invoke_tells_its_callback(sim: Simulation) -> None:
    """Whoever does not wait is told, too."""
    seen: list[Any] = []

    def handler(event: Any, context: Any) -> None:
        function.start_invoke({}, seen.append)

    function = sim.function("f", handler=handler, simulate=QUICK)
    function.invoke({})
    sim.run()
    assert [getattr(answer, "code", "ok") for answer in seen].count("RecursiveInvocationException") == 1
    assert len(function.invocations) == 16


@pytest.mark.parametrize("retries", [0, 2])
def test_retries_do_not_count(sim: Simulation, retries: int) -> None:
    """An attempt more is not an invocation more of the chain."""
    seen: list[str] = []

    def handler(event: Any, context: Any) -> None:
        key = event["Records"][0]["s3"]["object"]["key"]
        if seen.count(key) < retries:
            seen.append(key)
            raise ValueError("again")
        bucket.put_object(f"{key}x")

    function = sim.function("f", handler=handler, simulate=QUICK)
    bucket = sim.bucket("uploads", notifications=[{"function": function, "events": ["s3:ObjectCreated:*"]}])
    bucket.put_object("x")
    sim.run()
    assert len(function.invocations) == 16 * (retries + 1)
