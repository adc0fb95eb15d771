"""The end of an environment: nothing that it still does has any effect, as if its process were killed."""

import io
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from sandboxes import REQUEST, Lab, laboratory

from simbus.functions.sandbox import parked_for_ever
from simbus.kernel import SECOND


class Queue:
    """What a source does at each operation: it asks the actor whether it is alive."""

    def __init__(self, lab: Lab) -> None:
        self.sent: list[Any] = []
        self._timeline = lab.timeline

    def send(self, message: Any) -> None:
        if self._timeline.actor is not None:
            self._timeline.actor.pause(0)
        self.sent.append(message)


def timed_out(seconds: str) -> str:
    message = f"RequestId: {REQUEST} Error: Task timed out after {seconds} seconds"
    return f'{{"errorType":"Sandbox.Timedout","errorMessage":"{message}"}}'


def test_timeout_sends_nothing_any_more(lab: Lab, tmp_path: Path) -> None:
    """`finally: queue.send()` after a timeout sends nothing; neither do print, files, variables or another sleep."""
    queue = Queue(lab)
    note = tmp_path / "note"

    def handler(event: Any, context: Any) -> None:
        file = open(tmp_path / "buffered", "w")  # noqa: SIM115 - it is left open on purpose
        file.write("never flushed")
        try:
            time.sleep(60)
        except Exception:
            queue.send("except")
        finally:
            for act in (lambda: queue.send("finally"), lambda: print("bye"), lambda: note.write_text("x")):
                try:
                    act()
                except BaseException:
                    continue
            file.write("more")
            file.close()
            queue.send("last")

    outcome = lab.call(lab.sandbox(handler))
    assert (outcome.status, outcome.payload) == ("timeout", timed_out("3.00"))
    assert lab.timeline.now == 3 * SECOND
    assert (queue.sent, lab.log.text, note.exists()) == ([], "", False)
    assert (tmp_path / "buffered").read_text() == ""


def test_a_sleep_that_ends_at_the_deadline_is_too_long(lab: Lab) -> None:
    """At the very instant of the timeout the environment is gone; a nanosecond earlier it is not."""
    sandbox = lab.sandbox(lambda event, context: time.sleep(event))
    assert lab.call(sandbox, 2.999).status == "ok"
    assert lab.call(sandbox, 3).status == "timeout"
    assert not sandbox.alive


def test_a_parked_wait_ends_at_the_deadline(lab: Lab) -> None:
    """A handler that waits for something that does not come times out; one that is woken goes on."""
    wakes: list[Any] = []

    def handler(event: Any, context: Any) -> float:
        assert lab.timeline.actor is not None
        lab.timeline.actor.wait(wakes.append)
        return time.monotonic()

    sandbox = lab.sandbox(handler)
    outcomes = lab.begin(sandbox)
    lab.timeline.after(SECOND, lambda _: wakes[0]())
    lab.timeline.run()
    assert outcomes[0].payload == "1.0"
    assert lab.call(sandbox).status == "timeout"
    wakes[1]()
    wakes[0]()
    lab.timeline.run()


def test_a_wait_that_is_over_at_once(lab: Lab) -> None:
    """Where the callback is called while the wait begins, nothing parks."""

    def handler(event: Any, context: Any) -> float:
        assert lab.timeline.actor is not None
        lab.timeline.actor.wait(lambda wake: wake())
        return time.monotonic()

    assert lab.result(lab.sandbox(handler)) == 0.0


def test_code_that_will_not_end_stays_parked(lab: Lab) -> None:
    """A loop that swallows everything is left where it is, and counted."""
    before = parked_for_ever()

    def handler(event: Any, context: Any) -> None:
        while True:
            try:
                time.sleep(60)
            except BaseException:
                continue

    sandbox = lab.sandbox(handler)
    assert lab.call(sandbox).status == "timeout"
    assert not sandbox.unwound
    assert parked_for_ever() == before + 1


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("sys.exit()", "Runtime exited without providing a reason"),
        ("sys.exit(0)", "Runtime exited without providing a reason"),
        ("os._exit(0)", "Runtime exited without providing a reason"),
        ("sys.exit(3)", "Runtime exited with error: exit status 3"),
        ("os._exit(127)", "Runtime exited with error: exit status 127"),
        ("sys.exit('why')", "Runtime exited with error: exit status 1"),
        ("raise SystemExit(256 + 2)", "Runtime exited with error: exit status 2"),
        ("raise KeyboardInterrupt", "Runtime exited with error: signal: interrupt"),
        ("raise GeneratorExit", "Runtime exited with error: exit status 1"),
        ("os.abort()", "Runtime exited with error: signal: aborted"),
        ("os.kill(os.getpid(), 9)", "Runtime exited with error: signal: killed"),
        ("signal.raise_signal(15)", "Runtime exited with error: signal: terminated"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "Runtime exited with error: signal: segmentation fault"),
    ],
)
@pytest.mark.parametrize("where", ["handler", "import"])
def test_exits(lab: Lab, code: str, text: str, where: str) -> None:
    """Exits are Runtime.ExitError, in a handler and while importing (test_lambda_handler_exit, ..._runtime_exit)."""
    body = f"def handler(event, context):\n    {code}\n" if where == "handler" else code + "\n"
    sandbox = lab.app(f"import os, signal, sys\n{body}")
    request = REQUEST if where == "handler" else ""
    outcome = lab.call(sandbox) if where == "handler" else lab.failure
    assert outcome is not None
    message = f"RequestId: {request} Error: {text}"
    assert outcome.payload == f'{{"errorType":"Runtime.ExitError","errorMessage":"{message}"}}'
    assert (outcome.status, outcome.error_type, sandbox.alive) == ("exit", "Runtime.ExitError", False)


def test_exit_prints_its_last_words(lab: Lab) -> None:
    """Python prints the text of sys.exit('why'), and the trace of an exception that nobody catches, to stderr."""
    lab.call(lab.app("import sys\ndef handler(event, context):\n    sys.exit('why')\n"))
    assert lab.log.text == "why\n"
    lab.log.clear()
    lab.call(lab.app("def handler(event, context):\n    raise GeneratorExit('bye')\n"))
    lines = [message for message, _, __ in lab.log]
    assert (lines[0], lines[-1]) == ("Traceback (most recent call last):\n", "GeneratorExit: bye\n")
    assert '  File "/var/task/app.py", line 2, in handler\n' in lines
    assert "simbus" not in lab.log.text


def test_os_exit_does_not_unwind_with_effect(lab: Lab) -> None:
    """os._exit ends the process where it stands."""
    queue = Queue(lab)

    def handler(event: Any, context: Any) -> None:
        try:
            os._exit(5)
        finally:
            queue.send("finally")

    assert (
        lab.call(lab.sandbox(handler)).error_message
        == f"RequestId: {REQUEST} Error: Runtime exited with error: exit status 5"
    )
    assert queue.sent == []


def test_signal_handlers_belong_to_the_environment(lab: Lab) -> None:
    """A function may register a SIGTERM handler (graceful shutdown); the real process keeps its own."""
    real = signal.getsignal(signal.SIGTERM)

    def handler(event: Any, context: Any) -> list[Any]:
        got: list[Any] = []
        before = signal.signal(signal.SIGTERM, lambda number, frame: got.append(number))
        os.kill(os.getpid(), signal.SIGTERM)
        return [before == signal.SIG_DFL, got, callable(signal.getsignal(signal.SIGTERM))]

    assert lab.result(lab.sandbox(handler)) == [True, [15], True]
    assert signal.getsignal(signal.SIGTERM) is real


@pytest.mark.parametrize("parked", [True, False])
def test_kill(lab: Lab, parked: bool) -> None:
    """A killed process answers nothing, does nothing, and leaves nothing on the timeline."""
    queue = Queue(lab)

    def handler(event: Any, context: Any) -> None:
        try:
            time.sleep(1)
        finally:
            queue.send("finally")

    sandbox = lab.sandbox(handler)
    outcomes = lab.begin(sandbox) if parked else []
    sandbox.kill()
    sandbox.kill()
    lab.timeline.run()
    assert (outcomes, queue.sent, sandbox.alive, sandbox.unwound) == ([], [], False, True)
    assert lab.timeline.now == 0


def test_init_times_out(lab: Lab) -> None:
    """Code that sleeps longer than the init limit while it is imported: a timeout of the init."""
    lab.app("import time\ntime.sleep(11)\n")
    assert lab.failure is not None
    assert (lab.failure.status, lab.timeline.now) == ("timeout", 10 * SECOND)
    assert "Task timed out after 10.00 seconds" in lab.failure.payload


def test_generators_and_destructors_of_the_dead(tmp_path: Path) -> None:
    """What garbage collection still closes after the end, a generator or an object's __del__, has no effect."""
    with laboratory(tmp_path) as lab:
        sandbox = lab.app(
            """
            import time
            def numbers():
                try:
                    yield 1
                finally:
                    print("generator")
            class Thing:
                def __del__(self):
                    print("destructor")
            kept, thing = numbers(), Thing()
            next(kept)
            def handler(event, context):
                local = numbers()
                next(local)
                own = Thing()
                time.sleep(60)
            """
        )
        assert lab.call(sandbox).status == "timeout"
        assert lab.log.text == ""


def test_exceptions_of_the_callback_come_out(lab: Lab) -> None:
    """`done` is called outside of the greenlet: what it raises reaches who resumed it, and the sandbox lives on."""

    def fail(_: Any) -> None:
        raise ZeroDivisionError

    sandbox = lab.sandbox(lambda event, context: time.sleep(1))
    lab.begin(sandbox)
    sandbox._done = fail
    with pytest.raises(ZeroDivisionError):
        lab.timeline.run()
    assert lab.timeline.actor is None
    assert lab.call(sandbox).status == "ok"


def test_an_invocation_started_by_a_handler(lab: Lab) -> None:
    """One stack: a handler whose call starts another environment gets its own state back when that one parks."""
    seen: list[Any] = []

    def inner(event: Any, context: Any) -> str:
        os.environ["WHO"] = "inner"
        print("inner")
        time.sleep(1)
        print("inner again")
        return os.environ["WHO"]

    def outer(event: Any, context: Any) -> str:
        os.environ["WHO"] = "outer"
        seen.extend(lab.begin(second, timeout=3) or [None])
        print("outer")
        time.sleep(2)
        return os.environ["WHO"]

    from sandboxes import Log

    logs = Log(), Log()
    first, second = lab.sandbox(outer, log=logs[0]), lab.sandbox(inner, log=logs[1])
    assert lab.call(first).payload == '"outer"'
    assert (logs[0].text, logs[1].text) == ("outer\n", "inner\ninner again\n")
    assert lab.timeline.actor is None


def test_interrupt_of_the_console_ends_the_simulation(lab: Lab) -> None:
    """Ctrl-C while a handler runs is no outcome: it comes out of the run, whatever the handler catches."""

    def handler(event: Any, context: Any) -> None:
        while True:
            try:
                real_kill(real_pid, signal.SIGINT)
                io.StringIO().getvalue()
            except BaseException:
                continue

    sandbox = lab.sandbox(handler)
    with pytest.raises(KeyboardInterrupt):
        lab.begin(sandbox)
    assert not sandbox.alive
    assert sys.stdout is not sandbox.stdout


class _Hidden:
    """Keeps the real functions out of sight of the scan."""

    __slots__ = ("call",)

    def __init__(self, call: Any) -> None:
        self.call = call

    def __call__(self, *args: Any) -> Any:
        return self.call(*args)


real_kill, real_pid = _Hidden(os.kill), os.getpid()
