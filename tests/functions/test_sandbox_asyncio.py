"""asyncio inside a handler lives in virtual time, on an inner loop of the environment."""

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

import anyio
import pytest
from sandboxes import Lab, laboratory

from simbus.errors import SpinError
from simbus.kernel import SECOND


def test_asyncio_run_in_a_sync_handler(lab: Lab) -> None:
    """asyncio.run, gather, wait_for and timeout in a plain handler let virtual time pass."""

    async def work(seconds: float) -> float:
        await asyncio.sleep(seconds)
        return time.time() - 1_767_225_600

    async def main() -> list[Any]:
        both = await asyncio.gather(work(1), work(2))
        try:
            await asyncio.wait_for(work(60), 0.5)
        except TimeoutError:
            both.append(asyncio.get_running_loop().time())
        return both

    def handler(event: Any, context: Any) -> Any:
        return asyncio.run(main())

    assert lab.result(lab.sandbox(handler)) == [1.0, 2.0, 2.5]


def test_old_ways_to_a_loop(lab: Lab) -> None:
    """new_event_loop, run_until_complete and get_event_loop work as well, and the loop is the environment's own."""

    def handler(event: Any, context: Any) -> Any:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        assert asyncio.get_event_loop_policy().get_event_loop() is loop
        loop.run_until_complete(asyncio.sleep(1))
        loop.close()
        return time.monotonic()

    assert lab.result(lab.sandbox(handler)) == 1.0


def test_anyio_in_a_handler(lab: Lab) -> None:
    """anyio.run, task groups and fail_after live in virtual time."""

    async def main() -> float:
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep, 3)
            group.start_soon(anyio.sleep, 1)
        with anyio.move_on_after(0.5):
            await anyio.sleep_forever()
        return anyio.current_time()

    assert lab.result(lab.sandbox(lambda event, context: anyio.run(main)), timeout=9) == 3.5


def test_concurrent_handlers_with_loops(lab: Lab) -> None:
    """Two environments, each in its own asyncio.run, interleave, inside an outer loop that runs meanwhile."""
    order: list[str] = []

    async def main(name: str) -> None:
        for _ in range(2):
            await asyncio.sleep(1)
            order.append(f"{name}{time.monotonic():g}{asyncio.current_task() is not None}")

    def handler(event: Any, context: Any) -> None:
        asyncio.run(main(event))

    async def outer() -> None:
        task = asyncio.current_task()
        first, second = lab.sandbox(handler), lab.sandbox(handler)
        outcomes = lab.begin(first, "a") + lab.begin(second, "b")
        assert outcomes == []
        assert asyncio.current_task() is task
        lab.timeline.run()
        assert asyncio.current_task() is task

    asyncio.run(outer())
    assert order == ["a1True", "b1True", "a2True", "b2True"]


def test_timers_of_one_instant_are_first_in_first_out(lab: Lab) -> None:
    """Plain asyncio wakes equal deadlines in heap order; here they wake in the order in which they were set."""

    async def main() -> list[int]:
        woken: list[int] = []
        loop = asyncio.get_running_loop()
        for n in range(9):
            loop.call_later(1, woken.append, n)
        await asyncio.sleep(1.5)
        return woken

    assert lab.result(lab.sandbox(lambda e, c: asyncio.run(main()))) == list(range(9))


def test_cancelled_groups_unwind_in_the_same_order(tmp_path: Path) -> None:
    """A cancelled anyio task group goes through a set of tasks: their hash is a number, not an address."""

    async def sleeper(n: int, order: list[int]) -> None:
        try:
            await anyio.sleep(99)
        finally:
            order.append(n)

    async def main() -> list[int]:
        order: list[int] = []
        async with anyio.create_task_group() as group:
            for n in range(12):
                group.start_soon(sleeper, n, order)
            await anyio.sleep(1)
            group.cancel_scope.cancel()
        return order

    orders = []
    for _ in range(3):
        with laboratory(tmp_path) as lab:
            orders.append(lab.result(lab.sandbox(lambda e, c: anyio.run(main))))
            keep = [object() for _ in range(1000)]  # other addresses for the next round
    assert orders[0] == orders[1] == orders[2]
    assert sorted(orders[0]) == list(range(12))
    assert keep


def test_async_handler_from_code(lab: Lab) -> None:
    """The managed runtime does not await: a coroutine is not JSON serializable (awslambdaric, marshal_response)."""
    source = "async def handler(event, context):\n    return 1\n"
    outcome = lab.call(lab.app(source))
    message = "Unable to marshal response: Object of type coroutine is not JSON serializable"
    assert (outcome.status, outcome.error_type, outcome.error_message) == ("error", "Runtime.MarshalError", message)
    assert lab.result(lab.app(source, await_handler=True)) == 1


def test_async_callable_is_awaited(lab: Lab) -> None:
    """An async def given in Python is awaited; its errors show its own lines only."""

    async def handler(event: Any, context: Any) -> Any:
        await asyncio.sleep(1)
        if event:
            raise ValueError(event)
        return time.monotonic()

    sandbox = lab.sandbox(handler)
    assert lab.result(sandbox) == 1.0
    outcome = lab.call(sandbox, "bad")
    assert outcome.error_message == "bad"
    assert outcome.payload.count('File \\"') == 1
    assert "test_sandbox_asyncio.py" in outcome.payload
    assert lab.result(sandbox) == 3.0


def test_timeout_inside_a_loop(lab: Lab) -> None:
    """At the deadline tasks are closed without effect: neither `finally` nor `except` of a task does anything."""
    sent: list[str] = []

    async def task() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            lab.timeline.actor and lab.timeline.actor.pause(0)
            sent.append("task")

    async def main() -> None:
        background = asyncio.create_task(task())
        try:
            await asyncio.sleep(30)
        except BaseException:
            time.sleep(0)
            sent.append("main")
        await background

    outcome = lab.call(lab.sandbox(lambda e, c: asyncio.run(main())))
    assert (outcome.status, sent) == ("timeout", [])
    assert lab.timeline.now == 3 * SECOND


def test_waiting_for_ever_ends_at_the_deadline(lab: Lab) -> None:
    """A future that nobody sets is a timeout."""

    async def main() -> None:
        await asyncio.get_running_loop().create_future()

    assert lab.call(lab.sandbox(lambda e, c: asyncio.run(main()))).status == "timeout"


def test_asynchronous_generators_are_closed(lab: Lab) -> None:
    """asyncio's hooks for asynchronous generators are each environment's own, also across a park."""

    async def numbers() -> Any:
        try:
            while True:
                await asyncio.sleep(0.1)
                yield 1
        finally:
            closed.append(time.monotonic())

    async def main() -> None:
        generators.append(numbers())
        await anext(generators[0])

    closed: list[float] = []
    generators: list[Any] = []
    lab.call(lab.sandbox(lambda e, c: asyncio.run(main())))
    assert closed == [0.1]
    assert sys.get_asyncgen_hooks() == (None, None)


@pytest.mark.parametrize("how", ["open_connection", "subprocess", "getaddrinfo"])
def test_real_world_is_refused(lab: Lab, how: str) -> None:
    """Sockets and subprocesses of asyncio are refused by name."""

    async def main() -> Any:
        if how == "open_connection":
            return await asyncio.open_connection("example.com", 443)
        if how == "getaddrinfo":
            return await asyncio.get_running_loop().getaddrinfo("example.com", 443)
        return await asyncio.create_subprocess_exec("ls")

    outcome = lab.call(lab.sandbox(lambda e, c: asyncio.run(main())))
    said = {"subprocess": "a subprocess (ls)"}.get(how, "example.com:443")
    assert outcome.error_type == "SandboxRefusal"
    assert said in (outcome.error_message or "")
    assert "test_sandbox_asyncio.py" in (outcome.error_message or "")


def test_a_spinning_loop_is_named(lab: Lab) -> None:
    """A task that never lets time pass ends the run with SpinError, naming function and request."""

    async def main() -> None:
        while True:
            await asyncio.sleep(0)

    sandbox = lab.sandbox(lambda e, c: asyncio.run(main()))
    with pytest.raises(SpinError, match="function resize, request 8f507cfc"):
        lab.begin(sandbox)
