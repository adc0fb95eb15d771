"""structlog's processors in front of a log stream. Only a simulation that has some loads this, and structlog."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

from simbus.world import World


class RowLogger:
    """The logger at the end of a stream's processors: it appends one row."""

    def __init__(self, world: World, stream_id: int) -> None:
        self._world = world
        self._stream_id = stream_id

    def emit(self, *, message: str, level: str | None, request_id: str | None, timestamp: int, **_: Any) -> None:
        rows = self._world.rows
        rows.log_lines.append((rows.next_line(), self._stream_id, request_id, timestamp, timestamp, level, message))


class _StructLogger(structlog.BoundLoggerBase):
    """A bound logger with a single verb."""

    def emit(self, message: str, event: EventDict) -> None:
        self._proxy_to_logger("emit", event=message, **event)


def _event_to_message(_: Any, __: str, event: EventDict) -> EventDict:
    """structlog calls the text `event`; in a log stream it is the `message`."""
    event["message"] = event.pop("event")
    return event


def logger(world: World, processors: Sequence[Processor], stream_id: int, group: str, name: str) -> Any:
    """The logger of a stream, whose `emit(message, event)` goes through the processors."""
    return structlog.wrap_logger(
        RowLogger(world, stream_id),
        processors=[_event_to_message, *processors],
        wrapper_class=_StructLogger,
        log_group=group,
        log_stream=name,
    )
