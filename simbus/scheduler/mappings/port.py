"""The way from an event source mapping to its function: one batch, one synchronous invocation, one answer.

A poller knows its source and its retry rules; the function knows neither. Source: Developer Guide, "How Lambda
processes records from stream and queue-based event sources" (mappings invoke synchronously; a batch that is throttled
is the poller's to try again).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from simbus.errors import AwsError
from simbus.functions.function import Function
from simbus.functions.version import FunctionVersion
from simbus.model import Invocation, Lineage, Outcome, Throttled
from simbus.scheduler.mappings.filter import Criteria
from simbus.scheduler.mappings.settings import MappingSettings
from simbus.scheduler.recursion import RecursionGuard
from simbus.world import World, uuid

RECURSIVE = "RecursiveInvocation"
Answer = Outcome | Throttled
Done = Callable[[Invocation, Answer], None]


class Poller(Protocol):
    """Reads one source for one mapping. It acts on the timeline only: no call of it blocks.

    `port` is replaced when the mapping moves to another function: batches that are made from then on go there.
    """

    port: FunctionPort

    def start(self) -> None:
        """Begin to poll, or go on from the checkpoint."""

    def stop(self) -> None:
        """Take no new batch; what is in flight is finished."""

    def change(self, settings: MappingSettings, criteria: Criteria | None) -> None:
        """Go by other settings and filters from the next batch on."""

    def leave(self) -> None:
        """The mapping is deleted: stop for good; nothing that the source still holds is waited for any more."""

    def finish(self) -> None:
        """The run has ended: write down as `held` what is in hand, or unread."""


class FunctionPort:
    """Makes the invocations of one mapping. `qualifier` is the version or alias that it names (None: unqualified)."""

    def __init__(
        self, world: World, function: Function, recursion: RecursionGuard, qualifier: str | None, source_arn: str
    ) -> None:
        self._world = world
        self._timeline = world.timeline
        self._recursion = recursion
        self._source_arn = source_arn
        self._function = function
        self.qualifier = qualifier
        self._rng = world.timeline.rng(f"{function.name}/mappings/{source_arn}")

    @property
    def function(self) -> Function:
        """The function; where it was deleted and made again, the new one: a mapping knows it by its name."""
        if self._function.deleted:
            found: Any = self._world.targets.get(self._function.arn)
            self._function = getattr(found, "core", self._function)
        return self._function

    @property
    def _version(self) -> FunctionVersion:
        """The version that would run now."""
        function = self.function
        return function.versions.get(function.primary(self.qualifier), function.latest)

    @property
    def timeout(self) -> int:
        """The timeout of the version that would run now, in seconds."""
        return self._version.config.timeout

    @property
    def pending(self) -> int:
        """For how long this version is Pending still, in nanoseconds."""
        return (self._version.pending_until or self._timeline.now) - self._timeline.now

    def invoke(self, payload: str, done: Done, *, lineage: Lineage | None = None) -> Invocation:
        """Ask for one run of the function. `done(invocation, answer)` is called once, never before this returns.

        The answer is the Outcome of the run, or Throttled where none began: with AWS's ThrottleReason, with
        `RecursiveInvocation` where loop detection stopped it (`lineage`: the chain that led here), or with the code of
        the error where the function, its version or its alias is gone.
        """
        invocation = Invocation(
            uuid(self._rng),
            payload,
            done,
            done,
            qualifier=self.qualifier,
            source_arn=self._source_arn,
            queued_at=self._timeline.now,
            lineage=self._recursion.follow(lineage, self.function.arn),
        )
        self._timeline.after(0, self._place, invocation)
        return invocation

    def _place(self, invocation: Invocation) -> None:
        if self._recursion.stops(invocation.lineage, self.function):
            invocation.on_throttled(invocation, Throttled(RECURSIVE))
            return
        try:
            self.function.place(invocation)
        except AwsError as error:
            invocation.on_throttled(invocation, Throttled(error.code))
