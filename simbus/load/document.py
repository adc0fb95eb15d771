"""What came of a load test: as a table for people, as CSV, as JSON-ready data."""

from __future__ import annotations

import csv
import io
import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from simbus.errors import UsageError
from simbus.expectations.results import table as compared
from simbus.kernel import MILLISECOND, SECOND
from simbus.kernel.durations import format_duration
from simbus.load.figures import Row
from simbus.load.plan import FIND
from simbus.load.probe import Played
from simbus.load.profiles import described
from simbus.load.rates import shown
from simbus.load.runs import LoadTest
from simbus.load.search import bracket, verdict
from simbus.report.tables import Table

FIELDS: Final = [field.name for field in msgspec.structs.fields(Row)]
CSV_BEGINS: Final = ["profile", *FIELDS, "passed", "failed"]
MOST_SHOWN: Final = 8
KEEPS_UP: Final = 0.9  # of what comes: less is done within the time only where something waits


class Line(NamedTuple):
    """One row of the table, with the run that it is of."""

    played: Played
    row: Row


# --- for people ----------------------------------------------------------------------------------------------------

# Heading, field, how it is written, and whether it is shown where it is the same nothing in all rows.
_COLUMNS: Final = (
    ("events", "events", "count", True),
    ("throughput", "throughput", "rate", True),
    ("p50 age", "p50_age_ms", "age", True),
    ("p99 age", "p99_age_ms", "age", True),
    ("max age", "max_age_ms", "age", True),
    ("concurrency", "concurrency", "count", True),
    ("throttles", "throttles", "count", True),
    ("queue depth", "queue_depth", "count", False),
    ("iterator age", "iterator_age_ms", "age", False),
    ("errors", "errors", "count", True),
    ("refused", "refused", "count", False),
    ("dead-lettered", "dead_lettered", "count", False),
    ("lost", "lost", "count", False),
    ("held", "held", "count", False),
    ("$ per million", "cost_per_million_usd", "usd", True),
)


def table(test: LoadTest) -> Table:
    """The rows of a load test; of a search in a grid the row of each cell's highest rate, or its lowest that failed."""
    lines = _shown_lines(test)
    columns = [column for column in _COLUMNS if column[3] or any(getattr(line.row, column[1]) for line in lines)]
    windows = any(played.probe.profile.window is not None for played in test.played)
    judged = not windows and any(played.expectations for played in test.played)
    best = _best(lines, test.kind) if len(test.cells) > 1 else None
    left = _short([axis.name for axis in test.axes]) + (["time"] if windows else [])
    heading = [*left, "rate", *(name for name, *_ in columns)]
    heading += (["expected"] if judged else []) + (["best"] if best is not None else [])
    rows = []
    for number, line in enumerate(lines):
        cells = [*test.cells[line.played.probe.cell].values, *([_span(line.row)] if windows else [])]
        cells += [shown(line.row.rate), *(_text(getattr(line.row, field), how) for _, field, how, _ in columns)]
        cells += ["pass" if line.played.holds else "FAIL"] if judged else []
        cells += [best[number]] if best is not None else []
        rows.append(tuple(cells))
    return Table(tuple(heading), rows, numbers=len(left))


def _short(names: list[str]) -> list[str]:
    """The last parts of paths, as many as tell them apart."""
    parts = 1
    while parts < max(name.count(".") + 1 for name in names or [""]):
        short = [".".join(name.split(".")[-parts:]) for name in names]
        if len(set(short)) == len(names):
            return short
        parts += 1
    return names


def _shown_lines(test: LoadTest) -> list[Line]:
    lines = [Line(played, row) for played in test.played for row in played.rows]
    if test.kind != FIND or len(test.cells) == 1:
        return lines
    shown_rates = [test.capacity(cell) or min(test.held(cell)) for cell in range(len(test.cells))]
    return [line for line in lines if line.played.probe.profile.peak == shown_rates[line.played.probe.cell]]


def _best(lines: list[Line], kind: str) -> list[str]:
    """Which rows are the cheapest and the fastest, of those of the same load; of a search each at its highest rate.

    Only among rows that did their load: where nothing is done, nothing costs and nothing takes long.
    """
    marks: list[list[str]] = [[] for _ in lines]
    groups: dict[Any, list[int]] = {}
    for number, line in enumerate(lines):
        step = line.played.probe.profile.kind == "step"
        key = None if kind == FIND else line.row.rate if step else line.row.begin_s
        groups.setdefault(key, []).append(number)
    for group in groups.values():
        if kind == FIND:
            _mark(marks, lines, group, "highest rate", lambda row: -row.rate)
        _mark(marks, lines, group, "cheapest", _shown_cost)
        _mark(marks, lines, group, "fastest", lambda row: row.p99_age_ms)
    return [", ".join(each) for each in marks]


def _mark(marks: list[list[str]], lines: list[Line], group: list[int], word: str, value: Any) -> None:
    """Of several, the best; all of them where they are equal, but none where all of the group are."""
    found = {number: value(lines[number].row) for number in group if _did(lines[number])}
    known = {number: each for number, each in found.items() if each is not None}
    least = min(known.values(), default=None)
    best = [number for number, each in known.items() if each == least]
    for number in best if len(best) < len(group) else ():
        marks[number].append(word)


def _shown_cost(row: Row) -> float | None:
    """As the table has it: what looks the same is the same."""
    found = row.cost_per_million_usd
    return None if found is None else float(f"{found:.4g}")


def _did(line: Line) -> bool:
    """Whether a row is as expected, and did what came, all but a little."""
    came = line.row.events + line.row.refused
    return line.played.holds and line.row.processed >= KEEPS_UP * came


def text(test: LoadTest) -> str:
    """The table and what is to be said of it."""
    return "\n\n".join([table(test).plain(), *_remarks(test)])


def remarks(test: LoadTest) -> str:
    """What is to be said of the table."""
    return "\n\n".join(_remarks(test))


def _remarks(test: LoadTest) -> Iterator[str]:
    """Paragraphs."""
    if test.bounds is not None:
        yield from _of_search(test)
    elif test.played[0].probe.profile.window is not None:
        yield from _of_windows(test)
    else:
        yield from _of_steps(test)
    if test.played[0].probe.profile.window is None and len(test.cells) == 1:
        yield from _plateau(test)
    yield "\n".join(_closing(test))


def _of_search(test: LoadTest) -> Iterator[str]:
    assert test.bounds is not None
    for cell, values in enumerate(test.cells):
        lines = verdict(test.bounds, test.held(cell))
        if len(test.cells) > 1:
            yield f"{_named(test, values.values)}: {' '.join(lines)}"
            continue
        yield "\n".join(lines)
        failed = _first_failing(test.of(cell), bracket(test.held(cell))[0])
        if failed is not None:
            yield from _failure(failed)


def _of_steps(test: LoadTest) -> Iterator[str]:
    for cell, values in enumerate(test.cells):
        name = f"{_named(test, values.values)}: " if len(test.cells) > 1 else ""
        first, last = _first_failing(test.of(cell), None), test.of(cell)[-1]
        if first is not None:
            yield from _failure(first, name)
        if last is not first and (last.limits or not last.holds):
            yield from _failure(last, name)


def _plateau(test: LoadTest) -> Iterator[str]:
    """Where less is done than comes: the most that was done, whatever came."""
    most = max(test.played, key=lambda played: played.rows[0].throughput or 0.0)
    done = most.rows[0].throughput or 0.0
    if done < KEEPS_UP * most.rows[0].rate:
        yield f"No more than {shown(done)} was done at any of these rates, of the {shown(most.rows[0].rate)} that came."


def _of_windows(test: LoadTest) -> Iterator[str]:
    for played in test.played:
        name = f"{_named(test, test.cells[played.probe.cell].values)}: " if len(test.cells) > 1 else ""
        drained = format_duration(round(max(played.drained_s, 0.0) * 1000) * MILLISECOND)
        yield f"{name}Nothing was pending any more {drained} after the load had ended."
        if played.limits:
            yield "\n".join(_limits(played))
        if played.expectations:
            yield Table(("expected", "", "found", ""), compared(played.expectations), numbers=4).plain()


def _first_failing(runs: list[Played], above: float | None) -> Played | None:
    """The run at the lowest rate (above another one) in which something was not as expected."""
    failing = (played for played in runs if not played.holds and played.probe.profile.peak > (above or 0))
    return min(failing, key=lambda played: played.probe.profile.peak, default=None)


def _failure(played: Played, name: str = "") -> Iterator[str]:
    failed = [result for result in played.expectations if not result.passed]
    lines = [f"{name}At {shown(played.probe.profile.peak)}:", *(f"  {result}" for result in failed[:MOST_SHOWN])]
    if len(failed) > MOST_SHOWN:
        lines.append(f"  and {len(failed) - MOST_SHOWN} more")
    yield "\n".join([*lines, *(f"  {line}" for line in _limits(played))])


def _limits(played: Played) -> list[str]:
    more = len(played.limits) - MOST_SHOWN
    lines = [str(limit) for limit in played.limits[:MOST_SHOWN]]
    return [*lines, f"and {more} more"] if more > 0 else lines


def _closing(test: LoadTest) -> Iterator[str]:
    profile = test.played[0].probe.profile
    length = format_duration(profile.length - profile.warm)
    what = f"{length} of load a row" if profile.window is None else described(profile)
    what += f" after a warm-up of {format_duration(profile.warm)}" if profile.warm else ""
    yield f"{test.scenario}: {what}, seed {test.seed}; the workload's own rate is {shown(test.own_rate)}."
    if test.others:
        yield f"Not scaled, played as written: {', '.join(test.others)}."
    yield from test.notes
    idle = Counter(str(fault) for played in test.played for fault in played.idle_faults)
    for words, runs in idle.items():
        yield words if runs == len(test.played) else f"In {runs} of {len(test.played)} runs {words}"
    held = sum(row.held for played in test.played for row in played.rows)
    if held:
        yield f"Held: {held:,} events were not done when their runs ended; their age counts up to then, and is more."
    if not any(played.expectations for played in test.played):
        yield "Nothing is expected: --expect 'p99_age < 2s' finds the highest rate at which that holds."


def _named(test: LoadTest, values: tuple[str, ...]) -> str:
    return ", ".join(f"{axis.name} {value}" for axis, value in zip(test.axes, values, strict=True))


def _span(row: Row) -> str:
    begin = format_duration(round(row.begin_s * SECOND))
    return f"{begin} -" if row.end_s is None else f"{begin} - {format_duration(round(row.end_s * SECOND))}"


def _text(value: float | None, how: str) -> str:
    if value is None:
        return "-"
    if how == "count":
        return f"{value:,}"
    if how == "rate":
        return shown(value)
    if how == "usd":
        return f"${value:,.4g}" if value < 1000 else f"${value:,.0f}"
    return _age(value)


def _age(ms: float) -> str:
    """Three digits or so: `168 ms`, `1.52 s`, `3m 11s`."""
    if ms < 1_000:
        return f"{ms:.0f} ms"
    return f"{ms / 1000:.2f} s" if ms < 60_000 else format_duration(round(ms / 1000) * SECOND)


# --- for programs --------------------------------------------------------------------------------------------------


def document(test: LoadTest) -> dict[str, Any]:
    """`rows`, each with its parameters, its expectations and the limits reached; `highest` of each cell of a search."""
    names = [axis.name for axis in test.axes]
    found: dict[str, Any] = {
        "scenario": test.scenario,
        "profile": test.kind,
        "seed": test.seed,
        "own_rate": test.own_rate,
        "passed": test.passed,
        "runs": [
            {
                "parameters": dict(zip(names, test.cells[played.probe.cell].values, strict=True)),
                "rate": played.probe.profile.peak,
                "passed": played.holds,
                "rows": msgspec.to_builtins(played.rows),
                "expectations": msgspec.to_builtins(played.expectations),
                "limits": msgspec.to_builtins(played.limits),
                "drained_s": played.drained_s,
                "idle_faults": msgspec.to_builtins(played.idle_faults),
                "digest": played.digest,
                "run_file": str(played.probe.db) if played.probe.keep else None,
            }
            for played in test.played
        ],
        "not_scaled": test.others,
    }
    if test.bounds is not None:
        found["highest"] = [
            {"parameters": dict(zip(names, cell.values, strict=True)), "rate": test.capacity(number)}
            for number, cell in enumerate(test.cells)
        ]
    return found


def csv_text(test: LoadTest) -> str:
    """Every row of every run, also those that the table leaves out; plain numbers, their units in the names."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*CSV_BEGINS, *(axis.name for axis in test.axes)])
    for played in test.played:
        failed = "; ".join(str(result) for result in played.expectations if not result.passed)
        for row in played.rows:
            figures = ["" if value is None else value for value in msgspec.structs.astuple(row)]
            values = test.cells[played.probe.cell].values
            writer.writerow([played.probe.profile.kind, *figures, int(played.holds), failed, *values])
    return file.getvalue()


def check_csv(path: Path) -> None:
    """Refuse a place where the CSV can't be written, before anything is played: only one of ours is replaced."""
    if str(path) == "-":
        raise UsageError("--csv -: is no file; the table is written into one. Give a path; --json is for pipes.")
    if path.is_dir() or not path.absolute().parent.is_dir():
        found = "is a directory" if path.is_dir() else f"the directory {path.parent} does not exist"
        raise UsageError(f"--csv {path}: {found}; the table is written into a file. Choose another path.")
    if not path.exists():
        return
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            begins = file.readline(1_000)
    except OSError as error:
        raise UsageError(f"--csv {path}: {error.strerror or error}. Choose another path.") from None
    if not path.is_file() or (begins and not begins.startswith(",".join(CSV_BEGINS))):
        raise UsageError(
            f"--csv {path}: exists and is no table of `simbus load`; only such a one is replaced. "
            "Choose another path, or move the file away."
        )


def write_csv(path: Path, test: LoadTest) -> None:
    """Write the CSV, whole or not at all. Raises UsageError where that can't be done."""
    real = Path(os.path.realpath(path))
    try:
        with tempfile.NamedTemporaryFile("w", dir=real.parent, prefix=f".{real.name}.", delete=False) as file:
            file.write(csv_text(test))
        mask = os.umask(0)
        os.umask(mask)
        Path(file.name).chmod(0o666 & ~mask)
        Path(file.name).replace(real)
    except OSError as error:
        raise UsageError(f"--csv {path}: {error.strerror or error}. Choose another path.") from error
