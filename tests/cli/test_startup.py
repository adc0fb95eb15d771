"""A command loads what it needs and no more: that is most of what a short run takes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCENARIO = "functions: {hello: {}}\nworkload: [{invoke: {function: hello}, at: 0s}]\nexpect: [{lost: 0}]\n"
PROGRAM = """
import json, sys
from simbus.cli import main
try:
    main()
except SystemExit as end:
    print(json.dumps([end.code, sorted(sys.modules)]), file=sys.stderr)
"""


def loaded(folder: Path, *arguments: str) -> set[str]:
    """The modules that are loaded at the end of a command."""
    command = [sys.executable, "-c", PROGRAM, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    code, modules = json.loads(done.stderr)
    assert code == 0, done.stdout
    return set(modules)


@pytest.mark.parametrize("arguments", [("run", "hello.yaml"), ("check", "hello.yaml")], ids=" ".join)
def test_a_modelled_function_needs_no_other_service_and_no_sandbox(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """Neither what only a terminal shows, nor boto3, nor a service that the scenario does not name."""
    (tmp_path / "hello.yaml").write_text(SCENARIO)
    modules = loaded(tmp_path, *arguments)
    assert {"simbus.simulation", "simbus.functions.function"} <= modules
    assert not modules & {
        "boto3",
        "botocore",
        "moto",
        "pygments",
        "rich.console",
        "simbus.aws",
        "simbus.functions.sandbox.installation",
        "simbus.recording.source",
        "simbus.report.junit",
        "simbus.sources.dynamodb.table",
        "simbus.sources.kinesis.stream",
        "simbus.sources.s3.bucket",
        "simbus.sources.sns.topic",
        "structlog",
        "xml.etree.ElementTree",
    }


def test_help_needs_no_scenario(tmp_path: Path) -> None:
    """`simbus --help` reads no schema and makes no simulation."""
    modules = loaded(tmp_path, "--help")
    assert not modules & {"pydantic", "yaml", "simbus.scenario.schema", "simbus.simulation"}


def test_a_test_that_replaces_the_clock_finds_the_sandbox_loaded() -> None:
    """What freezes the clock of a test, as freezegun does, is never taken for the real clock."""
    code = "import sys; from simbus import Simulation; print('simbus.functions.sandbox.clock' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "True\n"
