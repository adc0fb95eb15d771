"""Events of CodeCommit: pushed again. Source: Lambda developer guide, "Using AWS Lambda with AWS CodeCommit"."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simbus.recording.formats.access import field, optional
from simbus.recording.formats.base import Found, operation, time_of
from simbus.recording.names import Names


def convert(record: dict[str, Any], line: int, names: Names) -> Iterator[Found]:
    """One record. Raises ValueError."""
    repository = names.find_arn(field(record, "eventSourceARN"))
    when = time_of(optional(record, "eventTime"))
    for reference in field(record, "codecommit", "references", kind=list):
        ref, commit = field(reference, "ref"), field(reference, "commit")
        if reference.get("deleted"):
            yield operation(when, repository, "delete_branch", line, branch_name=ref.removeprefix("refs/heads/"))
        else:
            yield operation(when, repository, "push", line, ref=ref, commit_id=commit)
