"""`simbus run --seeds`: an ordering bug planted in a scenario is found, shrunk, and repeated by one command."""

from __future__ import annotations

import json
import pickle
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from simbus.cli import app
from simbus.cli.exploring import progress_line
from simbus.exploration.exploration import explore
from simbus.exploration.subject import ScenarioSubject
from simbus.kernel.ties import Ties
from simbus.scenario.variant import Variant

# Two functions take and give back what is in one account. Both read the amount, work for 20 ms, and write it.
BANK = """
functions:
  deposit: {handler: bank.deposit, code: bank.py, simulate: {init_duration: 0s}}
  withdraw: {handler: bank.withdraw, code: bank.py, simulate: {init_duration: 0s}}
  audit: {handler: bank.audit, code: bank.py, event_invoke_config: {maximum_retry_attempts: 0, on_failure: "sqs:wrong"}}
tables: {accounts: {hash_key: id}}
queues: {wrong: {}}
workload:
  - {invoke: {function: deposit, invocation_type: Event}, count: 3, over: 1s}
  - {invoke: {function: withdraw, invocation_type: Event}, count: 3, over: 1s}
  - {invoke: {function: audit, invocation_type: Event}, at: 2s}
expect:
  - {queue: wrong, messages: 0}
"""
HANDLERS = """
import time
import boto3

table = boto3.client("dynamodb")
KEY = {"id": {"S": "1"}}

def amount():
    return int(table.get_item(TableName="accounts", Key=KEY).get("Item", {"amount": {"N": "0"}})["amount"]["N"])

def change(by):
    found = amount()
    time.sleep(0.02)
    table.put_item(TableName="accounts", Item={**KEY, "amount": {"N": str(found + by)}})

def deposit(event, context):
    change(+1)

def withdraw(event, context):
    change(-1)

def audit(event, context):
    assert amount() == 0
"""

# Without code: an event is given up when it is too old, which a throttle of five minutes makes it.
THROTTLED = """
functions: {a: {event_invoke_config: {maximum_event_age_in_seconds: 60}}}
workload: [{invoke: {function: a, invocation_type: Event}, rate: 1/m, for: 100m}]
faults:
  - {function: a, throttle_rate: 1, every: {exponential: 2h}, for: 5m}
  - {function: a, latency: 10ms}
expect: [{lost: 0}]
"""


def run(folder: Path, text: str, *options: str, monkeypatch: pytest.MonkeyPatch, code: str = HANDLERS) -> Any:
    """What `simbus run s.yaml` says in that folder."""
    monkeypatch.chdir(folder)
    (folder / "s.yaml").write_text(text)
    (folder / "bank.py").write_text(code)
    return CliRunner().invoke(app, ["run", "s.yaml", *options])


def test_a_planted_lost_update_is_found_and_shrunk_to_a_handful_of_events(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 5: a deposit and a withdrawal that overlap, and the audit; the command that is printed repeats it."""
    pytest.importorskip("boto3")
    result = run(tmp_path, BANK, "--seeds", "1000", "--json", monkeypatch=monkeypatch)
    assert result.exit_code == 1, result.output
    document = json.loads(result.stdout)
    assert document["failures"][0]["found"] == ["sqs:wrong messages: expected 0, found 1"]
    shrunk = document["shrunk"]
    assert shrunk["events_before"] == 7
    assert shrunk["events_now"] in (3, 5)
    assert list(tmp_path.glob("*.db")) == []
    words = shlex.split(document["reproduce"])
    assert words[:3] == ["simbus", "run", "s.yaml"]
    again = CliRunner().invoke(app, words[1:])
    assert again.exit_code == 1, again.output
    assert "FAIL" in again.output


def test_the_number_of_jobs_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same failing seed, the same shrunk run, the same text."""
    texts = [
        run(tmp_path, THROTTLED, "--seeds", "100", "--jobs", jobs, monkeypatch=monkeypatch).stdout for jobs in "123"
    ]
    assert texts[0] == texts[1] == texts[2] != ""


def test_a_fault_that_matters_is_the_only_one_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One event, one occurrence of one fault; what is printed says so, and repeats it."""
    result = run(tmp_path, THROTTLED, "--seeds", "100", "--jobs", "1", monkeypatch=monkeypatch)
    assert result.exit_code == 1, result.output
    lines = result.stdout.splitlines()
    assert any(line.startswith("Shrunk in ") and " 1 of " in line for line in lines)
    command = lines[-1].removeprefix("Reproduce with: ")
    words = shlex.split(command)
    assert "." in words[words.index("--events") + 1]
    assert words[words.index("--faults") + 1].startswith("0.")
    assert CliRunner().invoke(app, words[1:]).exit_code == 1
    fine = [*words[: words.index("--faults")], "--faults", "none"]
    assert CliRunner().invoke(app, fine[1:]).exit_code == 0


def test_too_few_events_are_not_made_fewer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With each event that is left out there is less of everything: that would be another failure."""
    text = THROTTLED.replace("[{lost: 0}]", '[{function: a, invocations: ">= 95"}]')
    result = run(tmp_path, text, "--seeds", "100", "--jobs", "1", "--json", monkeypatch=monkeypatch)
    assert result.exit_code == 1, result.output
    shrunk = json.loads(result.stdout)["shrunk"]
    assert shrunk["events"] is None
    assert shrunk["events_now"] == shrunk["events_before"]


def test_the_other_side_of_a_number_is_another_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One message more than expected is not shrunk to none at all."""
    text = """
functions: {a: {}}
queues: {q: {}}
workload: [{send_message: {queue: q, message_body: x}, count: 9, over: 1m}]
expect: [{queue: q, messages: 5}]
"""
    result = run(tmp_path, text, "--seeds", "1", "--json", monkeypatch=monkeypatch)
    assert json.loads(result.stdout)["shrunk"]["events_now"] == 6


def test_events_of_a_recording_are_left_out_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A workload that replays production is shrunk like any other."""
    recorded = run(tmp_path, THROTTLED, "--faults", "none", "--record", "r.jsonl", monkeypatch=monkeypatch)
    assert recorded.exit_code == 0, recorded.output
    workload = THROTTLED.partition("workload: ")[2].partition("\n")[0]
    text = THROTTLED.replace(workload, "[{replay: r.jsonl}]")
    result = run(tmp_path, text, "--seeds", "100", "--jobs", "1", "--json", monkeypatch=monkeypatch)
    assert result.exit_code == 1, result.output
    shrunk = json.loads(result.stdout)["shrunk"]
    assert shrunk["events_now"] == 1 < shrunk["events_before"]


def test_overrides_and_the_guard_are_part_of_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(
        tmp_path, THROTTLED, "--seeds", "3", "--seed", "40", "--set", "functions.a.simulate.error_rate=1",
        "--handler-guard", "off", "--jobs", "1", monkeypatch=monkeypatch,
    )  # fmt: skip
    assert result.exit_code == 1
    assert "seed 40:" in result.stdout
    command = result.stdout.splitlines()[-1]
    assert "--set functions.a.simulate.error_rate=1 --handler-guard off" in command
    assert CliRunner().invoke(app, shlex.split(command.removeprefix("Reproduce with: "))[1:]).exit_code == 1


def test_all_is_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No failure, exit status 0, and no run file."""
    text = THROTTLED.replace("throttle_rate: 1", "throttle_rate: 0")
    result = run(tmp_path, text, "--seeds", "30", "--keep-going", monkeypatch=monkeypatch)
    assert (result.exit_code, result.stdout) == (0, "30 seeds, no failure\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bank.py", "s.yaml"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--jobs", "2"), "--jobs: is about many runs; there is one. Add --seeds N."),
        (("--keep-going",), "--keep-going: is about many runs"),
        (("--seeds", "0"), "--seeds 0: is a number of runs, from 1 on."),
        (("--seeds", "5", "--jobs", "0"), "--jobs 0: is a number of processes, from 1 to 1,000."),
        (("--seeds", "5", "--seed", "x"), "--seed x: is the first of --seeds, a number from 0 on."),
        (("--seeds", "5", "--ties", "3"), "--ties: is about one run; --seeds makes many."),
        (("--seeds", "5", "--db", "x.db"), "--db: is about one run; --seeds makes many."),
        (("--seeds", "5", "--payloads", "1%"), "--payloads: is about one run; --seeds makes many."),
        (("--seeds", "5", "--jobs", "5000"), "--jobs 5000: is a number of processes, from 1 to 1,000."),
        (("--events", "0.5-1"), "--events is '0.5-1'; 0.5-1 runs backwards. Write 0.1-5."),
        (("--seeds", "5", "--junit", "x.xml"), "--junit: is about one run; --seeds makes many."),
    ],
)
def test_options_that_do_not_fit_are_refused(
    options: tuple[str, ...], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = run(tmp_path, THROTTLED, *options, monkeypatch=monkeypatch)
    assert result.exit_code == 2
    assert message in result.output


def test_what_is_wrong_in_the_scenario_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A template that can't be filled is found in a run: exit status 2, as for one run."""
    text = """
queues: {jobs.fifo: {fifo_queue: true}}
workload: [{send_message: {queue: jobs.fifo, message_body: x, message_group_id: "{7 // (1 - n)}"}, at: 1s, count: 3}]
"""
    result = run(tmp_path, text, "--seeds", "5", "--jobs", "2", monkeypatch=monkeypatch)
    assert result.exit_code == 2, result.output
    assert "s.yaml:3: $.workload[0].send_message" in result.output


def test_a_scenario_in_another_process_is_loaded_there(tmp_path: Path) -> None:
    """Where processes start from nothing (spawn) the subject goes as its path and options."""
    (tmp_path / "s.yaml").write_text(THROTTLED)
    overrides = ["functions.a.simulate.error_rate=1"]
    subject = ScenarioSubject(tmp_path / "s.yaml", overrides)
    copy = pickle.loads(pickle.dumps(subject))
    variant = Variant(7, Ties(7))
    assert copy.run(variant) == subject.run(variant) is not None


def test_python_has_the_same_door(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(THROTTLED)
    found = explore(tmp_path / "s.yaml", seeds=100, jobs=1)
    assert found.reproduce.startswith(f"simbus run {tmp_path / 's.yaml'} --seed ")


def test_progress_says_how_far_it_is() -> None:
    assert progress_line(1234, 10000, 2, 2.0) == "1,234 of 10,000 seeds  2 failures  617 seeds/s"


def test_a_handler_that_never_ends_is_a_failure_of_its_seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard ends that run, as it ends a single one: exit status 3. It is not shrunk: each run takes that long."""
    text = """
functions: {a: {handler: bank.turn, code: bank.py}}
workload: [{invoke: {function: a, payload: {n: "{rand}"}}, at: 1s}]
"""
    code = "def turn(event, context):\n    while event['n'] > 0.5:\n        pass\n"
    options = ("--seeds", "20", "--jobs", "1", "--handler-guard", "0.2")
    result = run(tmp_path, text, *options, code=code, monkeypatch=monkeypatch)
    assert result.exit_code == 3, result.output
    assert "GuardError: function a, request" in result.stdout
    assert "Shrunk" not in result.stdout
    command = result.stdout.splitlines()[-1].removeprefix("Reproduce with: ")
    assert CliRunner().invoke(app, shlex.split(command)[1:]).exit_code == 3
