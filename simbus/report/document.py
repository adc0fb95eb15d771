"""The JSON document that `simbus run --json` and `simbus report --json` print; `simbus schema --report` has its schema.

Durations end in `_ms` or `_seconds`, money in `_usd`. All but `real` is the same for the same scenario, seed, version.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from simbus.expectations.results import ExpectationResult
from simbus.faults.idle import IdleFault
from simbus.report.comparison import Comparison

SCHEMA_URL: Final = "https://json-schema.org/draft/2020-12/schema"


def _about(words: str) -> Meta:
    return Meta(description=words)


class FunctionFigures(msgspec.Struct, frozen=True):
    """One function, counted as CloudWatch counts."""

    function: str
    invocations: Annotated[int, _about("Attempts.")]
    errors: Annotated[int, _about("Attempts that were not ok.")]
    throttles: Annotated[int, _about("Requests that were refused; they are no invocations.")]
    cold_starts: Annotated[int, _about("Attempts with an Init Duration.")]
    p50_duration_ms: Annotated[float | None, _about("By nearest rank; null where it never ran.")]
    p99_duration_ms: float | None
    cost_usd: Annotated[float, _about("At AWS's list prices, without the free tier.")]


class FailureFigures(msgspec.Struct, frozen=True):
    """The attempts of one function that ended with one error."""

    function: str
    error_type: str
    attempts: int
    message: Annotated[str, _about("Of the first of them.")]


class DeliveryFigures(msgspec.Struct, frozen=True):
    """The events of one source for one subscription."""

    source: Annotated[str, _about("`lambda:f`: calls of Invoke.")]
    subscription: Annotated[str | None, _about("Null: events that nobody had subscribed to.")]
    events: int
    ok: Annotated[int, _about("Processed, or put into a queue.")]
    dead_lettered: Annotated[int, _about("In a dead-letter queue or a failure destination, and not processed.")]
    held: Annotated[int, _about("Waiting at the end.")]
    lost: Annotated[int, _about("Neither processed, nor kept, nor dead-lettered.")]
    filtered: Annotated[int, _about("A filter did not let them through.")]
    duplicates: Annotated[int, _about("How often an event was processed that had been processed before.")]
    max_wait_ms: Annotated[
        float | None,
        _about(
            "How old they got before the function had them: the maximum of CloudWatch's IteratorAge (streams), "
            "ApproximateAgeOfOldestMessage (queues) or AsyncEventAge (all others), each of which is of a function or a "
            "queue and not of a subscription; null where there is none."
        ),
    ]


class QueueFigures(msgspec.Struct, frozen=True):
    """One queue."""

    queue: str
    visible: Annotated[int, _about("Messages at the end, as are `delayed` and `in_flight`.")]
    delayed: int
    in_flight: int
    sent: Annotated[int, _about("All that were put into it.")]
    received: Annotated[int, _about("By how many receives: more than `sent` where messages came again.")]
    deleted: int
    expired: int
    dead_lettered: Annotated[int, _about("Moved to the dead-letter queue.")]


class ClientErrorFigures(msgspec.Struct, frozen=True):
    """Calls of the workload that AWS answered with one error, once the client had tried as often as an SDK does."""

    target: str
    call: Annotated[str, _about("For example put_item.")]
    error: Annotated[str, _about("AWS's code.")]
    message: Annotated[str, _about("Of the first of them.")]
    calls: int


class LossFigures(msgspec.Struct, frozen=True):
    """The events of one source that one subscription lost for one reason."""

    source: str
    subscription: str
    why: Annotated[str, _about("What their last hop says.")]
    events: int


class Real(msgspec.Struct, frozen=True):
    """What differs from run to run."""

    seconds: Annotated[float | None, _about("Of the wall clock; null where nobody took them.")] = None


class Summary(msgspec.Struct, frozen=True):
    """What one run of simbus came to."""

    scenario: Annotated[str | None, _about("Its name; null for a run that was driven from Python.")]
    seed: int | str
    version: Annotated[str, _about("Of simbus.")]
    started: Annotated[str, _about("Virtual time, as is `ended`.")]
    ended: str
    virtual_seconds: float
    finished: Annotated[bool, _about("False where the run was cut off: its figures are of what was written till then.")]
    functions: list[FunctionFigures]
    failures: list[FailureFigures]
    deliveries: Annotated[
        list[DeliveryFigures],
        _about(
            "A synchronous invocation that failed is in `events` alone: its caller was told, nothing of it is lost."
        ),
    ]
    queues: Annotated[list[QueueFigures], _about("How they stood at the end; none where the run did not finish.")]
    client_errors: list[ClientErrorFigures]
    losses: list[LossFigures]
    lost: Annotated[int, _about("Change events lost.")]
    expectations: list[ExpectationResult]
    digest: str
    run_file: str
    reproduce: Annotated[str, _about("The command that repeats the run.")]
    passed: Annotated[bool, _about("Whether all expectations hold.")]
    cost_usd: Annotated[float, _about("The sum over the functions.")]
    real: Real = Real()
    idle_faults: Annotated[list[IdleFault], _about("Faults that never occurred: the run ended before.")] = []
    comparison: Annotated[Comparison | None, _about("With the run that --compare names; left out without it.")] = None

    def document(self) -> dict[str, Any]:
        """The JSON document."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        if self.comparison is None:
            del found["comparison"]
        return found


def report_schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    schema = msgspec.json.schema(Summary)
    return {"$schema": SCHEMA_URL, **schema}
