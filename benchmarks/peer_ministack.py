"""The jobs of bench_emulator on ministack, an emulator of AWS in real time: its server has a process of its own."""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3

from benchmarks.harness import cpu
from benchmarks.jobs import BATCH, came, put_objects, send_messages

LIMIT = 180  # seconds for a job to be drained
HANDLER = """
import os
def handler(event, context):
    lines = [r["body"] if "body" in r else r["s3"]["object"]["key"] for r in event["Records"]]
    with open(os.environ["DONE"], "a") as file:
        file.write("".join(line + chr(10) for line in lines))
"""


@contextmanager
def server(directory: Path) -> Iterator[Callable[[str], Any]]:
    """ministack on a free port, for as long as it is needed; makes clients of it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "GATEWAY_PORT": str(port), "LAMBDA_EXECUTOR": "local", "TMPDIR": str(directory)}
    with (directory / "server.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "ministack"], cwd=directory, env=environment, stdout=log, stderr=log
        )
    try:
        _wait(lambda: _listens(port), 30)
        yield lambda service: boto3.client(
            service,
            endpoint_url=f"http://127.0.0.1:{port}",
            region_name="us-east-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )
    finally:
        process.terminate()
        process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _wait(done: Callable[[], bool], limit: float) -> None:
    end = time.perf_counter() + limit
    while not done() and time.perf_counter() < end:
        time.sleep(0.02)


def _function(client: Callable[[str], Any], done: Path) -> str:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as file:
        file.writestr("app.py", HANDLER)
    answer = client("lambda").create_function(
        FunctionName="work",
        Runtime=f"python3.{sys.version_info.minor}",
        Role="arn:aws:iam::000000000000:role/work",
        Handler="app.handler",
        Code={"ZipFile": code.getvalue()},
        Environment={"Variables": {"DONE": str(done)}},
        Timeout=10,
    )
    return str(answer["FunctionArn"])


def messages(client: Callable[[str], Any], function: str) -> Callable[[int], None]:
    """A queue whose mapping reads batches of ten; what sends messages to it."""
    sqs = client("sqs")
    url = sqs.create_queue(QueueName="jobs", Attributes={"VisibilityTimeout": "60"})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    client("lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName="work", BatchSize=BATCH)
    return lambda count: send_messages(sqs, url, count)


def objects(client: Callable[[str], Any], function: str) -> Callable[[int], None]:
    """A bucket that notifies the function; what puts objects into it."""
    s3 = client("s3")
    s3.create_bucket(Bucket="uploads")
    notify = {"LambdaFunctionConfigurations": [{"LambdaFunctionArn": function, "Events": ["s3:ObjectCreated:*"]}]}
    s3.put_bucket_notification_configuration(Bucket="uploads", NotificationConfiguration=notify)
    return lambda count: put_objects(s3, "uploads", count)


def run(job: str, count: int) -> dict[str, object]:
    """Do the job until all came to the handler, or until the limit; CPU time is that of the server, too."""
    before = cpu()
    with tempfile.TemporaryDirectory() as name:
        done = Path(name, "done")
        done.touch()
        with server(Path(name)) as client:
            start = {"messages": messages, "objects": objects}[job](client, _function(client, done))
            began = time.perf_counter()
            start(count)
            _wait(lambda: len(set(done.read_text().splitlines())) >= count, LIMIT)
            wall = time.perf_counter() - began
        lines = done.read_text().splitlines()
    return {"cpu": cpu() - before, "wall": wall, "work": came(lines), "came": len(set(lines)), "deliveries": len(lines)}


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1], int(sys.argv[2]))))
