"""Who waits for an object that only one can have: a lock, or the next item of a queue. First in, first out.

Whoever gives the object back wakes the first in the line, who then tries again: somebody else may have taken it in
between, as with Python's own locks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simbus.functions.sandbox.process import Sandbox
    from simbus.functions.sandbox.threads import SandboxThread

lines: dict[int, list[Place]] = {}  # by the id of the object, which whoever waits for it keeps alive


class Place:
    """The place of one thread in a line. `woken`: it was told to try, and has not yet done so."""

    __slots__ = ("key", "thread", "woken")

    def __init__(self, key: int, thread: SandboxThread) -> None:
        self.key = key
        self.thread = thread
        self.woken = False


def until(sandbox: Sandbox, thing: Any, attempt: Callable[[], bool], end: int) -> bool:
    """Park the running thread until `attempt()` is true; False where it still is not at the instant `end`."""
    if sandbox.ending is not None:
        sandbox.raise_dead()
    thread = sandbox.running
    place = thread.place = Place(id(thing), thread)
    line = lines.setdefault(place.key, [])
    line.append(place)
    had = False
    try:
        while not had:
            place.woken = False
            thread.park(end)
            had = attempt()
            if not had and sandbox.timeline.now >= end:
                return False
        return True
    finally:
        thread.place = None
        line.remove(place)
        if not line:
            del lines[place.key]
        elif place.woken and not had:
            wake(place.key)


def wake(key: int) -> None:
    """The object of that id is free, or has one item more: the first in its line may try.

    Those of a frozen environment come last: a library's lock may be shared by environments.
    """
    asleep = None
    for place in lines.get(key, ()):
        if place.woken:
            continue
        if not place.thread.sandbox.frozen:
            place.woken = True
            place.thread.ready()
            return
        asleep = asleep or place
    if asleep is not None:
        asleep.woken = True
        asleep.thread.ready()


def pass_on(thread: SandboxThread) -> None:
    """A thread is frozen. If it was to try for an object, the next in the line may."""
    if thread.place is not None and thread.place.woken:
        wake(thread.place.key)
