"""Figures that are read from payloads: there are none of a run file that keeps a share of the payloads only."""

from __future__ import annotations

from collections.abc import Iterable

from simbus.errors import UsageError
from simbus.expectations.item import Expectation
from simbus.expectations.rows import Rows, Subject
from simbus.logs.sampling import ALL, PAYLOADS


def lacking(figures: Iterable[str], subject: Subject) -> str | None:
    """Why the figures can't be had without all payloads ("has out_of_order, ..."); None where they can.

    A message tells its group in the data of its event; a batch of a stream tells its last record in its payload. The
    age of the records of all streams is a metric, and what orders other events is their subject.
    """
    source = subject.source
    for name in figures:
        if (name == "iterator_age" and source is not None) or (
            name == "out_of_order" and (source is None or source.startswith(("sqs:", "sns:")))
        ):
            return (
                f"has {name}{'' if source is None else f' of {source}'}, which is read from payloads; the run file "
                "keeps a share of them only. Keep all of them (leave out run_file.payloads, --payloads), or expect "
                "something else."
            )
    return None


def check_payloads(expectations: Iterable[Expectation], run: Rows) -> None:
    """Raise UsageError for an expectation of a finished run that its run file has too few payloads for."""
    for item in expectations:
        text = lacking([name for name, _ in item.figures], item.subject)
        if text is not None and share_in(run) < ALL:
            raise UsageError(f"expect: {text}")


def share_in(run: Rows) -> float:
    """The share of the payloads that a run file keeps."""
    [row] = run.query("SELECT coalesce((SELECT value FROM run WHERE key = :key), :all)", {"key": PAYLOADS, "all": ALL})
    return float(row[0])
