"""Makes the log stream of each new execution environment, in CloudWatch's naming.

Source: Developer Guide, "Configuring CloudWatch log groups": the default group has streams
`YYYY/MM/DD/[version]id`, a custom group `YYYY/MM/DD/function[version][id]`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from simbus.logs.stream import LogStream
from simbus.world import World

if TYPE_CHECKING:
    from structlog.typing import Processor


class _Writer(Protocol):
    def add_log_stream(self, log_group: str, name: str, function: str, version: str, created_at: int) -> int: ...


class LogStreams:
    """The log groups and streams of one simulation. `processors` are structlog's, for every line (see LogStream)."""

    def __init__(self, world: World, writer: _Writer, processors: Sequence[Processor] = ()) -> None:
        self._world = world
        self._writer = writer
        self._logger: Callable[..., Any] | None = None
        if processors:
            # structlog is dear to load, and must be loaded before a handler runs that brings along one of its own.
            from simbus.logs.processors import logger

            self._logger = partial(logger, world, tuple(processors))

    def new(self, function: str, group: str, version: str, environment_id: str) -> LogStream:
        """The log stream of a new environment, created at this virtual instant."""
        day = self._world.datetime().strftime("%Y/%m/%d")
        if group == f"/aws/lambda/{function}":
            name = f"{day}/[{version}]{environment_id}"
        else:
            name = f"{day}/{function}[{version}][{environment_id}]"
        stream_id = self._writer.add_log_stream(group, name, function, version, self._world.epoch_ms())
        through = self._logger and self._logger(stream_id, group, name)
        return LogStream(self._world, group, name, stream_id, through)
