"""Real request traces of AWS Lambda as workload: how many cold starts does simbus predict?"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from simbus.scenario.build import build
from simbus.scenario.loader import load

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "lambda-trace-2020"
TRACES = sorted(DATA.glob("*.csv"))

SCENARIO = """
description: A real trace, replayed with its recorded durations.
functions:
  measured: {{runtime: python3.8, timeout: 60, simulate: {{init_duration: 250ms}}}}
workload:
  - invoke: {{function: measured}}
    trace:
      file: {trace}
      column: start_time
      unit: ms
      duration_column: aws_duration
      environment_column: exist_id
      cold_column: is_cold
"""


def real_cold_starts(trace: Path) -> int:
    with trace.open() as file:
        return sum(row["is_cold"] == "True" for row in csv.DictReader(file))


def predicted_cold_starts(trace: Path, tmp_path: Path) -> int:
    scenario = tmp_path / "trace.yaml"
    scenario.write_text(SCENARIO.format(trace=trace))
    simulation, plan = build(load(str(scenario), []), db=None)
    with simulation:
        simulation.play(plan.until, idle=False)
        with simulation.reader() as reader:
            [(cold,)] = reader.query("SELECT count(init_duration_ms) FROM invocations")
    return int(cold)


@pytest.mark.skipif(not TRACES, reason="the shared data is not there")
def test_cold_starts_of_real_traces(tmp_path: Path) -> None:
    """Within 25 % for each file and 5 % in total, with the default idle timeout (pacslab, MIT, measured in 2020)."""
    real = [real_cold_starts(trace) for trace in TRACES]
    predicted = [predicted_cold_starts(trace, tmp_path) for trace in TRACES]
    for measured, expected in zip(predicted, real, strict=True):
        assert abs(measured - expected) <= 0.25 * expected
    assert abs(sum(predicted) - sum(real)) <= 0.05 * sum(real)
