"""A scenario becomes a simulation, its workload happens, and its run is compared with what was expected."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simbus.errors import ScenarioError
from simbus.kernel import HOUR, MILLISECOND, MINUTE, SECOND
from simbus.logs.reader import open_run
from simbus.scenario.build import build, check, run_scenario
from simbus.scenario.loader import Scenario, load


def scenario(folder: Path, text: str) -> Scenario:
    (folder / "orders.yaml").write_text(text)
    return load(folder / "orders.yaml")


def rows(folder: Path, text: str, sql: str, **options: Any) -> list[tuple[Any, ...]]:
    """Run a scenario and ask its run file."""
    run_scenario(scenario(folder, text), db=folder / "run.db", **options)
    with open_run(folder / "run.db") as run:
        return [tuple(row) for row in run.query(sql)]


def start_times(folder: Path, text: str) -> list[int]:
    """When its attempts were queued, in ms since the start."""
    found = rows(folder, text, "SELECT queued_at FROM invocations ORDER BY queued_at, rowid")
    return [when - 1767225600000 for (when,) in found]


FUNCTION = "functions: {a: {}}\n"
INVOKED = "SELECT payload FROM invocations ORDER BY payload"


def test_every_arrival_is_one_request_with_its_own_n(tmp_path: Path) -> None:
    text = FUNCTION + "workload: [{invoke: {function: a, payload: {n: '{n}', key: 'k-{n % 2}'}}, at: 5s, count: 3}]"
    assert [json.loads(payload) for (payload,) in rows(tmp_path, text, INVOKED)] == [
        {"n": 0, "key": "k-0"},
        {"n": 1, "key": "k-1"},
        {"n": 2, "key": "k-0"},
    ]


def test_the_workload_stops_at_duration_and_the_run_goes_on(tmp_path: Path) -> None:
    """Contract: `duration` stops the workload, the run goes on until nothing is pending, `until` ends it."""
    text = """
duration: 3s
functions: {a: {simulate: {error_rate: 1}}}
workload: [{invoke: {function: a, invocation_type: Event}, rate: 1/s, for: 1h, arrivals: constant}]
"""
    found = rows(tmp_path, text, "SELECT attempt, count(*) FROM invocations GROUP BY attempt")
    assert found == [(1, 3), (2, 3), (3, 3)]
    found = rows(tmp_path, text + "until: 90s", "SELECT attempt, count(*) FROM invocations GROUP BY attempt")
    assert found == [(1, 3), (2, 3)]


def test_a_run_ends_when_nothing_is_pending_even_before_until(tmp_path: Path) -> None:
    result = run_scenario(scenario(tmp_path, FUNCTION + "until: 8h\nworkload: [{invoke: {function: a}, at: 5s}]"))
    assert 5 * SECOND < result.now < MINUTE


def test_a_throttled_client_tries_three_times_as_an_sdk_does(tmp_path: Path) -> None:
    """botocore, standard retry mode: 3 attempts, before the n-th a random share of min(2^(n-2), 20) s."""
    text = """
functions: {a: {reserved_concurrent_executions: 0}}
workload: [{invoke: {function: a}, at: 10s, count: 200}]
expect: [{function: a, throttles: 600, invocations: 0}, {lost: 0}]
"""
    found = rows(tmp_path, text, "SELECT time, kind FROM hops ORDER BY time, rowid")
    assert [kind for _, kind in found].count("client_error") == 200
    waits = [when - 1767225610000 for when, kind in found if kind == "client_error"]
    assert max(waits) <= 3000
    assert abs(sum(waits) / 200 - 1500) < 150
    assert run_scenario(scenario(tmp_path, text)).passed


def test_the_error_of_a_function_is_not_retried_by_its_client(tmp_path: Path) -> None:
    """Invoke answers 200 with FunctionError: nothing that an SDK retries."""
    text = "functions: {a: {simulate: {error_rate: 1}}}\nworkload: [{invoke: {function: a}, at: 1s, count: 5}]"
    assert rows(tmp_path, text, "SELECT count(*) FROM invocations") == [(5,)]


def test_messages_and_notifications_reach_their_receivers(tmp_path: Path) -> None:
    text = """
functions: {a: {}}
queues: {q: {}, jobs.fifo: {fifo_queue: true}}
topics: {t: {subscriptions: [{protocol: lambda, endpoint: "lambda:a", filter_policy: {level: [high]}}]}}
workload:
  - {publish: {topic: t, subject: s, message: {n: "{n}"}, message_attributes: {level: high, size: 5}}, at: 1s, count: 2}
  - {publish: {topic: t, message: x, message_attributes: {level: {data_type: String, string_value: low}}}, at: 1s}
  - {send_message: {queue: q, message_body: "text {n}"}, at: 1s, count: 2}
  - {send_message: {queue: jobs.fifo, message_body: [1], message_group_id: "g{n}", message_deduplication_id: x}, at: 1s}
expect:
  - {function: a, invocations: 2}
  - {queue: q, messages: 2}
  - {queue: jobs.fifo, messages: 1}
  - {lost: 0}
"""
    found = rows(tmp_path, text, "SELECT queue, body FROM messages ORDER BY queue, body")
    assert found == [("jobs.fifo", "[1]"), ("q", "text 0"), ("q", "text 1")]
    [first, _] = [json.loads(payload) for (payload,) in rows(tmp_path, text, INVOKED)]
    sns = first["Records"][0]["Sns"]
    assert (sns["Subject"], sns["Message"]) == ("s", '{"n":0}')
    assert sns["MessageAttributes"] == {
        "level": {"Type": "String", "Value": "high"},
        "size": {"Type": "Number", "Value": "5"},
    }
    assert run_scenario(scenario(tmp_path, text)).passed


def test_objects_are_put_copied_and_deleted(tmp_path: Path) -> None:
    text = """
functions: {made: {}, gone: {}}
buckets:
  uploads:
    notifications:
      - {function: made, events: ["s3:ObjectCreated:*"], filter: {prefix: img/, suffix: .jpg}}
      - {function: gone, events: ["s3:ObjectRemoved:*"]}
workload:
  - {put_object: {bucket: uploads, key: "img/{n}.jpg", size: 100KB}, at: 1s, count: 3}
  - {put_object: {bucket: uploads, key: "img/{n}.txt", body: {n: "{n}"}}, at: 1s}
  - {copy_object: {bucket: uploads, key: "img/c.jpg", copy_source: {bucket: uploads, key: img/0.jpg}}, at: 2s}
  - {copy_object: {bucket: uploads, key: "img/d.jpg", copy_source: {bucket: uploads, key: nothing}}, at: 2s}
  - {delete_object: {bucket: uploads, key: "img/1.jpg"}, at: 3s}
expect: [{function: made, invocations: 4}, {function: gone, invocations: 1}, {lost: 0}]
"""
    found = rows(tmp_path, text, "SELECT kind, detail FROM hops WHERE kind = 'client_error'")
    assert len(found) == 1
    assert found[0][1].startswith("copy_object, attempt 1: NoSuchKey:")
    assert run_scenario(scenario(tmp_path, text)).passed
    sizes = rows(tmp_path, text, "SELECT payload FROM invocations WHERE function = 'made' ORDER BY queued_at, rowid")
    assert json.loads(sizes[0][0])["Records"][0]["s3"]["object"]["size"] == 102_400


def test_handlers_run_from_code_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "shop.py").write_text(
        "import os\ndef handler(event, context):\n    return event['n'] + int(os.environ['ADD'])\n"
    )
    text = """
functions: {a: {code: app/, handler: shop.handler, environment: {ADD: "1"}}}
workload: [{invoke: {function: a, payload: {n: "{n}"}}, at: 1s, count: 2}]
"""
    assert rows(tmp_path, text, "SELECT response FROM invocations ORDER BY response") == [("1",), ("2",)]


# --- traces ----------------------------------------------------------------------------------------------------------

TRACE = """
functions: {a: {timeout: 60}}
workload:
  - invoke: {function: a}
    trace: {file: t.csv, column: at, unit: s, duration_column: took, environment_column: env, cold_column: cold}
"""


def test_a_trace_gives_arrivals_and_durations(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("at,took,env,cold\n100,1.5,x,true\n110.5,2,x,false\n")
    assert start_times(tmp_path, TRACE) == [0, 10_500]
    found = rows(tmp_path, TRACE, "SELECT duration_ms FROM invocations ORDER BY queued_at")
    assert [round(duration) for (duration,) in found] == [1500, 2000]


def test_the_duration_of_a_trace_follows_an_object_to_its_function(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("at,took\n1,500\n2,700\n")
    text = """
functions: {a: {}}
buckets: {box: {notifications: [{function: a, events: ["s3:ObjectCreated:*"]}]}}
workload:
  - put_object: {bucket: box, key: "{n}", metadata: {n: "{n}"}}
    trace: {file: t.csv, column: at, duration_column: took}
"""
    found = rows(tmp_path, text, "SELECT duration_ms FROM invocations ORDER BY queued_at")
    assert [round(duration) for (duration,) in found] == [500, 700]


def test_environments_that_were_warm_when_the_trace_began_are_preloaded(tmp_path: Path) -> None:
    """The first row ran in an environment that was there before; the second, at the same time, needed a new one."""
    (tmp_path / "t.csv").write_text("at,took,env,cold\n100,5,x,False\n101,5,y,True\n110,1,x,False\n")
    found = rows(tmp_path, TRACE, "SELECT init_duration_ms IS NULL FROM invocations ORDER BY queued_at")
    assert found == [(1,), (0,), (1,)]


def test_a_wrong_row_far_down_ends_the_run_with_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simbus.scenario.trace.LOOKAHEAD", 2)
    (tmp_path / "t.csv").write_text("at,took,env,cold\n1,1,x,true\n2,1,x,false\n3,1,x,false\nsoon,1,x,false\n")
    with pytest.raises(ScenarioError, match=r"orders.yaml:5: \$.workload\[0\].trace is .*t.csv:5: at is 'soon'"):
        run_scenario(scenario(tmp_path, TRACE))


# --- memory, seeds, errors -------------------------------------------------------------------------------------------


def test_an_item_keeps_one_arrival_on_the_timeline(tmp_path: Path) -> None:
    """A workload of 10^12 requests is not made before it happens."""
    text = (
        FUNCTION
        + "workload: [{invoke: {function: a}, count: 1000000000000, over: 100d}, {invoke: {function: a}, at: 1h}]"
    )
    simulation, plan = build(scenario(tmp_path, text))
    with simulation:
        assert simulation.timeline.pending == 2
        simulation.play(MILLISECOND)
        assert simulation.timeline.pending < 100
    assert plan.until is None


SEEDED = """
seed: 7
functions: {a: {simulate: {duration: {exponential: 50ms}}}, b: {}}
workload:
  - {invoke: {function: a, payload: "{uuid}"}, rate: 5/s, for: 1m}
"""


def test_a_seed_repeats_a_run_to_the_byte(tmp_path: Path) -> None:
    loaded = scenario(tmp_path, SEEDED)
    first = run_scenario(loaded)
    assert first.seed == 7
    assert run_scenario(loaded, db=tmp_path / "run.db").digest == first.digest
    assert run_scenario(loaded, seed=8).digest != first.digest


def test_another_item_does_not_shift_the_arrivals_of_the_first(tmp_path: Path) -> None:
    """Each item has its own generator, named by its place."""
    sql = "SELECT queued_at, payload FROM invocations WHERE function = 'a' ORDER BY queued_at"
    alone = rows(tmp_path, SEEDED, sql)
    assert rows(tmp_path, SEEDED + "  - {invoke: {function: b}, rate: 50/s, for: 1m}\n", sql) == alone


def test_a_division_by_zero_in_a_template_ends_the_run(tmp_path: Path) -> None:
    text = FUNCTION + "workload:\n  - {invoke: {function: a, payload: '{1 // (2 - n)}'}, at: 1s, count: 5}"
    with pytest.raises(ScenarioError, match=r"orders.yaml:3: \$.workload\[0\].invoke has .* by zero where n is 2"):
        run_scenario(scenario(tmp_path, text))


OVERLAPPING = """
functions: {a: {}}
buckets:
  box:
    notifications:
    - {function: a, events: ["s3:ObjectCreated:*"], filter: {prefix: img/}}
    - {function: a, events: ["s3:ObjectRemoved:*"]}
    - {function: a, events: ["s3:ObjectCreated:Put"], filter: {prefix: img/2026}}
"""
BUILT = [
    ("queues:\n  q.fifo: {}", 'orders.yaml:2: $.queues["q.fifo"] is refused; AWS answers InvalidParameterValue'),
    ("queues:\n  q: {content_based_deduplication: true}", "orders.yaml:2: $.queues.q is refused; AWS answers Invalid"),
    (
        "queues:\n  q:\n    redrive_policy: {dead_letter_target_arn: 'sqs:q'}",
        "orders.yaml:3: $.queues.q.redrive_policy is refused; AWS answers InvalidParameterValue",
    ),
    (
        "functions:\n  a: {reserved_concurrent_executions: 901}",
        "orders.yaml:2: $.functions.a is refused; AWS answers InvalidParameterValueException: Specified Reserved",
    ),
    (
        "topics:\n  t:\n    subscriptions:\n    - {endpoint: 'sqs:q', filter_policy: {a: {b: [c]}}}\nqueues: {q: {}}",
        "orders.yaml:4: $.topics.t.subscriptions[0] is refused; AWS answers InvalidParameter",
    ),
    (
        OVERLAPPING,
        "orders.yaml:8: $.buckets.box.notifications[2] is refused; AWS answers InvalidArgument",
    ),
]


@pytest.mark.parametrize(("text", "begins"), BUILT)
def test_what_aws_refuses_is_refused_with_its_words_and_the_line(tmp_path: Path, text: str, begins: str) -> None:
    """CreateQueue, PutFunctionConcurrency, Subscribe, PutBucketNotificationConfiguration answer themselves."""
    with pytest.raises(ScenarioError) as caught:
        check(scenario(tmp_path, text))
    assert str(caught.value).replace(f"{tmp_path}/", "").startswith(begins)


def test_a_scenario_that_can_not_be_built_leaves_the_old_run_file_alone(tmp_path: Path) -> None:
    """Contract: exit 2 writes no run file."""
    run_scenario(scenario(tmp_path, FUNCTION), db=tmp_path / "run.db")
    before = (tmp_path / "run.db").read_bytes()
    with pytest.raises(ScenarioError):
        run_scenario(scenario(tmp_path, "queues: {q.fifo: {}}"), db=tmp_path / "run.db")
    assert (tmp_path / "run.db").read_bytes() == before


def test_queues_may_be_dead_letter_queues_of_each_other(tmp_path: Path) -> None:
    """SetQueueAttributes allows a circle; the queues are made first."""
    text = """
queues:
  a: {redrive_policy: {dead_letter_target_arn: "sqs:b", max_receive_count: 1}}
  b: {redrive_policy: {dead_letter_target_arn: "arn:aws:sqs:us-east-1:000000000000:a"}}
"""
    check(scenario(tmp_path, text))


def test_functions_may_be_destinations_of_each_other_and_aliases_have_their_own(tmp_path: Path) -> None:
    text = """
functions:
  a:
    event_invoke_config: {on_success: "lambda:b"}
    aliases: {live: {function_version: "1", event_invoke_config: {on_success: "sqs:done"}}}
  b: {}
queues: {done: {}}
workload:
  - {invoke: {function: a, invocation_type: Event}, at: 1s}
  - {invoke: {function: a, qualifier: live, invocation_type: Event}, at: 1s}
  - {invoke: {function: "a:live", invocation_type: Event}, at: 1s}
expect: [{function: b, invocations: 1}, {queue: done, messages: 2}]
"""
    assert run_scenario(scenario(tmp_path, text)).passed


def test_a_failed_expectation_is_told(tmp_path: Path) -> None:
    text = FUNCTION + "workload: [{invoke: {function: a}, at: 1s}]\nexpect: [{function: a, invocations: '> 1'}]"
    result = run_scenario(scenario(tmp_path, text))
    assert not result.passed
    assert [str(each) for each in result.expectations if not each.passed] == [
        "lambda:a invocations: expected > 1, found 1"
    ]


def test_an_hour_of_virtual_time_passes_without_waiting(tmp_path: Path) -> None:
    result = run_scenario(scenario(tmp_path, FUNCTION + "workload: [{invoke: {function: a}, at: 1h}]"))
    assert result.now > HOUR
