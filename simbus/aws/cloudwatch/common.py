"""The service's table, its errors, and the parameters that several operations have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from simbus.aws.table import Api
from simbus.errors import AwsError, UsageError
from simbus.metrics.custom import Key, key_of
from simbus.metrics.statistics import STATISTICS, check_statistic

Json = Mapping[str, Any]
api = Api("cloudwatch")
DAY: Final = 86_400_000


def invalid(message: str, code: str = "InvalidParameterValue") -> AwsError:
    return AwsError(code, message)


def metric_key(namespace: str, name: str, dimensions: Sequence[Json]) -> Key:
    return key_of(namespace, name, {each["Name"]: each["Value"] for each in dimensions})


def is_period(seconds: int) -> bool:
    return seconds in (1, 5, 10, 20, 30) or (seconds > 0 and seconds % 60 == 0)


def whole_range(start: datetime, end: datetime, period: int) -> tuple[int, int, int]:
    """Start, end and period in ms; the start rounded down."""
    first = milliseconds(start)
    return first - first % (60_000 if period >= 60 else 1_000), milliseconds(end), period * 1_000


def check_known(operation: str, statistic: str) -> None:
    if not check_statistic(statistic):
        raise UsageError(
            f"cloudwatch {operation}: {statistic} is no statistic that simbus computes; it has {', '.join(STATISTICS)} "
            "and percentiles such as p99. Ask for one of these."
        )


def milliseconds(when: datetime) -> int:
    return round(when.timestamp() * 1_000)


def datetime_of(time: int) -> datetime:
    return datetime.fromtimestamp(time / 1_000, UTC)
