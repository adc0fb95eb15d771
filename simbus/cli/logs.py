"""`simbus logs`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simbus.cli.exits import complain, exit_status, printing

if TYPE_CHECKING:
    from collections.abc import Callable

    from simbus.logs.reader import LogEventRow, RunReader


def logs(
    file: Annotated[Path, typer.Argument(metavar="RUN.db", help="The run file.", show_default=False)],
    function: Annotated[str | None, typer.Option(metavar="F", help="Only this function.")] = None,
    filter: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Only what this filter pattern of CloudWatch Logs matches."),
    ] = None,
    request_id: Annotated[str | None, typer.Option(metavar="ID", help="Only this request.")] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Wait for more until the run has ended.")] = False,
) -> None:
    """Print the log events of a run.

    Each has its virtual time (UTC), its function in brackets and its message:

    \b
    2026-01-01T00:00:00.123Z [resize] START RequestId: 8f5d... Version: $LATEST

    A filter pattern is one of terms (ERROR -Retry), a phrase ("task timed out"), %regex%,
    { $.level = "ERROR" } and [space, delimited, fields].
    """
    with exit_status():
        from simbus.logs.reader import open_run

        with open_run(file) as run, printing():
            if filter is not None:
                _check_filter(filter)
            if not follow or run.finished:
                _check_function(run, function)
                _check_request(run, request_id)
            pause = _waiting(file) if follow else None
            for event in run.log_events(function, request_id=request_id, filter=filter, follow=pause):
                print(line(event), flush=follow)


def line(event: LogEventRow) -> str:
    """One log event as it is printed; a message of several lines stays several lines."""
    from datetime import UTC, datetime, timedelta

    time = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=event.timestamp)
    stamp = time.replace(tzinfo=None).isoformat(timespec="milliseconds")
    message = event.message.rstrip("\n")
    return f"{stamp}Z [{event.function}] {message}"


def _waiting(file: Path) -> Callable[[float], None]:
    """Sleeps, and says on stderr once for what: a run that was killed is never finished."""
    from time import sleep

    told: list[Path] = []

    def wait(seconds: float) -> None:
        if not told:
            told.append(file)
            complain(f"{file}: waits for more of a run that is not finished; Ctrl-C ends the waiting.")
        sleep(seconds)

    return wait


def _check_filter(pattern: str) -> None:
    """Refuse a pattern that is none, in AWS's words."""
    from simbus.errors import AwsError, UsageError
    from simbus.logs.patterns import compile_filter

    try:
        compile_filter(pattern)
    except AwsError as error:
        raise UsageError(f"--filter {pattern}: {error.message}. Correct the pattern.") from None


def _check_request(run: RunReader, request_id: str | None) -> None:
    """Refuse a request that the run does not have."""
    from simbus.errors import UsageError

    known = "SELECT EXISTS (SELECT 1 FROM invocations WHERE request_id = ?)"
    if request_id is not None and not next(run.query(known, [request_id]))[0]:
        raise UsageError(
            f"{run.path}: has no request {request_id}; --request-id names one as a whole. "
            "Look it up with simbus explain, which takes the beginning of an id."
        )


def _check_function(run: RunReader, function: str | None) -> None:
    """Refuse a function that the run does not have: a slip of the pen, not an empty log."""
    if function is None:
        return
    from difflib import get_close_matches

    from simbus.errors import UsageError
    from simbus.report.summary import functions_of

    known = functions_of(run)
    if function not in known:
        close = get_close_matches(function, known, 1)
        remedy = f"Did you mean {close[0]}?" if close else f"Its functions are: {', '.join(known) or 'none'}."
        raise UsageError(f"{run.path}: has no function {function}; --function names one of the run. {remedy}")
