"""What `simbus load` says besides its figures, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from simbus.cli import app

WORK = """
functions: {work: {simulate: {duration: 100ms, init_duration: 0s}}}
workload: [{invoke: {function: work, invocation_type: Event}, rate: 1/s, for: 1m, arrivals: constant}]
"""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def simbus(text: str, *options: str, status: int = 0) -> str:
    """What `simbus load s.yaml` prints."""
    Path("s.yaml").write_text(text)
    result = CliRunner().invoke(app, ["load", "s.yaml", *options])
    assert result.exit_code == status, result.output
    return result.stdout if status in (0, 1) else result.stderr


def runs(text: str, *options: str, status: int = 0) -> Any:
    return json.loads(simbus(text, *options, "--json", status=status))["runs"]


def test_a_fault_that_never_occurred_is_named() -> None:
    """A load that is shorter than the scenario shows nothing of what comes later."""
    text = f"{WORK}faults: [{{at: 5m, for: 1m, function: work, error_rate: 1.0}}]\n"
    told = "faults[0] never occurred (lambda:work, error_rate: 1.0): the run ended before."
    assert told in simbus(text, "--rate", "1,2/s")
    assert runs(text, "--rate", "1/s")[0]["idle_faults"][0]["fault"] == "faults[0]"
    assert "never occurred" not in simbus(text, "--rate", "1/s", "--for", "6m")


def test_a_long_value_is_no_long_file_name() -> None:
    """A file name has at most 255 bytes, whatever is varied; the number of the cell tells the files apart."""
    values = ",".join(f"'{letter * 400}'" for letter in "ä漢")
    text = WORK.replace("{simulate", "{environment: {A: x}, simulate")
    found = runs(text, "--rate", "1/s", "--set", f"functions.work.environment.A={values}", "--db", "runs")
    names = [Path(run["run_file"]).name for run in found]
    assert len(set(names)) == 2
    assert all(len(name.encode()) < 255 and Path("runs", name).is_file() for name in names)
    assert simbus(text, "--rate", "1/s", "--set", f"functions.work.environment.A={values}")


SHARDS = """
functions: {work: {simulate: {duration: 900ms, init_duration: 0s}}}
streams: {clicks: {shard_count: 1}}
event_source_mappings:
  - {event_source: "kinesis:clicks", function: work, starting_position: TRIM_HORIZON, batch_size: 10}
workload: [{put_record: {stream: clicks, partition_key: "{n}", data: "{n}"}, rate: 1/s, for: 1m, arrivals: constant}]
"""


def test_the_shards_of_a_stream_are_a_limit_where_records_wait_for_them() -> None:
    """One batch of 10 a second and shard is all that 900 ms let through; at any load one batch is under way."""
    low, high = runs(SHARDS, "--rate", "2,40/s")
    assert low["limits"] == []
    assert [each["limit"] for each in high["limits"]] == [
        "ran 1 at once, the shards of kinesis:clicks times ParallelizationFactor"
    ]


def test_a_value_that_is_named_twice_is_one_run() -> None:
    """As a rate that is."""
    assert len(runs(WORK, "--rate", "1/s", "--memory", "128,256,128")) == 2
    assert [run["parameters"] for run in runs(WORK, "--rate", "1/s", "--memory", "128,128")] == [{}]
    assert len(runs(WORK, "--rate", "1/s", "--set", "functions.work.timeout=3,4,3")) == 2


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--steps", "2.9", "--from", "1/s"], "--steps 2.9: is no whole number. Choose one from 2 to 1000."),
        (["--csv", "-"], "--csv -: is no file; the table is written into one."),
    ],
)
def test_wrong_usage_is_refused(options: list[str], told: str) -> None:
    """Nothing is played, and no file is left."""
    assert told in simbus(WORK, *options, status=2)
    assert [path.name for path in Path().iterdir()] == ["s.yaml"]
