"""One run among many: another order of simultaneous events, some events, some faults."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from simbus import UsageError
from simbus.cli import app
from simbus.kernel.selection import Selection
from simbus.logs.reader import open_run
from simbus.scenario.build import run_scenario
from simbus.scenario.loader import load
from simbus.scenario.variant import Variant

SCENARIO = """
functions: {a: {}}
workload:
  - {invoke: {function: a, payload: {n: "{n}", r: "{rand}"}}, count: 5, over: 10s}
  - {invoke: {function: a, payload: {m: "{n}"}}, at: 3s, count: 5}
faults:
  - {function: a, error_rate: 1, every: {uniform: [500ms, 1s]}, for: 1s, count: 4}
  - {function: a, latency: 50ms}
"""
PAYLOADS = "SELECT payload FROM invocations"


def payloads(folder: Path, variant: Variant) -> list[str]:
    (folder / "s.yaml").write_text(SCENARIO)
    run_scenario(load(folder / "s.yaml"), db=folder / "run.db", variant=variant)
    with open_run(folder / "run.db") as run:
        return [payload for (payload,) in run.query("SELECT payload FROM invocations ORDER BY started_at, rowid")]


PARTS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 30)))


@given(PARTS)
def test_a_selection_is_written_and_read(parts: list[tuple[int, int]]) -> None:
    text = str(Selection.of(parts))
    read = Selection.parse(text)
    for item in range(5):
        numbers = read[item]
        assert numbers is not None
        assert [n for n in range(40) if n in numbers] == sorted({n for i, n in parts if i == item})


def test_how_a_selection_is_written() -> None:
    assert str(Selection.of([(0, 3), (1, 0), (0, 9), (0, 10), (0, 8)])) == "0.3,0.8-10,1.0"
    assert str(Selection.of([])) == "none"
    assert Selection.parse("2,2.5")[2] is None
    for wrong in ("", "x", "1.", "1-2", "0.5-", "none,1"):
        with pytest.raises(UsageError, match="Write for example"):
            Selection.parse(wrong)


def test_events_that_are_left_out_shift_nothing(tmp_path: Path) -> None:
    """Each event keeps its time, its number and its random values."""
    everything = payloads(tmp_path, Variant())
    assert payloads(tmp_path, Variant(events=Selection.parse("0"))) == [p for p in everything if '"n"' in p]
    some = payloads(tmp_path, Variant(events=Selection.parse("0.1,0.3-4,1.2")))
    assert some == [p for p in everything if json.loads(p).get("n") in (1, 3, 4) or json.loads(p).get("m") == 2]
    assert payloads(tmp_path, Variant(events=Selection.parse("none"))) == []


def test_faults_that_are_left_out_shift_nothing(tmp_path: Path) -> None:
    begins = "SELECT time, detail FROM hops WHERE detail LIKE '%begins%' ORDER BY time, rowid"
    found = {}
    for text in ("0,1", "0.0,0.2", "1", "none"):
        payloads(tmp_path, Variant(faults=Selection.parse(text)))
        with open_run(tmp_path / "run.db") as run:
            found[text] = [tuple(row) for row in run.query(begins)]
    of_first = [row for row in found["0,1"] if row[1].startswith("faults[0]")]
    assert found["0.0,0.2"] == [of_first[0], of_first[2]]
    assert found["1"] == [row for row in found["0,1"] if row not in of_first]
    assert found["none"] == []


def run(folder: Path, *options: str) -> tuple[int, str]:
    (folder / "s.yaml").write_text(SCENARIO)
    result = CliRunner().invoke(app, ["run", str(folder / "s.yaml"), "--db", str(folder / "run.db"), *options])
    return result.exit_code, result.output


def test_the_command_line_says_all_of_it(tmp_path: Path) -> None:
    """What --seeds shrinks a failure to is one command."""
    status, text = run(tmp_path, "--seed", "3", "--ties", "5@3s", "--events", "1", "--faults", "none")
    assert status == 0, text
    with open_run(tmp_path / "run.db") as rows:
        assert rows.run["ties"] == "5@3s"
        order = [
            json.loads(p)["m"] for (p,) in rows.query("SELECT payload FROM invocations ORDER BY started_at, rowid")
        ]
    assert sorted(order) == [0, 1, 2, 3, 4] != order


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--ties", "x"), "--ties is 'x'; an order of simultaneous events is a number"),
        (("--events", "0.x"), "--events is '0.x'; parts are items"),
        (("--events", "2"), "--events: names item 2; the scenario has 2 in its workload, which count from 0."),
        (("--faults", "0.1,7.1"), "--faults: names item 7; the scenario has 2 in its faults"),
    ],
)
def test_wrong_parts_are_refused(tmp_path: Path, options: tuple[str, ...], message: str) -> None:
    status, text = run(tmp_path, *options)
    assert status == 2
    assert message in text
