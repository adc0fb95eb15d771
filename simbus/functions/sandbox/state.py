"""Which sandbox runs at this moment, and what is raised inside it. Everything else in this package builds on it.

`current` is read by every patched function. It is a global of the process; other threads (the log writer) are told
apart by `here()`, so that they always meet the real functions.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from simbus.errors import SimbusError

if TYPE_CHECKING:
    from simbus.functions.sandbox.process import Sandbox

TASK_ROOT = "/var/task"
NETWORK = "Call AWS through boto3, which the simulation answers itself, or replace the client in the test."
PACKAGE = __file__.rpartition("/functions/")[0] + "/"

current: Sandbox | None = None
_thread = 0
_get_ident = threading.get_ident


class SandboxRefusal(SimbusError, RuntimeError):
    """The handler asked for what cannot exist in virtual time (a subprocess, a socket); named in full.

    It is an ordinary exception inside the handler: what it does not catch is a function error of the run.
    """


class Dead(BaseException):
    """The process that this code runs in is gone. Raised by every patched call, again and again."""


def here() -> Sandbox | None:
    """The sandbox whose code calls, or None: the machinery, the user's test, or another thread."""
    sandbox = current
    if sandbox is None or _get_ident() != _thread:
        return None
    return sandbox


def alive_here() -> Sandbox | None:
    """Like `here`, but raises Dead where the process is gone (what it calls must have no effect any more)."""
    sandbox = current
    if sandbox is None or _get_ident() != _thread:
        return None
    if sandbox.ending is not None:
        sandbox.raise_dead()
    return sandbox


def enter(sandbox: Sandbox | None) -> None:
    """Say whose code runs from now on."""
    global current
    current = sandbox


def claim_thread() -> None:
    """Handlers run in this thread."""
    global _thread
    _thread = _get_ident()


@contextmanager
def outside() -> Iterator[None]:
    """Let the machinery use the real functions, although a handler's call led to it."""
    sandbox = here()
    if sandbox is None:
        yield
        return
    enter(None)
    try:
        yield
    finally:
        enter(sandbox)


def user_line(frame: FrameType | None = None) -> str:
    """`file:line` of the innermost frame that is neither simbus nor Python's own library."""
    frame = frame if frame is not None else sys._getframe(1)
    first = frame
    while frame is not None:
        name = frame.f_code.co_filename
        if not name.startswith((PACKAGE, "<")) and not is_library(name):
            return f"{name}:{frame.f_lineno}"
        frame = frame.f_back
    return f"{first.f_code.co_filename}:{first.f_lineno}"


def is_library(filename: str) -> bool:
    """Whether a file belongs to Python or to an installed package."""
    return filename.startswith(_LIBRARIES)


def refuse(what: str, remedy: str) -> SandboxRefusal:
    """The refusal of `what`, naming function and line; raise it."""
    sandbox = current
    name = sandbox.config.name if sandbox is not None else "?"
    return SandboxRefusal(
        f"function {name}, {user_line()}: {what} was asked for; in virtual time nothing may wait for the real "
        f"world. {remedy}"
    )


STDLIB = threading.__file__.rpartition("/")[0]
_LIBRARIES = (STDLIB + "/", *{p for p in sys.path if p.endswith(("site-packages", "dist-packages"))})
