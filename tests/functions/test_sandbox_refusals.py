"""What cannot exist in virtual time is refused by name: function, what, line and remedy."""

import multiprocessing
import os
import signal
import socket
import subprocess
import threading
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from sandboxes import Lab

from simbus.errors import SimbusError
from simbus.functions.sandbox import SandboxRefusal


def nothing() -> None:
    """What a process would do."""


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "Process": (lambda: multiprocessing.Process(target=nothing).start(), "a subprocess"),
    "run": (lambda: subprocess.run(["ls"], check=False), "a subprocess"),
    "Popen": (lambda: subprocess.Popen("ls"), "a subprocess"),
    "system": (lambda: os.system("ls"), "os.system"),
    "popen": (lambda: os.popen("ls"), "a subprocess"),
    "fork": (lambda: os.fork(), "os.fork"),
    "execv": (lambda: os.execv("/bin/ls", ["ls"]), "os.execv"),
    "posix_spawn": (lambda: os.posix_spawn("/bin/ls", ["ls"], {}), "os.posix_spawn"),
    "connect": (lambda: socket.socket().connect(("db.example", 5432)), "a connection to db.example:5432"),
    "create_connection": (lambda: socket.create_connection(("example.com", 80)), "a connection to example.com:80"),
    "getaddrinfo": (lambda: socket.getaddrinfo("example.com", 443), "the network address of example.com:443"),
    "bind": (lambda: socket.socket().bind(("0.0.0.0", 8080)), "a socket that listens on 0.0.0.0:8080"),
    "urlopen": (lambda: urllib.request.urlopen("http://example.com/x"), "a connection to example.com:80"),
    "alarm": (lambda: signal.alarm(1), "signal.alarm"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_by_name(lab: Lab, name: str) -> None:
    """The refusal is an error of the function that names function, line, what was asked for and what to do."""
    call, what = REFUSED[name]

    def handler(event: Any, context: Any) -> None:
        call()

    outcome = lab.call(lab.sandbox(handler))
    message = outcome.error_message or ""
    assert (outcome.status, outcome.error_type) == ("error", "SandboxRefusal")
    assert message.startswith("function resize, ")
    assert f"test_sandbox_refusals.py:{call.__code__.co_firstlineno}: {what}" in message
    assert message.count(". ") >= 1


def test_refusals_are_ordinary_exceptions(lab: Lab) -> None:
    """A handler may catch the refusal as RuntimeError; it is one of simbus's own errors."""

    def handler(event: Any, context: Any) -> str:
        try:
            os.system("ls")
        except RuntimeError as error:
            return type(error).__name__
        return "started"

    assert lab.result(lab.sandbox(handler)) == "SandboxRefusal"
    assert issubclass(SandboxRefusal, SimbusError)


def test_other_threads_and_the_machinery_are_free(lab: Lab) -> None:
    """A thread of the machinery that runs beside a handler meets the real clock and the real files."""
    import time

    seen: list[float] = []
    go, done = threading.Event(), threading.Event()

    def beside() -> None:
        go.wait(10)
        seen.append(time.time())
        done.set()

    thread = threading.Thread(target=beside)
    thread.start()
    wait = done.wait

    def handler(event: Any, context: Any) -> float:
        go.set()
        while not done.is_set():
            pass
        return time.time()

    assert lab.result(lab.sandbox(handler)) == 1_767_225_600.0
    thread.join()
    assert seen[0] != 1_767_225_600.0
    assert wait(0)


def test_exit_functions_of_the_code_are_forgotten(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Lambda environment is killed: what its code registers with atexit does not run when simbus ends."""
    import atexit

    before = atexit._ncallbacks()  # type: ignore[attr-defined]
    lab.app("import atexit\n@atexit.register\ndef bye():\n    print('bye')\ndef handler(e, c):\n    return bye()\n")
    assert lab.failure is None
    assert atexit._ncallbacks() == before  # type: ignore[attr-defined]
