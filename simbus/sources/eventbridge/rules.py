"""A rule: what it matches, and what it sends to its targets."""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec

from simbus.errors import AwsError
from simbus.filtering import EventPattern, compile_event_pattern
from simbus.model import PLAIN, ChangeEvent
from simbus.sources.eventbridge.delivery import SERVICE, THIRD_BUS, THIRD_BUS_RULE, Courier, Parcel
from simbus.sources.eventbridge.errors import check_length, constraint
from simbus.sources.eventbridge.input import MISSING, InvalidResult, Matched, is_json
from simbus.sources.eventbridge.schedule import Ticker
from simbus.sources.eventbridge.targets import Target
from simbus.world import Delivery, World

MAX_RULES: Final = 300
MAX_TARGETS: Final = 5
MAX_PATTERN: Final = 4096
STATES: Final = ("ENABLED", "DISABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")


class Arrival:
    """An event on a bus, as its rules see it: decoded once. `forwarded`: it came from another bus."""

    __slots__ = ("decoded", "event", "forwarded", "ingestion_time", "received_at")

    def __init__(self, event: ChangeEvent, decoded: dict[str, Any], ingestion_time: str, forwarded: bool) -> None:
        self.event = event
        self.decoded = decoded
        self.ingestion_time = ingestion_time
        self.forwarded = forwarded
        self.received_at = event.time


class Rule:
    """A rule of one bus. The pattern is kept as it was given: ListRules shows it so."""

    def __init__(
        self,
        world: World,
        courier: Courier,
        name: str,
        bus: str,
        *,
        event_pattern: str | None,
        schedule_expression: str | None,
        state: str,
        description: str | None,
        role_arn: str | None,
    ) -> None:
        self._world = world
        self._courier = courier
        self.name = name
        self.bus = bus
        where = f"arn:aws:events:{world.account.region}:{world.account.id}:rule"
        self.arn = f"{where}/{name}" if bus == "default" else f"{where}/{bus}/{name}"
        self.event_pattern = event_pattern
        self.schedule_expression = schedule_expression
        self.state = state
        self.description = description
        self.role_arn = role_arn
        self.targets: dict[str, Target] = {}
        self.tags: dict[str, str] = {}
        self.ticker: Ticker | None = None
        self._pattern: EventPattern | None = None if event_pattern is None else compile_event_pattern(event_pattern)

    def __repr__(self) -> str:
        return f"<Rule {self.arn} {self.state}>"

    @property
    def enabled(self) -> bool:
        return self.state != "DISABLED"

    def switch(self, state: str) -> None:
        """Enable or disable it; a rate begins anew where it is enabled again."""
        self.state = state
        if self.ticker is not None:
            if self.enabled:
                self.ticker.start()
            else:
                self.ticker.stop()

    def end(self) -> None:
        """It has been deleted or replaced: its schedule fires no more."""
        if self.ticker is not None:
            self.ticker.stop()

    def matches(self, event: dict[str, Any]) -> bool:
        """Whether the rule is on and its pattern matches the decoded event."""
        return self._pattern is not None and self.enabled and self._pattern.matches(event)

    def send(self, arrival: Arrival) -> None:
        """Hand the event to every target, in the order in which they were put."""
        for target in list(self.targets.values()):
            self._send(arrival, target)

    def _send(self, arrival: Arrival, target: Target) -> None:
        event = arrival.event
        delivery = Delivery(event.data, SERVICE, self.arn, event=event, subscription=target.name)
        parcel = Parcel(event, self.arn, target, delivery, arrival.received_at)
        if target.service == "events" and arrival.forwarded:
            self._courier.give_up(parcel, THIRD_BUS, THIRD_BUS_RULE)
            return
        if target.shaper is None:
            delivery.wrapping = PLAIN
        else:
            matched = Matched(event.data, arrival.decoded, arrival.ingestion_time, self.arn, self.name)
            try:
                delivery.payload = target.shaper(matched)
            except InvalidResult as error:
                self._courier.give_up(parcel, "INVALID_JSON", str(error))
                return
            if target.service == "lambda" and not is_json(delivery.payload):
                self._courier.give_up(parcel, "SDK_CLIENT_ERROR", "Could not parse request body into json")
                return
        if target.service == "kinesis":
            delivery.group_id = partition_key(target, arrival.decoded)
        else:
            delivery.group_id = target.message_group_id
        self._courier.send(parcel)

    def shown(self) -> dict[str, Any]:
        """The form in which ListRules has it."""
        found = {
            "Name": self.name,
            "Arn": self.arn,
            "EventPattern": self.event_pattern,
            "State": self.state,
            "Description": self.description,
            "ScheduleExpression": self.schedule_expression,
            "RoleArn": self.role_arn,
            "EventBusName": self.bus,
        }
        return {key: value for key, value in found.items() if value is not None}


def partition_key(target: Target, event: dict[str, Any]) -> str:
    """The partition key for a stream: what PartitionKeyPath leads to, else the event's id (API, KinesisParameters)."""
    found = MISSING if target.partition_key is None else target.partition_key.find(event)
    if found is MISSING:
        return str(event["id"])
    return found if isinstance(found, str) else msgspec.json.encode(found).decode()


def check_pattern(pattern: Any) -> str | None:
    """A pattern as text (an object becomes JSON), None for none. Raises AwsError InvalidEventPatternException."""
    if pattern is None or pattern == "":
        return None
    text = pattern if isinstance(pattern, str) else json.dumps(pattern)
    check_length(text, "eventPattern", MAX_PATTERN)
    compile_event_pattern(text)
    return text


def check_state(state: str) -> str:
    """ENABLED or DISABLED (AWS's third one means the same here: there are no CloudTrail events)."""
    if state not in STATES:
        raise constraint(state, "state", f"satisfy enum value set: [{', '.join(STATES)}]")
    return state


def test_event_pattern(pattern: Any, event: Any) -> bool:
    """TestEventPattern: whether an event (JSON text or an object) matches a pattern.

    Raises AwsError InvalidEventPatternException, ValidationException for an event that is no JSON object.
    """
    compiled = compile_event_pattern(pattern)
    if isinstance(event, str):
        try:
            event = msgspec.json.decode(event)
        except msgspec.DecodeError:
            raise AwsError("ValidationException", "Parameter Event is not valid.") from None
    return compiled.matches(event)
