"""Python's own locks and SimpleQueue: inside a handler, waiting for one lets virtual time pass.

Their methods are replaced in the types themselves while a simulation runs, so that it does not matter where a lock was
made, nor who holds it: Condition, Event, Semaphore, Barrier, Queue, Future and import locks are Python on top of them.
Which of a handler's threads holds a lock is written down here: a lock that one of them holds is waited for in virtual
time, and an RLock, which in C knows threads of the operating system only, belongs to the thread that took it.

A lock that somebody else holds (another thread of the operating system, the test around the simulation) is waited for
in real time, and refused after PATIENCE. What is not seen: a bound method of a lock that was kept before the simulation
began (`acquire = lock.acquire`), and what such other threads release or put.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from types import BuiltinMethodType
from typing import TYPE_CHECKING, Any
from weakref import ref

from simbus.errors import UsageError
from simbus.functions.sandbox import state, waiting
from simbus.functions.sandbox.dispatch import Patch, patch, type_dict
from simbus.functions.sandbox.state import SandboxRefusal, user_line

if TYPE_CHECKING:
    from simbus.functions.sandbox.process import Sandbox
    from simbus.functions.sandbox.threads import SandboxThread

PATIENCE = 5.0  # seconds of real time, for a lock that something outside of all handlers holds
FOREVER = 1 << 62

_Lock = type(threading.Lock())
_RLock = type(threading.RLock())
_SimpleQueue = queue.SimpleQueue
_lock, _rlock, _queue = type_dict(_Lock), type_dict(_RLock), type_dict(_SimpleQueue)
_real_acquire, _real_release = _lock["acquire"], _lock["release"]
_real_acquire_r, _real_release_r = _rlock["acquire"], _rlock["release"]
_real_save, _real_restore, _real_owned = _rlock["_release_save"], _rlock["_acquire_restore"], _rlock["_is_owned"]
_real_get, _real_put, _real_put_nowait = _queue["get"], _queue["put"], _queue["put_nowait"]
_get_ident = threading.get_ident


class _Hold(ref[Any]):
    """A lock that a handler's thread holds, without keeping it alive; of an RLock, how many times."""

    __slots__ = ("depth", "key", "owner")

    key: int
    owner: SandboxThread
    depth: int


def _take(lock: Any, owner: SandboxThread, depth: int = 1) -> None:
    _holds[id(lock)] = hold = _Hold(lock, _forget)
    hold.key, hold.owner, hold.depth = id(lock), owner, depth


def _forget(hold: Any) -> None:
    """A lock has died while it was held, as each one does that a `Condition.wait` timed out on."""
    key: int = hold.key
    if _holds.get(key) is hold:
        del _holds[key]


_holds: dict[int, _Hold] = {}


def _given_back(key: int) -> None:
    if waiting.lines and _get_ident() == state._thread:
        waiting.wake(key)


def _end(sandbox: Sandbox, timeout: float) -> int:
    """The instant at which a wait is over. One of less than a nanosecond must end, too: it may be what is left."""
    return FOREVER if timeout < 0 else sandbox.timeline.now + max(1, round(timeout * 1e9))


def _wait(lock: Any, sandbox: Sandbox, timeout: float, attempt: Callable[[], bool]) -> bool:
    """Wait for a lock that is held, in virtual time if a handler's thread holds it."""
    if timeout == 0:
        return False
    if id(lock) in _holds:
        return waiting.until(sandbox, lock, attempt, _end(sandbox, timeout))
    real = _real_acquire if isinstance(lock, _Lock) else _real_acquire_r
    if real(lock, True, PATIENCE):
        return True
    if timeout > 0:
        sandbox.pause(max(1, round(timeout * 1e9)))
        return attempt()
    raise SandboxRefusal(
        f"function {sandbox.config.name}, {user_line()}: a lock was waited for that something outside of the "
        f"simulation's handlers holds ({lock!r}); in virtual time nothing may wait for the real world, and it was not "
        f"given back within {PATIENCE:g} s. Take and release it inside handlers, or before the simulation runs."
    )


def _refuse_in_vain(lock: Any) -> None:
    """The test waits for a lock that a parked thread of a handler holds: that would go on only if the test did."""
    hold = _holds.get(id(lock))
    if hold is not None and lock.locked() and _get_ident() == state._thread:
        owner = hold.owner
        raise UsageError(
            f"a lock was waited for outside of all handlers that function {owner.sandbox.config.name} holds at "
            f"{user_line(owner.frame)}; it could never be given back. Let the simulation run until it is free, or take "
            "it with a timeout."
        )


# --- Lock ----------------------------------------------------------------------------------------------------------


def _acquire(self: Any, blocking: bool = True, timeout: float = -1) -> bool:
    sandbox = state.current
    if sandbox is None or _get_ident() != state._thread or not _valid(blocking, timeout):
        if sandbox is None and _holds and blocking and timeout == -1:
            _refuse_in_vain(self)
        return _real_acquire(self, blocking, timeout)  # type: ignore[no-any-return]
    if not _real_acquire(self, False) and not (
        blocking and _wait(self, sandbox, timeout, lambda: _real_acquire(self, False))
    ):
        return False
    _take(self, sandbox.running)
    return True


def _valid(blocking: bool, timeout: float) -> bool:
    """Whether Python would accept these arguments; else it may say itself what is wrong."""
    return timeout == -1 or bool(blocking and 0 <= timeout <= threading.TIMEOUT_MAX)


def _enter(self: Any) -> bool:
    return _acquire(self)


def _release(self: Any) -> None:
    _real_release(self)
    if _holds:
        _holds.pop(id(self), None)
        _given_back(id(self))


def _exit(self: Any, *_: object) -> None:
    _release(self)


# --- RLock ---------------------------------------------------------------------------------------------------------


def _acquire_r(self: Any, blocking: bool = True, timeout: float = -1) -> bool:
    sandbox = state.current
    if sandbox is None or _get_ident() != state._thread or not _valid(blocking, timeout):
        return _real_acquire_r(self, blocking, timeout)  # type: ignore[no-any-return]
    hold, thread = _holds.get(id(self)), sandbox.running
    if hold is not None and hold.owner is thread:
        hold.depth += 1
        return bool(_real_acquire_r(self))
    if not _attempt_r(self) and not (blocking and _wait(self, sandbox, timeout, lambda: _attempt_r(self))):
        return False
    _take(self, thread)
    return True


def _attempt_r(lock: Any) -> bool:
    return id(lock) not in _holds and _real_acquire_r(lock, False)


def _enter_r(self: Any) -> bool:
    return _acquire_r(self)


def _release_r(self: Any) -> None:
    hold = _holds.get(id(self))
    if hold is None or not _inside():
        _real_release_r(self)
        return
    if not _own(hold):
        raise RuntimeError("cannot release un-acquired lock")
    _real_release_r(self)
    hold.depth -= 1
    if not hold.depth:
        del _holds[hold.key]
        _given_back(hold.key)


def _exit_r(self: Any, *_: object) -> None:
    _release_r(self)


def _release_save(self: Any) -> Any:
    """`Condition.wait` gives an RLock back as a whole."""
    if _inside() and not _is_owned(self):
        raise RuntimeError("cannot release un-acquired lock")
    saved = _real_save(self)
    if _inside() and _holds.pop(id(self), None) is not None:
        _given_back(id(self))
    return saved


def _acquire_restore(self: Any, saved: Any) -> None:
    if _inside():
        _acquire_r(self)
        _real_release_r(self)
        _holds[id(self)].depth = saved[0]
    _real_restore(self, saved)


def _is_owned(self: Any) -> bool:
    hold = _holds.get(id(self))
    if hold is None or not _inside():
        return _real_owned(self)  # type: ignore[no-any-return]
    return _own(hold)


def _inside() -> bool:
    return state.current is not None and _get_ident() == state._thread


def _own(hold: _Hold) -> bool:
    return state.current is not None and hold.owner is state.current.running


# --- SimpleQueue ---------------------------------------------------------------------------------------------------


def _get(self: Any, block: bool = True, timeout: float | None = None) -> Any:
    sandbox = state.current
    if sandbox is None or _get_ident() != state._thread or not block or (timeout is not None and timeout < 0):
        return _real_get(self, block, timeout)
    if not self.qsize() and timeout != 0:
        waiting.until(sandbox, self, self.qsize, _end(sandbox, -1 if timeout is None else timeout))
    return _real_get(self, False)


def _put(self: Any, item: Any, block: bool = True, timeout: float | None = None) -> None:
    _real_put(self, item)
    _given_back(id(self))


def _put_nowait(self: Any, item: Any) -> None:
    _real_put_nowait(self, item)
    _given_back(id(self))


# --- Condition -----------------------------------------------------------------------------------------------------


def _wait_for_condition(sandbox: Sandbox, condition: Any, timeout: float | None = None) -> bool:
    """Python's own `Condition.wait`. One made before the simulation began keeps methods of the real RLock."""
    kept = condition.__dict__
    if type(kept.get("_release_save")) is BuiltinMethodType:
        for name in ("acquire", "release", "_release_save", "_acquire_restore", "_is_owned"):
            kept[name] = getattr(kept["_lock"], name)
    if timeout is not None and timeout <= 0:
        sandbox.running.spin(step_aside=False)
    return _real_wait(condition, timeout)


_real_wait = threading.Condition.wait


def patches() -> list[Patch]:
    """What is replaced in classes that are made in Python."""
    return patch(threading.Condition, "wait", _wait_for_condition)


def type_patches() -> list[tuple[type, str, Any, Any]]:
    """(type, name, new, old) for the methods of the three types."""
    new: list[tuple[type, dict[str, Any]]] = [
        (_Lock, {"__enter__": _enter, "__exit__": _exit}),
        (_Lock, dict.fromkeys(("acquire", "acquire_lock"), _acquire)),
        (_Lock, dict.fromkeys(("release", "release_lock"), _release)),
        (_RLock, {"__enter__": _enter_r, "__exit__": _exit_r, "acquire": _acquire_r, "release": _release_r}),
        (_RLock, {"_release_save": _release_save, "_acquire_restore": _acquire_restore, "_is_owned": _is_owned}),
        (_SimpleQueue, {"get": _get, "put": _put, "put_nowait": _put_nowait}),
    ]
    return [(cls, name, patched, type_dict(cls)[name]) for cls, names in new for name, patched in names.items()]
