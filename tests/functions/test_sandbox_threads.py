"""Threads that a handler starts run in virtual time, one at a time, in an order that every run repeats."""

import _thread
import contextlib
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import pytest
from sandboxes import REQUEST, Lab

from simbus.functions.sandbox import outer_world
from simbus.functions.sandbox.threads import LIMIT
from simbus.kernel import SECOND

PRINTS = """
import threading, time

def work(seconds):
    time.sleep(seconds)
    print("slept", seconds, threading.current_thread().name)

def handler(event, context):
    threads = [threading.Thread(target=work, args=(n,)) for n in (3, 1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.monotonic()
"""


def both(first: Callable[[], None], second: Callable[[], None]) -> None:
    """Run two functions in two threads to their end."""
    threads = [threading.Thread(target=work) for work in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_threads_wait_at_the_same_time(lab: Lab) -> None:
    """Three threads that sleep 3, 1 and 2 s take 3 s; each is named as Python names it, from 1 in each process."""
    assert lab.result(lab.app(PRINTS, timeout=10)) == 3.0
    assert lab.log.text.splitlines() == [
        "slept 1 Thread-2 (work)",
        "slept 2 Thread-3 (work)",
        "slept 3 Thread-1 (work)",
    ]
    lab.log.clear()
    lab.call(lab.app(PRINTS, timeout=10))
    assert "slept 1 Thread-2 (work)" in lab.log.text


def test_what_start_has_done_when_it_returns(lab: Lab) -> None:
    """`start` waits until the thread has begun; the thread has then run to the first point at which it waits."""
    steps: list[str] = []

    def work() -> None:
        steps.append("begun")
        time.sleep(0.5)
        steps.append("slept")

    def handler(event: Any, context: Any) -> list[Any]:
        thread = threading.Thread(target=work, name="mine", daemon=True)
        before = thread.is_alive(), thread.ident
        thread.start()
        steps.append("started")
        during = thread.is_alive(), thread.name, thread.daemon, thread.ident == threading.get_ident()
        thread.join(0.2)
        steps.append(f"joined in vain at {time.monotonic()}")
        thread.join()
        return [*before, *during, thread.is_alive()]

    assert lab.result(lab.sandbox(handler)) == [False, None, True, "mine", True, False, False]
    assert steps == ["begun", "started", "joined in vain at 0.2", "slept"]


def test_which_threads_there_are(lab: Lab) -> None:
    """An environment sees its own threads only; outside, Python's lists have none of them."""
    seen: list[Any] = []

    def look() -> None:
        current = threading.current_thread()
        seen.append((current.name, current is threading.main_thread(), threading.active_count()))
        seen.append([thread.name for thread in threading.enumerate()])
        seen.append(current.ident == threading.get_ident() and current.native_id == threading.get_native_id())

    def handler(event: Any, context: Any) -> None:
        thread = threading.Thread(target=lambda: (time.sleep(1), look()), name="other")
        thread.start()
        look()
        thread.join()
        seen.append(threading.active_count())

    first, second = lab.sandbox(handler), lab.sandbox(handler)
    lab.begin(first)
    lab.timeline.run(until=SECOND // 2)
    assert (len(first.threads), threading.active_count(), len(threading.enumerate())) == (1, 1, 1)
    here = ("MainThread", True, 2)
    assert seen == [here, ["MainThread", "other"], True]
    lab.call(second)
    there = ("other", False, 2)
    assert seen == 2 * [here, ["MainThread", "other"], True] + 2 * [there, ["MainThread", "other"], True, 1]
    assert first.main.ident != second.main.ident


def test_a_failing_thread_ends_itself_only(lab: Lab) -> None:
    """Python prints the traceback of what ends a thread to stderr, so to the log, and goes on; sys.exit is silent."""
    sandbox = lab.app(
        """
        import sys, threading

        def bad():
            raise ValueError("no")

        def handler(event, context):
            for work in (bad, sys.exit):
                thread = threading.Thread(target=work)
                thread.start()
                thread.join()
            return "went on"
        """
    )
    assert lab.result(sandbox) == "went on"
    lines = lab.log.text.splitlines()
    assert lines[:2] == ["Exception in thread Thread-1 (bad):", "Traceback (most recent call last):"]
    assert lines[2].startswith('  File "/var/lang/lib/python3.13/threading.py", line ')
    assert lines[-3:] == ['  File "/var/task/app.py", line 5, in bad', '    raise ValueError("no")', "ValueError: no"]
    assert {request for _, __, request in lab.log} == {REQUEST}


def test_excepthook_belongs_to_the_environment(lab: Lab) -> None:
    """`threading.excepthook` is replaced in one process only, and told what failed."""
    told: list[Any] = []

    def handler(event: Any, context: Any) -> None:
        if event:
            threading.excepthook = lambda args: told.append((args.exc_type, args.thread.name))
        thread = threading.Thread(target=lambda: 1 // 0)  # type: ignore[arg-type,return-value]
        thread.start()
        thread.join()

    before = threading.excepthook
    lab.call(lab.sandbox(handler), True)
    assert (told, lab.log) == ([(ZeroDivisionError, "Thread-1 (<lambda>)")], [])
    lab.call(lab.sandbox(handler))
    assert "ZeroDivisionError" in lab.log.text
    with outer_world():
        assert threading.excepthook is before


def test_bare_threads(lab: Lab) -> None:
    """_thread.start_new_thread: the thread begins when its starter waits; sys.unraisablehook hears what ends it."""
    steps: list[Any] = []

    def work(number: int, *, word: str) -> None:
        steps.append((number, word, threading.current_thread().name, threading.current_thread().is_alive()))
        raise ValueError(word)

    def handler(event: Any, context: Any) -> None:
        ident = _thread.start_new_thread(work, (1,), {"word": "x"})
        steps.append(ident != threading.get_ident())
        time.sleep(1)

    assert lab.call(lab.sandbox(handler)).status == "ok"
    assert steps == [True, (1, "x", "Dummy-1", True)]
    assert lab.log.text.startswith(
        "Exception ignored in thread started by: <function test_bare_threads.<locals>.work>\nTrac"
    )
    assert lab.log.text.endswith("ValueError: x\n")


def test_thread_locals_and_context(lab: Lab) -> None:
    """threading.local has its own attributes in each thread, and __init__ runs in each; a new context is empty."""
    variable: ContextVar[int] = ContextVar("variable", default=0)

    class Mine(threading.local):
        common = "class"

        def __init__(self, start: int) -> None:
            self.count = start

    def handler(event: Any, context: Any) -> list[Any]:
        plain, mine, seen = threading.local(), Mine(5), []
        plain.name = mine.count = "main"
        variable.set(1)

        def work() -> None:
            before = hasattr(plain, "name"), mine.count, mine.common, variable.get()
            plain.name = mine.count = "other"
            variable.set(2)
            time.sleep(1)
            seen.append([*before, dict(vars(plain)), mine.count, variable.get()])
            del plain.name

        thread = threading.Thread(target=work)
        thread.start()
        time.sleep(0.5)
        seen.append([plain.name, mine.count, variable.get()])
        thread.join()
        return [*seen, plain.name]

    expected = [["main", "main", 1], [False, 5, "class", 0, {"name": "other"}, "other", 2], "main"]
    assert lab.result(lab.sandbox(handler)) == expected


def test_a_local_is_not_shared_by_environments(lab: Lab) -> None:
    """Two processes of one function do not see each other's values, and the test around them sees its own."""
    local = threading.local()
    local.value = "test"

    def handler(event: Any, context: Any) -> Any:
        before = getattr(local, "value", None)
        local.value = event
        time.sleep(1)
        return [before, local.value]

    outcomes = [lab.begin(lab.sandbox(handler), event) for event in (1, 2)]
    lab.timeline.run()
    assert [outcome.payload for (outcome,) in outcomes] == ["[null, 1]", "[null, 2]"]
    assert local.value == "test"


def test_too_many_threads(lab: Lab) -> None:
    """An environment has at most 1,024 processes and threads (Lambda quotas); Python says "can't start new thread"."""

    def handler(event: Any, context: Any) -> list[Any]:
        stop = threading.Event()
        started = 0
        try:
            while True:
                threading.Thread(target=stop.wait).start()
                started += 1
        except RuntimeError as error:
            stop.set()
            return [started, str(error)]

    assert lab.result(lab.sandbox(handler)) == [LIMIT - 1, "can't start new thread"]
    assert LIMIT == 1024


@pytest.mark.parametrize("end", ["timeout", "os._exit", "kill"])
def test_threads_end_with_their_process(lab: Lab, end: str) -> None:
    """At a timeout or an exit all threads are gone at once: nothing that their unwinding does has any effect."""
    done: list[str] = []

    def work() -> None:
        try:
            time.sleep(60)
        finally:
            print("a last word")
            done.append("after it")

    def handler(event: Any, context: Any) -> None:
        for _ in range(3):
            threading.Thread(target=work).start()
        if end == "os._exit":
            threading.Thread(target=lambda: (time.sleep(1), os._exit(3))).start()
        time.sleep(60)

    sandbox = lab.sandbox(handler)
    outcomes = lab.begin(sandbox)
    if end == "kill":
        lab.timeline.at(SECOND, lambda _: sandbox.kill())
    lab.timeline.run()
    ended = {"timeout": ["timeout"], "os._exit": ["exit"], "kill": []}
    assert [outcome.status for outcome in outcomes] == ended[end]
    assert lab.timeline.now == (3 if end == "timeout" else 1) * SECOND
    assert (done, lab.log, sandbox.threads, sandbox.unwound) == ([], [], {}, True)
    if end == "os._exit":
        assert outcomes[0].error_message.endswith("exit status 3")  # type: ignore[union-attr]


def test_a_thread_that_will_not_unwind_is_left_behind(lab: Lab) -> None:
    """It stays parked and is counted; the process ends all the same, and so do its other threads."""
    ended: list[str] = []

    def stubborn() -> None:
        while True:
            with contextlib.suppress(BaseException):
                time.sleep(60)

    def handler(event: Any, context: Any) -> None:
        threads = [threading.Thread(target=stubborn), threading.Thread(target=lambda: time.sleep(60))]
        ended.append(threads)  # type: ignore[arg-type]
        for thread in threads:
            thread.start()
        time.sleep(60)

    sandbox = lab.sandbox(handler)
    assert lab.call(sandbox).status == "timeout"
    assert (sandbox.unwound, sandbox.threads) == (False, {})
    assert not any(thread.is_alive() for thread in ended[0])  # type: ignore[attr-defined]


def test_each_line_belongs_to_the_environment_that_runs(lab: Lab) -> None:
    """Streams, root logger and environment variables stay right while threads of two environments take turns."""

    def handler(event: Any, context: Any) -> None:
        os.environ["WHO"] = event
        logging.getLogger().setLevel(logging.INFO if event == "a" else logging.ERROR)

        def work() -> None:
            for _ in range(2):
                time.sleep(1)
                print(event, os.environ["WHO"], file=sys.stderr)
                logging.info("log %s", event)

        both(work, work)

    sandboxes = {who: lab.sandbox(handler) for who in "ab"}
    outcomes = [lab.begin(it, who, request_id=f"request-{who}") for who, it in sandboxes.items()]
    lab.timeline.run()
    assert [outcome.status for (outcome,) in outcomes] == ["ok", "ok"]
    lines = [(line.split("\t")[-1], request) for line, _, request in lab.log]
    one = [("a a\n", "request-a"), ("log a\n", "request-a")]
    assert lines == 4 * [*one, ("b b\n", "request-b")]


def test_a_deadlock_of_all_threads_is_a_timeout(lab: Lab) -> None:
    """As on AWS: nobody can go on, so the invocation runs into its timeout."""
    one, two = threading.Lock(), threading.Lock()

    def take(first: Any, second: Any) -> None:
        with first:
            time.sleep(0.1)
            with second:
                raise AssertionError("both locks at once")

    outcome = lab.call(lab.sandbox(lambda e, c: both(lambda: take(one, two), lambda: take(two, one))))
    assert (outcome.status, lab.timeline.now) == ("timeout", 3 * SECOND)
    assert not one.locked()
    assert not two.locked()


@pytest.mark.parametrize("kind", [0, 0.0])
def test_a_thread_that_polls_without_pause(lab: Lab, kind: float) -> None:
    """`sleep(0)` lets the others run; one that asks for ever in this way uses up time, as it would on AWS."""

    def handler(event: Any, context: Any) -> list[Any]:
        done: list[float] = []
        threading.Thread(target=lambda: (time.sleep(0.05), done.append(1))).start()
        while not done:
            time.sleep(kind)
        return [0.05 <= time.monotonic() < 0.06]

    assert lab.result(lab.sandbox(handler)) == [True]


def test_signals_are_the_main_threads(lab: Lab) -> None:
    """Only the main thread sets a signal's handler, as in Python; a thread may send one to its process."""

    def work() -> None:
        with pytest.raises(ValueError, match="main thread of the main interpreter"):
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _thread.interrupt_main()

    def handler(event: Any, context: Any) -> list[int]:
        caught: list[int] = []
        signal.signal(signal.SIGINT, lambda number, frame: caught.append(number))
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        return caught

    assert lab.result(lab.sandbox(handler)) == [signal.SIGINT]
