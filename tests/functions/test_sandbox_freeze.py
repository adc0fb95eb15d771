"""What is left running when the handler returns: frozen with its environment, resumed when that is used again.

Developer Guide, "Understanding the Lambda execution environment lifecycle": "Background processes or callbacks that
were initiated by your Lambda function and did not complete when the function ended resume if Lambda reuses the
execution environment."
"""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from sandboxes import Lab

from simbus import Simulation
from simbus.kernel import SECOND

FLUSHER = """
import threading, time

def flush():
    for number in range(1, 7):
        time.sleep(2)
        print("flush", number, "at", time.monotonic())

threading.Thread(target=flush, daemon=DAEMON).start()

def handler(event, context):
    time.sleep(event)
    print("answered at", time.monotonic())
"""


@pytest.mark.parametrize("daemon", ["True", "False"])
def test_a_thread_goes_on_in_the_next_invocation(lab: Lab, daemon: str) -> None:
    """The response does not wait for a thread, daemon or not; what was due meanwhile is due at the thaw. Its lines bear
    the request id of the invocation that runs."""
    sandbox = lab.app(FLUSHER.replace("DAEMON", daemon), timeout=60)
    for number, seconds in enumerate([3, 1, 3], 1):
        assert lab.call(sandbox, seconds, request_id=f"request-{number}").status == "ok"
        assert lab.timeline.pending == 0, "what is frozen does not hold a run open"
        lab.timeline.run(until=lab.timeline.now + 60 * SECOND)
    assert [(line, request) for line, _, request in lab.log] == [
        ("flush 1 at 2.0\n", "request-1"),
        ("answered at 3.0\n", "request-1"),
        ("flush 2 at 63.0\n", "request-2"),
        ("answered at 64.0\n", "request-2"),
        ("flush 3 at 124.0\n", "request-3"),
        ("flush 4 at 126.0\n", "request-3"),
        ("answered at 127.0\n", "request-3"),
    ]


def test_threads_of_the_init_run_in_the_init(lab: Lab) -> None:
    """As long as the init lasts, a thread that the module starts runs; its lines belong to no request yet."""
    sandbox = lab.app(
        """
        import threading, time

        def warm():
            time.sleep(1)
            print("warm")
            time.sleep(2)
            print("warmer")

        threading.Thread(target=warm).start()
        time.sleep(2)

        def handler(event, context):
            time.sleep(event)
        """
    )
    assert (lab.log, lab.timeline.now) == ([("warm\n", None, None)], 2 * SECOND)
    lab.call(sandbox, 0.5, request_id="one")
    lab.call(sandbox, 0.5, request_id="two")
    lab.call(sandbox, 0.5, request_id="three")
    assert lab.log[1:] == [("warmer\n", None, "two")]


def test_many_that_were_due_go_on_in_their_order(lab: Lab) -> None:
    """Those that were due meanwhile are due at the same instant, in the order in which they became due."""
    order: list[Any] = []

    def handler(event: Any, context: Any) -> None:
        if event == "start":
            for seconds in (3, 1, 2):
                threading.Thread(target=lambda s=seconds: (time.sleep(s), order.append((s, time.monotonic())))).start()
        else:
            time.sleep(0.1)

    sandbox = lab.sandbox(handler)
    lab.call(sandbox, "start")
    lab.timeline.run(until=10 * SECOND)
    lab.call(sandbox)
    assert order == [(1, 10.0), (2, 10.0), (3, 10.0)]


def test_a_callback_that_comes_while_it_is_frozen(lab: Lab) -> None:
    """What a thread waits for outside (an answer of AWS) reaches it at the thaw."""
    wakes: list[Any] = []
    woken: list[float] = []

    def handler(event: Any, context: Any) -> None:
        if not wakes:
            actor = lab.timeline.actor
            assert actor is not None
            threading.Thread(target=lambda: (actor.wait(wakes.append), woken.append(time.monotonic()))).start()
        time.sleep(1)

    sandbox = lab.sandbox(handler)
    lab.call(sandbox)
    lab.timeline.at(5 * SECOND, lambda _: wakes[0]())
    lab.timeline.run(until=9 * SECOND)
    assert woken == []
    lab.call(sandbox)
    assert woken == [9.0]


def test_the_deadline_of_an_invocation_holds_for_its_threads(lab: Lab) -> None:
    """A thread whose sleep ends at the instant of the timeout does nothing any more."""
    done: list[float] = []

    def handler(event: Any, context: Any) -> None:
        for seconds in (2.9, 3, 3.1):
            threading.Thread(target=lambda s=seconds: (time.sleep(s), done.append(s))).start()
        time.sleep(60)

    assert lab.call(lab.sandbox(handler)).status == "timeout"
    assert done == [2.9]


def test_a_run_with_threads_that_nobody_waits_for() -> None:
    """The run ends when nothing is pending; a reused environment goes on, a new one knows nothing of the thread."""

    def handler(event: Any, context: Any) -> int:
        threading.Thread(target=lambda: (time.sleep(30), print("late"))).start()
        time.sleep(event)
        return threading.active_count()

    with Simulation() as sim:
        function = sim.function("f", handler=handler, timeout=60, simulate={"idle_timeout": "10m"})
        assert function.invoke(1).json() == 2
        sim.run()
        assert sim.now < 2 * SECOND
        sim.run(for_="1m")
        assert function.invoke(1).json() == 2, "the first thread went on at once, and ended"
        sim.run(for_="20m")
        assert function.invoke(1).json() == 2, "the environment was reclaimed meanwhile"
        late = [row for row in sim.rows.log_lines if row[-1] == "late\n"]
        assert len(late) == 1
