"""What does a simulated test cost under pytest? A suite of them, beside as many tests that do nothing.

Each test is one that a user would write: a handler in Python, a queue or a topic before it, retries that take virtual
minutes, a dead-letter queue, and assertions about invocations and messages. CPU time is that of pytest's process.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.harness import ROOT, Contender, Ratio, Result, Size, in_turn

QUESTION = "What does a simulated test cost under pytest, beside as many empty ones?"

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


def suite(text: str, count: int, folder: Path) -> str:
    """Run four times `count` tests with a pytest of their own; its last line without the time. Raises if one fails."""
    (folder / "test_suite.py").write_text(text.replace("COUNT", str(count)))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "simbus.testing", "-p", "no:cacheprovider", "test_suite.py"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    found = re.search(r"(\d+) passed", done.stdout)
    if found is None or done.returncode:
        raise RuntimeError(f"the suite failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return found[0]


def run(size: Size) -> Result:
    """Both suites, pytest's start included."""
    count = size.of(50, 1)
    with tempfile.TemporaryDirectory() as name:
        measured = in_turn(
            size.times,
            Contender("empty tests", 4 * count, lambda: suite(EMPTY, count, Path(name))),
            Contender("simulated tests", 4 * count, lambda: suite(TESTS, count, Path(name))),
        )
    empty, simulated = measured
    more = Ratio("CPU time that a simulated test takes more than an empty one", (simulated.cpu_us - empty.cpu_us) / 1e3)
    return Result(QUESTION, "test", tuple(measured), (more._replace(unit=" ms"),), ("pytest's own start is included",))
