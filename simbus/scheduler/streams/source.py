"""What a poller asks of a stream: Kinesis streams and DynamoDB's change streams both answer to this."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol


class Record(Protocol):
    """One record of a shard. `arrival` is in nanoseconds of virtual time; records of a shard stand in its order.

    `event_id` is the id of its change event. Records of equal `partition_key` (a DynamoDB item's key) keep their order
    when a shard is processed by several lanes at once.
    """

    @property
    def sequence_number(self) -> str: ...
    @property
    def event_id(self) -> str: ...
    @property
    def arrival(self) -> int: ...
    @property
    def partition_key(self) -> str: ...


class Shard(Protocol):
    """One shard; positions count its records from the first one on. `retention` is in nanoseconds."""

    id: str
    retention: int

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...
    def read(self, position: int) -> Sequence[Any]: ...
    def unread(self, position: int) -> int: ...
    def drained(self, position: int) -> bool: ...
    def position(self, iterator_type: Any, at: Any = None) -> int: ...


class Stream(Protocol):
    """One stream. `poll_interval` is in nanoseconds, `batch_info_key` names its part of an on-failure record."""

    name: str
    arn: str

    @property
    def batch_info_key(self) -> str: ...
    @property
    def poll_interval(self) -> int: ...
    @property
    def shards(self) -> Sequence[Any]: ...
    def parents(self, shard: Any) -> Sequence[Any]: ...
    def listen(self, changed: Callable[[Any], None]) -> None: ...
    def unlisten(self, changed: Callable[[Any], None]) -> None: ...
    def event_payload(self, record: Any, role_arn: str) -> str: ...
