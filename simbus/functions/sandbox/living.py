"""Which processes there are: those alive, and those whose greenlets would not unwind."""

from __future__ import annotations

import sys
import weakref
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from simbus.functions.sandbox.process import Sandbox

alive: weakref.WeakSet[Sandbox] = weakref.WeakSet()
_parked: list[Sandbox] = []  # they are never let go: their greenlets would be unwound outside of any sandbox
_import_locks: dict[str, Any] = vars(sys.modules["importlib._bootstrap"])["_module_locks"]


class LogSink(Protocol):
    """Where the lines of an environment go: one call, one log event at this virtual instant."""

    def emit(self, message: str, level: str | None, request_id: str | None) -> None: ...


class Ending(NamedTuple):
    """Why the process is gone: `timeout`, `exit` or `killed`. `reason` of an exit: its status, or a signal's name."""

    status: str
    reason: int | str | None = None


def parked_for_ever() -> int:
    """How many greenlets of this process would not unwind, and stay parked."""
    return len(_parked)


def park_for_ever(sandbox: Sandbox, ident: int) -> None:
    """Keep the greenlet of a thread that will not unwind. Nobody is to wait for the modules that it was importing."""
    _parked.append(sandbox)
    alive.discard(sandbox)
    for name, reference in list(_import_locks.items()):
        if getattr(reference(), "owner", None) == ident:
            _import_locks.pop(name, None)


def kill_all() -> None:
    """Kill every process that is still alive, in the order in which they were made."""
    for sandbox in sorted(alive, key=lambda s: s.number):
        sandbox.kill()
