"""What failed as annotations of GitHub Actions: the runner shows them at the line of the file in a pull request.

Source: GitHub Docs, "Workflow commands for GitHub Actions": `::error file={name},line={line},title={title}::{message}`;
what is escaped as in GitHub's toolkit: % CR LF everywhere, in properties also the colon and the comma.
"""

from __future__ import annotations

from collections.abc import Iterator

from simbus.report.document import Summary


def annotation(message: str, level: str, title: str, file: str | None, line: int | None) -> str:
    """One workflow command. `level` is error, warning or notice."""
    properties = {"file": file, "line": line, "title": title}
    written = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items() if value is not None)
    return f"::{level} {written}::{_data(message)}"


def annotate(summary: Summary) -> Iterator[str]:
    """One for each expectation that failed."""
    for result in summary.expectations:
        if not result.passed:
            message = f"{result}\nReproduce with: {summary.reproduce}"
            yield annotation(message, "error", "Expectation failed", result.file, result.line)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
