"""`simbus replay` through its door: options, exit statuses, and the workload's own `replay`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from simbus.cli import app
from simbus.logs.reader import open_run

SCENARIO = """
seed: 7
functions: {work: {simulate: {duration: 1s}}}
queues: {jobs: {visibility_timeout: 60}}
buckets: {uploads: {notifications: [{function: work, events: ["s3:ObjectCreated:*"]}]}}
event_source_mappings: [{event_source: "sqs:jobs", function: work}]
workload:
  - {send_message: {queue: jobs, message_body: "{n}"}, count: 10, over: 100s, arrivals: constant}
  - {put_object: {bucket: uploads, key: a}, at: 35s}
expect: [{function: work, invocations: 11}, {lost: 0}]
"""


@pytest.fixture
def recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The recording of SCENARIO, in the working directory."""
    monkeypatch.chdir(tmp_path)
    Path("shop.yaml").write_text(SCENARIO)
    assert simbus("run", "shop.yaml", "--record", "shop.jsonl", "--db", "before.db").exit_code == 0
    return tmp_path / "shop.jsonl"


def simbus(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def times(db: str) -> list[float]:
    """When each event from outside was, in seconds since the start."""
    with open_run(Path(db)) as run:
        rows = run.query("SELECT time FROM events WHERE parent IS NULL ORDER BY rowid")
        return [(row[0] - 1_767_225_600_000) / 1000 for row in rows]


def test_it_prints_and_judges_as_a_run_does(recording: Path) -> None:
    """The run file has the name of the scenario; exit status 0, or 1 where an expectation fails."""
    result = simbus("replay", "shop.jsonl", "--scenario", "shop.yaml", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["passed"], found["run_file"], found["seed"]) == (True, "shop.db", 7)
    assert found["reproduce"] == "simbus replay shop.jsonl --scenario shop.yaml --seed 7"
    with open_run(Path("shop.db")) as run:
        assert run.run["recording"] == "shop.jsonl"
    failing = simbus("replay", "shop.jsonl", "--scenario", "shop.yaml", "--to", "50s")
    assert failing.exit_code == 1
    assert "Reproduce with: simbus replay shop.jsonl --scenario shop.yaml --seed 7 --to 50s" in failing.stdout


def test_a_part_of_it_keeps_its_times(recording: Path) -> None:
    """--from is part of it, --to is not; times are those of the recording."""
    simbus("replay", recording, "--scenario", "shop.yaml", "--from", "20s", "--to", "2026-01-01T00:00:40Z")
    assert times("shop.db") == [20, 30, 35]
    simbus("replay", recording, "--scenario", "shop.yaml", "--only", "s3:uploads")
    assert times("shop.db") == [35]
    simbus("replay", recording, "--scenario", "shop.yaml", "--only", "sqs")
    assert times("shop.db") == [10 * n for n in range(10)]


def test_the_seed_is_that_of_the_recording(recording: Path) -> None:
    """Unless another is given; the scenario's own is for recordings of others."""
    Path("shop.yaml").write_text(SCENARIO.replace("seed: 7", "seed: 8"))
    assert "seed 7," in simbus("replay", recording, "--scenario", "shop.yaml").stdout
    assert "seed 9," in simbus("replay", recording, "--scenario", "shop.yaml", "--seed", 9).stdout
    Path("a.json").write_text(json.dumps({"MessageId": "a", "Body": "b"}))
    assert "seed 8," in simbus("replay", "a.json", "--scenario", "shop.yaml").stdout


def test_an_order_of_simultaneous_events_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run with --ties is replayed with the same."""
    monkeypatch.chdir(tmp_path)
    text = SCENARIO.replace("count: 10, over: 100s, arrivals: constant", "at: 1s, count: 10")
    Path("shop.yaml").write_text(text)
    first = simbus("run", "shop.yaml", "--ties", 5, "--record", "a.jsonl", "--json")
    again = simbus("replay", "a.jsonl", "--scenario", "shop.yaml", "--json")
    assert json.loads(again.stdout)["digest"] == json.loads(first.stdout)["digest"]
    assert "--ties 5" in json.loads(again.stdout)["reproduce"]
    assert "--ties 6" in simbus("replay", "a.jsonl", "--scenario", "shop.yaml", "--json", "--ties", 6).stdout


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (("nope.jsonl", "--scenario", "shop.yaml"), "nope.jsonl: no such file"),
        (("shop.yaml", "--scenario", "shop.yaml"), "shop.yaml: its form is not known"),
        (("shop.jsonl", "--scenario", "nope.yaml"), "nope.yaml"),
        (("shop.jsonl", "--scenario", "shop.yaml", "--from", "x"), "--from x: is no time"),
        (("shop.jsonl", "--scenario", "shop.yaml", "--speed", "0"), "--speed: speed is 0.0"),
        (
            ("shop.jsonl", "--scenario", "shop.yaml", "--record", "shop.jsonl"),
            "--record shop.jsonl: is what is replayed",
        ),
        (("shop.jsonl", "--scenario", "shop.yaml", "--format", "x"), "--format x: is none; known are simbus"),
        (("shop.jsonl", "--scenario", "shop.yaml", "--only", "sqss"), "--only sqss: is no service; it names one of"),
        (("shop.jsonl", "--scenario", "shop.yaml", "--from", "2m", "--to", "1m"), "--to 1m: is not after --from 2m"),
        (
            ("shop.jsonl", "--scenario", "shop.yaml", "--target", "jbos=sqs:jobs"),
            "--target jbos=sqs:jobs: nothing that is replayed of shop.jsonl names jbos. Did you mean jobs?",
        ),
        (
            ("shop.jsonl", "--scenario", "shop.yaml", "--target", "lambda:work"),
            "shop.jsonl:2: lambda:work is named as the target, and this is send_message, which goes to a queue.",
        ),
        (
            ("shop.jsonl", "--scenario", "other.yaml"),
            "shop.jsonl:2: sqs:jobs is not in the scenario; it has no such queue",
        ),
        (
            ("broken.jsonl", "--scenario", "shop.yaml"),
            "broken.jsonl:4: send_message has colour; it takes delay_seconds",
        ),
    ],
)
def test_wrong_input_is_exit_status_2_and_leaves_nothing(
    arguments: tuple[str, ...], found: str, recording: Path
) -> None:
    """A short message, no traceback, no run file."""
    Path("other.yaml").write_text("functions: {f: {}}\n")
    lines = recording.read_text().splitlines()
    lines[3] = lines[3].replace('"message_body"', '"colour"')
    Path("broken.jsonl").write_text("\n".join(lines) + "\n")
    result = simbus("replay", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Error: ")
    assert found in result.stderr
    assert not Path("shop.db").exists()


def test_what_is_left_out_is_said(recording: Path) -> None:
    """With --skip-invalid: how many entries were broken; on stderr, for stdout has the results."""
    lines = recording.read_text().splitlines()
    Path("broken.jsonl").write_text("\n".join([*lines[:3], "{", "[]", *lines[3:]]) + "\n")
    result = simbus("replay", "broken.jsonl", "--scenario", "shop.yaml", "--skip-invalid")
    assert result.exit_code == 0, result.output
    assert result.stderr == "broken.jsonl: 2 broken entries left out.\n"
    cut = "\n".join([*lines[:3], lines[4][:20]])
    Path("cut.jsonl").write_text(cut)
    result = simbus("replay", "cut.jsonl", "--scenario", "shop.yaml")
    assert result.stderr == (
        "cut.jsonl: ends in the middle of a line; the run that wrote it was cut short. It is replayed up to there.\n"
    )


def test_nothing_chosen_is_said(recording: Path) -> None:
    """It is no error, but must not look like a replay in which all went well; also where a workload replays."""
    result = simbus("replay", "shop.jsonl", "--scenario", "shop.yaml", "--only", "lambda", "--from", "1h")
    said = "shop.jsonl: nothing is replayed: none of its 11 operations is of lambda"
    assert result.stderr == f"{said} and at 1h or later.\n"
    text = SCENARIO[: SCENARIO.index("workload")]
    Path("load.yaml").write_text(f"{text}workload: [{{replay: {{file: shop.jsonl, only: lambda}}}}]\n")
    result = simbus("run", "load.yaml")
    assert result.stderr == f"{said}.\n"


def test_another_scenario_is_said(recording: Path) -> None:
    """It may be a copy with a fix in it, or a slip of the pen: both names, on stderr."""
    Path("fixed.yaml").write_text(SCENARIO)
    result = simbus("replay", "shop.jsonl", "--scenario", "fixed.yaml", "--compare", "before.db")
    assert result.exit_code == 0
    assert result.stderr.splitlines() == [
        "before.db: warning: is a run of the scenario shop, and this is fixed.",
        "shop.jsonl: warning: is a recording of the scenario shop, and this is fixed.",
    ]
    assert simbus("replay", "shop.jsonl", "--scenario", "shop.yaml", "--compare", "before.db").stderr == ""


def test_in_a_workload(recording: Path) -> None:
    """`{replay: file, speed: 10}`: ten of its seconds in one, beginning at `at`, until `duration`."""
    text = SCENARIO[: SCENARIO.index("workload")]
    Path("load.yaml").write_text(
        f"{text}duration: 8s\nworkload: [{{replay: {{file: shop.jsonl, only: sqs}}, speed: 10, at: 2s}}]\n"
    )
    result = simbus("run", "load.yaml")
    assert result.exit_code == 0, result.output
    assert times("load.db") == [2, 3, 4, 5, 6, 7]
    Path("load.yaml").write_text(f"{text}workload: [{{replay: shop.jsonl}}]\n")
    assert simbus("run", "load.yaml").exit_code == 0
    with open_run(Path("load.db")) as replayed, open_run(Path("before.db")) as before:
        assert replayed.run["digest"] == before.run["digest"]


def test_a_workload_that_can_not_be_replayed_is_refused(recording: Path) -> None:
    """With the line of the scenario and that of the recording: exit status 2."""
    Path("load.yaml").write_text("functions: {f: {}}\nworkload:\n  - {replay: shop.jsonl}\n")
    for command in ("run", "check"):
        result = simbus(command, "load.yaml")
        assert result.exit_code == 2
        assert "load.yaml:3: $.workload[0].replay: " in result.stderr
        assert "shop.jsonl:2: sqs:jobs is not in the scenario" in result.stderr
    Path("load.yaml").write_text("functions: {f: {}}\nworkload:\n  - {replay: {file: shop.jsonl, only: s4}}\n")
    text = simbus("check", "load.yaml").stderr
    assert text.startswith(
        "Error: load.yaml:3: $.workload[0].replay: only s4: is no service; it names one of lambda, s3"
    )


def test_events_of_a_recording_in_a_workload_can_be_chosen(recording: Path) -> None:
    """As those of any item: --events names them by number."""
    text = SCENARIO[: SCENARIO.index("workload")]
    Path("load.yaml").write_text(f"{text}workload: [{{replay: shop.jsonl}}]\n")
    assert simbus("run", "load.yaml", "--events", "0.2-3").exit_code == 0
    assert times("load.db") == [20, 30]
