"""The bus: sources publish change events on it, subscriptions receive them; what becomes of each is a row.

A subscription decides whether it wants an event and hands it to its target. What can't be handed over is retried or
given up by whoever owns the subscription; the bus only writes down what happened.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

from msgspec.structs import force_setattr

from simbus.kernel import MILLISECOND
from simbus.model import ChangeEvent
from simbus.world import World

FIRST_SENT = "first_sent"
"""The kind of the hop of an event that a client has sent before, when it was refused; its time is that of the first."""

FLUSH_EVENTS = 10_000  # invocations flush with their own rows; this is for a run that has only events


class Subscription(Protocol):
    """One receiver of a source's change events. `name` is what the rows call it: its target's short name."""

    name: str

    def offer(self, event: ChangeEvent) -> None:
        """Take the event, or leave it (a filter, a prefix, another event type)."""


class Bus:
    """Publishes change events to the subscriptions of their source, in the order in which those were made."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._timeline = world.timeline
        self._origin = world.epoch_ns
        self._rows = world.rows
        self._events = world.rows.events
        self._settlements = world.rows.settlements
        self._published = 0
        self._again: tuple[int, str] | None = None
        self._subscriptions: dict[str, list[Subscription]] = {}

    def subscribe(self, source: str, subscription: Subscription) -> None:
        """Receive every change event of a source (its short name, `s3:uploads`) from now on."""
        self._subscriptions.setdefault(source, []).append(subscription)

    def unsubscribe(self, source: str, subscription: Subscription) -> None:
        self._subscriptions[source].remove(subscription)

    def subscriptions(self, source: str) -> list[Subscription]:
        """Who receives the change events of a source now."""
        return list(self._subscriptions.get(source, ()))

    def publish(self, event: ChangeEvent) -> None:
        """Number the event, write it down, and offer it to every subscription of its source."""
        self._published = number = self._published + 1
        force_setattr(event, "number", number)
        self._events.append(
            (
                event.id,
                (self._origin + event.time) // MILLISECOND,
                event.source,
                event.type,
                event.subject,
                event.parent,
                event.data,
            )
        )
        if self._again is not None and event.parent is None:
            first, detail = self._again
            self._rows.hops.append((event.id, first, FIRST_SENT, event.source, detail))
        if event.parent is not None and self._world.recorder is not None:
            self._world.recorder.caused(event)
        if len(self._events) >= FLUSH_EVENTS and self._timeline.actor is None:
            self._rows.flush_if_full()  # may start threads, and none starts inside a handler
        for subscription in self._subscriptions.get(event.source, ()):
            subscription.offer(event)

    @contextmanager
    def sent_again(self, first: int, detail: str) -> Iterator[None]:
        """What comes from outside meanwhile is what a client that tries again sends; `first`: when it first did (ns).

        A hop says so: how old the event becomes counts from then on, for whoever waits for it.
        """
        self._again = (self._origin + first) // MILLISECOND, detail
        try:
            yield
        finally:
            self._again = None

    def settle(self, event: ChangeEvent | None, subscription: str, outcome: str, request_id: str | None = None) -> None:
        """Write down what a delivery came to, where no attempt that went well says it (`Invocation.subscription`).

        `outcome` is `ok` (processed, or put into a queue), `dead_letter` (in a DLQ or a failure destination),
        `dropped` (lost: given up with nowhere to go) or `held` (still waiting when the run ended). A synchronous call
        is its caller's business: `error` or `throttled` say what the caller was told; nothing of it is lost.
        """
        if event is not None:
            settled_at = None if outcome == "held" else (self._origin + self._timeline.now) // MILLISECOND
            number = self._rows.next_delivery()
            self._settlements.append((number, event.id, request_id, subscription, settled_at, outcome))

    def settle_id(self, event_id: str, subscription: str, outcome: str, request_id: str | None = None) -> None:
        """The same for a change event of which only the id is at hand."""
        settled_at = None if outcome == "held" else (self._origin + self._timeline.now) // MILLISECOND
        number = self._rows.next_delivery()
        self._settlements.append((number, event_id, request_id, subscription, settled_at, outcome))

    def settle_ids(
        self, event_ids: Iterable[str], subscription: str, outcome: str, request_id: str | None = None
    ) -> None:
        """The same for many change events at once."""
        settled_at = None if outcome == "held" else (self._origin + self._timeline.now) // MILLISECOND
        number = self._rows.next_delivery
        self._settlements.extend(
            [(number(), event_id, request_id, subscription, settled_at, outcome) for event_id in event_ids]
        )

    def hop(self, event_id: str | None, kind: str, place: str, detail: str | None = None) -> None:
        """Write down a step of an event's way that no other table tells, with its reason."""
        self._rows.hops.append((event_id, self._world.epoch_ms(), kind, place, detail))
