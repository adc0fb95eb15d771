"""botocore's read timeout: who has waited long enough hangs up and asks again, and AWS does not know.

Sources: botocore's Config (`read_timeout`, 60 s by default), its retry rules for ReadTimeoutError, and
https://repost.aws/knowledge-center/lambda-function-retry-timeout-sdk.
"""

from __future__ import annotations

import time
from typing import Any

import pytest

from simbus import Simulation

boto3 = pytest.importorskip("boto3", reason="needs the extra boto3")
Config = pytest.importorskip("botocore.config").Config
ReadTimeoutError = pytest.importorskip("botocore.exceptions").ReadTimeoutError

SECOND = 1_000_000_000
ONCE = {"max_attempts": 0}


def hops(sim: Simulation) -> list[Any]:
    """Place and detail of the rows that tell of a caller who has hung up."""
    with sim.reader() as rows:
        return [tuple(row) for row in rows.query("SELECT place, detail FROM hops WHERE kind = 'read_timeout'")]


def slow(event: Any, context: Any) -> str:
    time.sleep(90)
    return "done"


def calls(**config: Any) -> Any:
    """A handler that invokes `slow`, and says how long it took until what."""

    def handler(event: Any, context: Any) -> list[Any]:
        client = boto3.client("lambda", config=Config(**config))
        began = time.time()
        try:
            answer = client.invoke(FunctionName="slow")["StatusCode"]
        except ReadTimeoutError as error:
            answer = str(error)
        return [answer, round(time.time() - began, 3)]

    return handler


def test_a_handler_hangs_up_after_sixty_seconds_and_the_function_goes_on() -> None:
    """The default of 60 s, in virtual time; the function ends 30 s later, is billed whole, and a hop says it."""
    with Simulation() as sim:
        work = sim.function("slow", handler=slow, timeout=100)
        ask = sim.function("ask", handler=calls(retries=ONCE), timeout=900)
        url = "https://lambda.us-east-1.amazonaws.com/2015-03-31/functions/slow/invocations"
        assert ask.invoke().json() == [f'Read timeout on endpoint URL: "{url}"', 60]
        assert not work.invocations
        sim.run()
        [row] = work.invocations
        assert (row.status, row.response, row.billed_duration_ms > 90_000) == ("ok", '"done"', True)
        detail = f"the caller waits no longer for the answer; {row.request_id} goes on"
        assert hops(sim) == [("lambda:slow", detail)]


@pytest.mark.parametrize(
    ("retries", "runs"),
    [
        ({"mode": "legacy"}, 5),
        ({"mode": "standard"}, 3),
        ({"mode": "adaptive"}, 3),
        (ONCE, 1),
        ({"total_max_attempts": 2}, 2),
    ],
)
def test_the_sdk_asks_again_and_the_function_runs_again(retries: dict[str, Any], runs: int) -> None:
    """Every retry mode takes a read timeout for transient: the duplicate that idempotency is for."""
    with Simulation() as sim:
        work = sim.function("slow", handler=slow, timeout=100)
        ask = sim.function("ask", handler=calls(retries=retries, read_timeout=5), timeout=900)
        answer, took = ask.invoke().json()
        assert answer.startswith("Read timeout on endpoint URL")
        assert 5 * runs <= took < 5 * runs + 60
        sim.run()
        assert [row.status for row in work.invocations] == ["ok"] * runs
        assert sum(point.value for point in work.metric("Invocations")) == runs


def test_an_answer_that_comes_in_time_is_not_cut_off() -> None:
    """A longer read timeout, as AWS advises, and none at all."""
    for timeout in (120, None):
        with Simulation() as sim:
            work = sim.function("slow", handler=slow, timeout=100)
            ask = sim.function("ask", handler=calls(read_timeout=timeout), timeout=900)
            assert ask.invoke().json()[0] == 200
            sim.run()
            assert len(work.invocations) == 1


def test_a_test_hangs_up_too() -> None:
    """Outside of handlers the timeline plays for as long as the client waits."""
    with Simulation() as sim:
        work = sim.function("slow", handler=slow, timeout=100)
        with pytest.raises(ReadTimeoutError):
            sim.client("lambda", config=Config(retries=ONCE)).invoke(FunctionName="slow")
        assert sim.now == 60 * SECOND
        sim.run()
        assert len(work.invocations) == 1


def test_a_long_poll_that_is_hung_up_takes_the_message_in_vain() -> None:
    """SQS, ReceiveMessage: a read timeout shorter than WaitTimeSeconds loses the answer, not the message."""
    with Simulation() as sim:
        queue = sim.queue("jobs", visibility_timeout=30)
        client = sim.client("sqs", config=Config(read_timeout=5, retries=ONCE))
        sim.at("10s", lambda: queue.send_message("hi"))
        with pytest.raises(ReadTimeoutError):
            client.receive_message(QueueUrl=queue.url, WaitTimeSeconds=20)
        assert sim.now == 5 * SECOND
        sim.run(for_="6s")
        assert client.receive_message(QueueUrl=queue.url).get("Messages") is None
        sim.run(for_="30s")
        [message] = client.receive_message(QueueUrl=queue.url, AttributeNames=["All"])["Messages"]
        assert message["Attributes"]["ApproximateReceiveCount"] == "2"


def test_a_request_that_travels_too_long_arrives_all_the_same() -> None:
    """The caller has its error after 1 s; the message is in the queue after 3, with the caller's name on it."""

    def handler(event: Any, context: Any) -> float:
        client = boto3.client("sqs", config=Config(read_timeout=1, retries=ONCE))
        began = time.time()
        with pytest.raises(ReadTimeoutError):
            client.send_message(QueueUrl=event["url"], MessageBody="hi")
        return round(time.time() - began, 3)

    with Simulation() as sim:
        queue = sim.queue("jobs")
        sender = sim.function("send", handler=handler, timeout=9, simulate={"aws_latency": {"sqs": "3s"}})
        assert sender.invoke({"url": queue.url}).json() == 1
        assert not queue.messages
        sim.run()
        [message] = queue.messages
        assert message.body == "hi"
        [received] = queue.receive_messages()
        assert received.attributes["SenderId"].endswith(":send")
        detail = "a request arrives, whose caller send waits no longer for the answer"
        assert hops(sim) == [("sqs", detail)]


def test_two_threads_of_a_handler_wait_each_for_its_own_answer() -> None:
    """The read timeout is the client's, not the environment's."""
    from concurrent.futures import ThreadPoolExecutor

    def ask(timeout: int) -> str:
        client = boto3.client("lambda", config=Config(read_timeout=timeout, retries=ONCE))
        try:
            return str(client.invoke(FunctionName="slow")["Payload"].read().decode())
        except ReadTimeoutError:
            return f"hung up at {time.time() % 3600:.0f}"

    def handler(event: Any, context: Any) -> list[str]:
        with ThreadPoolExecutor(3) as pool:
            return list(pool.map(ask, (10, 100, 20)))

    with Simulation() as sim:
        sim.function("slow", handler=slow, timeout=100, simulate={"init_duration": "0s"})
        ask_all = sim.function("ask", handler=handler, timeout=900, simulate={"init_duration": "0s"})
        assert ask_all.invoke().json() == ["hung up at 10", '"done"', "hung up at 20"]
