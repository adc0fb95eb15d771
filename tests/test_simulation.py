"""The handle: resources, time, rows, the end; and async user code in virtual time."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest

from simbus import Account, Simulation, StalledError, UsageError
from simbus.kernel import HOUR, MINUTE, SECOND
from simbus.logs.reader import open_run
from simbus.sources.s3.notifications import from_short_forms


def charge_handler(event: Any, context: Any) -> None:
    raise ValueError("no money")


def test_the_first_example() -> None:
    """The example of the documentation: a poison record reaches the dead-letter queue after three attempts."""
    with Simulation(seed=1) as sim:
        failed = sim.queue("failed")
        charge = sim.function("charge", handler=charge_handler, timeout=3, dead_letter_config=failed)
        orders = sim.topic("orders")
        orders.subscribe(charge)
        orders.publish('{"id": 1}')
        sim.run()
        assert [row.attempt for row in charge.invocations] == [1, 2, 3]
        assert len(failed.messages) == 1


# --- time -----------------------------------------------------------------------------------------------------------


def test_run_for_and_until(sim: Simulation) -> None:
    """`for_` counts from now, `until` from the start; the earlier of both wins; a calendar time is understood."""
    sim.run(for_="90s")
    assert sim.now == 90 * SECOND
    sim.run(until="2m")
    assert sim.now == 2 * MINUTE
    sim.run(for_="1h", until="3m")
    assert sim.now == 3 * MINUTE
    sim.run(until="2026-01-01T01:00:00Z")
    assert sim.now == HOUR
    sim.run(until=datetime(2026, 1, 1, 2, tzinfo=UTC))
    sim.run(for_=timedelta(hours=1))
    assert sim.calendar == datetime(2026, 1, 1, 3, tzinfo=UTC)


def test_time_never_runs_backwards(sim: Simulation) -> None:
    """A limit that has passed plays nothing."""
    sim.run(for_="1h")
    sim.run(until="1m")
    assert sim.now == HOUR


def test_start_is_what_the_calendar_says(tmp_path: Path) -> None:
    """Any time zone; without one it is UTC."""
    with Simulation(start="2024-02-29T12:00:00+02:00") as sim:
        assert sim.calendar == datetime(2024, 2, 29, 10, tzinfo=UTC)
    with Simulation(start=datetime(2024, 2, 29)) as sim:
        assert sim.calendar == datetime(2024, 2, 29, tzinfo=UTC)
    with pytest.raises(UsageError, match="start is 'soon'; write a time like"):
        Simulation(start="soon")


def test_at_calls_at_its_instant(sim: Simulation) -> None:
    """A duration since the start or a time; it holds the run open."""
    seen: list[int] = []
    sim.at("5m", lambda: seen.append(sim.now))
    sim.at("2026-01-01T00:01:00Z", lambda: seen.append(sim.now))
    sim.run()
    assert seen == [MINUTE, 5 * MINUTE]


def test_six_virtual_hours(sim: Simulation) -> None:
    """Six hours of throttled retries, every hop of them, run through; nothing waits for the wall clock."""
    queue = sim.queue("records")
    function = sim.function("f", reserved_concurrent_executions=1, timeout=900, simulate={"duration": "899s"},
                            event_invoke_config={"on_failure": queue})  # fmt: skip
    for n in range(60):
        function.invoke(n, invocation_type="Event")
    sim.run()
    assert sim.now >= 6 * HOUR
    assert len(function.invocations) + len(queue.messages) == 60


# --- async user code ------------------------------------------------------------------------------------------------


def test_async_code_waits_in_virtual_time(sim: Simulation) -> None:
    """anyio and asyncio sleeps, timeouts and task groups all live on the timeline."""
    seen: list[tuple[str, int]] = []

    async def say(what: str, delay: float) -> None:
        await anyio.sleep(delay)
        seen.append((what, sim.now // SECOND))

    async def main() -> str:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(say, "hour", 3600)
            tasks.start_soon(say, "minute", 60)
        with anyio.move_on_after(10):
            await anyio.sleep_forever()
        async with asyncio.timeout(100):
            await asyncio.sleep(1)
        return "done"

    assert sim.run_async(main()) == "done"
    assert seen == [("minute", 60), ("hour", 3600)]
    assert sim.now == 3611 * SECOND


def test_source_twins_inside_async_code(sim: Simulation) -> None:
    """`await topic.apublish(...)` and the rest; what they cause goes on while the code awaits."""
    queue, topic, bucket = sim.queue("q"), sim.topic("t"), sim.bucket("uploads")
    topic.subscribe(queue)

    async def main() -> list[str]:
        await topic.apublish("from a topic")
        await bucket.aput_object("key", "from a bucket")
        await queue.asend_message("from a queue", delay_seconds=5)
        texts = [(await bucket.aget_object("key"))["Body"].decode()]
        while len(texts) < 3:
            texts += [message.body for message in await queue.areceive_messages(10, wait_time_seconds=20)]
        return texts

    first, *others = sim.run_async(main())
    assert first == "from a bucket"
    assert '"Message" : "from a topic"' in others[0] or '"Message": "from a topic"' in others[0]
    assert others[1:] == ["from a queue"]
    assert 5 * SECOND <= sim.now < 6 * SECOND


def test_async_code_that_waits_for_nothing_is_named(sim: Simulation) -> None:
    """StalledError instead of a program that hangs."""

    async def main() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(StalledError):
        sim.run_async(main())


def test_an_async_handler_given_in_python_is_awaited(sim: Simulation) -> None:
    """Its sleeps take virtual time, as those of any handler."""

    async def handler(event: Any, context: Any) -> str:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(anyio.sleep, 1.0)
            tasks.start_soon(anyio.sleep, 2.0)
        return "slept"

    function = sim.function("f", handler=handler, simulate={"init_duration": "0s", "duration": "0s"})
    assert function.invoke({}).json() == "slept"
    assert function.invocations[0].duration_ms == 2000


# --- resources ------------------------------------------------------------------------------------------------------


def test_resources_by_name(sim: Simulation) -> None:
    """`service:name`, and all of a service in the order in which they were made."""
    one, two, topic = sim.queue("one"), sim.queue("two"), sim.topic("one")
    assert sim["sqs:one"] is one
    assert sim["sns:one"] is topic
    assert sim.resources("sqs") == [one, two]
    with pytest.raises(KeyError):
        sim["sqs:three"]
    with pytest.raises(UsageError, match="sqs:one exists already"):
        sim.queue("one")


def test_the_account(tmp_path: Path) -> None:
    """Id and Region are in every ARN."""
    with Simulation(account={"id": "123456789012", "region": "eu-west-1"}) as sim:
        assert sim.queue("q").arn == "arn:aws:sqs:eu-west-1:123456789012:q"
    with Simulation(account=Account(region="us-west-2")) as sim:
        assert sim.function("f").arn == "arn:aws:lambda:us-west-2:000000000000:function:f"


def test_notification_configuration() -> None:
    """The short form of a scenario becomes AWS's NotificationConfiguration."""
    given = [
        {"function": "f", "events": ["s3:ObjectCreated:*"], "filter": {"prefix": "img/", "suffix": None}, "id": "x"},
        {"queue": "sqs:q", "events": ["s3:ObjectRemoved:*"]},
    ]
    assert from_short_forms(given, lambda target: f"arn of {target}") == {
        "LambdaFunctionConfigurations": [
            {
                "LambdaFunctionArn": "arn of lambda:f",
                "Events": ["s3:ObjectCreated:*"],
                "Id": "x",
                "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "img/"}]}},
            }
        ],
        "QueueConfigurations": [{"QueueArn": "arn of sqs:q", "Events": ["s3:ObjectRemoved:*"]}],
    }
    with pytest.raises(UsageError, match="give it a function, a queue or a topic"):
        from_short_forms([{"events": []}], str)


# --- rows and end ---------------------------------------------------------------------------------------------------


def test_the_run_file(tmp_path: Path) -> None:
    """Facts, rows and the digest are in one SQLite file, complete when the simulation is closed."""
    path = tmp_path / "run.db"
    with Simulation(seed=7, db=path, scenario="mine", ties=3) as sim:
        sim.function("f").invoke({})
        sim.finish()
        digest = sim.digest()
    with open_run(path) as reader:
        facts = reader.run
        assert len(list(reader.invocations("f"))) == 1
    assert facts["seed"] == "7"
    assert (facts["scenario"], facts["ties"], facts["finished"]) == ("mine", 3, 1)
    assert facts["start"] == "2026-01-01T00:00:00.000Z"
    assert facts["digest"] == digest


def test_a_run_that_broke_is_not_finished(tmp_path: Path) -> None:
    """The file holds what was written, without a digest."""
    path = tmp_path / "run.db"
    with pytest.raises(RuntimeError, match="broken"), Simulation(db=path) as sim:
        sim.function("f").invoke({})
        raise RuntimeError("broken")
    with open_run(path) as reader:
        assert reader.run["finished"] == 0
        assert "digest" not in reader.run
        assert len(list(reader.invocations())) == 1


def test_closing_twice_and_finishing_first(tmp_path: Path) -> None:
    """Once is enough, more does no harm."""
    sim = Simulation(db=tmp_path / "run.db")
    function = sim.function("f", simulate={"error_rate": 1.0})
    function.invoke({}, invocation_type="Event")
    sim.run(for_="30s")
    sim.finish()
    digest = sim.digest()
    sim.finish()
    assert sim.digest() == digest
    sim.close()
    sim.close()
    with open_run(tmp_path / "run.db") as reader:
        [row] = reader.query("SELECT outcome, settled_at FROM deliveries")
    assert (row["outcome"], row["settled_at"]) == ("held", None), "its retry was still to come"


def test_nothing_is_left_in_the_process() -> None:
    """Threads, patched functions and the time of the machine are as before."""
    threads, real = set(threading.enumerate()), (time.time, time.sleep)
    with Simulation() as sim:
        sim.function("f", handler=lambda event, context: time.sleep(1)).invoke({})
        assert len(sim["lambda:f"].invocations) == 1
    assert (time.time, time.sleep) == real
    assert set(threading.enumerate()) <= threads, "those of an earlier test may end meanwhile"


def test_it_says_what_it_is(sim: Simulation) -> None:
    """The state is readable."""
    function = sim.function("f", reserved_concurrent_executions=3)
    function.invoke({}, invocation_type="Event")
    assert repr(sim) == "<Simulation seed=1 <Timeline now=0.000s pending=1 background=0>>"
    assert repr(function._function) == "<Function f running=0 reserved=3>"
    sim.run()
    assert repr(function._function.latest) == "<FunctionVersion f:$LATEST busy=0 idle=1>"


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda sim: sim.queue("jobs").send_message({"n": 1}), "send_message: message_body is dict; SQS takes text"),
        (lambda sim: sim.topic("news").publish({"n": 1}), "publish: message is dict; SNS takes text"),
        (lambda sim: sim.bucket("uploads").put_object("a", {"n": 1}), "put_object of 'a' has a body that is dict"),
        (
            lambda sim: sim.bucket("uploads", notifications=[{"function": "f", "events": "s3:ObjectCreated:*"}]),
            "events is a list of types",
        ),
        (lambda sim: sim.bucket("uploads", notifications=[{"function": "f"}]), "a notification has events None"),
    ],
)
def test_what_no_request_can_carry_is_refused_with_what_to_do(
    sim: Simulation, call: Callable[[Simulation], object], says: str
) -> None:
    """An SDK would not send it (ParamValidationError): simbus says what the source takes."""
    with pytest.raises(UsageError, match=re.escape(says)):
        call(sim)


def test_a_resource_that_is_not_there_is_told_from_those_that_are(sim: Simulation) -> None:
    """KeyError, as of a mapping, and not the name alone."""
    sim.queue("jobs")
    with pytest.raises(KeyError, match="sqs:job is not there; the simulation has events:default, sqs:jobs"):
        sim["sqs:job"]


@pytest.mark.parametrize(
    ("call", "found"),
    [
        (lambda sim: sim.at("-3s", print), "when is '-3s'; a duration is a number with a unit"),
        (lambda sim: sim.at("2026-13-01", print), "when is '2026-13-01'; write a time like"),
        (lambda sim: sim.run(for_="soon"), "for_ is 'soon'; a duration is"),
        (lambda sim: sim.run(until=5), "until is 5; a duration is"),
    ],
)
def test_a_time_that_is_none_is_refused_by_its_name(call: Callable[[Simulation], object], found: str) -> None:
    """The sentence has a subject: what it is that is wrong."""
    with Simulation() as sim, pytest.raises(UsageError) as refused:
        call(sim)
    assert str(refused.value).startswith(found)
