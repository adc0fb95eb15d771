"""Log files of CloudTrail (`{"Records": [...]}`): its data events, as far as they say what was done.

It never has content: an object has its size and zeros, a function is invoked with an empty object, an item has its key
only, and messages are not known at all. What was done inside of AWS (`invokedBy`: S3 invokes a function) happens again
by itself. Management events are left out. Source: CloudTrail user guide, "CloudTrail record contents", "Logging data
events"; the record examples in the S3, Lambda and DynamoDB developer guides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from simbus.recording.formats.access import field, optional
from simbus.recording.formats.base import Format, Found, Sample, Skipped, operation, time_of
from simbus.recording.formats.documents import Document, reader
from simbus.recording.formats.records import s3
from simbus.recording.names import Names

_AWS = ".amazonaws.com"
Convert = Callable[[dict[str, Any], int, int, Names], Iterator[Found]]


def _put_object(record: dict[str, Any], when: int, line: int, names: Names) -> Iterator[Found]:
    size = optional(record, "additionalEventData", "bytesTransferredIn", kind=(int, float))
    bucket, key = field(record, "requestParameters", "bucketName"), field(record, "requestParameters", "key")
    return s3.change("ObjectCreated:Put", bucket, key, int(size or 0), when, line, names)


def _delete_object(record: dict[str, Any], when: int, line: int, names: Names) -> Iterator[Found]:
    bucket, key = field(record, "requestParameters", "bucketName"), field(record, "requestParameters", "key")
    return s3.change("ObjectRemoved:Delete", bucket, key, None, when, line, names)


def _invoke(record: dict[str, Any], when: int, line: int, names: Names) -> Iterator[Found]:
    given = field(record, "requestParameters", kind=dict)
    name = field(given, "functionName")
    function = names.find_arn(name) if name.startswith("arn:") else names.find("lambda", name.partition(":")[0])
    kind = optional(given, "invocationType") or "RequestResponse"
    yield operation(when, function, "invoke", line, payload={}, invocation_type=kind)


def _put_item(record: dict[str, Any], when: int, line: int, names: Names) -> Iterator[Found]:
    table, key = _item(record, names)
    yield operation(when, table, "put_item", line, item=key)


def _delete_item(record: dict[str, Any], when: int, line: int, names: Names) -> Iterator[Found]:
    table, key = _item(record, names)
    yield operation(when, table, "delete_item", line, key=key)


def _item(record: dict[str, Any], names: Names) -> tuple[str, dict[str, Any]]:
    name = field(record, "requestParameters", "tableName").rpartition("/")[2]
    return names.find("dynamodb", name), field(record, "requestParameters", "key", kind=dict)


_EVENTS: dict[tuple[str, str], Convert] = {
    ("s3.amazonaws.com", "PutObject"): _put_object,
    ("s3.amazonaws.com", "CopyObject"): _put_object,
    ("s3.amazonaws.com", "CompleteMultipartUpload"): _put_object,
    ("s3.amazonaws.com", "DeleteObject"): _delete_object,
    ("lambda.amazonaws.com", "Invoke"): _invoke,
    ("dynamodb.amazonaws.com", "PutItem"): _put_item,
    ("dynamodb.amazonaws.com", "DeleteItem"): _delete_item,
}


def is_trail(value: Any) -> bool:
    """Whether a document is a log file of CloudTrail, or one record of it."""
    records = value.get("Records") if isinstance(value, dict) else None
    record = records[0] if isinstance(records, list) and records else value
    if not isinstance(record, dict):
        return False
    return "eventVersion" in record and "eventID" in record and str(record.get("eventSource")).endswith(_AWS)


def _records(record: dict[str, Any], line: int, names: Names) -> Iterator[Found]:
    source, name = field(record, "eventSource"), field(record, "eventName")
    service = source.removesuffix(_AWS)
    if record.get("errorCode") is not None:
        yield Skipped("a request that AWS refused")
    elif record.get("managementEvent") is True or record.get("eventCategory") == "Management":
        yield Skipped("a management event")
    elif optional(record, "userIdentity", "invokedBy") is not None:
        yield Skipped("done by a service of AWS: it happens again by itself")
    elif (source, name) not in _EVENTS:
        yield Skipped(f"CloudTrail does not say enough of it: {service}:{name}")
    else:
        when = time_of(field(record, "eventTime"))
        yield from _EVENTS[source, name](record, when, line, names)


def _convert(document: Document, names: Names) -> Iterator[Found]:
    value = document.value
    records = field(value, "Records", kind=list) if isinstance(value, dict) and "Records" in value else [value]
    for record in records:
        if not isinstance(record, dict):
            raise ValueError("a record is no object")
        yield from _records(record, document.line, names)


def _detect(sample: Sample) -> bool:
    return is_trail(sample.document)


FORMAT = Format("cloudtrail", "log files of CloudTrail", _detect, reader(_convert))
