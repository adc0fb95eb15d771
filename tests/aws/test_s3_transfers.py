"""What boto3 builds on S3's operations: waiters, the resource API, transfers of files, chains of functions."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simbus import Simulation

boto3 = pytest.importorskip("boto3", reason="needs the extra boto3")
from boto3.s3.transfer import TransferConfig  # noqa: E402
from botocore.exceptions import ClientError, WaiterError  # noqa: E402

MIB = 1024**2
SMALL_PARTS = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB, use_threads=False)


@pytest.fixture
def sim() -> Iterator[Simulation]:
    with Simulation() as sim:
        sim.bucket("box")
        yield sim


def test_waiters_sleep_in_virtual_time(sim: Simulation) -> None:
    """object_exists asks every 5 s, 20 times at most."""
    s3 = sim.client("s3")
    sim.at("12s", lambda: sim["s3:box"].put_object("late", "x"))
    s3.get_waiter("object_exists").wait(Bucket="box", Key="late")
    assert sim.now == 15 * 10**9
    s3.get_waiter("bucket_exists").wait(Bucket="box")
    s3.get_waiter("object_not_exists").wait(Bucket="box", Key="never")
    with pytest.raises(WaiterError, match="Max attempts exceeded"):
        s3.get_waiter("object_exists").wait(Bucket="box", Key="never")
    assert sim.now == (15 + 95) * 10**9


def test_the_resource(sim: Simulation) -> None:
    """Object().put, get, copy, delete, wait_until_exists; Bucket().create."""
    s3 = boto3.resource("s3")
    thing = s3.Object("box", "k")
    thing.put(Body=b"x", Metadata={"a": "b"})
    thing.wait_until_exists()
    assert (thing.get()["Body"].read(), thing.metadata, thing.e_tag) == (
        b"x",
        {"a": "b"},
        '"9dd4e461268c8034f5c8564e155c67a6"',
    )
    s3.Bucket("other").create()
    s3.Object("other", "copy").copy({"Bucket": "box", "Key": "k"})
    assert [each.key for each in s3.Bucket("other").objects.all()] == ["copy"]
    thing.delete()
    with pytest.raises(ClientError, match="404"):
        thing.load()


def test_files_in_one_piece_and_in_parts(sim: Simulation, tmp_path: Path) -> None:
    """upload_file and download_file: PutObject below the threshold, a multipart upload and ranged GETs above it."""
    s3 = sim.client("s3")
    content = bytes(range(256)) * (11 * MIB // 256)
    (tmp_path / "in").write_bytes(content)
    s3.upload_file(str(tmp_path / "in"), "box", "big", Config=SMALL_PARTS, ExtraArgs={"ContentType": "text/x"})
    head = s3.head_object(Bucket="box", Key="big", ChecksumMode="ENABLED")
    assert (head["ETag"][-3:-1], head["ContentType"], head["ChecksumType"]) == ("-3", "text/x", "COMPOSITE")
    s3.download_file("box", "big", str(tmp_path / "out"), Config=SMALL_PARTS)
    assert (tmp_path / "out").read_bytes() == content
    s3.copy({"Bucket": "box", "Key": "big"}, "box", "copy", Config=SMALL_PARTS)
    copied = io.BytesIO()
    s3.download_fileobj("box", "copy", copied, Config=SMALL_PARTS)
    assert copied.getvalue() == content
    s3.upload_fileobj(io.BytesIO(b"small"), "box", "small")
    assert s3.get_object(Bucket="box", Key="small")["Body"].read() == b"small"
    with pytest.raises(ClientError, match="Not Found"):
        s3.download_file("box", "no", str(tmp_path / "no"))


def test_a_handler_reads_writes_and_triggers_the_next(sim: Simulation) -> None:
    """An upload starts a function whose own put starts another one; each call takes S3's latency."""

    def shout(event: Any, context: Any) -> None:
        s3 = boto3.client("s3")
        key = event["Records"][0]["s3"]["object"]["key"]
        text = s3.get_object(Bucket="box", Key=key)["Body"].read().decode()
        s3.put_object(Bucket="loud", Key=key, Body=text.upper())

    def note(event: Any, context: Any) -> str:
        return json.dumps([each["eventName"] for each in event["Records"]])

    first, second = sim.function("shout", handler=shout), sim.function("note", handler=note)
    sim["s3:box"].put_bucket_notification_configuration(
        {"LambdaFunctionConfigurations": [{"LambdaFunctionArn": first.arn, "Events": ["s3:ObjectCreated:*"]}]}
    )
    loud = sim.bucket("loud", notifications=[{"function": "note", "events": ["s3:ObjectCreated:*"]}])
    sim.client("s3").put_object(Bucket="box", Key="a.txt", Body="hello")
    sim.run()
    assert loud.get_object("a.txt")["Body"] == b"HELLO"
    assert (len(first.invocations), len(second.invocations)) == (1, 1)
    assert first.invocations[0].duration_ms >= 100  # 2 calls of 50 ms
    by_user, by_role = (json.loads(each.invocations[0].payload)["Records"][0] for each in (first, second))
    assert by_user["userIdentity"]["principalId"].startswith("AWS:AIDA")
    assert by_role["userIdentity"]["principalId"].endswith(":shout")  # the session of the function's role


@pytest.mark.parametrize("threads", [False, True])
def test_a_handler_moves_files_in_parts(sim: Simulation, threads: bool) -> None:
    """upload_file and download_file from /tmp; with boto3's threads the parts are under way at the same time."""
    config = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB, use_threads=threads)

    def handler(event: Any, context: Any) -> list[Any]:
        import time

        s3, before = boto3.client("s3"), time.time()
        with open("/tmp/in", "wb") as file:
            file.write(bytes(6 * MIB))
        s3.upload_file("/tmp/in", "box", "k", Config=config)
        s3.download_file("box", "k", "/tmp/out", Config=config)
        with open("/tmp/out", "rb") as file:
            return [len(file.read()), round(time.time() - before, 3)]

    function = sim.function("f", handler=handler, timeout=60, memory_size=512)
    took = 0.25 if threads else 0.35  # 7 calls of 50 ms: 2 parts up, 2 parts down, and 3 alone
    assert function.invoke({}).json() == [6 * MIB, took]
    assert sim["s3:box"].head_object("k")["ETag"].endswith('-2"')
