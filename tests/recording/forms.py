"""Files in the forms that people have, and the simulation that they are read for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simbus import Simulation, UsageError
from simbus.recording.source import Input, open_input


def read(sim: Simulation, path: Path, text: Any, **options: Any) -> Input:
    """Write a file (a document, or its text or bytes) and open it."""
    if not isinstance(text, str | bytes):
        text = json.dumps(text, indent=2)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return open_input(path, sim, **options)


def done(source: Input) -> list[tuple[str, str, dict[str, Any]]]:
    """Resource, verb and arguments of every operation."""
    return [(each.resource, each.verb, each.arguments) for each in source.operations()]


def times(source: Input) -> list[float]:
    """When each operation is, in seconds."""
    return [each.when / 1e9 for each in source.operations()]


def broken(sim: Simulation, path: Path, text: Any, **options: Any) -> str:
    """The message for a file that is not right."""
    with pytest.raises(UsageError) as caught:
        read(sim, path, text, **options)
    return str(caught.value).removeprefix(str(path))


def message(body: Any, attributes: dict[str, Any] | None = None, sent: int = 0, **system: str) -> dict[str, Any]:
    """A message as `aws sqs receive-message --attribute-names All --message-attribute-names All` prints it."""
    found: dict[str, Any] = {
        "MessageId": "19dd0b57-b21e-4ac1-bd88-01bbb068cb78",
        "ReceiptHandle": "AQEB...",
        "MD5OfBody": "0",
        "Body": body if isinstance(body, str) else json.dumps(body),
        "Attributes": {"SentTimestamp": str(1_700_000_000_000 + sent), **system},
    }
    if attributes:
        found["MessageAttributes"] = {
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
        }
    return found


GAVE_UP = {"RequestID": "a", "ErrorCode": "200", "ErrorMessage": "no city"}


KINESIS = {
    "kinesis": {"partitionKey": "k", "sequenceNumber": "49", "data": "AP8=", "approximateArrivalTimestamp": 1.5e9},
    "eventSource": "aws:kinesis",
    "eventID": "shardId-000000000000:49",
    "eventName": "aws:kinesis:record",
    "eventSourceARN": "arn:aws:kinesis:us-east-1:9:stream/clicks",
}
PUT = ("kinesis:clicks", "put_record", {"data": {"$base64": "AP8="}, "partition_key": "k"})
