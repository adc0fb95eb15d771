"""Each scenario of the gallery proves what its head comment says, by its rows; its remedy is one `--set` away."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from simbus.cli import app
from simbus.logs.reader import RunReader, open_run

ROOT = Path(__file__).parents[2]
Play = Callable[..., RunReader]


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """Runs a scenario of the gallery, with `--set` options, and opens its run file."""

    def run(name: str, *options: str) -> RunReader:
        path, scenario = tmp_path / "run.db", ROOT / "scenarios" / f"{name}.yaml"
        settings = [word for option in options for word in ("--set", option)]
        result = CliRunner().invoke(app, ["run", str(scenario), "--db", str(path), *settings])
        assert result.exit_code in ((0, 1) if options else (0,)), result.output
        return open_run(path)

    return run


def values(reader: RunReader, sql: str, *parameters: Any) -> list[Any]:
    """The only column of a query."""
    return [row[0] for row in reader.query(sql, parameters)]


def total(reader: RunReader, name: str, dimension: str) -> float:
    return sum(point.value for point in reader.metrics(name, dimension))


QUERY = re.compile(r"^#   (select .*\n(?:#   .*\n)*)", re.MULTILINE)
ASKED = [
    (path.stem, query.replace("\n#  ", "\n"))
    for path in sorted((ROOT / "scenarios").glob("*.yaml"))
    for query in QUERY.findall(path.read_text())
]


@pytest.mark.parametrize(("name", "query"), ASKED, ids=[name for name, _ in ASKED])
def test_the_question_of_the_head_comment_has_an_answer(play: Play, name: str, query: str) -> None:
    """It is SQL that shows the damage."""
    with play(name) as run:
        assert len(list(run.query(query))) > 0


PAID_TWICE = """
    SELECT json_extract(payload, '$.Records[0].body') AS paid FROM invocations
    WHERE status = 'ok' GROUP BY paid HAVING count(*) > 1
"""


def test_duplicates(play: Play) -> None:
    """Developer Guide, "Using Lambda with Amazon SQS": set the visibility timeout to six times the function's timeout,
    to leave time for retries when the function is throttled while it processes a batch."""
    with play("duplicates") as run:
        twice = values(run, PAID_TWICE)
        assert len(twice) >= 5
        assert values(run, "SELECT DISTINCT status FROM invocations") == ["ok"]
        queue = "QueueName=orders"
        assert total(run, "NumberOfMessagesSent", queue) == 200
        assert total(run, "NumberOfMessagesDeleted", queue) == 200 + len(twice)
    with play("duplicates", "queues.orders.visibility_timeout=180") as run:
        assert values(run, PAID_TWICE) == []
        assert total(run, "NumberOfMessagesReceived", queue) == 200


def test_forgotten_failures(play: Play) -> None:
    """Developer Guide, "Reporting batch item failures": without ReportBatchItemFailures in FunctionResponseTypes Lambda
    takes a batch whose function returned for a success, whatever it returned."""
    reported = """
        SELECT m.state FROM messages m JOIN invocations i ON i.response LIKE '%' || m.message_id || '%'
        WHERE m.queue = 'addresses'
    """
    with play("forgotten_failures") as run:
        assert values(run, reported) == ["deleted"] * 4
        assert total(run, "Errors", "FunctionName=import_addresses") == 0
    listening = "event_source_mappings[0].function_response_types=[ReportBatchItemFailures]"
    with play("forgotten_failures", listening) as run:
        assert set(values(run, reported)) == {"redriven"}
        bodies = values(run, "SELECT body FROM messages WHERE queue = 'bad_addresses'")
        assert len(bodies) == 4
        assert all('"zip": "unknown"' in body for body in bodies)


def test_blocked_group(play: Play) -> None:
    """SQS Developer Guide: messages of a group are handed out in order, none while an earlier one is in flight; the age
    of the oldest message grows until the message is deleted or goes to the dead-letter queue."""
    started = """
        SELECT i.started_at FROM invocations i JOIN json_each(i.payload, '$.Records') r
        WHERE json_extract(r.value, '$.attributes.MessageGroupId') = ? ORDER BY i.started_at
    """
    with play("blocked_group") as run:
        blocked, others = (values(run, started, f"customer-{n}") for n in (7, 8))
        assert max(b - a for a, b in pairwise(blocked)) == 360_000
        assert len([when for when in blocked if 300_000 < when - blocked[0] < 1_800_000]) <= 5
        assert max(b - a for a, b in pairwise(others)) < 180_000
        ages = [point.value for point in run.metrics("ApproximateAgeOfOldestMessage", "QueueName=orders.fifo")]
        assert max(ages) == 5 * 360
    with play("blocked_group", 'queues["orders.fifo"].visibility_timeout=60') as run:
        ages = [point.value for point in run.metrics("ApproximateAgeOfOldestMessage", "QueueName=orders.fifo")]
        assert max(ages) == 5 * 60


def test_nightly(play: Play) -> None:
    """EventBridge user guide: a rule's dead-letter queue gets events that could not be handed over to the target;
    Lambda takes an asynchronous event with 202, what its handler does then is Lambda's own business."""
    with play("nightly") as run:
        assert values(run, "SELECT count(*) FROM invocations WHERE status = 'error'") == [3]
        assert values(run, "SELECT queue FROM messages") == ["forgotten"]
        assert values(run, "SELECT count(*) FROM events WHERE type = 'Scheduled Event'") == [7]
    with play("nightly", "functions.report.event_invoke_config.on_failure=sqs:watched") as run:
        assert values(run, "SELECT queue FROM messages") == ["watched"]


def oldest(run: RunReader, function: str) -> float:
    """The greatest IteratorAge of a function, in seconds."""
    return max(point.value for point in run.metrics("IteratorAge", f"FunctionName={function}")) / 1000


def test_poison_record(play: Play) -> None:
    """Developer Guide, "How Lambda processes records from stream and queue-based event sources": by default a failing
    batch is retried until its records expire, and the shard waits; bisecting isolates the record at fault."""
    with play("poison_record") as run:
        ages = [point.value for point in run.metrics("IteratorAge", "FunctionName=count")]
        assert ages[15:600] == sorted(ages[15:600])
        assert 23.9 * 3600 < oldest(run, "count") <= 24 * 3600
        assert oldest(run, "count_carefully") < 60
        [body] = values(run, "SELECT body FROM messages WHERE queue = 'bad_clicks'")
        assert json.loads(body)["KinesisBatchInfo"]["batchSize"] == 1
        outcomes = "SELECT outcome FROM deliveries WHERE subscription = 'lambda:count_carefully' AND outcome != 'ok'"
        assert values(run, outcomes) == ["dead_letter"]
    with play("poison_record", "event_source_mappings[0].maximum_record_age_in_seconds=300") as run:
        assert 240 < oldest(run, "count") <= 300


def test_outgrown_job(play: Play) -> None:
    """A schedule invokes asynchronously: a timeout is retried after one minute , then after two more."""
    attempts = "SELECT attempt FROM invocations ORDER BY started_at"
    sent = "SELECT count(*) FROM log_events WHERE message LIKE 'invoice 0 sent%' AND timestamp >= ?"
    fifth_night = 1_772_755_200_000  # 2026-03-06
    with play("outgrown_job") as run:
        assert values(run, attempts) == [1, 1, 1, 1, 1, 2, 3, 1, 2, 3]
        assert values(run, sent, fifth_night) == [6], "two nights, three times each"
        durations = [point.value for point in run.metrics("Duration", "FunctionName=invoices")]
        assert durations[:4] == [840_100, 855_100, 870_100, 885_100]
        assert total(run, "AsyncEventsDropped", "FunctionName=invoices") == 2
    with play("outgrown_job", "functions.invoices.event_invoke_config.maximum_retry_attempts=0") as run:
        assert values(run, attempts) == [1] * 6


def test_broken_chain(play: Play) -> None:
    """Developer Guide, "Retain discarded batch records": the record of a stream's failure has no payload; with S3 as
    the destination it has."""
    with play("broken_chain") as run:
        bodies = [json.loads(body) for body in values(run, "SELECT body FROM messages WHERE queue = 'not_repaired'")]
        assert len(bodies) == 5
        assert all("payload" not in body and "DDBStreamBatchInfo" in body for body in bodies)
        assert values(run, "SELECT DISTINCT error_message FROM invocations WHERE function = 'repair'") == ["'payload'"]
    with play("broken_chain", 'event_source_mappings[0].on_failure="s3:kept"') as run:
        keys = values(run, "SELECT subject FROM events WHERE source = 's3:kept'")
        assert len(keys) == 5
        assert all(key.startswith("aws/lambda/") for key in keys)
        assert values(run, "SELECT count(*) FROM invocations WHERE function = 'repair'") == [0]


def test_retry_storm(play: Play) -> None:
    """A timeout near the real latency: the environments of the failing attempts are free again at once."""
    with play("retry_storm") as run:
        assert total(run, "Throttles", "FunctionName=reserve") > 5000
    with play("retry_storm", "functions.reserve.timeout=1") as run:
        assert total(run, "Throttles", "FunctionName=reserve") == 0
        assert total(run, "Errors", "FunctionName=reserve") > 5000
        assert max(point.value for point in run.metrics("AsyncEventAge", "FunctionName=reserve")) < 190_000


def test_throttled(play: Play) -> None:
    """Developer Guide, "How Lambda handles errors and retries with asynchronous invocation": a throttled event returns
    to the queue, until it is older than the maximum event age."""
    with play("throttled") as run:
        assert total(run, "AsyncEventsDropped", "FunctionName=charge") > 1000
    with play("throttled", "functions.charge.reserved_concurrent_executions=20") as run:
        assert total(run, "AsyncEventsDropped", "FunctionName=charge") == 0


def test_cold_start_burst(play: Play) -> None:
    """The wait for an init is no part of Duration: the median tells nothing of it."""
    waited = "SELECT count(*) FROM invocations WHERE started_at - queued_at > 1000"
    with play("cold_start_burst") as run:
        [damage] = values(run, waited)
    with play("cold_start_burst", "functions.page.provisioned_concurrent_executions=60") as run:
        assert values(run, waited)[0] < damage / 5


def test_stale_deploy(play: Play) -> None:
    """Developer Guide, "Error handling for asynchronous invocation": two retries, after one and after two minutes; what
    came later is not held back meanwhile."""
    pushed = """
        SELECT json_extract(data, '$.codecommit.references[0].commit') FROM events
        WHERE subject = 'refs/heads/main' ORDER BY time
    """
    live = "SELECT json_extract(response, '$.live') FROM invocations WHERE status = 'ok' ORDER BY ended_at"
    with play("stale_deploy") as run:
        first, second = values(run, pushed)
        assert values(run, live) == [second, first]
    with play("stale_deploy", "functions.deploy.event_invoke_config.maximum_retry_attempts=0") as run:
        assert values(run, live) == [second]


def test_order_chain(play: Play) -> None:
    """An account that is read and written back loses what was added meanwhile; an update expression loses nothing
    (DynamoDB developer guide, "Working with items": atomic counters)."""
    written = "SELECT count(*) FROM events WHERE source = 'dynamodb:orders'"
    balance = "max(json_extract(data, '$.dynamodb.NewImage.balance.N') + 0)"
    account = f"SELECT {balance} AS total FROM events WHERE source = 'dynamodb:accounts'"
    booked = f"SELECT sum(total) FROM ({account} GROUP BY json_extract(data, '$.dynamodb.Keys'))"
    with play("order_chain") as run:
        [orders], [total] = values(run, written), values(run, booked)
        assert total < orders * 10
    with play("order_chain", "functions.book.handler=orders.book_safely") as run:
        [orders], [total] = values(run, written), values(run, booked)
        assert total == orders * 10


def test_lost_update_is_shown_by_one_seed_and_two_orders(tmp_path: Path) -> None:
    """What `--seeds 1000` finds and prints, word for word; with one order at a time it does not happen."""
    scenario = str(ROOT / "scenarios/lost_update.yaml")
    found = ["run", scenario, "--db", str(tmp_path / "run.db"), "--seed", "195", "--events", "0.16-17,1.0"]
    assert CliRunner().invoke(app, found).exit_code == 1
    with open_run(tmp_path / "run.db") as run:
        assert values(run, "SELECT error_message FROM invocations WHERE status = 'error'") == [
            "2 orders, but 1 lamps sold"
        ]
        one, two = run.query("SELECT started_at, ended_at FROM invocations WHERE function = 'reserve' ORDER BY 1")
        assert two["started_at"] < one["ended_at"]
    remedy = ["--set", "functions.reserve.reserved_concurrent_executions=1"]
    assert CliRunner().invoke(app, [*found, *remedy]).exit_code == 0
    for seed in ("194", "195"):
        further = ["run", scenario, "--db", str(tmp_path / "run.db"), "--seed", seed]
        assert CliRunner().invoke(app, further).exit_code == (seed == "195")
