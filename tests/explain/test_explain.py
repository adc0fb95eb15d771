"""`simbus explain`: the story of an event or a request, as its rows tell it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from simbus import Simulation
from simbus.cli import app
from simbus.explain.reading import Event
from simbus.explain.stories import Teller
from simbus.explain.story import Story
from simbus.logs.reader import RunReader, open_run

ROOT = Path(__file__).parents[2]

SHOP = """
start: 2026-01-01T00:00:00Z
until: 2h
functions:
  shelve: {simulate: {duration: 100ms, init_duration: 0s}, event_invoke_config: {on_success: "lambda:announce"}}
  announce: {simulate: {duration: 100ms, init_duration: 0s, response: {done: true}}}
  fragile:
    simulate: {error_rate: 1.0, duration: 10ms, init_duration: 0s}
    dead_letter_config: {target_arn: "sqs:dead"}
  closed: {reserved_concurrent_executions: 0}
  count: {simulate: {error_rate: 1.0, duration: 10ms, init_duration: 0s}}
  one: {reserved_concurrent_executions: 1, simulate: {duration: 2500ms, init_duration: 0s}}
buckets: {uploads: {notifications: [{function: shelve, events: ["s3:ObjectCreated:*"], filter: {suffix: .jpg}}]}}
queues: {dead: {}, jobs: {}}
topics:
  news:
    subscriptions:
      - {endpoint: "lambda:fragile"}
      - {endpoint: "lambda:closed"}
      - {endpoint: "lambda:shelve", filter_policy: {level: [high]}}
      - {endpoint: "sqs:jobs"}
streams: {clicks: {shard_count: 1}}
event_buses:
  default: {rules: {big: {event_pattern: {source: [shop]}, targets: [{arn: "lambda:announce"}]}}}
event_source_mappings:
  - {event_source: "kinesis:clicks", function: count, starting_position: LATEST, maximum_retry_attempts: 1}
workload:
  - {put_object: {bucket: uploads, key: a.jpg, size: 1}, at: 1s}
  - {put_object: {bucket: uploads, key: notes.txt, size: 1}, at: 1s}
  - {publish: {topic: news, message: hello, message_attributes: {level: low}}, at: 2s}
  - {put_record: {stream: clicks, partition_key: "user-{n}", data: x}, at: 3s, count: 3}
  - {put_events: {event_bus: default, source: shop, detail_type: sold, detail: {}}, at: 4s}
  - {put_events: {event_bus: default, source: other, detail_type: sold, detail: {}}, at: 5s}
  - {invoke: {function: one, invocation_type: Event}, at: 6s, count: 2}
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run in which one of everything happens."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "shop.yaml").write_text(SHOP)
    result = CliRunner().invoke(app, ["run", str(folder / "shop.yaml"), "--db", str(folder / "run.db")])
    assert result.exit_code == 0, result.output
    return folder / "run.db"


@pytest.fixture
def run(file: Path) -> Iterator[RunReader]:
    with open_run(file) as reader:
        yield reader


def explain(file: Path, *options: object) -> Result:
    return CliRunner().invoke(app, ["explain", str(file), *map(str, options)])


def lines(file: Path, *options: object) -> list[str]:
    """The lines of a story without guides and ids."""
    result = explain(file, *options)
    assert result.exit_code == 0, result.output
    bare = (re.sub(r" \((event|request) [^)]*\)", "", line) for line in result.stdout.splitlines())
    return [re.sub(r"^[│├└─ ]*", "", line) for line in bare]


def one(run: RunReader, sql: str) -> str:
    [row] = run.query(sql)
    return str(row[0])


def test_a_story_goes_on_across_functions(file: Path) -> None:
    """S3 to a function to its destination, which is another function; an object is named by its key."""
    assert lines(file, "a.jpg") == [
        "00:00:01.000 s3:uploads ObjectCreated:Put a.jpg",
        "00:00:01.000 lambda:shelve attempt 1: ok after 100 ms (cold start 0 ms)",
        "00:00:01.100 record to lambda:announce",
        "00:00:01.100 lambda:announce Invoke",
        "00:00:01.100 lambda:announce attempt 1: ok after 100 ms (cold start 0 ms)",
        "00:00:01.200 lambda:announce processed",
        "00:00:01.100 lambda:shelve processed",
    ]


def test_what_led_to_an_event_stands_first(file: Path, run: RunReader) -> None:
    """From the event up to what came from outside: the request of the function, and the event that it was for."""
    event = one(run, "SELECT id FROM events WHERE source = 'lambda:announce' AND parent IS NOT NULL")
    assert lines(file, event)[:3] == [
        "00:00:01.100 lambda:announce Invoke",
        "because of 00:00:01.000 s3:uploads ObjectCreated:Put a.jpg",
        "because of 00:00:01.000 lambda:shelve ok",
    ]


def test_each_subscription_tells_its_own(file: Path) -> None:
    """Filtered by which key of the policy, retried and why then, given up and where it went, lost and why."""
    assert lines(file, "--dead", "--limit", 1) == [
        "00:00:02.000 sns:news Notification",
        "sqs:jobs",
        "00:00:02.000 delivered",
        "00:00:02.000 sqs:jobs SendMessage",
        "at the end sqs:jobs still in the queue at the end, visible, received 0 times",
        "lambda:closed",
        "00:00:02.000 gave up: ZeroReservedConcurrency",
        "00:00:02.000 lost",
        "lambda:fragile",
        "00:00:02.000 attempt 1: error SimulatedError after 10 ms (cold start 0 ms): simulated failure "
        "(simulate.error_rate)",
        "00:00:02.010 retry: attempt 1 was error; next in 60 s",
        "00:01:02.010 attempt 2: error SimulatedError after 10 ms: simulated failure (simulate.error_rate)",
        "00:01:02.020 retry: attempt 2 was error; next in 120 s",
        "00:03:02.020 attempt 3: error SimulatedError after 10 ms: simulated failure (simulate.error_rate)",
        "00:03:02.030 gave up: RetriesExhausted",
        "00:03:02.030 dead letter to sqs:dead",
        "00:03:02.030 sqs:dead SendMessage",
        "at the end sqs:dead still in the queue at the end, visible, received 0 times",
        "00:03:02.030 given up: it is in a dead-letter queue or a failure destination",
        "lambda:shelve",
        "00:00:02.000 filtered: MessageAttributes: level",
    ]


def test_a_record_in_the_middle_of_a_batch_has_the_rows_of_the_batch(file: Path) -> None:
    """Throttles, retries and bisects are one row for a whole batch, under its first record."""
    assert lines(file, "user-1") == [
        "00:00:03.000 kinesis:clicks PutRecord user-1",
        "00:00:04.000 lambda:count attempt 1: error SimulatedError after 10 ms (cold start 0 ms, batch of 3): "
        "simulated failure (simulate.error_rate)",
        "00:00:04.010 lambda:count retry: attempt 1 was error; next in 0.25 s",
        "00:00:04.260 lambda:count attempt 2: error SimulatedError after 10 ms (batch of 3): "
        "simulated failure (simulate.error_rate)",
        "00:00:04.270 lambda:count gave up: RetryAttemptsExhausted after 2 invocations, batch of 3",
        "00:00:04.270 lambda:count lost",
    ]


def test_a_request_for_a_batch_names_its_records(file: Path, run: RunReader) -> None:
    """A request id: its attempts, its records and what became of each."""
    request = one(run, "SELECT request_id FROM invocations WHERE function = 'count' ORDER BY started_at LIMIT 1")
    assert lines(file, request)[:5] == [
        "00:00:04.000 lambda:count RequestResponse",
        "because of 00:00:03.000 kinesis:clicks PutRecord user-0 and 2 more of its batch",
        "for kinesis:clicks user-0: settled by another request",
        "for kinesis:clicks user-1: settled by another request",
        "for kinesis:clicks user-2: settled by another request",
    ]
    last = one(run, "SELECT request_id FROM invocations WHERE function = 'count' ORDER BY started_at DESC LIMIT 1")
    assert "for kinesis:clicks user-1: dropped" in lines(file, last[:13])


def test_a_throttle_says_why_and_when_it_was_tried_again(file: Path, run: RunReader) -> None:
    """Lambda's back-off of throttled asynchronous events: 1 s, doubling."""
    event = one(run, "SELECT DISTINCT event_id FROM hops WHERE kind = 'throttled'")
    assert lines(file, event) == [
        "00:00:06.000 lambda:one Invoke",
        "00:00:06.000 lambda:one throttled: ReservedFunctionConcurrentInvocationLimitExceeded; tried again after 1 s",
        "00:00:07.000 lambda:one throttled: ReservedFunctionConcurrentInvocationLimitExceeded; tried again after 2 s",
        "00:00:09.000 lambda:one attempt 1: ok after 2500 ms (waited 3 s)",
        "00:00:11.500 lambda:one processed",
    ]


def test_an_event_that_a_rule_took_names_it_and_one_that_none_took_says_so(file: Path, run: RunReader) -> None:
    """EventBridge: by which rule; no rule; S3: no notification."""
    taken = one(run, "SELECT id FROM events WHERE source = 'events:default' AND subject = 'shop'")
    assert "00:00:04.000 lambda:announce attempt 1: ok after 100 ms (rule big)" in lines(file, taken)
    left = one(run, "SELECT id FROM events WHERE source = 'events:default' AND subject = 'other'")
    assert lines(file, left)[1:] == ["00:00:05.000 events:default unmatched: no rule matches"]
    assert lines(file, "notes.txt")[1:] == ["nobody: no subscription took it"]


def test_lost_lists_and_explains_what_was_lost(file: Path) -> None:
    """Each with its story; the rest is counted."""
    result = explain(file, "anything", "--limit", 2)
    assert result.exit_code == 2
    assert result.stderr == "Error: --limit 2: is about --lost and --dead, and there is one anything. Leave it out.\n"
    result = explain(file, "--lost", "--limit", 2)
    assert result.stdout.count("PutRecord") == 1
    assert result.stdout.splitlines()[-1] == "... and 2 more: --limit shows them"
    everything = json.loads(explain(file, "--lost", "--json").stdout)
    assert everything["events"] == len(everything["stories"]) == 4
    assert [story["source"] for story in everything["stories"]] == ["sns:news", *["kinesis:clicks"] * 3]


def test_json_has_every_step(file: Path) -> None:
    """One document; times in ms since the epoch, as rows have them."""
    document = json.loads(explain(file, "a.jpg", "--json").stdout)
    [story] = document["stories"]
    steps = [(step["kind"], step["place"], step["status"], len(step["caused"])) for step in story["steps"]]
    assert steps == [
        ("attempt", "lambda:shelve", "ok", 0),
        ("destination", "lambda:announce", None, 1),
        ("settled", "lambda:shelve", "ok", 0),
    ]
    assert story["time"] == 1_767_225_601_000


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "simbus explain: has nothing; it explains one of ID, --lost and --dead."),
        (("x", "--lost"), "simbus explain: has ID and --lost; "),
        (("zzz",), "run.db: has no event, request or message zzz; "),
        (("shardId",), "run.db: shardId is not one thing alone. Give more of its id:\n  event shardId-"),
    ],
)
def test_what_can_not_be_explained_is_refused(file: Path, options: tuple[str, ...], message: str) -> None:
    """Exit status 2; the beginning of an id will do, as with git, as long as it is of one thing."""
    result = explain(file, *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


def test_nothing_lost_is_said_so(tmp_path: Path) -> None:
    """An empty answer would leave open whether it was understood."""
    scenario = tmp_path / "calm.yaml"
    scenario.write_text("functions: {f: {}}\nworkload: [{invoke: {function: f}, at: 1s}]\n")
    CliRunner().invoke(app, ["run", str(scenario), "--db", str(tmp_path / "run.db")])
    assert explain(tmp_path / "run.db", "--lost").stdout == "none\n"


@pytest.mark.parametrize("name", ["tour", "broken_chain", "blocked_group", "duplicates", "stale_deploy"])
def test_the_stories_of_all_events_have_every_attempt_hop_and_delivery(name: str, tmp_path: Path) -> None:
    """Nothing of a run is left untold."""
    path = tmp_path / "run.db"
    CliRunner().invoke(app, ["run", str(ROOT / "scenarios" / f"{name}.yaml"), "--db", str(path)])
    with open_run(path) as run:
        roots = [
            Event(*row) for row in run.query(f"SELECT {', '.join(Event._fields)} FROM events WHERE parent IS NULL")
        ]
        stories = [story for event in roots for story in every(Teller(run).events([event]))]
        steps = [step for story in stories for step in story.steps]
        ids = [story.id for story in stories]
        assert sorted(ids) == sorted(row[0] for row in run.query("SELECT id FROM events"))
        told = {(step.request_id, step.time) for step in steps if step.kind == "attempt"}
        assert told == {tuple(row) for row in run.query("SELECT request_id, started_at FROM invocations")}
        counts: dict[str, int] = {}
        for step in steps:
            counts[step.kind] = counts.get(step.kind, 0) + 1
        assert counts["settled"] == next(run.query("SELECT count(*) FROM deliveries"))[0]
        for kind, number in run.query("SELECT kind, count(*) FROM hops WHERE event_id IS NOT NULL GROUP BY kind"):
            assert counts[kind] >= number, kind


def every(stories: list[Story]) -> Iterator[Any]:
    """The stories with all that stand below them."""
    for story in stories:
        yield story
        for step in story.steps:
            yield from every(step.caused)
        yield from every(story.led_to)


def test_what_led_to_the_others_about_the_same_is_told(tmp_path: Path) -> None:
    """An object whose key is that of the item that it leads to: one story; two objects of one key are two things."""
    path = tmp_path / "chain.db"

    def ingest(event: Any, context: Any) -> None:
        for record in event["Records"]:
            orders.put_item({"id": {"S": record["s3"]["object"]["key"]}})

    with Simulation(db=path) as sim:
        orders = sim.table("orders", hash_key="id", stream_view_type="NEW_IMAGE")
        created = {"function": sim.function("ingest", handler=ingest), "events": ["s3:ObjectCreated:*"]}
        uploads = sim.bucket("uploads", notifications=[created])
        uploads.put_object("order-1", b"x")
        sim.at("1s", lambda: uploads.put_object("order-2", b"x"))
        sim.at("2s", lambda: uploads.put_object("order-2", b"y"))
        sim.run()
    [story] = json.loads(explain(path, "order-1", "--json").stdout)["stories"]
    assert (story["source"], story["subject"]) == ("s3:uploads", "order-1")
    assert "dynamodb:orders" in json.dumps(story)
    refused = explain(path, "order-2")
    assert refused.exit_code == 2
    lines = refused.stderr.splitlines()[1:]
    assert [line.split()[2:] for line in lines if "s3:" in line] == [["s3:uploads", "ObjectCreated:Put"]] * 2
    assert [line.split()[2:] for line in lines if "dynamodb:" in line] == [["dynamodb:orders", "INSERT"]]
