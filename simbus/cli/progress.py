"""Progress on stderr while a run plays: shown on a terminal only, and never heard of by the run.

A thread looks at the simulation a few times a second. It reads numbers and writes none, so that a run that is watched
is the same run.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from time import perf_counter
from typing import TYPE_CHECKING, TextIO

from simbus.errors import SimbusError
from simbus.kernel import SECOND
from simbus.logs.reader import open_run

if TYPE_CHECKING:
    from simbus.simulation import Simulation

LOOKS_PER_SECOND = 8


def watching(simulation: Simulation) -> AbstractContextManager[None]:
    """Show the progress of a simulation while the block runs; nothing where stderr is no terminal."""
    if sys.stderr is None or not sys.stderr.isatty():
        return nullcontext()
    return _live(simulation, sys.stderr)


@contextmanager
def _live(simulation: Simulation, file: TextIO) -> Iterator[None]:
    from rich.console import Console
    from rich.live import Live

    glance = Glance(simulation)
    # What handlers and users print goes its own way: rich leaves stdout and stderr alone.
    with Live(
        get_renderable=glance.line,
        console=Console(file=file, highlight=False),
        refresh_per_second=LOOKS_PER_SECOND,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    ):
        yield


class Glance:
    """What the progress says: virtual time, entries of the timeline, invocations, and how many entries a second."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._began = perf_counter()
        self._counted = 0

    def line(self) -> str:
        """One line of progress."""
        timeline = self._simulation.timeline
        seconds = perf_counter() - self._began
        return progress_line(timeline.now, timeline.played, self._invocations(), seconds)

    def _invocations(self) -> int:
        """Those in the file and those that wait to be written; a batch on its way is counted when it has arrived."""
        rows = self._simulation.rows
        waiting = len(rows.attempts)
        if rows.path is not None:
            # Nothing to be seen is no reason to stop: a reader may meet a file that is being replaced or locked.
            with suppress(SimbusError), open_run(rows.path) as run:
                [row] = run.query("SELECT max(rowid) FROM attempts")
                self._counted = max(self._counted, (row[0] or 0) + waiting)
        return self._counted


def progress_line(now: int, events: int, invocations: int, seconds: float) -> str:
    """`1d 02:03:04  1,234 events  123 invocations  567 events/s`; `now` in ns, `seconds` of real time so far."""
    minutes, second = divmod(now // SECOND, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    clock = f"{f'{days}d ' if days else ''}{hour:02}:{minute:02}:{second:02}"
    rate = events / seconds if seconds > 0 else 0.0
    return f"{clock}  {events:,} events  {invocations:,} invocations  {rate:,.0f} events/s"
