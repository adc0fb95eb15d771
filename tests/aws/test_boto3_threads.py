"""boto3 in the threads of a handler: its own transfers, and a pool of the handler's."""

from __future__ import annotations

import io
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from simbus import Simulation

boto3 = pytest.importorskip("boto3", reason="needs the extra boto3")
SIMULATE = {"aws_latency": "10ms", "duration": "1ms"}


def test_transfers_run_in_boto3s_own_threads() -> None:
    """upload_file, upload_fileobj and download_file make their calls in boto3's threads, each with its latency."""

    def handler(event: Any, context: Any) -> list[Any]:
        s3 = boto3.client("s3")
        began = time.monotonic()
        with open("/tmp/big", "wb") as file:
            file.write(b"x" * 20_000)
        s3.upload_file("/tmp/big", "pictures", "big")
        s3.upload_fileobj(io.BytesIO(b"small"), "pictures", "small")
        s3.download_file("pictures", "big", "/tmp/copy")
        with open("/tmp/copy", "rb") as file:
            return [len(file.read()), round(time.monotonic() - began, 3)]

    with Simulation(seed=1) as sim:
        bucket = sim.bucket("pictures")
        function = sim.function("f", handler=handler, timeout=9, simulate=SIMULATE)
        assert function.invoke().json() == [20_000, 0.04]  # download_file asks for the size first
        assert bucket.get_object("small")["Body"] == b"small"


def test_calls_of_a_pool_take_their_latency_at_the_same_time() -> None:
    """Ten calls of five workers take as long as two in a row; each lands at its own instant, in the same order."""

    def handler(event: Any, context: Any) -> float:
        sqs = boto3.client("sqs")
        url = sqs.get_queue_url(QueueName="jobs")["QueueUrl"]
        began = time.monotonic()
        with ThreadPoolExecutor(5) as pool:
            list(pool.map(lambda n: sqs.send_message(QueueUrl=url, MessageBody=str(n)), range(10)))
        return round(time.monotonic() - began, 3)

    with Simulation(seed=1) as sim:
        jobs = sim.queue("jobs")
        assert sim.function("f", handler=handler, timeout=9, simulate=SIMULATE).invoke().json() == 0.02
        assert [message.body for message in jobs.messages] == [str(number) for number in range(10)]


def test_moto_answers_threads_as_well() -> None:
    """What simbus leaves to moto is answered in a thread of a handler too."""
    pytest.importorskip("moto", reason="needs the extra moto")

    def handler(event: Any, context: Any) -> list[Any]:
        ssm = boto3.client("ssm")
        began = time.monotonic()
        with ThreadPoolExecutor(3) as pool:
            for number in range(3):
                pool.submit(ssm.put_parameter, Name=f"p{number}", Value="v", Type="String")
        return [len(ssm.describe_parameters()["Parameters"]), round(time.monotonic() - began, 3)]

    with Simulation(seed=1) as sim:
        assert sim.function("f", handler=handler, timeout=9, simulate=SIMULATE).invoke().json() == [3, 0.02]
