"""The formats that a replay reads. One line of the table is one format, one module in this folder.

A format is found out from the beginning of a file, the first that fits, or named by `--format`.
"""

from __future__ import annotations

from pathlib import Path

from simbus.errors import UsageError
from simbus.recording.formats import (
    cloudtrail,
    destination,
    dynamodb_export,
    eventbridge,
    records,
    simbus,
    sqs_messages,
    test_events,
)
from simbus.recording.formats.base import Broken, Format, Found, Sample, Skipped
from simbus.recording.formats.documents import sample

__all__ = ["FORMATS", "Broken", "Format", "Found", "Skipped", "detect", "named"]

FORMATS: dict[str, Format] = {
    each.name: each
    for each in (
        simbus.FORMAT,
        sqs_messages.FORMAT,
        records.FORMAT,
        destination.FORMAT,
        eventbridge.FORMAT,
        cloudtrail.FORMAT,
        dynamodb_export.FORMAT,
        test_events.FORMAT,
    )
}
"""Every format by its name."""


def detect(path: Path) -> Format:
    """The format of a file or a directory. Raises UsageError where it is none of the table."""
    found = Sample(path, b"", None) if path.is_dir() else sample(path)
    for each in FORMATS.values():
        if each.detect(found):
            return each
    known = "; ".join(f"{each.name} ({each.words})" for each in FORMATS.values())
    raise UsageError(
        f"{path}: its form is not known; a replay reads {known}. "
        "Name one with --format, or give a test event of a function with --format test-events."
    )


def named(name: str) -> Format:
    """The format of that name. Raises UsageError."""
    found = FORMATS.get(name)
    if found is None:
        raise UsageError(f"--format {name}: is none; known are {', '.join(FORMATS)}. Choose one of them.")
    return found
