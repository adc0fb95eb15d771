"""One notification of a bucket: which events it is about, and what its target gets."""

from __future__ import annotations

from typing import Final

import msgspec

from simbus.bus import Bus
from simbus.model import ChangeEvent, Wrapping
from simbus.sources.delivery import Sender
from simbus.sources.s3.notifications import Configuration
from simbus.sources.s3.record import CONFIGURATION_MARK
from simbus.world import Delivery, World

SERVICE: Final = "s3.amazonaws.com"


class Attempt:
    """What a bucket tells its notifications beyond the change event itself."""

    __slots__ = ("trace_duration",)

    def __init__(self) -> None:
        self.trace_duration: int | None = None


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
        marked = f'"configurationId":{msgspec.json.encode(configuration.id).decode()},{CONFIGURATION_MARK}'
        self._wrapping = Wrapping('{"Records":[', CONFIGURATION_MARK, marked, "]}")

    def offer(self, event: ChangeEvent) -> None:
        """Deliver the event, if it is one of the types and its key passes the filter."""
        if event.type not in self._types:
            return
        key = event.subject or ""
        if not (key.startswith(self._prefix) and key.endswith(self._suffix)):
            return
        delivery = Delivery(
            self._wrapping.around(event.data),
            SERVICE,
            self._arn,
            event=event,
            subscription=self.name,
            trace_duration=self._attempt.trace_duration,
            wrapping=self._wrapping,
        )
        self.send(delivery, event)
