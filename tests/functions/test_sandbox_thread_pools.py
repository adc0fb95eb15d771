"""Thread pools of a handler, and what only seeds find: updates that are lost between threads."""

import asyncio
import concurrent.futures
import multiprocessing
import multiprocessing.dummy
import multiprocessing.pool
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sandboxes import Lab
from thread_work import UPDATES, counted


def slept(seconds: float) -> list[Any]:
    """Sleep and say so."""
    time.sleep(seconds)
    return [seconds, time.monotonic(), threading.current_thread().name]


def test_executor(lab: Lab) -> None:
    """Two workers take the work in its order; the numbers of pools begin anew in each environment."""

    def handler(event: Any, context: Any) -> list[Any]:
        with ThreadPoolExecutor(2) as pool:
            results = list(pool.map(slept, [3, 1, 2]))
        with ThreadPoolExecutor(2, thread_name_prefix="mine") as pool:
            return [*results, pool.submit(slept, 1).result()]

    expected = [
        [3, 3.0, "ThreadPoolExecutor-0_0"],
        [1, 1.0, "ThreadPoolExecutor-0_1"],
        [2, 3.0, "ThreadPoolExecutor-0_1"],
        [1, 4.0, "mine_0"],
    ]
    assert lab.result(lab.sandbox(handler, timeout=9)) == expected
    second = lab.result(lab.sandbox(handler, timeout=9))
    assert [name for _, __, name in second] == [name for _, __, name in expected]


def test_futures_with_timeouts(lab: Lab) -> None:
    """result, as_completed and wait give up at their timeout, in virtual time; a future passes on what was raised."""

    def fail() -> None:
        raise KeyError("x")

    def handler(event: Any, context: Any) -> list[Any]:
        with ThreadPoolExecutor() as pool:
            futures = [pool.submit(slept, seconds) for seconds in (5, 1, 3)]
            done, waiting = concurrent.futures.wait(futures, timeout=2)
            seen: list[Any] = [len(done), len(waiting), time.monotonic()]
            with pytest.raises(TimeoutError, match=r"1 \(of 3\) futures unfinished"):
                seen.extend(future.result()[0] for future in concurrent.futures.as_completed(futures, timeout=2))
            with pytest.raises(TimeoutError):
                futures[0].result(timeout=0.5)
            with pytest.raises(KeyError):
                pool.submit(fail).result()
            seen.append(futures[0].cancel())
            pool.shutdown(wait=False, cancel_futures=True)
            return [*seen, round(time.monotonic(), 4)]

    assert lab.result(lab.sandbox(handler, timeout=9)) == [1, 2, 2.0, 1, 3, False, 4.5]


def test_sets_of_futures_have_an_order(lab: Lab) -> None:
    """`wait` returns sets and `as_completed` goes through one: in the order in which the futures were made."""

    def handler(event: Any, context: Any) -> list[Any]:
        with ThreadPoolExecutor(20) as pool:
            futures = {pool.submit(slept, 1): number for number in range(20)}
        done, _ = concurrent.futures.wait(futures)
        return [[futures[f] for f in done], [futures[f] for f in concurrent.futures.as_completed(futures)]]

    first = lab.result(lab.sandbox(handler, timeout=9))
    assert lab.result(lab.sandbox(handler, timeout=9)) == first


def test_a_pool_of_the_module_lives_on(lab: Lab) -> None:
    """Its threads are frozen with their environment and work in the next invocation; both have the same pool."""
    sandbox = lab.app(
        """
        import threading, time
        from concurrent.futures import ThreadPoolExecutor

        pool = ThreadPoolExecutor(2)

        def handler(event, context):
            return [*pool.map(lambda n: (time.sleep(n), threading.current_thread().name)[1], [1, 1]), time.monotonic()]
        """
    )
    names = ["ThreadPoolExecutor-0_0", "ThreadPoolExecutor-0_1"]
    assert lab.result(sandbox) == [*names, 1.0]
    assert len(sandbox.threads) == 2
    assert lab.timeline.pending == 0
    assert lab.result(sandbox) == [*names, 2.0]
    sandbox.kill()
    assert (sandbox.threads, sandbox.unwound) == ({}, True)


def test_asyncio_in_threads(lab: Lab) -> None:
    """to_thread and run_in_executor; a thread may have a loop of its own, and call into that of another."""

    async def inner() -> float:
        await asyncio.sleep(1)
        return time.monotonic()

    async def main() -> list[Any]:
        loop = asyncio.get_running_loop()
        together = await asyncio.gather(*(asyncio.to_thread(slept, seconds) for seconds in (2, 1)))
        alone = await loop.run_in_executor(None, slept, 1)
        other = await asyncio.to_thread(asyncio.run, inner())
        across = await asyncio.to_thread(lambda: asyncio.run_coroutine_threadsafe(inner(), loop).result())
        return [[when for _, when, __ in (*together, alone)], other, across, loop is asyncio.get_running_loop()]

    def handler(event: Any, context: Any) -> list[Any]:
        def no_loop() -> None:
            with pytest.raises(RuntimeError, match="no current event loop in thread"):
                asyncio.get_event_loop_policy().get_event_loop()

        thread = threading.Thread(target=no_loop)
        thread.start()
        thread.join()
        return asyncio.run(main())

    assert lab.result(lab.sandbox(handler, timeout=9)) == [[2.0, 1.0, 3.0], 4.0, 5.0, True]


def test_a_loop_that_waits_for_a_timer_hears_a_thread(lab: Lab) -> None:
    """`call_soon_threadsafe` wakes a loop that waits until a later instant."""

    async def main() -> list[Any]:
        loop, heard = asyncio.get_running_loop(), asyncio.Event()
        threading.Timer(1, lambda: loop.call_soon_threadsafe(heard.set)).start()
        await asyncio.wait_for(heard.wait(), 5)
        return [time.monotonic()]

    assert lab.result(lab.sandbox(lambda e, c: asyncio.run(main()), timeout=9)) == [1.0]


@pytest.mark.parametrize("make", [multiprocessing.pool.ThreadPool, multiprocessing.dummy.Pool, multiprocessing.Queue])
def test_what_needs_shared_memory(lab: Lab, make: Any) -> None:
    """Lambda has no /dev/shm: what multiprocessing builds on semaphores fails, its ThreadPool with it (elastic/
    elasticsearch-py#2319, NygenAnalytics/scarf#104); `multiprocessing.dummy.Process` is a thread and works."""

    def handler(event: Any, context: Any) -> float:
        process = multiprocessing.dummy.Process(target=slept, args=(1,))
        process.start()
        process.join()
        make()
        return 0.0

    outcome = lab.call(lab.sandbox(handler))
    assert (outcome.error_type, outcome.error_message) == ("OSError", "[Errno 38] Function not implemented")
    assert lab.timeline.now == 1_000_000_000


# --- seeds ---------------------------------------------------------------------------------------------------------


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32), locked=st.booleans(), ties=st.none() | st.integers(0, 100))
def test_the_same_seed_gives_the_same_rows(seed: int, locked: bool, ties: int | None) -> None:
    """Threads included: every line at its instant, in the same order, by the same thread."""
    first = counted(seed, locked, ties)
    assert first == counted(seed, locked, ties)
    assert first[1].count("wrote") == UPDATES
    if locked:
        assert first[0] == UPDATES


def test_seeds_find_the_lost_update() -> None:
    """Without the lock two threads write what both have read, as on AWS now and then; another seed, another loss."""
    found = {counted(seed, locked=False)[0] for seed in range(10)}
    assert min(found) < UPDATES
    assert len(found) > 1


SCRIPT = """
import threading
from concurrent.futures import ThreadPoolExecutor
from simbus import Simulation
from thread_work import count, counted

def stubborn():
    while True:
        try:
            threading.Event().wait()
        except BaseException:
            pass

def handler(event, context):
    pools.append(ThreadPoolExecutor(2))
    for work in (threading.Event().wait, stubborn):
        threading.Thread(target=work).start()
        pools[0].submit(work)

pools = []
with Simulation() as sim:
    sim.function("count", handler=handler).invoke()
    print(threading.active_count())
print(threading.active_count(), *counted(5, locked=False))
"""


def test_another_process_has_the_same_rows_and_ends_quietly() -> None:
    """Not even addresses and hash seeds reach a row; threads of an ended environment do not hold the interpreter."""
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT],
        env={"PYTHONPATH": ":".join(sys.path), "PYTHONHASHSEED": "2"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == " ".join(["1\n1", *map(str, counted(5, locked=False))]) + "\n"
