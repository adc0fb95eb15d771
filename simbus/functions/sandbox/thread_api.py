"""Python's threading inside a handler: its threads are those of the sandbox, on Python 3.11 to 3.13.

`threading.Thread` stays Python's own code. What it is built on is replaced: how a thread is started, what says that it
has ended (a lock up to 3.12, a handle from 3.13 on), which one runs. Names and hash values are counted per environment,
so that logs and the order of sets are the same in every run.
"""

from __future__ import annotations

import _thread
import concurrent.futures.thread
import threading
from collections.abc import Callable
from types import MethodType
from typing import TYPE_CHECKING, Any

from simbus.functions.sandbox import living, state
from simbus.functions.sandbox.dispatch import Patch, dispatcher, patch
from simbus.functions.sandbox.thread_locals import Local

if TYPE_CHECKING:
    from simbus.functions.sandbox.process import Sandbox
    from simbus.functions.sandbox.threads import SandboxThread

NATIVE_ID = 8  # of the main thread; the process id of the runtime, which any small number may be

_threading: Any = threading
_allocate = _thread.allocate_lock
_Executor: Any = concurrent.futures.ThreadPoolExecutor
_real_hash = object.__hash__


# --- starting ------------------------------------------------------------------------------------------------------


def _start(sandbox: Sandbox, function: Any, args: Any, kwargs: Any = None, /) -> int:
    """`_thread.start_new_thread`; `Thread.start` calls it with its own bound method up to Python 3.12."""
    if not callable(function):
        raise TypeError("first arg must be callable")
    if not isinstance(args, tuple):
        raise TypeError("2nd arg must be a tuple")
    if kwargs is not None and not isinstance(kwargs, dict):
        raise TypeError("optional 3rd arg must be a dictionary")
    thread = sandbox.start_thread(function, args, kwargs)
    thread.python = _thread_object(function)
    return thread.ident


def _start_joinable(sandbox: Sandbox, function: Any, handle: Any = None, daemon: bool = True) -> Any:
    """What `Thread.start` calls from Python 3.13 on."""
    thread = sandbox.start_thread(function)
    own = _Handle(thread)
    thread.python = _thread_object(function)
    if thread.python is not None:
        thread.python._handle = own
    return own


def _thread_object(function: Any) -> Any:
    owner = getattr(function, "__self__", None)
    return owner if isinstance(owner, threading.Thread) else None


class _Handle:
    """Stands for Python's own handle of a thread that can be joined."""

    def __init__(self, thread: SandboxThread) -> None:
        self.ident = thread.ident
        self._ended = _allocate()
        self._ended.acquire()
        thread.sentinel = self._ended

    def is_done(self) -> bool:
        return not self._ended.locked()

    def join(self, timeout: float | None = None) -> None:
        if self._ended.acquire(timeout=-1 if timeout is None else timeout):
            self._ended.release()

    def _set_done(self) -> None:
        if self._ended.locked():
            self._ended.release()


def _sentinel(sandbox: Sandbox) -> Any:
    """Up to Python 3.12: a lock that the thread itself takes at once, and that is released when it has ended."""
    lock = sandbox.running.sentinel = _allocate()
    return lock


def _invoker(sandbox: Sandbox) -> Callable[[Any], None]:
    """What a `Thread` calls when it fails: not `threading.excepthook` where it only ends with its process."""
    tell = _real_invoker()

    def invoke(python: Any) -> None:
        if sandbox.ending is None:
            tell(python)

    return invoke


_real_invoker = _threading._make_invoke_excepthook


# --- which one runs ------------------------------------------------------------------------------------------------


class _Main(threading._MainThread):  # type: ignore[name-defined,misc]
    """`threading.main_thread()` of an environment."""

    def __init__(self, thread: SandboxThread) -> None:
        _adopt(self, thread, "MainThread", False)

    def is_alive(self) -> bool:
        return True

    def join(self, timeout: float | None = None) -> None:
        """Wait for its end in vain."""
        if threading.current_thread() is self:
            raise RuntimeError("cannot join current thread")
        threading.Event().wait(timeout)


class _Bare(threading._DummyThread):
    """`threading.current_thread()` in a thread that was started without a `Thread`."""

    def __init__(self, thread: SandboxThread) -> None:
        _adopt(self, thread, _threading._newname("Dummy-%d"), True)

    def is_alive(self) -> bool:
        return True


def _adopt(python: Any, thread: SandboxThread, name: str, daemon: bool) -> None:
    threading.Thread.__init__(python, name=name, daemon=daemon)
    python._started.set()
    python._ident = thread.ident
    python._native_id = NATIVE_ID + thread.number


def _ident(_: Any) -> int:
    """`threading.get_ident`, asked for each line of a log. A bound method as well: see `dispatch`."""
    sandbox = state.current
    if sandbox is None or _real_ident() != state._thread:
        return _real_ident()
    return sandbox.running.ident


def _current() -> Any:
    """`threading.current_thread`."""
    sandbox = state.current
    if sandbox is None or _real_ident() != state._thread:
        return _real_current()
    thread = sandbox.running
    if thread.python is None:
        thread.python = _Bare(thread) if thread.number else _Main(thread)
    return thread.python


_real_ident, _real_current = threading.get_ident, threading.current_thread


def _main(sandbox: Sandbox) -> Any:
    main = sandbox.main
    if main.python is None:
        main.python = _Main(main)
    return main.python


def _enumerate(sandbox: Sandbox) -> list[Any]:
    return [_main(sandbox), *(t.python for t in sandbox.threads.values() if t.python is not None)]


def _enumerate_outside() -> list[threading.Thread]:
    """Python's own list, without the threads of handlers."""
    inside = {thread.python for sandbox in living.alive for thread in sandbox.threads.values()}
    return [thread for thread in _real_enumerate() if thread not in inside]


def _count_outside() -> int:
    return len(_enumerate_outside())


_real_enumerate = threading.enumerate


def _name(sandbox: Sandbox, template: str) -> str:
    """Python's numbers of threads without a name begin anew in each environment."""
    sandbox.named += 1
    return template % sandbox.named


class _ExecutorNumbers:
    """`ThreadPoolExecutor._counter`: the numbers of thread pools begin anew in each environment."""

    def __call__(self) -> int:
        sandbox = state.here()
        if sandbox is None:
            return _real_numbers()  # type: ignore[no-any-return]
        sandbox.executors += 1
        return sandbox.executors - 1


_real_numbers = _Executor._counter


# --- sets of threads and futures -----------------------------------------------------------------------------------


def _counted(cls: Any) -> list[Patch]:
    """Objects that a handler makes have a number as their hash, so that the order of a set of them is always the same.

    (`concurrent.futures.wait` returns sets, `as_completed` goes through one.)
    """
    real_init = cls.__init__

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        sandbox = state.here()
        if sandbox is not None:
            sandbox.counted += 1
            self._simbus_number = sandbox.counted
        real_init(self, *args, **kwargs)

    def hash_of(self: Any) -> int:
        return self.__dict__.get("_simbus_number") or _real_hash(self)

    return [Patch(cls, "__init__", init, real_init), Patch(cls, "__hash__", hash_of, cls.__hash__)]


# --- all of it -----------------------------------------------------------------------------------------------------


def patches() -> list[Patch]:
    """What `threading`, `_thread` and `concurrent.futures` have instead while a simulation runs."""
    found: list[Patch] = []
    for name in ("start_new_thread", "start_new"):
        found += patch(_thread, name, _start)
    found += patch(threading, "_start_new_thread", _start)
    found += patch(_thread, "start_joinable_thread", _start_joinable)
    found += patch(threading, "_start_joinable_thread", _start_joinable)
    found += _info(_thread, "_set_sentinel", _sentinel) + _info(threading, "_set_sentinel", _sentinel)
    found += patch(threading, "_make_invoke_excepthook", _invoker)
    ident = MethodType(_ident, _real_ident)
    for owner in (_thread, threading):
        found.append(Patch(owner, "get_ident", ident, _real_ident))
        found += _info(owner, "get_native_id", lambda sandbox: NATIVE_ID + sandbox.running.number)
    found.append(Patch(threading, "current_thread", _current, _real_current))
    found += _info(threading, "main_thread", _main)
    found += _info(threading, "enumerate", _enumerate, _enumerate_outside)
    found += _info(threading, "active_count", lambda sandbox: len(_enumerate(sandbox)), _count_outside)
    found += _info(threading, "_newname", _name)
    found.append(Patch(threading, "local", Local, threading.local))
    found.append(Patch(_Executor, "_counter", _ExecutorNumbers(), _real_numbers))
    return found + _counted(threading.Thread) + _counted(concurrent.futures.Future)


def _info(owner: Any, name: str, virtual: Callable[..., Any], outside: Callable[..., Any] | None = None) -> list[Patch]:
    """A patch of what is also told to a process that is gone: which thread runs, which there are."""
    old = getattr(owner, name, None)
    if old is None:
        return []
    return [Patch(owner, name, dispatcher(outside or old, virtual, always=True), old)]
