"""How a command ends: exit statuses, error messages on stderr, a closed stdout, an interrupt."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import typer

from simbus.errors import RunError, SimbusError

EXPECTATION_FAILED = 1
INTERNAL_ERROR = 70
INTERRUPTED = 130


@contextmanager
def exit_status(hint: str | None = None) -> Iterator[None]:
    """Turn every error of a command into a message on stderr and AWS's or simbus's exit status.

    `hint` is a further line after the message of a run that could not finish: how to reproduce it.
    """
    try:
        yield
    except typer.Exit:
        raise
    except KeyboardInterrupt:
        complain("Interrupted.")
        raise typer.Exit(INTERRUPTED) from None
    except SimbusError as error:
        if error.exit_status == INTERNAL_ERROR:
            raise _internal(error) from None
        complain(f"Error: {error}")
        if hint is not None and isinstance(error, RunError):
            complain(hint)
        raise typer.Exit(error.exit_status) from None
    except Exception as error:
        raise _internal(error) from None


def complain(message: str) -> None:
    """One message on stderr."""
    typer.echo(message, err=True)


def _internal(error: Exception) -> typer.Exit:
    if os.environ.get("SIMBUS_DEBUG") == "1":
        complain("".join(traceback.format_exception(error)).rstrip("\n"))
    found = " ".join(f"{type(error).__name__}: {error}".split())
    complain(f"Internal error: {found}. This is a mistake in simbus: please report it, with what SIMBUS_DEBUG=1 shows.")
    return typer.Exit(INTERNAL_ERROR)


@contextmanager
def printing() -> Iterator[None]:
    """Print results. A reader that has gone (`| head`) ends the printing quietly, and nothing else.

    Raises RunError where stdout can't be written for another reason (a full disk).
    """
    try:
        yield
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        _drop_stdout()
    except OSError as error:
        _drop_stdout()
        raise RunError(
            f"stdout: {error.strerror or error}; the results are written there. Make room, or write elsewhere."
        ) from error


def _drop_stdout() -> None:
    """What is still buffered goes nowhere, so that the interpreter's exit does not fail over it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Do something whole, like ending a run file: an interrupt meanwhile is raised afterwards."""
    came: list[int] = []

    def remember(number: int, _: FrameType | None) -> None:
        came.append(number)

    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler:  # somebody else decides what an interrupt means
        yield
        return
    signal.signal(signal.SIGINT, remember)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        raise KeyboardInterrupt
