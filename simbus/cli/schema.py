"""`simbus schema`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from simbus.cli.exits import exit_status, printing


def schema(
    report: Annotated[
        bool, typer.Option("--report", help="That of what `simbus run --json` and `simbus report --json` print.")
    ] = False,
) -> None:
    """Print the JSON Schema of scenario files, for editors."""
    with exit_status():
        from simbus.report.document import report_schema
        from simbus.scenario.schema import schema_json

        with printing():
            typer.echo(json.dumps(report_schema() if report else schema_json(), indent=2))
