"""`simbus check`."""

from __future__ import annotations

import typer

from simbus.cli.exits import exit_status, printing
from simbus.cli.run import Overrides, ScenarioArgument


def check(scenario: ScenarioArgument, overrides: Overrides = None) -> None:
    """Check a scenario without running it.

    No code of its handlers is run either; what AWS would find wrong with it in a run is a warning.
    """
    with exit_status():
        from simbus.cli.handlers import warnings, without_code
        from simbus.scenario.build import check as build_and_forget
        from simbus.scenario.loader import load

        loaded = load(scenario, overrides or [])
        build_and_forget(without_code(loaded))
        with printing():
            for warning in warnings(loaded):
                typer.echo(warning)
            typer.echo(f"{scenario}: ok")
