"""The names of CloudWatch's metrics that simbus writes, by the kind of what they are measured at."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Final

from simbus.errors import UsageError
from simbus.metrics.function import COUNTED
from simbus.metrics.mapping import EVENT_COUNT
from simbus.metrics.queue import GAUGES
from simbus.metrics.table import TABLE_COUNTS

NAMES: Final = {
    "FunctionName": (
        "Invocations",
        "Errors",
        "Duration",
        "Throttles",
        "ConcurrentExecutions",
        "IteratorAge",
        "AsyncEventsReceived",
        "AsyncEventAge",
        *COUNTED,
    ),
    "QueueName": (
        *GAUGES.values(),
        "ApproximateAgeOfOldestMessage",
        "NumberOfMessagesSent",
        "NumberOfMessagesReceived",
        "NumberOfMessagesDeleted",
    ),
    "TableName": TABLE_COUNTS,
    "EventSourceMappingUUID": EVENT_COUNT,
    "": ("ConcurrentExecutions", "UnreservedConcurrentExecutions"),
}
"""By the name of the dimension; the empty one is the account."""


def check_name(name: str, dimension: str) -> None:
    """Raises UsageError for a name that can have no data point: an empty list would look like good news."""
    known = NAMES[dimension.partition("=")[0]]
    if name in known:
        return
    close = get_close_matches(name, known, 1)
    remedy = f"Did you mean {close[0]}?" if close else f"Its metrics are {', '.join(known)}."
    raise UsageError(f"{dimension or 'account'} has no metric {name!r}; the names are CloudWatch's. {remedy}")
