"""A bucket's notification configuration as an operation: it takes effect at once, for the events from then on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from simbus.bus import Bus
from simbus.errors import AwsError
from simbus.sources.base import operation, twin
from simbus.sources.delivery import Sender
from simbus.sources.s3.base import BucketBase
from simbus.sources.s3.delivery import SERVICE, Notification
from simbus.sources.s3.eventbridge import EventBridgeConfiguration
from simbus.sources.s3.notifications import KINDS, Configuration, check_destinations, read
from simbus.sources.s3.objects import StoredObject
from simbus.world import Delivery, World


class Notifying(BucketBase):
    """Notifications to functions, queues and topics, and to EventBridge."""

    def __init__(self, world: World, bus: Bus, name: str, **settings: Any) -> None:
        super().__init__(world, bus, name, **settings)
        self._notifications: list[Notification] = []
        self._replaced: list[Sender] = []
        self._event_bridge: EventBridgeConfiguration | None = None

    @operation
    def put_bucket_notification_configuration(
        self, notification_configuration: Mapping[str, Any], *, skip_destination_validation: bool = False
    ) -> None:
        """Replace the whole configuration (AWS's JSON; `{}` clears it). ARNs may be `service:name`.

        Structure is checked first, then all destinations together; `skip_destination_validation` leaves the second
        out. Each queue and topic gets S3's test event. With `EventBridgeConfiguration: {}` every event goes to the
        default event bus as well. Raises AwsError InvalidArgument, MalformedXML; UsageError for unknown keys.
        """
        configurations = read(self._world, notification_configuration, self._uuid)
        if not skip_destination_validation:
            check_destinations(self._world, configurations)
            self._send_test_events(configurations)
        self._notify(configurations, notification_configuration.get("EventBridgeConfiguration") is not None)

    aput_bucket_notification_configuration = twin(put_bucket_notification_configuration)

    def _notify(self, configurations: list[Configuration], event_bridge: bool) -> None:
        """From now on these are the notifications."""
        for notification in self._notifications:
            self._bus.unsubscribe(self.name, notification)
        self._replaced += self._notifications
        self._notifications = [
            Notification(self._world, self._bus, self.arn, each, self._name_of(each.arn), self._attempt)
            for each in configurations
        ]
        for notification in self._notifications:
            self._bus.subscribe(self.name, notification)
        self._switch_event_bridge(event_bridge)

    @operation
    def get_bucket_notification_configuration(self) -> dict[str, Any]:
        """The configuration in AWS's JSON; without any it is empty."""
        shown: dict[str, Any] = {}
        for kind in KINDS:
            group = [each.configuration.shown() for each in self._notifications if each.configuration.kind is kind]
            if group:
                shown[kind.group] = group
        if self._event_bridge is not None:
            shown["EventBridgeConfiguration"] = {}
        return shown

    aget_bucket_notification_configuration = twin(get_bucket_notification_configuration)

    def final_rows(self) -> None:
        """The run ends: events that still wait for a retry are held."""
        for sender in (*self._replaced, *self._notifications):
            sender.hold()
        if self._event_bridge is not None:
            self._event_bridge.hold()

    def _switch_event_bridge(self, on: bool) -> None:
        if self._event_bridge is not None:
            self._bus.unsubscribe(self.name, self._event_bridge)
            self._replaced.append(self._event_bridge)
            self._event_bridge = None
        if on:
            self._event_bridge = EventBridgeConfiguration(
                self._world, self._bus, self.arn, self.resource, self._any_version
            )
            self._bus.subscribe(self.name, self._event_bridge)

    def _any_version(self, key: str, version_id: str | None) -> StoredObject | None:
        """The current or the named version, where there is one."""
        return self._objects.current.get(key) if version_id is None else self._objects.find(key, version_id)

    def _name_of(self, arn: str) -> str:
        target = self._world.targets.get(arn)
        if target is not None:
            return target.name
        parts = arn.split(":")
        return f"{parts[2]}:{parts[6] if parts[2] == 'lambda' else parts[5]}"

    def _send_test_events(self, configurations: list[Configuration]) -> None:
        """S3 sends one to each queue and topic (S3 user guide, "Event message structure"), none to functions."""
        for arn in dict.fromkeys(each.arn for each in configurations if each.kind.service != "lambda"):
            request_id, host_id = self._record.identifiers()
            test = {
                "Service": "Amazon S3",
                "Event": "s3:TestEvent",
                "Time": self._world.iso(),
                "Bucket": self.resource,
                "RequestId": request_id,
                "HostId": host_id,
            }
            delivery = Delivery(msgspec.json.encode(test).decode(), SERVICE, self.arn)
            delivery.parent, delivery.lineage = self._cause
            try:
                self._world.targets[arn].accept(delivery)
            except AwsError as error:
                raise AwsError(
                    "InvalidArgument",
                    "Unable to validate the following destination configurations",
                    ArgumentName1=arn,
                    ArgumentValue1=error.message,
                ) from error
