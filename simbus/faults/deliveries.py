"""Faults of deliveries: what comes twice, and what later ones overtake."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any

from simbus.faults.hooks import Layer, Method, Undo
from simbus.faults.stage import Cause
from simbus.functions.function import Function
from simbus.kernel import SECOND
from simbus.model import ChangeEvent, Invocation
from simbus.scheduler.mappings.port import Answer, Done
from simbus.scheduler.mappings.response import failed_items
from simbus.scheduler.streams.batch import Batch
from simbus.scheduler.streams.context import StreamContext
from simbus.scheduler.streams.poller import StreamPoller
from simbus.sources.sqs.message import STANDING, Message
from simbus.sources.sqs.store import Store


def senders(cause: Cause) -> list[Any]:
    """What delivers the events of a bucket, topic or event bus: its subscriptions, or the courier of the bus."""
    if cause.target.service == "events":
        return [cause.target.courier]
    return cause.stage.bus.subscriptions(cause.target.name)


def twice(cause: Cause) -> Undo:
    """S3, SNS and EventBridge deliver at least once: a share of the deliveries happens again a little later.

    Sources: S3 user guide, "Amazon S3 Event Notifications"; SNS FAQ and EventBridge user guide, "at least once".
    """

    def layer(sender: Any) -> Layer:
        def repeating(send: Method) -> Method:
            def deliver(*parcel: Any) -> None:
                send(*parcel)
                if _is_first_try(parcel[0]) and cause.hits():
                    again = tuple(copy(part) for part in parcel)
                    later = cause.delay.sample(cause.rng)
                    event, name = _event(parcel[0]), _name(sender, parcel[0])
                    cause.hop(event.id, name, f"delivered once more in {later / SECOND:.3f} s")
                    cause.stage.world.timeline.after(later, lambda _: send(*again))

            return deliver

        return repeating

    return _each(cause, layer)


def overtaken(cause: Cause) -> Undo:
    """No order is promised by S3, standard topics and EventBridge: a share of the deliveries is held back a little."""

    def layer(sender: Any) -> Layer:
        def holding(send: Method) -> Method:
            def deliver(*parcel: Any) -> None:
                if not (_is_first_try(parcel[0]) and cause.hits()):
                    send(*parcel)
                    return
                later = cause.delay.sample(cause.rng)
                held = event_id, name = _event(parcel[0]).id, _name(sender, parcel[0])
                cause.hop(event_id, name, f"held back for {later / SECOND:.3f} s")
                cause.stage.waiting[held] = None

                def go(_: None) -> None:
                    cause.stage.waiting.pop(held, None)
                    send(*parcel)

                cause.stage.world.timeline.after(later, go)

            return deliver

        return holding

    return _each(cause, layer)


def _each(cause: Cause, layer: Any) -> Undo:
    """Put a layer before every sender of the source; those that are made later are spared."""
    undos = [cause.stage.hooks.add(sender, "send", layer(sender)) for sender in senders(cause)]

    def undo() -> None:
        for each in undos:
            each()

    return undo


def _is_first_try(parcel: Any) -> bool:
    """SNS and EventBridge come back with a parcel that could not be delivered, S3 with another method."""
    return not (getattr(parcel, "retries", 0) or getattr(parcel, "retry", 0) or getattr(parcel, "dead", False))


def _event(parcel: Any) -> ChangeEvent:
    event: ChangeEvent = parcel.event
    return event


def _name(sender: Any, parcel: Any) -> str:
    """Where it goes: a subscription knows, a courier has it on the parcel."""
    name: str = getattr(parcel, "target", sender).name
    return name


# --- queues ----------------------------------------------------------------------------------------------------------


def undeleted(cause: Cause) -> Undo:
    """A message that was deleted comes once more, and no more: a server with a copy of it did not hear of the delete.

    Source: SQS developer guide, "At-least-once delivery" of standard queues.
    """
    store: Store = cause.target.store
    once: set[str] = set()

    def layer(delete: Method) -> Method:
        def forgetting(messages: Sequence[Message | None]) -> None:
            delete([message for message in messages if message is None or not comes_back(message)])

        def comes_back(message: Message) -> bool:
            if message.state not in STANDING:
                return False
            if message.message_id in once or not cause.hits():
                once.discard(message.message_id)
                return False
            once.add(message.message_id)
            later = cause.delay.sample(cause.rng)
            cause.hop(message.event_id, store.name, f"deleted, but comes once more in {later / SECOND:.3f} s")
            store.meter.deleted += 1
            if message.state == "in_flight":
                store.hide(message, later)
            return True

        return forgetting

    return cause.stage.hooks.add(store, "delete", layer)


def held_back(cause: Cause) -> Undo:
    """A message becomes visible a little late, so that later ones are received before it.

    Source: SQS developer guide, "Amazon SQS standard queues": best-effort ordering.
    """
    store: Store = cause.target.store

    def layer(put: Method) -> Method:
        def holding(message: Message, delay: int) -> None:
            if cause.hits():
                later = cause.delay.sample(cause.rng)
                cause.hop(message.event_id, store.name, f"held back for {later / SECOND:.3f} s")
                delay += later
            put(message, delay)

        return holding

    return cause.stage.hooks.add(store, "put", layer)


# --- streams ---------------------------------------------------------------------------------------------------------


def read_again(cause: Cause) -> Undo:
    """A batch that was processed is read and sent again: the checkpoint behind it was lost. A shard's order is kept.

    Source: Developer Guide, "How Lambda processes records from stream and queue-based event sources": each record is
    processed at least once, duplicates can occur.
    """
    pollers = [mapping.poller for mapping in cause.stage.mappings.reading(cause.target.arn)]
    contexts = [poller.context for poller in pollers if isinstance(poller, StreamPoller)]
    undos = [cause.stage.hooks.add(context, "send", _again(cause, context)) for context in contexts]

    def undo() -> None:
        for each in undos:
            each()

    return undo


def _again(cause: Cause, context: StreamContext) -> Layer:
    def layer(send: Method) -> Method:
        def sending(batch: Batch, payload: str, answered: Done) -> None:
            def lost(invocation: Invocation, answer: Answer) -> None:
                if not (batch.records and _is_processed(context, batch, answer) and cause.hits()):
                    answered(invocation, answer)
                    return
                function: Function = batch.port.function if batch.port is not None else context.port.function
                batch.request_id = invocation.request_id
                context.processed(batch, len(batch.records))
                detail = f"the batch of request {invocation.request_id} is read again, {len(batch.records)} records"
                cause.hop(batch.records[0].event_id, function.name, detail)
                send(batch, payload, answered)

            send(batch, payload, lost)

        return sending

    return layer


def _is_processed(context: StreamContext, batch: Batch, answer: Answer) -> bool:
    if getattr(answer, "status", "") != "ok":
        return False
    if not context.settings.report_batch_item_failures:
        return True
    return failed_items(answer.payload, batch.places()) == []  # type: ignore[union-attr]
