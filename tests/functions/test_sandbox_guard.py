"""The guard ends a run whose handler burns CPU time for ever."""

import re
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from sandboxes import Lab, laboratory

from simbus.errors import GuardError
from simbus.functions.sandbox import Guard, install, uninstall

BURN = """
def handler(event, context):
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass
"""


def test_the_guard_names_function_request_and_line(tmp_path: Path) -> None:
    """Not even `except BaseException: pass` keeps the guard from ending the run (exit status 3)."""
    with laboratory(tmp_path, guard=0.2) as lab:
        sandbox = lab.app(BURN)
        said = r"function resize, request 8f507cfc.*, /var/task/app.py:[4-8]: .*0\.2 s"
        with pytest.raises(GuardError, match=said) as e:
            lab.begin(sandbox)
        assert e.value.exit_status == 3
        assert (sandbox.alive, sandbox.unwound, lab.timeline.actor) == (False, False, None)
        assert sys.stdout is not sandbox.stdout
        other = lab.app("def handler(event, context):\n    return 1\n")
        assert lab.result(other) == 1


@pytest.mark.parametrize("source", ["while True: pass\n", "import re\nre.match('(a*)*b', 'a' * 40)\n"])
def test_code_that_burns_while_it_is_imported(tmp_path: Path, source: str) -> None:
    """A loop at the top of a module is met as well; also one inside a regular expression."""
    with laboratory(tmp_path, guard=0.2) as lab, pytest.raises(GuardError, match=r"request \(init\), /var/task/app.py"):
        lab.app(source)


def test_time_of_many_invocations_does_not_add_up(tmp_path: Path) -> None:
    """The limit is for one stretch: each invocation, and each resumption, begins anew."""

    def handler(event: Any, context: Any) -> None:
        for _ in range(4):
            end = cpu() + 0.06
            while cpu() < end:
                pass
            time.sleep(0.1)

    with laboratory(tmp_path, guard=0.2) as lab:
        sandbox = lab.sandbox(handler)
        for _ in range(2):
            assert lab.call(sandbox).status == "ok"


def test_unwinding_that_burns_is_left_behind(tmp_path: Path) -> None:
    """A process that is gone and loops without end is parked after a second of CPU time; the run goes on."""

    def handler(event: Any, context: Any) -> None:
        try:
            time.sleep(60)
        finally:
            while True:
                pass

    with laboratory(tmp_path, guard=0.2) as lab:
        sandbox = lab.sandbox(handler)
        assert lab.call(sandbox).status == "timeout"
        assert not sandbox.unwound


def test_a_thread_of_the_handler_that_burns(tmp_path: Path) -> None:
    """A thread that computes for ever meets the guard as the handler does; the others of its process are gone."""
    source = """
        import threading, time

        def burn():
            time.sleep(1)
            while True:
                pass

        def handler(event, context):
            threads = [threading.Thread(target=work) for work in (burn, threading.Event().wait)]
            for thread in threads:
                thread.start()
            threads[0].join()
        """
    with laboratory(tmp_path, guard=0.2) as lab:
        sandbox = lab.app(source)
        lab.begin(sandbox)
        with pytest.raises(GuardError, match=r"function resize, request 8f507cfc.*, /var/task/app.py:[67]: "):
            lab.timeline.run()
        assert (sandbox.alive, sandbox.unwound, sandbox.threads, lab.timeline.actor) == (False, False, {}, None)
        assert lab.result(lab.app("def handler(event, context):\n    return 1\n")) == 1


def test_the_guard_in_another_thread(tmp_path: Path) -> None:
    """A simulation that does not run in the main thread is guarded by a watching thread."""
    errors: list[BaseException] = []

    def simulate() -> None:
        try:
            with laboratory(tmp_path, guard=0.2) as lab:
                lab.begin(lab.app(BURN))
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=simulate)
    thread.start()
    thread.join(60)
    assert re.match(r"function resize, request 8f507cfc.*/var/task/app.py:", str(errors[0]))
    assert isinstance(errors[0], GuardError)
    assert not [t for t in threading.enumerate() if t.name == "simbus-guard"]


def test_off_and_restored() -> None:
    """Without a limit there is no timer; afterwards the signal's handler and timer are what they were."""
    before = signal.getsignal(signal.SIGVTALRM)
    install(Guard(None))
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)
    install(Guard(30))
    assert signal.getitimer(signal.ITIMER_VIRTUAL)[1] == 1.0
    uninstall()
    uninstall()
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGVTALRM) == before


def test_off_under_a_debugger(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a trace function is set the guard looks away."""
    guard = Guard(0.1)
    from simbus.functions.sandbox import state

    sandbox = lab.sandbox(lambda event, context: None)
    monkeypatch.setattr(state, "current", sandbox)
    assert [guard.exceeded(0.0), guard.exceeded(0.05), guard.exceeded(0.11)] == [False, False, True]
    monkeypatch.setattr("simbus.functions.sandbox.guard.debugging", lambda: True)
    assert not guard.exceeded(9.0)


class _Hidden:
    """Keeps the real clock out of sight of the scan."""

    __slots__ = ("call",)

    def __init__(self, call: Any) -> None:
        self.call = call

    def __call__(self) -> Any:
        return self.call()


cpu = _Hidden(time.thread_time)
