"""`event_source_mappings` of a scenario: both forms, the road of a message, and what is refused with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simbus.errors import ScenarioError
from simbus.logs.reader import RunReader, open_run
from simbus.scenario.build import check, run_scenario
from simbus.scenario.loader import load

HEAD = """\
functions:
  work: {timeout: 3, aliases: {live: {function_version: "1"}}, simulate: {duration: 10ms}}
queues:
  jobs: {visibility_timeout: 6, redrive_policy: {dead_letter_target_arn: "sqs:failed", max_receive_count: 2}}
  failed: {}
  fast: {visibility_timeout: 2}
streams: {clicks: {shard_count: 1}}
tables: {orders: {hash_key: id, attribute_types: {id: S}}}
event_source_mappings:
"""


def rows(folder: Path, text: str, sql: str) -> list[tuple[Any, ...]]:
    (folder / "orders.yaml").write_text(text)
    run_scenario(load(folder / "orders.yaml"), db=folder / "run.db")
    with open_run(folder / "run.db") as run:
        return asked(run, sql)


def asked(run: RunReader, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in run.query(sql)]


SENDS = "workload: [{send_message: {queue: jobs, message_body: '{n}'}, at: 1s, count: 25}]\n"
BATCHES = "SELECT json_array_length(payload, '$.Records') FROM invocations ORDER BY 1 DESC"


@pytest.mark.parametrize(
    "mapping",
    [
        '{event_source: "sqs:jobs", function: work, batch_size: 10}',
        '{event_source_arn: "arn:aws:sqs:us-east-1:000000000000:jobs", function_name: "lambda:work"}',
    ],
)
def test_the_short_form_and_that_of_aws_are_the_same(tmp_path: Path, mapping: str) -> None:
    """Contract, section 7: every AWS setting has the name of its API parameter; the short forms are synonyms."""
    assert rows(tmp_path, f"{HEAD}  - {mapping}\n{SENDS}", BATCHES) == [(10,), (10,), (5,)]


def test_a_mapping_goes_through_every_setting_of_a_queue(tmp_path: Path) -> None:
    """Window, filters as mappings, partial responses, concurrency; and a version as target."""
    mapping = """\
  - event_source: sqs:jobs
    function: work:live
    batch_size: 20
    maximum_batching_window_in_seconds: 2
    function_response_types: [ReportBatchItemFailures]
    filter_criteria: {filters: [{pattern: {body: {n: [{numeric: ["<", 15]}]}}}, {pattern: '{"body": {"n": [20]}}'}]}
    scaling_config: {maximum_concurrency: 2}
    metrics_config: {metrics: [EventCount]}
    simulate: {transition_delay: 5s}
"""
    sends = SENDS.replace("'{n}'", "'{{\"n\": {n}}}'")
    text = HEAD.replace("duration: 10ms", "response: {batchItemFailures: []}") + mapping + sends
    assert rows(tmp_path, text, BATCHES) == [(16,)]
    with open_run(tmp_path / "run.db") as run:
        assert asked(run, "SELECT version, queued_at - 1767225600000 FROM invocations") == [("1", 7000)]
        filtered = "SELECT count(*) FROM hops WHERE kind = 'filtered' AND place = 'lambda:work'"
        assert asked(run, filtered) == [(9,)]
        assert asked(run, "SELECT count(*), outcome FROM deliveries") == [(16, "ok")]


def test_a_message_that_fails_ends_in_the_dead_letter_queue(tmp_path: Path) -> None:
    """Two receives, 6 s apart, then the redrive of the queue; the change event is settled as dead_letter."""
    text = HEAD.replace("duration: 10ms", "error_rate: 1") + '  - {event_source: "sqs:jobs", function: work}\n'
    found = rows(tmp_path, text + SENDS.replace("count: 25", "count: 1"), "SELECT outcome FROM deliveries")
    assert found == [("dead_letter",)]
    with open_run(tmp_path / "run.db") as run:
        assert asked(run, "SELECT queued_at - 1767225600000 FROM invocations") == [(1000,), (7000,)]
        assert asked(run, "SELECT queue, state FROM messages") == [("jobs", "redriven"), ("failed", "visible")]


REFUSED = [
    (
        "{event_source: 'sqs:jbos', function: work}",
        "[0].event_source is 'sqs:jbos'; there is no jbos in queues.",
        "sqs:jobs",
    ),
    ("{event_source: 'sqs:jobs', function: wrk}", "[0].function is 'lambda:wrk'; there is no wrk", "lambda:work"),
    ("{event_source: 'sqs:jobs', function: 'work:x'}", "[0].function is", "work has no alias or version x"),
    ("{event_source: 'sns:jobs', function: work}", "[0].event_source is 'sns:jobs'; only sqs:name or kinesis", ""),
    ("{event_source: 'sqs:jobs'}", "[0].function_name is missing", ""),
    ("{event_source: 'sqs:jobs', function: work, batchsize: 5}", "[0].batchsize is no key", "batch_size?"),
    ("{event_source: 'sqs:jobs', function: work, batch_size: 0}", "[0].batch_size is 0; Lambda allows", "1 to 10000"),
    (
        "{event_source: 'sqs:jobs', function: work, scaling_config: {maximum_concurrency: 1}}",
        "[0].scaling_config.maximum_concurrency is 1; Lambda allows 2 to 1000",
        "",
    ),
    (
        "{event_source: 'sqs:jobs', function: work, function_response_types: [Report]}",
        "[0].function_response_types[0] is 'Report'",
        "ReportBatchItemFailures",
    ),
    (
        "{event_source: 'kinesis:clicks', function: work, starting_position: NOW}",
        "[0].starting_position is 'NOW'",
        "TRIM_HORIZON, LATEST, AT_TIMESTAMP",
    ),
    (
        "{event_source: 'dynamodb:orders', function: work}",
        "[0].event_source is",
        "Give tables.orders a stream_view_type",
    ),
    (
        "{event_source: 'kinesis:clicks', function: work, on_failure: 'sqs:failed', destination_config: "
        "{on_failure: {destination: 'sqs:failed'}}}",
        "[0] gives on_failure twice",
        "",
    ),
    ("{event_source: 'sqs:jobs', function: work, on_failure: 'sqs:nope'}", "[0].on_failure is 'sqs:nope'", ""),
]


@pytest.mark.parametrize(("mapping", "begins", "says"), REFUSED)
def test_what_the_file_alone_shows_is_refused_with_its_line(
    tmp_path: Path, mapping: str, begins: str, says: str
) -> None:
    """Where, what was found, the rule, what to do."""
    (tmp_path / "orders.yaml").write_text(f"{HEAD}  - {mapping}\n")
    with pytest.raises(ScenarioError) as caught:
        load(tmp_path / "orders.yaml")
    message = str(caught.value).replace(f"{tmp_path}/", "")
    assert message.startswith(f"orders.yaml:10: $.event_source_mappings{begins}")
    assert says in message


REFUSED_BY_AWS = [
    (
        "{event_source: 'sqs:fast', function: work}",
        "visibility timeout: 2 seconds is less than Function timeout: 3 seconds. Raise the visibility_timeout",
        "or lower the timeout.",
    ),
    (
        "{event_source: 'sqs:jobs', function: work, batch_size: 11}",
        "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10. Give",
        "maximum_batching_window_in_seconds of 1 or more",
    ),
    (
        "{event_source: 'sqs:jobs', function: work, parallelization_factor: 2}",
        "Unsupported ParallelizationFactor",
        "Remove it",
    ),
    (
        "{event_source: 'sqs:jobs', function: work, filter_criteria: {filters: [{pattern: {body: x}}]}}",
        "Invalid filter pattern definition.",
        "Correct it.",
    ),
    (
        "{event_source: 'kinesis:clicks', function: work}",
        "Value null at 'startingPosition' failed",
        "Add starting_position: TRIM_HORIZON",
    ),
    (
        "{event_source: 'kinesis:clicks', function: work, starting_position: LATEST, parallelization_factor: 2, "
        "tumbling_window_in_seconds: 60}",
        "Parallelization factor must be equal to 1 when tumbling window period is configured",
        "Correct it.",
    ),
]


@pytest.mark.parametrize(("mapping", "says", "remedy"), REFUSED_BY_AWS)
def test_what_aws_refuses_is_said_in_its_words_with_the_line_and_a_remedy(
    tmp_path: Path, mapping: str, says: str, remedy: str
) -> None:
    """A mapping that AWS would not create does not run here. AWS names the rule, simbus what to do."""
    (tmp_path / "orders.yaml").write_text(f"{HEAD}  - {mapping}\n")
    with pytest.raises(ScenarioError) as caught:
        check(load(tmp_path / "orders.yaml"))
    message = str(caught.value).replace(f"{tmp_path}/", "")
    assert message.startswith("orders.yaml:10: $.event_source_mappings[0] is refused; AWS answers InvalidParameter")
    assert says in message
    assert remedy in message
