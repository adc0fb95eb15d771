"""AWS Lambda Powertools, unmodified: event classes, logger, metrics and parameters behind a topic.

https://docs.aws.amazon.com/powertools/python/latest/core/logger/, .../core/metrics/, .../utilities/parameters/
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simbus import Simulation

pytest.importorskip("aws_lambda_powertools", reason="needs AWS Lambda Powertools")
pytest.importorskip("boto3", reason="needs the extra boto3")

HANDLERS = Path(__file__).parents[1] / "handlers" / "notices"


@pytest.fixture
def sim() -> Iterator[Simulation]:
    with Simulation(seed=1) as simulation:
        settings = simulation.table("settings", hash_key="id")
        settings.put_item({"id": {"S": "limit"}, "value": {"S": "10"}})
        yield simulation


def lines(sim: Simulation, function: str = "notify") -> list[dict[str, Any]]:
    """The JSON lines of a function's log, in order."""
    with sim.reader() as reader:
        return [json.loads(row.message) for row in reader.log_events(function) if row.message.startswith("{")]


def publish(sim: Simulation, *texts: str, at_once: bool = False) -> Any:
    """Publish each text with a trace attribute, one after the other or at the same instant; the function."""
    topic = sim.topic("notices")
    function = sim.function("notify", handler="app.handler", code=HANDLERS, timeout=30)
    topic.subscribe(function)
    sns = sim.client("sns")
    for text in texts:
        attributes = {"trace": {"DataType": "String", "StringValue": f"trace-{text}"}}
        sns.publish(TopicArn=topic.arn, Message=text, Subject="news", MessageAttributes=attributes)
        if not at_once:
            sim.run()
    sim.run()
    return function


def test_the_event_class_and_the_correlation_id(sim: Simulation) -> None:
    """SNSEvent reads AWS's record; a JMESPath takes the correlation id from its attributes."""
    publish(sim, "a", "b")
    found = [line for line in lines(sim) if line.get("message") == "notice"]
    assert [(line["text"], line["subject"], line["correlation_id"]) for line in found] == [
        ("a", "news", "trace-a"),
        ("b", "news", "trace-b"),
    ]
    assert {line["topic"] for line in found} == {"arn:aws:sns:us-east-1:000000000000:notices"}
    assert {line["function_arn"] for line in found} == {"arn:aws:lambda:us-east-1:000000000000:function:notify"}


@pytest.mark.parametrize(("at_once", "cold"), [(False, [True, False, False]), (True, [True, True, True])])
def test_cold_start_is_a_matter_of_the_environment(sim: Simulation, at_once: bool, cold: list[bool]) -> None:
    """One environment after the other serves all, or three at once serve one each: Powertools' flag is per process."""
    publish(sim, "a", "b", "c", at_once=at_once)
    found = lines(sim)
    assert [line["cold_start"] for line in found if line.get("message") == "notice"] == cold
    assert sum("ColdStart" in line for line in found) == sum(cold)


def test_metrics_are_emf_on_stdout(sim: Simulation) -> None:
    """One blob for each invocation, in virtual time; the cold start has one of its own."""
    publish(sim, "a", "b")
    blobs = [line for line in lines(sim) if "_aws" in line]
    notices = [blob for blob in blobs if "Notices" in blob]
    assert [blob["Notices"] for blob in notices] == [[1.0], [1.0]]
    assert notices[0]["_aws"]["CloudWatchMetrics"] == [
        {"Namespace": "Shop", "Dimensions": [["service"]], "Metrics": [{"Name": "Notices", "Unit": "Count"}]}
    ]
    [cold] = [blob for blob in blobs if "ColdStart" in blob]
    assert cold["function_name"] == "notify"
    first = notices[0]["_aws"]["Timestamp"]
    assert 0 < first - sim.world.epoch_ms(0) < 5000


def test_parameters_are_cached_in_virtual_time(sim: Simulation) -> None:
    """DynamoDBProvider with max_age 60: a new value is seen when the minute is over."""
    function = publish(sim, "a")
    assert json.loads(function.invocations[0].response or "null") == "10"
    sim["dynamodb:settings"].put_item({"id": {"S": "limit"}, "value": {"S": "20"}})
    event = json.loads(function.invocations[0].payload)
    assert function.invoke(event).json() == "10"
    sim.run(for_="61s")
    assert function.invoke(event).json() == "20"


def test_a_notification_in_a_queue(sim: Simulation) -> None:
    """SQSRecord.decoded_nested_sns_event: a function behind a queue that is subscribed to a topic."""
    topic, jobs = sim.topic("notices"), sim.queue("jobs")
    topic.subscribe(jobs)
    function = sim.function("nested", handler="app.nested_handler", code=HANDLERS)
    sim.event_source_mapping(jobs, function)
    sim.client("sns").publish(TopicArn=topic.arn, Message="hello")
    sim.run()
    assert json.loads(function.invocations[0].response or "null") == ["hello"]
