"""A recording that is replayed gives the run that wrote it, to the byte."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from recording.runs import digest, operations, recorded, replayed, simbus

from simbus import AwsError, Simulation
from simbus.logs.reader import open_run

ROOT = Path(__file__).parents[2]
SCENARIOS = sorted((ROOT / "scenarios").glob("*.yaml"))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
@pytest.mark.parametrize("name", ["run.jsonl", "run.jsonl.gz"])
def test_a_scenario_of_the_gallery(path: Path, name: str, tmp_path: Path) -> None:
    """Design, section 7: the recording of a run, with the same scenario and (by default) the same seed."""
    if name.endswith("gz") and path.stem not in ("tour", "broken_chain"):
        pytest.skip("one or two in gzip are enough")
    first, again, recording = tmp_path / "first.db", tmp_path / "again.db", tmp_path / name
    ran = simbus("run", path, "--db", first, "--record", recording)
    played = simbus("replay", recording, "--scenario", path, "--db", again)
    assert (ran.exit_code, played.exit_code) == (0, 0), played.output
    assert digest(again) == digest(first)
    assert played.stdout.replace("again.db", "first.db") == ran.stdout


def app(sim: Simulation) -> None:
    """An account in which every service leads to a function that fails now and then."""
    simulate = {"duration": "10ms", "init_duration": "20ms", "error_rate": 0.3}
    failed = sim.queue("failed")
    function = sim.function("f", simulate=simulate, dead_letter_config=failed)
    sim.function("g", simulate=simulate, reserved_concurrent_executions=1)
    jobs = sim.queue("jobs", redrive_policy={"dead_letter_target_arn": "sqs:failed", "max_receive_count": 2})
    sim.bucket("uploads", notifications=[{"function": function, "events": ["s3:ObjectCreated:*"]}], eventbridge=True)
    topic = sim.topic("alerts")
    topic.subscribe(function), topic.subscribe(jobs)
    stream = sim.stream("clicks", shard_count=1)
    table = sim.table("orders", hash_key="id", stream_view_type="NEW_AND_OLD_IMAGES")
    sim.event_source_mapping(jobs, "lambda:g", batch_size=2)
    sim.event_source_mapping(stream, function, starting_position="LATEST", maximum_retry_attempts=1)
    sim.event_source_mapping(table.latest_stream.arn, function, starting_position="LATEST", maximum_retry_attempts=1)
    sim.event_bus("default", rules={"all": {"event_pattern": {"source": ["shop", "aws.s3"]}, "targets": [function]}})
    sim.repository("code").subscribe(topic)


OPERATIONS: dict[str, Any] = {
    "put": lambda sim, n: sim["s3:uploads"].put_object(f"k{n}", b"\x00\xff" * n),
    "put_text": lambda sim, n: sim["s3:uploads"].put_object("ü", body="é", metadata={"a": "b"}),
    "delete": lambda sim, n: sim["s3:uploads"].delete_objects(each for each in (f"k{n}", "k0")),
    "publish": lambda sim, n: sim["sns:alerts"].publish(f"m{n}", subject="s"),
    "send": lambda sim, n: sim["sqs:jobs"].send_message(
        f"m{n}", delay_seconds=n % 3, message_attributes={"b": {"DataType": "Binary", "BinaryValue": b"\x01"}}
    ),
    "receive": lambda sim, n: [
        sim["sqs:failed"].delete_message(each.receipt_handle)
        for each in sim["sqs:failed"].receive_messages(2, wait_time_seconds=n % 2)
    ],
    "record": lambda sim, n: sim["kinesis:clicks"].put_records([{"data": b"\xfe", "partition_key": str(n)}] * 3),
    "item": lambda sim, n: sim["dynamodb:orders"].put_item({"id": {"S": str(n)}, "b": {"B": b"\x00"}, "n": {"N": "1"}}),
    "no_item": lambda sim, n: sim["dynamodb:orders"].delete_item({"id": {"S": str(n)}}),
    "events": lambda sim, n: sim["events:default"].put_events(
        [{"source": "shop", "detail_type": "order", "detail": {"n": n, "$set": [1]}}, {"source": "aws.x"}]
    ),
    "invoke": lambda sim, n: sim["lambda:g"].invoke({"n": n}),
    "invoke_event": lambda sim, n: sim["lambda:f"].invoke(b'{"n": 1.0}', invocation_type="Event"),
    "push": lambda sim, n: sim["codecommit:code"].push("main"),
    "refused": lambda sim, n: sim["sqs:jobs"].send_message("x" * 2_000_000),
    # Before the run begins a setting is a part of the set-up, which is not in a recording.
    "concurrency": lambda sim, n: sim.timeline.played and sim["lambda:f"].put_function_concurrency(n % 3),
}
WHEN = st.one_of(
    st.just(("now", 0)),
    st.tuples(st.just("at"), st.sampled_from([0, 10, 20, 1000])),
    st.tuples(st.just("after"), st.sampled_from([0, 1, 10, 20, 30, 1000, 60_000])),
)
STEPS = st.lists(st.tuples(st.sampled_from(sorted(OPERATIONS)), st.integers(0, 4), WHEN), max_size=12)


def act(steps: list[tuple[str, int, tuple[str, int]]]) -> Any:
    """Do the steps: at once, at a time later on, or after the run has played that long (ms)."""

    def one(sim: Simulation, name: str, n: int) -> None:
        with suppress(AwsError):
            OPERATIONS[name](sim, n)

    def play(sim: Simulation) -> None:
        for name, n, (how, when) in steps:
            if how == "at":
                sim.at(f"{sim.now // 1_000_000 + when}ms", lambda name=name, n=n: one(sim, name, n))  # type: ignore[misc]
                continue
            if how == "after":
                sim.run(for_=f"{when}ms")
            one(sim, name, n)
        sim.run()

    return play


@given(steps=STEPS, ties=st.sampled_from([None, 1, 2]))
@example(steps=[("invoke", 0, ("now", 0)), ("invoke", 1, ("now", 0)), ("send", 0, ("now", 0))], ties=None)
@example(steps=[("invoke_event", 0, ("now", 0)), ("invoke", 0, ("now", 0)), ("put", 1, ("now", 0))], ties=None)
@example(steps=[("put", 1, ("at", 10)), ("put", 2, ("after", 10)), ("publish", 2, ("now", 0))], ties=1)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_mixture_of_operations(steps: Any, ties: int | None, tmp_path: Path) -> None:
    """Whatever is done, and whenever: before the run, between two parts of it, at a time, at the same time."""
    path = tmp_path / "any.jsonl"
    first = recorded(path, app, act(steps), ties=ties)
    assert replayed(path, app, ties=ties) == first


def test_async_twins_are_recorded_too(tmp_path: Path) -> None:
    """What a coroutine outside does, is done from outside."""
    path = tmp_path / "async.jsonl"

    def act_async(sim: Simulation) -> None:
        async def main() -> None:
            await sim["s3:uploads"].aput_object("a", b"x")
            await asyncio.sleep(1)
            await sim["lambda:g"].ainvoke({"n": 1})
            await sim["lambda:g"].ainvoke({"n": 2}, invocation_type="Event")

        sim.run_async(main())
        sim.run()

    first = recorded(path, app, act_async)
    assert [each["type"] for each in operations(path)] == ["s3.put_object", "lambda.invoke", "lambda.invoke"]
    assert replayed(path, app) == first


def test_the_recording_of_a_replay_is_the_same_recording(tmp_path: Path) -> None:
    """A replay does the operations from outside, as the run did."""
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    recorded(first, app, act([("put", 1, ("now", 0)), ("invoke", 1, ("after", 20)), ("item", 1, ("at", 10))]))
    replayed(first, app, record=second)
    assert second.read_text() == first.read_text()


def test_throttled_puts_are_retried_anew(tmp_path: Path) -> None:
    """A client's retries are not in the recording: with enough shards there are none."""
    scenario, recording = tmp_path / "burst.yaml", tmp_path / "burst.jsonl"
    scenario.write_text(
        "streams: {clicks: {shard_count: 1}}\n"
        "workload: [{put_record: {stream: clicks, partition_key: '{n}', data: x}, at: 1s, count: 1200}]\n"
    )
    run, again, wider = (tmp_path / f"{name}.db" for name in ("run", "again", "wider"))
    assert simbus("run", scenario, "--record", recording, "--db", run).exit_code == 0
    assert len(operations(recording)) == 1200
    assert {each["client"] for each in operations(recording)} == {"workload:0"}
    assert simbus("replay", recording, "--scenario", scenario, "--db", again).exit_code == 0
    assert digest(again) == digest(run)
    more = ("--set", "streams.clicks.shard_count=4", "--db", wider)
    result = simbus("replay", recording, "--scenario", scenario, *more)
    assert result.exit_code == 0, result.output
    with open_run(wider) as rows:
        [[events, last]] = rows.query("SELECT count(*), max(time) - min(time) FROM events")
    assert (events, last) == (1200, 0)


def test_faults_of_the_scenario_hold(tmp_path: Path) -> None:
    """Design, section 7: the workload of the scenario is left out, its faults are not."""
    scenario, recording = tmp_path / "shop.yaml", tmp_path / "shop.jsonl"
    text = (
        "functions: {f: {}}\n"
        "workload: [{invoke: {function: f, invocation_type: Event}, at: 1m, count: 2}]\n"
        "faults: [{at: 0s, for: 2m, function: f, error_rate: 1.0}]\n"
    )
    scenario.write_text(text)
    db = tmp_path / "run.db"
    assert simbus("run", scenario, "--record", recording, "--db", tmp_path / "first.db").exit_code == 0
    scenario.write_text(text.replace("at: 1m, count: 2", "at: 1m, count: 50"))
    assert simbus("replay", recording, "--scenario", scenario, "--db", db).exit_code == 0
    with open_run(db) as rows:
        found = [tuple(row) for row in rows.query("SELECT status, count(*) FROM invocations GROUP BY status")]
    assert found == [("error", 2), ("ok", 2)]
    assert digest(db) == digest(tmp_path / "first.db")


def test_warm_environments_of_a_trace_are_warm_again(tmp_path: Path) -> None:
    """What a trace knows of the time before it (the first arrival found a warm environment) is recorded as well."""
    scenario, recording = tmp_path / "trace.yaml", tmp_path / "trace.jsonl"
    (tmp_path / "trace.csv").write_text("start,environment,cold\n0,a,false\n5,b,false\n700,c,true\n")
    scenario.write_text(
        "functions: {f: {simulate: {duration: 1s}}}\n"
        "workload: [{invoke: {function: f}, trace: {file: trace.csv, column: start, environment_column: environment, "
        "cold_column: cold}}]\n"
    )
    first, again = tmp_path / "first.db", tmp_path / "again.db"
    assert simbus("run", scenario, "--record", recording, "--db", first).exit_code == 0
    assert operations(recording)[0]["type"] == "lambda.preload"
    assert simbus("replay", recording, "--scenario", scenario, "--db", again).exit_code == 0
    assert digest(again) == digest(first)


def test_boto3_outside_of_handlers(tmp_path: Path) -> None:
    """What a test does through boto3 is done from outside, too; a receipt handle is the same in the same run."""
    boto3 = pytest.importorskip("boto3")
    path = tmp_path / "boto3.jsonl"

    def act_with_boto3(sim: Simulation) -> None:
        sqs = boto3.client("sqs", region_name="us-east-1")
        url = sqs.get_queue_url(QueueName="failed")["QueueUrl"]
        boto3.client("s3", region_name="us-east-1").put_object(Bucket="uploads", Key="a", Body=b"\x00")
        sqs.send_message(QueueUrl=url, MessageBody="hello")
        sim.run(for_="1m")
        for message in sqs.receive_message(QueueUrl=url)["Messages"]:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        boto3.client("lambda", region_name="us-east-1").invoke(FunctionName="g", Payload=b"{}")
        sim.run()

    first = recorded(path, app, act_with_boto3)
    assert [each["type"] for each in operations(path)] == [
        "s3.put_object",
        "sqs.send_message",
        "sqs.receive_messages",
        "sqs.delete_message",
        "lambda.invoke",
    ]
    assert replayed(path, app) == first
