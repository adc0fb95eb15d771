"""How botocore waits and draws numbers outside of a handler: it plays the timeline, and draws from the seed.

Retries, waiters and the rate limiter of the adaptive mode do so. A handler needs none of this: it lives in the sandbox,
where `time`, `random` and `threading` are virtual.
"""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any, Final

from simbus.functions.sandbox import state
from simbus.kernel import SECOND
from simbus.sdk import accounts, hooks

if TYPE_CHECKING:
    from simbus.resources import Resources

_SHORTEST: Final = 1e-6  # seconds; `time.time()` does not see less pass


class Module:
    """A module with other things in it."""

    def __init__(self, name: str, **others: Any) -> None:
        self._real = sys.modules[name]
        self.__dict__.update(others)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def account() -> Resources | None:
    """The simulation whose time passes while somebody outside of a handler waits; None in a handler."""
    if state.here() is not None:
        return None
    return hooks.caller() or accounts.current()


def sleep(seconds: float) -> None:
    """A handler parks; a test lets the simulation play meanwhile."""
    found = account()
    if found is None:
        sys.modules["time"].sleep(seconds)
    else:
        timeline = found.world.timeline
        timeline.run(timeline.now + round(seconds * SECOND))


def time() -> float:
    """Seconds since 1970."""
    found = account()
    if found is None:
        seconds: float = sys.modules["time"].time()
        return seconds
    return (found.world.epoch_ns + found.world.timeline.now) / SECOND


def random() -> float:
    """A number from the sandbox's generator, or from one of the simulation's own."""
    found = account()
    if found is None:
        drawn: float = sys.modules["random"].random()
        return drawn
    return found.world.timeline.rng("aws/retry").random()


class Condition(threading.Condition):
    """What the adaptive mode waits for a token with. It waits until its sum says 0: so never for less than passes."""

    def wait(self, timeout: float | None = None) -> bool:
        seconds = None if timeout is None else max(timeout, _SHORTEST)
        if seconds is None or account() is None:
            return super().wait(seconds)
        self.release()
        try:
            sleep(seconds)
        finally:
            self.acquire()
        return False
