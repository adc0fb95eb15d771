"""A summary for people: the tables and the last lines that `simbus run` prints."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TextIO

from simbus.expectations.results import table as compared
from simbus.kernel.durations import format_duration
from simbus.report.document import (
    ClientErrorFigures,
    DeliveryFigures,
    FailureFigures,
    FunctionFigures,
    LossFigures,
    QueueFigures,
    Summary,
)
from simbus.report.tables import Table

_FUNCTIONS = ("function", "invocations", "errors", "throttles", "cold starts", "p50", "p99", "cost")
_FAILURES = ("function", "error", "the first said", "attempts")
_DELIVERIES = ("from", "to", "events", "ok", "dead-lettered", "held", "lost", "filtered", "duplicates", "max wait")
_CLIENT_ERRORS = ("workload", "to", "error", "the first said", "calls")
_LOSSES = ("from", "to", "why lost", "events")
_LONGEST_MESSAGE = 80
_REQUEST = re.compile(r"^RequestId: \S+ (Error: )?")  # each attempt has its own
_WIDE = 10_000  # columns
_QUEUES = ("queue", "visible", "delayed", "in flight", "sent", "received", "deleted", "expired", "dead-lettered")


def tables(summary: Summary) -> Iterator[Table]:
    """The tables of a summary that have rows, in the order in which they are read."""
    if summary.functions:
        yield Table(_FUNCTIONS, [_function(each) for each in summary.functions])
    if summary.failures:
        yield Table(_FAILURES, [_failure(each) for each in summary.failures], numbers=3)
    if summary.deliveries:
        yield Table(_DELIVERIES, [_delivery(each) for each in summary.deliveries], numbers=2)
    if summary.queues:
        yield Table(_QUEUES, [_queue(each) for each in summary.queues])
    if summary.client_errors:
        yield Table(_CLIENT_ERRORS, [_client_error(each) for each in summary.client_errors], numbers=4)
    if summary.losses:
        yield Table(_LOSSES, [_loss(each) for each in summary.losses], numbers=3)
    if summary.expectations:
        yield Table(("expected", "", "found", ""), compared(summary.expectations), numbers=4)


def closing(summary: Summary) -> str:
    """The last lines: how much virtual time, what it would cost, what was lost, and how to find and repeat the run."""
    virtual = format_duration(round(summary.virtual_seconds * 1000) * 1_000_000)
    lines = [str(each) for each in summary.idle_faults]
    known = f"{virtual} of virtual time, ${summary.cost_usd:.6f} on AWS, lost events: {summary.lost}"
    lines.append(f"seed {summary.seed}, {known if summary.finished else 'unfinished run'}")
    if summary.digest:
        lines.append(f"digest {summary.digest}")
    lines.append(f"run file {summary.run_file}")
    failed = sum(not expectation.passed for expectation in summary.expectations)
    if failed:
        noun = "expectation" if failed == 1 else "expectations"
        lines += ["", f"{failed} {noun} failed. Reproduce with: {summary.reproduce}"]
    return "\n".join(lines)


def plain(summary: Summary) -> str:
    """The whole summary as plain text that is the same for the same run."""
    return "\n\n".join([*(table.plain() for table in tables(summary)), closing(summary)])


def show(summary: Summary, file: TextIO | None) -> None:
    """Print the summary: rich tables on a terminal (NO_COLOR is respected), plain text anywhere else.

    `file` None is a stdout that was closed before the start: nothing is printed.
    """
    if file is None or not file.isatty():
        print(plain(summary), file=file)
        return
    from rich.console import Console

    # Wider than any table: a narrow terminal breaks the lines, but no figure is cut off.
    console = Console(file=file, highlight=False, width=_WIDE)
    for table in tables(summary):
        console.print(table.rich())
    console.print(closing(summary), markup=False, soft_wrap=True)


def _function(each: FunctionFigures) -> tuple[str, ...]:
    return (
        each.function,
        *(f"{number:,}" for number in (each.invocations, each.errors, each.throttles, each.cold_starts)),
        _milliseconds(each.p50_duration_ms),
        _milliseconds(each.p99_duration_ms),
        f"${each.cost_usd:.6f}",
    )


def _failure(each: FailureFigures) -> tuple[str, ...]:
    return each.function, each.error_type, _message(each.message), f"{each.attempts:,}"


def _message(text: str) -> str:
    message = " ".join(_REQUEST.sub("", text).split())
    return message if len(message) <= _LONGEST_MESSAGE else message[: _LONGEST_MESSAGE - 3] + "..."


def _client_error(each: ClientErrorFigures) -> tuple[str, ...]:
    return each.call, each.target, each.error, _message(each.message), f"{each.calls:,}"


def _loss(each: LossFigures) -> tuple[str, ...]:
    return _source(each.source), each.subscription, each.why, f"{each.events:,}"


def _delivery(each: DeliveryFigures) -> tuple[str, ...]:
    counts = (each.events, each.ok, each.dead_lettered, each.held, each.lost, each.filtered, each.duplicates)
    if each.subscription is None:
        return each.source, "nobody", f"{each.events:,}", *("-" for _ in counts)
    wait = "-" if each.max_wait_ms is None else format_duration(round(each.max_wait_ms) * 1_000_000)
    return _source(each.source), each.subscription, *(f"{number:,}" for number in counts), wait


def _source(name: str) -> str:
    return "Invoke" if name.startswith("lambda:") else name


def _queue(each: QueueFigures) -> tuple[str, ...]:
    standing = (each.visible, each.delayed, each.in_flight)
    counts = (*standing, each.sent, each.received, each.deleted, each.expired, each.dead_lettered)
    return (each.queue, *(f"{number:,}" for number in counts))


def _milliseconds(value: float | None) -> str:
    return "-" if value is None else f"{value:,.2f} ms"
