"""`event_buses` and `put_events` of a scenario: what AWS's settings mean there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simbus.errors import ScenarioError
from simbus.logs.reader import open_run
from simbus.scenario.build import run_scenario
from simbus.scenario.loader import load

ORDERS = """\
functions: {bill: {}, report: {}}
queues: {failed: {}, jobs.fifo: {fifo_queue: true, content_based_deduplication: true}, all: {}}
buckets: {box: {eventbridge: true}}
event_buses:
  default:
    rules:
      big:
        event_pattern: {source: [shop], detail: {total: [{numeric: [">", 100]}]}}
        targets:
          - {arn: "lambda:bill", input_path: $.detail, retry_policy: {maximum_retry_attempts: 3},
             dead_letter_config: {arn: "sqs:failed"}}
          - {id: jobs, arn: "sqs:jobs.fifo", sqs_parameters: {message_group_id: orders},
             input_transformer: {input_paths_map: {n: $.detail.n}, input_template: '{"order": <n>}'}}
          - {arn: "events:audit"}
          - {arn: "logs:/aws/events/big"}
      uploads: {event_pattern: {source: [aws.s3]}, targets: [{arn: "sqs:all"}]}
      nightly: {schedule_expression: "cron(0 3 * * ? *)", targets: [{arn: "lambda:report", input: {kind: nightly}}]}
    archives: {all: {event_pattern: {}, retention_days: 1}}
  audit: {rules: {every: {event_pattern: '{"source": ["shop"]}', targets: [{arn: "sqs:all"}]}}}
duration: 2d
workload:
  - {put_events: {source: shop, detail_type: order, detail: {n: "{n}", total: "{n * 100}"}}, count: 4, at: 1h}
  - {put_events: {event_bus_name: audit, entries: [{source: shop, detail_type: a, detail: {}}, {source: shop,
     detail_type: b, detail: {}, resources: ["r-{n}"], time: "2026-01-01"}]}, at: 2h}
  - {put_object: {bucket: box, key: a b, size: 3}, at: 3h}
expect:
  - {lost: 0}
  - {function: bill, invocations: 2}
  - {function: report, invocations: 2}
  - {queue: jobs.fifo, messages: 2}
"""


def run(folder: Path, text: str, *queries: str) -> list[list[Any]]:
    """Run a scenario whose expectations must hold, and ask its run file."""
    (folder / "orders.yaml").write_text(text)
    result = run_scenario(load(folder / "orders.yaml"), db=folder / "run.db")
    assert result.passed, result.expectations
    with open_run(folder / "run.db") as rows:
        return [[tuple(row) for row in rows.query(sql)] for sql in queries]


def test_everything_that_a_file_can_say(tmp_path: Path) -> None:
    """Rules, schedules, targets of every kind, archives, S3's events, both forms of put_events."""
    payloads, jobs, audited, logged = run(
        tmp_path,
        ORDERS,
        "SELECT function, payload, queued_at - 1767225600000 FROM invocations ORDER BY queued_at",
        "SELECT body FROM messages WHERE queue = 'jobs.fifo' ORDER BY sent_at, message_id",
        "SELECT body FROM messages WHERE queue = 'all'",
        "SELECT log_group FROM log_streams JOIN log_events ON log_stream_id = log_streams.id "
        "WHERE log_group LIKE '/aws/events/%'",
    )
    hour = 3_600_000
    assert sorted(payloads) == [
        ("bill", '{"n":2,"total":200}', hour),
        ("bill", '{"n":3,"total":300}', hour),
        ("report", '{"kind":"nightly"}', 3 * hour),
        ("report", '{"kind":"nightly"}', 27 * hour),
    ]
    assert sorted(jobs) == [('{"order":2}',), ('{"order":3}',)]
    events = sorted((json.loads(body) for (body,) in audited), key=lambda event: event["detail-type"])
    assert [event["detail-type"] for event in events] == ["Object Created", "a", "b", "order", "order"]
    assert (events[2]["time"], events[2]["resources"]) == ("2026-01-01T00:00:00Z", ["r-0"])
    assert events[0]["detail"]["object"]["key"] == "a b"
    assert logged == [("/aws/events/big",)] * 2


def test_a_run_goes_on_for_the_duration_of_its_schedules(tmp_path: Path) -> None:
    """Nothing else is pending, the schedule fires all the same, before the duration ends and no more at its end."""
    text = """\
functions: {report: {}}
event_buses: {default: {rules: {often: {schedule_expression: rate(10 minutes), targets: [{arn: "lambda:report"}]}}}}
duration: 30m
"""
    [times] = run(tmp_path, text, "SELECT (queued_at - 1767225600000) / 60000 FROM invocations ORDER BY 1")
    assert times == [(10,), (20,)]


@pytest.mark.parametrize(
    ("rule", "where", "words"),
    [
        (
            "{event_pattern: {source: a}}",
            "$.event_buses.default.rules.r is refused; AWS answers InvalidEventPatternException: Event pattern is not",
            '"source" must be an object or an array',
        ),
        (
            "{event_pattern: {source: [a]}, targets: [{arn: 'lambda:a'}, {arn: 'lambda:a', input: '{', id: x}]}",
            "$.event_buses.default.rules.r.targets[1] is refused; AWS answers ValidationException:",
            "JSON syntax error in input for target x.",
        ),
        (
            "{event_pattern: {source: [a]}, targets: [{arn: 'lambda:a', input_transformer: {input_template: '<x>'}}]}",
            "$.event_buses.default.rules.r.targets[0] is refused; AWS answers ValidationException:",
            "InputTemplate for target target-1 contains invalid placeholder x.",
        ),
    ],
)
def test_what_aws_refuses(tmp_path: Path, rule: str, where: str, words: str) -> None:
    """AWS's own words, with file, line and path."""
    text = f"functions: {{a: {{}}}}\nevent_buses:\n  default:\n    rules:\n      r: {rule}\n"
    (tmp_path / "orders.yaml").write_text(text)
    with pytest.raises(ScenarioError) as caught:
        run_scenario(load(tmp_path / "orders.yaml"), db=tmp_path / "run.db")
    assert f"orders.yaml:5: {where}" in str(caught.value)
    assert words in str(caught.value)


def test_an_event_that_is_refused_is_an_error_of_the_client(tmp_path: Path) -> None:
    """An entry without Detail fails for good (recording test_put_event_without_detail); a hop says so."""
    text = "workload: [{put_events: {source: shop, detail_type: order}, at: 1s}]\nexpect: [{lost: 0}]\n"
    [hops] = run(tmp_path, text, "SELECT kind, place, detail FROM hops")
    reason = "InvalidArgument: Parameter Detail is not valid. Reason: Detail is a required argument."
    assert hops == [("client_error", "events:default", f"put_events, attempt 1: {reason}")]


def test_the_same_seed_repeats_the_run(tmp_path: Path) -> None:
    """Ids, retries and replays come from the seed alone."""
    (tmp_path / "orders.yaml").write_text(ORDERS)
    scenario = load(tmp_path / "orders.yaml")
    digests = [run_scenario(scenario, seed=seed).digest for seed in (1, 1, 2)]
    assert digests[0] == digests[1] != digests[2]
