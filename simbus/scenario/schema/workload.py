"""`workload`: what happens from outside, and when."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, NamedTuple

from pydantic import Field, model_validator

from simbus.kernel.durations import NANOSECONDS
from simbus.scenario.schema.base import (
    Check,
    Duration,
    FunctionName,
    Model,
    between,
    name_of,
    one_of,
    refuse,
    same,
)
from simbus.scenario.schema.items import DeleteItem, PutItem, UpdateItem
from simbus.scenario.source import shown

VERBS = (
    "put_object",
    "copy_object",
    "delete_object",
    "publish",
    "send_message",
    "put_record",
    "put_item",
    "update_item",
    "delete_item",
    "put_events",
    "invoke",
    "replay",
)
_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,6})?)\s*(B|KB|MB|GB)", re.ASCII)
_RATE = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,9}))?\s*/\s*(ms|s|m|h|d)", re.ASCII)
_BYTES = {"B": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3}
LARGEST_OBJECT = 5 * 1024**3


class Rate(NamedTuple):
    """So many arrivals in so many nanoseconds: two whole numbers, so that constant arrivals are exact."""

    arrivals: int
    nanoseconds: int


def _rate(value: Any) -> Rate:
    match = _RATE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise refuse(f"is {shown(value)}; a rate is a number per ms, s, m, h or d. Write for example 20/s.")
    decimals = match[2] or ""
    arrivals = int(match[1] + decimals)
    if arrivals == 0:
        raise refuse(f"is {shown(value)}; a rate is above 0. Leave the item out, or raise the rate.")
    return Rate(arrivals, NANOSECONDS[match[3]] * 10 ** len(decimals))


def _size(value: Any) -> Any:
    """Bytes: a whole number, or a number with B, KB, MB or GB (1,024 each, as in S3's limits)."""
    if isinstance(value, str):
        match = _SIZE.fullmatch(value)
        if match is None:
            raise refuse(f"is {value!r}; a size is a number of bytes, KB, MB or GB. Write for example 100KB.")
        value = round(float(match[1]) * _BYTES[match[2]])
    if isinstance(value, int) and not isinstance(value, bool) and not 0 <= value <= LARGEST_OBJECT:
        raise refuse(f"is {value} bytes; S3 puts objects of up to 5 GB in one operation. Choose a smaller size.")
    return value


def _seconds_of_trace(value: Any) -> Any:
    units = ("s", "ms", "us", "ns")
    if value not in units:
        raise refuse(f"is {shown(value)}; a trace counts in {', '.join(units)}. Choose one of these.")
    return value


Size = Annotated[
    int, Check(_size, {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string"}], "examples": ["100KB"]})
]
BucketName = Annotated[str, name_of("s3")]
TopicName = Annotated[str, name_of("sns")]
QueueName = Annotated[str, name_of("sqs")]
StreamName = Annotated[str, name_of("kinesis")]
BusName = Annotated[str, name_of("events")]
_TEMPLATE = "May hold templates: {n}, {n % 50}, {now}, {uuid}, {rand}."
_UNIT = Check(_seconds_of_trace, {"enum": ["s", "ms", "us", "ns"]})
_COUNT = between(1, 10**12, "a count is 1 or more", "Choose such a number, or leave the item out")


class PutObject(Model):
    """s3:PutObject."""

    bucket: BucketName
    key: str = Field(description=_TEMPLATE)
    body: Any = Field(default=None, description=f"A text, or what becomes JSON. {_TEMPLATE}")
    size: Size | None = Field(default=None, description="The size of an object whose content does not matter.")
    metadata: dict[str, str] = Field(default={}, description=f"User-defined metadata. {_TEMPLATE}")
    content_type: str | None = None

    @model_validator(mode="after")
    def _body_or_size(self) -> PutObject:
        if self.body is not None and self.size is not None:
            raise refuse("has body and size; the size is that of the body. Keep one of them.")
        return self


class CopySource(Model):
    """What CopyObject copies."""

    bucket: BucketName
    key: str = Field(description=_TEMPLATE)


class CopyObject(Model):
    """s3:CopyObject."""

    bucket: BucketName
    key: str = Field(description=_TEMPLATE)
    copy_source: CopySource


class DeleteObject(Model):
    """s3:DeleteObject."""

    bucket: BucketName
    key: str = Field(description=_TEMPLATE)


def _message_attribute(value: Any) -> Any:
    if isinstance(value, dict) and ("data_type" not in value or set(value) - _ATTRIBUTE_KEYS):
        raise refuse(f"has {', '.join(value) or 'nothing'}; an attribute has data_type and string_value. Write both.")
    if value is None:
        raise refuse("is empty; an attribute is a text, a number, a list, or AWS's form. Give it a value.")
    return value


_ATTRIBUTE_KEYS = {"data_type", "string_value", "binary_value"}


class _Message(Model):
    message_attributes: dict[str, Annotated[Any, Check(_message_attribute, {})]] = Field(
        default={}, description="{name: value}, or AWS's {name: {data_type: String, string_value: x}}."
    )
    message_group_id: str | None = Field(default=None, description=f"Of a FIFO message. {_TEMPLATE}")
    message_deduplication_id: str | None = Field(default=None, description=f"Of a FIFO message. {_TEMPLATE}")


class Publish(_Message):
    """sns:Publish."""

    topic: TopicName = same("topic_arn", "topic")
    message: Any = Field(description=f"A text, or what becomes JSON. {_TEMPLATE}")
    subject: str | None = Field(default=None, description=_TEMPLATE)


class SendMessage(_Message):
    """sqs:SendMessage."""

    queue: QueueName
    message_body: Any = Field(description=f"A text, or what becomes JSON. {_TEMPLATE}")
    delay_seconds: Annotated[int, between(0, 900, "SQS allows 0 to 900 seconds", "Shorten it")] | None = None


def _partition_key(value: Any) -> Any:
    if isinstance(value, str) and not 1 <= len(value) <= 256:
        raise refuse(f"is {shown(value)}; a partition key has 1 to 256 characters. Change its length.")
    return value


def _explicit_hash_key(value: Any) -> Any:
    """A decimal number, which YAML reads as one where it has no quotes; a template is checked when it is filled."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, str) and "{" not in value and not (_HASH_KEY.fullmatch(value) and int(value) < 1 << 128):
        raise refuse(f"is {shown(value)}; a hash key is a whole number from 0 to 2^128 - 1. Choose one in between.")
    return value


_HASH_KEY = re.compile(r"0|[1-9]\d{0,38}", re.ASCII)
_HASH_KEY_SCHEMA = {"anyOf": [{"type": "string"}, {"type": "integer", "minimum": 0}]}


class PutRecord(Model):
    """kinesis:PutRecord."""

    stream: StreamName = same("stream_name", "stream")
    partition_key: Annotated[str, Check(_partition_key, {"minLength": 1})] = Field(description=_TEMPLATE)
    data: Any = Field(description=f"A text, or what becomes JSON. {_TEMPLATE}")
    explicit_hash_key: Annotated[str, Check(_explicit_hash_key, _HASH_KEY_SCHEMA)] | None = Field(
        default=None, description=f"Decides the shard instead of the partition key. {_TEMPLATE}"
    )


def _entry(value: Any) -> Any:
    known = [name for name in PutEvents.model_fields if name not in ("entries", "event_bus")]
    for key in value if isinstance(value, dict) else ():
        if key not in (*known, "event_bus_name"):
            raise refuse(f"has the key {key}; an entry has {', '.join((*known, 'event_bus_name'))}. Rename it.")
    return value


class PutEvents(Model):
    """events:PutEvents: one event, or up to 10 `entries`."""

    event_bus: BusName = same("event_bus_name", "event_bus", default="events:default")
    source: str | None = Field(default=None, description=_TEMPLATE)
    detail_type: str | None = Field(default=None, description=_TEMPLATE)
    detail: Any = Field(default=None, description=f"A JSON text, or what becomes JSON. {_TEMPLATE}")
    resources: list[str] | None = Field(default=None, description=f"ARNs. {_TEMPLATE}")
    time: str | None = Field(default=None, description=f"The event's own time; now if left out. {_TEMPLATE}")
    entries: list[Annotated[dict[str, Any], Check(_entry, {})]] | None = Field(
        default=None, description=f"Several events in one request, each with the keys above. {_TEMPLATE}"
    )

    @model_validator(mode="after")
    def _one_form(self) -> PutEvents:
        single = [name for name in ("source", "detail_type", "detail") if getattr(self, name) is not None]
        if (self.entries is None) == (not single):
            found = f"entries and {', '.join(single)}" if single else "neither entries nor an event"
            raise refuse(f"has {found}; it puts one event (source, detail_type, detail) or entries. Keep one form.")
        return self


class Invoke(Model):
    """lambda:Invoke."""

    function: FunctionName = same("function_name", "function")
    payload: Any = Field(default_factory=dict, description=f"Any JSON value. {_TEMPLATE}")
    invocation_type: Annotated[str, one_of(("RequestResponse", "Event", "DryRun"), "the invocation types are")] = (
        "RequestResponse"
    )
    qualifier: str | None = Field(default=None, description="A version or an alias.")

    @property
    def qualified(self) -> str | None:
        """The version or alias, whichever way it is written."""
        return self.qualifier or (self.function.split(":")[2] if self.function.count(":") == 2 else None)

    @model_validator(mode="after")
    def _one_qualifier(self) -> Invoke:
        if self.qualifier is not None and self.function.count(":") == 2:
            raise refuse("names a qualifier twice, also in the name of the function. Keep one of them.")
        return self


def _speed(value: Any) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool) and not 0 < value < float("inf"):
        raise refuse(f"is {value}; a speed is above 0. Write 10 for ten times as fast.")
    return value


class Recorded(Model):
    """What is replayed: a recording, or events in another form that `simbus replay` reads."""

    file: str = Field(description="Relative to the scenario file.")
    format: str | None = Field(default=None, description="What it is; found out if left out.")
    only: str | None = Field(default=None, description="Only what is done to this resource, or resources of a service.")
    from_: str | None = Field(
        default=None, validation_alias="from", description="From then on: a time, or a duration since its start."
    )
    to: str | None = Field(default=None, description="Up to then: a time, or a duration since its start.")
    target: list[str] = Field(default=[], description="Which resource is meant: `sqs:jobs` or `NAME=sqs:jobs`.")
    skip_invalid: bool = Field(default=False, description="Leave out what is broken, instead of an error.")

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        """A text is the file."""
        return {"file": value} if isinstance(value, str) else value


class Trace(Model):
    """Arrivals from a CSV file with a line of names: one row is one arrival, relative to the first row's."""

    file: str = Field(description="Relative to the scenario file.")
    column: str = Field(description="The column that holds the time of the arrival; it never falls.")
    unit: Annotated[str, _UNIT] = Field(default="ms", description="What both columns count in.")
    duration_column: str | None = Field(default=None, description="Recorded durations, instead of the modelled ones.")
    environment_column: str | None = Field(
        default=None, description="Ids of environments: those first seen warm are warm when the trace begins."
    )
    cold_column: str | None = Field(default=None, description="Whether a row was a cold start: true or false.")

    @model_validator(mode="after")
    def _warmth(self) -> Trace:
        if (self.environment_column is None) != (self.cold_column is None):
            raise refuse("has one of environment_column and cold_column; warmth is read from both. Add the other.")
        return self


class Item(Model):
    """One line of a workload: one verb, and when."""

    verbs: ClassVar[tuple[str, ...]] = VERBS

    put_object: PutObject | None = None
    copy_object: CopyObject | None = None
    delete_object: DeleteObject | None = None
    publish: Publish | None = None
    send_message: SendMessage | None = None
    put_record: PutRecord | None = None
    put_item: PutItem | None = None
    update_item: UpdateItem | None = None
    delete_item: DeleteItem | None = None
    invoke: Invoke | None = None
    put_events: PutEvents | None = None
    replay: Recorded | None = Field(default=None, description="A file, or a mapping with `file`.")
    speed: Annotated[float, Check(_speed, {"type": "number", "exclusiveMinimum": 0})] | None = Field(
        default=None, description="How many seconds of what is replayed pass in one second (default 1)."
    )
    at: Duration | None = Field(default=None, description="When; with `rate` and `replay` when it begins.")
    rate: Annotated[Any, Check(_rate, {"type": "string", "pattern": _RATE.pattern, "examples": ["20/s"]})] | None = None
    for_: Duration | None = Field(default=None, validation_alias="for", description="How long the rate lasts.")
    count: Annotated[int, _COUNT] | None = None
    over: Duration | None = Field(default=None, description="The time that `count` arrivals are spread over.")
    arrivals: Annotated[str, one_of(("poisson", "constant"), "arrivals are")] | None = Field(
        default=None, description="poisson (the default) or constant, for `rate` and `over`."
    )
    trace: Trace | None = None

    @property
    def verb(self) -> str:
        """The one verb of the item."""
        return next(name for name in self.verbs if getattr(self, name) is not None)

    @model_validator(mode="after")
    def _one_verb(self) -> Item:
        given = [name for name in self.verbs if getattr(self, name) is not None]
        if len(given) != 1:
            found = " and ".join(given) or "no verb"
            raise refuse(f"has {found}; an item is one of {', '.join(self.verbs)}. Give it one.")
        _check_timing(self)
        _check_trace(self)
        return self


def _check_trace(item: Item) -> None:
    """What a trace tells besides its arrivals must have a use."""
    if item.trace is None:
        return
    if item.trace.duration_column is not None and item.invoke is None and item.put_object is None:
        raise refuse("has a trace with duration_column, which only invoke and put_object pass on. Remove it.")
    if item.trace.cold_column is not None and (item.invoke is None or item.invoke.qualified):
        raise refuse("has a trace with cold_column, which is for an unqualified function. Remove it.")


_TIMINGS_OF_A_REPLAY = {(), ("at",)}
_TIMINGS = {
    ("at",),
    ("at", "count"),
    ("rate", "for"),
    ("rate", "count"),
    ("at", "rate", "for"),
    ("at", "rate", "count"),
    ("count", "over"),
    ("trace",),
}
_TIMING_RULE = (
    "an item has exactly one of `at` (with `count`: all at once), `rate` with `for` or `count` (beginning at `at`), "
    "`count` with `over`, and `trace`"
)


def _check_timing(item: Item) -> None:
    names = {"at": "at", "rate": "rate", "for": "for_", "count": "count", "over": "over", "trace": "trace"}
    given = tuple(name for name, field in names.items() if getattr(item, field) is not None)
    if item.replay is not None:
        if given not in _TIMINGS_OF_A_REPLAY:
            raise refuse(f"has {', '.join(given)}; a replay has its own times, and `at` where it begins. Remove them.")
    elif item.speed is not None:
        raise refuse("has speed, which is that of a replay; there is none. Remove it.")
    elif given not in _TIMINGS:
        found = ", ".join(given) or "no time"
        raise refuse(f"has {found}; {_TIMING_RULE}. Choose one of these forms.")
    if item.arrivals is not None and "rate" not in given and "over" not in given:
        raise refuse("has arrivals, which say how `rate` and `over` spread; there is neither. Remove it.")
