"""Waiting for a lock or a queue parks the thread, wherever the lock was made: by the handler, or long before."""

import queue
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from sandboxes import Lab

from simbus.errors import UsageError
from simbus.functions.sandbox import Sandbox, load_code, locks
from simbus.kernel import SECOND

EARLY: dict[str, Any] = {  # made when this module is imported, before any simulation
    "Lock": threading.Lock(),
    "RLock": threading.RLock(),
    "Condition": threading.Condition(),
    "Semaphore": threading.Semaphore(),
    "BoundedSemaphore": threading.BoundedSemaphore(1),
}
QUEUES: dict[str, Any] = {
    "Queue": queue.Queue(),
    "LifoQueue": queue.LifoQueue(),
    "PriorityQueue": queue.PriorityQueue(),
    "SimpleQueue": queue.SimpleQueue(),
}
METHODS = [(cls, name, vars(cls)[name]) for cls, name, _, __ in locks.type_patches()]


def run(*works: Callable[[], None]) -> None:
    """Run functions in threads to their end."""
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("when", ["early", "late"])
@pytest.mark.parametrize("name", EARLY)
def test_one_at_a_time(lab: Lab, name: str, when: str) -> None:
    """Three threads that hold it for a second each take three seconds, first in, first out; nothing hangs."""
    order: list[Any] = []

    def handler(event: Any, context: Any) -> float:
        lock = EARLY[name] if when == "early" else getattr(threading, name)()

        def work() -> None:
            with lock:
                time.sleep(1)
                order.append(threading.current_thread().name[:8])

        run(work, work, work)
        return time.monotonic()

    assert lab.result(lab.sandbox(handler, timeout=5)) == 3.0
    assert order == ["Thread-1", "Thread-2", "Thread-3"]


@pytest.mark.parametrize("when", ["early", "late"])
@pytest.mark.parametrize("name", QUEUES)
def test_queues(lab: Lab, name: str, when: str) -> None:
    """`get` waits for the next item in virtual time; with a timeout it raises Empty then."""

    def handler(event: Any, context: Any) -> list[Any]:
        items = QUEUES[name] if when == "early" else getattr(queue, name)()
        got: list[Any] = []

        def take() -> None:
            got.append((items.get(), time.monotonic()))
            got.append((items.get(), time.monotonic()))

        def give() -> None:
            for number in range(4):
                time.sleep(1)
                items.put(number)

        run(take, give, take)
        with pytest.raises(queue.Empty):
            items.get(timeout=0.5)
        with pytest.raises(queue.Empty):
            items.get(block=False)
        return [*got, time.monotonic()]

    assert lab.result(lab.sandbox(handler, timeout=9)) == [[0, 1.0], [1, 2.0], [2, 3.0], [3, 4.0], 4.5]


def test_a_full_queue(lab: Lab) -> None:
    """`put` waits for a place."""

    def handler(event: Any, context: Any) -> list[float]:
        items: queue.Queue[int] = queue.Queue(maxsize=1)
        put: list[float] = []

        def give() -> None:
            for number in range(3):
                items.put(number)
                put.append(time.monotonic())

        def take() -> None:
            for _ in range(3):
                time.sleep(1)
                items.get()
                items.task_done()

        run(give, take)
        items.join()
        return put

    assert lab.result(lab.sandbox(handler, timeout=5)) == [0.0, 1.0, 2.0]


def test_an_rlock_belongs_to_one_thread(lab: Lab) -> None:
    """It may be taken again by its owner, and given back by nobody else."""

    def handler(event: Any, context: Any) -> list[Any]:
        lock, seen = threading.RLock(), []

        def work() -> None:
            seen.append([lock.acquire(blocking=False), lock.acquire(timeout=0.5), time.monotonic()])
            with pytest.raises(RuntimeError, match="cannot release un-acquired lock"):
                lock.release()
            with lock:
                seen.append(time.monotonic())

        with lock, lock:
            thread = threading.Thread(target=work)
            thread.start()
            time.sleep(1)
        thread.join()
        with pytest.raises(RuntimeError):
            lock.release()
        return seen

    assert lab.result(lab.sandbox(handler)) == [[False, False, 0.5], 1.0]


@pytest.mark.parametrize("condition", [EARLY["Condition"], None])
def test_conditions(lab: Lab, condition: Any) -> None:
    """`wait` gives back the lock, however often it is held, and takes it again; `wait_for` has a timeout."""

    def handler(event: Any, context: Any) -> list[Any]:
        cond = condition or threading.Condition()
        ready: list[int] = []
        seen: list[Any] = []

        def work() -> None:
            with cond, cond:
                seen.append([cond.wait(0.25), time.monotonic()])
                seen.append([cond.wait_for(lambda: ready, timeout=5), time.monotonic()])
                time.sleep(1)
            seen.append(time.monotonic())

        thread = threading.Thread(target=work)
        thread.start()
        time.sleep(1)
        with cond:
            ready.append(7)
            cond.notify_all()
            time.sleep(0.5)
        with cond:
            seen.append(["main", time.monotonic()])
        thread.join()
        return seen

    expected = [[False, 0.25], ["main", 1.5], [[7], 1.5], 2.5]  # who gives a lock back may be the next to take it
    assert lab.result(lab.sandbox(handler, timeout=9)) == expected


def test_events_and_barriers(lab: Lab) -> None:
    """An event wakes everybody who waits; a barrier opens when all have come."""

    def handler(event: Any, context: Any) -> list[Any]:
        start, barrier, seen = threading.Event(), threading.Barrier(3), []

        def work(seconds: float) -> None:
            start.wait()
            time.sleep(seconds)
            barrier.wait()
            seen.append(time.monotonic())

        timer = threading.Timer(2, start.set)
        timer.start()
        run(lambda: work(1), lambda: work(2), lambda: work(3))
        return [seen, start.wait(0), threading.Event().wait(0.5), time.monotonic()]

    assert lab.result(lab.sandbox(handler, timeout=9)) == [[5.0] * 3, True, False, 5.5]


def test_a_cancelled_timer(lab: Lab) -> None:
    """A timer that is cancelled in time does nothing."""

    def handler(event: Any, context: Any) -> list[str]:
        done: list[str] = []
        timer = threading.Timer(2, lambda: done.append("timer"))
        timer.start()
        time.sleep(1)
        timer.cancel()
        timer.join()
        time.sleep(2)
        return done

    assert lab.result(lab.sandbox(handler, timeout=9)) == []


def test_a_timeout_of_what_is_left_is_over(lab: Lab) -> None:
    """A wait of less than a nanosecond, as floats leave it, ends: a loop that waits for what is left does not spin."""

    def handler(event: Any, context: Any) -> bool:
        time.sleep(0.1)
        lock = threading.Lock()
        lock.acquire()
        end = time.monotonic() + 0.2
        while (left := end - time.monotonic()) > 0:
            lock.acquire(timeout=min(left, 0.07))
        end = time.monotonic() + 0.7
        while (left := end - time.monotonic()) > 0:
            time.sleep(left)
        return abs(time.monotonic() - 1) < 1e-6

    assert lab.result(lab.sandbox(handler)) is True


def test_environments_that_share_a_lock_of_a_library(lab: Lab) -> None:
    """One that is frozen while its thread waits does not keep the others from having it."""
    lock = threading.Lock()
    got: list[Any] = []

    def handler(event: Any, context: Any) -> None:
        def work() -> None:
            with lock:
                got.append((event, time.monotonic()))

        if event == "holds":
            with lock:
                time.sleep(2)
        threading.Thread(target=work).start()
        if event == "stays":
            time.sleep(3)

    sandboxes = [lab.sandbox(handler) for _ in range(3)]
    for sandbox, event in zip(sandboxes, ["holds", "leaves", "stays"], strict=True):
        lab.begin(sandbox, event)
    lab.timeline.run()
    assert got == [("stays", 2.0), ("holds", 2.0)]
    lab.call(sandboxes[1], "again")
    assert got[2:] == [("leaves", 3.0), ("again", 3.0)]


def test_a_lock_that_another_thread_of_the_machine_holds(lab: Lab) -> None:
    """It is waited for in real time: who holds it gives it back without virtual time."""
    lock, held, wanted = threading.Lock(), threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            held.set()
            wanted.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(10)

    def handler(event: Any, context: Any) -> float:
        wanted.set()
        with lock:
            return time.monotonic()

    assert lab.result(lab.sandbox(handler)) == 0.0
    thread.join()


def test_a_lock_that_nobody_gives_back(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Held outside of all handlers: one clear error in place of a run that hangs. With a timeout it is in vain."""
    monkeypatch.setattr(locks, "PATIENCE", 0.01)
    lock = threading.Lock()
    lock.acquire()

    def handler(event: Any, context: Any) -> Any:
        return [lock.acquire(timeout=0.5), time.monotonic()] if event else lock.acquire()

    assert lab.result(lab.sandbox(handler), True) == [False, 0.5]
    outcome = lab.call(lab.sandbox(handler))
    assert outcome.error_type == "SandboxRefusal"
    assert "test_sandbox_locks.py" in (outcome.error_message or "")
    assert "something outside of the simulation's handlers holds" in (outcome.error_message or "")


def test_a_lock_that_the_test_waits_for_in_vain(lab: Lab) -> None:
    """A parked thread of a handler holds it: the test is told where, in place of hanging for ever."""
    lock = threading.Lock()

    def handler(event: Any, context: Any) -> None:
        with lock:
            time.sleep(1)

    lab.begin(lab.sandbox(handler))
    with pytest.raises(UsageError, match=r"function resize holds at .*test_sandbox_locks.py:\d+; it could never"):
        lock.acquire()
    assert not lock.acquire(timeout=0)
    lab.timeline.run()
    assert lock.acquire()


def test_arguments_are_checked_as_python_checks_them(lab: Lab) -> None:
    """Python's own errors."""

    def handler(event: Any, context: Any) -> None:
        for lock in (threading.Lock(), threading.RLock()):
            for arguments in ((True, -2), (False, 1)):
                with pytest.raises(ValueError, match="timeout"):
                    lock.acquire(*arguments)
            with pytest.raises(OverflowError):
                lock.acquire(timeout=1e30)
            assert lock.acquire(False)
        with pytest.raises(ValueError, match="non-negative"):
            queue.SimpleQueue().get(timeout=-1)
        with pytest.raises(RuntimeError):
            threading.Lock().release()

    assert lab.result(lab.sandbox(handler)) is None


def test_locks_die_while_they_are_held(lab: Lab) -> None:
    """Each wait of a condition that times out leaves a held lock behind; nothing is kept of it."""

    def handler(event: Any, context: Any) -> None:
        event = threading.Event()
        for _ in range(100):
            event.wait(0.001)

    before = len(locks._holds)
    lab.result(lab.sandbox(handler))
    assert len(locks._holds) == before


def test_types_are_what_they_were() -> None:
    """After the last simulation Python's locks have their own methods again."""
    assert [(cls, name, vars(cls)[name]) for cls, name, _ in METHODS] == METHODS
    assert threading.local is type(threading.local())


def test_one_import_at_a_time(lab: Lab) -> None:
    """A module that sleeps while it is imported is imported once; the second thread waits for it."""
    lab.write(slow="import time\ntime.sleep(1)\nvalue = time.monotonic()\n")
    sandbox = lab.app(
        """
        import threading, time

        def handler(event, context):
            seen = []
            def work():
                import slow
                seen.append([slow.value, time.monotonic()])
            threads = [threading.Thread(target=work) for _ in range(2)]
            [thread.start() for thread in threads]
            [thread.join() for thread in threads]
            return seen
        """
    )
    assert lab.result(sandbox) == [[1.0, 1.0], [1.0, 1.0]]


def test_environments_import_their_own_modules_at_once(lab: Lab) -> None:
    """Another environment that is in the middle of importing a module of the same name is not waited for."""
    source = "import time\ntime.sleep(1)\ndef handler(event, context):\n    return time.monotonic()\n"
    code = lab.write(app=source)
    ended: list[float] = []
    for number in range(2):
        sandbox = Sandbox(
            lab.timeline,
            lab.config("app.handler"),
            load_code(code),
            environ={"_HANDLER": "app.handler"},
            identity=f"own/{number}",
            log=lab.log,
        )
        lab.sandboxes.append(sandbox)
        sandbox.init(10 * SECOND, lambda _: ended.append(lab.timeline.now / SECOND))
    lab.timeline.run()
    assert ended == [1.0, 1.0]
