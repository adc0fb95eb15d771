"""The words of simbus as small typed values: ChangeEvent, Invocation, Outcome."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, NamedTuple

import msgspec

InvocationType = Literal["RequestResponse", "Event", "DryRun"]
Status = Literal["ok", "error", "timeout", "exit", "oom"]

# How often each function has run in the chain of requests that led here (recursive loop detection).
Lineage = Mapping[str, int]


class Wrapping(NamedTuple):
    """How a payload is made of a change event's data: put between two texts, `mark` in it replaced by `marked`.

    The rows of a run keep the data once, and say of the payload how it is made of it.
    """

    opening: str = ""
    mark: str = ""
    marked: str = ""
    closing: str = ""

    def around(self, data: str) -> str:
        """The payload."""
        if self.mark:
            data = data.replace(self.mark, self.marked)
        return f"{self.opening}{data}{self.closing}"


PLAIN: Final = Wrapping()
"""The payload is the data."""


class ChangeEvent(msgspec.Struct, frozen=True, gc=False):
    """One thing that happened at a source.

    `time` is in nanoseconds of virtual time; `source` the short name (`s3:uploads`), `source_arn` its ARN; `type` the
    service's own word (`ObjectCreated:Put`); `subject` what it is about (the object key); `parent` what caused it:
    the request id of an invocation, the id of another change event (of the object that S3 tells the event bus of, the
    message that SNS sends on, the event that an archive replays), the ARN of a rule whose schedule is due, or the
    service that did it by itself (`dynamodb.amazonaws.com`: time to live). None: it came from outside. `data` is the
    service's record, as JSON text. `number` counts the events of a run from 1: the bus sets it.
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
    number: int = 0


class Outcome(NamedTuple):
    """What an attempt came to. `payload` is the JSON text of the response or of AWS's error object."""

    status: Status
    payload: str
    error_type: str | None = None
    error_message: str | None = None


class Throttled(NamedTuple):
    """Lambda refused an invocation: 429 TooManyRequestsException. `reason` is AWS's ThrottleReason."""

    reason: str


class Invocation(msgspec.Struct, eq=False):
    """One payload for one function: what the caller asks for, and what it is told when it is settled.

    `payload` is JSON text. `qualifier` is the alias or version as the caller named it (None: unqualified), `version`
    the one that it resolves to. Times are nanoseconds of virtual time. `on_settled(invocation, outcome)` is called
    exactly once, when the attempt has ended; `on_throttled(invocation, throttled)` instead of it, when none began.
    `event` is the number of the change event that it is the delivery of, for `subscription`: an attempt that goes well
    settles that. `wrapping`: the payload is that event's data, in this.
    """

    request_id: str
    payload: str
    on_settled: Callable[[Invocation, Outcome], None]
    on_throttled: Callable[[Invocation, Throttled], None]
    invocation_type: InvocationType = "RequestResponse"
    qualifier: str | None = None
    source_arn: str | None = None
    queued_at: int = 0
    attempt: int = 1
    lineage: Lineage | None = None
    client_context: str | None = None
    trace_duration: int | None = None  # a recorded duration in nanoseconds, instead of the modelled one
    event: int | None = None
    subscription: str | None = None
    wrapping: Wrapping | None = None
    state: Any = None  # the caller's own
    version: str = "$LATEST"
    started_at: int = 0
    ended_at: int = 0
    init_ns: int | None = None
    max_memory_used: int = 0
    log_tail: str | None = None

    def let_go(self) -> None:
        """Forget who asked: it has been told."""
        self.on_settled = self.on_throttled = _told
        self.state = None

    def __repr__(self) -> str:
        return f"<Invocation {self.request_id} attempt {self.attempt}>"


def _told(invocation: Invocation, _: Any) -> None:
    raise AssertionError(f"{invocation!r} was settled before")
