"""A schedule at work: it fires a rule at its instants. Nobody waits for it: it does not hold a run open.

A rule that fires gets an event of its own, which no other rule sees and no archive keeps. AWS fires "within that
minute, but not on the precise 0th second"; here it is the 0th second.
"""

from __future__ import annotations

from collections.abc import Callable

from simbus.sources.eventbridge.cron import Schedule
from simbus.world import World

DETAIL_TYPE = "Scheduled Event"
SOURCE = "aws.events"


class Ticker:
    """Calls `fire()` whenever the schedule is due, from `start` to `stop`. A rate counts from `start`."""

    def __init__(self, world: World, schedule: Schedule, fire: Callable[[], None]) -> None:
        self._world = world
        self._schedule = schedule
        self._fire = fire
        self._token: int | None = None
        self._since = 0

    def start(self) -> None:
        if self._token is None:
            self._since = self._world.timeline.now
            self._plan()

    def stop(self) -> None:
        if self._token is not None:
            self._world.timeline.cancel(self._token)
            self._token = None

    def _plan(self) -> None:
        epoch, timeline = self._world.epoch_ns, self._world.timeline
        due = self._schedule.next_after(epoch + timeline.now, epoch + self._since)
        if due is not None:
            self._token = timeline.background(due - epoch, self._tick)

    def _tick(self, _: None) -> None:
        self._token = None
        self._plan()
        self._fire()
