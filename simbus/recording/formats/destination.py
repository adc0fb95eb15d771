"""Records of invocations that went to a destination: the function is invoked again with what it was given.

An asynchronous invocation's record has the payload (`requestPayload`). The on-failure record of a stream says only
where the records were (shard and sequence numbers); in an S3 destination it has them as well (`payload`). Source:
Lambda developer guide, "Capturing records of Lambda asynchronous invocations", "Retaining discarded batch records".
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from simbus.recording.formats.access import field, optional
from simbus.recording.formats.base import Format, Found, Sample, operation, time_of
from simbus.recording.formats.documents import Document, reader
from simbus.recording.formats.records import convert_event
from simbus.recording.names import Names

_BATCHES = ("KinesisBatchInfo", "DDBStreamBatchInfo")


def is_record(value: Any) -> bool:
    """Whether a document is such a record."""
    context = value.get("requestContext") if isinstance(value, dict) else None
    return isinstance(context, dict) and "functionArn" in context and "condition" in context


def convert_record(value: Any, line: int, names: Names) -> Iterator[Found]:
    """What does it again. Raises ValueError."""
    if any(batch in value for batch in _BATCHES):
        yield from _stream_failure(value, line, names)
        return
    if "requestPayload" not in value:
        raise ValueError("there is no requestPayload; the record does not say what the function was given")
    arn = field(value, "requestContext", "functionArn")
    function = names.find_arn(arn)
    qualifier = _qualifier(arn, function, names)
    yield invoke(function, value["requestPayload"], time_of(optional(value, "timestamp")), line, qualifier)


def invoke(function: str, payload: Any, when: int, line: int, qualifier: str | None = None) -> Found:
    """An asynchronous invocation: the road that ended in a destination or a dead-letter queue."""
    return operation(when, function, "invoke", line, payload=payload, invocation_type="Event", qualifier=qualifier)


def _qualifier(arn: str, function: str, names: Names) -> str | None:
    """The version or alias that was invoked, where the scenario has it too."""
    qualifier = arn.rpartition(":")[2] if arn.count(":") == 7 else None
    if qualifier in (None, "$LATEST") or not function.startswith("lambda:"):
        return None
    return qualifier if names.wants(function) and names.resource(function).core.has(qualifier) else None


def _stream_failure(value: Any, line: int, names: Names) -> Iterator[Found]:
    batch = field(value, next(batch for batch in _BATCHES if batch in value), kind=dict)
    payload = value.get("payload")
    if payload is None:
        raise ValueError(
            f"the record says where {batch.get('batchSize', 'the')} records were ({batch.get('shardId')}, from "
            f"{batch.get('startSequenceNumber')} on) and not what they held; only an on-failure destination in S3 "
            "keeps them. Read them from the stream as long as it has them, or change the destination"
        )
    event = json.loads(payload) if isinstance(payload, str) else payload
    yield from convert_event(event, line, names)


def _detect(sample: Sample) -> bool:
    return is_record(sample.document)


def _convert(document: Document, names: Names) -> Iterator[Found]:
    if not is_record(document.value):
        raise ValueError("is no record of an invocation; it has requestContext with functionArn and condition")
    return convert_record(document.value, document.line, names)


FORMAT = Format("destination", "records of invocations in a destination", _detect, reader(_convert))
