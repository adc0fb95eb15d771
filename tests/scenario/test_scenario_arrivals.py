"""When the items of a workload arrive."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest

from simbus.errors import UsageError
from simbus.kernel import MILLISECOND, MINUTE, SECOND
from simbus.scenario import trace as trace_module
from simbus.scenario.arrivals import arrivals
from simbus.scenario.schema.workload import Item, Trace
from simbus.scenario.trace import TraceFile

SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "lambda-trace-2020"


def times(seed: int = 1, **timing: Any) -> list[int]:
    item = Item.model_validate({"invoke": {"function": "a"}, **timing})
    return [arrival.when for arrival in arrivals(item, Random(seed), Path())]


def test_at_is_once_and_with_count_all_at_that_instant() -> None:
    assert times(at="5s") == [5 * SECOND]
    assert times(at="5s", count=3) == [5 * SECOND] * 3


def test_constant_arrivals_are_exact_and_the_end_is_not_part_of_them() -> None:
    """3/s is one every third of a second without drift: the 300,000th arrives exactly at 100,000 s."""
    assert times(rate="2/s", **{"for": "2s"}, arrivals="constant") == [0, SECOND // 2, SECOND, 3 * SECOND // 2]
    assert times(rate="1.5/m", count=3, at="1s", arrivals="constant") == [SECOND, 41 * SECOND, 81 * SECOND]
    assert times(rate="3/s", count=300_001, arrivals="constant")[-1] == 100_000 * SECOND


def test_the_default_is_a_poisson_process() -> None:
    """Mean and variance of the count are both rate x time; the gaps are exponential (half below mean x ln 2)."""
    arrived = times(rate="20/s", **{"for": "500s"})
    assert abs(len(arrived) - 10_000) < 4 * 100
    assert arrived == sorted(arrived)
    assert arrived[-1] < 500 * SECOND
    gaps = [b - a for a, b in pairwise(arrived)]
    short = sum(gap < 0.05 * SECOND * 0.6931 for gap in gaps) / len(gaps)
    assert abs(short - 0.5) < 0.02
    assert times(rate="20/s", count=7, at="1m")[0] > MINUTE
    assert len(times(rate="20/s", count=7)) == 7


def test_a_seed_decides_the_arrivals() -> None:
    assert times(1, rate="5/s", count=9) == times(1, rate="5/s", count=9)
    assert times(1, rate="5/s", count=9) != times(2, rate="5/s", count=9)


def test_count_over_is_uniform_in_order_or_even() -> None:
    """A Poisson process with a known number of arrivals has them uniform in its time."""
    arrived = times(count=10_000, over="1m")
    assert len(arrived) == 10_000
    assert arrived == sorted(arrived)
    assert arrived[0] >= 0
    assert arrived[-1] < MINUTE
    for quarter in range(4):
        inside = sum(quarter * MINUTE <= 4 * at < (quarter + 1) * MINUTE for at in arrived)
        assert abs(inside - 2500) < 200
    assert times(count=4, over="1m", arrivals="constant") == [0, 15 * SECOND, 30 * SECOND, 45 * SECOND]
    assert times(count=2, over="0s") == [0, 0]


def test_a_long_workload_is_never_held_in_memory() -> None:
    """The arrivals are a generator: the first of 10^12 is there at once."""
    item = Item.model_validate({"invoke": {"function": "a"}, "count": 10**12, "over": "100d"})
    assert next(arrivals(item, Random(1), Path())).when >= 0


# --- traces ----------------------------------------------------------------------------------------------------------


def trace(folder: Path, text: str, **more: Any) -> TraceFile:
    (folder / "t.csv").write_text(text)
    return TraceFile(Trace.model_validate({"file": "t.csv", "column": "at", **more}), folder)


def test_a_trace_is_relative_to_its_earliest_row(tmp_path: Path) -> None:
    rows = trace(tmp_path, "at,took\n1591563735681.1792,1850.29\n1591563735682.5,10\n", duration_column="took")
    assert list(rows.arrivals()) == [(0, 1_850_290_000), (1_320_800, 10 * MILLISECOND)]


def test_the_unit_is_that_of_both_columns(tmp_path: Path) -> None:
    rows = trace(tmp_path, "at,took\n10.5,2\n11,0.5\n", unit="s", duration_column="took")
    assert list(rows.arrivals()) == [(0, 2 * SECOND), (SECOND // 2, SECOND // 2)]


def test_rows_that_are_nearly_in_order_are_sorted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows may be late by LOOKAHEAD rows; what is later than that is refused with its line."""
    monkeypatch.setattr(trace_module, "LOOKAHEAD", 2)
    late = trace(tmp_path, "at\n2\n1\n4\n3\n")
    assert [arrival.when for arrival in late.arrivals()] == [0, MILLISECOND, 2 * MILLISECOND, 3 * MILLISECOND]
    with pytest.raises(UsageError, match=r"t.csv:6: at is earlier than 2 rows before"):
        list(trace(tmp_path, "at\n2\n3\n4\n5\n1\n").arrivals())


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("when\n1\n", r"it has no column 'at' but 'when'"),
        ("", r"it has no column 'at' but no header line"),
        ("at\n", r"t.csv has no rows"),
        ("at\n1\nx\n", r"t.csv:3: at is 'x'; it must be a number from 0 up"),
        ("at\n-1\n", r"t.csv:2: at is '-1'"),
        ("at\nnan\n", r"t.csv:2: at is 'nan'"),
        ("at\n1e999999\n", r"t.csv:2: at is '1e999999'"),
        ("x,at\n1\n", r"t.csv:2: at is None"),
    ],
)
def test_a_wrong_trace_is_refused_with_its_line(tmp_path: Path, text: str, finding: str) -> None:
    with pytest.raises(UsageError, match=finding):
        trace(tmp_path, text).check()


def test_environments_that_begin_warm_are_counted(tmp_path: Path) -> None:
    """Warm is an environment whose first row is no cold start, whatever comes later."""
    text = "at,env,cold\n1,a,False\n2,b,True\n3,a,True\n4,c,false\n5,b,False\n"
    assert trace(tmp_path, text, environment_column="env", cold_column="cold").warm() == 2
    assert trace(tmp_path, text).warm() == 0
    wrong = trace(tmp_path, "at,env,cold\n1,a,maybe\n", environment_column="env", cold_column="cold")
    with pytest.raises(UsageError, match=r"t.csv:2: cold is 'maybe'; it is true or false"):
        wrong.check()


@pytest.mark.skipif(not SHARED.exists(), reason="the measured traces are not here")
def test_a_measured_trace_is_read_whole() -> None:
    """pacslab/serverless-performance-modeling: 10,116 requests in 28 hours, 16 of them out of order."""
    wanted = {"column": "start_time", "duration_column": "aws_duration", "unit": "ms"}
    wanted |= {"environment_column": "exist_id", "cold_column": "is_cold"}
    file = TraceFile(Trace.model_validate({"file": "res-01-2020-04-24_17-53-33.csv", **wanted}), SHARED)
    rows = list(file.arrivals())
    assert len(rows) == 10_116
    assert rows[0].when == 0
    assert [row.when for row in rows] == sorted(row.when for row in rows)
    assert 27 * 60 * MINUTE < rows[-1].when < 30 * 60 * MINUTE
    assert file.warm() == 2
