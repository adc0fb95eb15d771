"""How one notification of a bucket gets to its target, and what happens where that is out of service."""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from simbus.bus import Bus
from simbus.errors import AwsError
from simbus.kernel import HOUR, MINUTE, SECOND, Timeline
from simbus.model import ChangeEvent
from simbus.sources.s3.notifications import Configuration
from simbus.sources.s3.record import CONFIGURATION_MARK
from simbus.world import Delivery, World

SERVICE: Final = "s3.amazonaws.com"
FIRST_RETRY: Final = SECOND
LONGEST_PAUSE: Final = 5 * MINUTE
LONGEST_EFFORT: Final = 6 * HOUR


class Parcel(NamedTuple):
    """A delivery that is tried again: when it was first tried, and the pause before the next try."""

    delivery: Delivery
    event: ChangeEvent
    since: int
    pause: int


class Attempt:
    """What a bucket tells its notifications beyond the change event itself."""

    __slots__ = ("trace_duration",)

    def __init__(self) -> None:
        self.trace_duration: int | None = None


class Sender:
    """The way to one target of a bucket.

    A target that answers 5xx is tried again. S3 does not document its schedule; assumed here: after 1 s, doubling up
    to 5 minutes, for 6 hours. A 4xx, or a target that is gone, is final: the event is dropped. `settles`: whether a
    delivery is settled when it has been handed over; a function settles it itself, when it has run.
    """

    def __init__(self, world: World, bus: Bus, to: str, name: str, *, settles: bool) -> None:
        self.name = name
        self._world = world
        self._timeline: Timeline = world.timeline
        self._bus = bus
        self._to = to
        self._settles = settles
        self._waiting: dict[str, Parcel] = {}

    def _send(self, delivery: Delivery, event: ChangeEvent) -> None:
        """Try for the first time."""
        error = self._world.hand_over(self._to, delivery)
        if error is not None:
            self._refused(Parcel(delivery, event, self._timeline.now, FIRST_RETRY), error)
        elif self._settles:
            self._bus.settle(event, self.name, "ok")

    def _refused(self, parcel: Parcel, error: AwsError) -> None:
        if error.status < 500:
            self._drop(parcel.event, str(error))
            return
        when = self._timeline.now + parcel.pause
        if when > parcel.since + LONGEST_EFFORT:
            self._drop(parcel.event, f"{error}; given up after {LONGEST_EFFORT // HOUR} h")
            return
        self._bus.hop(parcel.event.id, "delivery_retry", self.name, f"{error}; again in {parcel.pause / SECOND:.0f} s")
        self._waiting[parcel.event.id] = parcel
        self._timeline.at(when, self._again, parcel)

    def _again(self, parcel: Parcel) -> None:
        del self._waiting[parcel.event.id]
        error = self._world.hand_over(self._to, parcel.delivery)
        if error is not None:
            self._refused(parcel._replace(pause=min(2 * parcel.pause, LONGEST_PAUSE)), error)
        elif self._settles:
            self._bus.settle(parcel.event, self.name, "ok")

    def _drop(self, event: ChangeEvent, reason: str) -> None:
        self._bus.hop(event.id, "dropped", self.name, reason)
        self._bus.settle(event, self.name, "dropped")

    def hold(self) -> None:
        """The run ends: what still waits for a retry is held."""
        for parcel in self._waiting.values():
            self._bus.settle(parcel.event, self.name, "held")


class Notification(Sender):
    """One configuration at work: a subscription of the bucket's change events."""

    def __init__(
        self, world: World, bus: Bus, arn: str, configuration: Configuration, name: str, attempt: Attempt
    ) -> None:
        super().__init__(world, bus, configuration.arn, name, settles=configuration.kind.service != "lambda")
        self.configuration = configuration
        self._arn = arn
        self._attempt = attempt
        self._types = configuration.types
        self._prefix = configuration.prefix
        self._suffix = configuration.suffix
        self._marked = f'"configurationId":{msgspec.json.encode(configuration.id).decode()},{CONFIGURATION_MARK}'

    def offer(self, event: ChangeEvent) -> None:
        """Deliver the event, if it is one of the types and its key passes the filter."""
        if event.type not in self._types:
            return
        key = event.subject or ""
        if not (key.startswith(self._prefix) and key.endswith(self._suffix)):
            return
        delivery = Delivery(
            f'{{"Records":[{event.data.replace(CONFIGURATION_MARK, self._marked, 1)}]}}',
            SERVICE,
            self._arn,
            event=event,
            subscription=self.name,
            trace_duration=self._attempt.trace_duration,
        )
        self._send(delivery, event)
