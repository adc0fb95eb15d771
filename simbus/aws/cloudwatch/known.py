"""What is known of a metric: the data points of simbus itself, and those that users put."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simbus.aws.table import not_built
from simbus.metrics.custom import Key
from simbus.metrics.meter import MILLISECONDS
from simbus.metrics.names import check_name
from simbus.metrics.statistics import Point, custom_points, one, point_of

if TYPE_CHECKING:
    from simbus.resources import Resources
    from simbus.sources.dynamodb.table import Table


def points_of(account: Resources, key: Key) -> list[Point]:
    """What is known of a metric. Raises UsageError for one of AWS that simbus does not write."""
    if not key.namespace.startswith("AWS/"):
        return custom_points(account.custom_rows(key.name), key)
    dimension = _dimension(key)
    check_name(key.name, dimension or ("FunctionName=" if key.name not in _OF_ACCOUNT else ""))
    if key.namespace == "AWS/Lambda" and key.name in _OF_INVOCATIONS:
        return _of_invocations(account, key)
    if key.namespace == "AWS/DynamoDB":
        table: Table | None = account.find("dynamodb", key.dimensions[0][1])
        if table is not None and table.throughput is None:
            raise not_built(f"cloudwatch metrics of {table.name}, a table of on-demand capacity")
    if not dimension and key.name not in _OF_ACCOUNT:
        raise not_built(f"cloudwatch metric {key.name} of all functions together")
    return [point_of(row) for row in account.world.metrics.datapoints(key.name, dimension)]


_OF_ACCOUNT: Final = ("ConcurrentExecutions", "UnreservedConcurrentExecutions")
_OF_INVOCATIONS: Final = ("Invocations", "Errors", "Duration")
_DIMENSIONS: Final = {
    "AWS/Lambda": ("FunctionName", "EventSourceMappingUUID"),
    "AWS/SQS": ("QueueName",),
    "AWS/DynamoDB": ("TableName",),
}


def _dimension(key: Key) -> str:
    """The `dimension` of the rows of a metric of AWS."""
    names = _DIMENSIONS.get(key.namespace)
    if names is None:
        raise not_built(f"cloudwatch metrics of {key.namespace}")
    if not key.dimensions and key.namespace == "AWS/Lambda":
        return ""
    if len(key.dimensions) != 1 or key.dimensions[0][0] not in names:
        shown = ", ".join(name for name, _ in key.dimensions) or "no dimension"
        raise not_built(f"cloudwatch metrics of {key.namespace} by {shown} (there are those by {' or '.join(names)})")
    name, value = key.dimensions[0]
    return f"{name}={value}"


def _of_invocations(account: Resources, key: Key) -> list[Point]:
    """The values of single invocations, in the minute in which they started: all statistics are known of these."""
    sql = "SELECT started_at, duration_ms, status FROM invocations WHERE duration_ms IS NOT NULL"
    values = [value for _, value in key.dimensions]
    if values:
        sql += " AND function = ?"
    rows = account.look(lambda reader: list(reader.query(f"{sql} ORDER BY rowid", values)))
    found = []
    for started, duration, status in rows:
        minute = started - started % 60_000
        if key.name == "Duration":
            found.append(one(minute, MILLISECONDS, duration))
        else:
            found.append(one(minute, "Count", float(key.name == "Invocations" or status != "ok")))
    return found
