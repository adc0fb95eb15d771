"""`simbus schema`."""

from __future__ import annotations

import json

import typer

from simbus.cli.exits import exit_status, printing
from simbus.cli.later import LaterFlag, refuse_options


def schema(report: LaterFlag = False) -> None:
    """Print the JSON Schema of scenario files, for editors."""
    with exit_status():
        refuse_options("schema", report=report)
        from simbus.scenario.schema import schema_json

        with printing():
            typer.echo(json.dumps(schema_json(), indent=2))
