"""The command line as a whole: version, help, what is not built yet, `simbus schema`."""

import json
from importlib.metadata import version

import pytest
from typer.testing import CliRunner, Result

from simbus.cli import app
from simbus.expectations.figures import FIGURES

BUILT = ("run", "replay", "check", "schema", "logs", "report", "explain", "lint")
LATER = ("load",)


def simbus(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_version_is_that_of_the_package() -> None:
    """Design, section 7, Command line."""
    result = simbus("--version")
    assert (result.exit_code, result.stdout) == (0, f"simbus {version('simbus')}\n")


def test_help_shows_the_commands_that_are_built_and_no_other() -> None:
    """Design, section 6: refuse, never ignore; what is refused is not advertised."""
    result = simbus("--help")
    assert result.exit_code == 0
    shown = [line.split()[0] for line in result.stdout.splitlines() if line.startswith("  ") and line.strip()]
    assert [word for word in shown if word in BUILT + LATER] == list(BUILT)
    for command in BUILT:
        assert simbus(command, "--help").exit_code == 0


@pytest.mark.parametrize("command", LATER)
@pytest.mark.parametrize("more", [(), ("file", "--option", "value"), ("--help",)])
def test_a_command_of_a_later_version_is_refused_by_its_name(command: str, more: tuple[str, ...]) -> None:
    """A command of the contract that is not built is known, and said to be missing; whatever follows it."""
    result = simbus(command, *more)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"Error: simbus {command}: is not built yet in this version of simbus")
    assert result.stdout == ""


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
