"""The event loop on a timeline: everything that asyncio and anyio can wait for, in virtual time."""

from __future__ import annotations

import asyncio
import math
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import anyio
import anyio.from_thread
import anyio.to_thread
import pytest

from simbus.errors import SpinError, StalledError, UsageError
from simbus.kernel.loop import TimelineLoop, WallClock, play, run
from simbus.kernel.timeline import HOUR, MILLISECOND, MINUTE, SECOND, Timeline


class FakeWall(WallClock):
    """A wall clock that moves only when somebody waits, at once and without waiting."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.waits: list[float] = []

    def now(self) -> float:
        return self.time

    def wait(self, how: Callable[[float | None], Any], seconds: float | None) -> Any:
        if seconds is None:
            return how(None)
        heard = how(0)
        if not heard and seconds:
            self.waits.append(seconds)
            self.time += seconds
        return heard


def play_main(main: Callable[[], Coroutine[Any, Any, Any]], timeline: Timeline | None = None) -> Any:
    return run(timeline or Timeline(), main())


def now() -> float:
    return asyncio.get_running_loop().time()


# --- what asyncio and anyio can wait for ------------------------------------------------------------------------------


def test_sleepers_wake_in_the_order_of_their_deadlines() -> None:
    """anyio.sleep passes virtual time, and nothing else does."""
    woken = []

    async def sleeper(delay: float) -> None:
        await anyio.sleep(delay)
        woken.append((delay, now()))

    async def main() -> None:
        async with anyio.create_task_group() as group:
            for delay in (3, 1, 2.5):
                group.start_soon(sleeper, delay)

    play_main(main)
    assert woken == [(1, 1.0), (2.5, 2.5), (3, 3.0)]


def test_six_hours_of_sleeps_never_wait_for_real(monkeypatch: pytest.MonkeyPatch) -> None:
    """In virtual time the loop does not wait in its selector."""

    def refuse(self: Any, timeout: float | None) -> Any:
        raise AssertionError(f"waited {timeout} s for real")

    async def main() -> None:
        for _ in range(6 * 60):
            await asyncio.sleep(60)

    timeline = Timeline()
    monkeypatch.setattr("simbus.kernel.loop._Selector.wait", refuse)
    play_main(main, timeline)
    assert timeline.now == 6 * HOUR


def test_anyio_timeouts() -> None:
    """fail_after raises, move_on_after goes on, at their virtual deadlines to the nanosecond."""

    async def main() -> list[float]:
        times = []
        with pytest.raises(TimeoutError):
            with anyio.fail_after(0.1):
                await anyio.sleep(1)
        times.append(now())
        with anyio.move_on_after(7) as scope:
            await anyio.sleep_forever()
        assert scope.cancelled_caught
        times.append(now())
        with anyio.fail_after(5):
            await anyio.sleep(1)
        return [*times, now()]

    assert play_main(main) == [0.1, 7.1, 8.1]


def test_asyncio_timeouts() -> None:
    """asyncio.timeout and wait_for end at their virtual deadlines."""

    async def main() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(30):
                await asyncio.sleep(31)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.sleep(31), 30)
        assert await asyncio.wait_for(asyncio.sleep(1, "in time"), 30) == "in time"
        return now()

    assert play_main(main) == 61.0


def test_deadlines_that_no_float_can_tell_exactly_are_met_once() -> None:
    """0.2 + 0.1 is above 0.3: a deadline is the nearest nanosecond, and loop.time() has then reached it."""
    asked = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(0.2)
        deadline = loop.time() + 0.1
        loop.call_at(deadline, lambda: asked.append(loop.time() >= deadline))
        await asyncio.sleep(0.1)
        await asyncio.sleep(86_400 * 300)
        with anyio.move_on_after(0.1):
            await anyio.sleep(9)

    timeline = Timeline()
    play_main(main, timeline)
    assert asked == [True]
    assert timeline.now == pytest.approx((86_400 * 300 + 0.4) * SECOND, abs=10)


def test_gather_task_group_and_queue() -> None:
    """asyncio's own tools: results in order, one consumer for one producer."""

    async def main() -> tuple[list[int], list[tuple[int, float]]]:
        results = await asyncio.gather(*(asyncio.sleep(3 - n, n) for n in range(3)))
        queue: asyncio.Queue[int] = asyncio.Queue(maxsize=1)

        async def produce() -> None:
            for n in range(3):
                await asyncio.sleep(1)
                await queue.put(n)

        async with asyncio.TaskGroup() as group:
            group.create_task(produce())
            got = [(await queue.get(), now()) for _ in range(3)]
        return results, got

    assert play_main(main) == ([0, 1, 2], [(0, 4.0), (1, 5.0), (2, 6.0)])


def test_event_lock_and_stream() -> None:
    """anyio's own tools: an event, a lock held in turns, a memory object stream with back pressure."""
    seen: list[tuple[str, float]] = []

    async def hold(name: str, lock: anyio.Lock, event: anyio.Event) -> None:
        await event.wait()
        async with lock:
            seen.append((name, now()))
            await anyio.sleep(1)

    async def main() -> list[float]:
        lock, event = anyio.Lock(), anyio.Event()
        async with anyio.create_task_group() as group:
            for name in "abc":
                group.start_soon(hold, name, lock, event)
            await anyio.sleep(10)
            event.set()
        send, receive = anyio.create_memory_object_stream[int](0)
        async with anyio.create_task_group() as group, send, receive:
            group.start_soon(send.send, 1)
            await anyio.sleep(5)
            assert await receive.receive() == 1
        return [now()]

    assert play_main(main) == [18.0]
    assert seen == [("a", 10.0), ("b", 11.0), ("c", 12.0)]


def test_eager_tasks_have_numbers() -> None:
    """asyncio.eager_task_factory (3.12) makes tasks with numbers, so that their sets have an order, too."""
    eager = getattr(asyncio, "eager_task_factory", None)
    if eager is None:
        pytest.skip("eager tasks came with Python 3.12")

    async def main() -> list[int]:
        asyncio.get_running_loop().set_task_factory(eager)
        tasks = {asyncio.create_task(asyncio.sleep(1)) for _ in range(3)}
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep, 1)
        return [task.number for task in tasks]

    assert play_main(main) == [2, 3, 4]


# --- order ------------------------------------------------------------------------------------------------------------


def equal_deadlines(ties: int | None) -> list[int]:
    async def main() -> list[int]:
        woken: list[int] = []
        loop = asyncio.get_running_loop()
        for n in range(20):
            loop.call_later(1, woken.append, n)
        await asyncio.sleep(2)
        return woken

    return play_main(main, Timeline(seed=1, ties=ties))


def test_equal_deadlines_are_met_first_in_first_out() -> None:
    """asyncio's own heap promises no order among equal deadlines; the timeline does."""
    assert equal_deadlines(None) == list(range(20))


def test_ties_explore_other_orders_and_repeat_them() -> None:
    """Another `ties` is another order of equal deadlines, and the same one is the same order."""
    first, again, other = equal_deadlines(1), equal_deadlines(1), equal_deadlines(2)
    assert first == again
    assert first != other
    assert sorted(first) == sorted(other) == list(range(20)) != first


def test_entries_and_coroutines_of_one_instant_take_turns() -> None:
    """What an entry wakes runs to its end before the next entry of the same instant is played."""
    seen: list[str] = []
    timeline = Timeline()

    async def sleeper() -> None:
        await asyncio.sleep(1)
        seen.append("task")
        await asyncio.sleep(0)
        seen.append("task after a turn")

    async def main() -> None:
        timeline.at(SECOND, seen.append, "first entry")
        task = asyncio.create_task(sleeper())
        await asyncio.sleep(0)
        timeline.at(SECOND, seen.append, "last entry")
        await task
        await asyncio.sleep(0.1)

    play_main(main, timeline)
    assert seen == ["first entry", "task", "task after a turn", "last entry"]


UNWIND = """
import anyio, asyncio, sys
from simbus.kernel.loop import run
from simbus.kernel.timeline import Timeline
order = []
async def worker(n, nested):
    try:
        if nested:
            with anyio.move_on_after(1000):
                await anyio.sleep_forever()
        else:
            await anyio.sleep(500)
    finally:
        order.append(n)
async def agen(n):
    try:
        yield
    finally:
        order.append(n)
async def main():
    for _ in range(50):
        await asyncio.create_task(asyncio.sleep(0))
    for nested in (False, True):
        async with anyio.create_task_group() as group:
            for n in range(20):
                group.start_soon(worker, n, nested)
            await anyio.sleep(1)
            group.cancel_scope.cancel()
    try:
        async with asyncio.TaskGroup() as group:
            for n in range(20):
                group.create_task(worker(n, False))
            await asyncio.sleep(1)
            raise ValueError
    except* ValueError:
        pass
    tasks = [asyncio.create_task(asyncio.sleep(1, n)) for n in range(20)]
    done, _ = await asyncio.wait(tasks)
    print([task.result() for task in done])
    left = [asyncio.create_task(worker(n, False)) for n in range(20)]
    gens = [agen(n) for n in range(20)]
    for gen in gens:
        await anext(gen)
    global keep
    keep = left, gens
junk = [bytes(n % 500) for n in range(37 * int(sys.argv[1]))]  # other addresses in every process
run(Timeline(), main())
print(order)
"""


def test_cancelled_groups_unwind_in_the_order_of_creation_in_every_process() -> None:
    """Sets of tasks and of cancel scopes are ordered by addresses in plain asyncio, hence by the process."""
    expected = [*list(range(20)) * 3, *list(range(20)) * 2]
    sets = set()
    for seed in ("0", "1", "77", "4242"):
        done = subprocess.run(
            [sys.executable, "-c", UNWIND, seed],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        done_tasks, order = done.stdout.splitlines()
        assert order == str(expected), done.stderr
        sets.add(done_tasks)
    assert len(sets) == 1


def test_tasks_that_are_cancelled_one_by_one_unwind_in_that_order() -> None:
    """Only sets are put in order: an explicit order of cancellation stands, as in asyncio."""
    order: list[int] = []

    async def worker(n: int) -> None:
        try:
            await asyncio.sleep(9)
        finally:
            order.append(n)

    async def main() -> None:
        tasks = [asyncio.create_task(worker(n)) for n in range(3)]
        await asyncio.sleep(1)
        for task in reversed(tasks):
            task.cancel()
        await asyncio.wait(tasks)

    play_main(main)
    assert order == [2, 1, 0]


def test_timers_are_cancelled_once_and_leave_nothing_behind() -> None:
    """20,000 timeouts of an hour that are not needed take no memory, nor any virtual time."""
    timeline = Timeline()
    most = 0

    async def main() -> None:
        nonlocal most
        for _ in range(20_000):
            async with asyncio.timeout(3600):
                await asyncio.sleep(0.001)
            most = max(most, timeline.pending)
        handle = asyncio.get_running_loop().call_later(1, pytest.fail, "was cancelled")
        handle.cancel()
        handle.cancel()
        assert handle.cancelled()
        await asyncio.sleep(2)

    play_main(main, timeline)
    assert most < 3_000
    assert timeline.now == 22 * SECOND


def test_a_timer_that_has_fired_can_be_cancelled() -> None:
    """asyncio.TimerHandle.cancel after the call changes nothing, and takes no other entry back."""

    async def main() -> list[str]:
        seen: list[str] = []
        loop = asyncio.get_running_loop()
        first = loop.call_later(1, seen.append, "first")
        loop.call_later(3, seen.append, "second")
        await asyncio.sleep(2)
        first.cancel()
        await asyncio.sleep(2)
        return seen

    assert play_main(main) == ["first", "second"]


def test_bad_times_are_refused() -> None:
    """NaN and None are no times."""
    loop = TimelineLoop(Timeline())
    try:
        with pytest.raises(ValueError, match="NaN"):
            loop.call_later(math.nan, print)
        with pytest.raises(TypeError):
            loop.call_at(None, print)  # type: ignore[arg-type]
    finally:
        loop.close()


# --- who can't go on --------------------------------------------------------------------------------------------------


def test_a_stalled_run_names_the_task_and_where_it_waits() -> None:
    """Nothing is scheduled, but a task waits: nothing can ever wake it."""

    async def waits_for_godot() -> None:
        await anyio.Event().wait()

    async def main() -> None:
        await asyncio.sleep(2)
        await asyncio.create_task(waits_for_godot(), name="vladimir")

    with pytest.raises(StalledError, match=r"at 2\.000 s.*'vladimir'.*waits_for_godot.*Event\.wait"):
        play_main(main)


def test_sleeping_for_ever_is_a_stall() -> None:
    """anyio.sleep_forever is a sleep of math.inf seconds: no entry of the timeline."""
    with pytest.raises(StalledError, match="sleep_forever"):
        play_main(anyio.sleep_forever)


def test_a_poller_that_never_waits_spins() -> None:
    """After 10,000 turns of the loop at one instant SpinError names the task."""

    async def polls_for_ever() -> None:
        while True:
            await anyio.sleep(0)

    async def main() -> None:
        await asyncio.sleep(3)
        await polls_for_ever()

    with pytest.raises(SpinError, match=r"at 3\.000 s.*10,000 turns.*polls_for_ever"):
        play_main(main)


def test_a_task_that_swallows_cancellation_spins() -> None:
    """anyio cancels again and again; a task that catches it every time can't keep SpinError inside."""

    async def stubborn() -> None:
        while True:
            try:
                await anyio.sleep(1)
            except (Exception, asyncio.CancelledError):
                continue

    async def main() -> None:
        with anyio.move_on_after(5):
            await stubborn()

    loop = TimelineLoop(Timeline())
    try:
        with pytest.raises(SpinError, match=r"at 5\.000 s.*stubborn"):
            loop.run_until_complete(main())
    finally:
        loop.close()


def test_callbacks_that_call_each_other_spin() -> None:
    """A loop of callbacks without any task is named by its callback."""

    async def main() -> None:
        loop = asyncio.get_running_loop()

        def again() -> None:
            loop.call_later(0, again)

        again()
        await asyncio.sleep(1)

    with pytest.raises(SpinError, match="again"):
        play_main(main)


def test_many_short_runs_at_one_instant_do_not_spin() -> None:
    """The turns are counted per run of the loop."""
    loop = TimelineLoop(Timeline())
    loop.spin_limit = 50
    try:
        for _ in range(100):
            loop.run_until_complete(asyncio.sleep(0))
    finally:
        loop.close()


# --- outside ----------------------------------------------------------------------------------------------------------


def test_threads_take_no_virtual_time() -> None:
    """The timeline stands still while an executor or anyio's threads work: no timeout around them ever comes."""

    async def ticker() -> None:
        while True:
            await asyncio.sleep(0.001)

    async def main() -> tuple[int, int, float]:
        ticking = asyncio.create_task(ticker())
        await asyncio.sleep(1)
        release = threading.Event()
        threading.Timer(0.02, release.set).start()
        with anyio.fail_after(0.001):
            first = await asyncio.get_running_loop().run_in_executor(None, lambda: release.wait() and 1)
            second = await anyio.to_thread.run_sync(lambda: 2)
        ticking.cancel()
        return first, second, now()

    assert play_main(main) == (1, 2, 1.0)


def test_results_of_threads_come_in_the_order_of_the_calls() -> None:
    """The last job ends first: its result still comes last."""

    async def main() -> list[int]:
        loop = asyncio.get_running_loop()
        doors = [threading.Event() for _ in range(4)]
        doors[3].set()
        seen: list[int] = []

        def work(n: int) -> int:
            doors[n].wait()
            if n:
                doors[n - 1].set()
            return n

        async def await_work(n: int) -> None:
            seen.append(await loop.run_in_executor(None, work, n))

        async with asyncio.TaskGroup() as group:
            for n in range(4):
                group.create_task(await_work(n))
        return seen

    assert play_main(main) == [0, 1, 2, 3]


def test_errors_of_threads_are_raised() -> None:
    """An exception of an executor's job is raised where it is awaited."""

    async def main() -> None:
        await asyncio.get_running_loop().run_in_executor(None, int, "x")

    with pytest.raises(ValueError, match="invalid literal"):
        play_main(main)


@pytest.mark.parametrize("use", ["anyio", "asyncio"])
def test_a_thread_can_wait_for_virtual_time(use: str) -> None:
    """A thread that calls into the loop is no longer waited for, so that the time passes which it asks for."""

    async def main() -> float:
        loop = asyncio.get_running_loop()
        if use == "anyio":
            await anyio.to_thread.run_sync(anyio.from_thread.run, anyio.sleep, 5)
        else:
            await loop.run_in_executor(None, lambda: asyncio.run_coroutine_threadsafe(asyncio.sleep(5), loop).result())
        return now()

    assert play_main(main) == 5.0


@pytest.mark.parametrize("speed", [None, 1000.0])
def test_any_thread_can_wake_the_loop(speed: float | None) -> None:
    """call_soon_threadsafe from a thread that nobody knows, when nothing is left on the timeline."""

    async def main() -> str:
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        thread = threading.Thread(target=lambda: loop.call_soon_threadsafe(future.set_result, "woken"))
        loop.call_later(3, thread.start)
        result: str = await future
        thread.join()
        return result

    assert run(Timeline(), main(), speed=speed, wall=FakeWall()) == "woken"


@pytest.mark.parametrize("speed", [None, 1.0])
def test_a_socket_is_read(speed: float | None) -> None:
    """I/O works in real time; in virtual time it is heard when nothing is left on the timeline."""

    async def main() -> tuple[bytes, float]:
        left, right = socket.socketpair()
        with left, right:
            reader, writer = await asyncio.open_connection(sock=left)
            asyncio.get_running_loop().call_later(2, right.send, b"hello\n")
            line = await reader.readline()
            writer.close()
            await writer.wait_closed()
        return line, now()

    line, when = run(Timeline(), main(), speed=speed, wall=FakeWall())
    assert (line, round(when, 6)) == (b"hello\n", 2.0)


def test_signals_are_heard_while_the_timeline_plays() -> None:
    """add_signal_handler works although virtual time never waits in the selector."""

    async def main() -> float:
        heard = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, heard.set)
        for _ in range(100):
            await asyncio.sleep(1)
            if now() == 10:
                signal.raise_signal(signal.SIGUSR1)
            if heard.is_set():
                break
        return now()

    assert play_main(main) <= 12.0


@pytest.mark.parametrize("speed", [None, 60.0])
def test_sigint_is_a_keyboard_interrupt(speed: float | None) -> None:
    """As with asyncio.run: SIGINT cancels the main task, which may clean up, and KeyboardInterrupt comes out."""
    cleaned: list[float] = []

    async def main() -> None:
        asyncio.get_running_loop().call_later(5, signal.raise_signal, signal.SIGINT)
        try:
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(1)
            cleaned.append(round(now()))

    with pytest.raises(KeyboardInterrupt):
        run(Timeline(), main(), speed=speed, wall=FakeWall())
    assert cleaned == [6]


# --- real time --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("speed", "seconds"), [(1, 120.0), (60, 2.0)])
def test_the_loop_keeps_pace_with_the_wall_clock(speed: float, seconds: float) -> None:
    """At speed 60 two virtual minutes take two real seconds."""

    async def main() -> None:
        for _ in range(4):
            await anyio.sleep(30)

    timeline, wall = Timeline(), FakeWall()
    run(timeline, main(), speed=speed, wall=wall)
    assert wall.time - 1000 == pytest.approx(seconds)
    assert timeline.now == pytest.approx(2 * MINUTE)


def test_what_starts_late_in_real_time_starts_at_the_clocks_now() -> None:
    """A callback that takes three real seconds delays what follows, and virtual time has passed meanwhile."""
    timeline, wall = Timeline(), FakeWall()

    async def main() -> float:
        await asyncio.sleep(1)
        wall.time += 3
        await asyncio.sleep(0)
        return now()

    assert run(timeline, main(), speed=1, wall=wall) == pytest.approx(4.0)


def test_a_stall_in_real_time() -> None:
    """No entry, no file, no other thread: real time can't wake a task either."""
    if threading.active_count() > 1:
        pytest.skip("another thread of this process could still wake the loop")

    async def main() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(StalledError, match="main"):
        run(Timeline(), main(), speed=1, wall=FakeWall())


def test_turns_are_not_limited_in_real_time() -> None:
    """Time passes by itself: SpinError is for virtual time."""

    async def main() -> int:
        for _ in range(TimelineLoop.spin_limit + 10):
            await asyncio.sleep(0)
        return 1

    assert run(Timeline(), main(), speed=1, wall=FakeWall()) == 1


@pytest.mark.parametrize(("speed", "wait"), [(1, 10.0), (60, 1 / 6)])
def test_play_without_a_loop_keeps_pace(speed: float, wait: float) -> None:
    """simbus run --speed: entries are played at their real instants, and no later ones than asked for."""
    timeline, wall = Timeline(), FakeWall()
    seen: list[tuple[int, float]] = []
    for n in range(1, 4):
        timeline.at(n * 10 * SECOND, lambda n: seen.append((n, wall.time - 1000)), n)
    timeline.background(HOUR, lambda _: pytest.fail("nobody waits for this"))
    play(timeline, lambda: timeline.pending > 0, speed, wall=wall)
    assert seen == [(n, pytest.approx(n * wait)) for n in range(1, 4)]
    assert timeline.now == 30 * SECOND


def test_play_that_runs_dry_is_a_stall() -> None:
    """The timeline is empty, but the caller says that the run is not finished."""
    timeline = Timeline()
    timeline.at(MILLISECOND, lambda _: None)
    with pytest.raises(StalledError, match="unfinished"):
        play(timeline, lambda: True, 1, wall=FakeWall())


@pytest.mark.parametrize("speed", [0, -1, math.nan, math.inf])
def test_a_bad_speed_is_refused(speed: float) -> None:
    """A speed is a finite number above 0."""
    with pytest.raises(UsageError, match="speed is"):
        play(Timeline(), lambda: False, speed)
    with pytest.raises(UsageError, match="speed is"):
        TimelineLoop(Timeline(), speed=speed)
