"""What a recording is: lines of CloudEvents 1.0, which hold what was done from outside."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recording.runs import digest, lines, operations, simbus

from simbus import Simulation, UsageError
from simbus.recording.operations import data_verbs, is_change, is_known
from simbus.recording.values import decoded, encoded
from simbus.services import SERVICES
from simbus.sources.base import operation
from simbus.sources.sqs.queue import Queue

SCENARIO = """
seed: 5
start: 2026-03-01T12:00:00Z
functions: {f: {event_invoke_config: {on_success: "sqs:done"}}}
buckets: {uploads: {notifications: [{function: f, events: ["s3:ObjectCreated:*"]}]}}
queues: {done: {}}
workload: [{put_object: {bucket: uploads, key: "{n}", body: x}, at: 1500ms, count: 2}]
"""


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """The recording of a run of SCENARIO."""
    (tmp_path / "shop.yaml").write_text(SCENARIO)
    path = tmp_path / "shop.jsonl"
    result = simbus("run", tmp_path / "shop.yaml", "--record", path, "--db", tmp_path / "run.db")
    assert result.exit_code == 0, result.output
    return path


def test_the_first_line_says_what_run_it_was(recording: Path) -> None:
    """Design, section 7, "Recording": seed, start and scenario."""
    first = lines(recording)[0]
    assert (first["specversion"], first["type"]) == ("1.0", "simbus.recording")
    assert first["time"] == "2026-03-01T12:00:00.000000000Z"
    found = first["data"]
    assert (found["seed"], found["start"], found["scenario"]) == (5, "2026-03-01T12:00:00Z", "shop")


def test_every_line_is_a_cloudevent(recording: Path) -> None:
    """CloudEvents 1.0: specversion, id, source and type are required, source and id together name one event;
    extension attributes have lower-case letters and digits."""
    found = lines(recording)
    assert len(found) == 5
    assert all({"specversion", "id", "source", "type"} <= line.keys() for line in found)
    assert len({(line["source"], line["id"]) for line in found}) == len(found)
    assert all(name.isalnum() and name.islower() for line in found for name in line)
    assert all(line["datacontenttype"] == "application/json" for line in found)


def test_operations_are_whole_and_what_they_cause_says_so(recording: Path) -> None:
    """Design, section 7: the operations with their full data; what was caused inside has a parent."""
    first, second = operations(recording)
    assert first == {
        "specversion": "1.0",
        "id": "1",
        "source": "s3:uploads",
        "type": "s3.put_object",
        "time": "2026-03-01T12:00:01.500000000Z",
        "subject": "0",
        "client": "workload:0",
        "datacontenttype": "application/json",
        "data": {"key": "0", "body": "x"},
    }
    assert second["subject"] == "1"
    caused = [line for line in lines(recording)[1:] if "parent" in line]
    assert [(line["source"], line["type"]) for line in caused] == [("sqs:done", "sqs:SendMessage")] * 2
    assert json.loads(caused[0]["data"]["MessageBody"])["requestContext"]["requestId"] == caused[0]["parent"]


def test_bodies_are_in_base64(tmp_path: Path) -> None:
    """Bytes of any kind."""
    path = tmp_path / "a.jsonl"
    with Simulation(record=path) as sim:
        sim.bucket("uploads").put_object("a", b"\x00\xff")
    assert operations(path)[0]["data"] == {"key": "a", "body": {"$base64": "AP8="}}


def test_what_boto3_does_from_outside_is_recorded(tmp_path: Path) -> None:
    """A test's client is outside as well; a batch or a transaction is an operation of its first table."""
    pytest.importorskip("boto3", reason="needs the extra boto3")
    path = tmp_path / "a.jsonl"
    with Simulation(record=path) as sim:
        for name in ("orders", "items"):
            sim.table(name, hash_key="id")
        client = sim.client("dynamodb")
        item = {"id": {"S": "1"}}
        client.put_item(TableName="orders", Item=item)
        puts = [{"PutRequest": {"Item": item}}]
        client.batch_write_item(RequestItems={"items": puts, "orders": puts})
        client.transact_write_items(TransactItems=[{"Put": {"TableName": "items", "Item": {"id": {"S": "2"}}}}])
    assert [(line["type"], line["source"]) for line in operations(path)] == [
        ("dynamodb.put_item", "dynamodb:orders"),
        ("dynamodb.batch_write_item", "dynamodb:items"),
        ("dynamodb.transact_write_items", "dynamodb:items"),
    ]


def test_the_set_up_is_not_recorded(tmp_path: Path) -> None:
    """A scenario makes the resources; what changes one while the run goes on is recorded."""
    path = tmp_path / "a.jsonl"
    with Simulation(record=path) as sim:
        function = sim.function("f")
        sim.topic("alerts").subscribe(function)
        function.put_function_concurrency(5)
        function.invoke()
        function.put_function_concurrency(1)
    assert [line["type"] for line in operations(path)] == ["lambda.invoke", "lambda.put_function_concurrency"]


def test_every_operation_of_the_table_is_one(tmp_path: Path) -> None:
    """What is recorded are operations of the services' classes; reads are not among them."""
    for service in SERVICES.values():
        for verb in data_verbs(service.name):
            assert is_change(service.name, verb), f"{service.name} has no operation {verb}"
    assert not any(is_change("dynamodb", verb) for verb in ("get_item", "query", "scan", "describe_table", "nope"))
    assert is_known("sns", "subscribe")
    assert not is_known("lambda", "update_function")


def test_what_an_operation_calls_itself_is_a_part_of_it(tmp_path: Path) -> None:
    """One line, for a replay does it whole; what happens while it waits has its own."""

    class Twice(Queue):
        @operation
        def send_message_batch(self, entries: Any) -> Any:
            return [self.send_message(each) for each in entries]

    path = tmp_path / "a.jsonl"
    with Simulation(record=path) as sim:
        queue = Twice(sim.world, sim.bus, "jobs")
        sim.at("10ms", lambda: queue.send_message("meanwhile"))
        queue.send_message_batch(["a", "b"])
        sim.function("f", simulate={"duration": "1s"}).invoke()
        queue.send_message("after")
    assert [line["type"] for line in operations(path)] == [
        "sqs.send_message_batch",
        "lambda.invoke",
        "sqs.send_message",
        "sqs.send_message",
    ]


def test_new_code_is_not_recorded(tmp_path: Path) -> None:
    """Whoever replays a recording decides which code it meets."""
    path = tmp_path / "a.jsonl"
    with Simulation(record=path) as sim:
        function = sim.function("f")
        function.invoke()
        function.publish_version()
        sim.topic("alerts").subscribe(function)
    assert [line["type"] for line in operations(path)] == ["lambda.invoke", "sns.subscribe"]
    assert operations(path)[1]["data"] == {"target": {"$resource": "lambda:f"}}


def test_what_a_handler_does_is_not_done_from_outside(tmp_path: Path) -> None:
    """It is caused anew when its function is invoked again."""
    path = tmp_path / "a.jsonl"
    with Simulation(record=path) as sim:
        queue = sim.queue("jobs")
        sim.function("f", handler=lambda event, context: queue.send_message("x")["MessageId"]).invoke()
    assert [line["type"] for line in operations(path)] == ["lambda.invoke"]
    assert [line["type"] for line in lines(path) if "parent" in line] == ["sqs:SendMessage"]


def test_gzip_when_the_name_says_so(recording: Path, tmp_path: Path) -> None:
    """The same lines; nothing of the machine (no time, no name) is in the file."""
    packed = tmp_path / "shop.jsonl.gz"
    simbus("run", tmp_path / "shop.yaml", "--record", packed, "--db", tmp_path / "run.db")
    assert gzip.decompress(packed.read_bytes()) == recording.read_bytes()
    assert packed.read_bytes()[3:8] == bytes(5)  # no flags, no time (RFC 1952)


def test_a_recording_changes_nothing_of_the_run(recording: Path, tmp_path: Path) -> None:
    """Recorded or not, it is the same run."""
    simbus("run", tmp_path / "shop.yaml", "--db", tmp_path / "plain.db")
    assert digest(tmp_path / "plain.db") == digest(tmp_path / "run.db")


KILLED = """
import os, signal, sys
from simbus import Simulation
sim = Simulation(record=sys.argv[1])
queue = sim.queue("jobs")
for n in range(3000):
    queue.send_message(f"message {n}")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_a_killed_run_leaves_what_can_be_read(name: str, tmp_path: Path) -> None:
    """A prefix, which is replayed up to where it ends; also where it is cut in the middle of a line."""
    path = tmp_path / name
    ended = subprocess.run([sys.executable, "-c", KILLED, str(path)], env={**os.environ, "PYTHONPATH": os.getcwd()})
    assert ended.returncode == -signal.SIGKILL
    first = _bodies(path)
    assert 1000 < len(first) < 3000
    assert first == [f"message {n}" for n in range(len(first))]
    path.write_bytes(path.read_bytes()[:-30])
    cut = _bodies(path)
    assert 500 < len(cut) < len(first)
    assert cut == first[: len(cut)]


def _bodies(path: Path) -> list[str]:
    with Simulation() as sim:
        queue = sim.queue("jobs")
        sim.replay(path)
        sim.run()
        return [message.body for message in queue.messages]


@pytest.mark.parametrize(("name", "found"), [("notes.txt", "no recording"), (".", "is a directory"), ("a/b", "exist")])
def test_another_file_is_not_replaced(name: str, found: str, tmp_path: Path) -> None:
    """Only a recording is, as only a run file is by `--db`; then nothing has happened."""
    (tmp_path / "shop.yaml").write_text(SCENARIO)
    notes = tmp_path / "notes.txt"
    notes.write_text("mine")
    result = simbus("run", tmp_path / "shop.yaml", "--record", tmp_path / name, "--db", tmp_path / "run.db")
    assert (result.exit_code, found in result.stderr) == (2, True), result.output
    assert notes.read_text() == "mine"
    assert not (tmp_path / "run.db").exists()


def test_what_no_recording_can_hold_is_said(tmp_path: Path) -> None:
    """An operation with such a value, where it is called."""
    with (
        Simulation(record=tmp_path / "a.jsonl") as sim,
        pytest.raises(UsageError, match="invoke of lambda:f can't be recorded: a value is object"),
    ):
        sim.function("f").invoke({"a": object()})


PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
SPECIAL = (
    st.binary()
    | st.decimals(allow_nan=False)
    | st.sets(st.text())
    | st.datetimes(timezones=st.just(UTC))
    | st.sampled_from(["\ud800", float("inf"), {"$base64": "x"}, {"$set": 1}])
)
VALUES = st.recursive(PLAIN | SPECIAL, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)


@given(VALUES)
def test_every_value_comes_back(value: Any) -> None:
    """Through JSON, and of the same type."""
    text = json.dumps(encoded(value))
    found = decoded(json.loads(text), lambda name: name)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize("value", [{"$unknown": "x"}, {"$base64": "é"}, {"$decimal": "x"}, {"$time": "x"}, {"$set": 1}])
def test_a_value_that_is_none_of_a_recording_is_refused(value: dict[str, Any]) -> None:
    """A hand-made file may have one."""
    with pytest.raises(ValueError, match=r"no value|base64|ascii|decimal|isoformat|ASCII"):
        decoded(value, lambda name: name)


def test_decimals_and_times_keep_their_form() -> None:
    """1.50 is not 1.5 in DynamoDB's JSON."""
    given = [datetime(2026, 1, 1, tzinfo=UTC), Decimal("1.50")]
    assert str(decoded(encoded(given), str)) == str(given)
