"""How a source hands its change events to functions, queues and topics; a target out of service is tried again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, ClassVar, Final, NamedTuple

from simbus.arn import short_name
from simbus.bus import Bus
from simbus.errors import AwsError, UsageError
from simbus.kernel import HOUR, MINUTE, SECOND, Timeline
from simbus.model import PLAIN, ChangeEvent
from simbus.services import Names
from simbus.sources.base import Source, operation, twin
from simbus.world import Delivery, Target, World

FIRST_RETRY: Final = SECOND
LONGEST_PAUSE: Final = 5 * MINUTE
LONGEST_EFFORT: Final = 6 * HOUR

Render = Callable[[ChangeEvent], str | None]
Subscriber = Annotated[str | Target, Names("lambda", "sqs", "sns")]


class Parcel(NamedTuple):
    """A delivery that is tried again: when it was first tried, and the pause before the next try."""

    delivery: Delivery
    event: ChangeEvent
    since: int
    pause: int


class Sender:
    """The way of a source's events to one target, the resource with the ARN `to`.

    A target that answers 5xx is tried again. S3 does not document its schedule, nor do most services; assumed here:
    after 1 s, doubling up to 5 minutes, for 6 hours. A 4xx, or a target that is gone, is final: the event is dropped.
    `settles`: whether a delivery is settled when it has been handed over; a function settles it itself, when it has
    run.
    """

    def __init__(self, world: World, bus: Bus, to: str, name: str, *, settles: bool) -> None:
        self.name = name
        self._world = world
        self._timeline: Timeline = world.timeline
        self._bus = bus
        self._to = to
        self._settles = settles
        self._waiting: dict[str, Parcel] = {}

    def send(self, delivery: Delivery, event: ChangeEvent) -> None:
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


class Subscription(Sender):
    """One receiver of a source's events. `render` makes of an event what it gets; None: it does not want that one."""

    def __init__(self, world: World, bus: Bus, source: Source, target: Target, render: Render) -> None:
        self.service = short_name(target.name)[0]
        super().__init__(world, bus, target.arn, target.name, settles=self.service != "lambda")
        self._principal = f"{source.service}.amazonaws.com"
        self._source_arn = source.arn
        self._render = render

    def offer(self, event: ChangeEvent) -> None:
        """Deliver the event, if it is wanted."""
        payload = self._render(event)
        if payload is not None:
            delivery = Delivery(payload, self._principal, self._source_arn, event=event, subscription=self.name)
            if payload is event.data:
                delivery.wrapping = PLAIN
            self.send(delivery, event)


class Subscribable(Source):
    """A source that hands its change events to functions (asynchronously), queues and topics.

    `subscriptions` are resources, or their names (`lambda:resize`, `sqs:failed`, an ARN). `targets`: the services that
    it can hand an event to.
    """

    targets: ClassVar[tuple[str, ...]] = ("lambda", "sqs", "sns")

    def __init__(self, world: World, bus: Bus, name: str, *, subscriptions: Sequence[Subscriber] = ()) -> None:
        super().__init__(world, bus, name)
        self._subscriptions: list[Subscription] = []
        self._ended: list[Subscription] = []
        for target in [self._target(each) for each in subscriptions]:
            self._subscribe(target, _data)

    @operation
    def subscribe(self, target: Subscriber) -> Subscription:
        """Hand every change event's data to a function, queue or topic from now on.

        Raises UsageError where there is no such resource, or one that can't be handed an event.
        """
        return self._subscribe(self._target(target), _data)

    asubscribe = twin(subscribe)

    @operation
    def unsubscribe(self, subscription: Subscription) -> None:
        """No event goes there any more; what still waits for a retry does."""
        self._unsubscribe(subscription)

    aunsubscribe = twin(unsubscribe)

    def _target(self, target: Subscriber) -> Target:
        """The resource that is meant. Raises UsageError where there is none, or one that can't be handed an event."""
        found = self._world.find(target) if isinstance(target, str) else target
        if found is None:
            raise UsageError(f"{self.name}: there is no {target} that it could send its events to. Make it first.")
        if short_name(found.name)[0] not in self.targets or found.name.endswith(".fifo"):
            wanted = ", ".join(f"{service}:name" for service in self.targets)
            raise UsageError(
                f"{self.name} can't send its events to {found.name}; it sends them to {wanted}, to no FIFO queue or "
                "topic. Name one of these."
            )
        return found

    def _subscribe(self, target: Target, render: Render) -> Subscription:
        subscription = Subscription(self._world, self._bus, self, target, render)
        self._subscriptions.append(subscription)
        self._bus.subscribe(self.name, subscription)
        return subscription

    def _unsubscribe(self, subscription: Subscription) -> None:
        self._bus.unsubscribe(self.name, subscription)
        self._subscriptions.remove(subscription)
        self._ended.append(subscription)

    def _emit(self, event_type: str, subject: str | None, data: str, event_id: str | None = None) -> ChangeEvent:
        """Something happened: publish it as a change event. `data` is the service's record, as JSON text."""
        parent, lineage = self._cause
        event = ChangeEvent(
            event_id or self._uuid(),
            self._timeline.now,
            self.name,
            self.arn,
            event_type,
            subject,
            parent,
            data,
            lineage,
        )
        self._bus.publish(event)
        return event

    def final_rows(self) -> None:
        """The run ends: events that still wait for a retry are held."""
        for subscription in (*self._ended, *self._subscriptions):
            subscription.hold()


def _data(event: ChangeEvent) -> str:
    return event.data
