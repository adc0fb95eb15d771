"""Makes the log stream of each new execution environment, in CloudWatch's naming.

Source: Developer Guide, "Configuring CloudWatch log groups": the default group has streams
`YYYY/MM/DD/[version]id`, a custom group `YYYY/MM/DD/function[version][id]`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from structlog.typing import Processor

from simbus.logs.stream import LogStream
from simbus.world import World


class _Writer(Protocol):
    def add_log_stream(self, log_group: str, name: str, function: str, version: str, created_at: int) -> int: ...


class LogStreams:
    """The log groups and streams of one simulation. `processors` are structlog's, for every line (see LogStream)."""

    def __init__(self, world: World, writer: _Writer, processors: Sequence[Processor] = ()) -> None:
        self._world = world
        self._writer = writer
        self._processors = tuple(processors)

    def new(self, function: str, group: str, version: str, environment_id: str) -> LogStream:
        """The log stream of a new environment, created at this virtual instant."""
        day = self._world.datetime().strftime("%Y/%m/%d")
        if group == f"/aws/lambda/{function}":
            name = f"{day}/[{version}]{environment_id}"
        else:
            name = f"{day}/{function}[{version}][{environment_id}]"
        stream_id = self._writer.add_log_stream(group, name, function, version, self._world.epoch_ms())
        return LogStream(self._world, group, name, stream_id, self._processors)
