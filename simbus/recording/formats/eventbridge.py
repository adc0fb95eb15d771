"""Events of EventBridge, one JSON document each: an archive's, or what a rule or Firehose wrote to S3.

They don't say on which bus they were: it is the one bus that has rules, or the target. An event of AWS itself
(`aws.ec2`) is put there as AWS does it, for PutEvents refuses it. Source: EventBridge user guide, "EventBridge event
structure".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simbus.recording.formats.access import field, optional
from simbus.recording.formats.base import Format, Found, Sample, operation, time_of
from simbus.recording.formats.destination import invoke
from simbus.recording.formats.documents import Document, reader
from simbus.recording.names import Names


def is_event(value: Any) -> bool:
    """Whether a document is an event as rules see it."""
    return isinstance(value, dict) and "detail-type" in value and "source" in value and "detail" in value


def bus_of_rule(arn: str) -> str:
    """The name of the bus of a rule: `...:rule/name` is one of the default bus, `...:rule/bus/name` of another."""
    parts = arn.partition(":rule/")[2].split("/")
    return parts[0] if len(parts) > 1 else "default"


def put(value: Any, line: int, names: Names, bus: str | None = None) -> Iterator[Found]:
    """Put an event again, on the bus of that name. Raises ValueError."""
    if not is_event(value):
        raise ValueError("is no event of EventBridge; it has source, detail-type and detail")
    when = time_of(optional(value, "time"))
    target = _bus(names) if bus is None else names.find("events", bus)
    source, kind = field(value, "source"), field(value, "detail-type")
    if target.startswith("lambda:"):
        yield invoke(target, value, when, line)
        return
    field(value, "detail", kind=dict)
    if source.startswith("aws."):
        yield operation(when, target, "put_aws_event", line, event=value)
        return
    entry = {
        "source": source,
        "detail_type": kind,
        "detail": value["detail"],
        "resources": optional(value, "resources", kind=list) or None,
        "time": optional(value, "time"),
    }
    given = {name: each for name, each in entry.items() if each is not None}
    yield operation(when, target, "put_events", line, entries=[given])


def _bus(names: Names) -> str:
    return names.only("events", "an event does not name its bus", lambda bus: bool(bus.list_rules(limit=1)["Rules"]))


def _detect(sample: Sample) -> bool:
    return is_event(sample.document)


def _convert(document: Document, names: Names) -> Iterator[Found]:
    return put(document.value, document.line, names)


FORMAT = Format("eventbridge", "events of EventBridge (an archive, Firehose)", _detect, reader(_convert))
