"""Events as Lambda gets them (`{"Records": [...]}`): each record is done again at its source.

One module a service, with `convert(record, line, names)`; the table is at the end. With a function as the target
(`--target lambda:name`) the event is not taken apart: the function is invoked with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from simbus.recording.formats.base import UNTIMED, Format, Found, Sample, Skipped, operation
from simbus.recording.formats.documents import Document, reader
from simbus.recording.formats.records import codecommit, dynamodb, kinesis, s3, sns, sqs
from simbus.recording.names import Names

Convert = Callable[[dict[str, Any], int, Names], Iterator[Found]]

RECORDS: dict[str, Convert] = {
    "aws:s3": s3.convert,
    "aws:sns": sns.convert,
    "aws:sqs": sqs.convert,
    "aws:kinesis": kinesis.convert,
    "aws:dynamodb": dynamodb.convert,
    "aws:codecommit": codecommit.convert,
}
"""What makes an operation of a record, by its `eventSource`."""


def source_of(record: Any) -> str | None:
    """The service that a record is of."""
    if not isinstance(record, dict):
        return None
    found = record.get("eventSource", record.get("EventSource"))
    return found if isinstance(found, str) else None


def is_event(value: Any) -> bool:
    """Whether a document is an event with records of a service in the table."""
    records = value.get("Records") if isinstance(value, dict) else None
    return isinstance(records, list) and bool(records) and source_of(records[0]) in RECORDS


def convert_event(value: Any, line: int, names: Names) -> Iterator[Found]:
    """The operations of one event. Raises ValueError."""
    if sns.is_envelope(value):
        yield from sns.convert_message(value, line, names)
        return
    target = names.default
    if target is not None and target.startswith("lambda:"):
        yield operation(UNTIMED, target, "invoke", line, payload=value, invocation_type="Event")
        return
    if isinstance(value, dict) and value.get("Event") == "s3:TestEvent":
        yield Skipped("a test event of S3")
        return
    records = value.get("Records") if isinstance(value, dict) else None
    if not isinstance(records, list):
        raise ValueError("there is no list of Records")
    for record in records:
        convert = RECORDS.get(source_of(record) or "")
        if convert is None:
            known = ", ".join(RECORDS)
            raise ValueError(f"eventSource is {source_of(record)!r}; known are {known}")
        yield from convert(record, line, names)


def _detect(sample: Sample) -> bool:
    return is_event(sample.document) or sns.is_envelope(sample.document)


def _convert(document: Document, names: Names) -> Iterator[Found]:
    return convert_event(document.value, document.line, names)


FORMAT = Format(
    "lambda-event", "events of S3, SNS, SQS, Kinesis, DynamoDB or CodeCommit as Lambda gets them", _detect,
    reader(_convert),
)  # fmt: skip
