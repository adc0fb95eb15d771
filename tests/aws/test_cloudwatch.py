"""CloudWatch metrics through boto3: what simbus measures, what users put, and what Powertools prints."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from simbus import Simulation
from simbus.errors import UsageError

boto3 = pytest.importorskip("boto3", reason="needs the extra boto3")

START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = {"StartTime": START, "EndTime": START + timedelta(hours=1), "Period": 60}


@pytest.fixture
def sim() -> Iterator[Simulation]:
    with Simulation(seed=1) as sim:
        yield sim


@pytest.fixture
def client(sim: Simulation) -> Any:
    return sim.client("cloudwatch")


def put(client: Any, *data: dict[str, Any], namespace: str = "Shop") -> None:
    client.put_metric_data(Namespace=namespace, MetricData=[{"MetricName": "Orders", **each} for each in data])


def statistics(client: Any, *names: str, namespace: str = "Shop", metric: str = "Orders", **options: Any) -> Any:
    return client.get_metric_statistics(
        Namespace=namespace, MetricName=metric, **{**HOUR, **({"Statistics": names} if names else {}), **options}
    )["Datapoints"]


def sleeper(event: Any, context: Any) -> None:
    time.sleep(event["s"])
    if event.get("bad"):
        raise ValueError


# --- what simbus measures --------------------------------------------------------------------------------------------


def test_invocations_errors_and_durations_of_a_function(sim: Simulation, client: Any) -> None:
    """Every statistic, percentiles too; the Average of Errors is the error rate (Lambda Developer Guide)."""
    function = sim.function("f", handler=sleeper, timeout=60, simulate={"init_duration": "0s", "duration": "0s"})
    for n in range(1, 11):
        function.invoke({"s": n / 10, "bad": n > 8})
    options: dict[str, Any] = {
        "namespace": "AWS/Lambda",
        "Dimensions": [{"Name": "FunctionName", "Value": "f"}],
    }
    [found] = statistics(client, "Sum", "Average", metric="Errors", **options)
    assert (found["Sum"], found["Average"], found["Unit"]) == (2, 0.2, "Count")
    assert found["Timestamp"] == START
    [found] = statistics(client, "SampleCount", "Sum", metric="Invocations", **options)
    assert (found["SampleCount"], found["Sum"]) == (10, 10)
    [found] = statistics(
        client, "Minimum", "Average", "Maximum", metric="Duration", ExtendedStatistics=["p50", "p99.9"], **options
    )
    assert [round(found[name]) for name in ("Minimum", "Average", "Maximum")] == [100, 550, 1_000]
    assert {name: round(value) for name, value in found["ExtendedStatistics"].items()} == {"p50": 500, "p99.9": 1_000}


def test_the_messages_of_a_queue_and_the_concurrency_of_a_function(sim: Simulation, client: Any) -> None:
    """A gauge is one sample a minute; of ConcurrentExecutions the Maximum is known, and nothing else is made up."""
    queue = sim.queue("jobs")
    for n in range(3):
        sim.at(f"{n}m", lambda: queue.send_message("x"))
    sim.run(for_="3m")
    options: dict[str, Any] = {"namespace": "AWS/SQS", "Dimensions": [{"Name": "QueueName", "Value": "jobs"}]}
    found = statistics(client, "Maximum", metric="ApproximateNumberOfMessagesVisible", **options)
    assert [each["Maximum"] for each in found] == [1, 2, 3, 3]
    [found] = statistics(client, "Average", metric="ApproximateNumberOfMessagesVisible", **{**options, "Period": 300})
    assert found["Average"] == 9 / 4
    [found] = statistics(client, "Sum", metric="NumberOfMessagesSent", **{**options, "Period": 300})
    assert found["Sum"] == 3
    sim.function("f").invoke({})
    with pytest.raises(UsageError, match="ConcurrentExecutions: its Average is not known"):
        statistics(client, "Average", namespace="AWS/Lambda", metric="ConcurrentExecutions")
    [found] = statistics(client, "Maximum", namespace="AWS/Lambda", metric="ConcurrentExecutions")
    assert found["Maximum"] == 1


def test_what_is_not_written_is_refused(client: Any) -> None:
    """An empty list would look like good news."""
    with pytest.raises(UsageError, match="metrics of AWS/DynamoDB"):
        statistics(client, "Sum", namespace="AWS/DynamoDB", metric="ThrottledRequests")
    with pytest.raises(UsageError, match="no metric 'Invocation'"):
        function = [{"Name": "FunctionName", "Value": "f"}]
        statistics(client, "Sum", namespace="AWS/Lambda", metric="Invocation", Dimensions=function)
    with pytest.raises(UsageError, match="PutMetricAlarm"):
        client.put_metric_alarm(
            AlarmName="a", EvaluationPeriods=1, ComparisonOperator="GreaterThanThreshold", Threshold=1
        )


# --- what users put --------------------------------------------------------------------------------------------------


def test_values_counts_and_statistic_sets(sim: Simulation, client: Any) -> None:
    """Value, Values with Counts, StatisticValues (API_PutMetricData); each is a row of `metrics`."""
    put(client, {"Value": 5, "Unit": "Count"}, {"Values": [1, 10], "Counts": [3, 1], "Unit": "Count"})
    [found] = statistics(client, "SampleCount", "Sum", "Average", "Minimum", "Maximum", ExtendedStatistics=["p60"])
    assert [found[name] for name in ("SampleCount", "Sum", "Minimum", "Maximum")] == [5, 18, 1, 10]
    assert (found["Average"], found["ExtendedStatistics"]) == (3.6, {"p60": 1})
    dimensions = [{"Name": "stage", "Value": "a;b=c@d%"}, {"Name": "app", "Value": "x"}]
    values = {"SampleCount": 4, "Sum": 20, "Minimum": 2, "Maximum": 9}
    put(client, {"StatisticValues": values, "Dimensions": dimensions})
    put(client, {"StatisticValues": values, "Dimensions": dimensions[::-1]})
    [found] = statistics(client, "SampleCount", "Average", "Minimum", "Maximum", Dimensions=dimensions)
    assert [found[name] for name in ("SampleCount", "Average", "Minimum", "Maximum")] == [8, 5, 2, 9]
    with pytest.raises(UsageError, match="Orders: its p99 is not known"):
        statistics(client, ExtendedStatistics=["p99"], Dimensions=dimensions)
    with sim.reader() as reader:
        rows = [(row.dimension, row.value) for row in reader.metrics("Orders")]
    assert rows[:3] == [("Shop", 5), ("Shop", 10), ("Shop;@count=3", 1)]
    assert rows[3][0] == "Shop;app=x;stage=a%3Bb%3Dc%40d%25;@statistic=Maximum"


def test_periods_and_timestamps(sim: Simulation, client: Any) -> None:
    """StartTime is rounded down to its minute, EndTime is exclusive; StorageResolution 1 keeps seconds."""
    sim.run(for_="10m")
    for second in (0, 59, 60, 299, 300):
        put(client, {"Value": 1, "Timestamp": START + timedelta(seconds=second)})
    found = statistics(client, "Sum", Period=120, EndTime=START + timedelta(minutes=5))
    assert [(each["Timestamp"].minute, each["Sum"]) for each in found] == [(0, 3), (4, 1)]
    fine = {"MetricName": "Fine", "Value": 1, "StorageResolution": 1}
    put(client, *({**fine, "Timestamp": START + timedelta(seconds=n)} for n in range(3)))
    short = statistics(client, "Sum", metric="Fine", Period=1, EndTime=START + timedelta(minutes=1))
    assert [each["Timestamp"].second for each in short] == [0, 1, 2]
    with pytest.raises(client.exceptions.ClientError, match="exceeds the limit of 1,440"):
        statistics(client, "Sum", metric="Fine", Period=1)


def test_data_of_several_queries(sim: Simulation, client: Any) -> None:
    """The newest first, or with ScanBy the oldest; by boto3's paginator, too (API_GetMetricData)."""
    sim.run(for_="10m")
    for minute in range(3):
        put(client, {"Value": minute, "Timestamp": START + timedelta(minutes=minute)})
    metric = {"Namespace": "Shop", "MetricName": "Orders"}
    queries = [
        {"Id": name.lower(), "MetricStat": {"Metric": metric, "Period": 60, "Stat": name}} for name in ("Sum", "p90")
    ]
    times = {"StartTime": START, "EndTime": START + timedelta(hours=1)}
    first, second = client.get_metric_data(MetricDataQueries=queries, **times)["MetricDataResults"]
    assert (first["Id"], first["Label"], first["StatusCode"]) == ("sum", "Orders", "Complete")
    assert first["Values"] == second["Values"] == [2, 1, 0]
    assert first["Timestamps"][0] == START + timedelta(minutes=2)
    pages = client.get_paginator("get_metric_data").paginate(
        MetricDataQueries=queries[:1], ScanBy="TimestampAscending", **times
    )
    assert [value for page in pages for value in page["MetricDataResults"][0]["Values"]] == [0, 1, 2]
    small = client.get_paginator("get_metric_data").paginate(
        MetricDataQueries=queries, ScanBy="TimestampAscending", PaginationConfig={"PageSize": 2}, **times
    )
    parts = [(each["Id"], each["Values"], each["StatusCode"]) for page in small for each in page["MetricDataResults"]]
    names = [first["Id"], second["Id"]]
    assert parts == [
        (names[0], [0, 1], "PartialData"),
        (names[0], [2], "Complete"),
        (names[1], [0], "PartialData"),
        (names[1], [1, 2], "Complete"),
    ]
    with pytest.raises(client.exceptions.InvalidNextToken):
        client.get_metric_data(MetricDataQueries=queries, **times, NextToken="x")
    with pytest.raises(UsageError, match="with Expression"):
        client.get_metric_data(MetricDataQueries=[{"Id": "e", "Expression": "m1 * 2"}], **times)


@pytest.mark.parametrize(
    ("changes", "query", "lines"),
    [
        ({"EndTime": START}, {}, ["The parameter StartTime must not equal parameter EndTime."]),
        (
            {"EndTime": START - timedelta(hours=1)},
            {},
            ["The parameter StartTime must be less than the parameter EndTime."],
        ),
        (
            {},
            {"Id": "A"},
            [
                f"The value A for parameter MetricDataQueries.member.{n}.Id is not matching the expected pattern "
                "^[a-z][a-zA-Z0-9_]*$."
                for n in (1, 2)
            ]
            + ["The values for parameter id in MetricDataQueries are not unique."],
        ),
        ({}, {"Id": "a"}, ["The values for parameter id in MetricDataQueries are not unique."]),
        (
            {},
            {"Stat": "Median"},
            [
                f"The value for parameter MetricDataQueries.member.{n}.MetricStat.Stat is not a valid statistic."
                for n in (1, 2)
            ],
        ),
    ],
)
def test_what_get_metric_data_refuses(client: Any, changes: Any, query: Any, lines: list[str]) -> None:
    """400 ValidationError, a line for each thing, as users quote them (influxdata/telegraf#5420, elastic/beats#32687,
    nerdswords/yet-another-cloudwatch-exporter#1435); the one of equal Ids is remembered.
    """
    stat = {"Metric": {"Namespace": "Shop", "MetricName": "Orders"}, "Period": 60, "Stat": query.get("Stat", "Sum")}
    queries = [{"Id": query.get("Id", f"m{n}"), "MetricStat": stat} for n in (1, 2)]
    times = {"StartTime": START, "EndTime": START + timedelta(hours=1), **changes}
    with pytest.raises(client.exceptions.ClientError) as caught:
        client.get_metric_data(MetricDataQueries=queries, **times)
    error = caught.value.response["Error"]
    assert (error["Code"], error["Message"].splitlines()) == ("ValidationError", lines)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.parametrize(("changes", "period"), [({"MaxDatapoints": 100_801}, 60), ({}, 61), ({}, 45)])
def test_numbers_that_get_metric_data_refuses(client: Any, changes: Any, period: int) -> None:
    """ValidationError as well; the texts are simbus's own."""
    stat = {"Metric": {"Namespace": "Shop", "MetricName": "Orders"}, "Period": period, "Stat": "Sum"}
    times = {"StartTime": START, "EndTime": START + timedelta(hours=1)}
    with pytest.raises(client.exceptions.ClientError, match="ValidationError"):
        client.get_metric_data(MetricDataQueries=[{"Id": "m", "MetricStat": stat}], **times, **changes)


def test_no_time_between_start_and_end(client: Any) -> None:
    """GetMetricStatistics has other codes than GetMetricData (influxdata/telegraf#2022)."""
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="must not equal parameter EndTime"):
        statistics(client, "Sum", EndTime=START)


def test_what_put_refuses(sim: Simulation, client: Any) -> None:
    """In the words of CloudWatch."""
    refused = client.exceptions.InvalidParameterValueException
    with pytest.raises(refused, match="The value AWS/ for parameter Namespace is invalid"):
        put(client, {"Value": 1}, namespace="AWS/Lambda")
    with pytest.raises(refused, match="no more than two weeks in the past"):
        put(client, {"Value": 1, "Timestamp": START - timedelta(days=14, seconds=1)})
    with pytest.raises(refused, match="within two hours of the current time"):
        put(client, {"Value": 1, "Timestamp": START + timedelta(hours=2, seconds=1)})
    with pytest.raises(refused, match="is invalid"):
        put(client, {"Value": float("nan")})
    with pytest.raises(refused, match="Unit must be a value in the set"):
        put(client, {"Value": 1, "Unit": "Apples"})
    with pytest.raises(client.exceptions.InvalidParameterCombinationException, match="mutually exclusive"):
        put(client, {"Value": 1, "Values": [1]})
    with pytest.raises(client.exceptions.MissingRequiredParameterException, match="required"):
        put(client, {})
    assert statistics(client, "Sum") == []


def test_the_list_of_metrics(sim: Simulation, client: Any) -> None:
    """Of users and of simbus, by namespace, name and dimensions; a dimension without a value is enough."""
    sim.function("f").invoke({})
    sim.queue("jobs").send_message("x")
    put(client, {"Value": 1, "Dimensions": [{"Name": "stage", "Value": "prod"}]}, {"Value": 1})

    def names(**options: Any) -> list[str]:
        pages = client.get_paginator("list_metrics").paginate(**options)
        return [metric["MetricName"] for page in pages for metric in page["Metrics"]]

    assert names(Namespace="Shop") == ["Orders", "Orders"]
    assert names(Namespace="Shop", Dimensions=[{"Name": "stage"}]) == ["Orders"]
    assert "NumberOfMessagesSent" in names(Namespace="AWS/SQS")
    of_function = names(Namespace="AWS/Lambda", Dimensions=[{"Name": "FunctionName", "Value": "f"}])
    assert {"Invocations", "Errors", "Duration", "Throttles"} <= set(of_function)


# --- the embedded metric format --------------------------------------------------------------------------------------


def test_a_line_of_the_embedded_metric_format_is_a_metric(sim: Simulation, client: Any) -> None:
    """A value for each set of dimensions; an array is several values (CloudWatch user guide, EMF specification)."""

    def handler(event: Any, context: Any) -> None:
        definition = {"Name": "Latency", "Unit": "Milliseconds"}
        directive = {"Namespace": "Shop", "Dimensions": [["service"], ["service", "stage"]], "Metrics": [definition]}
        metadata = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}
        print(json.dumps({"_aws": metadata, "service": "pay", "stage": "prod", "Latency": [10, 30]}))
        print(json.dumps({"_aws": "no metadata", "Latency": 1}))

    sim.function("f", handler=handler).invoke({})
    service = {"Name": "service", "Value": "pay"}
    for dimensions in ([service], [service, {"Name": "stage", "Value": "prod"}]):
        [found] = statistics(client, "Sum", "SampleCount", metric="Latency", Dimensions=dimensions)
        assert (found["Sum"], found["SampleCount"], found["Unit"]) == (40, 2, "Milliseconds")


def test_the_metrics_of_powertools(sim: Simulation, client: Any) -> None:
    """aws_lambda_powertools.Metrics, unmodified: ColdStart once, and what the handler added."""
    pytest.importorskip("aws_lambda_powertools")

    def handler(event: Any, context: Any) -> None:
        from aws_lambda_powertools import Metrics

        metrics = Metrics(namespace="Shop", service="pay")

        @metrics.log_metrics(capture_cold_start_metric=True)
        def inner(event: Any, context: Any) -> None:
            metrics.add_metric(name="Orders", unit="Count", value=event["n"])

        inner(event, context)

    function = sim.function("f", handler=handler, timeout=60)
    for n in (2, 3):
        answer = function.invoke({"n": n})
        assert answer.function_error is None, answer.payload
    service = {"Name": "service", "Value": "pay"}
    [found] = statistics(client, "Sum", Dimensions=[service])
    assert found["Sum"] == 5
    cold = [service, {"Name": "function_name", "Value": "f"}]
    [found] = statistics(client, "Sum", metric="ColdStart", Dimensions=cold)
    assert found["Sum"] == 1


def test_a_handler_puts_and_reads_metrics(sim: Simulation) -> None:
    """In virtual time, within one run."""

    def handler(event: Any, context: Any) -> float:
        client = boto3.client("cloudwatch")
        put(client, {"Value": 7})
        [found] = statistics(client, "Maximum")
        return float(found["Maximum"])

    assert sim.function("f", handler=handler, timeout=60).invoke({}).json() == 7
