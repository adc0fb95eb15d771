"""The items of a workload on the timeline: each keeps one next arrival there, whatever its length.

Each item is a client outside, which tries again as an SDK does: see `simbus.recording.client`.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from random import Random
from typing import Any, NamedTuple

import msgspec

from simbus.errors import AwsError, ScenarioError, UsageError
from simbus.recording.client import Client, Done, Request, Send
from simbus.scenario import items
from simbus.scenario.arrivals import Offer, arrivals
from simbus.scenario.loader import Scenario
from simbus.scenario.schema.derived import Operation
from simbus.scenario.schema.workload import CopyObject, Item
from simbus.scenario.templates import Scope, Template, template
from simbus.scenario.trace import Arrival
from simbus.simulation import Simulation

Values = dict[str, Any]


class Call(NamedTuple):
    """One request: the values of its operation, and its recorded duration."""

    values: Values
    duration: int | None


class Feed:
    """One item of a workload. `stop` is the instant at which the workload ends (None: never).

    `only`: just these of its events happen, counted from 0 (None: all). The others are drawn all the same, so that
    nothing shifts. `note(number)` is told of each that happens, where it is given. `offer` may have other arrivals than
    the item's own; `stop` is not theirs.
    """

    def __init__(
        self,
        simulation: Simulation,
        scenario: Scenario,
        index: int,
        item: Item,
        stop: int | None,
        only: Container[int] | None = None,
        offer: Offer | None = None,
    ) -> None:
        timeline = simulation.timeline
        name = f"workload:{index}"
        self._timeline = timeline
        self._scenario = scenario
        self._path = ("workload", index, item.verb)
        other = None if offer is None else offer(index, item, timeline.rng(name))
        self._stop = stop if other is None else None
        self._only = only
        self._arrivals = arrivals(item, timeline.rng(name), scenario.folder) if other is None else other
        self._scope = Scope(simulation.world, timeline.rng(f"{name}:values"))
        self._client = Client(simulation.world, simulation.bus, name)
        self._fill = _filler(item)
        self._target, self._send = _operation(simulation, item)
        self._issued = 0
        self.note: Callable[[int], None] | None = None
        if item.verb in items.VERBS:
            self._rehearse(simulation)

    def _rehearse(self, simulation: Simulation) -> None:
        """A write that AWS would refuse whatever the table holds is a mistake in the file: say so before the run."""
        where = self._scenario.source.where(self._path)
        try:
            values = self._fill(Scope(simulation.world, Random(0)))
        except UsageError as error:
            raise ScenarioError(f"{where} {error}") from None
        try:
            items.rehearse(simulation[self._target], self._path[2], values)
        except AwsError as error:
            raise ScenarioError(f"{where} is refused; AWS answers {error.code}: {error.message} Correct it.") from error
        except UsageError as error:
            raise ScenarioError(f"{where} is refused: {error}") from error

    def start(self) -> None:
        """Put the first arrival on the timeline."""
        self._schedule(self._arrivals)

    def _schedule(self, coming: Iterator[Arrival]) -> None:
        try:
            arrival = next(coming, None)
        except UsageError as error:
            raise ScenarioError(f"{self._scenario.source.where((*self._path[:2], 'trace'))} {error}") from None
        if arrival is not None and (self._stop is None or arrival.when < self._stop):
            self._timeline.arrive(arrival.when, self._arrive, arrival.duration)

    def _arrive(self, duration: int | None) -> None:
        self._schedule(self._arrivals)
        self._scope.n = number = self._issued
        self._issued += 1
        try:
            values = self._fill(self._scope)
        except UsageError as error:
            raise ScenarioError(f"{self._scenario.source.where(self._path)} {error}") from None
        if self._only is None or number in self._only:
            if self.note is not None:
                self.note(number)
            self._client.issue(Request(self._target, self._path[2], self._send, Call(values, duration)))


def _filler(item: Item) -> Callable[[Scope], Values]:
    """What makes the values of an operation; those without templates are made once."""
    verb = getattr(item, item.verb)
    if isinstance(verb, Operation):
        make = template(verb.plain())
        return lambda scope: verb.fit(make(scope))
    makers: list[tuple[str, Template]] = []
    for name in type(verb).model_fields:
        value = getattr(verb, name)
        if isinstance(verb, CopyObject) and name == "copy_source":
            value = {"bucket": value.bucket, "key": value.key}
        if value is not None:
            makers.append((name, template(value)))
    return lambda scope: {name: make(scope) for name, make in makers}


def text(value: Any) -> str:
    """A body or a message: a text as it is, anything else as JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def message_attributes(values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """AWS's MessageAttributes of the short form `{name: value}` or of AWS's own in snake_case."""
    return {name: _message_attribute(value) for name, value in values.items()}


def _message_attribute(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        names = {"data_type": "DataType", "string_value": "StringValue", "binary_value": "BinaryValue"}
        return {names[key]: str(item) for key, item in value.items()}
    if isinstance(value, list):
        return {"DataType": "String.Array", "StringValue": text(value)}
    kind = "Number" if isinstance(value, int | float) and not isinstance(value, bool) else "String"
    return {"DataType": kind, "StringValue": text(value)}


def _plain(call: Callable[[Values, int | None], object]) -> Send:
    """An operation that answers at once; it gets its values and the recorded duration."""

    def send(given: Call, done: Done) -> None:
        try:
            call(given.values, given.duration)
        except AwsError as error:
            done(error)

    return send


def _operation(simulation: Simulation, item: Item) -> tuple[str, Send]:
    """The name of the resource that an item is about, and what sends its requests."""
    spec = getattr(item, item.verb)
    if not isinstance(spec, Operation):
        return _OPERATIONS[item.verb](simulation, spec)
    call = getattr(simulation[spec.resource], item.verb)
    return spec.resource, _plain(lambda values, _: call(**values))


def _put_object(simulation: Simulation, spec: Any) -> tuple[str, Send]:
    bucket = simulation[spec.bucket]

    def call(values: Values, duration: int | None) -> None:
        options: Values = {name: values[name] for name in ("size", "content_type") if name in values}
        if "size" not in values:
            options["body"] = text(values.get("body", ""))
        if values["metadata"]:
            options["metadata"] = {name: str(value) for name, value in values["metadata"].items()}
        bucket.put_object(str(values["key"]), trace_duration=duration, **options)

    return spec.bucket, _plain(call)


def _copy_object(simulation: Simulation, spec: Any) -> tuple[str, Send]:
    bucket = simulation[spec.bucket]
    source = simulation[spec.copy_source.bucket].resource

    def call(values: Values, _: int | None) -> None:
        bucket.copy_object(str(values["key"]), {"Bucket": source, "Key": str(values["copy_source"]["key"])})

    return spec.bucket, _plain(call)


def _delete_object(simulation: Simulation, spec: Any) -> tuple[str, Send]:
    bucket = simulation[spec.bucket]
    return spec.bucket, _plain(lambda values, _: bucket.delete_object(str(values["key"])))


def _message_options(values: Values, *names: str) -> Values:
    """The optional parameters of a message that are given."""
    options: Values = {name: str(values[name]) for name in names if name in values}
    if values.get("message_attributes"):
        options["message_attributes"] = message_attributes(values["message_attributes"])
    return options


def _publish(simulation: Simulation, spec: Any) -> tuple[str, Send]:
    topic = simulation[spec.topic]

    def call(values: Values, _: int | None) -> None:
        options = _message_options(values, "subject", "message_group_id", "message_deduplication_id")
        topic.publish(text(values["message"]), **options)

    return spec.topic, _plain(call)


def _send_message(simulation: Simulation, spec: Any) -> tuple[str, Send]:
    queue = simulation[spec.queue]

    def call(values: Values, _: int | None) -> None:
        options = _message_options(values, "message_group_id", "message_deduplication_id")
        if "delay_seconds" in values:
            options["delay_seconds"] = values["delay_seconds"]
        queue.send_message(text(values["message_body"]), **options)

    return spec.queue, _plain(call)


def _put_record(simulation: Simulation, spec: Any) -> tuple[str, Send]:
    stream = simulation[spec.stream]

    def call(values: Values, _: int | None) -> None:
        hash_key = values.get("explicit_hash_key")
        explicit = None if hash_key is None else str(hash_key)
        stream.put_record(values.get("data"), str(values["partition_key"]), explicit_hash_key=explicit)

    return spec.stream, _plain(call)


def _item_verb(verb: str) -> Callable[[Simulation, Any], tuple[str, Send]]:
    def operation(simulation: Simulation, spec: Any) -> tuple[str, Send]:
        table = simulation[spec.table]
        return spec.table, _plain(lambda values, _: items.write(table, verb, values))

    return operation


def _put_events(simulation: Simulation, spec: Any) -> tuple[str, Send]:
    bus = simulation[spec.event_bus]

    def call(values: Values, _: int | None) -> None:
        entries = values.get("entries") or [{key: value for key, value in values.items() if key != "event_bus"}]
        answer = bus.put_events(entries)
        if answer["FailedEntryCount"]:
            refused = next(entry for entry in answer["Entries"] if "ErrorCode" in entry)
            raise AwsError(refused["ErrorCode"], refused["ErrorMessage"])

    return spec.event_bus, _plain(call)


def _invoke(simulation: Simulation, spec: Any) -> tuple[str, Send]:
    function = simulation[":".join(spec.function.split(":")[:2])]
    qualifier = spec.qualified

    def call(given: Call, done: Done) -> None:
        try:
            function.invoke(
                given.values["payload"],
                invocation_type=spec.invocation_type,
                qualifier=qualifier,
                trace_duration=given.duration,
            )
        except AwsError as error:
            done(error)

    def start(given: Call, done: Done) -> None:
        function.start_invoke(
            given.values["payload"],
            lambda answer: done(answer if isinstance(answer, AwsError) else None),
            qualifier=qualifier,
            trace_duration=given.duration,
        )

    return function.name, start if spec.invocation_type == "RequestResponse" else call


_OPERATIONS: dict[str, Callable[[Simulation, Any], tuple[str, Send]]] = {
    "put_object": _put_object,
    "copy_object": _copy_object,
    "delete_object": _delete_object,
    "publish": _publish,
    "send_message": _send_message,
    "put_record": _put_record,
    "put_events": _put_events,
    "put_item": _item_verb("put_item"),
    "update_item": _item_verb("update_item"),
    "delete_item": _item_verb("delete_item"),
    "invoke": _invoke,
}
