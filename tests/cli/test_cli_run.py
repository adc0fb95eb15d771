"""`simbus run` through its door: summary, exit statuses, run files."""

import json
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from simbus.cli import app
from simbus.logs.reader import open_run

SCENARIO = """
seed: 7
functions:
  resize:
    simulate: {duration: 100ms, init_duration: 200ms}
    event_invoke_config: {on_failure: "sqs:failed"}
  idle: {}
queues: {failed: {}, empty: {}}
workload:
  - {invoke: {function: resize, payload: {}, invocation_type: Event}, at: 1s, count: 3}
  - {send_message: {queue: failed, message_body: hello}, at: 2s}
expect:
  - {lost: 0}
  - {function: resize, invocations: 3, p99_duration: "<= 100ms"}
"""

SUMMARY = """\
function  invocations  errors  throttles  cold starts        p50        p99       cost
resize              3       0          0            3  100.00 ms  100.00 ms  $0.000002
idle                0       0          0            0          -          -  $0.000000

from    to             events  ok  dead-lettered  held  lost  filtered  duplicates  max wait
Invoke  lambda:resize       3   3              0     0     0         0           0      0 s

queue   visible  delayed  in flight  sent  received  deleted  expired  dead-lettered
failed        1        0          0     1         0        0        0              0
empty         0        0          0     0         0        0        0              0

expected                             found
lost                        0        0       pass
lambda:resize invocations   3        3       pass
lambda:resize p99_duration  <= 100ms 100 ms  pass
"""


@pytest.fixture
def scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A scenario file in an empty working directory."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "shop.yaml"
    path.write_text(SCENARIO)
    return path


def simbus(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def document(result: Result) -> dict[str, object]:
    found: dict[str, object] = json.loads(result.stdout)
    return found


def test_summary_is_plain_aligned_text_without_colours_where_stdout_is_no_terminal(scenario: Path) -> None:
    """Design, section 7: results on stdout, progress on stderr and only on a terminal."""
    result = simbus("run", "shop.yaml")
    assert result.exit_code == 0
    assert result.stderr == ""
    assert "\x1b" not in result.stdout
    words = [line.split() for line in result.stdout.splitlines()]
    assert words[: len(SUMMARY.splitlines())] == [line.split() for line in SUMMARY.splitlines()]
    assert result.stdout.splitlines()[-1] == "run file shop.db"


def test_the_same_seed_prints_the_same_text_and_another_seed_another_digest(scenario: Path) -> None:
    """Design, section 1: the same seed gives the same run to the byte; real time is not on stdout."""
    first, second = simbus("run", "shop.yaml"), simbus("run", "shop.yaml")
    assert first.stdout == second.stdout
    other = simbus("run", "shop.yaml", "--seed", 8)
    assert "seed 8," in other.stdout
    digests = [line for line in (first.stdout + other.stdout).splitlines() if line.startswith("digest ")]
    assert len(set(digests)) == 2


def test_without_db_the_run_file_is_named_after_the_scenario_and_an_older_one_is_replaced(scenario: Path) -> None:
    """Design, section 7: without --db the run file is ./SCENARIO-NAME.db; an existing run file is replaced."""
    simbus("run", "shop.yaml", "--seed", 1)
    simbus("run", "shop.yaml", "--seed", 2)
    with open_run(scenario.with_name("shop.db")) as run:
        assert run.run["seed"] == "2"
        assert run.finished


def test_json_is_one_document_whose_real_time_stands_apart(scenario: Path) -> None:
    """Design, section 7: --json prints one JSON document; all but `real` is the same for the same run."""
    first, second = (document(simbus("run", "shop.yaml", "--json")) for _ in range(2))
    assert set(first.pop("real")) == {"seconds"}  # type: ignore[call-overload]
    second.pop("real")
    assert first == second
    assert first["seed"] == 7
    assert first["passed"] is True
    assert first["functions"][0] | {"cost_usd": 0} == {  # type: ignore[index]
        "function": "resize",
        "invocations": 3,
        "errors": 0,
        "throttles": 0,
        "cold_starts": 3,
        "p50_duration_ms": 100.0,
        "p99_duration_ms": 100.0,
        "cost_usd": 0,
    }
    assert first["queues"][1]["queue"] == "empty"  # type: ignore[index]
    with open_run(scenario.with_name("shop.db")) as run:
        assert first["digest"] == run.run["digest"]


def test_speed_plays_in_real_time_and_gives_the_same_run(scenario: Path) -> None:
    """Design, section 3: the same timeline, with the wall clock waited for; the digest does not know."""
    fast = document(simbus("run", "shop.yaml", "--json"))
    real = document(simbus("run", "shop.yaml", "--json", "--speed", 10_000))
    assert real["digest"] == fast["digest"]


def test_a_failed_expectation_is_exit_status_1_with_what_was_found_and_how_to_repeat_it(scenario: Path) -> None:
    """Design, section 7: exit status 1 is an expectation that failed; every failure prints its reproduction."""
    result = simbus("run", "shop.yaml", "--set", "expect[0].lost=5", "--set", "expect[1].invocations='> 9'")
    assert result.exit_code == 1
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["lost", "5", "0", "FAIL"] in lines
    assert ["lambda:resize", "invocations", ">", "9", "3", "FAIL"] in lines
    assert result.stdout.splitlines()[-1] == (
        "2 expectations failed. Reproduce with: "
        """simbus run shop.yaml --seed 7 --set 'expect[0].lost=5' --set 'expect[1].invocations='"'"'> 9'"'"''"""
    )


def test_a_figure_that_does_not_exist_fails_and_says_so(scenario: Path) -> None:
    """A function that never ran has no error rate: the expectation fails, and JSON shows null."""
    arguments = ("run", "shop.yaml", "--set", "expect=[{function: idle, error_rate: 0}]")
    assert "nothing" in simbus(*arguments).stdout
    result = simbus(*arguments, "--json")
    assert result.exit_code == 1
    assert document(result)["expectations"][0]["found"] is None  # type: ignore[index]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run"], "Missing argument"),
        (["run", "none.yaml"], "none.yaml: can't be read"),
        (["run", "shop.yaml", "--sed", "1"], "No such option"),
        (["run", "shop.yaml", "--set", "functions.resize.timeout=901"], "Lambda allows 1 to 900 seconds"),
        (["run", "shop.yaml", "--set", "functions.resize.provisioned_concurrent_executions=2000"], "shop.yaml:"),
        (["run", "shop.yaml", "--speed", "0"], "--speed: speed is 0.0"),
        (["run", "shop.yaml", "--speed", "nan"], "--speed: speed is nan"),
        (["run", "shop.yaml", "--handler-guard", "long"], "--handler-guard long: "),
        (["run", "shop.yaml", "--handler-guard=-1"], "--handler-guard -1: "),
        (["run", "shop.yaml", "--db", "nowhere/run.db"], "the directory nowhere does not exist"),
    ],
)
def test_wrong_usage_or_input_is_exit_status_2_and_touches_no_run_file(
    scenario: Path, arguments: list[str], message: str
) -> None:
    """Design, section 7: exit status 2 is a short message on stderr, no traceback, no run file."""
    simbus("run", "shop.yaml")
    before = scenario.with_name("shop.db").read_bytes()
    result = simbus(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
    assert scenario.with_name("shop.db").read_bytes() == before
    assert sorted(path.name for path in scenario.parent.iterdir()) == ["shop.db", "shop.yaml"]


def test_a_file_that_is_no_run_file_is_refused_and_stays(scenario: Path) -> None:
    """Design, section 7: any file that is no run file of simbus is refused."""
    diary = scenario.with_name("shop.db")
    diary.write_text("dear diary")
    result = simbus("run", "shop.yaml")
    assert result.exit_code == 2
    assert "is not a run file of simbus" in result.stderr
    assert diary.read_text() == "dear diary"


def test_a_run_that_can_not_finish_is_exit_status_3_and_its_run_file_is_whole(scenario: Path) -> None:
    """Design, section 7: exit status 3 is a run that could not finish (here the guard on a handler's CPU time)."""
    scenario.with_name("spin.py").write_text("def handler(event, context):\n    while True:\n        pass\n")
    scenario.write_text(SCENARIO.replace("idle: {}", "idle: {handler: spin.handler, code: spin.py}"))
    result = simbus(
        "run", "shop.yaml", "--handler-guard", "0.2", "--set", "workload[1]={invoke: {function: idle}, at: 9s}"
    )
    assert result.exit_code == 3
    assert "function idle" in result.stderr
    assert "Reproduce with: simbus run shop.yaml --seed 7 --set" in result.stderr
    assert result.stderr.rstrip().endswith("--handler-guard 0.2")
    with sqlite3.connect(scenario.with_name("shop.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()
    with open_run(scenario.with_name("shop.db")) as run:
        assert len(list(run.invocations("resize"))) == 3
        assert run.run["finished"] == 0


def test_an_internal_error_is_exit_status_70_and_shows_its_traceback_only_when_asked(
    scenario: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Design, section 7: 70 is an internal error; SIMBUS_DEBUG=1 shows the traceback."""

    def broken(*_: object) -> None:
        raise ValueError("a mistake")

    monkeypatch.setattr("simbus.scenario.build.check", broken)
    result = simbus("run", "shop.yaml")
    assert result.exit_code == 70
    assert result.stderr.startswith("Internal error: ValueError: a mistake. ")
    assert "please report it" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    monkeypatch.setenv("SIMBUS_DEBUG", "1")
    assert "Traceback (most recent call last)" in simbus("run", "shop.yaml").stderr


def test_an_interrupt_before_the_run_leaves_the_old_run_file(scenario: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Design, section 7: 130 is an interrupt."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    simbus("run", "shop.yaml")
    before = scenario.with_name("shop.db").read_bytes()
    monkeypatch.setattr("simbus.scenario.build.check", interrupted)
    result = simbus("run", "shop.yaml")
    assert result.exit_code == 130
    assert scenario.with_name("shop.db").read_bytes() == before


def test_the_code_of_a_provisioned_function_runs_once_for_each_environment(
    scenario: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Lambda initialises each environment of provisioned concurrency once.

    A run is tried before its run file is opened; the trial must not run any code of a handler.
    """
    scenario.with_name("app.py").write_text(
        "import sys\nsys.__stderr__.write('init')\ndef handler(event, context):\n    return 1\n"
    )
    scenario.write_text(
        "functions: {f: {handler: app.handler, code: app.py, provisioned_concurrent_executions: 2}}\n"
        "workload: [{invoke: {function: f}, at: 1m}]\nexpect: [{function: f, invocations: 1, error_rate: 0}]\n"
    )
    assert simbus("run", "shop.yaml").exit_code == 0
    assert capfd.readouterr().err == "initinit"


def test_parts_of_which_nothing_was_there_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """How many events there are is known afterwards; a run of none of them would look like one in which all is well."""
    monkeypatch.chdir(tmp_path)
    Path("shop.yaml").write_text(
        "functions: {a: {}}\nworkload: [{invoke: {function: a}, at: 1s, count: 3}]\n"
        "faults: [{function: a, latency: 1s, every: 1h, for: 1s}]\n"
    )
    result = CliRunner().invoke(app, ["run", "shop.yaml", "--events", "0.99", "--faults", "0.7"])
    assert result.exit_code == 0
    assert result.stderr.splitlines() == [
        "--events 0.99: nothing of it was there in this run; the numbers count from 0.",
        "--faults 0.7: nothing of it was there in this run; the numbers count from 0.",
    ]
    assert CliRunner().invoke(app, ["run", "shop.yaml", "--events", "0.2", "--faults", "none"]).stderr == ""
