"""A comparison for people."""

from __future__ import annotations

from collections import Counter
from typing import Final

from simbus.report.comparison import ChangedEvent, Comparison, DeadLetters
from simbus.report.tables import Table

SHOWN: Final = 20


def text_of(comparison: Comparison, run: str) -> str:
    """What changed against the run file `run`: a table of events, and what became of its dead letters."""
    found = comparison
    changes = Counter(event.change for event in found.changed)
    gone, new = changes.pop("gone", 0), changes.pop("new", 0)
    head = f"compared with {run}: {found.events_before:,} events before, {found.events_after:,} now; "
    head += f"{found.unchanged:,} came out as before, {changes.total():,} differently, {gone:,} gone, {new:,} new"
    if found.not_replayed:
        head += f" ({found.not_replayed:,} others were not replayed)"
    parts = [head]
    if found.changed:
        parts.append(_table(found.changed).plain())
    letters = _letters(found.dead_letters)
    return "\n\n".join([*parts, letters] if letters else parts)


def _letters(found: DeadLetters) -> str:
    before = len(found.passing) + len(found.gone) + len(found.not_passing)
    said = [f"dead letters: {len(found.passing):,} of {before:,} pass now"] if before else []
    if found.gone:
        said.append(f"{len(found.gone):,} are not there any more")
    if found.new:
        said.append(f"{len(found.new):,} are new" if before else f"dead letters: {len(found.new):,} are new")
    return ", ".join(said)


def _table(changed: list[ChangedEvent]) -> Table:
    rows = [row for event in changed[:SHOWN] for row in _rows(event)]
    if len(changed) > SHOWN:
        rows.append((f"and {len(changed) - SHOWN:,} more: --json has all", "", "", "", ""))
    return Table(("event", "caused by", "subscription", "before", "now"), rows, numbers=5)


def _rows(event: ChangedEvent) -> list[tuple[str, ...]]:
    """One row a subscription that changed; one for an event that is new, gone, or says something else."""
    name = " ".join(part for part in (event.source, event.type, event.subject) if part)
    cause = event.caused_by[0] if event.caused_by else ""
    if event.change == "outcome":
        names = list({**event.before, **event.after})
        lines = [(each, event.before.get(each, "-"), event.after.get(each, "-")) for each in names]
    elif event.change == "gone":
        lines = [(each, outcome, "gone") for each, outcome in event.before.items()] or [("", "there", "gone")]
    elif event.change == "new":
        lines = [(each, "-", outcome) for each, outcome in event.after.items()] or [("", "-", "new")]
    else:
        what = "what it says" if event.change == "content" else "the answer"
        lines = [("", "", f"{what} has changed")]
    return [(name if first else "", cause if first else "", *line) for first, line in _marked(lines)]


def _marked(lines: list[tuple[str, str, str]]) -> list[tuple[bool, tuple[str, str, str]]]:
    return [(number == 0, line) for number, line in enumerate(lines)]
