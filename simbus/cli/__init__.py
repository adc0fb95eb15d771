"""The command line: each command parses, calls the library, prints. One file per command.

Whatever is heavy is imported inside a command, so that `simbus --help` and a wrong option answer at once.
"""

from __future__ import annotations

import gc
import io
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from simbus.cli.check import check
from simbus.cli.explain import explain
from simbus.cli.lint import lint
from simbus.cli.load import load
from simbus.cli.logs import logs
from simbus.cli.replay import replay
from simbus.cli.report import report
from simbus.cli.run import run
from simbus.cli.schema import schema

__all__ = ["app", "main"]

COMMANDS = (run, replay, check, schema, logs, report, explain, lint, load)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"simbus {version('simbus')}")
        raise typer.Exit


def _simbus(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """The options before a command."""


def _application(*commands: Callable[..., None]) -> typer.Typer:
    made = typer.Typer(
        name="simbus",
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        no_args_is_help=True,
        help="Simulate event-driven AWS Lambda applications: virtual time, and the same run for the same seed.",
        epilog="Exit status: 0 all well, 1 an expectation failed (lint: something was found), 2 wrong input or "
        "usage, 3 the run could not finish, "
        "70 internal error, 130 interrupted.",
        callback=_simbus,
    )
    for command in commands:
        made.command()(command)
    return made


app = _application(*COMMANDS)


def main() -> None:
    """Run the command line of this process and end it with an exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a log line may hold what the terminal can't show
    gc.disable()  # imports make no garbage, and looking for it is a tenth of a short run; a run enables it again
    # typer takes the signature of every command apart that it is given: it is given the one that is asked for
    asked = [command for command in COMMANDS if sys.argv[1:2] == [command.__name__]]
    try:
        _application(*asked or COMMANDS)()
    except KeyboardInterrupt:  # before or after a command's own care for it
        sys.exit(130)
    finally:
        gc.freeze()  # the process ends: what is left need not be looked at once more
