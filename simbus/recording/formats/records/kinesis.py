"""Records of Kinesis: put again, with their partition key.

Source: Lambda developer guide, "Using Lambda with Kinesis".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simbus.recording.formats.access import binary, field, optional
from simbus.recording.formats.base import Found, operation, time_of
from simbus.recording.names import Names


def convert(record: dict[str, Any], line: int, names: Names) -> Iterator[Found]:
    """One record. Raises ValueError."""
    about = field(record, "kinesis", kind=dict)
    data = field(about, "data")
    binary(data, "kinesis.data")
    yield operation(
        time_of(optional(about, "approximateArrivalTimestamp", kind=(int, float))),
        names.find_arn(field(record, "eventSourceARN")),
        "put_record",
        line,
        data={"$base64": data},
        partition_key=field(about, "partitionKey"),
    )
