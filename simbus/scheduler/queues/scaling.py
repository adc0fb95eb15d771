"""How many batches of one queue may be in flight at once.

Sources: Developer Guide, "Configuring scaling behavior for SQS event source mappings" (five batches to begin with, up
to 300 more a minute while messages wait, 1,250 at most; MaximumConcurrency; provisioned mode: an event poller has up to
10 concurrent invocations, up to 1,000 more a minute) and "Handling errors for an SQS event source in Lambda" (fewer
after function errors and throttles; with ReportBatchItemFailures not after errors).

AWS does not say how it lowers the number. Here: by one for each batch that failed or was throttled, not below 2 (nor
below the minimum of provisioned mode), and it grows again when a minute has passed since. While no message waits it
falls with what is in flight, down to where it began (AWS: back to 5, and to 2 in a long quiet time; here 5 stay). The
growth is even: one more every 200 ms (60 ms). The throughput of an event poller, 1 MB a second, is not limited.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from simbus.kernel import MILLISECOND, MINUTE, Timeline
from simbus.scheduler.mappings.settings import MappingSettings

FIRST: Final = 5
MOST: Final = 1_250
LEAST: Final = 2
GROWTH: Final = 200 * MILLISECOND
PER_POLLER: Final = 10
PROVISIONED_GROWTH: Final = 60 * MILLISECOND
PAUSE: Final = MINUTE


class Scaling:
    """The limit of one mapping. `more(...)` is called when it has grown; `wanted()` says whether that would help."""

    def __init__(
        self, timeline: Timeline, settings: MappingSettings, wanted: Callable[[], bool], more: Callable[[], None]
    ) -> None:
        self._timeline = timeline
        self._wanted = wanted
        self._more = more
        self._paused_until = 0
        self._armed = False
        self._bounds(settings)
        self.limit = self._first

    def _bounds(self, settings: MappingSettings) -> None:
        pollers = settings.provisioned_poller_config
        if pollers is not None:
            self._first = self._least = PER_POLLER * pollers.minimum_pollers
            self._most = PER_POLLER * pollers.maximum_pollers
            self._growth = PROVISIONED_GROWTH
            return
        self._most = MOST if settings.maximum_concurrency is None else settings.maximum_concurrency
        self._first, self._least, self._growth = min(FIRST, self._most), LEAST, GROWTH

    def change(self, settings: MappingSettings) -> None:
        """Other bounds from now on; what is in flight above them is finished."""
        self._bounds(settings)
        self.limit = min(max(self.limit, self._first), self._most)

    def blocked(self) -> None:
        """Messages wait, and the limit stands in their way: grow in a while."""
        if not self._armed and self.limit < self._most:
            self._armed = True
            self._timeline.background(max(self._timeline.now + self._growth, self._paused_until), self._grow)

    def _grow(self, _: None) -> None:
        self._armed = False
        if not self._wanted():
            return
        if self._timeline.now < self._paused_until:
            self.blocked()
            return
        self.limit = min(self.limit + 1, self._most)
        self._more()

    def failed(self) -> None:
        """A batch failed or was throttled: one less, and no growth for a while."""
        self.limit = max(self._least, self.limit - 1)
        self._paused_until = self._timeline.now + PAUSE

    def idle(self, busy: int) -> None:
        """No message waits, and so many batches are in flight: no more than that, but what it began with."""
        if self.limit > self._first:
            self.limit = max(self._first, busy)
