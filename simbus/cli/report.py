"""`simbus report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from simbus.cli.exits import EXPECTATION_FAILED, complain, exit_status
from simbus.cli.results import Github, Junit, check_outputs, show_summary
from simbus.errors import RunError


def report(
    file: Annotated[Path, typer.Argument(metavar="RUN.db", help="The run file.", show_default=False)],
    json: Annotated[bool, typer.Option("--json", help="Print the summary as one JSON document.")] = False,
    junit: Junit = None,
    github: Github = None,
) -> None:
    """Print what a finished run came to: the same that `simbus run` printed.

    The exit status is that of the run: 1 where an expectation failed, 3 where it did not finish.
    """
    with exit_status():
        check_outputs(junit=junit)
        from simbus.logs.reader import open_run
        from simbus.report.summary import summarise

        with open_run(file) as rows:
            summary = summarise(rows)
        show_summary(summary, json=json, junit=junit, github=github)
    if not summary.finished:
        complain(f"{file}: the run did not finish; the figures are of what was written until then.")
        raise typer.Exit(RunError.exit_status)
    if not summary.passed:
        raise typer.Exit(EXPECTATION_FAILED)
