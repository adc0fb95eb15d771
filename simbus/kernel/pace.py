"""Real time: a timeline that keeps in step with a wall clock."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TypeVar

from simbus.errors import StalledError, UsageError
from simbus.kernel.timeline import SECOND, Timeline

T = TypeVar("T")
_DAY = 86_400.0  # s, the longest single wait: epoll takes no more than 24 days


class WallClock:
    """Real time as an argument. A test's wall clock moves only when somebody waits."""

    def now(self) -> float:
        """Seconds since any fixed moment."""
        return time.monotonic()

    def wait(self, how: Callable[[float | None], T], seconds: float | None) -> T:
        """Wait by `how(seconds)`, which may return early; None waits for ever. A test calls `how(0)` and moves on."""
        return how(seconds)


WALL = WallClock()


class Pace:
    """Keeps `timeline` in step with `wall`: `speed` virtual seconds per real second. UsageError for a bad speed."""

    def __init__(self, timeline: Timeline, speed: float, wall: WallClock = WALL) -> None:
        if not (math.isfinite(speed) and speed > 0):
            raise UsageError(
                f"speed is {speed!r}; it is the number of virtual seconds per real second, finite and above 0. "
                "Give 1 for real time or 60 for a minute a second, or leave it out for virtual time."
            )
        self._timeline = timeline
        self._speed = speed
        self._wall = wall
        self.start()

    def start(self) -> None:
        """From this moment on virtual time passes with the wall clock."""
        self._wall_origin = self._wall.now()
        self._origin = self._timeline.now

    def wait(self, how: Callable[[float | None], T], when: int | None) -> T:
        """Wait by `how` until the virtual instant `when` (None: for ever), or less; bring the timeline up to date."""
        heard = self._wall.wait(how, None if when is None else min(max(0.0, self._left(when)), _DAY))
        self._follow(when)
        return heard

    def poll(self, how: Callable[[float | None], T]) -> T:
        """Call `how` without waiting; bring the timeline up to date."""
        heard = self._wall.wait(how, 0.0)
        self._follow(self._timeline.peek())
        return heard

    def is_due(self, when: int) -> bool:
        """Whether the wall clock has reached the virtual instant `when`."""
        return self._left(when) <= 0

    def _left(self, when: int) -> float:
        return self._wall_origin + (when - self._origin) / SECOND / self._speed - self._wall.now()

    def _follow(self, limit: int | None) -> None:
        """What starts now starts at the wall clock's now, not at the last entry's; but never past the next entry."""
        now = self._origin + int((self._wall.now() - self._wall_origin) * self._speed * SECOND)
        self._timeline.pass_to(now if limit is None else min(now, limit))


def play(timeline: Timeline, unfinished: Callable[[], bool], speed: float, *, wall: WallClock = WALL) -> None:
    """Play as long as `unfinished()` is true, `speed` virtual seconds per second of `wall`, without an event loop.

    A signal interrupts a wait. Raises StalledError if the timeline runs dry before, UsageError for a bad speed.
    """
    pace = Pace(timeline, speed, wall)
    while unfinished():
        when = timeline.peek()
        if when is None:
            timeline.check_finished()
            raise StalledError(
                f"at {timeline.now / SECOND:.3f} s of virtual time nothing is scheduled, but the run is unfinished. "
                "Nothing can happen any more: schedule what it waits for, or give the wait a timeout."
            )
        pace.wait(_sleep, when)
        if pace.is_due(when):
            timeline.step()


def _sleep(seconds: float | None) -> None:
    if seconds:
        time.sleep(seconds)
