"""Amazon CloudWatch metrics: those of AWS that simbus writes (AWS/Lambda, AWS/SQS, AWS/DynamoDB), and those of users.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/
Alarms, dashboards and metric math are not played. A period begins at StartTime, rounded down to its minute (below 60 s:
to its second); AWS documents the rounding, not whether periods of GetMetricData are aligned any further.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from simbus.aws.paging import given, make_token, page, read_token
from simbus.aws.table import Api, Response, not_built
from simbus.errors import AwsError, UsageError
from simbus.metrics.custom import Key, key_of, rows_of_set, rows_of_value
from simbus.metrics.meter import MILLISECONDS, Datapoint
from simbus.metrics.names import check_name
from simbus.metrics.statistics import (
    STATISTICS,
    Point,
    check_statistic,
    custom_points,
    in_periods,
    one,
    point_of,
    statistic_of,
)

if TYPE_CHECKING:
    from simbus.resources import Resources
    from simbus.sources.dynamodb.table import Table

Json = Mapping[str, Any]
api = Api("cloudwatch")

MOST_DATUMS: Final = 1_000
MOST_DIMENSIONS: Final = 30
MOST_VALUES: Final = 150
MOST_DATAPOINTS: Final = 1_440
MOST_OF_QUERIES: Final = 100_800
_DAY: Final = 86_400_000
_PER_SECOND: Final = tuple(
    f"{unit}/Second" for unit in (
        *("Bytes", "Kilobytes", "Megabytes", "Gigabytes", "Terabytes"),
        *("Bits", "Kilobits", "Megabits", "Gigabits", "Terabits", "Count"),
    )
)  # fmt: skip
UNITS: Final = frozenset(
    ("Seconds", "Microseconds", "Milliseconds", "Percent", "None", *_PER_SECOND,
     *(unit.partition("/")[0] for unit in _PER_SECOND))
)  # fmt: skip


def _invalid(message: str, code: str = "InvalidParameterValue") -> AwsError:
    return AwsError(code, message)


# --- put -------------------------------------------------------------------------------------------------------------


@api.operation
def put_metric_data(account: Resources, *, Namespace: str, MetricData: Sequence[Json]) -> None:
    """Every value is a row at once; on AWS it takes minutes until it can be read.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
    """
    if Namespace.startswith("AWS/"):
        raise _invalid("The value AWS/ for parameter Namespace is invalid.")
    if len(MetricData) > MOST_DATUMS:
        raise _invalid(f"The collection MetricData must not have a size greater than {MOST_DATUMS}.")
    rows: list[Datapoint] = []
    for number, datum in enumerate(MetricData, 1):
        rows += _rows(account, Namespace, datum, f"MetricData.member.{number}")
    account.world.rows.metrics.extend(rows)


def _rows(account: Resources, namespace: str, datum: Json, where: str) -> Iterator[Datapoint]:
    dimensions = datum.get("Dimensions", ())
    if len(dimensions) > MOST_DIMENSIONS:
        raise _invalid(f"The collection {where}.Dimensions must not have a size greater than {MOST_DIMENSIONS}.")
    unit = datum.get("Unit", "None")
    if unit not in UNITS:
        raise _invalid(f"The parameter {where}.Unit must be a value in the set [{', '.join(sorted(UNITS))}]")
    key = key_of(namespace, datum["MetricName"], {each["Name"]: each["Value"] for each in dimensions})
    now = account.world.epoch_ms()
    time = _ms(datum["Timestamp"]) if "Timestamp" in datum else now
    if time < now - 14 * _DAY:
        raise _invalid(f"The parameter {where}.Timestamp must specify a time no more than two weeks in the past.")
    if time > now + _DAY // 12:
        raise _invalid(f"The parameter {where}.Timestamp must specify a time within two hours of the current time.")
    time -= time % (1_000 if datum.get("StorageResolution") == 1 else 60_000)
    _check_one_form(datum, where)
    if "StatisticValues" in datum:
        yield from rows_of_set(key, time, datum["StatisticValues"], unit)
        return
    values = datum["Values"] if "Values" in datum else [datum["Value"]]
    counts = datum.get("Counts") or [1] * len(values)
    if len(values) > MOST_VALUES:
        raise _invalid(f"The collection {where}.Values must not have a size greater than {MOST_VALUES}.")
    if len(values) != len(counts):
        message = f"The parameters {where}.Values and {where}.Counts must be of the same size."
        raise _invalid(message, "InvalidParameterCombination")
    for value, count in zip(values, counts, strict=True):
        if value != value or abs(value) > 2.0**360:
            raise _invalid(f"The value {value} for parameter {where}.Value is invalid.")
        yield from rows_of_value(key, time, value, unit, count)


def _check_one_form(datum: Json, where: str) -> None:
    """Value, Values or StatisticValues: exactly one of them."""
    forms = [name for name in ("Value", "Values", "StatisticValues") if name in datum]
    if not forms:
        raise _invalid(f"The parameter {where}.Value is required.", "MissingParameter")
    if len(forms) > 1:
        raise _invalid(
            f"The parameters {where}.{forms[0]} and {where}.{forms[1]} are mutually exclusive and you have specified "
            "both.",
            "InvalidParameterCombination",
        )


# --- get -------------------------------------------------------------------------------------------------------------


@api.operation
def get_metric_statistics(
    account: Resources,
    *,
    Namespace: str,
    MetricName: str,
    StartTime: datetime,
    EndTime: datetime,
    Period: int,
    Dimensions: Sequence[Json] = (),
    Statistics: Sequence[str] = (),
    ExtendedStatistics: Sequence[str] = (),
    Unit: str | None = None,
) -> Response:
    """In the order of time (AWS has none), a data point for each unit.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html
    """
    start, end, period = _range(StartTime, EndTime, Period)
    if (end - start) // period > MOST_DATAPOINTS:
        raise _invalid(
            f"You have requested up to {(end - start) // period:,} datapoints, which exceeds the limit of "
            f"{MOST_DATAPOINTS:,}. You may reduce the datapoints requested by increasing Period, or decreasing the "
            "time range.",
            "InvalidParameterCombination",
        )
    if not Statistics and not ExtendedStatistics:
        raise _invalid("At least one of Statistics and ExtendedStatistics must be specified.", "MissingParameter")
    for statistic in (*Statistics, *ExtendedStatistics):
        _check_statistic("GetMetricStatistics", statistic)
    key = _key(Namespace, MetricName, Dimensions)
    found = []
    for time, points in in_periods(_points(account, key), start, end, period).items():
        for unit in dict.fromkeys(point.unit for point in points if Unit in (None, point.unit)):
            measured = [point for point in points if point.unit == unit]
            datapoint: dict[str, Any] = {"Timestamp": _datetime(time), "Unit": unit}
            datapoint |= {each: statistic_of(measured, each, MetricName) for each in Statistics}
            if ExtendedStatistics:
                datapoint["ExtendedStatistics"] = {
                    each: statistic_of(measured, each, MetricName) for each in ExtendedStatistics
                }
            found.append(datapoint)
    return {"Label": MetricName, "Datapoints": found}


@api.operation
def get_metric_data(
    account: Resources,
    *,
    MetricDataQueries: Sequence[Json],
    StartTime: datetime,
    EndTime: datetime,
    ScanBy: str = "TimestampDescending",
    NextToken: str | None = None,
    MaxDatapoints: int = MOST_OF_QUERIES,
) -> Response:
    """MaxDatapoints a page, of one query after the other: of which there is more says PartialData.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
    """
    if not 1 <= MaxDatapoints <= MOST_OF_QUERIES:
        raise _invalid(f"The parameter MaxDatapoints must be between 1 and {MOST_OF_QUERIES:,}.")
    results = []
    for query in MetricDataQueries:
        if "MetricStat" not in query:
            raise not_built("cloudwatch GetMetricData with Expression")
        stat = query["MetricStat"]
        _check_statistic("GetMetricData", stat["Stat"])
        start, end, period = _range(StartTime, EndTime, stat["Period"])
        key = _key(stat["Metric"]["Namespace"], stat["Metric"]["MetricName"], stat["Metric"].get("Dimensions", ()))
        points = [point for point in _points(account, key) if stat.get("Unit") in (None, point.unit)]
        periods = in_periods(points, start, end, period)
        if not query.get("ReturnData", True):
            continue
        times = sorted(periods, reverse=ScanBy == "TimestampDescending")
        results.append(
            {
                "Id": query["Id"],
                "Label": query.get("Label", key.name),
                "Timestamps": [_datetime(time) for time in times],
                "Values": [statistic_of(periods[time], stat["Stat"], key.name) for time in times],
                "StatusCode": "Complete",
            }
        )
    first = 0 if NextToken is None else _begin(NextToken)
    return given(
        MetricDataResults=list(_part(results, first, first + MaxDatapoints)),
        Messages=[],
        NextToken=_end(results, first + MaxDatapoints),
    )


def _part(results: Sequence[Response], first: int, last: int) -> Iterator[Response]:
    """What of the results lies in a page, if their data points are counted through; empty ones are in the first."""
    before = 0
    for result in results:
        count = len(result["Values"])
        here = slice(max(first - before, 0), max(last - before, 0))
        values = result["Values"][here]
        if values or (not count and not first):
            complete = last >= before + count
            yield {
                **result,
                "Timestamps": result["Timestamps"][here],
                "Values": values,
                "StatusCode": "Complete" if complete else "PartialData",
            }
        before += count


def _end(results: Sequence[Response], last: int) -> str | None:
    """The token of the page after `last` data points, if there are more."""
    return make_token(str(last)) if last < sum(len(result["Values"]) for result in results) else None


def _begin(token: str) -> int:
    bad_token = partial(_invalid, "The service cannot process the token. It may be expired or invalid.")
    begin = read_token(token, bad_token)
    if not begin.isdecimal():
        raise bad_token()
    return int(begin)


@api.operation
def list_metrics(
    account: Resources,
    *,
    Namespace: str | None = None,
    MetricName: str | None = None,
    Dimensions: Sequence[Json] = (),
    NextToken: str | None = None,
) -> Response:
    """Those that have a data point; 500 a page, by namespace, name and dimensions.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html
    """
    keys = account.metric_keys()
    wanted = [
        key
        for key in keys
        if Namespace in (None, key.namespace)
        and MetricName in (None, key.name)
        and all(
            any(name == each["Name"] and value == each.get("Value", value) for name, value in key.dimensions)
            for each in Dimensions
        )
    ]
    bad_token = partial(_invalid, "The token supplied to the function is invalid.")
    found, token = page(sorted(wanted), str, 500, NextToken, bad_token)
    shown = [
        {
            "Namespace": key.namespace,
            "MetricName": key.name,
            "Dimensions": [{"Name": name, "Value": value} for name, value in key.dimensions],
        }
        for key in found
    ]
    return given(Metrics=shown, NextToken=token)


# --- what there is ---------------------------------------------------------------------------------------------------


def _points(account: Resources, key: Key) -> list[Point]:
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


# --- parameters ------------------------------------------------------------------------------------------------------


def _key(namespace: str, name: str, dimensions: Sequence[Json]) -> Key:
    return key_of(namespace, name, {each["Name"]: each["Value"] for each in dimensions})


def _range(start: datetime, end: datetime, period: int) -> tuple[int, int, int]:
    """Start, end and period in ms; the start rounded down."""
    if period < 1 or (period not in (1, 5, 10, 20, 30) and period % 60):
        raise _invalid("The parameter Period must be 1, 5, 10, 20, 30, or any multiple of 60.")
    if start >= end:
        raise _invalid(
            "The parameter StartTime must be less than the parameter EndTime.", "InvalidParameterCombination"
        )
    first = _ms(start)
    return first - first % (60_000 if period >= 60 else 1_000), _ms(end), period * 1_000


def _check_statistic(operation: str, statistic: str) -> None:
    if not check_statistic(statistic):
        raise UsageError(
            f"cloudwatch {operation}: {statistic} is no statistic that simbus computes; it has {', '.join(STATISTICS)} "
            "and percentiles such as p99. Ask for one of these."
        )


def _ms(when: datetime) -> int:
    return round(when.timestamp() * 1_000)


def _datetime(time: int) -> datetime:
    return datetime.fromtimestamp(time / 1_000, UTC)
