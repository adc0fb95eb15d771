"""PutMetricData."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from simbus.aws.cloudwatch.common import DAY, Json, api, invalid, milliseconds
from simbus.metrics.custom import key_of, rows_of_set, rows_of_value
from simbus.metrics.meter import Datapoint

if TYPE_CHECKING:
    from simbus.resources import Resources

MOST_DATUMS: Final = 1_000
MOST_DIMENSIONS: Final = 30
MOST_VALUES: Final = 150
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


@api.operation
def put_metric_data(account: Resources, *, Namespace: str, MetricData: Sequence[Json]) -> None:
    """Every value is a row at once; on AWS it takes minutes until it can be read.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
    """
    if Namespace.startswith("AWS/"):
        raise invalid("The value AWS/ for parameter Namespace is invalid.")
    if len(MetricData) > MOST_DATUMS:
        raise invalid(f"The collection MetricData must not have a size greater than {MOST_DATUMS}.")
    rows: list[Datapoint] = []
    for number, datum in enumerate(MetricData, 1):
        rows += _rows(account, Namespace, datum, f"MetricData.member.{number}")
    account.world.rows.metrics.extend(rows)


def _rows(account: Resources, namespace: str, datum: Json, where: str) -> Iterator[Datapoint]:
    dimensions = datum.get("Dimensions", ())
    if len(dimensions) > MOST_DIMENSIONS:
        raise invalid(f"The collection {where}.Dimensions must not have a size greater than {MOST_DIMENSIONS}.")
    unit = datum.get("Unit", "None")
    if unit not in UNITS:
        raise invalid(f"The parameter {where}.Unit must be a value in the set [{', '.join(sorted(UNITS))}]")
    key = key_of(namespace, datum["MetricName"], {each["Name"]: each["Value"] for each in dimensions})
    now = account.world.epoch_ms()
    time = milliseconds(datum["Timestamp"]) if "Timestamp" in datum else now
    if time < now - 14 * DAY:
        raise invalid(f"The parameter {where}.Timestamp must specify a time no more than two weeks in the past.")
    if time > now + DAY // 12:
        raise invalid(f"The parameter {where}.Timestamp must specify a time within two hours of the current time.")
    time -= time % (1_000 if datum.get("StorageResolution") == 1 else 60_000)
    _check_one_form(datum, where)
    if "StatisticValues" in datum:
        yield from rows_of_set(key, time, datum["StatisticValues"], unit)
        return
    values = datum["Values"] if "Values" in datum else [datum["Value"]]
    counts = datum.get("Counts") or [1] * len(values)
    if len(values) > MOST_VALUES:
        raise invalid(f"The collection {where}.Values must not have a size greater than {MOST_VALUES}.")
    if len(values) != len(counts):
        message = f"The parameters {where}.Values and {where}.Counts must be of the same size."
        raise invalid(message, "InvalidParameterCombination")
    for value, count in zip(values, counts, strict=True):
        if value != value or abs(value) > 2.0**360:
            raise invalid(f"The value {value} for parameter {where}.Value is invalid.")
        yield from rows_of_value(key, time, value, unit, count)


def _check_one_form(datum: Json, where: str) -> None:
    """Value, Values or StatisticValues: exactly one of them."""
    forms = [name for name in ("Value", "Values", "StatisticValues") if name in datum]
    if not forms:
        raise invalid(f"The parameter {where}.Value is required.", "MissingParameter")
    if len(forms) > 1:
        raise invalid(
            f"The parameters {where}.{forms[0]} and {where}.{forms[1]} are mutually exclusive and you have specified "
            "both.",
            "InvalidParameterCombination",
        )
