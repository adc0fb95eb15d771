"""What a summary says of events, of what was lost and of what functions raised: asked through `simbus run --json`."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from simbus.cli import app

SHOP = """
start: 2026-01-01T00:00:00Z
until: 2h
functions:
  shelve: {}
  closed: {reserved_concurrent_executions: 0}
  slow: {timeout: 1, simulate: {duration: 3s}, event_invoke_config: {maximum_retry_attempts: 0}}
  count: {simulate: {error_rate: 1.0}}
  work: {}
buckets:
  uploads: {notifications: [{function: shelve, events: ["s3:ObjectCreated:*"], filter: {suffix: .jpg}}]}
topics:
  news:
    subscriptions:
      - {protocol: lambda, endpoint: "lambda:closed"}
      - {protocol: lambda, endpoint: "lambda:slow", filter_policy: {level: [high]}}
queues: {jobs: {message_retention_period: 60}, given_up: {}}
streams: {clicks: {shard_count: 1}}
event_source_mappings:
  - {event_source: "sqs:jobs", function: work, filter_criteria: {filters: [{pattern: {body: {n: [1]}}}]}}
  - {event_source: "kinesis:clicks", function: count, starting_position: LATEST, maximum_record_age_in_seconds: 60}
workload:
  - {put_object: {bucket: uploads, key: "{n}.jpg", size: 1}, at: 1s, count: 3}
  - {put_object: {bucket: uploads, key: notes.txt, size: 1}, at: 1s}
  - {publish: {topic: news, message: m, message_attributes: {level: low}}, at: 2s, count: 4}
  - {publish: {topic: news, message: m, message_attributes: {level: high}}, at: 2s}
  - {send_message: {queue: jobs, message_body: '{"n": {n}}'}, at: 3s, count: 2}
  - {put_record: {stream: clicks, partition_key: a, data: x}, at: 4s}
  - {invoke: {function: slow}, at: 5s}
  - {invoke: {function: closed}, at: 6s, count: 2}
"""


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The JSON document of a run in which every kind of source has a subscription, and something goes wrong."""
    folder: Path = tmp_path_factory.mktemp("shop")
    (folder / "shop.yaml").write_text(SHOP)
    result = CliRunner().invoke(app, ["run", str(folder / "shop.yaml"), "--db", str(folder / "run.db"), "--json"])
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def road(summary: dict[str, Any], source: str, subscription: str | None) -> dict[str, int]:
    """The figures between two that are not zero."""
    [found] = [
        each for each in summary["deliveries"] if (each["source"], each["subscription"]) == (source, subscription)
    ]
    return {key: value for key, value in found.items() if isinstance(value, int) and value}


def test_each_source_and_subscription_is_counted_by_what_became_of_its_events(summary: dict[str, Any]) -> None:
    """Every event of a subscription is processed, dead-lettered, held, lost or filtered: S3, SNS, SQS and Kinesis."""
    assert road(summary, "s3:uploads", "lambda:shelve") == {"events": 3, "ok": 3}
    assert road(summary, "sns:news", "lambda:closed") == {"events": 5, "lost": 5}
    assert road(summary, "sns:news", "lambda:slow") == {"events": 5, "filtered": 4, "lost": 1}
    assert road(summary, "sqs:jobs", "lambda:work") == {"events": 2, "ok": 1, "filtered": 1}
    assert road(summary, "kinesis:clicks", "lambda:count") == {"events": 1, "lost": 1}


def test_what_nobody_subscribed_to_is_counted_too(summary: dict[str, Any]) -> None:
    """A prefix or a pattern with a typing error shows: its events reach nobody, and AWS has no metric for that."""
    assert road(summary, "s3:uploads", None) == {"events": 1}
    assert {each["source"] for each in summary["deliveries"] if each["subscription"] is None} == {"s3:uploads"}


def test_a_synchronous_invocation_that_failed_was_delivered_and_is_not_lost(summary: dict[str, Any]) -> None:
    """Invoke answered its caller, who knows; simbus has nothing to keep."""
    assert road(summary, "lambda:slow", "lambda:slow") == {"events": 1}


def test_the_age_is_the_maximum_of_the_metric_that_cloudwatch_has_for_the_source(summary: dict[str, Any]) -> None:
    """IteratorAge is the age of what was sent to the function: the record was given up when it was 60 s old."""
    ages = {each["source"]: each["max_wait_ms"] for each in summary["deliveries"] if each["subscription"]}
    assert 30_000 < ages["kinesis:clicks"] <= 60_000
    assert ages["s3:uploads"] == 0.0


def test_lost_events_come_with_the_reason_of_their_last_hop(summary: dict[str, Any]) -> None:
    """`lost` is more than a number: where, and why (the condition of Lambda's failure records where there is one)."""
    whys = {(each["subscription"], each["events"]): each["why"] for each in summary["losses"]}
    assert sum(each["events"] for each in summary["losses"]) == 7
    assert whys[("lambda:closed", 5)] == "ZeroReservedConcurrency"
    assert whys[("lambda:slow", 1)] == "RetriesExhausted"
    assert "MaximumRecordAge" in whys[("lambda:count", 1)] or "RecordAge" in whys[("lambda:count", 1)]


def test_failed_attempts_are_counted_by_their_error(summary: dict[str, Any]) -> None:
    """Lambda: a timeout is the error Sandbox.Timedout with the text "Task timed out after 1.00 seconds"."""
    slow = next(each for each in summary["failures"] if each["function"] == "slow")
    assert (slow["error_type"], slow["attempts"]) == ("Sandbox.Timedout", 2)
    assert slow["message"].endswith("Task timed out after 1.00 seconds")


def test_calls_of_the_workload_that_failed_are_counted_by_their_error(summary: dict[str, Any]) -> None:
    """Invoke answers 429 TooManyRequestsException where the reserved concurrency is 0; no event is lost."""
    [error] = summary["client_errors"]
    assert (error["call"], error["target"], error["calls"]) == ("invoke", "lambda:closed", 2)
    assert (error["error"], error["message"]) == ("TooManyRequestsException", "Rate Exceeded.")
