"""Rows of attempts for the tests that read a run file: as an environment writes them."""

from __future__ import annotations

from simbus.logs.writer import RunWriter


def add_attempt(
    rows: RunWriter,
    request_id: str,
    function: str,
    began: int,
    ended: int,
    *,
    attempt: int = 1,
    stream: str = "s",
    version: str = "$LATEST",
    billed: int = 1,
    init: float | None = None,
    memory_size: int = 128,
    status: str = "ok",
) -> None:
    """One attempt, queued as it began (ms since the epoch); its log stream has a group of the function's."""
    streams = rows._lists["log_streams"]
    names = {(row[2], row[3], row[4]): row[0] for row in streams}
    number = names.get((stream, function, version)) or rows.add_log_stream(
        f"/aws/lambda/{function}", stream, function, version, began
    )
    route = rows.route(None, "RequestResponse", None, None)
    rows.attempts.append(
        (
            request_id,
            attempt,
            number,
            route,
            None,
            None,
            began,
            began,
            ended,
            float(ended - began),
            billed,
            init,
            memory_size,
            40,
            status,
            None,
            None,
            "{}",
            "null",
            None,
            None,
        )
    )


def add_delivery(
    rows: RunWriter, event_id: str, request_id: str | None, time: int | None, outcome: str, to: str = "lambda:f"
) -> None:
    """A delivery that was settled at that time (ms since the epoch)."""
    rows.settlements.append((rows.next_delivery(), event_id, request_id, to, time, outcome))
