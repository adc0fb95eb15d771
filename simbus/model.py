"""The words of simbus as small typed values: ChangeEvent, Invocation, Outcome."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

import msgspec

InvocationType = Literal["RequestResponse", "Event", "DryRun"]
Status = Literal["ok", "error", "timeout", "exit", "oom"]

# How often each function has run in the chain of requests that led here (recursive loop detection).
Lineage = Mapping[str, int]


class ChangeEvent(msgspec.Struct, frozen=True, gc=False):
    """One thing that happened at a source.

    `time` is in nanoseconds of virtual time; `source` the short name (`s3:uploads`), `source_arn` its ARN; `type` the
    service's own word (`ObjectCreated:Put`); `subject` what it is about (the object key); `parent` the request id of
    the invocation that caused it; `data` the service's record, as JSON text.
    """

    id: str
    time: int
    source: str
    source_arn: str
    type: str
    subject: str | None
    parent: str | None
    data: str
    lineage: Lineage | None = None


class Outcome(NamedTuple):
    """What an attempt came to. `payload` is the JSON text of the response or of AWS's error object."""

    status: Status
    payload: str
    error_type: str | None = None
    error_message: str | None = None


class Throttled(NamedTuple):
    """Lambda refused an invocation: 429 TooManyRequestsException. `reason` is AWS's ThrottleReason."""

    reason: str


class Invocation:
    """One payload for one function: what the caller asks for, and what it is told when it is settled.

    `payload` is JSON text. `qualifier` is the alias or version as the caller named it (None: unqualified), `version`
    the one that it resolves to. Times are nanoseconds of virtual time. `on_settled(invocation, outcome)` is called
    exactly once, when the attempt has ended; `on_throttled(invocation, throttled)` instead of it, when none began.
    """

    __slots__ = (
        "attempt",
        "client_context",
        "ended_at",
        "init_ns",
        "invocation_type",
        "lineage",
        "log_tail",
        "max_memory_used",
        "on_settled",
        "on_throttled",
        "payload",
        "qualifier",
        "queued_at",
        "request_id",
        "source_arn",
        "started_at",
        "state",
        "trace_duration",
        "version",
    )

    def __init__(
        self,
        request_id: str,
        payload: str,
        on_settled: Callable[[Invocation, Outcome], None],
        on_throttled: Callable[[Invocation, Throttled], None],
        *,
        invocation_type: InvocationType = "RequestResponse",
        qualifier: str | None = None,
        source_arn: str | None = None,
        queued_at: int = 0,
        attempt: int = 1,
        lineage: Lineage | None = None,
        client_context: str | None = None,
        trace_duration: int | None = None,
        state: object = None,
    ) -> None:
        self.request_id = request_id
        self.payload = payload
        self.on_settled = on_settled
        self.on_throttled = on_throttled
        self.invocation_type = invocation_type
        self.qualifier = qualifier
        self.version = "$LATEST"
        self.source_arn = source_arn
        self.queued_at = queued_at
        self.attempt = attempt
        self.lineage = lineage
        self.client_context = client_context
        self.trace_duration = trace_duration  # a recorded duration in nanoseconds, instead of the modelled one
        self.state = state  # the caller's own
        self.started_at = 0
        self.ended_at = 0
        self.init_ns: int | None = None
        self.max_memory_used = 0
        self.log_tail: str | None = None

    def __repr__(self) -> str:
        return f"<Invocation {self.request_id} attempt {self.attempt}>"
