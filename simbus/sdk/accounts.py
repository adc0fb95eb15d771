"""Which simulation a call belongs to: that of the handler which calls; else the innermost `with Simulation()`."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from simbus.errors import UsageError
from simbus.functions.sandbox import state

if TYPE_CHECKING:
    from simbus.resources import Resources

_open: dict[int, Resources] = {}  # by the identity of their timeline
_entered: list[tuple[Resources, int]] = []  # with the thread that did


def add(account: Resources) -> None:
    """A simulation is open: its handlers are found by their timeline."""
    _open[id(account.world.timeline)] = account


def discard(account: Resources) -> None:
    """A simulation is closed."""
    _open.pop(id(account.world.timeline), None)
    leave(account)


def enter(account: Resources) -> None:
    """From now on calls outside of handlers, in this thread, are meant for this account."""
    _entered.append((account, threading.get_ident()))


def leave(account: Resources) -> None:
    """Undo `enter`."""
    for index in reversed(range(len(_entered))):
        if _entered[index][0] is account:
            del _entered[index]
            return


def any_open() -> bool:
    """Whether a simulation is open."""
    return bool(_open)


def is_open(account: Resources) -> bool:
    """Whether its simulation is open."""
    return _open.get(id(account.world.timeline)) is account


def current() -> Resources | None:
    """The account that a call which is made now is meant for; None where it is none of ours.

    Raises UsageError for a call from a thread that a test started: it would come at no certain instant of virtual time.
    """
    sandbox = state.here()
    if sandbox is not None:
        return _open.get(id(sandbox.timeline))
    if not _entered:
        return None
    account, thread = _entered[-1]
    if thread != threading.get_ident():
        raise UsageError(
            "boto3 was called in a thread of the test while a simulation is open; there a call has no instant in "
            "virtual time. Call it in the thread of the simulation, or start the thread inside a handler."
        )
    return account
