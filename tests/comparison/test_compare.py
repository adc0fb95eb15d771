"""`simbus replay --compare`: which events come out differently with another handler, in a chain of functions too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec import to_builtins
from typer.testing import CliRunner, Result

from simbus import Simulation
from simbus.cli import app
from simbus.comparison.changes import compare
from simbus.comparison.reading import Run
from simbus.report.comparison import Comparison
from simbus.report.document import report_schema

SCENARIO = """
seed: 4
functions:
  first: {handler: chain.first, code: chain.py}
  second: {handler: chain.second, code: chain.py}
  third: {handler: chain.third, code: chain.py, dead_letter_config: {target_arn: "sqs:dead"}}
buckets:
  uploads: {notifications: [{function: first, events: ["s3:ObjectCreated:*"]}]}
  thumbs: {notifications: [{function: third, events: ["s3:ObjectCreated:*"]}]}
queues:
  jobs: {visibility_timeout: 60, redrive_policy: {dead_letter_target_arn: "sqs:dead", max_receive_count: 2}}
  dead: {}
event_source_mappings: [{event_source: "sqs:jobs", function: second, batch_size: 5,
                         maximum_batching_window_in_seconds: 2, function_response_types: [ReportBatchItemFailures]}]
workload: [{put_object: {bucket: uploads, key: "{n}.jpg", body: "{n}"}, rate: 2/s, for: 20s, arrivals: constant}]
"""
HANDLERS = """
import json
import boto3

sqs, s3 = boto3.client("sqs"), boto3.client("s3")

def first(event, context):
    key = event["Records"][0]["s3"]["object"]["key"]
    sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName="jobs")["QueueUrl"], MessageBody=json.dumps({"key": key}))

def second(event, context):
    failed = []
    for record in event["Records"]:
        key = json.loads(record["body"])["key"]
        if BROKEN_SECOND(key):
            failed.append({"itemIdentifier": record["messageId"]})
        else:
            s3.put_object(Bucket="thumbs", Key=NAME(key), Body=b"x")
    return {"batchItemFailures": failed}

def third(event, context):
    key = event["Records"][0]["s3"]["object"]["key"]
    if BROKEN_THIRD(key):
        raise ValueError("no thumbnail")
"""
FIXED = {
    "BROKEN_SECOND(key)": "False",
    "NAME(key)": "key",
    "BROKEN_THIRD(key)": "0",
}


def simbus(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def compared(folder: Path, before: dict[str, str], after: dict[str, str]) -> dict[str, Any]:
    """Run the chain with handlers, record it, replay it with others; the comparison."""
    (folder / "chain.yaml").write_text(SCENARIO)
    for name, handlers in (("before", before), ("after", after)):
        text = HANDLERS
        for call, value in {**FIXED, **handlers}.items():
            text = text.replace(call, value)
        (folder / "chain.py").write_text(text)
        path, db = folder / "chain.jsonl", folder / f"{name}.db"
        what = ("run", folder / "chain.yaml", "--record", path)
        if name == "after":
            what = ("replay", path, "--scenario", folder / "chain.yaml", "--compare", folder / "before.db", "--json")
        result = simbus(*what, "--db", db)
        assert result.exit_code == 0, result.output
    return dict(json.loads(result.stdout)["comparison"])


def named(comparison: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    return [(each["change"], each["source"], each["subject"]) for each in comparison["changed"]]


def test_the_same_handlers_change_nothing(tmp_path: Path) -> None:
    """Also where some events fail, every time."""
    broken = {"BROKEN_SECOND(key)": 'key == "7.jpg"'}
    found = compared(tmp_path, broken, broken)
    assert (found["changed"], found["unchanged"], found["events_before"]) == ([], 119, 119)
    assert found["dead_letters"] == {
        "passing": [],
        "gone": [],
        "not_passing": found["dead_letters"]["not_passing"],
        "new": [],
    }
    assert len(found["dead_letters"]["not_passing"]) == 1


def test_a_dead_letter_that_passes_with_the_fix_is_named(tmp_path: Path) -> None:
    """The second function of the chain fails for one key: its message, and what it then leads to; nothing else."""
    found = compared(tmp_path, {"BROKEN_SECOND(key)": 'key == "7.jpg"'}, {})
    assert named(found) == [("outcome", "sqs:jobs", None), ("new", "s3:thumbs", "7.jpg")]
    [message, thumb] = found["changed"]
    assert (message["before"], message["after"]) == ({"lambda:second": "dead_letter"}, {"lambda:second": "ok"})
    assert message["caused_by"] == ["lambda:first", "s3:uploads ObjectCreated:Put 7.jpg"]
    assert thumb["caused_by"][0] == "lambda:second"
    assert thumb["after"] == {"lambda:third": "ok"}
    assert found["dead_letters"]["passing"] == [message["id"]]
    assert found["unchanged"] == 118


def test_the_last_function_of_a_chain(tmp_path: Path) -> None:
    """An asynchronous invocation that ended in a DLQ: the dead letter itself is there no more."""
    found = compared(
        tmp_path,
        {"BROKEN_THIRD(key)": 'key in ("3.jpg", "8.jpg")'},
        {},
    )
    assert sorted(named(found), key=str) == [
        ("gone", "sqs:dead", None),
        ("gone", "sqs:dead", None),
        ("outcome", "s3:thumbs", "3.jpg"),
        ("outcome", "s3:thumbs", "8.jpg"),
    ]
    assert len(found["dead_letters"]["passing"]) == 2


def test_what_a_handler_says_differently(tmp_path: Path) -> None:
    """One of its objects has another key: the event is the same one, with another content."""
    found = compared(tmp_path, {}, {"NAME(key)": '"five.jpg" if key == "5.jpg" else key'})
    assert named(found) == [("content", "s3:thumbs", "5.jpg")]


def test_what_breaks_is_named_too(tmp_path: Path) -> None:
    """The fix that was none: new dead letters, and what is missing after them."""
    found = compared(tmp_path, {}, {"BROKEN_SECOND(key)": 'key == "7.jpg"'})
    assert named(found) == [("outcome", "sqs:jobs", None), ("gone", "s3:thumbs", "7.jpg")]
    assert len(found["dead_letters"]["new"]) == 1


def test_only_what_was_replayed_is_compared(tmp_path: Path) -> None:
    """A part of a recording: what was left out is counted, with all that it had led to."""
    compared(tmp_path, {}, {})
    what = ("replay", tmp_path / "chain.jsonl", "--scenario", tmp_path / "chain.yaml", "--db", tmp_path / "part.db")
    more = ("--compare", tmp_path / "before.db", "--json", "--from", "10s")
    result = simbus(*what, *more)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)["comparison"]
    assert (found["events_after"], found["not_replayed"], found["changed"]) == (60, 60, [])


def test_the_text_for_people(tmp_path: Path) -> None:
    """A table of what changed, and what became of the dead letters."""
    compared(tmp_path, {"BROKEN_SECOND(key)": 'key == "7.jpg"'}, {})
    what = ("replay", tmp_path / "chain.jsonl", "--scenario", tmp_path / "chain.yaml", "--db", tmp_path / "again.db")
    result = simbus(*what, "--compare", tmp_path / "before.db")
    assert result.exit_code == 0, result.output
    text = result.stdout[result.stdout.index("compared with") :]
    assert text == (
        f"compared with {tmp_path}/before.db: 119 events before, 120 now; "
        "118 came out as before, 1 differently, 0 gone, 1 new\n\n"
        "event                              caused by      subscription   before       now\n"
        "sqs:jobs SendMessage               lambda:first   lambda:second  dead_letter  ok\n"
        "s3:thumbs ObjectCreated:Put 7.jpg  lambda:second  lambda:third   -            ok\n\n"
        "dead letters: 1 of 1 pass now\n"
    )


def test_the_document_is_that_of_the_schema(tmp_path: Path) -> None:
    """`simbus schema --report` knows the comparison; a run without one has none."""
    found = compared(tmp_path, {"BROKEN_SECOND(key)": 'key == "7.jpg"'}, {})
    known = report_schema()["$defs"]["Comparison"]["properties"]
    assert list(found) == list(known)
    result = simbus("run", tmp_path / "chain.yaml", "--db", tmp_path / "run.db", "--json")
    assert "comparison" not in json.loads(result.stdout)


@pytest.mark.parametrize(("before", "found"), [("nope.db", "no such file"), ("again.db", "take its place")])
def test_a_run_that_can_not_be_compared_is_refused(before: str, found: str, tmp_path: Path) -> None:
    """Before anything is played: exit status 2."""
    compared(tmp_path, {}, {})
    (tmp_path / "after.db").rename(tmp_path / "again.db")
    what = ("replay", tmp_path / "chain.jsonl", "--scenario", tmp_path / "chain.yaml", "--db", tmp_path / "again.db")
    result = simbus(*what, "--compare", tmp_path / before)
    assert (result.exit_code, found in result.stderr) == (2, True), result.output


def stream_run(seed: int, broken: bool) -> Comparison | Run:
    """A stream with a poison record, whose batches are bisected."""
    with Simulation(seed=seed) as sim:
        clicks, seen = sim.stream("clicks", shard_count=1), sim.queue("seen")

        def handler(event: Any, context: Any) -> None:
            for record in event["Records"]:
                key = record["kinesis"]["partitionKey"]
                if broken and key == "k5":
                    raise ValueError(key)
                seen.send_message(key)

        function = sim.function("f", handler=handler)
        sim.event_source_mapping(
            clicks, function, batch_size=10, maximum_batching_window_in_seconds=1, starting_position="TRIM_HORIZON",
            bisect_batch_on_function_error=True, maximum_retry_attempts=5, on_failure=sim.queue("failed"),
        )  # fmt: skip
        clicks.put_records([{"data": str(n), "partition_key": f"k{n}"} for n in range(10)])
        sim.run()
        with sim.reader() as rows:
            return Run(rows)


def test_batches_that_were_cut_otherwise(tmp_path: Path) -> None:
    """Bisected before, whole now: the poison record passes, and of what was sent again and again one is left each."""
    before, after = stream_run(1, True), stream_run(1, False)
    assert isinstance(before, Run)
    assert isinstance(after, Run)
    found = to_builtins(compare(before, after))
    outcomes = [each for each in found["changed"] if each["change"] == "outcome"]
    assert [(each["source"], each["subject"]) for each in outcomes] == [("kinesis:clicks", "k5")]
    sent = len([event for event in after.events if event.source == "sqs:seen"])
    gone = [each for each in found["changed"] if each["change"] == "gone" and each["source"] == "sqs:seen"]
    again = len([event for event in before.events if event.source == "sqs:seen"])
    assert (sent, len(gone)) == (10, again - 9)
    assert found["dead_letters"]["passing"] == [outcomes[0]["id"]]
