"""Records of a DynamoDB stream: the item is put as it was afterwards, or deleted.

Source: DynamoDB API reference, Record and StreamRecord. A stream that shows no new images does not say what to put.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simbus.recording.formats.access import field, optional
from simbus.recording.formats.base import Found, operation, time_of
from simbus.recording.names import Names


def convert(record: dict[str, Any], line: int, names: Names) -> Iterator[Found]:
    """One record. Raises ValueError."""
    table = names.find_arn(field(record, "eventSourceARN"))
    about = field(record, "dynamodb", kind=dict)
    when = time_of(optional(about, "ApproximateCreationDateTime", kind=(int, float, str)))
    if field(record, "eventName") == "REMOVE":
        yield operation(when, table, "delete_item", line, key=field(about, "Keys", kind=dict))
        return
    image = optional(about, "NewImage", kind=dict)
    if image is None:
        view = optional(about, "StreamViewType") or "its StreamViewType"
        raise ValueError(f"there is no NewImage, which {view} does not show; the item is not known")
    yield operation(when, table, "put_item", line, item=image)
