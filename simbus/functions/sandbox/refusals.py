"""What a handler cannot have in virtual time is refused by name; what would end the real process ends its own.

Subprocesses and sockets wait for the real world. `os._exit`, `os.kill` and `os.abort` end the environment.
"""

from __future__ import annotations

import _multiprocessing  # type: ignore[import-not-found]
import _thread
import atexit
import errno
import multiprocessing.process
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from simbus.functions.sandbox.dispatch import Patch, patch
from simbus.functions.sandbox.state import NETWORK, alive_here, refuse

if TYPE_CHECKING:
    from simbus.functions.sandbox.process import Sandbox

_RealSemaphore: Any = _multiprocessing.SemLock

PID = 8  # any small number: the runtime is one of the first processes of its environment
_PROCESS = "Call the work as a Python function, or replace it in the test."
_REAL_TIMER = "Use time.sleep, asyncio.timeout or context.get_remaining_time_in_millis(), which know virtual time."
_SIGNAL_NAMES = {
    signal.SIGABRT: "aborted",
    signal.SIGKILL: "killed",
    signal.SIGTERM: "terminated",
    signal.SIGINT: "interrupt",
    signal.SIGSEGV: "segmentation fault",
    signal.SIGBUS: "bus error",
    signal.SIGQUIT: "quit",
    signal.SIGHUP: "hangup",
}
_HARMLESS = (0, signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH)


def _refused(what: str, remedy: str) -> Callable[..., Any]:
    def virtual(_: Sandbox, *__: Any, **___: Any) -> Any:
        raise refuse(what, remedy)

    return virtual


def _refused_connection(_: Sandbox, connection: socket.socket, address: Any = None, *__: Any) -> Any:
    raise refuse(f"a connection to {_address(address)}", NETWORK)


def _refused_bind(_: Sandbox, connection: socket.socket, address: Any = None) -> Any:
    raise refuse(f"a socket that listens on {_address(address)}", NETWORK)


def _refused_datagram(_: Sandbox, connection: socket.socket, data: Any, *rest: Any) -> Any:
    raise refuse(f"a datagram to {_address(rest[-1] if rest else None)}", NETWORK)


def _refused_message(_: Sandbox, connection: socket.socket, buffers: Any, *rest: Any) -> Any:
    """`sendmsg` without an address is for a connection that exists: one end of a pair."""
    if len(rest) > 2 and rest[2] is not None:
        raise refuse(f"a datagram to {_address(rest[2])}", NETWORK)
    return _real_sendmsg(connection, buffers, *rest)


_real_sendmsg = socket.socket.sendmsg


def _refused_create(_: Sandbox, address: Any, *__: Any, **___: Any) -> Any:
    raise refuse(f"a connection to {_address(address)}", NETWORK)


def _refused_server(_: Sandbox, address: Any, **__: Any) -> Any:
    raise refuse(f"a socket that listens on {_address(address)}", NETWORK)


def _refused_name(_: Sandbox, host: Any = None, port: Any = None, *__: Any, **___: Any) -> Any:
    raise refuse(f"the network address of {_address((host, port) if port is not None else host)}", NETWORK)


def _address(address: Any) -> str:
    if isinstance(address, tuple) and len(address) >= 2:
        host = address[0].decode() if isinstance(address[0], bytes) else address[0]
        return f"{host}:{address[1]}"
    return str(address)


class _Semaphore(_RealSemaphore):  # type: ignore[misc]
    """Lambda has no /dev/shm: locks and queues of `multiprocessing` fail, and so do its Pool and ThreadPool.

    Seen on AWS: github.com/nalepae/pandarallel/issues/128, github.com/NygenAnalytics/scarf/pull/104 (ThreadPool).
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        if alive_here() is not None:
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
        return _RealSemaphore(*args, **kwargs)


def _exit(sandbox: Sandbox, status: int) -> None:
    sandbox.die(status & 0xFF)


def _abort(sandbox: Sandbox) -> None:
    sandbox.die(_SIGNAL_NAMES[signal.SIGABRT])


def _kill(sandbox: Sandbox, pid: int, number: int, /) -> None:
    if pid not in (PID, 0, -1, -PID):
        raise ProcessLookupError(3, os.strerror(3))
    _raise_signal(sandbox, number)


def _raise_signal(sandbox: Sandbox, number: int, /) -> None:
    """A handler that the function itself registered is called; else the process ends as the signal says."""
    action = sandbox.signals.get(number)
    if callable(action) and number != signal.SIGKILL:
        action(number, sys._getframe())
    elif action is not signal.SIG_IGN and number not in _HARMLESS:
        fallback = f"signal {int(number)}"
        sandbox.die(_SIGNAL_NAMES.get(number, fallback))  # type: ignore[call-overload]


def _interrupt_main(sandbox: Sandbox, number: int = signal.SIGINT, /) -> None:
    _raise_signal(sandbox, number)


def _signal(sandbox: Sandbox, number: int, action: Any) -> Any:
    if sandbox.running.number:
        raise ValueError("signal only works in main thread of the main interpreter")
    previous = sandbox.signals.get(number, signal.SIG_DFL)
    sandbox.signals[number] = action
    return previous


def _getsignal(sandbox: Sandbox, number: int) -> Any:
    default = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
    return sandbox.signals.get(number, default)


def _register(sandbox: Sandbox, function: Any, *args: Any, **kwargs: Any) -> Any:
    """A Lambda environment is killed, so what the user's own code registers never runs; a library's must."""
    if getattr(function, "__module__", None) in sandbox.modules:
        return function
    return _real_register(function, *args, **kwargs)


_real_register = atexit.register


def _ignore_environ(_: Sandbox, *__: Any) -> None:
    """The environment's own variables live in its own dict; the real process keeps its own."""


def patches() -> list[Patch]:
    """Everything that is refused or turned into the end of the environment."""
    process = _refused("a subprocess", _PROCESS)
    found = patch(subprocess.Popen, "__init__", process)
    found += patch(multiprocessing.process.BaseProcess, "start", process)
    found.append(Patch(_multiprocessing, "SemLock", _Semaphore, _RealSemaphore))
    for name in _process_names():
        found += patch(os, name, _refused(f"os.{name}", _PROCESS))
    return found + _socket_patches() + _ending_patches()


def _process_names() -> list[str]:
    prefixes = ("exec", "spawn", "posix_spawn", "fork")
    return ["system", *(n for n in dir(os) if n.startswith(prefixes) and callable(getattr(os, n)))]


def _socket_patches() -> list[Patch]:
    found = patch(socket.socket, "connect", _refused_connection) + patch(socket.socket, "bind", _refused_bind)
    found += patch(socket.socket, "connect_ex", _refused_connection)
    found += patch(socket.socket, "sendto", _refused_datagram)
    found += patch(socket.socket, "sendmsg", _refused_message)
    found += patch(socket, "create_connection", _refused_create)
    found += patch(socket, "create_server", _refused_server)
    for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr", "getnameinfo"):
        found += patch(socket, name, _refused_name)
    return found


def _ending_patches() -> list[Patch]:
    found = patch(os, "_exit", _exit) + patch(os, "abort", _abort) + patch(os, "kill", _kill)
    found += patch(os, "killpg", _kill) + patch(os, "getpid", lambda _: PID) + patch(os, "getppid", lambda _: 1)
    found += patch(signal, "raise_signal", _raise_signal) + patch(_thread, "interrupt_main", _interrupt_main)
    found += patch(signal, "signal", _signal) + patch(signal, "getsignal", _getsignal)
    for name in ("alarm", "setitimer", "pause", "sigwait", "sigtimedwait"):
        found += patch(signal, name, _refused(f"signal.{name}", _REAL_TIMER))
    found += patch(atexit, "register", _register)
    return found + patch(os, "putenv", _ignore_environ) + patch(os, "unsetenv", _ignore_environ)
