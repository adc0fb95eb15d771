"""A suite of simulated tests under pytest, beside as many tests that do nothing.

Each test is one that a user would write: a handler in Python, a queue or a topic before it, retries that take virtual
minutes, a dead-letter queue, and assertions about invocations and messages. CPU time is that of pytest's process.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TESTS = """
import json
import time
import pytest


def charge(event, context):
    time.sleep(0.05)
    if event["card"] % 3 == 0:
        raise ValueError("declined")
    print("charged", event["card"])


def work(event, context):
    return {"batchItemFailures": [{"itemIdentifier": r["messageId"]} for r in event["Records"] if "bad" in r["body"]]}


@pytest.mark.parametrize("card", range(COUNT))
def test_retries_end_in_the_dead_letter_queue(simulation, card):
    failed = simulation.queue("failed")
    function = simulation.function("charge", handler=charge, dead_letter_config=failed)
    function.invoke({"card": card}, invocation_type="Event")
    simulation.run()
    assert len(function.invocations) == (3 if card % 3 == 0 else 1)
    assert len(failed.messages) == (card % 3 == 0)


@pytest.mark.parametrize("number", range(COUNT))
def test_a_poison_message_is_redriven(simulation, number):
    dead = simulation.queue("dead")
    jobs = simulation.queue("jobs", redrive_policy={"dead_letter_target_arn": dead.arn, "max_receive_count": 2})
    function = simulation.function("work", handler=work)
    simulation.event_source_mapping(jobs, function, function_response_types=["ReportBatchItemFailures"])
    for each in range(10):
        jobs.send_message("bad" if each == number % 10 else "good")
    simulation.run()
    assert [message.body for message in dead.messages] == ["bad"]


@pytest.mark.parametrize("number", range(COUNT))
def test_a_topic_fans_out(simulation, number):
    queue = simulation.queue("audit")
    function = simulation.function("notify", handler=lambda event, context: event["Records"][0]["Sns"]["Message"])
    topic = simulation.topic("news")
    topic.subscribe(function)
    topic.subscribe(queue)
    topic.publish(json.dumps({"n": number}))
    simulation.run()
    assert [attempt.status for attempt in function.invocations] == ["ok"]
    assert json.loads(json.loads(queue.messages[0].body)["Message"]) == {"n": number}


@pytest.mark.parametrize("number", range(COUNT))
def test_a_modelled_function_is_throttled(simulation, number):
    function = simulation.function("slow", simulate={"duration": "1s"}, reserved_concurrent_executions=1)
    for _ in range(5):
        function.invoke({}, invocation_type="Event")
    simulation.run()
    simulation.expect(function=function, invocations=5, throttles=">= 4")
"""
EMPTY = """
import pytest

@pytest.mark.parametrize("number", range(4 * COUNT))
def test_nothing(number):
    assert number >= 0
"""
ROOT = Path(__file__).parents[1]


def suite(text: str, count: int, folder: Path) -> tuple[int, float, float]:
    """How many of four times `count` tests passed, and CPU and wall time in seconds."""
    (folder / "test_suite.py").write_text(text.replace("COUNT", str(count)))
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "simbus.testing", "-p", "no:cacheprovider", "test_suite.py"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    out = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False).stdout
    seconds = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = re.search(r"(\d+) passed", out)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return (0 if found is None or "failed" in out else int(found[1])), cpu, seconds


def main(count: int = 50, times: int = 3) -> list[str]:
    """The lines of this benchmark."""
    lines = []
    with tempfile.TemporaryDirectory() as directory:
        for name, text in (("empty tests", EMPTY), ("simulated tests", TESTS)):
            passed, cpu, wall = min((suite(text, count, Path(directory)) for _ in range(times)), key=lambda run: run[1])
            lines.append(
                f"{name:<16} {passed:>5,} passed in {cpu:6.2f} s CPU  {wall:6.2f} s wall  "
                f"{cpu / max(passed, 1) * 1e3:6.2f} ms CPU each, pytest's start included"
            )
    return lines


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=50, help="a quarter of the tests")
    parser.add_argument("--times", type=int, default=3)
    arguments = parser.parse_args()
    print("\n".join(main(arguments.count, arguments.times)))
