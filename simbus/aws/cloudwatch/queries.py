"""What GetMetricData refuses: a ValidationError with a line for each thing that is wrong.

Sources: the texts as users quote them (influxdata/telegraf#5420, elastic/beats#32687, nerdswords/
yet-another-cloudwatch-exporter#729 and #1435, all with a line break at the end). Those of periods, of MaxDatapoints, of
too many queries, and of two queries with one Id are not known from a source.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from simbus.aws.cloudwatch.common import Json, invalid, is_period
from simbus.aws.table import not_built

MOST_OF_QUERIES: Final = 100_800  # data points
MOST_QUERIES: Final = 500
_ID: Final = "^[a-z][a-zA-Z0-9_]*$"
_STATISTIC: Final = re.compile(
    r"SampleCount|Average|Sum|Minimum|Maximum|IQM|(p|tm|wm|tc|ts)(\d{1,2}(\.\d+)?|100)|(TM|WM|TC|TS|PR)\([\d.%:]+\)"
)


def check_queries(queries: Sequence[Json], start: datetime, end: datetime, most: int) -> None:
    """Raises AwsError ValidationError (400), and refuses expressions: metric math is not played."""
    wrong = list(_wrong(queries, start, end, most))
    if wrong:
        raise invalid("".join(f"{line}\n" for line in wrong), "ValidationError")
    if any("MetricStat" not in query for query in queries):
        raise not_built("cloudwatch GetMetricData with Expression")


def _wrong(queries: Sequence[Json], start: datetime, end: datetime, most: int) -> Iterator[str]:
    if start == end:
        yield "The parameter StartTime must not equal parameter EndTime."
    elif start > end:
        yield "The parameter StartTime must be less than the parameter EndTime."
    if not 1 <= most <= MOST_OF_QUERIES:
        yield f"The parameter MaxDatapoints must be between 1 and {MOST_OF_QUERIES}."
    if len(queries) > MOST_QUERIES:
        yield f"The collection MetricDataQueries must not have a size greater than {MOST_QUERIES}."
    for number, query in enumerate(queries, 1):
        yield from _of_query(query, f"MetricDataQueries.member.{number}")
    if len({query["Id"] for query in queries}) < len(queries):
        yield "The values for parameter id in MetricDataQueries are not unique."


def _of_query(query: Json, where: str) -> Iterator[str]:
    if re.fullmatch(_ID, query["Id"]) is None:
        yield f"The value {query['Id']} for parameter {where}.Id is not matching the expected pattern {_ID}."
    stat = query.get("MetricStat")
    if stat is None:
        return
    if not is_period(stat["Period"]):
        yield f"The parameter {where}.MetricStat.Period must be 1, 5, 10, 20, 30, or any multiple of 60."
    if _STATISTIC.fullmatch(stat["Stat"]) is None:
        yield f"The value for parameter {where}.MetricStat.Stat is not a valid statistic."
