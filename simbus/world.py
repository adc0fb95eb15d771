"""What everything in one simulation shares: the timeline, the account, the calendar, the rows and the directory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Protocol

import msgspec

from simbus.arn import Account, arn, short_name
from simbus.errors import AwsError, UsageError
from simbus.kernel import MILLISECOND, Timeline
from simbus.metrics import Metrics
from simbus.model import ChangeEvent, Wrapping

Row = tuple[Any, ...]
_RANDOM_BITS = (1 << 128) - 1 - (0xF << 76) - (0xC << 60)
_VERSION_4 = (0x4 << 76) | (0x8 << 60)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Rows(Protocol):
    """Where rows go: one list per table of the run file. Tuples in column order."""

    events: list[Row]
    settlements: list[Row]
    attempts: list[Row]
    hops: list[Row]
    messages: list[Row]
    log_lines: list[Row]
    next_line: Callable[[], int]  # the number of a log line, in the order in which all of them come
    next_delivery: Callable[[], int]  # the number of a settled delivery, likewise
    metrics: list[Any]
    thinned: bool  # whether payloads are left out of a share of the rows; never out of an attempt that failed

    def route(
        self, subscription: str | None, invocation_type: str, source_arn: str | None, wrapping: Wrapping | None
    ) -> int:
        """The number of what invocations that come the same way have in common."""

    def add_log_stream(self, log_group: str, name: str, function: str, version: str, created_at: int) -> int:
        """Make a log stream, created at that time (ms since 1970); returns its id for `log_events`."""

    def flush_if_full(self) -> None:
        """Hand a batch over when enough rows have come together."""


class Recorder(Protocol):
    """Who writes down what is done to the simulation from outside: see `simbus.recording`."""

    def called(
        self, source: Any, method: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Any, ...]:
        """An operation is called from outside, with these arguments. Returns the positional ones to call it with."""

    def returned(self) -> None:
        """The operation that was called last has returned, or raised."""

    def write(self, resource: str, verb: str, arguments: Mapping[str, Any]) -> None:
        """Something is done to a resource that is no such call."""

    def sent(self, client: str, attempt: int, send: Callable[[Any, Any], None], values: Any, done: Any) -> None:
        """A client that tries again sends a request: call `send(values, done)`."""

    def caused(self, event: ChangeEvent) -> None:
        """Something inside of the simulation caused a change event."""


class Target(Protocol):
    """What a change event, a destination record or a dead letter can be delivered to."""

    name: str  # `sqs:failed`
    arn: str

    def accept(self, delivery: Delivery) -> None:
        """Take it over. Raises AwsError where the service would refuse it (status >= 500: try again later)."""


class Delivery(msgspec.Struct, eq=False):
    """One payload on its way to one target, and the change event it came from (None: a record or a dead letter).

    `service` is who delivers (`s3.amazonaws.com`, `sns.amazonaws.com`, `lambda.amazonaws.com` ...), `source_arn` the
    resource on whose behalf ("": a caller's own). `parent` is what a change event that it leads to is caused by: the
    change event here, or the request id of the invocation that it is about. `attributes` are message attributes
    (`{name: {"DataType": ..., "StringValue": ...}}`), `group_id` and `deduplication_id` those of a FIFO message.
    `subscription` names the delivery in the rows. `wrapping` says that the payload is the event's data, and what is
    around it.
    """

    payload: str
    service: str
    source_arn: str
    event: ChangeEvent | None = None
    subscription: str = ""
    parent: str | None = None
    lineage: Any = None
    attributes: dict[str, dict[str, Any]] | None = None
    subject: str | None = None
    group_id: str | None = None
    deduplication_id: str | None = None
    trace_duration: int | None = None
    wrapping: Wrapping | None = None

    def __post_init__(self) -> None:
        if self.event is not None:
            self.parent, self.lineage = self.event.id, self.event.lineage


def uuid(rng: Random) -> str:
    """A version 4 UUID from a seeded generator, in AWS's form: 8-4-4-4-12 lowercase hex."""
    h = (rng.getrandbits(128) & _RANDOM_BITS | _VERSION_4).to_bytes(16, "big").hex()
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"


class World:
    """The shared things of one simulation. `start` is what the calendar says at time 0 (UTC)."""

    def __init__(self, timeline: Timeline, rows: Rows, account: Account, start: datetime) -> None:
        self.timeline = timeline
        self.rows = rows
        self.account = account
        self.start = start
        since = start - _EPOCH
        self.epoch_ns = ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1_000
        self.targets: dict[str, Target] = {}
        self.gone: set[str] = set()  # ARNs of what was deleted
        self.recorder: Recorder | None = None
        self.metrics = Metrics(timeline, rows, self.epoch_ns)

    def epoch_ms(self, at: int | None = None) -> int:
        """Milliseconds since 1970 of a virtual instant (default: now), as rows carry them."""
        return (self.epoch_ns + (self.timeline.now if at is None else at)) // MILLISECOND

    def datetime(self, at: int | None = None) -> datetime:
        """The calendar at a virtual instant (default: now), UTC, to the microsecond."""
        return self.start + timedelta(microseconds=(self.timeline.now if at is None else at) // 1000)

    def iso(self, at: int | None = None, timespec: str = "milliseconds") -> str:
        """`2026-01-01T00:00:00.000Z`, AWS's usual form of a time."""
        return self.datetime(at).replace(tzinfo=None).isoformat(timespec=timespec) + "Z"

    def arn(self, service: str, name: str) -> str:
        return arn(service, name, self.account)

    def register(self, target: Target) -> None:
        """Put a resource into the directory. Raises UsageError where its ARN is taken."""
        self.check_free(target)
        self.targets[target.arn] = target
        self.gone.discard(target.arn)

    def forget(self, arn: str) -> None:
        """A resource is deleted: nothing finds it any more, and its name is free again."""
        if self.targets.pop(arn, None) is not None:
            self.gone.add(arn)

    def check_free(self, target: Target) -> None:
        """Raise UsageError where there is something of this ARN."""
        if target.arn in self.targets:
            raise UsageError(f"{target.name} exists already; names are unique per service. Choose another name.")

    def find(self, reference: str) -> Target | None:
        """The resource that `service:name`, `lambda:name:qualifier` or an ARN names, or None."""
        found = self.targets.get(reference)
        if found is None and "/stream/" not in reference:  # a table's stream has its own ARN only
            service, name, qualifier = short_name(reference)
            arn = self.arn(service, name)
            found = self.targets.get(arn if qualifier is None else f"{arn}:{qualifier}")
        return found

    def hand_over(self, arn: str, delivery: Delivery) -> AwsError | None:
        """Give a delivery to the resource of that ARN. Returns what it is refused with, None where it is taken over."""
        target = self.targets.get(arn)
        if target is None:
            return AwsError("ResourceNotFoundException", f"{arn} does not exist", 404)
        try:
            target.accept(delivery)
        except AwsError as error:
            return error
        return None

    def every(self, wanted: Callable[[Target], bool]) -> list[Target]:
        """The resources that are wanted, in the order in which they were made."""
        return [target for target in self.targets.values() if wanted(target)]
