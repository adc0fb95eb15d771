"""The command line as a whole: version, help, `simbus schema`."""

import json
from importlib.metadata import version

from typer.testing import CliRunner, Result

from simbus.cli import app
from simbus.expectations.figures import FIGURES

BUILT = ("run", "replay", "check", "schema", "logs", "report", "explain", "lint", "load")


def simbus(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_version_is_that_of_the_package() -> None:
    """Design, section 7, Command line."""
    result = simbus("--version")
    assert (result.exit_code, result.stdout) == (0, f"simbus {version('simbus')}\n")


def test_help_shows_the_commands() -> None:
    """Design, section 7, Command line: all of them are built."""
    result = simbus("--help")
    assert result.exit_code == 0
    shown = [line.split()[0] for line in result.stdout.splitlines() if line.startswith("  ") and line.strip()]
    assert [word for word in shown if word in BUILT] == list(BUILT)
    for command in BUILT:
        assert simbus(command, "--help").exit_code == 0


def test_an_unknown_command_is_exit_status_2() -> None:
    """Design, section 7: wrong usage."""
    assert simbus("ruin").exit_code == 2


def test_schema_is_one_json_document_that_knows_the_keys_of_a_scenario() -> None:
    """Design, section 7: `simbus schema` prints the JSON Schema for editors."""
    result = simbus("schema")
    assert result.exit_code == 0
    schema = json.loads(result.stdout)
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert {"functions", "workload", "expect", "seed"} <= set(schema["properties"])
    expectation = schema["$defs"]["Expectation"]["properties"]
    assert {"lost", "queue", "always", "check", "p99_age", "out_of_order"} <= set(expectation)
    assert all(expectation[name]["description"] for name in FIGURES)


def test_schema_report_is_that_of_the_document_of_a_run() -> None:
    """Design, section 7: `simbus schema --report`."""
    schema = json.loads(simbus("schema", "--report").stdout)
    assert schema["$ref"] == "#/$defs/Summary"
    assert {"functions", "expectations", "digest", "real"} <= set(schema["$defs"]["Summary"]["properties"])
