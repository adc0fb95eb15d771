"""How a command shows what a run came to: as text, JSON, JUnit XML, and as annotations of GitHub Actions."""

from __future__ import annotations

import json as json_text
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simbus.cli.exits import complain, printing
from simbus.errors import RunError, UsageError

if TYPE_CHECKING:
    from simbus.report.document import Summary

Junit = Annotated[
    Path | None, typer.Option("--junit", metavar="FILE", help="Write the expectations as JUnit XML, for CI services.")
]
Github = Annotated[
    bool | None,
    typer.Option(
        "--github/--no-github",
        help="Annotate what failed in GitHub Actions, on stderr. [default: where GITHUB_ACTIONS is true]",
        show_default=False,
    ),
]


def check_outputs(*, db: Path | None = None, record: Path | None = None, junit: Path | None = None) -> None:
    """Refuse a place that can't be written, what would be replaced and is something else, and one file for two things.

    Nothing has been played yet, and nothing is touched. Raises UsageError.
    """
    from simbus.logs.runfile import check_target as check_run_file
    from simbus.recording.file import check_target as check_recording

    taken: dict[Path, str] = {}
    for option, path, check in (
        ("--db", db, check_run_file),
        ("--record", record, check_recording),
        ("--junit", junit, _check_junit),
    ):
        if path is not None:
            other = taken.setdefault(path.resolve(), option)
            if other != option:
                raise UsageError(f"{option} {path}: is the file of {other} too; each needs its own. Name another file.")
            try:
                check(path)
            except UsageError as error:
                raise UsageError(f"{option} {error}") from error


def _check_junit(path: Path) -> None:
    from simbus.report.junit import check_target  # Python's XML, which few runs write

    check_target(path)


def write_junit(path: Path, text: str) -> None:
    """Write the XML. Raises UsageError where that can't be done."""
    from simbus.report.junit import write

    try:
        write(path, text)
    except UsageError as error:
        raise UsageError(f"--junit {error}") from error


@contextmanager
def error_in_junit(path: Path | None, name: str, reproduce: str) -> Iterator[None]:
    """A run that can't finish is an error in the XML, too."""
    try:
        yield
    except RunError as error:
        if path is not None:
            from simbus.report.junit import junit_of_error

            write_junit(path, junit_of_error(name, str(error), reproduce))
        raise


def annotates(github: bool | None) -> bool:
    """Whether annotations are wanted."""
    return os.environ.get("GITHUB_ACTIONS") == "true" if github is None else github


def show_summary(summary: Summary, *, json: bool, junit: Path | None, github: bool | None) -> None:
    """Print a summary, and write or annotate what else is wanted."""
    from simbus.report.text import show

    if junit is not None:
        from simbus.report.junit import junit as junit_text

        write_junit(junit, junit_text(summary))
    if annotates(github):
        from simbus.report.annotations import annotate

        for line in annotate(summary):
            complain(line)
    with printing():
        if json:
            print(json_text.dumps(summary.document(), indent=2))
        else:
            show(summary, sys.stdout)
