"""Amazon EventBridge: an event bus whose rules send events to functions, queues, topics, streams and other buses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from simbus.errors import AwsError, UsageError
from simbus.sources.base import operation, twin
from simbus.sources.eventbridge.archiving import Archiving
from simbus.sources.eventbridge.base import DEFAULT, Passing
from simbus.sources.eventbridge.delivery import SERVICE
from simbus.sources.eventbridge.errors import page, validation
from simbus.sources.eventbridge.event import MAX_BYTES, TOO_LARGE, Draft, Refused, compact, epoch_seconds, read_entries
from simbus.sources.eventbridge.ruling import Ruling
from simbus.world import Delivery

_SOURCES: Final = {"s3.amazonaws.com": "aws.s3", "lambda.amazonaws.com": "lambda"}
_FORWARDED: Final = Passing(forwarded=True)


class EventBus(Ruling, Archiving):
    """An event bus. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-what-is.html

    `default` exists in every account; other names are custom buses. Raises AwsError ValidationException for a name
    that AWS does not allow, ResourceAlreadyExistsException, LimitExceededException for more than 100 buses.
    """

    # --- events ----------------------------------------------------------------------------------------------------

    @operation
    def put_events(self, entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Put up to 10 events: `{"FailedEntryCount": 0, "Entries": [{"EventId": ...}]}`, in the order of the entries.

        An entry has AWS's keys (`Source`, `DetailType`, `Detail`, `Resources`, `Time`, `EventBusName`) or the same in
        snake_case; `Detail` is JSON text or an object, `Time` a datetime, seconds since 1970 or a text (its fraction of
        a second is dropped). An entry without EventBusName goes to this bus; one that names a bus that does not exist
        succeeds and is lost, as on AWS. An entry that is refused has `ErrorCode` and `ErrorMessage`; it does not hinder
        the others. Raises AwsError ValidationException: more than 10 entries, more than 256 KB together.
        """
        self._check_exists()
        answers: list[dict[str, str]] = []
        accepted: list[tuple[str, Draft]] = []
        for draft in read_entries(entries):
            refused = draft if isinstance(draft, Refused) else self._unavailable(draft)
            if refused is not None:
                answers.append({"ErrorCode": refused.code, "ErrorMessage": refused.message})
            elif isinstance(draft, Draft):
                event_id = self._uuid()
                answers.append({"EventId": event_id})
                accepted.append((event_id, draft))
        parent = self._cause[0]
        for event_id, draft in accepted:
            self._put(event_id, draft, parent)
        return {"FailedEntryCount": len(answers) - len(accepted), "Entries": answers}

    aput_events = twin(put_events)

    @operation
    def put_aws_event(self, event: Mapping[str, Any]) -> str:
        """What a service of AWS puts on the bus, with a source (`aws.ec2`) that PutEvents refuses; returns its id.

        `event` is as rules see it: its source, detail-type, time, resources and detail are kept, its id is a new one.
        Raises AwsError ValidationException for one that lacks these, MalformedDetail.
        """
        self._check_exists()
        source, detail_type, time = event.get("source"), event.get("detail-type"), event.get("time")
        if not (isinstance(source, str) and source and isinstance(detail_type, str) and detail_type):
            raise validation("An event of AWS has source, detail-type and detail.")
        detail = event.get("detail")
        if not isinstance(detail, Mapping):
            raise AwsError("MalformedDetail", "Detail is malformed.")
        resources = [str(each) for each in event.get("resources") or ()]
        event_id = self._uuid()
        text, seconds = msgspec.json.encode(detail).decode(), None if time is None else epoch_seconds(time)
        draft = Draft(source, detail_type, text, tuple(resources), seconds, None)
        self._put(event_id, draft, self._cause[0])
        return event_id

    aput_aws_event = twin(put_aws_event)

    def _unavailable(self, draft: Draft) -> Refused | None:
        """An entry for another bus fails while that one is out of service; its SDK tries it again."""
        bus = self._bus_of(draft)
        if bus is not None and self._timeline.now < bus._out_until:
            return Refused("InternalFailure", f"{bus.name} is out of service.")
        return None

    def _bus_of(self, draft: Draft) -> EventBus | None:
        """The bus that an entry names by name or ARN, None where it does not exist."""
        if draft.bus is None:
            return self
        name = draft.bus.removeprefix("events:")
        found = self._world.targets.get(name if name.startswith("arn:") else self._world.arn("events", name))
        return found if isinstance(found, EventBus) else None

    def _put(self, event_id: str, draft: Draft, parent: str | None) -> None:
        bus = self._bus_of(draft)
        if bus is None:
            self._bus.hop(event_id, "no_such_bus", str(draft.bus), "PutEvents succeeds, the event is lost")
            return
        time = self._writer.time(draft.time)
        text = self._writer.write(event_id, draft.detail_type, draft.source, time, draft.resources, draft.detail)
        bus._receive(event_id, text, draft.detail_type, draft.source, parent)

    def accept(self, delivery: Delivery) -> None:
        """Take what another bus sends on, or make an event of what a service sends: its subject is the detail-type.

        Raises AwsError: ServiceUnavailable in an outage, ResourceNotFoundException for a deleted bus, MalformedDetail
        and ValidationException for a record that is no JSON object or larger than 256 KB.
        """
        if self._out_until:
            self._check_available()
        self._check_exists()
        if delivery.service == SERVICE:
            self._forwarded(delivery)
            return
        source, detail_type = _SOURCES.get(delivery.service), delivery.subject
        if source is None or detail_type is None:
            raise UsageError(f"{delivery.service} sends no events to {self.name}; S3, Lambda and other buses do.")
        resources = [delivery.source_arn]
        if source == "lambda":
            resources = [self.arn, delivery.source_arn]
        detail = compact(delivery.payload)
        if detail is None:
            raise AwsError("MalformedDetail", "Detail is malformed.")
        if len(detail.encode()) > MAX_BYTES:
            raise validation(TOO_LARGE)
        event_id = self._uuid()
        text = self._writer.write(event_id, detail_type, source, self._writer.now(), resources, detail)
        self._receive(event_id, text, detail_type, source, delivery.parent)

    def _forwarded(self, delivery: Delivery) -> None:
        """An event keeps its id from bus to bus; its row here has one of its own, so that rows can be told apart."""
        event = delivery.event
        assert event is not None
        row_id = self._uuid()
        self._bus.hop(event.id, "forwarded", self.name, row_id)
        self._receive(row_id, delivery.payload, event.type, event.subject or "", event.id, _FORWARDED)

    # --- the bus itself --------------------------------------------------------------------------------------------

    @operation
    def describe_event_bus(self) -> dict[str, Any]:
        """`{"Name", "Arn", "CreationTime", "LastModifiedTime"}`."""
        self._check_exists()
        return self._described()

    adescribe_event_bus = twin(describe_event_bus)

    @operation
    def list_event_buses(
        self, *, name_prefix: str = "", limit: int | None = None, next_token: str | None = None
    ) -> dict[str, Any]:
        """`{"EventBuses": [...]}` of the account by name, in pages as `list_rules`."""
        found = {bus.resource: bus._described() for bus in self._world.targets.values() if isinstance(bus, EventBus)}
        buses = [found[name] for name in sorted(found) if name.startswith(name_prefix)]
        return page("EventBuses", buses, limit, next_token)

    alist_event_buses = twin(list_event_buses)

    def _described(self) -> dict[str, Any]:
        found = {
            "Name": self.resource,
            "Arn": self.arn,
            "CreationTime": self._created_at,
            "LastModifiedTime": self._created_at,
        }
        return found if self.description is None else {**found, "Description": self.description}

    @operation
    def delete_event_bus(self) -> None:
        """Delete a custom bus that has no rules; every later operation answers ResourceNotFoundException.

        Raises AwsError ValidationException for the default bus, and for one that still has rules.
        """
        self._check_exists()
        if self.resource == DEFAULT:
            raise validation(f"Cannot delete event bus {DEFAULT}.")
        if self._rules:
            raise validation("Event bus can't be deleted since it has rules.")
        self._deleted = True
        self._bus.unsubscribe(self.name, self)
        del self._world.targets[self.arn]

    adelete_event_bus = twin(delete_event_bus)

    def final_rows(self) -> None:
        """The run ends: events that still wait for a retry are held."""
        self._courier.hold()
