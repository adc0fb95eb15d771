"""How a message gets into a queue, whoever sends it: deduplication, identity, its change event."""

from __future__ import annotations

from random import Random
from typing import Any, Final

import msgspec

from simbus.bus import Bus
from simbus.kernel import MILLISECOND, SECOND
from simbus.model import ChangeEvent
from simbus.sources.sqs.message import Attributes, Message, content_deduplication_id
from simbus.sources.sqs.order import Deduplication
from simbus.sources.sqs.request import check_ids, check_message, sender_id
from simbus.sources.sqs.store import Store
from simbus.world import Delivery, World, uuid

_FIRST_SEQUENCE_NUMBER: Final = 18_850_000_000_000_000_000
_STEP: Final = 256
_encode: Final = msgspec.json.Encoder().encode


class Intake:
    """Makes messages of what is sent and puts them into the store; one change event for each."""

    def __init__(self, world: World, bus: Bus, store: Store, rng: Random) -> None:
        self._world = world
        self._timeline = world.timeline
        self._bus = bus
        self._store = store
        self._rng = rng
        self._zero_ms = world.epoch_ns // MILLISECOND
        self._deduplication = Deduplication()
        self._sequence = _FIRST_SEQUENCE_NUMBER

    @property
    def arn(self) -> str:
        """The ARN of its queue."""
        return self._store.arn

    def forget(self) -> None:
        """The queue was deleted: one that is made under its name knows no earlier message."""
        self._deduplication = Deduplication()

    def deliver(self, delivery: Delivery) -> None:
        """Put in what a service delivers. Raises AwsError where `send_message` would."""
        settings = self._store.settings
        attributes = check_message(settings, delivery.payload, delivery.attributes)
        deduplication_id = delivery.deduplication_id if settings.fifo_queue else None
        check_ids(settings, delivery.group_id, deduplication_id)
        self.put(
            delivery.payload,
            settings.delay_seconds * SECOND,
            attributes,
            delivery.group_id,
            deduplication_id,
            sender=sender_id(delivery, self._world.account.id),
            trace_header=self._trace_header() if delivery.service == "lambda.amazonaws.com" else None,
            cause=(delivery.parent, delivery.lineage),
        )

    def put(
        self,
        body: str,
        delay: int,
        attributes: Attributes | None,
        group_id: str | None,
        deduplication_id: str | None,
        *,
        sender: str,
        trace_header: str | None,
        cause: tuple[str | None, Any],
        deduplicate: bool = True,
    ) -> Message:
        """Put a checked message in, `delay` in nanoseconds; returns it, or the earlier one that it is a copy of."""
        settings, now = self._store.settings, self._timeline.now
        scope = ""
        if settings.fifo_queue:
            deduplication_id = deduplication_id or content_deduplication_id(body)
            if settings.deduplication_scope == "messageGroup":
                scope = group_id or ""
            first = self._deduplication.find(scope, deduplication_id, now)
            if first is not None and deduplicate:
                return first
        message = Message(
            uuid(self._rng),
            body,
            now,
            self._zero_ms,
            sender,
            attributes,
            group_id,
            deduplication_id,
            trace_header,
            *cause,
        )
        if settings.fifo_queue:
            self._sequence += _STEP
            message.sequence_number = str(self._sequence)
            self._deduplication.note(scope, str(deduplication_id), now, message)
        self._publish(message, 0 if settings.fifo_queue else delay)
        self._store.put(message, delay)
        self._store.meter.sent += 1
        return message

    def _publish(self, message: Message, delay: int) -> None:
        """Tell the bus; the data are the parameters of the SendMessage request, so that a recording can repeat it."""
        data: dict[str, Any] = {"MessageBody": message.body}
        if delay:
            data["DelaySeconds"] = delay // SECOND
        if message.message_attributes:
            data["MessageAttributes"] = message.message_attributes
        if message.group_id is not None:
            data["MessageGroupId"] = message.group_id
        if message.deduplication_id is not None:
            data["MessageDeduplicationId"] = message.deduplication_id
        event = ChangeEvent(
            message.event_id,
            self._timeline.now,
            self._store.name,
            self._store.arn,
            "SendMessage",
            message.message_id,
            message.parent,
            _encode(data).decode(),
            message.lineage,
        )
        self._bus.publish(event)

    def _trace_header(self) -> str:
        rng, seconds = self._rng, self._world.epoch_ms() // 1000
        return (
            f"Root=1-{seconds:08x}-{rng.getrandbits(96):024x};Parent={rng.getrandbits(64):016x};Sampled=0;"
            f"Lineage=1:{rng.getrandbits(32):08x}:0"
        )
