"""GetMetricStatistics, GetMetricData and ListMetrics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from simbus.aws.cloudwatch.common import (
    Json,
    api,
    check_known,
    datetime_of,
    invalid,
    is_period,
    metric_key,
    whole_range,
)
from simbus.aws.cloudwatch.known import points_of
from simbus.aws.cloudwatch.queries import MOST_OF_QUERIES, check_queries
from simbus.aws.paging import given, make_token, page, read_token
from simbus.aws.table import Response
from simbus.metrics.statistics import in_periods, statistic_of

if TYPE_CHECKING:
    from simbus.resources import Resources

MOST_DATAPOINTS: Final = 1_440


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
    if not is_period(Period):
        raise invalid("The parameter Period must be 1, 5, 10, 20, 30, or any multiple of 60.")
    if StartTime == EndTime:
        raise invalid("The parameter StartTime must not equal parameter EndTime.")
    if StartTime > EndTime:
        raise invalid("The parameter StartTime must be less than the parameter EndTime.", "InvalidParameterCombination")
    start, end, period = whole_range(StartTime, EndTime, Period)
    if (end - start) // period > MOST_DATAPOINTS:
        raise invalid(
            f"You have requested up to {(end - start) // period:,} datapoints, which exceeds the limit of "
            f"{MOST_DATAPOINTS:,}. You may reduce the datapoints requested by increasing Period, or decreasing the "
            "time range.",
            "InvalidParameterCombination",
        )
    if not Statistics and not ExtendedStatistics:
        raise invalid("At least one of Statistics and ExtendedStatistics must be specified.", "MissingParameter")
    for statistic in (*Statistics, *ExtendedStatistics):
        check_known("GetMetricStatistics", statistic)
    key = metric_key(Namespace, MetricName, Dimensions)
    found = []
    for time, points in in_periods(points_of(account, key), start, end, period).items():
        for unit in dict.fromkeys(point.unit for point in points if Unit in (None, point.unit)):
            measured = [point for point in points if point.unit == unit]
            datapoint: dict[str, Any] = {"Timestamp": datetime_of(time), "Unit": unit}
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
    check_queries(MetricDataQueries, StartTime, EndTime, MaxDatapoints)
    results = []
    for query in MetricDataQueries:
        stat = query["MetricStat"]
        check_known("GetMetricData", stat["Stat"])
        start, end, period = whole_range(StartTime, EndTime, stat["Period"])
        key = metric_key(
            stat["Metric"]["Namespace"], stat["Metric"]["MetricName"], stat["Metric"].get("Dimensions", ())
        )
        points = [point for point in points_of(account, key) if stat.get("Unit") in (None, point.unit)]
        periods = in_periods(points, start, end, period)
        if not query.get("ReturnData", True):
            continue
        times = sorted(periods, reverse=ScanBy == "TimestampDescending")
        results.append(
            {
                "Id": query["Id"],
                "Label": query.get("Label", key.name),
                "Timestamps": [datetime_of(time) for time in times],
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
    bad_token = partial(
        invalid, "The service cannot process the token. It may be expired or invalid.", "InvalidNextToken"
    )
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
    bad_token = partial(invalid, "The token supplied to the function is invalid.")
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
