"""Faults of sources and deliveries: outages, what comes twice, what is overtaken."""

from __future__ import annotations

from pathlib import Path

import pytest
from faults.scenarios import ask, run, told

from simbus import Simulation
from simbus.kernel import SECOND

RECEIVERS = {
    "bucket": """
functions: {a: {}}
buckets: {source: {notifications: [{function: a, events: ["s3:ObjectCreated:*"]}]}}
workload: [{put_object: {bucket: source, key: "k{n}"}, rate: 1/s, for: 20s, arrivals: constant}]
""",
    "topic": """
functions: {a: {}}
topics: {source: {subscriptions: [{protocol: lambda, endpoint: "lambda:a"}]}}
workload: [{publish: {topic: source, message: "{n}"}, rate: 1/s, for: 20s, arrivals: constant}]
""",
    "event_bus": """
functions: {a: {}}
event_buses: {source: {rules: {r: {event_pattern: {source: [x]}, targets: [{arn: "lambda:a"}]}}}}
workload:
  - put_events: {event_bus: source, source: x, detail_type: d, detail: {n: "{n}"}}
    rate: 1/s
    for: 20s
    arrivals: constant
""",
    "queue": """
functions: {a: {}}
queues: {source: {}}
event_source_mappings: [{event_source: "sqs:source", function: a, batch_size: 1}]
workload: [{send_message: {queue: source, message_body: "{n}"}, rate: 1/s, for: 20s, arrivals: constant}]
""",
    "stream": """
functions: {a: {}}
streams: {source: {shard_count: 1}}
event_source_mappings: [{event_source: "kinesis:source", function: a, batch_size: 1, starting_position: TRIM_HORIZON}]
workload: [{put_record: {stream: source, partition_key: k, data: "{n}"}, rate: 1/s, for: 20s, arrivals: constant}]
""",
    "table": """
functions: {a: {}}
tables: {source: {hash_key: id, stream_view_type: NEW_IMAGE}}
event_source_mappings: [{event_source: "dynamodb:source", function: a, batch_size: 1, starting_position: TRIM_HORIZON}]
workload: [{put_item: {table: source, item: {id: "{n}"}}, rate: 1/s, for: 20s, arrivals: constant}]
""",
}

# The events in the order in which the function got them, by their number at the source.
ORDER = """
    SELECT (SELECT count(*) FROM events AS other WHERE other.source = events.source AND other.rowid < events.rowid)
    FROM deliveries JOIN events ON events.id = event_id JOIN invocations USING (request_id)
    WHERE subscription = 'lambda:a' ORDER BY started_at, invocations.rowid
"""


def order(folder: Path) -> list[int]:
    return [number for (number,) in ask(folder, ORDER)]


@pytest.mark.parametrize("source", RECEIVERS)
def test_at_least_once_means_sometimes_twice(source: str, tmp_path: Path) -> None:
    """S3, SNS, EventBridge, SQS standard queues, and mappings of streams may deliver an event more than once."""
    text = RECEIVERS[source]
    run(tmp_path, text)
    assert order(tmp_path) == list(range(20))
    run(tmp_path, text, f"{{at: 4500ms, for: 5s, {source}: source, duplicate_rate: 1}}")
    twice = [number for number in range(20) if order(tmp_path).count(number) == 2]
    assert 4 <= len(twice) <= 6
    assert twice == list(range(twice[0], twice[0] + len(twice)))
    assert len(order(tmp_path)) == 20 + len(twice)
    assert sum("more" in line or "read again" in line for line in told(tmp_path)) == len(twice)
    assert ask(tmp_path, "SELECT DISTINCT outcome FROM deliveries") == [("ok",)]


@pytest.mark.parametrize("source", ["bucket", "topic", "event_bus", "queue"])
def test_later_ones_overtake(source: str, tmp_path: Path) -> None:
    """Nothing of these promises an order (SQS: best effort); each event still comes once."""
    fault = f"{{{source}: source, reorder_rate: 0.5, delay: {{uniform: [0s, 5s]}}}}"
    run(tmp_path, RECEIVERS[source], fault)
    found = order(tmp_path)
    assert sorted(found) == list(range(20))
    assert found != list(range(20))
    assert any("held back for" in line for line in told(tmp_path))


@pytest.mark.parametrize("source", ["stream", "table"])
def test_a_shard_keeps_its_order_when_it_is_read_again(source: str, tmp_path: Path) -> None:
    """A batch that is read again comes before what stands behind it."""
    run(tmp_path, RECEIVERS[source], f"{{{source}: source, duplicate_rate: 0.5}}")
    found = order(tmp_path)
    assert found == sorted(found)
    assert len(found) > 22


def test_partial_failures_are_no_duplicates(tmp_path: Path) -> None:
    """What the function reported as failed comes again anyway: only a batch that was processed is read again."""
    failing = '{batchItemFailures: [{itemIdentifier: ""}]}'
    text = RECEIVERS["stream"].replace("functions: {a: {}}", f"functions: {{a: {{simulate: {{response: {failing}}}}}}}")
    text = text.replace(
        "starting_position",
        "function_response_types: [ReportBatchItemFailures], maximum_retry_attempts: 0, starting_position",
    )
    run(tmp_path, text, "{stream: source, duplicate_rate: 1}")
    assert ask(tmp_path, "SELECT count(*) FROM invocations") == [(20,)]
    assert len(told(tmp_path)) == 1


def test_filtered_messages_are_not_delivered_twice(tmp_path: Path) -> None:
    text = RECEIVERS["topic"].replace('endpoint: "lambda:a"', 'endpoint: "lambda:a", filter_policy: {level: [high]}')
    run(tmp_path, text, "{topic: source, duplicate_rate: 1}")
    assert ask(tmp_path, "SELECT kind, count(*) FROM hops GROUP BY kind ORDER BY kind") == [
        ("fault", 1),
        ("filtered", 20),
    ]


def test_what_is_held_back_at_the_end_is_held(tmp_path: Path) -> None:
    """It is neither processed nor lost when `until` ends the run."""
    run(tmp_path, RECEIVERS["topic"] + "until: 30s\n", "{topic: source, reorder_rate: 1, delay: 1h}")
    assert ask(tmp_path, "SELECT outcome, count(*) FROM deliveries GROUP BY outcome") == [("held", 20)]


def test_a_message_that_was_not_deleted_counts_its_receives(tmp_path: Path) -> None:
    """SQS developer guide, "At-least-once delivery": the same message comes again, with its receive count grown."""
    run(tmp_path, RECEIVERS["queue"], "{at: 4500ms, for: 1s, queue: source, duplicate_rate: 1, delay: 3s}")
    found = ask(tmp_path, "SELECT receive_count, count(*) FROM messages GROUP BY receive_count ORDER BY receive_count")
    assert found == [(1, 19), (2, 1)]


@pytest.mark.parametrize("source", RECEIVERS)
def test_an_outage_of_the_source_delays_its_clients(source: str, tmp_path: Path) -> None:
    """A client outside tries again as an SDK does, three times, and then has its error."""
    run(tmp_path, RECEIVERS[source], f"{{at: 5s, for: 5s, {source}: source, outage: true}}")
    errors = ask(tmp_path, "SELECT detail FROM hops WHERE kind = 'client_error'")
    refused = "is out of service." if source != "event_bus" else "ServiceUnavailable"
    assert 1 <= len(errors) <= 5
    assert all(refused in detail for (detail,) in errors)
    assert len(order(tmp_path)) == 20 - len(errors)


@pytest.mark.parametrize("source", ["queue", "stream"])
def test_a_mapping_can_t_read_a_source_that_is_out_of_service(source: str, tmp_path: Path) -> None:
    """What came before the outage is read after it."""
    run(tmp_path, RECEIVERS[source], f"{{at: 3001ms, for: 10s, {source}: source, outage: true}}")
    [(reads,)] = ask(
        tmp_path,
        "SELECT count(*) FROM invocations WHERE queued_at > 1767225600000 + 3500 AND queued_at < 1767225600000 + 13001",
    )
    assert reads == 0


def test_an_outage_of_a_target_is_retried_by_the_source(tmp_path: Path) -> None:
    """SNS retries a queue that answers 503: immediately, after 1 s twice, then slower; here it is back after 5 s."""
    text = """
queues: {q: {}}
topics: {t: {subscriptions: [{protocol: sqs, endpoint: "sqs:q"}]}}
workload: [{publish: {topic: t, message: m}, at: 1s}]
"""
    run(tmp_path, text, "{for: 5s, queue: q, outage: true}")
    [(sent_at,)] = ask(tmp_path, "SELECT sent_at - 1767225600000 FROM messages")
    assert 5_000 <= sent_at <= 30_000


def test_an_outage_of_the_function_is_an_outage_of_its_invoke_api(tmp_path: Path) -> None:
    text = "functions: {a: {}}\nworkload: [{invoke: {function: a}, at: 1s, count: 3}]"
    run(tmp_path, text, "{for: 1m, function: a, outage: true}")
    assert ask(tmp_path, "SELECT count(*) FROM invocations") == [(0,)]


def test_an_outage_may_last_to_the_end(tmp_path: Path) -> None:
    """Messages that will never be read hold no run open: they are held."""
    run(tmp_path, RECEIVERS["queue"], "{at: 5s, queue: source, outage: true}")
    assert ask(tmp_path, "SELECT count(*) FROM invocations") == [(5,)]
    run(tmp_path, RECEIVERS["stream"], "{at: 5s, stream: source, outage: true}")
    assert ask(tmp_path, "SELECT outcome, count(*) FROM deliveries GROUP BY outcome ORDER BY 1") == [
        ("held", 1),
        ("ok", 4),
    ]


def test_a_shorter_outage_does_not_end_a_longer_one() -> None:
    with Simulation(seed=1) as sim:
        queue = sim.queue("q")
        queue.outage(10 * SECOND)
        queue.outage(SECOND)
        assert queue.out_until == 10 * SECOND


def test_a_dead_letter_queue_that_is_out_of_service_gets_its_messages_later(tmp_path: Path) -> None:
    """AWS does not say what a redrive does then. Here the message stays hidden in its queue, and nobody gets it."""
    text = """
functions: {a: {simulate: {error_rate: 1}}}
queues:
  jobs: {visibility_timeout: 10, redrive_policy: {dead_letter_target_arn: "sqs:dead", max_receive_count: 1}}
  dead: {}
event_source_mappings: [{event_source: "sqs:jobs", function: a}]
workload: [{send_message: {queue: jobs, message_body: x}, at: 1s}]
"""
    run(tmp_path, text, "{for: 35s, queue: dead, outage: true}")
    assert ask(tmp_path, "SELECT queue, receive_count, state FROM messages ORDER BY queue") == [
        ("dead", 1, "visible"),
        ("jobs", 1, "redriven"),
    ]
    hops = ask(
        tmp_path, "SELECT kind, (time - 1767225600000) / 1000 FROM hops WHERE kind LIKE 'redrive%' ORDER BY time"
    )
    assert hops == [("redrive_failed", 11), ("redrive_failed", 21), ("redrive_failed", 31), ("redrive", 41)]
    assert ask(tmp_path, "SELECT count(*) FROM invocations") == [(1,)]


def test_a_rule_s_dead_letter_queue_may_be_out_of_service(tmp_path: Path) -> None:
    """What EventBridge can't put into the dead-letter queue is lost."""
    text = """
queues: {q: {}, dead: {}}
event_buses:
  default:
    rules:
      r:
        event_pattern: {source: [x]}
        targets: [{arn: "sqs:q", retry_policy: {maximum_retry_attempts: 0}, dead_letter_config: {arn: "sqs:dead"}}]
workload: [{put_events: {source: x, detail_type: d, detail: {}}, at: 1s}]
expect: [{lost: 0}]
"""
    away = "{for: 1m, queue: q, outage: true}"
    assert run(tmp_path, text, away).passed
    assert not run(tmp_path, text, f"{away}, {{for: 1m, queue: dead, outage: true}}").passed
