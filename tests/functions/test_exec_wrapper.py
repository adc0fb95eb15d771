"""AWS_LAMBDA_EXEC_WRAPPER, and what two functions with files of the same name show in their traces."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simbus import Simulation, UsageError

HANDLER = "def handler(event, context):\n    return event\n"


def wrapped(sim: Simulation, folder: Path, wrapper: str) -> tuple[dict[str, str], list[str]]:
    """Error payload and log of one invocation with that wrapper."""
    (folder / "app.py").write_text(HANDLER)
    function = sim.function("f", handler="app.handler", code=folder, environment={"AWS_LAMBDA_EXEC_WRAPPER": wrapper})
    payload = function.invoke({}).json()
    with sim.reader() as reader:
        return payload, [row.message for row in reader.log_events("f")]


@pytest.mark.parametrize(
    ("wrapper", "status", "line"),
    [
        ("/idontexist.sh", 127, "/idontexist.sh: does not exist\n"),
        ("/var/task/wrapper", 126, "/var/task/wrapper: is not an executable\n"),
    ],
)
def test_a_wrapper_that_can_not_run(sim: Simulation, tmp_path: Path, wrapper: str, status: int, line: str) -> None:
    """/var/runtime/bootstrap of AWS's images; 127 is recorded (test_lambda_runtime_wrapper_not_found)."""
    (tmp_path / "wrapper").write_text("#!/bin/sh\n")
    payload, log = wrapped(sim, tmp_path, wrapper)
    assert payload["errorType"] == "Runtime.ExitError"
    assert payload["errorMessage"].endswith(f"Error: Runtime exited with error: exit status {status}")
    assert log.count(line) == 2  # in the init phase, and again in the invocation


@pytest.mark.parametrize("wrapper", ["/var/task/wrapper", "/opt/otel-instrument"])
def test_a_wrapper_that_would_run_is_refused(sim: Simulation, tmp_path: Path, wrapper: str) -> None:
    """simbus starts no programs: to ignore the wrapper would be another function than the user's."""
    (tmp_path / "wrapper").write_text("#!/bin/sh\n")
    (tmp_path / "wrapper").chmod(0o755)
    with pytest.raises(UsageError, match="AWS_LAMBDA_EXEC_WRAPPER"):
        wrapped(sim, tmp_path, wrapper)


def test_a_trace_shows_the_lines_of_its_own_file(sim: Simulation, tmp_path: Path) -> None:
    """Both functions own /var/task/app.py; the log tail has one line of the trace a line (test_dead_letter_queue)."""
    functions = []
    for name, blank in (("short", 0), ("long", 20)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "app.py").write_text("\n" * blank + f"def handler(e, c):\n    raise Exception('{name}')\n")
        functions.append(sim.function(name, handler="app.handler", code=tmp_path / name))
    for function, line in ((functions[0], 2), (functions[1], 22), (functions[0], 2)):
        answer = function.invoke({}, log_type="Tail")
        text = f"    raise Exception('{function.resource}')"
        trace = [f'  File "/var/task/app.py", line {line}, in handler\n{text}\n']
        assert json.loads(answer.payload)["stackTrace"] == trace
        assert answer.log_result is not None
        shown = answer.log_result.splitlines()
        assert "\u00a0" * 4 + text.strip() in shown
        assert any(row.startswith("END RequestId") for row in shown)
